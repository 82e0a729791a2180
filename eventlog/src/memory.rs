//! A log that lives as long as the process: for tests, and the model for other engines.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;
use uuid::Uuid;

use crate::append::{Append, AppendError, Appended};
use crate::cursor::{Batch, Cursor};
use crate::event::{NewEvent, RecordedEvent};
use crate::log::{EventLog, READ_EVENTS_MAX, ReadError};
use crate::stream::{Partition, PartitionCount, StreamName};

/// Every event in memory. Its appends survive nothing; all else is as [`EventLog`] says.
#[derive(Debug)]
pub struct MemoryLog {
    count: PartitionCount,
    state: Mutex<State>,
    appends: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    partitions: HashMap<Partition, Vec<RecordedEvent>>,
    streams: HashMap<StreamName, Vec<RecordedEvent>>,
    ids: HashMap<Uuid, (StreamName, u64)>,
}

impl MemoryLog {
    /// An empty log.
    #[must_use]
    pub fn new(count: PartitionCount) -> Self {
        Self { count, state: Mutex::default(), appends: watch::Sender::new(()) }
    }

    /// No code panics while it holds the lock, so a poisoned state is still a whole one.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl EventLog for MemoryLog {
    fn partitions(&self) -> PartitionCount {
        self.count
    }

    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        append.validate()?;
        let appended = self.state().append(self.count, append)?;
        self.appends.send_replace(());
        Ok(appended)
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: u64,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, ReadError> {
        let state = self.state();
        let events = state.streams.get(stream).map_or(&[][..], Vec::as_slice);
        let len = length(events);
        if from > len {
            return Err(ReadError::BeyondEnd { stream: stream.clone(), from, len });
        }
        Ok(behind(events, from).iter().take(limit.min(READ_EVENTS_MAX)).cloned().collect())
    }

    async fn read(&self, from: &Cursor, limit: usize) -> Result<Batch, ReadError> {
        let state = self.state();
        let limit = limit.min(READ_EVENTS_MAX);
        let mut batch = Batch { events: Vec::new(), next: from.clone() };
        for (partition, offset) in from.iter() {
            let events = state.events(partition);
            let head = length(events);
            if offset > head {
                return Err(ReadError::BeyondHead { partition, offset, head });
            }
            let left = limit - batch.events.len();
            batch.events.extend(behind(events, offset).iter().take(left).cloned());
        }
        for event in &batch.events {
            batch.next.advance(event);
        }
        Ok(batch)
    }

    async fn wait(&self, from: &Cursor) {
        let mut appends = self.appends.subscribe();
        while from.behind(&self.head()) == 0 {
            if appends.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    fn head(&self) -> Cursor {
        let state = self.state();
        self.count.all().map(|partition| (partition, length(state.events(partition)))).collect()
    }
}

impl State {
    fn events(&self, partition: Partition) -> &[RecordedEvent] {
        self.partitions.get(&partition).map_or(&[], Vec::as_slice)
    }

    fn append(&mut self, count: PartitionCount, append: Append) -> Result<Appended, AppendError> {
        if let Some(earlier) = self.replay(&append)? {
            return Ok(earlier);
        }
        let Append { stream, expected, events } = append;
        let len = self.streams.get(&stream).map_or(0, |events| length(events));
        expected.check(&stream, len)?;
        let partition = count.partition_of(stream.shard_key());
        let first_offset = length(self.events(partition));
        let last = u64::try_from(events.len()).unwrap_or(u64::MAX) - 1;
        for event in events {
            self.record(&stream, partition, event);
        }
        Ok(Appended {
            partition,
            first_offset,
            last_offset: first_offset + last,
            first_version: len,
            last_version: len + last,
            replayed: false,
        })
    }

    fn record(&mut self, stream: &StreamName, partition: Partition, event: NewEvent) {
        let of_partition = self.partitions.entry(partition).or_default();
        let of_stream = self.streams.entry(stream.clone()).or_default();
        let (version, offset) = (length(of_stream), length(of_partition));
        self.ids.insert(event.id, (stream.clone(), version));
        let event = RecordedEvent { stream: stream.clone(), version, partition, offset, event };
        of_partition.push(event.clone());
        of_stream.push(event);
    }

    /// Where the events are, if all of them are recorded as neighbours; `None` if none is recorded.
    fn replay(&self, append: &Append) -> Result<Option<Appended>, AppendError> {
        let known = append.events.iter().find_map(|event| {
            self.ids.get(&event.id).map(|(stream, version)| (event.id, stream, *version))
        });
        let Some((id, stream, version)) = known else { return Ok(None) };
        let taken = || AppendError::IdTaken { id, stream: stream.clone() };
        if *stream != append.stream {
            return Err(taken());
        }
        let events = self.streams.get(stream).map_or(&[][..], |events| behind(events, version));
        let earlier = events.get(..append.events.len()).ok_or_else(taken)?;
        if earlier.iter().zip(&append.events).any(|(earlier, event)| earlier.event.id != event.id) {
            return Err(taken());
        }
        let (first, last) = earlier.first().zip(earlier.last()).ok_or_else(taken)?;
        Ok(Some(Appended {
            partition: first.partition,
            first_offset: first.offset,
            last_offset: last.offset,
            first_version: first.version,
            last_version: last.version,
            replayed: true,
        }))
    }
}

fn length(events: &[RecordedEvent]) -> u64 {
    u64::try_from(events.len()).unwrap_or(u64::MAX)
}

/// The events from index `from` on; none if there are fewer.
fn behind(events: &[RecordedEvent], from: u64) -> &[RecordedEvent] {
    usize::try_from(from).ok().and_then(|from| events.get(from..)).unwrap_or(&[])
}
