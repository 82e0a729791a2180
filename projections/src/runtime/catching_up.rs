//! Brings a read model up to a place in the log, with both cores.

use std::sync::Arc;

use playhead_eventlog::{Batch, Cursor, EventLog, Partition, ReadError, RecordedEvent};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::{Applied, Attempt, BATCH_MAX, Folded, Parked, ReadModel};
use crate::error::{ProjectionError, StoreError};

/// How many folded batches may wait for the writer.
const AHEAD_MAX: usize = 1;
/// After so many bytes of payload no more events are gathered for a commit; two such batches are at
/// hand.
const GATHERED_BYTES: usize = 16 << 20;
/// The same for each of several read models that catch up at the same time, as when a server starts.
pub(super) const GATHERED_BYTES_TOGETHER: usize = 4 << 20;
/// How many parked events are tried again in one commit.
const RETRY_MAX: u32 = 512;

/// Applies everything up to the head of the log as it is now and answers how many events that were.
///
/// `progress` is told the number of events applied so far, after each commit. Nothing else may
/// write to the read model meanwhile.
///
/// # Errors
/// The log cannot be read or the store not be written; what was committed stays.
pub async fn catch_up(
    log: Arc<dyn EventLog>,
    model: Arc<dyn ReadModel>,
    progress: impl FnMut(u64),
) -> Result<u64, ProjectionError> {
    let head = log.head();
    catch_up_to(log, model, &head, progress).await
}

/// As [`catch_up`], up to a given place; events behind it are left alone.
///
/// # Errors
/// The log cannot be read or the store not be written; what was committed stays.
pub async fn catch_up_to(
    log: Arc<dyn EventLog>,
    model: Arc<dyn ReadModel>,
    until: &Cursor,
    mut progress: impl FnMut(u64),
) -> Result<u64, ProjectionError> {
    let reader = Reader { log, model, gathered_bytes: GATHERED_BYTES };
    let mut from = reader.resume().await?;
    reader.retry_parked(&from).await?;
    let mut events: u64 = 0;
    let applied = |_: &Cursor, applied: Applied| {
        events = events.saturating_add(applied.events);
        progress(events);
    };
    reader.run(&mut from, until, &CancellationToken::new(), applied).await?;
    Ok(events)
}

/// A read model and its source.
pub(super) struct Reader {
    pub(super) log: Arc<dyn EventLog>,
    pub(super) model: Arc<dyn ReadModel>,
    /// After so many bytes of payload no more events are gathered for a commit.
    pub(super) gathered_bytes: usize,
}

type FoldedAhead = Result<(Box<dyn Folded>, Cursor), ProjectionError>;

impl Reader {
    /// The checkpoint, with every partition of the log.
    pub(super) async fn resume(&self) -> Result<Cursor, ProjectionError> {
        let checkpoint = self.model.resume().await.map_err(self.store_failed())?;
        let mut cursor = Cursor::start(self.log.partitions());
        checkpoint.iter().for_each(|(partition, next)| cursor.set(partition, next));
        Ok(cursor)
    }

    /// Tries every parked event again, in order: a mended program heals its read models. Answers
    /// how many are parked still.
    pub(super) async fn retry_parked(&self, checkpoint: &Cursor) -> Result<u64, ProjectionError> {
        let mut place = None;
        let mut parked = 0;
        loop {
            let tried = self.model.parked_after(place, RETRY_MAX).await;
            let tried = tried.map_err(self.store_failed())?;
            let Some(last) = tried.last() else { return Ok(parked) };
            place = Some((last.partition, last.offset));
            let mut events = Vec::with_capacity(tried.len());
            for parked in &tried {
                events.extend(self.read_again(parked).await?);
            }
            let batch = Batch { events, next: checkpoint.clone() };
            let folded = self.model.fold(&batch, Attempt::Again);
            parked = folded.commit().await.map_err(self.store_failed())?.parked;
        }
    }

    async fn read_again(&self, parked: &Parked) -> Result<Option<RecordedEvent>, ProjectionError> {
        let events = self.log.read_stream(&parked.stream, parked.version, 1).await;
        Ok(events.map_err(ProjectionError::log(self.model.name()))?.pop())
    }

    /// Applies everything between two places. Batches are read and folded ahead of the writer.
    /// Stops behind a commit when told to.
    pub(super) async fn run(
        &self,
        from: &mut Cursor,
        until: &Cursor,
        stop: &CancellationToken,
        mut applied: impl FnMut(&Cursor, Applied),
    ) -> Result<(), ProjectionError> {
        let (sender, mut receiver) = mpsc::channel(AHEAD_MAX);
        let (log, model) = (Arc::clone(&self.log), Arc::clone(&self.model));
        let ahead = Self { log, model, gathered_bytes: self.gathered_bytes };
        let reading = ahead.read_ahead(from.clone(), until.clone(), sender);
        let _reading = AbortOnDropHandle::new(tokio::spawn(reading));
        loop {
            let folded = tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                folded = receiver.recv() => folded,
            };
            let Some(folded) = folded else { break };
            let (folded, next) = folded?;
            let done = folded.commit().await.map_err(self.store_failed())?;
            applied(&next, done);
            *from = next;
        }
        if ahead_of(from, until).is_some() {
            return Err(ProjectionError::ReaderEnded { model: self.model.name() });
        }
        Ok(())
    }

    async fn read_ahead(
        self,
        mut cursor: Cursor,
        until: Cursor,
        sender: mpsc::Sender<FoldedAhead>,
    ) {
        while ahead_of(&cursor, &until).is_some() {
            // Room first: a batch that is folded and has none would be one more in memory.
            let Ok(room) = sender.reserve().await else { return };
            let folded = match self.gather(&mut cursor, &until).await {
                Ok(batch) if batch.events.is_empty() => return,
                Ok(batch) => self.fold(batch).await,
                Err(source) => Err(ProjectionError::log(self.model.name())(source)),
            };
            let last = folded.is_err();
            room.send(folded);
            if last {
                return;
            }
        }
    }

    /// Reads up to about [`ReadModel::commit_max`] events, none of them behind `until`.
    async fn gather(&self, cursor: &mut Cursor, until: &Cursor) -> Result<Batch, ReadError> {
        let within = |partition: Partition| until.get(partition).unwrap_or(0);
        let mut events: Vec<RecordedEvent> = Vec::new();
        let mut bytes = 0;
        while let Some(ahead) = ahead_of(cursor, until)
            && events.len() < self.model.commit_max()
            && bytes < self.gathered_bytes
        {
            let batch = self.log.read(&ahead, BATCH_MAX).await?;
            if batch.events.is_empty() {
                break;
            }
            bytes += batch.events.iter().map(|it| it.event.payload.len()).sum::<usize>();
            events.extend(batch.events.into_iter().filter(|e| e.offset < within(e.partition)));
            for (partition, next) in batch.next.iter() {
                cursor.set(partition, next.min(within(partition)));
            }
        }
        Ok(Batch { events, next: cursor.clone() })
    }

    /// Folds a batch on another thread.
    async fn fold(&self, batch: Batch) -> FoldedAhead {
        let (next, model) = (batch.next.clone(), Arc::clone(&self.model));
        let folded = tokio::task::spawn_blocking(move || model.fold(&batch, Attempt::First)).await;
        match folded {
            Ok(folded) => Ok((folded, next)),
            Err(_) => Err(ProjectionError::ReaderEnded { model: self.model.name() }),
        }
    }

    pub(super) fn store_failed(&self) -> impl FnOnce(StoreError) -> ProjectionError {
        ProjectionError::store(self.model.name())
    }
}

/// Those partitions of a cursor that have not reached `until`; `None` if all have.
fn ahead_of(cursor: &Cursor, until: &Cursor) -> Option<Cursor> {
    let ahead: Cursor = cursor
        .iter()
        .filter(|(partition, next)| *next < until.get(*partition).unwrap_or(0))
        .collect();
    let is_behind = ahead.iter().next().is_some();
    is_behind.then_some(ahead)
}
