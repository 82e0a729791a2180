//! The event that everybody stores: 250 bytes, of which the names and ids are part.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use uuid::{Builder, Uuid};

/// Name (24 bytes), type (18), id (16) and the rest.
pub(crate) const EVENT_BYTES: usize = 250;
/// The type of every event.
pub(crate) const EVENT_TYPE: &str = "PlaybackProgressed";
/// What is left for the payload of a store that knows only name, type, id and payload.
pub(crate) const PAYLOAD_BYTES: usize = EVENT_BYTES - 24 - 18 - 16;

/// The JSON payload of [`PAYLOAD_BYTES`] bytes.
pub(crate) static PAYLOAD: LazyLock<String> = LazyLock::new(|| json(PAYLOAD_BYTES));

/// A JSON object of so many bytes.
#[must_use]
pub(crate) fn json(bytes: usize) -> String {
    const AROUND: &str = r#"{"position_ms":4711000,"device":""}"#;
    let device = "d".repeat(bytes.saturating_sub(AROUND.len()));
    AROUND.replace(r#""""#, &format!(r#""{device}""#))
}

/// The stream's name, 24 bytes below a hundred million streams.
#[must_use]
pub(crate) fn stream_name(stream: u64) -> String {
    format!("playback-account{stream:08}")
}

/// New ids, UUIDv7 as an application would make them.
pub(crate) fn ids(count: usize) -> impl Iterator<Item = Uuid> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    static SEED: LazyLock<u64> = LazyLock::new(|| mixed(u64::from(std::process::id()) ^ now_ms()));
    let first = NEXT.fetch_add(count as u64, Ordering::Relaxed);
    let now_ms = now_ms();
    (first..first + count as u64).map(move |nth| {
        let low = mixed(nth ^ *SEED).to_le_bytes();
        let high = mixed(nth.wrapping_add(*SEED)).to_le_bytes();
        let mut random = [0; 10];
        for (to, from) in random.iter_mut().zip(low.into_iter().chain(high)) {
            *to = from;
        }
        Builder::from_unix_timestamp_millis(now_ms, &random).into_uuid()
    })
}

/// Milliseconds since 1970-01-01 UTC.
#[must_use]
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// splitmix64: a permutation of all numbers that looks like chance.
#[must_use]
pub(crate) fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
