//! Accounts: households and their profiles.
//!
//! A profile's limits are for those who may not lift them: what makes a profile freer needs the
//! *account right*, which the edge looks up (somebody has just given the account's password). A
//! child who holds the tablet, and so the account's token, does not have it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

use crate::codec::stored_events;
use crate::decider::Decider;
use crate::ids::{AccountId, ProfileId};
use crate::personal::Personal;
use crate::values::{InvalidValue, check, composed, is_line};

mod billing;
mod pin;
mod profile;

pub use billing::{BILLING_LINE_MAX_CHARS, BILLING_LINES_MAX, BillingAddress, BillingAddressSet};
pub use pin::{PIN_TRIES_MAX, PIN_WAIT_MS, Pin};
pub(crate) use profile::lift_from_1;
pub use profile::{
    Accessibility, CaptionsSize, GENRES_MAX, LANGUAGES_MAX, Notifications, PlaybackPreferences,
    Profile, QualityMax,
};

/// The most profiles of an account.
pub const PROFILES_MAX: usize = 5;

/// A household joined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountOpened {
    /// The account.
    pub account_id: AccountId,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// A viewer joined a household.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProfileAdded {
    /// The account.
    pub account_id: AccountId,
    /// The new profile.
    pub profile_id: ProfileId,
    /// How it is set.
    pub profile: Profile,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// A profile was set otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProfileChanged {
    /// The account.
    pub account_id: AccountId,
    /// The profile.
    pub profile_id: ProfileId,
    /// How it is set now.
    pub profile: Profile,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// A viewer left a household.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProfileRemoved {
    /// The account.
    pub account_id: AccountId,
    /// The profile.
    pub profile_id: ProfileId,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// A profile got a PIN, or another one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PinSet {
    /// The account.
    pub account_id: AccountId,
    /// The profile.
    pub profile_id: ProfileId,
    /// The hash of the PIN, as a PHC string.
    pub hash: Personal<String>,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// A profile has no PIN any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PinRemoved {
    /// The account.
    pub account_id: AccountId,
    /// The profile.
    pub profile_id: ProfileId,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// A wrong PIN was given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PinRefused {
    /// The account.
    pub account_id: AccountId,
    /// The profile.
    pub profile_id: ProfileId,
    /// The try.
    pub try_id: Uuid,
    /// The first moment at which it can be tried again, in milliseconds since 1970-01-01 UTC; absent
    /// if tries are left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked_until_ms: Option<i64>,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// The right PIN was given after wrong ones, which no longer count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PinAccepted {
    /// The account.
    pub account_id: AccountId,
    /// The profile.
    pub profile_id: ProfileId,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

stored_events! {
    /// What happens to an account.
    pub enum Event {
        /// A household joined.
        Opened(AccountOpened) = 1,
        /// A viewer joined it.
        ProfileAdded(ProfileAdded) = 2,
        /// A profile was set otherwise.
        ProfileChanged(ProfileChanged) = 2,
        /// A viewer left it.
        ProfileRemoved(ProfileRemoved) = 1,
        /// A profile got a PIN.
        PinSet(PinSet) = 1,
        /// A profile lost its PIN.
        PinRemoved(PinRemoved) = 1,
        /// A wrong PIN was given.
        PinRefused(PinRefused) = 1,
        /// The right PIN was given after wrong ones.
        PinAccepted(PinAccepted) = 1,
        /// Its bills go elsewhere.
        BillingAddressSet(BillingAddressSet) = 1,
    }
}

/// An account and its profiles.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// Whether it was opened.
    pub opened: bool,
    /// Its profiles; ids order them by the time they were added.
    pub profiles: BTreeMap<ProfileId, Profile>,
    /// The PINs of those that have one.
    pub pins: BTreeMap<ProfileId, Pin>,
    /// Where its bills go, if that was said.
    pub billing_address: Option<BillingAddress>,
}

/// What can be asked of an account.
#[derive(Debug, Clone)]
pub enum Command {
    /// Let a household join.
    Open {
        /// The new account.
        account_id: AccountId,
        /// Now.
        at_ms: i64,
    },
    /// Let a viewer join. Nothing happens if the account has a profile of this id.
    AddProfile {
        /// The account.
        account_id: AccountId,
        /// The new profile.
        profile_id: ProfileId,
        /// How it is to be set.
        profile: Profile,
        /// Looked up: whether the caller has the account right. Without it, no profile is added
        /// that is freer than one that is there.
        account_right: bool,
        /// Now.
        at_ms: i64,
    },
    /// Set a profile otherwise.
    ChangeProfile {
        /// The account.
        account_id: AccountId,
        /// The profile.
        profile_id: ProfileId,
        /// How it is to be set.
        profile: Profile,
        /// Looked up: whether the caller has the account right. Without it, limits only get
        /// stricter.
        account_right: bool,
        /// Now.
        at_ms: i64,
    },
    /// Let a viewer leave.
    RemoveProfile {
        /// The account.
        account_id: AccountId,
        /// The profile.
        profile_id: ProfileId,
        /// Looked up: whether the caller has the account right. Without it, profiles with limits or
        /// a PIN stay.
        account_right: bool,
        /// Now.
        at_ms: i64,
    },
    /// Give a profile a PIN, or another one. Wrong tries of the one before are forgotten.
    SetPin {
        /// The account.
        account_id: AccountId,
        /// The profile.
        profile_id: ProfileId,
        /// The hash of the PIN, as a PHC string.
        hash: Personal<String>,
        /// Looked up: whether the caller has the account right. Without it, only a profile without
        /// a PIN gets one.
        account_right: bool,
        /// Now.
        at_ms: i64,
    },
    /// Take a profile's PIN away.
    RemovePin {
        /// The account.
        account_id: AccountId,
        /// The profile.
        profile_id: ProfileId,
        /// Looked up: whether the caller has the account right. Nobody else may.
        account_right: bool,
        /// Now.
        at_ms: i64,
    },
    /// Give a profile's PIN. What is given was right if the command is not refused, leads to no
    /// [`PinRefused`] and was looked up to be correct.
    TryPin {
        /// The account.
        account_id: AccountId,
        /// The profile.
        profile_id: ProfileId,
        /// A new id. A try that was wrong stays wrong when it comes again, whatever was given.
        try_id: Uuid,
        /// Looked up: whether the PIN fits the hash.
        correct: bool,
        /// Now.
        at_ms: i64,
    },
    /// Send the bills elsewhere.
    SetBillingAddress {
        /// The account.
        account_id: AccountId,
        /// Where to.
        address: BillingAddress,
        /// Now.
        at_ms: i64,
    },
}

/// Why something cannot be done to an account.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Refusal {
    /// A field breaks its rule.
    #[error(transparent)]
    Invalid(#[from] InvalidValue),
    /// The account was never opened.
    #[error("the account is not open")]
    NotOpen,
    /// The account has no room for another profile.
    #[error("the account has its {limit} profiles already")]
    TooManyProfiles {
        /// [`PROFILES_MAX`].
        limit: usize,
    },
    /// Another profile of the account has this name.
    #[error("another profile has this name")]
    NameTaken,
    /// The account has no such profile.
    #[error("there is no such profile")]
    UnknownProfile,
    /// It would lift a limit, and the caller may not.
    #[error("lifting a limit needs the right over the account")]
    AccountRightNeeded,
    /// The profile has no PIN.
    #[error("the profile has no PIN")]
    NoPin,
    /// This try was wrong when it was made.
    #[error("the PIN is wrong")]
    WrongPin,
    /// The PIN was wrong too often.
    #[error("the PIN was wrong too often; wait before the next try")]
    PinLocked {
        /// The first moment at which it can be tried again, in milliseconds since 1970-01-01 UTC.
        until_ms: i64,
    },
}

/// The rules for accounts.
#[derive(Debug)]
pub struct Account;

impl Decider for Account {
    const CATEGORY: &'static str = "account";
    type Id = AccountId;
    type State = State;
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Refusal> {
        if let Command::Open { account_id, at_ms } = *command {
            let opened = Event::Opened(AccountOpened { account_id, at_ms });
            return Ok(if state.opened { vec![] } else { vec![opened] });
        }
        if !state.opened {
            return Err(Refusal::NotOpen);
        }
        match command.clone() {
            Command::Open { .. } => Ok(vec![]),
            Command::AddProfile { account_id, profile_id, profile, account_right, at_ms } => {
                // However it is set by now: a late repeat must not undo a change.
                if state.profiles.contains_key(&profile_id) {
                    return Ok(vec![]);
                }
                state.admit(profile_id, &profile)?;
                let freer = state.profiles.values().any(|other| profile.lifts_limits_of(other));
                allow(account_right || !freer)?;
                if state.profiles.len() >= PROFILES_MAX {
                    return Err(Refusal::TooManyProfiles { limit: PROFILES_MAX });
                }
                let added = ProfileAdded { account_id, profile_id, profile, at_ms };
                Ok(vec![Event::ProfileAdded(added)])
            }
            Command::ChangeProfile { account_id, profile_id, profile, account_right, at_ms } => {
                let known = state.profile(profile_id)?;
                if *known == profile {
                    return Ok(vec![]);
                }
                state.admit(profile_id, &profile)?;
                allow(account_right || !profile.lifts_limits_of(known))?;
                let changed = ProfileChanged { account_id, profile_id, profile, at_ms };
                Ok(vec![Event::ProfileChanged(changed)])
            }
            Command::RemoveProfile { account_id, profile_id, account_right, at_ms } => {
                let Ok(known) = state.profile(profile_id) else { return Ok(vec![]) };
                let limited = known.is_limited() || state.pins.contains_key(&profile_id);
                allow(account_right || !limited)?;
                let removed = ProfileRemoved { account_id, profile_id, at_ms };
                Ok(vec![Event::ProfileRemoved(removed)])
            }
            Command::SetPin { account_id, profile_id, hash, account_right, at_ms } => {
                state.set_pin(PinSet { account_id, profile_id, hash, at_ms }, account_right)
            }
            Command::RemovePin { account_id, profile_id, account_right, at_ms } => {
                state.profile(profile_id)?;
                if !state.pins.contains_key(&profile_id) {
                    return Ok(vec![]);
                }
                allow(account_right)?;
                Ok(vec![Event::PinRemoved(PinRemoved { account_id, profile_id, at_ms })])
            }
            Command::SetBillingAddress { account_id, address, at_ms } => {
                state.set_billing_address(BillingAddressSet { account_id, address, at_ms })
            }
            Command::TryPin { account_id, profile_id, try_id, correct, at_ms } => {
                let pin = state.pin(profile_id)?;
                let refused = refused(pin, try_id, at_ms)?;
                let accepted = PinAccepted { account_id, profile_id, at_ms };
                Ok(match (correct, pin.is_untried()) {
                    (true, true) => vec![],
                    (true, false) => vec![Event::PinAccepted(accepted)],
                    (false, _) => {
                        let locked_until_ms = refused;
                        let refused =
                            PinRefused { account_id, profile_id, try_id, locked_until_ms, at_ms };
                        vec![Event::PinRefused(refused)]
                    }
                })
            }
        }
    }

    fn evolve(mut state: State, event: &Event) -> State {
        match event {
            Event::Opened(_) => state.opened = true,
            Event::ProfileAdded(ProfileAdded { profile_id, profile, .. })
            | Event::ProfileChanged(ProfileChanged { profile_id, profile, .. }) => {
                state.profiles.insert(*profile_id, profile.clone());
            }
            Event::ProfileRemoved(ProfileRemoved { profile_id, .. }) => {
                state.profiles.remove(profile_id);
                state.pins.remove(profile_id);
            }
            Event::PinSet(PinSet { profile_id, hash, .. }) => {
                state.pins.insert(*profile_id, Pin::new(hash.clone()));
            }
            Event::PinRemoved(PinRemoved { profile_id, .. }) => {
                state.pins.remove(profile_id);
            }
            Event::PinRefused(PinRefused { profile_id, try_id, locked_until_ms, .. }) => {
                if let Some(pin) = state.pins.get_mut(profile_id) {
                    pin.refused(*try_id, *locked_until_ms);
                }
            }
            Event::PinAccepted(PinAccepted { profile_id, .. }) => {
                if let Some(pin) = state.pins.get_mut(profile_id) {
                    pin.accepted();
                }
            }
            Event::BillingAddressSet(BillingAddressSet { address, .. }) => {
                state.billing_address = Some(address.clone());
            }
        }
        state
    }
}

impl State {
    fn profile(&self, profile_id: ProfileId) -> Result<&Profile, Refusal> {
        self.profiles.get(&profile_id).ok_or(Refusal::UnknownProfile)
    }

    fn pin(&self, profile_id: ProfileId) -> Result<&Pin, Refusal> {
        self.profile(profile_id)?;
        self.pins.get(&profile_id).ok_or(Refusal::NoPin)
    }

    /// Whether a profile may be set so, next to the others of the account.
    fn admit(&self, profile_id: ProfileId, profile: &Profile) -> Result<(), Refusal> {
        profile.validate()?;
        let name =
            |profile: &Profile| profile.name.known().map(|name| composed(name).to_lowercase());
        let wanted = name(profile);
        let mut others = self.profiles.iter().filter(|(id, _)| **id != profile_id);
        if others.any(|(_, other)| name(other) == wanted) {
            return Err(Refusal::NameTaken);
        }
        Ok(())
    }

    fn set_billing_address(&self, set: BillingAddressSet) -> Result<Vec<Event>, Refusal> {
        if self.billing_address.as_ref() == Some(&set.address) {
            return Ok(vec![]);
        }
        set.address.validate()?;
        Ok(vec![Event::BillingAddressSet(set)])
    }

    fn set_pin(&self, set: PinSet, account_right: bool) -> Result<Vec<Event>, Refusal> {
        self.profile(set.profile_id)?;
        let before = self.pins.get(&set.profile_id);
        if before.is_some_and(|pin| pin.hash == set.hash) {
            return Ok(vec![]);
        }
        // A PHC string of Argon2id has about 100 characters.
        let hashed = set.hash.known().is_some_and(|hash| is_line(hash, 200));
        check(hashed, "pin", "hashed to a line of 1 to 200 characters")?;
        allow(account_right || before.is_none())?;
        Ok(vec![Event::PinSet(set)])
    }
}

fn allow(holds: bool) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(Refusal::AccountRightNeeded) }
}

/// Until when a PIN is locked if this try is wrong; or why it must not be tried.
fn refused(pin: &Pin, try_id: Uuid, at_ms: i64) -> Result<Option<i64>, Refusal> {
    // Otherwise one id could be used to guess without being counted.
    if pin.failed.contains(&try_id) {
        return Err(Refusal::WrongPin);
    }
    match pin.locked_until(at_ms) {
        Some(until_ms) => Err(Refusal::PinLocked { until_ms }),
        None => Ok((pin.tries_left(at_ms) <= 1).then_some(at_ms.saturating_add(PIN_WAIT_MS))),
    }
}

#[cfg(test)]
mod tests;
