//! The PIN of a profile, and how often it may be tried.

use uuid::Uuid;

use crate::personal::Personal;

/// So many wrong tries make the next one wait for [`PIN_WAIT_MS`]. Of 10,000 PINs of four digits
/// somebody who tries day and night finds a given one after ten days on average.
pub const PIN_TRIES_MAX: usize = 5;
/// How long the next try has to wait after [`PIN_TRIES_MAX`] wrong ones.
pub const PIN_WAIT_MS: i64 = 15 * 60_000;

/// The PIN of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// Its hash, as a PHC string.
    pub hash: Personal<String>,
    /// The wrong tries since the last right one or the last wait, oldest first; at most
    /// [`PIN_TRIES_MAX`].
    pub(super) failed: Vec<Uuid>,
    /// Set by the last of too many wrong tries.
    pub(super) locked_until_ms: Option<i64>,
}

impl Pin {
    pub(super) fn new(hash: Personal<String>) -> Self {
        Self { hash, failed: vec![], locked_until_ms: None }
    }

    /// The first moment at which it can be tried again, in milliseconds since 1970-01-01 UTC; `None`
    /// if it can be tried now.
    #[must_use]
    pub fn locked_until(&self, at_ms: i64) -> Option<i64> {
        self.locked_until_ms.filter(|until_ms| at_ms < *until_ms)
    }

    /// How many wrong tries are left before the next wait; 0 while it lasts.
    #[must_use]
    pub fn tries_left(&self, at_ms: i64) -> usize {
        match (self.locked_until_ms, self.locked_until(at_ms)) {
            (Some(_), Some(_)) => 0,
            (Some(_), None) => PIN_TRIES_MAX,
            (None, _) => PIN_TRIES_MAX.saturating_sub(self.failed.len()),
        }
    }

    /// Whether no try was wrong since the last right one.
    pub(super) fn is_untried(&self) -> bool {
        self.failed.is_empty() && self.locked_until_ms.is_none()
    }

    /// After a wrong try. Wrong tries from before a wait no longer count.
    pub(super) fn refused(&mut self, try_id: Uuid, locked_until_ms: Option<i64>) {
        if self.locked_until_ms.is_some() || self.failed.len() >= PIN_TRIES_MAX {
            self.failed.clear();
        }
        self.failed.push(try_id);
        self.locked_until_ms = locked_until_ms;
    }

    /// After a right try.
    pub(super) fn accepted(&mut self) {
        self.failed.clear();
        self.locked_until_ms = None;
    }
}
