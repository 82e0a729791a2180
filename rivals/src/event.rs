//! The event that everybody stores: 250 bytes, of which the names and ids are part.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use uuid::{Builder, Uuid};

/// Name (24 bytes), type (18), id (16) and the rest.
pub(crate) const EVENT_BYTES: usize = 250;
/// The type of every event.
pub(crate) const EVENT_TYPE: &str = "PlaybackProgressed";
/// What is left for the payload of a store that knows only name, type, id and payload.
pub(crate) const PAYLOAD_BYTES: usize = EVENT_BYTES - 24 - 18 - 16;

/// Payloads of [`PAYLOAD_BYTES`] bytes, to be taken in turn.
pub(crate) static PAYLOADS: LazyLock<Payloads> = LazyLock::new(|| Payloads::new(PAYLOAD_BYTES));

/// How many payloads differ: together they are more than any store compresses at once.
const PAYLOADS_COUNT: u64 = 4_096;

/// Different JSON objects of the same size, about half as large when compressed.
#[derive(Debug)]
pub(crate) struct Payloads(Vec<Bytes>);

impl Payloads {
    /// Payloads of so many bytes.
    pub(crate) fn new(bytes: usize) -> Self {
        Self((0..PAYLOADS_COUNT).map(|nth| json(bytes, nth).into()).collect())
    }

    /// The payload of an event.
    pub(crate) fn of(&self, id: Uuid) -> Bytes {
        let [.., high, low] = *id.as_bytes();
        let nth = usize::from(u16::from_be_bytes([high, low])) % self.0.len();
        self.0.get(nth).cloned().unwrap_or_default()
    }
}

fn json(bytes: usize, nth: u64) -> String {
    const AROUND: &str = r#"{"position_ms":4711000,"device":""}"#;
    let hex = (0..).map(|part| format!("{:016x}", mixed(mixed(nth) ^ part)));
    let device: String = hex.take(bytes / 16 + 1).collect();
    let device = device.get(..bytes.saturating_sub(AROUND.len())).unwrap_or_default();
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
