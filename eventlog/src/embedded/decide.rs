//! What is to be done with an append: decided against everything durable and everything staged.

use std::sync::Arc;

use foldhash::HashMapExt as _;
use uuid::Uuid;

use super::bug::{Bug, Seeded};
use super::group::Group;
use super::index::Index;
use super::reader;
use super::recent::{Ids, Recent, StreamKey, Tip, key_of};
use super::record::{self, Record, Spot};
use super::segment::HEADER;
use crate::append::{Append, AppendError, Appended};
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

/// What is not durable yet: a group that is being written, the one behind it that takes appends, and
/// the ids of the active segment.
#[derive(Debug)]
pub(super) struct Staged {
    /// The first position of the active segment.
    first: u64,
    /// The ids of the active segment, the staged ones among them: nobody but the writer asks for
    /// them, so they need not wait to be published.
    ids: Ids,
    /// What is being written.
    pub(super) flying: Option<Arc<Group>>,
    /// What takes appends.
    pub(super) group: Group,
}

impl Staged {
    /// Nothing, behind what the active segment holds; the journal ends at `end`.
    pub(super) fn new(active: &mut Recent, end: u64) -> Self {
        let (first, ids) = (active.first, active.take_ids());
        Self { first, ids, flying: None, group: Group::at(end) }
    }

    /// Goes on with the next segment; answers the ids of this one. Nothing is staged.
    pub(super) fn roll(&mut self, first: u64) -> Ids {
        self.first = first;
        self.group.restart(first + HEADER);
        let next = Ids::with_capacity(self.ids.len());
        std::mem::replace(&mut self.ids, next)
    }

    /// The first position of the active segment.
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    /// Adds an append at its place.
    pub(super) fn add(&mut self, append: &Append, place: Place) {
        let before = self.group.events().len();
        self.group.add(append, place, self.first);
        let added = self.group.events().get(before..).unwrap_or(&[]);
        self.ids.extend(added.iter().map(|(id, at)| (id.as_u128(), *at)));
    }

    /// Forgets the ids of events that were refused.
    pub(super) fn forget_ids(&mut self, events: &[(Uuid, u32)]) {
        for (id, _) in events {
            self.ids.remove(&id.as_u128());
        }
    }

    /// What is staged, the latest first.
    fn groups(&self) -> impl Iterator<Item = &Group> {
        std::iter::once(&self.group).chain(self.flying.as_deref())
    }

    /// The position of the event with an id, in the active segment.
    fn id(&self, id: Uuid) -> Option<u64> {
        self.ids.get(&id.as_u128()).map(|at| self.first + u64::from(*at))
    }

    /// The bytes from a position on, if it is staged.
    fn bytes_from(&self, position: u64) -> Option<&[u8]> {
        self.groups().find_map(|group| {
            let at = usize::try_from(position.checked_sub(group.start())?).ok()?;
            group.bytes().get(at..)
        })
    }
}

/// Decides about a valid append.
pub(super) fn decide(
    index: &Index,
    staged: &mut Staged,
    append: &Append,
    seeded: Seeded,
) -> Result<Decision, AppendError> {
    if let Some(earlier) = replay(index, staged, append)? {
        return Ok(Decision::Replay(earlier));
    }
    let key = key_of(append.stream.as_str());
    let (version, before) = match staged.groups().find_map(|group| group.len_of(key)) {
        Some(len) => (len, None),
        None => match index.tip(key)? {
            Some(Tip { len, segment }) => (len, Some(segment)),
            None => (0, None),
        },
    };
    if let Err(refusal) = append.expected.check(&append.stream, version) {
        if seeded.has(Bug::TipForgottenAfterConflict) {
            staged.group.forget(key);
        }
        return Err(refusal);
    }
    let partition = index.journal().partitions().partition_of(append.stream.shard_key());
    let offset = staged.groups().find_map(|group| group.next_offset(partition));
    let offset = offset.unwrap_or_else(|| index.live().next_offset(partition));
    Ok(Decision::Record(Place { spot: Spot { partition, version, offset }, key, before }))
}

/// Where the events are, if all of them are recorded as neighbours; `None` if none is recorded.
fn replay(
    index: &Index,
    staged: &Staged,
    append: &Append,
) -> Result<Option<Appended>, AppendError> {
    let ids = append.events.iter().map(|event| event.id);
    let found = index.first_known(ids, |id| staged.id(id))?;
    let Some((id, at)) = found else { return Ok(None) };
    let (stream, first) = event_at(index, staged, at)?;
    let taken = || AppendError::IdTaken { id, stream: stream.clone() };
    if stream != append.stream {
        return Err(taken());
    }
    let mut last = first;
    for (event, nth) in append.events.iter().zip(0..) {
        let known = index.first_known([event.id], |id| staged.id(id))?;
        let (_, at) = known.ok_or_else(taken)?;
        let (other, spot) = event_at(index, staged, at)?;
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

/// The stream and spot of the event at a position, which may be staged.
fn event_at(
    index: &Index,
    staged: &Staged,
    position: u64,
) -> Result<(StreamName, Spot), ReadError> {
    let corrupt = |reason: &str| ReadError::Corrupt { position, reason: reason.to_owned() };
    if let Some(bytes) = staged.bytes_from(position) {
        let Ok((Record::Event(view), _)) = record::decode(bytes) else {
            return Err(corrupt("no event is here"));
        };
        let stream = StreamName::parse(view.stream).map_err(|_| corrupt("a bad name"))?;
        return Ok((stream, view.spot));
    }
    let events = reader::fetch(index.journal(), &[position], staged.group.start())?;
    let event = events.into_iter().next().ok_or_else(|| corrupt("no event is here"))?;
    let partition: Partition = event.partition;
    let spot = Spot { partition, version: event.version, offset: event.offset };
    Ok((event.stream, spot))
}
