//! Logs in databases of their own, and events to put into them.

use std::ops::Range;

use bytes::Bytes;
use playhead_eventlog::postgres::PostgresLog;
use playhead_eventlog::{
    Append, AppendError, Appended, Cursor, EventLog, Expected, NewEvent, PartitionCount,
    RecordedEvent, StreamName,
};
use uuid::Uuid;

pub(crate) fn two_partitions() -> PartitionCount {
    PartitionCount::new(2).unwrap()
}

pub(crate) async fn open(address: &str, partitions: PartitionCount) -> PostgresLog {
    PostgresLog::open(address, partitions).await.unwrap()
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

pub(crate) async fn record(log: &dyn EventLog, name: &str, ids: Range<u128>) -> Appended {
    log.append(append(name, Expected::Any, ids)).await.unwrap()
}

/// Appends one event after another under the condition that nothing came between, and says where
/// each went. Reads nothing: it learns the length of the stream from losing.
pub(crate) async fn win(log: &dyn EventLog, name: &str, ids: Range<u128>) -> Vec<(u64, u128)> {
    let mut expected = Expected::NoStream;
    let mut won = Vec::new();
    for id in ids {
        loop {
            match log.append(append(name, expected, [id])).await {
                Ok(appended) => {
                    won.push((appended.first_version, id));
                    expected = Expected::Exact(appended.last_version);
                    break;
                }
                Err(AppendError::Conflict { len, .. }) => expected = Expected::Exact(len - 1),
                Err(error) => panic!("{error}"),
            }
        }
    }
    won
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
