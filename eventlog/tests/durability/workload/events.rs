//! Streams and events that follow from numbers.

use bytes::Bytes;
use playhead_eventlog::{NewEvent, StreamName};
use uuid::Uuid;

use crate::dice::Dice;

/// Streams of some categories; every third shares its partition with the one before.
pub(crate) fn stream(number: usize) -> StreamName {
    let name = match number % 3 {
        0 => format!("title-{number}"),
        1 => format!("playback-acc{number}"),
        _ => format!("viewing-acc{}.p{number}", number - 1),
    };
    name.parse()
}

trait Parse {
    fn parse(&self) -> StreamName;
}

impl Parse for String {
    fn parse(&self) -> StreamName {
        StreamName::parse(self).expect("made-up names are valid")
    }
}

/// An event whose payload has this many bytes, but not fewer than it takes to tell it from others.
pub(crate) fn event(number: u64, size: usize) -> NewEvent {
    let id = id(number);
    NewEvent {
        id,
        event_type: format!("Happened{}", number % 3).into(),
        schema_version: 1 + u16::try_from(number % 5).unwrap_or(0),
        recorded_at_ms: 1_700_000_000_000 + i64::try_from(number).unwrap_or(0),
        actor: format!("account:{}", number % 4).into(),
        correlation_id: Uuid::from_u128(u128::from(number) << 1),
        causation_id: Uuid::nil(),
        payload: payload(number, size),
        metadata: match number % 7 {
            0 => Bytes::from_static(b"{\"ip\":\"::1\"}"),
            _ => Bytes::new(),
        },
    }
}

/// Most ids are ordered by time, as clients make them; some are not.
fn id(number: u64) -> Uuid {
    let mut dice = Dice::of(0x1d, number);
    let low = u128::from(dice.next());
    let high = match number % 4 {
        3 => dice.next(),
        _ => ((1_700_000_000_000 + number / 5) << 16) | 0x7000,
    };
    Uuid::from_u128((u128::from(high) << 64) | low)
}

/// Half of the payloads can be compressed well.
fn payload(number: u64, size: usize) -> Bytes {
    let mut text = format!("{{\"number\":{number},\"text\":\"").into_bytes();
    let mut dice = Dice::of(0xf111, number);
    while text.len() + 2 < size {
        let letter = match number % 2 {
            0 => b'a',
            _ => b'a' + u8::try_from(dice.below(26)).unwrap_or(0),
        };
        text.push(letter);
    }
    text.extend(b"\"}");
    text.into()
}
