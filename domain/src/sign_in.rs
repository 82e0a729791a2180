//! Sign-ins: one person on one device, from the moment they proved who they are until it ends.
//!
//! A sign-in is kept up by refresh tokens. Each is good for one exchange, which makes the next
//! **generation**; a token of an older generation that comes once more is in two hands, one of them
//! a thief's, and ends the sign-in for both (RFC 9700, section 4.14.2).
//!
//! This is strict: there is no time in which the token before is still good. A client that sent its
//! token and never got the answer has lost the sign-in, because what it sends next is an older
//! generation, and has to sign in again. The other way round a thief would have that time too, and
//! the log could not tell the two apart. What is *not* taken for reuse is the same command, decided
//! again by the server itself: it carries the new token that only the server knows.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::codec::stored_events;
use crate::decider::Decider;
use crate::identity::Status;
use crate::ids::{AccountId, DeviceId, SecretHash, SignInId};
use crate::values::names;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// A sign-in that was not refreshed for so long has ended: 60 days. A television in a holiday home
/// is used again within a season; a lost phone is worthless after one.
pub const IDLE_MAX_MS: i64 = 60 * DAY_MS;
/// A sign-in ends so long after it began, however often it is refreshed: one year.
pub const LIFETIME_MAX_MS: i64 = 365 * DAY_MS;
/// The generation of the first refresh token.
pub const FIRST_GENERATION: u32 = 1;

/// Names one sign-in's stream: `ACCOUNT.SIGNIN`, in the partition of the account's other streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignInKey {
    /// The account.
    pub account_id: AccountId,
    /// The sign-in.
    pub sign_in_id: SignInId,
}

impl fmt::Display for SignInKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.account_id, self.sign_in_id)
    }
}

names! {
    /// How a person proved who they are.
    pub enum Method {
        /// By the account's password.
        Password = "password",
        /// By a token of an outside identity provider.
        OutsideIdentity = "outside_identity",
        /// By another device that is signed in (RFC 8628).
        DeviceCode = "device_code",
    }
}

names! {
    /// Why a sign-in ended.
    pub enum EndReason {
        /// The person signed out.
        SignedOut = "signed_out",
        /// A refresh token came that was exchanged before, or that never was one.
        Reuse = "reuse",
        /// It was not refreshed for [`IDLE_MAX_MS`].
        Idle = "idle",
        /// It reached [`LIFETIME_MAX_MS`].
        TooOld = "too_old",
        /// All sign-ins of the account from before some moment are void, such as after the password
        /// was changed.
        Void = "void",
        /// The device left the household.
        DeviceRemoved = "device_removed",
        /// The account is not active any more.
        AccountClosed = "account_closed",
    }
}

/// Somebody signed in on a device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignInBegan {
    /// The account.
    pub account_id: AccountId,
    /// The sign-in.
    pub sign_in_id: SignInId,
    /// The device.
    pub device_id: DeviceId,
    /// How the person proved who they are.
    pub method: Method,
    /// A hash of the first refresh token, which is of generation 1.
    pub refresh_hash: SecretHash,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// The current refresh token was exchanged for another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignInRefreshed {
    /// The account.
    pub account_id: AccountId,
    /// The sign-in.
    pub sign_in_id: SignInId,
    /// The generation of the new refresh token.
    pub generation: u32,
    /// A hash of the new refresh token.
    pub refresh_hash: SecretHash,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// A sign-in ended; nothing can refresh it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignInEnded {
    /// The account.
    pub account_id: AccountId,
    /// The sign-in.
    pub sign_in_id: SignInId,
    /// Why it ended.
    pub reason: EndReason,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

stored_events! {
    /// What happens to a sign-in.
    pub enum Event {
        /// It began.
        Began(SignInBegan) = 1,
        /// Its refresh token was exchanged.
        Refreshed(SignInRefreshed) = 1,
        /// It ended.
        Ended(SignInEnded) = 1,
    }
}

/// A sign-in that can be refreshed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Running {
    /// The device.
    pub device_id: DeviceId,
    /// How the person proved who they are.
    pub method: Method,
    /// When they did, in milliseconds since 1970-01-01 UTC: `auth_time` of access tokens.
    pub began_at_ms: i64,
    /// The generation of the current refresh token.
    pub generation: u32,
    /// A hash of the current refresh token.
    pub refresh_hash: SecretHash,
    /// When that was handed out, in milliseconds since 1970-01-01 UTC.
    pub refreshed_at_ms: i64,
}

/// What became of a sign-in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum State {
    /// It never began.
    #[default]
    Unknown,
    /// It can be refreshed.
    Running(Running),
    /// It ended.
    Ended {
        /// Why.
        reason: EndReason,
    },
}

/// A wish to sign in, and the facts that were looked up for it. The proof of who it is was checked
/// before.
#[derive(Debug, Clone)]
pub struct Begin {
    /// The account.
    pub account_id: AccountId,
    /// The new sign-in.
    pub sign_in_id: SignInId,
    /// The device.
    pub device_id: DeviceId,
    /// How the person proved who they are.
    pub method: Method,
    /// A hash of the first refresh token.
    pub refresh_hash: SecretHash,
    /// Looked up: how the account stands.
    pub status: Status,
    /// Looked up: whether the device is registered.
    pub device_known: bool,
    /// Now.
    pub at_ms: i64,
}

/// A refresh token to be exchanged, and the facts that were looked up for it.
#[derive(Debug, Clone)]
pub struct Refresh {
    /// The account.
    pub account_id: AccountId,
    /// The sign-in.
    pub sign_in_id: SignInId,
    /// The device that presents the token, if it says so. It must be that of the sign-in (RFC 6749,
    /// section 6: a token is bound to the client that it was issued to).
    pub device_id: Option<DeviceId>,
    /// The generation that the token claims.
    pub generation: u32,
    /// A hash of the token.
    pub presented_hash: SecretHash,
    /// A hash of the token that replaces it.
    pub new_hash: SecretHash,
    /// Looked up: how the account stands.
    pub status: Status,
    /// Looked up: the sign-ins of the account that began before are void, in milliseconds since
    /// 1970-01-01 UTC.
    pub signed_in_from_ms: i64,
    /// Looked up: whether the device is registered.
    pub device_known: bool,
    /// Now.
    pub at_ms: i64,
}

/// What can be asked of a sign-in.
#[derive(Debug, Clone)]
pub enum Command {
    /// Begin it.
    Begin(Begin),
    /// Exchange its refresh token. **A sign-in that is found to be over is recorded as ended, and
    /// not refused**: whoever asks must look whether the state behind it is still
    /// [`State::Running`].
    Refresh(Refresh),
    /// End it. Nothing happens if it has.
    End {
        /// The account.
        account_id: AccountId,
        /// The sign-in.
        sign_in_id: SignInId,
        /// Why.
        reason: EndReason,
        /// Now.
        at_ms: i64,
    },
}

/// Why a sign-in cannot begin or go on.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Refusal {
    /// Only active accounts sign in.
    #[error("the account is {}", status.as_str())]
    AccountNotActive {
        /// How the account stands.
        status: Status,
    },
    /// The household has no such device. Register it first.
    #[error("there is no such device")]
    UnknownDevice,
    /// There is no such sign-in.
    #[error("there is no such sign-in")]
    UnknownSignIn,
    /// The token was issued to another device, and stays as it is.
    #[error("the token was issued to another client")]
    OtherDevice,
    /// It is over. Sign in again.
    #[error("the sign-in has ended: {}", reason.as_str())]
    Ended {
        /// Why.
        reason: EndReason,
    },
}

/// The rules for sign-ins.
#[derive(Debug)]
pub struct SignIn;

impl Decider for SignIn {
    const CATEGORY: &'static str = "signin";
    type Id = SignInKey;
    type State = State;
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Refusal> {
        match (state, command) {
            (State::Unknown, Command::Begin(begin)) => begin.decide(),
            (State::Running(_) | State::Ended { .. }, Command::Begin(_))
            | (State::Ended { .. }, Command::End { .. }) => Ok(vec![]),
            (State::Unknown, _) => Err(Refusal::UnknownSignIn),
            (State::Running(running), Command::Refresh(refresh)) => refresh.decide(running),
            (State::Ended { reason }, Command::Refresh(_)) => {
                Err(Refusal::Ended { reason: *reason })
            }
            (State::Running(_), Command::End { account_id, sign_in_id, reason, at_ms }) => {
                Ok(vec![Event::Ended(SignInEnded {
                    account_id: *account_id,
                    sign_in_id: *sign_in_id,
                    reason: *reason,
                    at_ms: *at_ms,
                })])
            }
        }
    }

    fn evolve(state: State, event: &Event) -> State {
        match (state, event) {
            (ended @ State::Ended { .. }, _) => ended,
            (_, Event::Ended(SignInEnded { reason, .. })) => State::Ended { reason: *reason },
            (_, Event::Began(began)) => State::Running(Running {
                device_id: began.device_id,
                method: began.method,
                began_at_ms: began.at_ms,
                generation: FIRST_GENERATION,
                refresh_hash: began.refresh_hash,
                refreshed_at_ms: began.at_ms,
            }),
            (State::Running(running), Event::Refreshed(refreshed)) => State::Running(Running {
                generation: refreshed.generation,
                refresh_hash: refreshed.refresh_hash,
                refreshed_at_ms: refreshed.at_ms,
                ..running
            }),
            (State::Unknown, Event::Refreshed(_)) => State::Unknown,
        }
    }
}

impl Begin {
    fn decide(&self) -> Result<Vec<Event>, Refusal> {
        if self.status != Status::Active {
            return Err(Refusal::AccountNotActive { status: self.status });
        }
        if !self.device_known {
            return Err(Refusal::UnknownDevice);
        }
        Ok(vec![Event::Began(SignInBegan {
            account_id: self.account_id,
            sign_in_id: self.sign_in_id,
            device_id: self.device_id,
            method: self.method,
            refresh_hash: self.refresh_hash,
            at_ms: self.at_ms,
        })])
    }
}

impl Refresh {
    fn decide(&self, running: &Running) -> Result<Vec<Event>, Refusal> {
        if self.device_id.is_some_and(|device_id| device_id != running.device_id) {
            return Err(Refusal::OtherDevice);
        }
        let next = self.generation.saturating_add(1);
        if next == running.generation && self.new_hash == running.refresh_hash {
            return Ok(vec![]);
        }
        let Refresh { account_id, sign_in_id, at_ms, .. } = *self;
        Ok(vec![match self.over(running) {
            Some(reason) => Event::Ended(SignInEnded { account_id, sign_in_id, reason, at_ms }),
            None => Event::Refreshed(SignInRefreshed {
                account_id,
                sign_in_id,
                generation: next,
                refresh_hash: self.new_hash,
                at_ms,
            }),
        }])
    }

    /// Why the sign-in is over, if it is. Reuse goes first: it is the one that somebody must hear
    /// of.
    fn over(&self, running: &Running) -> Option<EndReason> {
        let current = (running.generation, running.refresh_hash);
        let since = |from_ms: i64| self.at_ms.saturating_sub(from_ms);
        let reasons = [
            ((self.generation, self.presented_hash) != current, EndReason::Reuse),
            (self.status != Status::Active, EndReason::AccountClosed),
            (running.began_at_ms < self.signed_in_from_ms, EndReason::Void),
            (!self.device_known, EndReason::DeviceRemoved),
            (since(running.began_at_ms) >= LIFETIME_MAX_MS, EndReason::TooOld),
            (since(running.refreshed_at_ms) >= IDLE_MAX_MS, EndReason::Idle),
        ];
        reasons.into_iter().find_map(|(holds, reason)| holds.then_some(reason))
    }
}

#[cfg(test)]
mod tests;
