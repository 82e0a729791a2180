//! What is to be done with an append: decided against everything durable and everything staged.

use foldhash::HashMap;
use uuid::Uuid;

use super::bug::{Bug, Seeded};
use super::index::Index;
use super::reader;
use super::recent::{StreamKey, Tip, key_of};
use super::record::{self, Record, Spot};
use crate::append::{Append, AppendError, Appended};
use crate::event::NewEvent;
use crate::log::ReadError;
use crate::stream::{Partition, StreamName};

/// What is to be done with an append.
#[derive(Debug)]
pub(super) enum Decision {
    /// It is to be recorded.
    Record(Place),
    /// It is recorded already.
    Replay(Appended),
}

/// Where an append is to be recorded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// That of its first event; the others follow.
    pub(super) spot: Spot,
    pub(super) key: StreamKey,
    /// The segment of the stream's event before.
    pub(super) before: Option<u64>,
}

/// The appends of a group that is not durable yet.
#[derive(Debug, Default)]
pub(super) struct Staged {
    ids: HashMap<u128, u64>,
    streams: HashMap<StreamKey, u64>,
    offsets: HashMap<u16, u64>,
    pub(super) events: Vec<StagedEvent>,
    pub(super) batches: u64,
}

/// An event of a group.
#[derive(Debug, Clone, Copy)]
pub(super) struct StagedEvent {
    pub(super) key: StreamKey,
    pub(super) spot: Spot,
    pub(super) id: Uuid,
    pub(super) position: u64,
    pub(super) before: Option<u64>,
}

impl Staged {
    /// Adds the events of an append, with their positions.
    pub(super) fn add(&mut self, place: Place, events: &[(Uuid, u64)]) {
        let mut spot = place.spot;
        for ((id, position), nth) in events.iter().zip(0..) {
            spot = place.spot.plus(nth);
            let Place { key, before, .. } = place;
            self.events.push(StagedEvent { key, spot, id: *id, position: *position, before });
            self.ids.insert(id.as_u128(), *position);
        }
        self.streams.insert(place.key, spot.version + 1);
        self.offsets.insert(spot.partition.0, spot.offset + 1);
        self.batches += 1;
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self, seeded: Seeded) {
        self.ids.clear();
        self.streams.clear();
        if !seeded.has(Bug::HoleAfterFailedBatch) {
            self.offsets.clear();
        }
        self.events.clear();
        self.batches = 0;
    }

    /// The streams of the group with their new lengths.
    pub(super) fn lengths(&self) -> impl Iterator<Item = (StreamKey, u64)> + '_ {
        self.streams.iter().map(|(key, len)| (*key, *len))
    }

    fn forget(&mut self, key: StreamKey) {
        self.streams.remove(&key);
    }
}

/// The bytes of the group, behind the end of the journal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tail<'a> {
    pub(super) start: u64,
    pub(super) bytes: &'a [u8],
}

/// Decides about a valid append.
pub(super) fn decide(
    index: &Index,
    staged: &mut Staged,
    tail: Tail<'_>,
    append: &Append,
    seeded: Seeded,
) -> Result<Decision, AppendError> {
    if let Some(earlier) = replay(index, staged, tail, append)? {
        return Ok(Decision::Replay(earlier));
    }
    let key = key_of(append.stream.as_str());
    let (version, before) = match staged.streams.get(&key) {
        Some(len) => (*len, None),
        None => match index.tip(key)? {
            Some(Tip { len, segment }) => (len, Some(segment)),
            None => (0, None),
        },
    };
    if !append.expected.holds(version) {
        if seeded.has(Bug::TipForgottenAfterConflict) {
            staged.forget(key);
        }
        let (stream, expected) = (append.stream.clone(), append.expected);
        return Err(AppendError::Conflict { stream, expected, len: version });
    }
    let partition = index.journal().partitions().partition_of(append.stream.shard_key());
    let offset = match staged.offsets.get(&partition.0) {
        Some(offset) => *offset,
        None => index.live().next_offset(partition),
    };
    Ok(Decision::Record(Place { spot: Spot { partition, version, offset }, key, before }))
}

/// Where the events are, if all of them are recorded as neighbours; `None` if none is recorded.
fn replay(
    index: &Index,
    staged: &Staged,
    tail: Tail<'_>,
    append: &Append,
) -> Result<Option<Appended>, AppendError> {
    let position = |event: &NewEvent| match staged.ids.get(&event.id.as_u128()) {
        Some(position) => Ok(Some(*position)),
        None => index.id(event.id),
    };
    let mut found = None;
    for event in &append.events {
        if let Some(at) = position(event)? {
            found = Some((event.id, at));
            break;
        }
    }
    let Some((id, at)) = found else { return Ok(None) };
    let (stream, first) = event_at(index, tail, at)?;
    let taken = || AppendError::IdTaken { id, stream: stream.clone() };
    if stream != append.stream {
        return Err(taken());
    }
    let mut last = first;
    for (event, nth) in append.events.iter().zip(0..) {
        let at = position(event)?.ok_or_else(taken)?;
        let (other, spot) = event_at(index, tail, at)?;
        if other != stream || spot.version != first.version + nth {
            return Err(taken());
        }
        last = spot;
    }
    Ok(Some(Appended {
        partition: first.partition,
        first_offset: first.offset,
        last_offset: last.offset,
        first_version: first.version,
        last_version: last.version,
        replayed: true,
    }))
}

/// The stream and spot of the event at a position, which may be part of the group.
fn event_at(index: &Index, tail: Tail<'_>, position: u64) -> Result<(StreamName, Spot), ReadError> {
    let corrupt = |reason: &str| ReadError::Corrupt { position, reason: reason.to_owned() };
    if let Some(at) = position.checked_sub(tail.start) {
        let bytes = usize::try_from(at).ok().and_then(|at| tail.bytes.get(at..)).unwrap_or(&[]);
        let Ok((Record::Event(view), _)) = record::decode(bytes) else {
            return Err(corrupt("no event is here"));
        };
        let stream = StreamName::parse(view.stream).map_err(|_| corrupt("a bad name"))?;
        return Ok((stream, view.spot));
    }
    let events = reader::fetch(index.journal(), &[position], tail.start)?;
    let event = events.into_iter().next().ok_or_else(|| corrupt("no event is here"))?;
    let partition: Partition = event.partition;
    let spot = Spot { partition, version: event.version, offset: event.offset };
    Ok((event.stream, spot))
}
