//! Logs in temporary directories, and events to put into them.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use playhead_eventlog::embedded::{EmbeddedLog, OpenError, Options, Tuning};
use playhead_eventlog::{
    Append, Cursor, EventLog, Expected, NewEvent, PartitionCount, RecordedEvent, StreamName,
};
use tempfile::TempDir;
use uuid::Uuid;

/// No room is taken ahead, so that a file holds its records and nothing else.
pub(crate) const TIGHT: Tuning = Tuning { allocate_bytes: 1, ..Tuning::DEFAULT };

/// Segments of a few appends, few lengths in memory, indexes merged by threes.
pub(crate) const TINY: Tuning =
    Tuning { segment_bytes: 2_000, alone_bytes: 500, tips_max: 4, merge_width: 3, ..TIGHT };

fn options(partitions: PartitionCount, tuning: Tuning) -> Options {
    Options { partitions, holder: "the engine tests".to_owned(), tuning }
}

pub(crate) fn try_open(dir: &Path) -> Result<EmbeddedLog, OpenError> {
    EmbeddedLog::open(dir, options(PartitionCount::DEFAULT, TIGHT))
}

pub(crate) fn open(dir: &Path) -> EmbeddedLog {
    try_open(dir).unwrap()
}

pub(crate) fn open_with(dir: &Path, partitions: PartitionCount) -> EmbeddedLog {
    open_tuned(dir, partitions, TIGHT)
}

pub(crate) fn open_tuned(dir: &Path, partitions: PartitionCount, tuning: Tuning) -> EmbeddedLog {
    EmbeddedLog::open(dir, options(partitions, tuning)).unwrap()
}

pub(crate) fn event(id: u128) -> NewEvent {
    NewEvent {
        id: Uuid::from_u128(id),
        event_type: "Happened".into(),
        schema_version: 1,
        recorded_at_ms: 1_700_000_000_000,
        actor: "system:test".into(),
        correlation_id: Uuid::from_u128(id + 1),
        causation_id: Uuid::nil(),
        payload: format!("{{\"number\":{id}}}").into(),
        metadata: Bytes::new(),
    }
}

pub(crate) fn append(
    name: &str,
    expected: Expected,
    ids: impl IntoIterator<Item = u128>,
) -> Append {
    let events = ids.into_iter().map(event).collect();
    Append { stream: StreamName::parse(name).unwrap(), expected, events }
}

pub(crate) async fn record(log: &dyn EventLog, name: &str, ids: Range<u128>) {
    log.append(append(name, Expected::Any, ids)).await.unwrap();
}

/// Every event of the log, in the order that a read of all partitions gives.
pub(crate) async fn all_events(log: &dyn EventLog) -> Vec<RecordedEvent> {
    let mut cursor = Cursor::start(log.partitions());
    let mut events = Vec::new();
    loop {
        let batch = log.read(&cursor, 1_000).await.unwrap();
        if batch.events.is_empty() {
            return events;
        }
        events.extend(batch.events);
        cursor = batch.next;
    }
}

pub(crate) fn ids(events: &[RecordedEvent]) -> Vec<u128> {
    events.iter().map(|event| event.event.id.as_u128()).collect()
}

pub(crate) fn segment(dir: &Path) -> PathBuf {
    dir.join("journal/00000000000000000000.seg")
}

/// A directory with a journal of these bytes: what another machine, or a crash, left.
pub(crate) fn with_journal(bytes: &[u8]) -> TempDir {
    let dir = TempDir::new().unwrap();
    fs::create_dir(dir.path().join("journal")).unwrap();
    fs::write(segment(dir.path()), bytes).unwrap();
    dir
}

/// The bytes of the journal in `dir` as they are now.
pub(crate) fn journal(dir: &Path) -> Vec<u8> {
    fs::read(segment(dir)).unwrap()
}
