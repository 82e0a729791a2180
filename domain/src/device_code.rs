//! Device codes: how a device without a keyboard is signed in from another one (RFC 8628).
//!
//! The device asks for a code, shows a short one to its people, and polls until somebody who is
//! signed in approves. Most polls are answered without an event, so that a stream has at most as
//! many as the interval can grow in steps and three more: asked, approved or denied, consumed.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::codec::stored_events;
use crate::decider::Decider;
use crate::devices::DeviceKind;
use crate::ids::{AccountId, DeviceCodeKey, DeviceId, SecretHash, SignInId};

/// How long both codes are good: 15 minutes, enough to find the phone and to type a code (RFC 8628,
/// section 6.1, wants it short but usable).
pub const LIFETIME_MS: i64 = 15 * 60 * 1000;
/// How long a device waits between two polls at first (RFC 8628, section 3.2: 5 seconds unless
/// told).
pub const INTERVAL_MS: u32 = 5_000;
/// How much longer it has to wait each time that it polls too soon (RFC 8628, section 3.5).
pub const SLOW_DOWN_MS: u32 = 5_000;
/// It never has to wait longer, which bounds the stream: a device that polls too soon even then is
/// told so without an event.
pub const INTERVAL_MAX_MS: u32 = 60_000;

/// A device asked to be signed in from another one (RFC 8628, section 3.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeviceCodeRequested {
    /// Stands for the device code: a hash.
    pub device_code_key: DeviceCodeKey,
    /// A keyed hash of the code that the device shows.
    pub user_code_hash: SecretHash,
    /// The device, which alone may use the device code (RFC 8628, section 3.4: codes are bound to
    /// the client). `None` in events of before that was noted, when any device could.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<DeviceId>,
    /// What the device is.
    pub kind: DeviceKind,
    /// The first moment at which both codes are void, in milliseconds since 1970-01-01 UTC.
    pub expires_at_ms: i64,
    /// How long the device has to wait between two polls, in milliseconds.
    pub interval_ms: u32,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// Somebody who is signed in let the device in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeviceCodeApproved {
    /// Stands for the device code: a hash.
    pub device_code_key: DeviceCodeKey,
    /// The account that the device may sign in to.
    pub account_id: AccountId,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// Somebody who is signed in kept the device out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeviceCodeDenied {
    /// Stands for the device code: a hash.
    pub device_code_key: DeviceCodeKey,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// The device polled too soon, and has to wait longer from now on (RFC 8628, section 3.5).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeviceCodeSlowedDown {
    /// Stands for the device code: a hash.
    pub device_code_key: DeviceCodeKey,
    /// How long the device has to wait between two polls from now on, in milliseconds.
    pub interval_ms: u32,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// The device fetched what it was let in with. Both codes are void.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeviceCodeConsumed {
    /// Stands for the device code: a hash.
    pub device_code_key: DeviceCodeKey,
    /// The account that the device signs in to.
    pub account_id: AccountId,
    /// The sign-in that begins with it.
    pub sign_in_id: SignInId,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

stored_events! {
    /// What happens to a device code.
    pub enum Event {
        /// A device asked for it.
        Requested(DeviceCodeRequested) = 2,
        /// Somebody let the device in.
        Approved(DeviceCodeApproved) = 1,
        /// Somebody kept the device out.
        Denied(DeviceCodeDenied) = 1,
        /// The device has to wait longer between polls.
        SlowedDown(DeviceCodeSlowedDown) = 1,
        /// The device was signed in.
        Consumed(DeviceCodeConsumed) = 1,
    }
}

/// What became of a device code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Nobody has decided.
    Pending,
    /// Somebody let the device in.
    Approved {
        /// The account that it may sign in to.
        account_id: AccountId,
    },
    /// Somebody kept it out.
    Denied,
    /// It was let in, and has fetched what it was let in with.
    Consumed {
        /// The account that it signed in to.
        account_id: AccountId,
        /// The sign-in that began with it.
        sign_in_id: SignInId,
    },
}

/// A device code that was handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// A keyed hash of the code that the device shows.
    pub user_code_hash: SecretHash,
    /// The device that may use the device code; `None` if that was not noted.
    pub device_id: Option<DeviceId>,
    /// What the device is, for whoever is asked to let it in.
    pub kind: DeviceKind,
    /// The first moment at which both codes are void, in milliseconds since 1970-01-01 UTC.
    pub expires_at_ms: i64,
    /// How long the device has to wait between two polls, in milliseconds.
    pub interval_ms: u32,
    /// When it was last told to slow down, in milliseconds since 1970-01-01 UTC.
    pub slowed_at_ms: Option<i64>,
    /// What became of it.
    pub answer: Answer,
}

/// A device code, if it was handed out.
pub type State = Option<Code>;

/// A question of the device whether it is let in.
#[derive(Debug, Clone)]
pub struct Poll {
    /// The device code.
    pub device_code_key: DeviceCodeKey,
    /// The device that polls.
    pub device_id: DeviceId,
    /// The sign-in that is to begin if the device is let in.
    pub sign_in_id: SignInId,
    /// Looked up: when the device polled before, as far as the server remembers, which need not be
    /// in the log. In milliseconds since 1970-01-01 UTC.
    pub last_polled_at_ms: Option<i64>,
    /// Now.
    pub at_ms: i64,
}

/// What can be asked of a device code.
#[derive(Debug, Clone)]
pub enum Command {
    /// Hand it out.
    Request {
        /// The device code.
        device_code_key: DeviceCodeKey,
        /// A keyed hash of the code that the device shows.
        user_code_hash: SecretHash,
        /// The device that asks.
        device_id: DeviceId,
        /// What the device is.
        kind: DeviceKind,
        /// Now.
        at_ms: i64,
    },
    /// Let the device in.
    Approve {
        /// The device code.
        device_code_key: DeviceCodeKey,
        /// The account of who approves.
        account_id: AccountId,
        /// Now.
        at_ms: i64,
    },
    /// Keep the device out.
    Deny {
        /// The device code.
        device_code_key: DeviceCodeKey,
        /// Now.
        at_ms: i64,
    },
    /// Ask whether the device is let in. If it is, this happens once: [`Event::Consumed`]. If it
    /// polled too soon, that is **recorded** as [`Event::SlowedDown`] and means
    /// [`Refusal::SlowDown`] for the device.
    Poll(Poll),
}

/// Why a device is not signed in, or not let in.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Refusal {
    /// Nobody has decided. Poll again.
    #[error("nobody has decided yet")]
    AuthorizationPending,
    /// It polled too soon. Poll again, but not before the interval is over.
    #[error("poll no sooner than {interval_ms} ms after the poll before")]
    SlowDown {
        /// How long to wait between two polls, in milliseconds.
        interval_ms: u32,
    },
    /// The codes are void, or never were. Ask for others.
    #[error("the code has expired")]
    ExpiredToken,
    /// The code was handed out to another device.
    #[error("the code was handed out to another client")]
    OtherDevice,
    /// Somebody kept the device out.
    #[error("access was denied")]
    AccessDenied,
    /// The code was used before.
    #[error("the code was used before")]
    Consumed,
    /// Somebody has approved or denied before, and not so.
    #[error("this was decided before")]
    AlreadyDecided,
}

impl Refusal {
    /// The `error` of the answer (RFC 8628, section 3.5, and RFC 6749, section 5.2).
    #[must_use]
    pub fn oauth_error(&self) -> &'static str {
        match self {
            Self::AuthorizationPending => "authorization_pending",
            Self::SlowDown { .. } => "slow_down",
            Self::ExpiredToken => "expired_token",
            Self::AccessDenied => "access_denied",
            Self::OtherDevice | Self::Consumed | Self::AlreadyDecided => "invalid_grant",
        }
    }
}

/// What a poll that was recorded means for the device that asked; `None` if it was let in.
#[must_use]
pub fn recorded_refusal(events: &[Event]) -> Option<Refusal> {
    events.iter().find_map(|event| match event {
        Event::SlowedDown(slowed) => Some(Refusal::SlowDown { interval_ms: slowed.interval_ms }),
        _ => None,
    })
}

/// The rules for device codes.
#[derive(Debug)]
pub struct DeviceCode;

impl Decider for DeviceCode {
    const CATEGORY: &'static str = "devicecode";
    type Id = DeviceCodeKey;
    type State = State;
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Refusal> {
        if let Command::Request { device_code_key, user_code_hash, device_id, kind, at_ms } =
            *command
        {
            let requested = Event::Requested(DeviceCodeRequested {
                device_code_key,
                user_code_hash,
                device_id: Some(device_id),
                kind,
                expires_at_ms: at_ms.saturating_add(LIFETIME_MS),
                interval_ms: INTERVAL_MS,
                at_ms,
            });
            return Ok(if state.is_some() { vec![] } else { vec![requested] });
        }
        let code = state.as_ref().ok_or(Refusal::ExpiredToken)?;
        match command {
            Command::Request { .. } => Ok(vec![]),
            Command::Approve { device_code_key, account_id, at_ms } => {
                code.approve(*device_code_key, *account_id, *at_ms)
            }
            Command::Deny { device_code_key, at_ms } => code.deny(*device_code_key, *at_ms),
            Command::Poll(poll) => code.poll(poll),
        }
    }

    fn evolve(state: State, event: &Event) -> State {
        if let Event::Requested(requested) = event {
            return Some(Code {
                user_code_hash: requested.user_code_hash,
                device_id: requested.device_id,
                kind: requested.kind,
                expires_at_ms: requested.expires_at_ms,
                interval_ms: requested.interval_ms,
                slowed_at_ms: None,
                answer: Answer::Pending,
            });
        }
        let mut code = state?;
        match *event {
            Event::Requested(_) => {}
            Event::Approved(DeviceCodeApproved { account_id, .. }) => {
                code.answer = Answer::Approved { account_id };
            }
            Event::Denied(_) => code.answer = Answer::Denied,
            Event::SlowedDown(DeviceCodeSlowedDown { interval_ms, at_ms, .. }) => {
                code.interval_ms = interval_ms;
                code.slowed_at_ms = Some(at_ms);
            }
            Event::Consumed(DeviceCodeConsumed { account_id, sign_in_id, .. }) => {
                code.answer = Answer::Consumed { account_id, sign_in_id };
            }
        }
        Some(code)
    }
}

impl Code {
    fn approve(
        &self,
        device_code_key: DeviceCodeKey,
        account: AccountId,
        at_ms: i64,
    ) -> Result<Vec<Event>, Refusal> {
        match self.answer {
            Answer::Approved { account_id } | Answer::Consumed { account_id, .. }
                if account_id == account =>
            {
                Ok(vec![])
            }
            Answer::Pending => {
                self.check_time(at_ms)?;
                let approved = DeviceCodeApproved { device_code_key, account_id: account, at_ms };
                Ok(vec![Event::Approved(approved)])
            }
            _ => Err(Refusal::AlreadyDecided),
        }
    }

    fn deny(&self, device_code_key: DeviceCodeKey, at_ms: i64) -> Result<Vec<Event>, Refusal> {
        match self.answer {
            Answer::Denied => Ok(vec![]),
            Answer::Pending => {
                self.check_time(at_ms)?;
                Ok(vec![Event::Denied(DeviceCodeDenied { device_code_key, at_ms })])
            }
            Answer::Approved { .. } | Answer::Consumed { .. } => Err(Refusal::AlreadyDecided),
        }
    }

    fn poll(&self, poll: &Poll) -> Result<Vec<Event>, Refusal> {
        let Poll { device_code_key, sign_in_id, at_ms, .. } = *poll;
        // Before anything else: another device must neither learn of the code nor slow it down.
        if self.device_id.is_some_and(|device_id| device_id != poll.device_id) {
            return Err(Refusal::OtherDevice);
        }
        match self.answer {
            Answer::Consumed { sign_in_id: begun, .. } => {
                return if begun == sign_in_id { Ok(vec![]) } else { Err(Refusal::Consumed) };
            }
            Answer::Denied => return Err(Refusal::AccessDenied),
            Answer::Pending | Answer::Approved { .. } => self.check_time(at_ms)?,
        }
        if self.is_too_soon(poll) {
            return self.slow_down(poll);
        }
        let Answer::Approved { account_id } = self.answer else {
            return Err(Refusal::AuthorizationPending);
        };
        let consumed = DeviceCodeConsumed { device_code_key, account_id, sign_in_id, at_ms };
        Ok(vec![Event::Consumed(consumed)])
    }

    fn is_too_soon(&self, poll: &Poll) -> bool {
        let last_ms = poll.last_polled_at_ms.max(self.slowed_at_ms);
        last_ms
            .is_some_and(|last_ms| poll.at_ms.saturating_sub(last_ms) < i64::from(self.interval_ms))
    }

    fn slow_down(&self, poll: &Poll) -> Result<Vec<Event>, Refusal> {
        // Told so at this moment already, or for the longest time there is.
        if self.slowed_at_ms >= Some(poll.at_ms) || self.interval_ms >= INTERVAL_MAX_MS {
            return Err(Refusal::SlowDown { interval_ms: self.interval_ms });
        }
        Ok(vec![Event::SlowedDown(DeviceCodeSlowedDown {
            device_code_key: poll.device_code_key,
            interval_ms: self.interval_ms.saturating_add(SLOW_DOWN_MS).min(INTERVAL_MAX_MS),
            at_ms: poll.at_ms,
        })])
    }

    fn check_time(&self, at_ms: i64) -> Result<(), Refusal> {
        if at_ms < self.expires_at_ms { Ok(()) } else { Err(Refusal::ExpiredToken) }
    }
}

#[cfg(test)]
mod tests;
