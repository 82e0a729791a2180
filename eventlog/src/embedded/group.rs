//! A group: appends that become durable with one sync.

use foldhash::{HashMap, HashMapExt};
use uuid::Uuid;

use super::bug::{Bug, Seeded};
use super::decide::Place;
use super::recent::{Recent, StreamKey};
use super::record::{self, Marker};
use crate::append::Append;
use crate::stream::Partition;

/// Appends that were decided on, as bytes and as what the index is to know of them.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// Where it begins in the journal. Everything before is durable when it is written.
    start: u64,
    bytes: Vec<u8>,
    /// The streams with their new lengths.
    streams: HashMap<StreamKey, u64>,
    /// The partitions with their next offsets.
    offsets: HashMap<u16, u64>,
    /// The events: their ids, and where they begin in the file.
    events: Vec<(Uuid, u32)>,
    batches: Vec<(Place, usize)>,
}

impl Group {
    /// A group without appends.
    pub(super) fn at(start: u64) -> Self {
        Self { start, ..Self::default() }
    }

    /// Becomes a group without appends that begins at `start`; keeps its memory.
    pub(super) fn restart(&mut self, start: u64) {
        self.start = start;
        self.bytes.clear();
        self.streams.clear();
        self.offsets.clear();
        self.events.clear();
        self.batches.clear();
    }

    /// As [`Self::restart`], behind a refusal.
    pub(super) fn refuse(&mut self, start: u64, seeded: Seeded) {
        let offsets = std::mem::replace(&mut self.offsets, HashMap::new());
        self.restart(start);
        if seeded.has(Bug::HoleAfterFailedBatch) {
            self.offsets = offsets;
        }
    }

    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// The position behind its last byte.
    pub(super) fn end(&self) -> u64 {
        self.start + u64::try_from(self.bytes.len()).unwrap_or(u64::MAX)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Adds an append at its place, in the segment that begins at `first`.
    pub(super) fn add(&mut self, append: &Append, place: Place, first: u64) {
        self.bytes.reserve(record::batch_bytes(append));
        self.events.reserve(append.events.len());
        let mut spot = place.spot;
        for event in &append.events {
            let at = u32::try_from(self.end() - first).unwrap_or(u32::MAX);
            self.events.push((event.id, at));
            record::encode_event(&mut self.bytes, &append.stream, spot, event);
            spot = spot.plus(1);
        }
        self.mark(u32::try_from(append.events.len()).unwrap_or(u32::MAX));
        self.streams.insert(place.key, spot.version);
        self.offsets.insert(spot.partition.0, spot.offset);
        self.batches.push((place, append.events.len()));
    }

    /// Adds a commit marker for so many events.
    pub(super) fn mark(&mut self, events: u32) {
        let marker = Marker { events, position: self.end(), synced_through: self.start };
        record::encode_marker(&mut self.bytes, marker);
    }

    /// How long a stream is after the group, if the group has events of it.
    pub(super) fn len_of(&self, key: StreamKey) -> Option<u64> {
        self.streams.get(&key).copied()
    }

    /// The offset that a partition has reached, if the group has events of it.
    pub(super) fn next_offset(&self, partition: Partition) -> Option<u64> {
        self.offsets.get(&partition.0).copied()
    }

    /// The ids of its events, and where they begin in the file.
    pub(super) fn events(&self) -> &[(Uuid, u32)] {
        &self.events
    }

    /// The streams with their new lengths, in no order.
    pub(super) fn lengths(&self) -> impl Iterator<Item = (StreamKey, u64)> + '_ {
        self.streams.iter().map(|(key, len)| (*key, *len))
    }

    /// Forgets how long a stream is.
    pub(super) fn forget(&mut self, key: StreamKey) {
        self.streams.remove(&key);
    }

    /// Enters the group into the index of the active segment.
    pub(super) fn publish_to(&self, active: &mut Recent) {
        let mut events = self.events.iter().map(|(_, at)| *at);
        for (place, count) in &self.batches {
            let places = events.by_ref().take(*count);
            active.push(place.key, place.spot, places, place.before);
            active.batches += 1;
        }
    }
}
