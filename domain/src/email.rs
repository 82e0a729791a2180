//! E-mail addresses: which account has which.
//!
//! Every address has a stream of its own, named by a keyed hash, so that two accounts that want one
//! address meet in one version check. The address itself is only in its account's identity.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::codec::stored_events;
use crate::decider::Decider;
use crate::ids::{AccountId, EmailKey};
use crate::values::{composed, is_hidden};

/// How long an account may hold an address without confirming it: 24 hours, as long as
/// [the code](crate::identity::VERIFICATION_MAX_MS) that was sent there. Then another account may
/// take it over, so that nobody can keep an address from its owner.
pub const UNCONFIRMED_MAX_MS: i64 = 24 * 60 * 60 * 1000;
/// The longest address, in bytes (RFC 5321, section 4.5.3.1.3: a path of 256 with its brackets).
pub const ADDRESS_MAX_BYTES: usize = 254;
/// The longest part before the `@`, in bytes (RFC 5321, section 4.5.3.1.1).
const LOCAL_MAX_BYTES: usize = 64;
/// The longest part of a domain between dots, in bytes (RFC 1035, section 2.3.4).
const LABEL_MAX_BYTES: usize = 63;

/// Whether a text is something that mail can be sent to, as far as its looks tell.
///
/// Pragmatic: one `@`; before it letters, digits and the signs of an atom (RFC 5322, section 3.2.3),
/// and dots only between others; behind it a domain of at least two labels of letters, digits and
/// inner hyphens. Letters of every alphabet are let in (RFC 6531), nothing that hides or turns the
/// writing around. Quoted and literal forms (RFC 5321, section 4.1.2), which hardly anyone has, are
/// not. Whether mail arrives, only the code that comes back tells.
///
/// **Invariant:** what sends mail takes every such address; a test of the mailer holds both
/// together. Ask it of the [`normalized`] text.
#[must_use]
pub fn is_address(text: &str) -> bool {
    let mut parts = text.split('@');
    let (Some(local), Some(domain), None) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    text.len() <= ADDRESS_MAX_BYTES && is_local(local) && is_domain(domain)
}

fn is_local(local: &str) -> bool {
    let plain = |c: char| is_letter(c) || "!#$%&'*+-/=?^_`{|}~".contains(c);
    local.len() <= LOCAL_MAX_BYTES
        && local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(plain))
}

fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        (1..=LABEL_MAX_BYTES).contains(&label.len())
            && label.chars().all(|c| is_letter(c) || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    domain.contains('.') && domain.split('.').all(is_label)
}

/// A letter or digit that is seen.
fn is_letter(c: char) -> bool {
    c.is_alphanumeric() && !is_hidden(c)
}

/// An address as it is stored and mailed to: as it was typed, with whole letters.
#[must_use]
pub fn normalized(address: &str) -> String {
    composed(address)
}

/// The form of an address that its key is made from: normalized and in lower case, so that nobody
/// gets a second account by another spelling. By RFC 5321 the part before the `@` might differ by case; no large
/// provider lets it.
#[must_use]
pub fn canonical(address: &str) -> String {
    normalized(address).to_lowercase()
}

/// An account wants an address. Whoever held it unconfirmed does so no longer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EmailClaimed {
    /// Stands for the address: a keyed hash.
    pub email_key: EmailKey,
    /// The account.
    pub account_id: AccountId,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// An account proved that an address is its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EmailConfirmed {
    /// Stands for the address: a keyed hash.
    pub email_key: EmailKey,
    /// The account.
    pub account_id: AccountId,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// An account gave an address up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EmailReleased {
    /// Stands for the address: a keyed hash.
    pub email_key: EmailKey,
    /// The account.
    pub account_id: AccountId,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

stored_events! {
    /// What happens to an address.
    pub enum Event {
        /// An account wants it.
        Claimed(EmailClaimed) = 1,
        /// The account proved that it is its own.
        Confirmed(EmailConfirmed) = 1,
        /// The account gave it up.
        Released(EmailReleased) = 1,
    }
}

/// Who has an address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum State {
    /// Nobody.
    #[default]
    Free,
    /// An account that has not proved that it is its own.
    Claimed {
        /// The account.
        account_id: AccountId,
        /// Since when, in milliseconds since 1970-01-01 UTC.
        at_ms: i64,
    },
    /// An account that has.
    Confirmed {
        /// The account.
        account_id: AccountId,
    },
}

impl State {
    /// The account that has it, confirmed or not.
    #[must_use]
    pub fn account_id(self) -> Option<AccountId> {
        match self {
            Self::Free => None,
            Self::Claimed { account_id, .. } | Self::Confirmed { account_id } => Some(account_id),
        }
    }

    /// Whether an account that does not have it may take it.
    fn is_up_for_taking(self, now_ms: i64) -> bool {
        match self {
            Self::Free => true,
            Self::Claimed { at_ms, .. } => now_ms.saturating_sub(at_ms) >= UNCONFIRMED_MAX_MS,
            Self::Confirmed { .. } => false,
        }
    }
}

/// What can be asked of an address.
#[derive(Debug, Clone)]
pub enum Command {
    /// Take it, unless another account has it. Nothing happens if the account has it already.
    Claim {
        /// The address.
        email_key: EmailKey,
        /// The account.
        account_id: AccountId,
        /// Now.
        at_ms: i64,
    },
    /// Keep it for good: a code came back from it. To be asked before
    /// [the identity](crate::identity) counts the address as verified, because another account may
    /// have taken it over.
    Confirm {
        /// The address.
        email_key: EmailKey,
        /// The account.
        account_id: AccountId,
        /// Now.
        at_ms: i64,
    },
    /// Give it up. Nothing happens if the account does not have it.
    Release {
        /// The address.
        email_key: EmailKey,
        /// The account.
        account_id: AccountId,
        /// Now.
        at_ms: i64,
    },
}

/// Why an account cannot have an address. Not to be shown to strangers as it is: it tells whether
/// somebody has an account.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Refusal {
    /// Another account has it.
    #[error("the e-mail address is taken")]
    Taken,
    /// The account never claimed it, gave it up, or lost it to another that claimed it later.
    #[error("the account does not hold the e-mail address")]
    NotHeld,
}

/// The rules for addresses.
#[derive(Debug)]
pub struct Email;

impl Decider for Email {
    const CATEGORY: &'static str = "email";
    type Id = EmailKey;
    type State = State;
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Refusal> {
        match *command {
            Command::Claim { email_key, account_id, at_ms } => {
                if state.account_id() == Some(account_id) {
                    return Ok(vec![]);
                }
                if !state.is_up_for_taking(at_ms) {
                    return Err(Refusal::Taken);
                }
                Ok(vec![Event::Claimed(EmailClaimed { email_key, account_id, at_ms })])
            }
            Command::Confirm { email_key, account_id, at_ms } => {
                if state.account_id() != Some(account_id) {
                    return Err(Refusal::NotHeld);
                }
                let confirmed = EmailConfirmed { email_key, account_id, at_ms };
                Ok(match state {
                    State::Confirmed { .. } => vec![],
                    _ => vec![Event::Confirmed(confirmed)],
                })
            }
            Command::Release { email_key, account_id, at_ms } => {
                let held = state.account_id() == Some(account_id);
                let released = EmailReleased { email_key, account_id, at_ms };
                Ok(if held { vec![Event::Released(released)] } else { vec![] })
            }
        }
    }

    fn evolve(_: State, event: &Event) -> State {
        match *event {
            Event::Claimed(EmailClaimed { account_id, at_ms, .. }) => {
                State::Claimed { account_id, at_ms }
            }
            Event::Confirmed(EmailConfirmed { account_id, .. }) => State::Confirmed { account_id },
            Event::Released(_) => State::Free,
        }
    }
}

#[cfg(test)]
mod tests;
