//! Codes that are sent by mail: who sends one back reads the mail of that address.

use std::collections::BTreeSet;

use super::Refusal;
use crate::ids::SecretHash;
use crate::personal::Personal;

/// So many wrong tries make a code void. With the pause between two codes, somebody who guesses has
/// at most 7200 tries a day: codes of 40 bits or more are safe.
pub const WRONG_CODES_MAX: usize = 5;
/// The pause between two codes for the same purpose, so that nobody's mailbox is flooded: one
/// minute.
pub const CODE_PAUSE_MS: i64 = 60 * 1000;
/// So many registrations of an address that waits for its code are answered with a mail each within
/// [`REGISTRATIONS_MS`], whatever the pause, because each has a password of its own. The last of
/// them ends all codes before and is for no password: whoever proves the address then chooses one
/// anew, so that no registration behind it is lost to another. As many as one network address may
/// ask for in that time, unless an operator chose otherwise.
pub const REGISTRATIONS_MAX: usize = 10;
/// The time in which [`REGISTRATIONS_MAX`] registrations are counted: one hour.
pub const REGISTRATIONS_MS: i64 = 60 * 60 * 1000;

/// A code that was sent and not used yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// A hash of it.
    pub hash: SecretHash,
    /// When it was sent, in milliseconds since 1970-01-01 UTC.
    pub sent_at_ms: i64,
    /// The first moment at which it is void, in milliseconds since 1970-01-01 UTC.
    pub expires_at_ms: i64,
    /// Hashes of the wrong codes that were tried; the same one again is no further try.
    pub wrong: BTreeSet<SecretHash>,
    /// If it verifies a new account: the hash of the password that counts then. `None` if none does.
    pub password_hash: Option<Personal<String>>,
}

/// What a try with a code comes to, if it is not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tried {
    /// It is the code.
    Right,
    /// It is not, and this has to be counted.
    Wrong,
}

impl Code {
    /// Tries a code.
    pub(super) fn try_with(&self, presented: SecretHash, at_ms: i64) -> Result<Tried, Refusal> {
        if at_ms >= self.expires_at_ms {
            return Err(Refusal::CodeExpired);
        }
        if self.tries_left() == 0 {
            return Err(Refusal::CodeVoid);
        }
        if presented == self.hash {
            return Ok(Tried::Right);
        }
        if self.wrong.contains(&presented) { Err(self.refusal()) } else { Ok(Tried::Wrong) }
    }

    /// What a wrong code is answered with after it was counted.
    pub(super) fn refusal(&self) -> Refusal {
        match self.tries_left() {
            0 => Refusal::CodeVoid,
            tries_left => Refusal::WrongCode { tries_left },
        }
    }

    fn tries_left(&self) -> usize {
        WRONG_CODES_MAX.saturating_sub(self.wrong.len())
    }

    /// Whether another code may be sent; refuses until the pause is over.
    pub(super) fn check_pause(&self, at_ms: i64) -> Result<(), Refusal> {
        let retry_at_ms = self.sent_at_ms.saturating_add(CODE_PAUSE_MS);
        if at_ms < retry_at_ms { Err(Refusal::TooSoon { retry_at_ms }) } else { Ok(()) }
    }
}
