//! What is to be done with an append: decided against everything durable and everything staged.

use foldhash::{HashMap, HashMapExt};
use uuid::Uuid;

use super::bug::{Bug, Seeded};
use super::index::Index;
use super::reader;
use super::recent::{Ids, Recent, StreamKey, Tip, key_of};
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

/// The appends of a group that is not durable yet, and the ids of the active segment.
#[derive(Debug)]
pub(super) struct Staged {
    /// The first position of the active segment.
    first: u64,
    /// The ids of the active segment, those of the group among them: nobody but the writer asks for
    /// them, so they need not wait to be published.
    ids: Ids,
    streams: HashMap<StreamKey, u64>,
    offsets: HashMap<u16, u64>,
    /// The events of the group: their ids, and where they begin in the file.
    events: Vec<(Uuid, u32)>,
    batches: Vec<(Place, usize)>,
}

impl Staged {
    /// Nothing, behind what the active segment holds.
    pub(super) fn new(active: &mut Recent) -> Self {
        Self {
            first: active.first,
            ids: active.take_ids(),
            streams: HashMap::new(),
            offsets: HashMap::new(),
            events: Vec::new(),
            batches: Vec::new(),
        }
    }

    /// Goes on with the next segment; answers the ids of this one. Nothing is staged.
    pub(super) fn roll(&mut self, first: u64) -> Ids {
        self.first = first;
        let next = Ids::with_capacity(self.ids.len());
        std::mem::replace(&mut self.ids, next)
    }

    /// Adds the event that follows at a position; its batch is added behind all its events.
    pub(super) fn add_event(&mut self, id: Uuid, position: u64) {
        let at = u32::try_from(position - self.first).unwrap_or(u32::MAX);
        self.ids.insert(id.as_u128(), at);
        self.events.push((id, at));
    }

    /// Adds the batch of the last events.
    pub(super) fn add_batch(&mut self, place: Place, events: usize) {
        let next = place.spot.plus(u64::try_from(events).unwrap_or(u64::MAX));
        self.streams.insert(place.key, next.version);
        self.offsets.insert(next.partition.0, next.offset);
        self.batches.push((place, events));
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

    /// Forgets the group; its ids, too, unless it is recorded now.
    pub(super) fn clear(&mut self, recorded: bool, seeded: Seeded) {
        if !recorded {
            for (id, _) in &self.events {
                self.ids.remove(&id.as_u128());
            }
        }
        self.streams.clear();
        if recorded || !seeded.has(Bug::HoleAfterFailedBatch) {
            self.offsets.clear();
        }
        self.events.clear();
        self.batches.clear();
    }

    /// The streams of the group with their new lengths.
    pub(super) fn lengths(&self) -> impl Iterator<Item = (StreamKey, u64)> + '_ {
        self.streams.iter().map(|(key, len)| (*key, *len))
    }

    fn forget(&mut self, key: StreamKey) {
        self.streams.remove(&key);
    }

    /// The position of the event with an id, in the active segment.
    fn id(&self, id: Uuid) -> Option<u64> {
        self.ids.get(&id.as_u128()).map(|at| self.first + u64::from(*at))
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
    let position = |event: &NewEvent| match staged.id(event.id) {
        Some(position) => Ok(Some(position)),
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
