//! The index of a segment that is not sealed yet, in memory.

use foldhash::{HashMap, HashMapExt};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::order::Order;
use super::record::Spot;
use crate::stream::PartitionCount;

/// What the index knows a stream by: the first 16 bytes of the SHA-256 of its name.
pub(super) type StreamKey = u128;

/// Nobody finds two names with the same key (2^64 tries for even odds).
pub(super) fn key_of(stream: &str) -> StreamKey {
    let digest = Sha256::digest(stream.as_bytes());
    digest.first_chunk().copied().map_or(0, u128::from_be_bytes)
}

/// How long a stream is, and which segment holds its last event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tip {
    /// The number of its events.
    pub(super) len: u64,
    /// The first position of the segment.
    pub(super) segment: u64,
}

/// The part of a stream that one segment holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Strand {
    /// The version of its first event here.
    pub(super) first_version: u64,
    /// The segment that holds the event before, by its first position.
    pub(super) before: Option<u64>,
    /// How many events it has here.
    pub(super) count: u32,
    /// The number of its last event in the segment.
    last: u32,
}

impl Strand {
    pub(super) fn next_version(self) -> u64 {
        self.first_version + u64::from(self.count)
    }
}

/// There is no earlier event of the stream in the segment.
const NONE: u32 = u32::MAX;

/// The streams, ids and order of one segment.
#[derive(Debug)]
pub(super) struct Recent {
    /// The first position of the segment.
    pub(super) first: u64,
    /// The number of appends.
    pub(super) batches: u64,
    order: Order,
    /// For each event the number of the one before it in its stream.
    previous: Vec<u32>,
    strands: HashMap<StreamKey, Strand>,
    ids: Ids,
}

/// Event ids, and where their events begin in the file of the segment.
pub(super) type Ids = HashMap<u128, u32>;

impl Recent {
    /// The index of the first segment of a log.
    pub(super) fn of_first(count: PartitionCount) -> Self {
        Self::begin(0, vec![0; usize::from(count.get())], 0)
    }

    /// The index of an empty segment, of which as much is expected as the one before holds.
    pub(super) fn after(earlier: &Self, first: u64) -> Self {
        Self::begin(first, earlier.order.spans().map(|span| span.next), earlier.len())
    }

    /// The index of an empty segment in which partitions go on at these offsets.
    pub(super) fn begin(first: u64, offsets: impl IntoIterator<Item = u64>, events: usize) -> Self {
        Self {
            first,
            batches: 0,
            order: Order::new(offsets, events),
            previous: Vec::with_capacity(events),
            strands: HashMap::new(),
            ids: Ids::new(),
        }
    }

    /// Adds neighbours of one stream, which begin at these places; not their ids. `before` is the
    /// segment that holds the stream's event before, if this is its first one here.
    pub(super) fn push(
        &mut self,
        key: StreamKey,
        first: Spot,
        places: impl IntoIterator<Item = u32>,
        before: Option<u64>,
    ) {
        let strand = self.strands.entry(key).or_insert(Strand {
            first_version: first.version,
            before,
            count: 0,
            last: NONE,
        });
        for at in places {
            self.previous.push(strand.last);
            strand.last = self.order.push(first.partition, at);
            strand.count += 1;
        }
    }

    /// Adds one event, and its id.
    pub(super) fn push_event(
        &mut self,
        key: StreamKey,
        spot: Spot,
        id: Uuid,
        position: u64,
        before: Option<u64>,
    ) {
        let at = u32::try_from(position - self.first).unwrap_or(u32::MAX);
        self.push(key, spot, [at], before);
        self.ids.insert(id.as_u128(), at);
    }

    /// Gives the ids away, to whoever adds to them.
    pub(super) fn take_ids(&mut self) -> Ids {
        std::mem::take(&mut self.ids)
    }

    /// Takes the ids back.
    pub(super) fn with_ids(self, ids: Ids) -> Self {
        Self { ids, ..self }
    }

    /// The number of events.
    pub(super) fn len(&self) -> usize {
        self.previous.len()
    }

    pub(super) fn order(&self) -> &Order {
        &self.order
    }

    /// The position of the event with an id.
    pub(super) fn id(&self, id: Uuid) -> Option<u64> {
        self.ids.get(&id.as_u128()).map(|at| self.first + u64::from(*at))
    }

    /// Every id with the position of its event, in no order.
    pub(super) fn ids(&self) -> impl Iterator<Item = (u128, u64)> + '_ {
        self.ids.iter().map(|(id, at)| (*id, self.first + u64::from(*at)))
    }

    pub(super) fn strand(&self, key: StreamKey) -> Option<Strand> {
        self.strands.get(&key).copied()
    }

    pub(super) fn tip(&self, key: StreamKey) -> Option<Tip> {
        self.strand(key).map(|strand| Tip { len: strand.next_version(), segment: self.first })
    }

    /// Every stream here, in no order.
    pub(super) fn strands(&self) -> impl Iterator<Item = (StreamKey, Strand)> + '_ {
        self.strands.iter().map(|(key, strand)| (*key, *strand))
    }

    /// Where the events of a strand begin in the file, the latest first.
    pub(super) fn backwards(&self, strand: Strand) -> impl Iterator<Item = u32> + '_ {
        let mut number = strand.last;
        std::iter::from_fn(move || {
            let at = self.order.at(number)?;
            number = usize::try_from(number).ok().and_then(|n| self.previous.get(n).copied())?;
            Some(at)
        })
    }
}
