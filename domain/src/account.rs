//! Accounts: households and their profiles.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::codec::stored_events;
use crate::decider::Decider;
use crate::ids::{AccountId, ProfileId};
use crate::values::{InvalidValue, check, is_line};

/// The most profiles of an account (MISSION row PR1).
pub const PROFILES_MAX: usize = 5;

/// What a profile looks like and is set to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The name on the profile picker; unique in its account.
    pub name: String,
    /// The language of texts and of preferred audio, as a BCP 47 tag.
    pub language: String,
    /// Whether a child uses it.
    pub kids: bool,
}

impl Profile {
    /// Checks every field against its rule.
    ///
    /// # Errors
    /// The first field that breaks its rule.
    pub fn validate(&self) -> Result<(), InvalidValue> {
        check(is_line(&self.name, 40), "name", "a line of 1 to 40 characters")?;
        check(is_language_tag(&self.language), "language", "a BCP 47 language tag such as pt-BR")
    }
}

/// `[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*`, at most 35 characters (RFC 5646, section 4.4.1).
fn is_language_tag(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let primary = parts.next().unwrap_or_default();
    tag.len() <= 35
        && (2..=3).contains(&primary.len())
        && primary.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(|part| {
            (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

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

stored_events! {
    /// What happens to an account.
    pub enum Event {
        /// A household joined.
        Opened(AccountOpened) = 1,
        /// A viewer joined it.
        ProfileAdded(ProfileAdded) = 1,
        /// A profile was set otherwise.
        ProfileChanged(ProfileChanged) = 1,
        /// A viewer left it.
        ProfileRemoved(ProfileRemoved) = 1,
    }
}

/// An account and its profiles.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// Whether it was opened.
    pub opened: bool,
    /// Its profiles; ids order them by the time they were added.
    pub profiles: BTreeMap<ProfileId, Profile>,
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
        /// Now.
        at_ms: i64,
    },
    /// Let a viewer leave.
    RemoveProfile {
        /// The account.
        account_id: AccountId,
        /// The profile.
        profile_id: ProfileId,
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
            Command::AddProfile { account_id, profile_id, profile, at_ms } => {
                // However it is set by now: a late repeat must not undo a change.
                if state.profiles.contains_key(&profile_id) {
                    return Ok(vec![]);
                }
                state.admit(profile_id, &profile)?;
                if state.profiles.len() >= PROFILES_MAX {
                    return Err(Refusal::TooManyProfiles { limit: PROFILES_MAX });
                }
                let added = ProfileAdded { account_id, profile_id, profile, at_ms };
                Ok(vec![Event::ProfileAdded(added)])
            }
            Command::ChangeProfile { account_id, profile_id, profile, at_ms } => {
                let known = state.profiles.get(&profile_id).ok_or(Refusal::UnknownProfile)?;
                if *known == profile {
                    return Ok(vec![]);
                }
                state.admit(profile_id, &profile)?;
                let changed = ProfileChanged { account_id, profile_id, profile, at_ms };
                Ok(vec![Event::ProfileChanged(changed)])
            }
            Command::RemoveProfile { account_id, profile_id, at_ms } => {
                let removed = ProfileRemoved { account_id, profile_id, at_ms };
                let known = state.profiles.contains_key(&profile_id);
                Ok(if known { vec![Event::ProfileRemoved(removed)] } else { vec![] })
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
            }
        }
        state
    }
}

impl State {
    /// Whether a profile may be set so, next to the others of the account.
    fn admit(&self, profile_id: ProfileId, profile: &Profile) -> Result<(), Refusal> {
        profile.validate()?;
        let name = profile.name.to_lowercase();
        let mut others = self.profiles.iter().filter(|(id, _)| **id != profile_id);
        if others.any(|(_, other)| other.name.to_lowercase() == name) {
            return Err(Refusal::NameTaken);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
