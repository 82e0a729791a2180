//! What stands in a journal: events and commit markers, as bytes.
//!
//! This layout is stored for ever. All numbers are **little-endian**; ids are the 16 bytes of
//! RFC 9562 in their order. Every record begins with the same eight bytes:
//!
//! | at | bytes | field |
//! | ---: | ---: | --- |
//! | 0 | 4 | length of the body: everything from byte 8 on |
//! | 4 | 4 | CRC32C (RFC 3720, appendix B.4) of the body |
//! | 8 | 1 | kind: 1 = event, 2 = commit marker |
//!
//! An event:
//!
//! | at | bytes | field |
//! | ---: | ---: | --- |
//! | 9 | 1 | length of the stream name |
//! | 10 | 1 | length of the event type |
//! | 11 | 1 | length of the actor |
//! | 12 | 2 | partition |
//! | 14 | 2 | schema version |
//! | 16 | 8 | version in the stream |
//! | 24 | 8 | offset in the partition |
//! | 32 | 8 | recorded at, in ms since 1970-01-01 UTC, signed |
//! | 40 | 16 | event id |
//! | 56 | 16 | correlation id |
//! | 72 | 16 | causation id |
//! | 88 | 4 | length of the metadata |
//! | 92 | 4 | length of the payload |
//! | 96 | | stream name, event type, actor, metadata, payload |
//!
//! A commit marker ends the events of one append, its *batch*; a batch counts whole or not at all:
//!
//! | at | bytes | field |
//! | ---: | ---: | --- |
//! | 9 | 3 | zero |
//! | 12 | 4 | number of events of the batch; 0 = the log was closed here |
//! | 16 | 8 | position of this marker in the journal |
//! | 24 | 8 | *synced through*: everything before this position was durable when this was written |

use uuid::Uuid;

use super::fields::Fields;
use crate::append::{APPEND_BYTES_MAX, Append, EVENTS_MAX, LABEL_BYTES_MAX};
use crate::event::NewEvent;
use crate::stream::{NAME_BYTES_MAX, Partition, StreamName};

const PREFIX_BYTES: usize = 8;
const EVENT_HEAD_BYTES: usize = 96;

/// The size of a commit marker.
pub(super) const MARKER_BYTES: usize = 32;
/// The size of the largest event.
pub(super) const RECORD_BYTES_MAX: usize = EVENT_HEAD_BYTES + NAME_BYTES_MAX + APPEND_BYTES_MAX;
/// The size of the largest batch with its marker.
pub(super) const BATCH_BYTES_MAX: usize =
    EVENTS_MAX * (EVENT_HEAD_BYTES + NAME_BYTES_MAX) + APPEND_BYTES_MAX + MARKER_BYTES;

const KIND_EVENT: u8 = 1;
const KIND_MARKER: u8 = 2;

// The lengths of names are stored in one byte each.
const _: () = assert!(NAME_BYTES_MAX <= 255 && LABEL_BYTES_MAX <= 255);

/// Where an event is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) partition: Partition,
    pub(super) version: u64,
    pub(super) offset: u64,
}

impl Spot {
    /// The spot of the event that comes `nth` behind this one in the same append.
    pub(super) fn plus(self, nth: u64) -> Self {
        Self { version: self.version + nth, offset: self.offset + nth, ..self }
    }
}

/// An event as it stands in a buffer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct EventView<'a> {
    pub(super) spot: Spot,
    pub(super) stream: &'a str,
    pub(super) event_type: &'a str,
    pub(super) actor: &'a str,
    pub(super) schema_version: u16,
    pub(super) recorded_at_ms: i64,
    pub(super) id: Uuid,
    pub(super) correlation_id: Uuid,
    pub(super) causation_id: Uuid,
    pub(super) metadata: &'a [u8],
    pub(super) payload: &'a [u8],
}

/// The end of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marker {
    pub(super) events: u32,
    pub(super) position: u64,
    pub(super) synced_through: u64,
}

/// A record that was read and checked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Record<'a> {
    Event(EventView<'a>),
    Marker(Marker),
}

/// Why there is no record at the front of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// The bytes end before the record does.
    Short,
    /// These are not the bytes that were written: a write was torn, or the disk lost them.
    Damaged(&'static str),
    /// The checksum is right and yet the record makes no sense. No torn write looks like this.
    Senseless(&'static str),
}

impl Flaw {
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Short => "the record is cut off",
            Self::Damaged(reason) | Self::Senseless(reason) => reason,
        }
    }
}

/// How many bytes a valid append takes in the journal.
pub(super) fn batch_bytes(append: &Append) -> usize {
    let names = append.stream.as_str().len() * append.events.len();
    let heads = EVENT_HEAD_BYTES * append.events.len();
    heads + names + append.content_bytes() + MARKER_BYTES
}

/// Writes an event behind `out`.
///
/// The append that it belongs to has passed [`crate::Append::validate`].
pub(super) fn encode_event(out: &mut Vec<u8>, stream: &StreamName, spot: Spot, event: &NewEvent) {
    let start = begin(out, KIND_EVENT);
    let texts = [stream.as_str(), &event.event_type, &event.actor];
    out.extend_from_slice(&texts.map(|text| short(text.len())));
    out.extend_from_slice(&spot.partition.0.to_le_bytes());
    out.extend_from_slice(&event.schema_version.to_le_bytes());
    out.extend_from_slice(&spot.version.to_le_bytes());
    out.extend_from_slice(&spot.offset.to_le_bytes());
    out.extend_from_slice(&event.recorded_at_ms.to_le_bytes());
    for id in [&event.id, &event.correlation_id, &event.causation_id] {
        out.extend_from_slice(id.as_bytes());
    }
    out.extend_from_slice(&long(event.metadata.len()).to_le_bytes());
    out.extend_from_slice(&long(event.payload.len()).to_le_bytes());
    for text in texts {
        out.extend_from_slice(text.as_bytes());
    }
    out.extend_from_slice(&event.metadata);
    out.extend_from_slice(&event.payload);
    seal(out, start);
}

/// Writes a commit marker behind `out`.
pub(super) fn encode_marker(out: &mut Vec<u8>, marker: Marker) {
    let start = begin(out, KIND_MARKER);
    out.extend_from_slice(&[0; 3]);
    out.extend_from_slice(&marker.events.to_le_bytes());
    out.extend_from_slice(&marker.position.to_le_bytes());
    out.extend_from_slice(&marker.synced_through.to_le_bytes());
    seal(out, start);
}

fn begin(out: &mut Vec<u8>, kind: u8) -> usize {
    let start = out.len();
    out.extend_from_slice(&[0; PREFIX_BYTES]);
    out.push(kind);
    start
}

/// Fills in the length and the checksum of the record that begins at `start`.
fn seal(out: &mut [u8], start: usize) {
    let record = out.get_mut(start..).and_then(<[u8]>::split_first_chunk_mut);
    if let Some((prefix, body)) = record {
        let prefix: &mut [u8; PREFIX_BYTES] = prefix;
        let [length, crc] = [long(body.len()), crc32c::crc32c(body)].map(u64::from);
        *prefix = (crc << 32 | length).to_le_bytes();
    }
}

#[expect(clippy::cast_possible_truncation, reason = "names have at most 200 bytes, see above")]
fn short(length: usize) -> u8 {
    length as u8
}

#[expect(clippy::cast_possible_truncation, reason = "an append has at most 1 MiB")]
fn long(length: usize) -> u32 {
    length as u32
}

/// Whether a record is believed without its checksum: only by mistake, on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    Sum,
    Nothing,
}

/// Reads the record at the front of `bytes`, and its size.
pub(super) fn decode(bytes: &[u8]) -> Result<(Record<'_>, usize), Flaw> {
    decode_with(bytes, Check::Sum)
}

/// As [`decode`], with a choice that only seeded bugs have.
pub(super) fn decode_with(bytes: &[u8], check: Check) -> Result<(Record<'_>, usize), Flaw> {
    let mut fields = Fields::new(bytes);
    let length = fields.length().ok_or(Flaw::Short)?;
    let crc = fields.u32().ok_or(Flaw::Short)?;
    if !(MARKER_BYTES..=RECORD_BYTES_MAX).contains(&(PREFIX_BYTES + length)) {
        return Err(Flaw::Damaged("no record has such a length"));
    }
    let body = fields.take(length).ok_or(Flaw::Short)?;
    if check == Check::Sum && crc32c::crc32c(body) != crc {
        return Err(Flaw::Damaged("the checksum is wrong"));
    }
    let mut fields = Fields::new(body);
    let record = match fields.u8() {
        Some(KIND_EVENT) => fields.event().map(Record::Event),
        Some(KIND_MARKER) => fields.marker().map(Record::Marker),
        _ => return Err(Flaw::Senseless("the kind of the record is unknown")),
    };
    match record {
        Some(record) if fields.is_empty() => Ok((record, PREFIX_BYTES + length)),
        _ => Err(Flaw::Senseless("the fields do not fit the length of the record")),
    }
}

/// Reads a commit marker that claims to stand at `position`, at the front of arbitrary bytes.
pub(super) fn marker_at(bytes: &[u8], position: u64) -> Option<Marker> {
    let mut fields = Fields::new(bytes);
    if fields.length()? != MARKER_BYTES - PREFIX_BYTES {
        return None;
    }
    match decode(bytes) {
        Ok((Record::Marker(marker), _)) if marker.position == position => Some(marker),
        _ => None,
    }
}

impl<'a> Fields<'a> {
    fn event(&mut self) -> Option<EventView<'a>> {
        let [stream, event_type, actor] = self.array()?.map(usize::from);
        let partition = Partition(self.u16()?);
        let schema_version = self.u16()?;
        let spot = Spot { partition, version: self.u64()?, offset: self.u64()? };
        let recorded_at_ms = i64::from_le_bytes(self.array()?);
        let (id, correlation_id, causation_id) = (self.uuid()?, self.uuid()?, self.uuid()?);
        let (metadata, payload) = (self.length()?, self.length()?);
        Some(EventView {
            spot,
            stream: self.text(stream)?,
            event_type: self.text(event_type)?,
            actor: self.text(actor)?,
            schema_version,
            recorded_at_ms,
            id,
            correlation_id,
            causation_id,
            metadata: self.take(metadata)?,
            payload: self.take(payload)?,
        })
    }

    fn marker(&mut self) -> Option<Marker> {
        self.take(3)?;
        Some(Marker { events: self.u32()?, position: self.u64()?, synced_through: self.u64()? })
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const SPOT: Spot = Spot { partition: Partition(0x0102), version: 3, offset: 4 };

    fn event() -> NewEvent {
        NewEvent {
            id: Uuid::from_u128(1),
            event_type: "Started".into(),
            schema_version: 5,
            actor: "account:é".into(),
            recorded_at_ms: -6,
            correlation_id: Uuid::from_u128(2),
            causation_id: Uuid::nil(),
            payload: Bytes::from_static(b"{\"a\":1}"),
            metadata: Bytes::from_static(b"{}"),
        }
    }

    fn encoded() -> Vec<u8> {
        let mut out = Vec::new();
        encode_event(&mut out, &StreamName::parse("title-x").unwrap(), SPOT, &event());
        out
    }

    #[test]
    fn an_event_stands_where_the_table_says() {
        let out = encoded();
        assert_eq!(out[..4], u32::try_from(out.len() - 8).unwrap().to_le_bytes());
        assert_eq!(out[4..8], crc32c::crc32c(&out[8..]).to_le_bytes());
        assert_eq!(out[8..16], [1, 7, 7, 10, 2, 1, 5, 0]);
        assert_eq!(out[16..24], 3u64.to_le_bytes());
        assert_eq!(out[24..32], 4u64.to_le_bytes());
        assert_eq!(out[32..40], (-6i64).to_le_bytes());
        assert_eq!(out[40..56], *Uuid::from_u128(1).as_bytes());
        assert_eq!(out[56..72], *Uuid::from_u128(2).as_bytes());
        assert_eq!(out[72..88], [0; 16]);
        assert_eq!(out[88..96], [2, 0, 0, 0, 7, 0, 0, 0]);
        assert_eq!(&out[96..], "title-xStartedaccount:é{}{\"a\":1}".as_bytes());
    }

    #[test]
    fn a_marker_stands_where_the_table_says() {
        let mut out = Vec::new();
        encode_marker(&mut out, Marker { events: 7, position: 8, synced_through: 9 });
        assert_eq!(out.len(), MARKER_BYTES);
        assert_eq!(out[8..16], [2, 0, 0, 0, 7, 0, 0, 0]);
        assert_eq!(out[16..32], [8, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(marker_at(&out, 8).unwrap().synced_through, 9);
        assert_eq!(marker_at(&out, 7), None);
    }

    #[test]
    fn what_was_encoded_is_decoded() {
        let out = encoded();
        let (record, size) = decode(&out).unwrap();
        assert_eq!(size, out.len());
        let Record::Event(view) = record else { panic!("{record:?}") };
        assert_eq!((view.spot, view.stream, view.actor), (SPOT, "title-x", "account:é"));
        assert_eq!((view.event_type, view.recorded_at_ms), ("Started", -6));
        assert_eq!((view.metadata, view.payload), (&b"{}"[..], &b"{\"a\":1}"[..]));
    }

    #[test]
    fn a_record_is_refused_at_every_cut_and_every_flipped_bit() {
        let out = encoded();
        for cut in 0..out.len() {
            assert_eq!(decode(&out[..cut]), Err(Flaw::Short), "cut at {cut}");
        }
        for bit in 0..out.len() * 8 {
            let mut out = out.clone();
            out[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&out).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn zeros_are_damage_and_an_unknown_kind_is_not() {
        assert!(matches!(decode(&[0; 64]), Err(Flaw::Damaged(_))));
        let mut out = vec![0; PREFIX_BYTES];
        out.extend([9; 40]);
        seal(&mut out, 0);
        assert!(matches!(decode(&out), Err(Flaw::Senseless(_))));
    }
}
