//! Tephra: one segment log, a writer thread, conditions on tag queries.

use std::path::Path;
use std::sync::Mutex;

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use tephra::{
    AppendCondition, AppendError, Event, EventType, Position, Query, QueryItem, SegmentConfig,
    SegmentSet, Tag, Tags, WriteCoordinator, WriteHandle, WriterConfig,
};
use tokio::task;

use crate::event::{self, EVENT_TYPE, PAYLOADS};
use crate::log::{Append, Log, Outcome, Seen};

pub(super) const MANNER: &str = "`WriteCoordinator` with `append_async`, segments of 256 MiB, \
    batches of at most 64 MiB; the stream is a tag, the condition that no event with this tag \
    stands behind the last known position. Ids are not checked. Writes a batch, then one fdatasync \
    (seglog `sync`), then answers; fsyncs a new segment and its directory at each rollover; the \
    index is derived and synced only when a segment is sealed.";

const SEGMENT_BYTES: usize = 256 << 20;
/// The default of 8 MiB would cut 64 appends of 512 events in two.
const BATCH_BYTES: usize = 64 << 20;

pub(super) struct Tephra {
    handle: WriteHandle,
    event_type: EventType,
    coordinator: Mutex<Option<WriteCoordinator>>,
}

impl Tephra {
    pub(super) fn open(dir: &Path) -> Result<Self> {
        let set = SegmentSet::open(dir, SegmentConfig::new(SEGMENT_BYTES))?;
        let config = WriterConfig { max_batch_bytes: BATCH_BYTES, ..WriterConfig::default() };
        let (coordinator, handle) = WriteCoordinator::start(set, config)?;
        let event_type = EventType::new(EVENT_TYPE)?;
        Ok(Self { handle, event_type, coordinator: Mutex::new(Some(coordinator)) })
    }

    async fn count(&self, query: Query) -> Result<Seen> {
        let handle = self.handle.clone();
        let read = task::spawn_blocking(move || {
            let mut seen = Seen::default();
            let mut reads = handle.read(&query, Position::ZERO, None);
            while let Some(item) = reads.next() {
                let event = item?.event;
                let tags: usize = event.tags().map(str::len).sum();
                seen.event(event.event_type().len() + tags + event.data().len());
            }
            Ok(seen)
        });
        read.await?
    }
}

#[async_trait]
impl Log for Tephra {
    async fn append(&self, append: Append) -> Result<Outcome> {
        let tags = tags(append.stream)?;
        let mut data = Vec::with_capacity(event::PAYLOAD_BYTES + 16);
        let mut events = Vec::with_capacity(append.events);
        for id in event::ids(append.events) {
            data.clear();
            data.extend_from_slice(id.as_bytes());
            data.extend_from_slice(&PAYLOADS.of(id));
            events.push(Event::new(&self.event_type, &tags, &data)?);
        }
        let condition = AppendCondition::new(Query::item(QueryItem::with_tags(tags)))
            .after(Position::new(append.tip));
        match self.handle.append_async(events, Some(condition)).await {
            Ok(range) => Ok(Outcome::Done(range.last.get())),
            Err(AppendError::Conflict { .. }) => Ok(Outcome::Conflict),
            Err(error) => Err(error.into()),
        }
    }

    async fn scan(&self) -> Result<Seen> {
        self.count(Query::all()).await
    }

    async fn read(&self, stream: u64) -> Result<Seen> {
        self.count(Query::item(QueryItem::with_tags(tags(stream)?))).await
    }

    async fn close(&self) -> Result<()> {
        let coordinator = self.coordinator.lock().ok().and_then(|mut slot| slot.take());
        let coordinator = coordinator.context("closed twice")?;
        task::spawn_blocking(move || drop(coordinator.shutdown())).await?;
        Ok(())
    }
}

fn tags(stream: u64) -> Result<Tags> {
    Ok(Tags::new([Tag::new(event::stream_name(stream))?])?)
}
