//! The clock and the source of new ids.

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, SecondsFormat};
use uuid::Uuid;

/// The clock and the ids of this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl playhead_api::Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        now_ms()
    }

    fn new_id(&self) -> Uuid {
        new_id()
    }
}

/// Now, in milliseconds since 1970-01-01 UTC.
#[must_use]
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A new id: version 7 of RFC 9562, so that ids order by the time they were made.
#[must_use]
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}

/// A moment as RFC 3339 text in UTC with milliseconds; a number that no calendar reaches stays a
/// number.
#[must_use]
pub fn rfc3339(at_ms: i64) -> String {
    DateTime::from_timestamp_millis(at_ms)
        .map_or_else(|| at_ms.to_string(), |at| at.to_rfc3339_opts(SecondsFormat::Millis, true))
}
