//! Where everything is: the positions of every stream, partition and event id, in memory.
//!
//! The index holds nothing that the journal does not say; it is rebuilt by reading that. An event
//! enters in two steps. *Staging* makes it count for conditions and ids: the next append in the
//! same group is decided against it. *Publishing* makes it visible to readers, once it is durable.
//! Positions only grow, so what is visible is simply what lies before the durable end, and staged
//! events need no place of their own.

use std::cmp::Reverse;
use std::collections::binary_heap::PeekMut;
use std::collections::{BinaryHeap, HashMap};

use uuid::Uuid;

use super::record::{EventView, Spot};
use crate::append::{Append, AppendError, Appended};
use crate::cursor::Cursor;
use crate::event::NewEvent;
use crate::log::ReadError;
use crate::stream::{Partition, PartitionCount, StreamName};

/// The tips and positions of a log.
#[derive(Debug)]
pub(super) struct Index {
    count: PartitionCount,
    durable_end: u64,
    streams: Vec<Stream>,
    numbers: HashMap<StreamName, usize>,
    /// Positions by partition and offset.
    partitions: Vec<Vec<u64>>,
    ids: HashMap<Uuid, Place>,
}

#[derive(Debug)]
struct Stream {
    name: StreamName,
    partition: Partition,
    /// Positions by version.
    positions: Vec<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    stream: usize,
    version: u64,
}

/// What is to be done with an append.
#[derive(Debug)]
pub(super) enum Decision {
    /// It is to be recorded, its first event at this spot and the others behind it.
    Record(Spot),
    /// It is recorded already.
    Replay(Appended),
}

impl Index {
    pub(super) fn new(count: PartitionCount, durable_end: u64) -> Self {
        Self {
            count,
            durable_end,
            streams: Vec::new(),
            numbers: HashMap::new(),
            partitions: vec![Vec::new(); usize::from(count.get())],
            ids: HashMap::new(),
        }
    }

    /// Decides about a valid append, against everything staged.
    pub(super) fn decide(&self, append: &Append) -> Result<Decision, AppendError> {
        if let Some(earlier) = self.replay(append)? {
            return Ok(Decision::Replay(earlier));
        }
        let Append { stream, expected, .. } = append;
        let known = self.stream(stream.as_str());
        let version = known.map_or(0, |known| length(&known.positions));
        if !expected.holds(version) {
            let (stream, expected) = (stream.clone(), *expected);
            return Err(AppendError::Conflict { stream, expected, len: version });
        }
        let partition = known
            .map_or_else(|| self.count.partition_of(stream.shard_key()), |known| known.partition);
        let offset = length(self.positions(partition));
        Ok(Decision::Record(Spot { partition, version, offset }))
    }

    /// Where the events are, if all of them are recorded as neighbours; `None` if none is recorded.
    fn replay(&self, append: &Append) -> Result<Option<Appended>, AppendError> {
        let recorded = |event: &NewEvent| self.ids.get(&event.id).map(|place| (event.id, *place));
        let Some((id, first)) = append.events.iter().find_map(recorded) else { return Ok(None) };
        let Some(stream) = self.streams.get(first.stream) else { return Ok(None) };
        let neighbours = append.events.iter().zip(first.version..).all(|(event, version)| {
            self.ids.get(&event.id) == Some(&Place { stream: first.stream, version })
        });
        if stream.name != append.stream || !neighbours {
            return Err(AppendError::IdTaken { id, stream: stream.name.clone() });
        }
        let last_version = first.version + count(append.events.len()) - 1;
        Ok(Some(Appended {
            partition: stream.partition,
            first_offset: self.offset_of(stream, first.version),
            last_offset: self.offset_of(stream, last_version),
            first_version: first.version,
            last_version,
            replayed: true,
        }))
    }

    /// Offsets are not stored: they follow from the order of positions.
    fn offset_of(&self, stream: &Stream, version: u64) -> u64 {
        let position = skip(&stream.positions, version).first().copied().unwrap_or(u64::MAX);
        before(self.positions(stream.partition), position)
    }

    /// Enters the events of an append that was decided to be recorded: ids and positions, in order.
    pub(super) fn stage(&mut self, stream: &StreamName, first: Spot, events: &[(Uuid, u64)]) {
        let number = match self.numbers.get(stream) {
            Some(number) => *number,
            None => self.add_stream(stream.clone(), first.partition),
        };
        for ((id, position), nth) in events.iter().zip(0..) {
            self.enter(number, first.plus(nth), *id, *position);
        }
    }

    /// Enters an event read from the journal, unless it breaks what the journal said before.
    pub(super) fn admit(&mut self, event: &EventView<'_>, position: u64) -> Result<(), String> {
        let number = match self.numbers.get(event.stream) {
            Some(number) => *number,
            None => {
                let name = StreamName::parse(event.stream).map_err(|error| error.to_string())?;
                let partition = self.count.partition_of(name.shard_key());
                self.add_stream(name, partition)
            }
        };
        let Some(stream) = self.streams.get(number) else { return Ok(()) };
        let next = Spot {
            partition: stream.partition,
            version: length(&stream.positions),
            offset: length(self.positions(stream.partition)),
        };
        if event.spot != next {
            return Err(format!(
                "{:?} of {} follows where {next:?} is due",
                event.spot, stream.name
            ));
        }
        if self.ids.contains_key(&event.id) {
            return Err(format!("the event id {} is recorded twice", event.id));
        }
        self.enter(number, next, event.id, position);
        Ok(())
    }

    fn add_stream(&mut self, name: StreamName, partition: Partition) -> usize {
        let number = self.streams.len();
        self.numbers.insert(name.clone(), number);
        self.streams.push(Stream { name, partition, positions: Vec::new() });
        number
    }

    fn enter(&mut self, number: usize, spot: Spot, id: Uuid, position: u64) {
        if let Some(stream) = self.streams.get_mut(number) {
            stream.positions.push(position);
        }
        if let Some(positions) = self.partitions.get_mut(usize::from(spot.partition.0)) {
            positions.push(position);
        }
        self.ids.insert(id, Place { stream: number, version: spot.version });
    }

    /// Makes everything before this position visible.
    pub(super) fn publish(&mut self, durable_end: u64) {
        self.durable_end = durable_end;
    }

    /// The position behind the last durable batch.
    pub(super) fn durable_end(&self) -> u64 {
        self.durable_end
    }

    /// The cursor behind the last visible event of every partition.
    pub(super) fn head(&self) -> Cursor {
        self.count.all().map(|partition| (partition, self.visible(partition))).collect()
    }

    /// Whether any event is visible behind the cursor.
    pub(super) fn is_behind(&self, cursor: &Cursor) -> bool {
        cursor.iter().any(|(partition, next)| self.visible(partition) > next)
    }

    /// The positions of a stream's visible events from a version on.
    pub(super) fn of_stream(&self, stream: &StreamName, from: u64, limit: usize) -> Vec<u64> {
        let positions = self.stream(stream.as_str()).map_or(&[][..], |known| &known.positions);
        let wanted = skip(positions, from).iter().take(limit).copied();
        wanted.take_while(|position| *position < self.durable_end).collect()
    }

    /// The positions of the visible events behind a cursor, over all its partitions, in order.
    pub(super) fn behind(&self, cursor: &Cursor, limit: usize) -> Result<Vec<u64>, ReadError> {
        let mut lanes = BinaryHeap::new();
        for (partition, offset) in cursor.iter() {
            let head = self.visible(partition);
            if offset > head {
                return Err(ReadError::BeyondHead { partition, offset, head });
            }
            let lane = skip(self.positions(partition), offset).split_first();
            lanes.extend(lane.map(|(position, rest)| Reverse((*position, rest))));
        }
        let mut positions = Vec::new();
        while positions.len() < limit
            && let Some(mut lane) = lanes.peek_mut()
        {
            let Reverse((position, rest)) = *lane;
            if position >= self.durable_end {
                break;
            }
            positions.push(position);
            match rest.split_first() {
                Some((next, rest)) => *lane = Reverse((*next, rest)),
                None => {
                    PeekMut::pop(lane);
                }
            }
        }
        Ok(positions)
    }

    /// How many events of a partition are visible.
    fn visible(&self, partition: Partition) -> u64 {
        before(self.positions(partition), self.durable_end)
    }

    fn stream(&self, name: &str) -> Option<&Stream> {
        self.numbers.get(name).and_then(|number| self.streams.get(*number))
    }

    fn positions(&self, partition: Partition) -> &[u64] {
        self.partitions.get(usize::from(partition.0)).map_or(&[], Vec::as_slice)
    }
}

/// The positions from an index on; none if there are fewer.
fn skip(positions: &[u64], from: u64) -> &[u64] {
    usize::try_from(from).ok().and_then(|from| positions.get(from..)).unwrap_or(&[])
}

/// How many of the positions, which are in order, lie before `end`.
fn before(positions: &[u64], end: u64) -> u64 {
    count(positions.partition_point(|position| *position < end))
}

fn length(positions: &[u64]) -> u64 {
    count(positions.len())
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
