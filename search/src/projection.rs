//! The read model `search`: the index, folded from the log.
//!
//! A commit makes the documents of a batch and its checkpoint durable in one step: the checkpoint is
//! in the payload of the Tantivy commit, so every event counts once, and a process that dies in
//! between goes on from the payload before. Batches in which nothing is about titles are not
//! committed: the checkpoint moves in memory, and they are passed over again after a restart, at
//! most [`IDLE_EVENTS_MAX`] events of them.
//!
//! What completes typing and what is alike ([`Aids`]) is built from the index in memory, by
//! [`Search::prepare`], and may be some seconds older than the index.
//!
//! **Nothing in here is about a person who uses the service**: documents are made of what is
//! published about titles, without who owns them, and events of accounts pass unread. So there is
//! nothing to erase, and nothing that deleted segments could leave behind.

mod aids;
mod changes;
mod dump;
mod ledger;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::num::NonZero;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use playhead_eventlog::{Batch, Cursor, EventLog, Partition, RecordedEvent};
use playhead_projections::generation::{Generation, is_in_log};
use playhead_projections::runtime::{Applied, Attempt, Folded, Parked, ReadModel};
use playhead_projections::store::Fold as _;
use playhead_projections::{StoreError, catalog};
use tokio::sync::{Semaphore, watch};

pub use self::aids::Aids;
use self::changes::Changes;
pub use self::ledger::PARKED_MAX;
use self::ledger::{Ledger, cut};
use crate::index::{Error, Index, Options, Snapshot};
use crate::popularity::Popularity;
use crate::query::{self, Answer, Request};

/// The name of the read model.
pub const NAME: &str = "search";
/// Goes up whenever the schema, the meaning of a fold or the way in which texts become words
/// changes. An index of another version is not migrated but rebuilt from the log.
pub const VERSION: u32 = 1;
/// After so many events of which none is about a title, the checkpoint is made durable all the same.
pub const IDLE_EVENTS_MAX: u64 = 65_536;
/// How many events are folded into one commit while it is behind: as many titles, with their
/// synopses, are about 25 MB.
const COMMIT_MAX: usize = 8_192;

/// Searches that run at once. Each is work for a processor and holds up to 20 MB of automata for
/// misspelt words; with one per core, processors idle between a search and the next.
const SEARCHES_PER_CORE: usize = 2;

/// The read model `search`. Clones are handles to the same index.
#[derive(Debug, Clone)]
pub struct Search {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// `None` if it is in memory.
    path: Option<PathBuf>,
    index: Index,
    ledger: Mutex<Ledger>,
    /// How often the index has changed since it was opened.
    changes: watch::Sender<u64>,
    aids: ArcSwap<Aids>,
    /// Whoever may search now; the others wait their turn.
    searching: Arc<Semaphore>,
}

impl Search {
    /// Opens the index in a directory, or makes a new one.
    ///
    /// # Errors
    /// [`StoreError::needs_rebuild`] if it has to be rebuilt; or it cannot be opened, such as when
    /// it is open elsewhere.
    pub fn open(path: &Path, options: Options) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Io { path: path.to_owned(), source };
        std::fs::create_dir_all(path).map_err(failed)?;
        let index = Index::open(path, options).map_err(|error| match error {
            error if error.is_other_form() => other_version(path, error.to_string()),
            Error::Corrupt(reason) => {
                StoreError::Damaged { path: path.to_owned(), reason: reason.to_owned() }
            }
            error => index_failed("opening the search index")(error),
        })?;
        Self::over(index, Some(path.to_owned()))
    }

    /// An empty index that lives in memory.
    ///
    /// # Errors
    /// Its threads cannot be started.
    pub fn in_memory(options: Options) -> Result<Self, StoreError> {
        let index = Index::in_memory(options);
        Self::over(index.map_err(index_failed("making a search index"))?, None)
    }

    fn over(index: Index, path: Option<PathBuf>) -> Result<Self, StoreError> {
        let ledger = load(&index, path.as_deref())?;
        let changes = watch::Sender::new(1);
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let shared = Shared {
            path,
            index,
            ledger: Mutex::new(ledger),
            changes,
            aids: ArcSwap::from_pointee(Aids::default()),
            searching: Arc::new(Semaphore::new(SEARCHES_PER_CORE * cores)),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The newest state of the index.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.index.snapshot()
    }

    /// What completes typing and tells what is alike, as it was prepared last; at first there is
    /// nothing to suggest.
    #[must_use]
    pub fn aids(&self) -> Arc<Aids> {
        self.shared.aids.load_full()
    }

    /// Finds titles, on a thread that may take its time. Two searches per core run at once; the others
    /// wait, in the order in which they came.
    ///
    /// # Errors
    /// As [`Snapshot::search`].
    pub async fn search(&self, request: Request) -> Result<Answer, query::Error> {
        let turn = Arc::clone(&self.shared.searching).acquire_owned().await;
        let turn = turn.map_err(std::io::Error::other)?;
        let snapshot = self.snapshot();
        let searched = tokio::task::spawn_blocking(move || {
            // Kept until it ends, also if nobody waits for the answer any more.
            let _turn = turn;
            snapshot.search(&request)
        });
        searched.await.map_err(std::io::Error::other)?
    }

    /// Orders by another table of plays from now on. Takes as long as looking at every title.
    ///
    /// # Errors
    /// The index cannot be read; searches go on with what they had.
    pub async fn set_popularity(&self, popularity: Popularity) -> Result<(), StoreError> {
        self.blocking("ordering the search index", move |shared| {
            shared.index.set_popularity(popularity)?;
            shared.changes.send_modify(|changes| *changes += 1);
            Ok(())
        })
        .await
    }

    /// Returns when the index has changed since the last [`Search::prepare`].
    pub async fn outdated(&self) {
        let mut changes = self.shared.changes.subscribe();
        let prepared = self.aids().changes;
        if changes.wait_for(|changes| *changes != prepared).await.is_err() {
            std::future::pending().await
        }
    }

    /// Builds [`Aids`] of the newest state of the index, if the index has changed; false if not. Joins
    /// small segments before, so that searches are fast. One at a time should: it reads every title
    /// twice and takes a moment, and some memory.
    ///
    /// # Errors
    /// The index cannot be read; the aids stay as they were.
    pub async fn prepare(&self) -> Result<bool, StoreError> {
        let changes = *self.shared.changes.borrow();
        if self.aids().changes == changes {
            return Ok(false);
        }
        self.blocking("preparing suggestions", move |shared| {
            if let Err(error) = shared.index.join_segments() {
                tracing::warn!(%error, "searches look into more segments than they need to");
            }
            let aids = Aids::build(&shared.index.snapshot(), changes)?;
            shared.aids.store(Arc::new(aids));
            Ok(true)
        })
        .await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Shared) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = Arc::clone(&self.shared);
        let done = tokio::task::spawn_blocking(move || work(&shared)).await;
        let source = |source| StoreError::Index { operation, source };
        done.map_err(|ended| source(ended.into()))?.map_err(|error| source(error.into()))
    }
}

impl Shared {
    /// No code panics while it holds the lock, so a poisoned ledger is still a whole one.
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn index_failed(operation: &'static str) -> impl FnOnce(Error) -> StoreError {
    move |error| StoreError::Index { operation, source: error.into() }
}

fn other_version(path: &Path, found: String) -> StoreError {
    StoreError::OtherVersion { path: path.to_owned(), found, wanted: format!("{NAME} {VERSION}") }
}

/// What the payload of the last commit says; nothing before the first.
fn load(index: &Index, path: Option<&Path>) -> Result<Ledger, StoreError> {
    let payload = index.payload().map_err(index_failed("reading the checkpoint"))?;
    let Some(payload) = payload else { return Ok(Ledger::default()) };
    let (version, ledger) = Ledger::parse(&payload)?;
    if version == VERSION {
        return Ok(ledger);
    }
    Err(other_version(path.unwrap_or(Path::new("memory")), format!("{NAME} {version}")))
}

#[async_trait]
impl Generation for Search {
    const NAME: &'static str = NAME;
    const ENDING: &'static str = "tantivy";

    async fn open(path: &Path) -> Result<Self, StoreError> {
        let path = path.to_owned();
        let opened = tokio::task::spawn_blocking(move || Self::open(&path, Options::default()));
        let failed = "opening the search index";
        opened.await.map_err(|it| StoreError::Index { operation: failed, source: it.into() })?
    }

    async fn open_fresh(path: &Path) -> Result<Self, StoreError> {
        <Self as Generation>::open(path).await
    }

    async fn belongs_to(&self, log: &dyn EventLog) -> Result<bool, StoreError> {
        let last_events = self.shared.ledger().last_events();
        is_in_log(log, last_events).await
    }

    async fn seal(self) -> Result<(), StoreError> {
        let seal = |shared: &Shared| {
            shared.index.join_segments()?;
            shared.close()
        };
        self.blocking("sealing the search index", seal).await
    }

    async fn close(&self) {
        if let Err(error) = self.blocking("closing the search index", Shared::close).await {
            tracing::warn!(error = %error, "what was passed over is passed over again");
        }
    }
}

impl Shared {
    /// Commits the checkpoint, if it has moved since, and lets go of the directory.
    fn close(&self) -> Result<(), Error> {
        let payload = {
            let ledger = self.ledger();
            (ledger.idle_events > 0).then(|| ledger.payload()).transpose()?
        };
        let committed = payload.map_or(Ok(()), |payload| self.index.commit(&payload));
        self.index.close()?;
        committed
    }
}

#[async_trait]
impl ReadModel for Search {
    fn name(&self) -> &'static str {
        NAME
    }

    fn commit_max(&self) -> usize {
        COMMIT_MAX
    }

    async fn checkpoint(&self) -> Result<Cursor, StoreError> {
        Ok(self.shared.ledger().checkpoint())
    }

    async fn resume(&self) -> Result<Cursor, StoreError> {
        self.blocking("resuming the search index", |shared| shared.index.rollback()).await?;
        let ledger = load(&self.shared.index, self.shared.path.as_deref())?;
        let checkpoint = ledger.checkpoint();
        *self.shared.ledger() = ledger;
        Ok(checkpoint)
    }

    fn fold(&self, batch: &Batch, attempt: Attempt) -> Box<dyn Folded> {
        let mut folded = FoldedBatch {
            search: self.clone(),
            changes: Changes::default(),
            events: u64::try_from(batch.events.len()).unwrap_or(u64::MAX),
            next: batch.next.clone(),
            last_events: BTreeMap::new(),
            parked: vec![],
            unparked: vec![],
        };
        let mut ledger = self.shared.ledger();
        for event in &batch.events {
            folded.last_events.insert(event.partition, (event.offset, event.event.id));
            // The same events as those of the catalogue.
            if catalog::Changes::wants(&event.event.event_type) {
                folded.fold(event, attempt, &mut ledger);
            }
        }
        drop(ledger);
        Box::new(folded)
    }

    async fn parked_after(
        &self,
        place: Option<(Partition, u64)>,
        limit: u32,
    ) -> Result<Vec<Parked>, StoreError> {
        let from = place.map_or(Bound::Unbounded, Bound::Excluded);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let ledger = self.shared.ledger();
        let behind = ledger.parked.range((from, Bound::Unbounded));
        Ok(behind.map(|(_, parked)| parked.clone()).take(limit).collect())
    }
}

/// The changes of a batch on their way into the index.
struct FoldedBatch {
    search: Search,
    changes: Changes,
    events: u64,
    next: Cursor,
    /// Offset and id of the last event of each partition.
    last_events: BTreeMap<Partition, (u64, uuid::Uuid)>,
    parked: Vec<Parked>,
    unparked: Vec<(Partition, u64)>,
}

impl FoldedBatch {
    fn fold(&mut self, event: &RecordedEvent, attempt: Attempt, ledger: &mut Ledger) {
        let blocked = ledger.blocked.get(&event.stream).copied();
        if let Some(version) = blocked.filter(|version| *version < event.version) {
            return self.park(event, format!("waits behind version {version} of its stream"));
        }
        match self.changes.fold(event) {
            Err(error) => {
                let error = error.to_string();
                tracing::error!(
                    model = NAME, stream = %event.stream, version = event.version, error,
                    "parked an event that cannot be folded; its stream waits"
                );
                ledger.blocked.insert(event.stream.clone(), event.version);
                self.park(event, error);
            }
            Ok(()) => {
                if blocked == Some(event.version) {
                    ledger.blocked.remove(&event.stream);
                }
                if attempt == Attempt::Again {
                    self.unparked.push((event.partition, event.offset));
                }
            }
        }
    }

    fn park(&mut self, event: &RecordedEvent, error: String) {
        self.parked.push(Parked {
            stream: event.stream.clone(),
            version: event.version,
            partition: event.partition,
            offset: event.offset,
            event_id: event.event.id,
            event_type: event.event.event_type.as_ref().to_owned(),
            error: cut(error),
        });
    }

    /// The ledger as it is after the batch, without what is folded and not committed yet.
    fn after(&self) -> Result<Ledger, StoreError> {
        let mut after = self.search.shared.ledger().clone();
        after.move_to(&self.next, &self.last_events)?;
        for place in &self.unparked {
            after.parked.remove(place);
        }
        let parked = self.parked.iter().map(|it| ((it.partition, it.offset), it.clone()));
        after.parked.extend(parked);
        if after.parked.len() > PARKED_MAX {
            return Err(ledger::unreadable(format!(
                "more than {PARKED_MAX} events cannot be folded; the index stays as it is"
            )));
        }
        after.idle_events = after.idle_events.saturating_add(self.events);
        Ok(after)
    }

    fn is_idle(&self) -> bool {
        self.changes.is_empty() && self.parked.is_empty() && self.unparked.is_empty()
    }

    fn write(self, mut after: Ledger) -> Result<Ledger, Error> {
        let shared = &self.search.shared;
        let changed = self.changes.write(&shared.index)?;
        after.idle_events = 0;
        shared.index.commit(&after.payload()?)?;
        if changed {
            shared.changes.send_modify(|changes| *changes += 1);
        }
        Ok(after)
    }
}

#[async_trait]
impl Folded for FoldedBatch {
    async fn commit(self: Box<Self>) -> Result<Applied, StoreError> {
        let (shared, events) = (Arc::clone(&self.search.shared), self.events);
        let mut after = self.after()?;
        if !self.is_idle() || after.idle_events >= IDLE_EVENTS_MAX {
            let search = self.search.clone();
            let write = move |_: &Shared| self.write(after);
            after = search.blocking("committing a batch", write).await?;
        }
        let parked = u64::try_from(after.parked.len()).unwrap_or(u64::MAX);
        shared.ledger().take_over(after);
        Ok(Applied { events, parked })
    }
}
