//! Identities: who may act for an account, and how the account stands.
//!
//! Passwords and codes never come here, only hashes of them and facts such as "it was right".
//! Addresses, hashes of passwords and reasons are [personal](crate::personal).
//!
//! **A wrong code is recorded, not refused**, because it has to be counted: whoever asks looks at
//! what happened with [`State::refusal_of`].

mod codes;
mod command;
mod events;
mod names;

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

pub use self::codes::{CODE_PAUSE_MS, Code, REGISTRATIONS_MAX, REGISTRATIONS_MS, WRONG_CODES_MAX};
pub use self::command::{Ask, Command, Registration};
pub use self::events::*;
pub use self::names::{CodePurpose, ConsentPurpose, Role, Status};
use crate::decider::Decider;
use crate::ids::{AccountId, EmailKey, SecretHash, SubjectKey};
use crate::personal::Personal;
use crate::values::{InvalidValue, tries_left_told};

/// How long a code that verifies an address may be good: 24 hours, because mail may be delayed and
/// people sleep.
pub const VERIFICATION_MAX_MS: i64 = 24 * 60 * 60 * 1000;
/// How long a code for a new password is good: 1 hour (the OWASP Forgot Password Cheat Sheet wants
/// it to expire after an appropriate period; whoever asks for one waits for it).
pub const PASSWORD_RESET_MS: i64 = 60 * 60 * 1000;
/// The longest time between asking to be forgotten and the day when it is due: 30 days, within the
/// month of GDPR, article 12(3).
pub const ERASURE_MAX_MS: i64 = 30 * 24 * 60 * 60 * 1000;
/// The most outside identities of an account: one of each large provider.
pub const OUTSIDE_IDENTITIES_MAX: usize = 5;
/// The longest reason for a suspension, in characters.
pub const REASON_MAX_CHARS: usize = 200;
/// The longest name of an outside provider, in bytes (the `iss` of OpenID Connect is a URL).
pub const ISSUER_MAX_BYTES: usize = 255;
/// The longest PHC string of a password's hash, in bytes. Argon2id with a salt of 16 bytes and a
/// hash of 32 takes 97.
pub const PASSWORD_HASH_MAX_BYTES: usize = 256;

/// A person at an outside identity provider who may sign in to the account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OutsideIdentity {
    /// The provider.
    pub issuer: String,
    /// Stands for the person there.
    pub subject_key: SubjectKey,
}

/// An address that is to replace the current one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEmail {
    /// The address.
    pub email: Personal<String>,
    /// Stands for it.
    pub email_key: EmailKey,
}

/// Who may act for an account, and how it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    registered: bool,
    verified: bool,
    suspended: bool,
    closed: Option<Closed>,
    /// The address. `None` before somebody registered, and once it is erased.
    pub email: Option<Personal<String>>,
    /// Stands for the address; stays when that is erased, so that it can be released.
    pub email_key: Option<EmailKey>,
    /// The Argon2id hash of the password, as a PHC string. `None` if there is no password.
    pub password_hash: Option<Personal<String>>,
    /// What it may do.
    pub roles: BTreeSet<Role>,
    /// Sign-ins that began before are void, in milliseconds since 1970-01-01 UTC. It never goes
    /// back.
    pub signed_in_from_ms: i64,
    /// Who may sign in besides by password.
    pub outside_identities: BTreeSet<OutsideIdentity>,
    /// The uses of data that are allowed, each with the version of the text that was agreed to.
    pub consents: BTreeMap<ConsentPurpose, u32>,
    /// The codes that were sent and not used, the last one for each purpose.
    pub codes: BTreeMap<CodePurpose, Code>,
    /// While the address is not verified: the codes of registrations before the last one, which are
    /// good too. Fewer than [`REGISTRATIONS_MAX`] an hour.
    pub earlier_codes: Vec<Code>,
    /// Whether the address was registered more than once before it was verified.
    pub contested: bool,
    /// When the registrations of the last hour came, in milliseconds since 1970-01-01 UTC.
    registrations_ms: Vec<i64>,
    /// The address that is to replace the current one.
    pub new_email: Option<NewEmail>,
    /// If to be forgotten was asked for: the first moment at which it may be done, in milliseconds
    /// since 1970-01-01 UTC.
    pub erasure_due_at_ms: Option<i64>,
}

/// How an account came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Closed {
    Cancelled,
    Erased,
}

impl State {
    /// How the account stands; `None` if nobody ever registered.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        self.registered.then_some(match self.closed {
            Some(Closed::Erased) => Status::Erased,
            Some(Closed::Cancelled) => Status::Cancelled,
            None if self.suspended => Status::Suspended,
            None if self.verified => Status::Active,
            None => Status::PendingVerification,
        })
    }

    /// The code that was sent for a purpose and is meant by what came back: the same one if there are
    /// several, else the last one.
    #[must_use]
    pub fn code(&self, purpose: CodePurpose, presented: SecretHash) -> Option<&Code> {
        let earlier = self.earlier_codes.iter().filter(|_| purpose == CodePurpose::Verification);
        let same = |code: &&Code| code.hash == presented;
        earlier.rev().find(same).or_else(|| self.codes.get(&purpose))
    }

    /// What whoever asked must be told although it was recorded: a wrong code. To be called on the
    /// state behind the events.
    #[must_use]
    pub fn refusal_of(&self, events: &[Event]) -> Option<Refusal> {
        events.iter().find_map(|event| match event {
            Event::CodeRejected(rejected) => {
                Some(self.codes.get(&rejected.purpose).map_or(Refusal::NoCode, Code::refusal))
            }
            _ => None,
        })
    }
}

/// Why something cannot be done to an identity.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Refusal {
    /// A field breaks its rule.
    #[error(transparent)]
    Invalid(#[from] InvalidValue),
    /// Nobody ever registered the account.
    #[error("there is no such account")]
    NotRegistered,
    /// The account is locked.
    #[error("the account is suspended")]
    Suspended,
    /// The account was closed.
    #[error("the account is cancelled")]
    Cancelled,
    /// The account was closed and forgotten.
    #[error("the account is erased")]
    Erased,
    /// No code was sent, or it was used. Ask for one.
    #[error("there is no code to use")]
    NoCode,
    /// It is another code.
    #[error("the code is wrong; {}", tries_left_told(*tries_left))]
    WrongCode {
        /// How often another may be tried.
        tries_left: usize,
    },
    /// Too many wrong codes were tried. Ask for another code.
    #[error("too many wrong codes were tried; ask for another code")]
    CodeVoid,
    /// The code came too late. Ask for another one.
    #[error("the code has expired; ask for another code")]
    CodeExpired,
    /// A code was sent a moment ago.
    #[error("a code was sent a moment ago")]
    TooSoon {
        /// The first moment at which another may be sent, in milliseconds since 1970-01-01 UTC.
        retry_at_ms: i64,
    },
    /// The current password is another.
    #[error("the password is wrong")]
    WrongPassword,
    /// The account has no password to change. Ask for a code to choose one.
    #[error("the account has no password")]
    NoPassword,
    /// The account has no room for another outside identity.
    #[error("the account has its {limit} outside identities already")]
    TooManyOutsideIdentities {
        /// [`OUTSIDE_IDENTITIES_MAX`].
        limit: usize,
    },
    /// To be forgotten was not asked for.
    #[error("erasure was not requested")]
    ErasureNotRequested,
    /// The day has not come.
    #[error("erasure is not due yet")]
    ErasureNotDue {
        /// The first moment at which it may be done, in milliseconds since 1970-01-01 UTC.
        due_at_ms: i64,
    },
}

/// The rules for identities.
#[derive(Debug)]
pub struct Identity;

impl Decider for Identity {
    const CATEGORY: &'static str = "identity";
    type Id = AccountId;
    type State = State;
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Refusal> {
        rules::decide(state, command)
    }

    fn evolve(state: State, event: &Event) -> State {
        past::evolve(state, event)
    }
}

mod past;
mod rules;

#[cfg(test)]
mod tests;
