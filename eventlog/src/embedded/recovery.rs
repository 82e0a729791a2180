//! Reads a journal from its beginning: rebuilds the index and finds out where the journal ends.
//!
//! Everything is well up to the first batch that is not whole. What is wrong there is one of two
//! things, and they must not be confused:
//!
//! - A **torn tail**: the process or machine died before the last group was durable. Nobody was
//!   told that it was recorded, so it may go.
//! - **Damage** to what was durable, and so may have been acknowledged. Cutting it off would lose
//!   it and everything behind it.
//!
//! Every commit marker says up to which position the journal was durable when it was written. So a
//! marker behind the bad place that vouches for it proves damage; a clean close leaves one, too.
//! Without one the bad place lies in the last group, and is cut.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::error::OpenError;
use super::index::Index;
use super::journal::{FIRST_POSITION, Journal, Sink};
use super::record::{self, BATCH_BYTES_MAX, EventView, Flaw, MARKER_BYTES, Marker, Record};

/// How much is read from the file at once.
const CHUNK_BYTES: usize = 4 << 20;

/// What a journal holds.
#[derive(Debug)]
pub(super) struct Recovered {
    pub(super) index: Index,
    /// The position behind the last whole batch.
    pub(super) end: u64,
    /// Everything before this position is durable, as far as the journal itself knows.
    pub(super) synced_through: u64,
    /// Whether the log was closed after its last append.
    pub(super) closed: bool,
    pub(super) events: u64,
    pub(super) batches: u64,
    /// How many bytes follow the last whole batch, and why they are not one.
    pub(super) torn: Option<(u64, String)>,
}

/// Reads a journal and changes nothing.
///
/// A writer may append meanwhile: a file grows only once its bytes are in place, so those up to the
/// length seen first do not change any more.
pub(super) fn scan(
    journal: &Journal,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Recovered, OpenError> {
    let len = journal.len().map_err(OpenError::io("measure", journal.path()))?;
    let mut window = Window::new(journal, len);
    let mut found = Recovered {
        index: Index::new(journal.partitions(), FIRST_POSITION),
        end: FIRST_POSITION,
        synced_through: FIRST_POSITION,
        closed: false,
        events: 0,
        batches: 0,
        torn: None,
    };
    while found.end < len {
        let bytes = window.at(found.end, BATCH_BYTES_MAX, progress)?;
        match read_batch(bytes, found.end).and_then(|batch| found.admit(&batch)) {
            Ok(()) => {}
            Err((position, Flawed::Senseless(reason))) => {
                return Err(corrupt(journal.path(), position, reason));
            }
            Err((position, Flawed::Damaged(reason))) => {
                if let Some((at, marker)) = window.find_voucher(position)? {
                    let reason = format!(
                        "{reason}, although the marker at {at} says that everything before {} was \
                         durable",
                        marker.synced_through
                    );
                    return Err(corrupt(journal.path(), position, reason));
                }
                found.torn = Some((len - found.end, reason));
                break;
            }
        }
    }
    progress(len, len);
    Ok(found)
}

/// Makes the journal end behind its last whole batch, and everything before that durable.
///
/// What a dead process wrote can be read back although it is not durable; it must be before anybody
/// is told of it. A sync alone does not do: after one has failed, the kernel may hold pages for
/// clean that never reached the disk. So what no marker vouches for is written once more.
pub(super) fn settle(journal: &Arc<Journal>, found: &Recovered) -> io::Result<()> {
    if let Some((bytes, reason)) = &found.torn {
        tracing::warn!(
            file = %journal.path().display(),
            position = found.end,
            bytes,
            reason,
            "cutting off the end of the journal: it was never acknowledged"
        );
        journal.cut(found.end)?;
    }
    let mut unsure = vec![0; usize::try_from(found.end - found.synced_through).unwrap_or(0)];
    journal.read_at(&mut unsure, found.synced_through)?;
    journal.write_at(&unsure, found.synced_through)?;
    journal.sync()
}

/// What is wrong at a position.
enum Flawed {
    /// Perhaps a torn write.
    Damaged(String),
    /// Whole, and yet against the rules: no accident of writing.
    Senseless(String),
}

impl From<Flaw> for Flawed {
    fn from(flaw: Flaw) -> Self {
        let reason = flaw.reason().to_owned();
        match flaw {
            Flaw::Short | Flaw::Damaged(_) => Self::Damaged(reason),
            Flaw::Senseless(_) => Self::Senseless(reason),
        }
    }
}

/// The events of one append, with their positions.
struct Batch<'a> {
    events: Vec<(u64, EventView<'a>)>,
    marker: Marker,
    end: u64,
}

impl Recovered {
    fn admit(&mut self, batch: &Batch<'_>) -> Result<(), (u64, Flawed)> {
        for (position, event) in &batch.events {
            let admitted = self.index.admit(event, *position);
            admitted.map_err(|reason| (*position, Flawed::Senseless(reason)))?;
        }
        self.index.publish(batch.end);
        self.end = batch.end;
        self.synced_through = self.synced_through.max(batch.marker.synced_through);
        self.closed = batch.events.is_empty();
        self.events += count(batch.events.len());
        self.batches += u64::from(!self.closed);
        Ok(())
    }
}

/// Reads records up to and including the next marker.
fn read_batch(mut bytes: &[u8], start: u64) -> Result<Batch<'_>, (u64, Flawed)> {
    let mut position = start;
    let mut events = Vec::new();
    loop {
        let (record, size) = record::decode(bytes).map_err(|flaw| (position, flaw.into()))?;
        let next = position + count(size);
        match record {
            Record::Event(event) => events.push((position, event)),
            Record::Marker(marker) => {
                let counted = usize::try_from(marker.events) == Ok(events.len());
                if !counted || marker.position != position || marker.synced_through > position {
                    let reason = "the marker does not fit what stands before it".to_owned();
                    return Err((start, Flawed::Senseless(reason)));
                }
                return Ok(Batch { events, marker, end: next });
            }
        }
        position = next;
        bytes = bytes.get(size..).unwrap_or(&[]);
    }
}

fn corrupt(file: &Path, position: u64, reason: String) -> OpenError {
    OpenError::Corrupt { position, file: file.to_owned(), reason }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// A part of the file in memory, moved forward over it.
struct Window<'a> {
    journal: &'a Journal,
    len: u64,
    start: u64,
    bytes: Vec<u8>,
}

impl<'a> Window<'a> {
    fn new(journal: &'a Journal, len: u64) -> Self {
        Self { journal, len, start: 0, bytes: Vec::new() }
    }

    /// The bytes from `position` on: at least `least`, unless the file ends before.
    fn at(
        &mut self,
        position: u64,
        least: usize,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<&[u8], OpenError> {
        let end = self.start + count(self.bytes.len());
        if end < self.len.min(position + count(least)) {
            self.advance(position)?;
            progress(position, self.len);
        }
        let skipped = usize::try_from(position - self.start).unwrap_or(usize::MAX);
        Ok(self.bytes.get(skipped..).unwrap_or(&[]))
    }

    /// Forgets what lies before `position` and reads one chunk more.
    fn advance(&mut self, position: u64) -> Result<(), OpenError> {
        let skipped = usize::try_from(position - self.start).unwrap_or(usize::MAX);
        self.bytes.drain(..skipped.min(self.bytes.len()));
        self.start = position;
        let kept = self.bytes.len();
        let from = position + count(kept);
        let more = self.len.saturating_sub(from).min(count(CHUNK_BYTES));
        self.bytes.resize(kept + usize::try_from(more).unwrap_or(0), 0);
        let buffer = self.bytes.get_mut(kept..).unwrap_or(&mut []);
        self.journal.read_at(buffer, from).map_err(OpenError::io("read", self.journal.path()))
    }

    /// A marker behind `position` that says that `position` was durable. Looked for at every byte:
    /// where records begin is not known behind a bad one.
    fn find_voucher(&mut self, position: u64) -> Result<Option<(u64, Marker)>, OpenError> {
        let mut at = position;
        while at + count(MARKER_BYTES) <= self.len {
            let bytes = self.at(at, CHUNK_BYTES, &mut |_, _| {})?;
            let mut candidates = bytes.windows(MARKER_BYTES).zip(at..);
            let found = candidates.find_map(|(bytes, at)| {
                let marker = record::marker_at(bytes, at)?;
                (marker.synced_through > position).then_some((at, marker))
            });
            if found.is_some() {
                return Ok(found);
            }
            at += count(bytes.len() - (MARKER_BYTES - 1));
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tempfile::TempDir;
    use uuid::Uuid;

    use super::super::journal;
    use super::super::record::Spot;
    use super::*;
    use crate::event::NewEvent;
    use crate::stream::{PartitionCount, StreamName};

    /// A batch of one event of one stream, whose id is its version.
    fn batch(out: &mut Vec<u8>, version: u64, synced_through: u64, payload: Bytes) {
        event(out, version, version.into(), payload);
        let position = FIRST_POSITION + count(out.len());
        record::encode_marker(out, Marker { events: 1, position, synced_through });
    }

    fn event(out: &mut Vec<u8>, version: u64, id: u128, payload: Bytes) {
        let stream = StreamName::parse("title-x").unwrap();
        let partition = PartitionCount::DEFAULT.partition_of("x");
        let event = NewEvent {
            id: Uuid::from_u128(id),
            event_type: "Happened".into(),
            schema_version: 1,
            recorded_at_ms: 0,
            actor: "system:test".into(),
            correlation_id: Uuid::nil(),
            causation_id: Uuid::nil(),
            payload,
            metadata: Bytes::new(),
        };
        record::encode_event(out, &stream, Spot { partition, version, offset: version }, &event);
    }

    /// What is found in a journal of these records.
    fn scan_records(bytes: &[u8]) -> Result<Recovered, OpenError> {
        let dir = TempDir::new().unwrap();
        journal::create_dir(dir.path()).unwrap();
        let journal = Journal::open_or_create(dir.path(), PartitionCount::DEFAULT).unwrap();
        Arc::new(journal).write_at(bytes, FIRST_POSITION).unwrap();
        scan(&Journal::open_read_only(dir.path()).unwrap(), &mut |_, _| {})
    }

    /// The disk may write the end of a group before its beginning.
    #[test]
    fn a_group_that_lost_its_beginning_is_torn() {
        let mut bytes = Vec::new();
        batch(&mut bytes, 0, FIRST_POSITION, Bytes::new());
        let first = bytes.len();
        let synced_through = FIRST_POSITION + count(first);
        for version in 1..4 {
            batch(&mut bytes, version, synced_through, Bytes::new());
        }
        bytes[first..first + 100].fill(0);
        let found = scan_records(&bytes).unwrap();
        assert_eq!((found.events, found.end), (1, synced_through));
        assert_eq!(found.torn.unwrap().0, count(bytes.len() - first));
    }

    #[test]
    fn a_marker_in_a_payload_vouches_for_nothing() {
        let mut marker = Vec::new();
        let elsewhere = Marker { events: 0, position: 1 << 40, synced_through: 1 << 40 };
        record::encode_marker(&mut marker, elsewhere);
        let mut bytes = Vec::new();
        batch(&mut bytes, 0, FIRST_POSITION, marker.into());
        bytes[8] ^= 1;
        let found = scan_records(&bytes).unwrap();
        assert_eq!((found.events, found.end), (0, FIRST_POSITION));
    }

    /// Nothing of this is an accident of writing, so nothing of it is cut.
    #[test]
    fn sound_records_that_contradict_each_other_are_refused() {
        let mut one = Vec::new();
        event(&mut one, 0, 7, Bytes::new());
        let position = FIRST_POSITION + count(one.len());
        let good = Marker { events: 1, position, synced_through: FIRST_POSITION };
        let markers = [
            Marker { events: 2, ..good },
            Marker { events: 0, ..good },
            Marker { position: position + 1, ..good },
            Marker { synced_through: position + 1, ..good },
        ];
        let with = |marker| {
            let mut bytes = one.clone();
            record::encode_marker(&mut bytes, marker);
            bytes
        };
        assert_eq!(scan_records(&with(good)).unwrap().events, 1);
        let mut cases: Vec<_> = markers.into_iter().map(with).collect();
        for (version, id) in [(0, 8), (2, 8), (1, 7)] {
            let mut bytes = with(good);
            event(&mut bytes, version, id, Bytes::new());
            let position = FIRST_POSITION + count(bytes.len());
            record::encode_marker(&mut bytes, Marker { position, ..good });
            cases.push(bytes);
        }
        for (nth, bytes) in cases.iter().enumerate() {
            let error = scan_records(bytes).unwrap_err();
            assert!(matches!(error, OpenError::Corrupt { .. }), "case {nth}: {error}");
        }
    }

    /// The window over the file moves many times, and once over a marker far behind the damage.
    #[test]
    fn damage_is_told_from_a_torn_tail_over_any_distance() {
        let large = Bytes::from(vec![b' '; 1 << 20]);
        let mut bytes = Vec::new();
        let mut last = 0;
        for version in 0..12 {
            last = bytes.len();
            let synced_through = FIRST_POSITION + count(last);
            batch(&mut bytes, version, synced_through, large.clone());
        }
        assert_eq!(scan_records(&bytes).unwrap().events, 12);
        bytes[500] ^= 1;
        let error = scan_records(&bytes).unwrap_err();
        assert!(matches!(error, OpenError::Corrupt { position: FIRST_POSITION, .. }), "{error}");
        bytes[500] ^= 1;
        bytes[last + 500] ^= 1;
        assert_eq!(scan_records(&bytes).unwrap().events, 11);
    }
}
