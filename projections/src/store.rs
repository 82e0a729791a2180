//! SQLite stores: one file per read model, one writer, a few readers.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use playhead_domain::{AccountId, CodecError};
use playhead_eventlog::{Batch, Cursor, EventLog, Partition, RecordedEvent};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection};
use uuid::Uuid;

use crate::bookkeeping::{self, LastEvent, Ledger};
use crate::erasure;
use crate::error::StoreError;
use crate::generation::is_in_log;
use crate::runtime::{Applied, Attempt, Folded, Parked, ReadModel};

/// How long a statement waits for a lock before it fails as busy.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Readers of a store. More than cores do not help; SQLite reads are CPU work.
const READERS: u32 = 4;
/// What a writer keeps in memory at most, as SQLite wants it: negative KiB (16 MiB). Four read models
/// have one.
const CACHE: &str = "-16384";
/// What a reader keeps in memory at most (4 MiB): what it drops is still in the page cache of the
/// operating system, which all readers share.
const CACHE_READER: &str = "-4096";
/// The same while a store is filled (512 MiB): keys come in random order, and a page that was
/// dropped has to be read again.
const CACHE_FRESH: &str = "-524288";

/// The pure half of a read model, and how its changes are written.
///
/// A value holds the changes of one batch, folded together: at most one per row.
#[async_trait]
pub trait Fold: Default + Send + Sync + 'static {
    /// The name of the read model.
    const NAME: &'static str;
    /// Goes up whenever the schema, that of the bookkeeping included, or the meaning of a fold
    /// changes. A store of another version is
    /// not migrated but rebuilt from the log.
    const VERSION: u32;
    /// Makes the tables in an empty database.
    const SCHEMA: &'static [&'static str];

    /// Whether it folds events of this type. All others pass unread.
    fn wants(event_type: &str) -> bool;

    /// Takes one event into the changes.
    ///
    /// # Errors
    /// The event cannot be read; the changes are as before.
    fn fold(&mut self, event: &RecordedEvent) -> Result<(), CodecError>;

    /// Forgets an account, at the time at which that was recorded: nothing of it stays in the changes, and writing them deletes all rows of
    /// it. Later events of it leave no row. For read models that keep nothing of accounts, nothing.
    fn erase(&mut self, _account_id: AccountId, _at_ms: i64) {}

    /// Writes the changes, within the transaction of the connection.
    ///
    /// # Errors
    /// The database refused, or a row cannot be read.
    async fn write(self, connection: &mut SqliteConnection) -> Result<(), StoreError>;
}

/// A read model in a SQLite file.
#[derive(Debug)]
pub struct SqliteStore<F> {
    shared: Arc<Shared>,
    fold: PhantomData<fn() -> F>,
}

impl<F> Clone for SqliteStore<F> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), fold: PhantomData }
    }
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    writer: SqlitePool,
    readers: SqlitePool,
    /// How often the readers were asked.
    reads: AtomicU64,
    ledger: Mutex<Ledger>,
}

impl Shared {
    /// No code panics while it holds the lock, so a poisoned ledger is still a whole one.
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F: Fold> SqliteStore<F> {
    /// Opens the store at a path, or makes a new one. What is committed survives the death of the
    /// process; after a power cut the store may have lost its last commits, changes and checkpoint
    /// together, and goes on from there.
    ///
    /// # Errors
    /// [`StoreError::OtherVersion`] if it has to be rebuilt; or it cannot be opened.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let options = options(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal);
        Self::connect(path, options, READERS).await
    }

    /// Makes a new store that is fast to fill and does not survive the death of the process until
    /// it is [sealed](Self::seal).
    ///
    /// # Errors
    /// It cannot be made.
    pub async fn open_fresh(path: &Path) -> Result<Self, StoreError> {
        let options = options(path)
            .journal_mode(SqliteJournalMode::Memory)
            .synchronous(SqliteSynchronous::Off)
            .pragma("cache_size", CACHE_FRESH);
        Self::connect(path, options, 1).await
    }

    async fn connect(
        path: &Path,
        options: SqliteConnectOptions,
        readers: u32,
    ) -> Result<Self, StoreError> {
        let failed = || StoreError::sql("opening the store");
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options.clone())
            .await
            .map_err(failed())?;
        let mut connection = writer.acquire().await.map_err(failed())?;
        create::<F>(&mut connection).await.map_err(failed())?;
        check_version::<F>(&mut connection, path).await?;
        let ledger = Mutex::new(Ledger::load(&mut connection).await?);
        drop(connection);
        let readers = SqlitePoolOptions::new().max_connections(readers).connect_lazy_with(
            options.pragma("query_only", "1").pragma("cache_size", CACHE_READER),
        );
        let reads = AtomicU64::new(0);
        let shared = Shared { path: path.to_owned(), writer, readers, reads, ledger };
        Ok(Self { shared: Arc::new(shared), fold: PhantomData })
    }

    /// Whether the store was folded from this log: the last event before the checkpoint of each
    /// partition is still where it was. If not, this is another log, or an older copy of it that was
    /// restored and maybe has grown again; the store says nothing of it and has to be rebuilt. A
    /// store into which nothing was folded belongs to every log.
    ///
    /// # Errors
    /// The store or the log cannot be read.
    pub async fn belongs_to(&self, log: &dyn EventLog) -> Result<bool, StoreError> {
        let failed = StoreError::sql("reading the checkpoint");
        let mut connection = self.shared.readers.acquire().await.map_err(failed)?;
        let last_events = bookkeeping::last_events(&mut connection).await?;
        drop(connection);
        let last_events = last_events.into_iter().map(|it| (it.partition, it.next, it.id));
        is_in_log(log, last_events).await
    }

    /// Where the store is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Closes the store and makes it durable.
    ///
    /// # Errors
    /// The file cannot be synced.
    pub async fn seal(self) -> Result<(), StoreError> {
        let path = self.shared.path.clone();
        self.close().await;
        std::fs::File::open(&path).and_then(|file| file.sync_all()).map_err(StoreError::io(&path))
    }

    /// Removes what deleted rows left behind: copies in pages that were split, free pages, and the
    /// journal. After it a search through the bytes of the store's files finds nothing that is not in
    /// a row. To be called when an account was erased and every read model has folded that; once for
    /// several accounts is enough.
    ///
    /// Rewrites the whole store, into the journal and back: for a moment it takes three times its
    /// room, and commits wait. Queries go on.
    ///
    /// # Errors
    /// [`StoreError::InUse`] if a query kept the journal from being emptied for five seconds: scrub
    /// again. Or the store cannot be written.
    pub async fn scrub(&self) -> Result<(), StoreError> {
        let failed = || StoreError::sql("scrubbing the store");
        let mut connection = self.shared.writer.acquire().await.map_err(failed())?;
        // The rewritten store is put together in a file: it need not fit into memory.
        for text in ["PRAGMA temp_store = FILE", "VACUUM", "PRAGMA temp_store = MEMORY"] {
            sqlx::query(text).execute(&mut *connection).await.map_err(failed())?;
        }
        let (busy, _, _): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(&mut *connection)
            .await
            .map_err(failed())?;
        if busy == 0 { Ok(()) } else { Err(StoreError::InUse { path: self.shared.path.clone() }) }
    }

    /// Closes every connection; later queries fail.
    pub async fn close(&self) {
        self.shared.readers.close().await;
        self.shared.writer.close().await;
    }

    /// How often the store was asked something since it was opened; several statements in one
    /// transaction count as one. For tests and measurements that hold the number down.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.shared.reads.load(Ordering::Relaxed)
    }

    /// For queries.
    pub(crate) fn readers(&self) -> &SqlitePool {
        self.shared.reads.fetch_add(1, Ordering::Relaxed);
        &self.shared.readers
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        .row_buffer_size(1_000)
        .pragma("cache_size", CACHE)
        .pragma("temp_store", "MEMORY")
        // What is deleted is overwritten with zeros: it may be about a person who was erased.
        .pragma("secure_delete", "ON")
        .disable_statement_logging()
}

async fn create<F: Fold>(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let tables: i64 = sqlx::query_scalar(bookkeeping::IS_NEW).fetch_one(&mut *transaction).await?;
    if tables == 0 {
        for schema in [bookkeeping::SCHEMA].iter().chain(F::SCHEMA) {
            sqlx::raw_sql(*schema).execute(&mut *transaction).await?;
        }
        sqlx::query(bookkeeping::NAME_MODEL)
            .bind(F::NAME)
            .bind(F::VERSION)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await
}

async fn check_version<F: Fold>(
    connection: &mut SqliteConnection,
    path: &Path,
) -> Result<(), StoreError> {
    let (name, version): (String, u32) = sqlx::query_as(bookkeeping::MODEL)
        .fetch_one(connection)
        .await
        .map_err(StoreError::sql("reading the store's version"))?;
    let (found, wanted) = (format!("{name} {version}"), format!("{} {}", F::NAME, F::VERSION));
    if found == wanted {
        return Ok(());
    }
    Err(StoreError::OtherVersion { path: path.to_owned(), found, wanted })
}

#[async_trait]
impl<F: Fold> ReadModel for SqliteStore<F> {
    fn name(&self) -> &'static str {
        F::NAME
    }

    async fn checkpoint(&self) -> Result<Cursor, StoreError> {
        let failed = StoreError::sql("reading the checkpoint");
        let mut connection = self.shared.readers.acquire().await.map_err(failed)?;
        bookkeeping::checkpoint(&mut connection).await
    }

    async fn resume(&self) -> Result<Cursor, StoreError> {
        let failed = StoreError::sql("reading the checkpoint");
        let mut connection = self.shared.writer.acquire().await.map_err(failed)?;
        let ledger = Ledger::load(&mut connection).await?;
        let checkpoint = ledger.checkpoint.clone();
        *self.shared.ledger() = ledger;
        Ok(checkpoint)
    }

    fn fold(&self, batch: &Batch, attempt: Attempt) -> Box<dyn Folded> {
        let mut folded = FoldedBatch {
            shared: Arc::clone(&self.shared),
            changes: F::default(),
            events: u64::try_from(batch.events.len()).unwrap_or(u64::MAX),
            next: batch.next.clone(),
            last_events: BTreeMap::new(),
            parked: Vec::new(),
            unparked: Vec::new(),
            erased: Vec::new(),
        };
        let mut ledger = self.shared.ledger();
        for event in &batch.events {
            if let Some(account_id) = erasure::erased_account(event) {
                folded.erase(account_id, event.event.recorded_at_ms, &mut ledger);
            } else if F::wants(&event.event.event_type) {
                folded.fold(event, attempt, &mut ledger);
            }
        }
        drop(ledger);
        folded.remember_last(&batch.events);
        Box::new(folded)
    }

    async fn parked_after(
        &self,
        place: Option<(Partition, u64)>,
        limit: u32,
    ) -> Result<Vec<Parked>, StoreError> {
        let (partition, offset) = place
            .map_or((-1, -1), |(place, offset)| (place.0.into(), crate::rows::integer(offset)));
        let rows = sqlx::query(bookkeeping::PARKED_AFTER)
            .bind(partition)
            .bind(offset)
            .bind(limit)
            .fetch_all(&self.shared.readers)
            .await
            .map_err(StoreError::sql("reading parked events"))?;
        rows.iter().map(bookkeeping::parked_row).collect()
    }
}

/// What the ledger says before a commit, without what is folded and not yet committed.
struct Before {
    commits: i64,
    checkpoint: Cursor,
    parked: u64,
}

/// The changes of a batch on their way into the store.
struct FoldedBatch<F> {
    shared: Arc<Shared>,
    changes: F,
    events: u64,
    next: Cursor,
    /// Offset and id of the last event of each partition.
    last_events: BTreeMap<Partition, (u64, Uuid)>,
    parked: Vec<Parked>,
    unparked: Vec<(Partition, u64)>,
    erased: Vec<AccountId>,
}

impl<F: Fold> FoldedBatch<F> {
    /// Forgets an account, with its parked events: their errors may quote what could not be read.
    /// Happens even if the stream that says so waits behind a parked event.
    fn erase(&mut self, account_id: AccountId, at_ms: i64, ledger: &mut Ledger) {
        ledger.blocked.retain(|stream, _| !erasure::is_of(stream, account_id));
        self.parked.retain(|parked| !erasure::is_of(&parked.stream, account_id));
        self.changes.erase(account_id, at_ms);
        self.erased.push(account_id);
    }

    /// Walks from the end, and no further than until every partition is found.
    fn remember_last(&mut self, events: &[RecordedEvent]) {
        let partitions = self.next.iter().count();
        let last = &mut self.last_events;
        for event in events.iter().rev() {
            if last.len() == partitions {
                return;
            }
            last.entry(event.partition).or_insert((event.offset, event.event.id));
        }
    }

    fn fold(&mut self, event: &RecordedEvent, attempt: Attempt, ledger: &mut Ledger) {
        let blocked = ledger.blocked.get(&event.stream).copied();
        if let Some(version) = blocked.filter(|version| *version < event.version) {
            return self.park(event, format!("waits behind version {version} of its stream"));
        }
        match self.changes.fold(event) {
            Err(error) => {
                let error = error.to_string();
                tracing::error!(
                    model = F::NAME, stream = %event.stream, version = event.version, error,
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
            error,
        });
    }
}

impl<F: Fold> FoldedBatch<F> {
    /// The new last events of those partitions that the batch moves. Every one of them must have
    /// its last event in the batch: the log could not be known again otherwise.
    fn moved(&self, from: &Cursor) -> Result<Vec<LastEvent>, StoreError> {
        let moved =
            self.next.iter().filter(|(partition, next)| from.get(*partition).unwrap_or(0) != *next);
        moved
            .map(|(partition, next)| match self.last_events.get(&partition) {
                Some((offset, id)) if offset.checked_add(1) == Some(next) => {
                    Ok(LastEvent { partition, next, id: *id })
                }
                _ => Err(format!("it moves partition {partition} to {next} without the event"))
                    .map_err(StoreError::unreadable("a batch")),
            })
            .collect()
    }

    /// Writes everything in one transaction; answers how many events are parked then.
    async fn write(
        self,
        connection: &mut SqliteConnection,
        before: &Before,
    ) -> Result<u64, StoreError> {
        let failed = || StoreError::sql("committing a batch");
        let moved = self.moved(&before.checkpoint)?;
        let mut parked_total = before.parked;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed())?;
        if !bookkeeping::claim(&mut transaction, before.commits).await.map_err(failed())? {
            return Err(StoreError::OtherWriter { path: self.shared.path.clone() });
        }
        self.changes.write(&mut transaction).await?;
        bookkeeping::move_checkpoint(&mut transaction, &moved).await.map_err(failed())?;
        for account_id in &self.erased {
            bookkeeping::unpark_account(&mut transaction, *account_id).await.map_err(failed())?;
        }
        if !self.parked.is_empty() || !self.unparked.is_empty() || !self.erased.is_empty() {
            bookkeeping::park(&mut transaction, &self.parked).await.map_err(failed())?;
            bookkeeping::unpark(&mut transaction, &self.unparked).await.map_err(failed())?;
            parked_total = bookkeeping::parked_count(&mut transaction).await.map_err(failed())?;
        }
        transaction.commit().await.map_err(failed())?;
        Ok(parked_total)
    }
}

#[async_trait]
impl<F: Fold> Folded for FoldedBatch<F> {
    async fn commit(self: Box<Self>) -> Result<Applied, StoreError> {
        let (shared, events, next) = (Arc::clone(&self.shared), self.events, self.next.clone());
        let before = {
            let ledger = shared.ledger();
            Before {
                commits: ledger.commits,
                checkpoint: ledger.checkpoint.clone(),
                parked: ledger.parked,
            }
        };
        let failed = StoreError::sql("committing a batch");
        let mut connection = shared.writer.acquire().await.map_err(failed)?;
        let parked = match self.write(&mut connection, &before).await {
            Ok(parked) => parked,
            Err(error) => {
                // Closing rolls back whatever is left. The connection cannot be used again: when the
                // disk is full SQLite rolls back by itself, of which sqlx learns nothing, so that it
                // would begin no other transaction on it. The pool opens a new one.
                if let Err(closing) = connection.close().await {
                    tracing::debug!(model = F::NAME, %closing, "closing after a failed commit");
                }
                return Err(error);
            }
        };
        let mut ledger = shared.ledger();
        ledger.commits = before.commits.saturating_add(1);
        ledger.checkpoint = next;
        ledger.parked = parked;
        Ok(Applied { events, parked })
    }
}

#[cfg(test)]
mod tests;
