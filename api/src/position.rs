//! Places in the log as clients hold them: opaque, for reading one's own writes.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::future::join_all;
use playhead_commands::Position;
use playhead_eventlog::Partition;
use playhead_projections::runtime::Projection;

/// The request header that names positions, and the most of them.
pub(crate) const HEADER: &str = "playhead-position";
const POSITIONS_MAX: usize = 8;

/// The first byte of every position; another form would get another.
const VERSION: u8 = 1;
const BYTES: usize = 11;

/// The text that a client gets: version, partition and offset, big-endian, base64url.
pub(crate) fn encode(position: Position) -> String {
    let mut bytes = [VERSION; BYTES];
    let (partition, offset) = (position.partition.0.to_be_bytes(), position.offset.to_be_bytes());
    for (to, from) in bytes.iter_mut().skip(1).zip(partition.into_iter().chain(offset)) {
        *to = from;
    }
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The place that a text names; `None` if it is none of ours.
pub(crate) fn decode(text: &str) -> Option<Position> {
    let bytes: [u8; BYTES] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    let [version, p0, p1, offset @ ..] = bytes;
    (version == VERSION).then(|| Position {
        partition: Partition(u16::from_be_bytes([p0, p1])),
        offset: u64::from_be_bytes(offset),
    })
}

/// The places that the values of the header name; `None` if one is malformed or there are too many.
pub(crate) fn decode_all<'a>(values: impl Iterator<Item = &'a str>) -> Option<Vec<Position>> {
    let texts = values.flat_map(|value| value.split(',')).map(str::trim);
    let texts: Vec<_> = texts.filter(|text| !text.is_empty()).take(POSITIONS_MAX + 1).collect();
    if texts.len() > POSITIONS_MAX {
        return None;
    }
    texts.into_iter().map(decode).collect()
}

/// Waits until all read models have passed all positions; false if that took too long.
pub(crate) async fn passed(
    positions: &[Position],
    projections: &[Projection],
    timeout: Duration,
) -> bool {
    let waits = positions.iter().flat_map(|position| {
        projections.iter().map(|projection| projection.passed(position.partition, position.offset))
    });
    positions.is_empty() || tokio::time::timeout(timeout, join_all(waits)).await.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(partition: u16, offset: u64) -> Position {
        Position { partition: Partition(partition), offset }
    }

    #[test]
    fn a_position_survives_the_journey() {
        for position in [position(0, 0), position(63, 1_234), position(u16::MAX, u64::MAX)] {
            assert_eq!(decode(&encode(position)), Some(position));
        }
    }

    #[test]
    fn a_text_of_another_form_is_no_position() {
        let other_version = URL_SAFE_NO_PAD.encode([2; BYTES]);
        for text in ["", "1", "not base64!", &other_version, &encode(position(1, 1))[1..]] {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }

    #[test]
    fn at_most_eight_positions_are_read_from_all_headers_together() {
        let text = encode(position(1, 2));
        let four = [text.as_str(); 4].join(", ");
        assert_eq!(decode_all([four.as_str(), &four].into_iter()).map(|all| all.len()), Some(8));
        assert_eq!(decode_all([four.as_str(), &four, &text].into_iter()), None);
        assert_eq!(decode_all(["", " , "].into_iter()), Some(vec![]));
        assert_eq!(decode_all(["nonsense"].into_iter()), None);
    }
}
