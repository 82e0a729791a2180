//! What the index keeps about itself: version, checkpoint, parked events. All of it is the payload
//! of a commit, as JSON.

use std::collections::BTreeMap;

use playhead_eventlog::{Cursor, Partition, StreamName};
use playhead_projections::StoreError;
use playhead_projections::runtime::Parked;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::VERSION;
use crate::index::Error;

/// The most events that can be parked. They are in the payload of every commit, with up to 500 bytes
/// each; with more the read model stands still and says so.
pub const PARKED_MAX: usize = 10_000;
/// The most characters of an error that are kept.
const ERROR_CHARS_MAX: usize = 200;

/// What a writer remembers of its index between two commits.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    /// By partition: the next offset, and the id of the event before it.
    places: BTreeMap<Partition, (u64, Uuid)>,
    /// The parked events by their place in the log.
    pub(super) parked: BTreeMap<(Partition, u64), Parked>,
    /// The first parked version of each stream that has one, including what is folded, but not yet
    /// committed.
    pub(super) blocked: BTreeMap<StreamName, u64>,
    /// How many events were passed over since the last commit.
    pub(super) idle_events: u64,
}

/// The payload. Names are stored.
#[derive(Serialize, Deserialize)]
struct Payload {
    version: u32,
    checkpoint: Vec<(u16, u64, Uuid)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parked: Vec<Entry>,
}

/// A parked event: stream, version, partition, offset, id, type, error.
type Entry = (String, u64, u16, u64, Uuid, String, String);

impl Ledger {
    /// Everything before it is in the index.
    pub(super) fn checkpoint(&self) -> Cursor {
        self.places.iter().map(|(partition, (next, _))| (*partition, *next)).collect()
    }

    /// The last event before the checkpoint of each partition that has one.
    pub(super) fn last_events(&self) -> Vec<(Partition, u64, Uuid)> {
        self.places.iter().map(|(partition, (next, id))| (*partition, *next, *id)).collect()
    }

    /// Moves the checkpoint. Every partition that moves must have its last event in the batch: the
    /// log could not be known again otherwise.
    pub(super) fn move_to(
        &mut self,
        next: &Cursor,
        last_events: &BTreeMap<Partition, (u64, Uuid)>,
    ) -> Result<(), StoreError> {
        for (partition, next) in next.iter() {
            if self.places.get(&partition).map_or(0, |(next, _)| *next) == next {
                continue;
            }
            match last_events.get(&partition) {
                Some((offset, id)) if offset.checked_add(1) == Some(next) => {
                    self.places.insert(partition, (next, *id));
                }
                _ => {
                    let moved =
                        format!("it moves partition {partition} to {next} without the event");
                    return Err(unreadable(moved));
                }
            }
        }
        Ok(())
    }

    /// Becomes what was committed, but for the streams that later batches found blocked.
    pub(super) fn take_over(&mut self, committed: Self) {
        let blocked = std::mem::take(&mut self.blocked);
        *self = Self { blocked, ..committed };
    }

    pub(super) fn payload(&self) -> Result<String, Error> {
        let checkpoint =
            self.places.iter().map(|(partition, (next, id))| (partition.0, *next, *id)).collect();
        let parked = self.parked.values().map(entry).collect();
        Ok(serde_json::to_string(&Payload { version: VERSION, checkpoint, parked })?)
    }

    /// The version that wrote a payload, and what it says if that is this one.
    pub(super) fn parse(payload: &str) -> Result<(u32, Self), StoreError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let Versioned { version } = serde_json::from_str(payload).map_err(unreadable)?;
        if version != VERSION {
            return Ok((version, Self::default()));
        }
        let payload: Payload = serde_json::from_str(payload).map_err(unreadable)?;
        let places = payload.checkpoint.into_iter();
        let places = places.map(|(partition, next, id)| (Partition(partition), (next, id)));
        let mut ledger = Self { places: places.collect(), ..Self::default() };
        for entry in payload.parked {
            let parked = parked(entry)?;
            let first = ledger.blocked.entry(parked.stream.clone()).or_insert(parked.version);
            *first = parked.version.min(*first);
            ledger.parked.insert((parked.partition, parked.offset), parked);
        }
        Ok((version, ledger))
    }
}

fn entry(it: &Parked) -> Entry {
    let (stream, partition) = (it.stream.as_str().to_owned(), it.partition.0);
    let (event_type, error) = (it.event_type.clone(), it.error.clone());
    (stream, it.version, partition, it.offset, it.event_id, event_type, error)
}

fn parked(
    (stream, version, partition, offset, event_id, event_type, error): Entry,
) -> Result<Parked, StoreError> {
    let stream = StreamName::parse(&stream).map_err(unreadable)?;
    let partition = Partition(partition);
    Ok(Parked { stream, version, partition, offset, event_id, event_type, error })
}

/// An error as it is kept.
pub(super) fn cut(mut error: String) -> String {
    if let Some((end, _)) = error.char_indices().nth(ERROR_CHARS_MAX) {
        error.truncate(end);
    }
    error
}

pub(super) fn unreadable(reason: impl ToString) -> StoreError {
    let what = "the checkpoint of the search index".to_owned();
    StoreError::Unreadable { what, reason: reason.to_string() }
}
