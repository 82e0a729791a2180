//! Made-up events and appends, and what to do with a log in one word.

use std::ops::Range;

use bytes::Bytes;
use uuid::Uuid;

use crate::append::{Append, AppendError, Appended, Expected};
use crate::cursor::{Batch, Cursor};
use crate::event::{NewEvent, RecordedEvent};
use crate::log::EventLog;
use crate::stream::StreamName;

pub(super) fn stream(name: &str) -> StreamName {
    StreamName::parse(name).expect("the names of examples are valid")
}

/// An event that differs from others in all that can differ.
pub(super) fn event(id: u128) -> NewEvent {
    NewEvent {
        id: Uuid::from_u128(id),
        event_type: format!("Happened{}", id % 3).into(),
        schema_version: u16::try_from(id % 7).unwrap_or(0) + 1,
        recorded_at_ms: i64::try_from(id).unwrap_or(i64::MAX),
        actor: format!("account:{}", id % 5).into(),
        correlation_id: Uuid::from_u128(id << 1),
        causation_id: Uuid::from_u128(id << 2),
        payload: format!("{{\"number\":{id}}}").into(),
        metadata: Bytes::new(),
    }
}

/// An append of events with these ids.
pub(super) fn append(name: &str, expected: Expected, ids: Range<u128>) -> Append {
    Append { stream: stream(name), expected, events: ids.map(event).collect() }
}

/// Appends under any condition.
pub(super) async fn record(log: &dyn EventLog, name: &str, ids: Range<u128>) -> Appended {
    let appended = log.append(append(name, Expected::Any, ids)).await;
    appended.expect("nothing speaks against the append")
}

/// What an append that must fail answers.
pub(super) async fn refused(log: &dyn EventLog, append: Append) -> AppendError {
    log.append(append).await.expect_err("the append must be refused")
}

/// Every event of a stream.
pub(super) async fn events_of(log: &dyn EventLog, name: &str) -> Vec<RecordedEvent> {
    let mut events: Vec<RecordedEvent> = Vec::new();
    loop {
        let from = u64::try_from(events.len()).unwrap_or(u64::MAX);
        let more = log.read_stream(&stream(name), from, 1_000).await;
        let more = more.expect("the log is sound");
        if more.is_empty() {
            return events;
        }
        events.extend(more);
    }
}

/// One batch.
pub(super) async fn batch(log: &dyn EventLog, from: &Cursor, limit: usize) -> Batch {
    log.read(from, limit).await.expect("the log is sound and the cursor its own")
}

/// Every event of the log.
pub(super) async fn all_events(log: &dyn EventLog) -> Vec<RecordedEvent> {
    let mut cursor = Cursor::start(log.partitions());
    let mut events = Vec::new();
    loop {
        let batch = batch(log, &cursor, 1_000).await;
        if batch.events.is_empty() {
            return events;
        }
        events.extend(batch.events);
        cursor = batch.next;
    }
}

/// The ids, as numbers.
pub(super) fn ids(events: &[RecordedEvent]) -> Vec<u128> {
    events.iter().map(|event| event.event.id.as_u128()).collect()
}

/// Panics unless the events of every partition, and of every stream, count up from 0.
pub(super) fn assert_dense(events: &[RecordedEvent]) {
    let mut offsets = std::collections::HashMap::new();
    let mut versions = std::collections::HashMap::new();
    for event in events {
        let offset = offsets.entry(event.partition).or_insert(0);
        let version = versions.entry(event.stream.clone()).or_insert(0);
        assert_eq!((event.offset, event.version), (*offset, *version), "{event:?}");
        *offset += 1;
        *version += 1;
    }
}
