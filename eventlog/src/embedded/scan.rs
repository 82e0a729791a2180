//! Reads the records of a segment from its beginning: rebuilds its index and finds its end.

use std::io::ErrorKind;

use super::bug::{Bug, Seeded};
use super::damage::Damage;
use super::error::OpenError;
use super::index::Index;
use super::recent::{Recent, key_of};
use super::record::{self, BATCH_BYTES_MAX, Check, EventView, Flaw, MARKER_BYTES, Marker, Record};
use super::segment::Segment;
use crate::log::ReadError;
use crate::stream::{PartitionCount, StreamName};

/// How much is read from the file at once.
const CHUNK_BYTES: usize = 4 << 20;

/// What a segment holds.
#[derive(Debug)]
pub(super) struct Scanned {
    pub(super) recent: Recent,
    /// The position behind the last whole batch.
    pub(super) end: u64,
    /// Everything before this position is durable, as far as the journal itself knows.
    pub(super) synced_through: u64,
    /// Whether the log was closed after its last append.
    pub(super) closed: bool,
    /// What follows the last whole batch, if not only zeros.
    pub(super) torn: Option<Torn>,
}

/// What a crash left behind the last whole batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Torn {
    /// Its size.
    pub(super) bytes: u64,
    /// Why it is no batch.
    pub(super) reason: String,
}

/// Reads the segment that follows everything in the index, and changes nothing. `next` is where
/// the next segment begins, if there is one. `progress` is called now and then with the position.
///
/// A writer may append meanwhile. Then the last group may be read half written; but as soon as
/// anything vouches for it, it is whole, and read once more.
pub(super) fn scan(
    index: &Index,
    segment: &Segment,
    next: Option<u64>,
    seeded: Seeded,
    progress: &mut dyn FnMut(u64),
) -> Result<Scanned, OpenError> {
    let start = segment.start();
    let recent = {
        let live = index.live();
        let spans = live.active.order().spans().map(|span| span.next);
        Recent::begin(segment.header.first, spans, 0)
    };
    let len = segment.end().map_err(OpenError::io("measure", &segment.path))?;
    let mut scan = Scan {
        index,
        segment,
        seeded,
        window: Window {
            segment,
            len: next.map_or(len, |next| next.min(len)),
            start,
            bytes: Vec::new(),
        },
        found: Scanned { recent, end: start, synced_through: start, closed: false, torn: None },
    };
    scan.run(progress)?;
    Ok(scan.found)
}

struct Scan<'a> {
    index: &'a Index,
    segment: &'a Segment,
    seeded: Seeded,
    window: Window<'a>,
    found: Scanned,
}

impl Scan<'_> {
    fn run(&mut self, progress: &mut dyn FnMut(u64)) -> Result<(), OpenError> {
        let mut vouched = None;
        while self.found.end < self.window.len {
            let end = self.found.end;
            if self.window.at(end, BATCH_BYTES_MAX)? {
                progress(end);
            }
            let (position, flawed) = match self.batch() {
                Ok(()) => continue,
                Err(flawed) => flawed,
            };
            let reason = match flawed {
                Flawed::Unread(error) => return Err(error),
                Flawed::Senseless(reason) => return Err(self.corrupt(position, &reason)),
                Flawed::Damaged(reason) => reason,
            };
            if self.window.is_zero_from(end)? {
                break;
            }
            match self.window.find_voucher(position)? {
                Some((at, marker)) if vouched == Some(at) => {
                    let reason = format!(
                        "{reason}, although the marker at {at} says that everything before {} was \
                         durable",
                        marker.synced_through
                    );
                    return Err(self.corrupt(position, &reason));
                }
                // A writer may have written this since it was read.
                Some((at, _)) => vouched = Some(at),
                None => {
                    let bytes = self.window.last_byte(end)? - end;
                    self.found.torn = Some(Torn { bytes, reason });
                    break;
                }
            }
            self.window.forget();
        }
        Ok(())
    }

    /// Reads one batch in the window and enters it.
    fn batch(&mut self) -> Result<(), (u64, Flawed)> {
        let bytes = self.window.bytes_from(self.found.end);
        let check = match self.seeded.has(Bug::NoChecksum) {
            true => Check::Nothing,
            false => Check::Sum,
        };
        let unmarked = self.seeded.has(Bug::BatchWithoutMarker);
        let batch = read_batch(bytes, self.found.end, check, unmarked)?;
        let count = self.index.journal().partitions();
        for (position, event) in &batch.events {
            admit(self.index, &mut self.found.recent, count, event, *position)
                .map_err(|flawed| (*position, flawed))?;
        }
        self.found.end = batch.end;
        self.found.synced_through = self.found.synced_through.max(batch.marker.synced_through);
        self.found.closed = batch.events.is_empty();
        self.found.recent.batches += u64::from(!self.found.closed);
        Ok(())
    }

    fn corrupt(&self, position: u64, reason: &str) -> OpenError {
        Damage::at(&self.segment.path, position, reason).guessed_in(self.segment).into()
    }
}

/// What is wrong at a position.
enum Flawed {
    /// Perhaps a torn write.
    Damaged(String),
    /// Whole, and yet against the rules: no accident of writing.
    Senseless(String),
    /// The index of earlier segments could not be read.
    Unread(OpenError),
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

/// Enters an event, unless it breaks what the journal said before.
fn admit(
    index: &Index,
    recent: &mut Recent,
    count: PartitionCount,
    event: &EventView<'_>,
    position: u64,
) -> Result<(), Flawed> {
    let senseless = |reason: String| Flawed::Senseless(reason);
    let unread = |error: ReadError| {
        Flawed::Unread(OpenError::corrupt(
            &index.journal().path_of(recent.first),
            position,
            &error.to_string(),
        ))
    };
    let key = key_of(event.stream);
    let (version, partition, before) = match recent.strand(key) {
        Some(strand) => (strand.next_version(), event.spot.partition, None),
        None => {
            let name =
                StreamName::parse(event.stream).map_err(|error| senseless(error.to_string()))?;
            let tip = index.tip(key).map_err(unread)?;
            let partition = count.partition_of(name.shard_key());
            (tip.map_or(0, |tip| tip.len), partition, tip.map(|tip| tip.segment))
        }
    };
    let offset = recent.order().span(partition).next;
    let due = record::Spot { partition, version, offset };
    if event.spot != due {
        let stream = event.stream;
        return Err(senseless(format!(
            "{:?} of {stream} follows where {due:?} is due",
            event.spot
        )));
    }
    let recorded = recent.id(event.id).is_some() || index.id(event.id).map_err(unread)?.is_some();
    if recorded {
        return Err(senseless(format!("the event id {} is recorded twice", event.id)));
    }
    recent.push_event(key, event.spot, event.id, position, before);
    Ok(())
}

/// The events of one append, with their positions.
struct Batch<'a> {
    events: Vec<(u64, EventView<'a>)>,
    marker: Marker,
    end: u64,
}

/// Reads records up to and including the next marker.
fn read_batch(
    mut bytes: &[u8],
    start: u64,
    check: Check,
    unmarked: bool,
) -> Result<Batch<'_>, (u64, Flawed)> {
    let mut position = start;
    let mut events = Vec::new();
    loop {
        let (record, size) = match record::decode_with(bytes, check) {
            Ok(read) => read,
            Err(_) if unmarked && !events.is_empty() => {
                let marker = Marker { events: 0, position, synced_through: start };
                return Ok(Batch { events, marker, end: position });
            }
            Err(flaw) => return Err((position, flaw.into())),
        };
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

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// A part of the segment in memory, moved forward over it.
struct Window<'a> {
    segment: &'a Segment,
    /// The position that nothing is read behind.
    len: u64,
    start: u64,
    bytes: Vec<u8>,
}

impl Window<'_> {
    /// Moves so that it shows the bytes from `position` on: at least `least`, unless the segment
    /// ends before. Answers whether it had to read.
    fn at(&mut self, position: u64, least: usize) -> Result<bool, OpenError> {
        let end = self.start + count(self.bytes.len());
        if position >= self.start && end >= self.len.min(position + count(least)) {
            return Ok(false);
        }
        let skipped = position.checked_sub(self.start).and_then(|by| usize::try_from(by).ok());
        match skipped {
            Some(skipped) => drop(self.bytes.drain(..skipped.min(self.bytes.len()))),
            None => self.bytes.clear(),
        }
        self.start = position;
        let kept = self.bytes.len();
        let from = position + count(kept);
        loop {
            let more = self.len.saturating_sub(from).min(count(CHUNK_BYTES));
            self.bytes.resize(kept + usize::try_from(more).unwrap_or(0), 0);
            let buffer = self.bytes.get_mut(kept..).unwrap_or(&mut []);
            match self.segment.read_at(buffer, from) {
                Ok(()) => return Ok(true),
                // A writer gives back room that it does not need when it seals or closes.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof && self.has_shrunk()? => {}
                Err(error) => return Err(OpenError::io("read", &self.segment.path)(error)),
            }
        }
    }

    fn has_shrunk(&mut self) -> Result<bool, OpenError> {
        let len = self.segment.end().map_err(OpenError::io("measure", &self.segment.path))?;
        let shrunk = len < self.len;
        self.len = self.len.min(len);
        Ok(shrunk)
    }

    /// The bytes shown from `position` on.
    fn bytes_from(&self, position: u64) -> &[u8] {
        let skipped = usize::try_from(position.saturating_sub(self.start)).unwrap_or(usize::MAX);
        self.bytes.get(skipped..).unwrap_or(&[])
    }

    /// Reads everything anew.
    fn forget(&mut self) {
        self.bytes.clear();
    }

    /// Whether there are only zeros from `position` on.
    fn is_zero_from(&mut self, position: u64) -> Result<bool, OpenError> {
        self.last_byte(position).map(|last| last == position)
    }

    /// The position behind the last byte from `position` on that is not zero.
    fn last_byte(&mut self, position: u64) -> Result<u64, OpenError> {
        let (mut at, mut last) = (position, position);
        while at < self.len {
            self.at(at, CHUNK_BYTES)?;
            let bytes = self.bytes_from(at);
            if let Some(nth) = bytes.iter().rposition(|byte| *byte != 0) {
                last = at + count(nth) + 1;
            }
            at += count(bytes.len().max(1));
        }
        Ok(last)
    }

    /// A marker behind `position` that says that `position` was durable. Looked for at every byte:
    /// where records begin is not known behind a bad one.
    fn find_voucher(&mut self, position: u64) -> Result<Option<(u64, Marker)>, OpenError> {
        let mut at = position;
        while at + count(MARKER_BYTES) <= self.len {
            self.at(at, CHUNK_BYTES)?;
            let bytes = self.bytes_from(at);
            let mut candidates = bytes.windows(MARKER_BYTES).zip(at..);
            let found = candidates.find_map(|(bytes, at)| {
                let marker = record::marker_at(bytes, at)?;
                (marker.synced_through > position).then_some((at, marker))
            });
            if found.is_some() {
                return Ok(found);
            }
            at += count(bytes.len().saturating_sub(MARKER_BYTES - 1).max(1));
        }
        Ok(None)
    }
}
