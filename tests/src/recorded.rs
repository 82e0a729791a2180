//! What the log of a data directory holds, read from its files.

use std::collections::BTreeMap;
use std::path::Path;

use playhead_eventlog::embedded::EmbeddedLog;
use playhead_eventlog::{Cursor, EventLog, RecordedEvent};
use serde_json::Value;

/// How many events are read at once.
const READ: usize = 10_000;

/// The heartbeats seen so far, by session. Reads on where it stopped.
#[derive(Debug, Default)]
pub struct Recorded {
    cursor: Option<Cursor>,
    /// How many events each stream has.
    versions: BTreeMap<String, u64>,
    /// How many heartbeats each session has; they count from 0.
    heartbeats: BTreeMap<String, u32>,
}

impl Recorded {
    /// Everything that the log holds.
    pub async fn all(data: &Path) -> Self {
        let mut recorded = Self::default();
        recorded.read_on(data).await;
        recorded
    }

    /// Reads what is new; answers how many events that is.
    ///
    /// Every stream must go on without a gap, and every session with its next heartbeat: none
    /// missing, none twice, none out of order.
    pub async fn read_on(&mut self, data: &Path) -> usize {
        let log = EmbeddedLog::open_read_only(data).unwrap();
        let mut cursor = self.cursor.take().unwrap_or_else(|| Cursor::start(log.partitions()));
        let mut count = 0;
        loop {
            let batch = log.read(&cursor, READ).await.unwrap();
            if batch.events.is_empty() {
                break;
            }
            count += batch.events.len();
            batch.events.iter().for_each(|event| self.enter(event));
            cursor = batch.next;
        }
        assert_eq!(cursor, log.head(), "reading ends before the log does");
        self.cursor = Some(cursor);
        count
    }

    fn enter(&mut self, event: &RecordedEvent) {
        let stream = event.stream.as_str();
        let version = self.versions.entry(stream.to_owned()).or_default();
        assert_eq!(event.version, *version, "{stream} has a gap");
        *version += 1;
        if &*event.event.event_type == "Progressed" {
            let payload: Value = serde_json::from_slice(&event.event.payload).unwrap();
            let session = payload["session_id"].as_str().unwrap();
            let next = self.heartbeats.entry(session.to_owned()).or_default();
            assert_eq!(payload["sequence"], *next, "the heartbeats of {session}");
            *next += 1;
        }
    }

    /// How many heartbeats a session has.
    pub fn heartbeats(&self, session: &str) -> u32 {
        self.heartbeats.get(session).copied().unwrap_or(0)
    }
}
