//! Decides about the appends of one group, each against what is recorded and the earlier ones.

use std::collections::HashMap;

use uuid::Uuid;

use crate::append::{Append, AppendError, Appended};
use crate::stream::{Partition, PartitionCount, StreamName};

/// What a group needs to know of the log, read while its partitions are locked.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) count: PartitionCount,
    /// The next offset of every partition of the group.
    pub(super) heads: HashMap<Partition, u64>,
    /// How many events the group's streams have; a stream that is missing has none.
    pub(super) lengths: HashMap<StreamName, u64>,
    /// Where those of the group's ids are that are recorded.
    pub(super) places: HashMap<Uuid, Place>,
}

/// Where an event is.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) stream: StreamName,
    pub(super) version: u64,
    pub(super) offset: u64,
}

impl Facts {
    /// Says where the append goes, and takes it into account for those that come after it.
    pub(super) fn decide(&mut self, append: &Append) -> Result<Appended, AppendError> {
        if let Some(earlier) = self.replay(append)? {
            return Ok(earlier);
        }
        let Append { stream, expected, events } = append;
        let len = self.lengths.get(stream).copied().unwrap_or(0);
        expected.check(stream, len)?;
        let partition = self.count.partition_of(stream.shard_key());
        let offset = self.heads.get(&partition).copied().unwrap_or(0);
        let mut next = 0;
        for event in events {
            let place =
                Place { stream: stream.clone(), version: len + next, offset: offset + next };
            self.places.insert(event.id, place);
            next += 1;
        }
        self.heads.insert(partition, offset + next);
        self.lengths.insert(stream.clone(), len + next);
        Ok(Appended {
            partition,
            first_offset: offset,
            last_offset: offset + next - 1,
            first_version: len,
            last_version: len + next - 1,
            replayed: false,
        })
    }

    /// Where the events are, if all of them are recorded as neighbours; `None` if none is recorded.
    fn replay(&self, append: &Append) -> Result<Option<Appended>, AppendError> {
        let place = |id: Uuid| self.places.get(&id).map(|place| (id, place));
        let Some((id, known)) = append.events.iter().find_map(|event| place(event.id)) else {
            return Ok(None);
        };
        let taken = || AppendError::IdTaken { id, stream: known.stream.clone() };
        let mut last = known;
        for (event, version) in append.events.iter().zip(known.version..) {
            let (_, here) = place(event.id).ok_or_else(taken)?;
            if here.stream != append.stream || here.version != version {
                return Err(taken());
            }
            last = here;
        }
        Ok(Some(Appended {
            partition: self.count.partition_of(append.stream.shard_key()),
            first_offset: known.offset,
            last_offset: last.offset,
            first_version: known.version,
            last_version: last.version,
            replayed: true,
        }))
    }
}
