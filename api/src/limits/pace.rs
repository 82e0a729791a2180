//! One token bucket, as arithmetic.
//!
//! A bucket is kept as the moment at which it will be full again if nothing more is taken: the
//! *theoretical arrival time* of the generic cell rate algorithm (ITU-T I.371, annex A). One number
//! says all that a count and a time of the last refill would say, and needs no timer.

use super::Rate;

const NS_PER_MS: u64 = 1_000_000;

/// How a bucket of a limit empties and fills, in nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// How long one token takes to come back. Rounded up, so that rounding never allows more.
    token_ns: u64,
    /// How long an empty bucket takes to be full.
    bucket_ns: u64,
}

/// What became of a try to take a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    /// When the bucket will be full again.
    pub(super) full_at_ns: u64,
    /// How long to wait if there was no token, in nanoseconds; above 0.
    pub(super) wait_ns: Option<u64>,
}

impl Pace {
    pub(super) fn new(rate: Rate) -> Self {
        let period_ns = u64::from(rate.period_ms.get()).saturating_mul(NS_PER_MS);
        let token_ns = period_ns.div_ceil(u64::from(rate.count.get()));
        Self { token_ns, bucket_ns: token_ns.saturating_mul(u64::from(rate.burst.get())) }
    }

    /// Takes a token from a bucket that is full at a moment, if there is one.
    ///
    /// No bucket is emptier than empty: if the clock was set back, what seems to be owed for longer
    /// than `bucket_ns` is forgotten, and a caller waits no longer than for a token of an empty
    /// bucket.
    pub(super) fn take(self, full_at_ns: u64, now_ns: u64) -> Taken {
        let owed_ns = full_at_ns.saturating_sub(now_ns).min(self.bucket_ns);
        let owed_after_ns = owed_ns.saturating_add(self.token_ns);
        let (owed_ns, wait_ns) = match owed_after_ns.checked_sub(self.bucket_ns) {
            None | Some(0) => (owed_after_ns, None),
            missing => (owed_ns, missing),
        };
        Taken { full_at_ns: now_ns.saturating_add(owed_ns), wait_ns }
    }
}

/// Milliseconds since 1970 as nanoseconds; what is before it counts as 1970.
pub(super) fn nanoseconds(ms: i64) -> u64 {
    u64::try_from(ms).unwrap_or(0).saturating_mul(NS_PER_MS)
}

/// Nanoseconds as milliseconds, rounded up: who comes back then is not too early.
pub(super) fn milliseconds(ns: u64) -> u64 {
    ns.div_ceil(NS_PER_MS)
}
