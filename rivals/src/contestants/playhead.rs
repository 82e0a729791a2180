//! Ours: the embedded engine of `playhead-eventlog`.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use anyhow::{Result, ensure};
use async_trait::async_trait;
use bytes::Bytes;
use playhead_eventlog::embedded::{EmbeddedLog, Options, Tuning};
use playhead_eventlog::log::READ_EVENTS_MAX;
use playhead_eventlog::{
    Append as NewAppend, AppendError, Cursor, EventLog, Expected, NewEvent, PartitionCount,
    RecordedEvent, StreamName,
};
use uuid::Uuid;

use crate::event::{self, EVENT_TYPE, Payloads};
use crate::log::{Append, Log, Outcome, Seen};

pub(super) const MANNER: &str = "`EmbeddedLog` with 64 partitions, condition on the exact version, \
    every id checked to be new. Writes a group of appends, then one fdatasync, then answers; a \
    writer thread groups what waits.";

/// Actor (16), correlation (16), causation (16) and time (8) are part of the 250 bytes.
const PAYLOAD_BYTES: usize = event::PAYLOAD_BYTES - 16 - 16 - 16 - 8;

const ACTOR: &str = "account:00004711";
static PAYLOADS: LazyLock<Payloads> = LazyLock::new(|| Payloads::new(PAYLOAD_BYTES));

pub(super) struct Playhead {
    log: EmbeddedLog,
}

impl Playhead {
    pub(super) fn open(dir: &Path) -> Result<Self> {
        let partitions = PartitionCount::DEFAULT;
        let options =
            Options { partitions, holder: "rivals".to_owned(), tuning: Tuning::default() };
        let log = EmbeddedLog::open(dir, options)?;
        Ok(Self { log })
    }
}

#[async_trait]
impl Log for Playhead {
    async fn append(&self, append: Append) -> Result<Outcome> {
        let correlation_id = Uuid::from_u64_pair(append.stream, append.tip);
        let recorded_at_ms = i64::try_from(event::now_ms())?;
        // Shared by the events of one append, as a command does it, and not by all writers.
        let (event_type, actor): (Arc<str>, Arc<str>) = (EVENT_TYPE.into(), ACTOR.into());
        let event = |id| NewEvent {
            id,
            event_type: Arc::clone(&event_type),
            schema_version: 1,
            recorded_at_ms,
            actor: Arc::clone(&actor),
            correlation_id,
            causation_id: correlation_id,
            payload: PAYLOADS.of(id),
            metadata: Bytes::new(),
        };
        let expected = append.tip.checked_sub(1).map_or(Expected::NoStream, Expected::Exact);
        let stream = StreamName::parse(&event::stream_name(append.stream))?;
        let events = event::ids(append.events).map(event).collect();
        match self.log.append(NewAppend { stream, expected, events }).await {
            Ok(appended) => Ok(Outcome::Done(appended.last_version + 1)),
            Err(AppendError::Conflict { .. }) => Ok(Outcome::Conflict),
            Err(error) => Err(error.into()),
        }
    }

    async fn scan(&self) -> Result<Seen> {
        let mut seen = Seen::default();
        let mut cursor = Cursor::start(self.log.partitions());
        loop {
            let batch = self.log.read(&cursor, READ_EVENTS_MAX).await?;
            if batch.events.is_empty() {
                return Ok(seen);
            }
            batch.events.iter().for_each(|event| count(&mut seen, event));
            cursor = batch.next;
        }
    }

    async fn read(&self, stream: u64) -> Result<Seen> {
        let mut seen = Seen::default();
        let stream = StreamName::parse(&event::stream_name(stream))?;
        loop {
            let events = self.log.read_stream(&stream, seen.events, READ_EVENTS_MAX).await?;
            if events.is_empty() {
                return Ok(seen);
            }
            ensure!(
                events.iter().all(|event| event.stream == stream),
                "an event of another stream"
            );
            events.iter().for_each(|event| count(&mut seen, event));
        }
    }

    async fn close(&self) -> Result<()> {
        self.log.close().await;
        Ok(())
    }
}

fn count(seen: &mut Seen, recorded: &RecordedEvent) {
    let event = &recorded.event;
    let fixed = size_of_val(&event.id) * 3 + size_of_val(&event.recorded_at_ms);
    let texts = recorded.stream.as_str().len() + event.event_type.len() + event.actor.len();
    seen.event(fixed + texts + event.payload.len() + event.metadata.len());
}
