//! The engine for several processes at once: tables in a PostgreSQL database.
//!
//! Any number of processes may open the log of one database and append to it. What [`EventLog`]
//! promises holds over all of them.
//!
//! **Order by commit, without gaps.** An append locks the row of its partition's head, takes its
//! offsets from there, and moves the head in the transaction that inserts its events. Whoever wants
//! the next offsets waits for that transaction to end. So an offset is never visible before a lower
//! one, and a transaction that fails leaves no hole. (A sequence gives both away: numbers are drawn
//! in one order and committed in another, and a reader that has seen 6 skips 5 for ever.)
//!
//! **Group append.** One task takes all appends that wait, decides about each against the database
//! and the earlier ones of the group, and writes what is to be recorded with one statement. A group
//! costs six round trips (BEGIN, lock, lengths, ids, insert, COMMIT) and one flush of the server's
//! disk, however many appends it has.
//!
//! **Durability.** Sessions run with `synchronous_commit = on`, and a server with `fsync = off` is
//! refused. If a connection breaks during COMMIT, the engine looks for the group by its ids and
//! answers accordingly.
//!
//! **Failures.** Deadlocks, locks not given within 5 s, lost connections and a server that restarts
//! are borne for up to 30 s. Then an append is answered [`AppendError::Unavailable`] or
//! [`AppendError::DiskFull`] if nothing of it was recorded, and [`AppendError::Stopped`] if that is
//! unknown; a read, [`ReadError::Unavailable`]. What does not pass by itself is answered at once, as
//! [`AppendError::Unreadable`] or [`ReadError::Io`]. The engine never stops for good: the next
//! append is tried again.
//!
//! | part | knows |
//! | --- | --- |
//! | `schema` | connecting, and creating or checking the tables |
//! | `store` | every statement about events |
//! | `decide` | conditions, replays and places; no I/O |
//! | `writer` | the task that commits groups |
//! | `follow` | where the log ends, and NOTIFY |
//! | `patience` | how long failures are borne |
//!
//! Limits: up to 1,024 appends wait in the queue and the next one gets [`AppendError::Overloaded`];
//! a group has up to 256 appends; a read answers some 16 MiB; a process holds up to 10 connections.
//!
//! What this engine is *not*: it does not speak to standbys or through a pooler that shares sessions
//! between transactions (LISTEN and session settings would be lost); it does not check the bytes of
//! events, which is what `initdb --data-checksums` is for; and one long transaction that holds a
//! partition's lock holds up that partition's appends, and what waits behind them in each process.

mod decide;
mod error;
mod follow;
mod patience;
mod schema;
mod store;
mod writer;

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::postgres::PgPool;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;

pub use self::error::OpenError;
use self::error::passes;
use self::follow::{Following, Heads};
use self::patience::{Patience, in_time};
use self::store::Range;
use self::writer::{QUEUE_APPENDS, Request, Writer};
use crate::append::{Append, AppendError, Appended};
use crate::cursor::{Batch, Cursor};
use crate::event::RecordedEvent;
use crate::log::{EventLog, READ_EVENTS_MAX, ReadError};
use crate::stream::{PartitionCount, StreamName};

/// The most connections for reading and following; the writer has one more.
const READ_CONNECTIONS: u32 = 9;

/// An event log in a PostgreSQL database.
#[derive(Debug)]
pub struct PostgresLog {
    count: PartitionCount,
    readers: PgPool,
    heads: Arc<Heads>,
    /// `None` once the log is closed.
    queue: std::sync::RwLock<Option<mpsc::Sender<Request>>>,
    /// `None` once it has been waited for.
    writer: Mutex<Option<JoinHandle<()>>>,
    _following: Following,
}

impl PostgresLog {
    /// Opens the log in the database at `address`, and creates its tables if there are none.
    ///
    /// The address is a URL, `postgres://USER:PASSWORD@HOST:PORT/DATABASE`; what it leaves out comes
    /// from the environment, as with every client of PostgreSQL (`PGHOST`, `PGUSER`, `PGPASSWORD` …).
    /// Must be called within a tokio runtime, which then runs the log's tasks.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(address: &str, partitions: PartitionCount) -> Result<Self, OpenError> {
        let options = schema::options(address)?;
        schema::prepare(&options, partitions).await?;
        let readers = schema::readers(options.clone(), READ_CONNECTIONS);
        let found = store::heads(&readers).await.map_err(OpenError::refused("read the heads"))?;
        let heads = Arc::new(Heads::new(found));
        let following = Following::start(&readers, &heads);
        let (queue, requests) = mpsc::channel(QUEUE_APPENDS);
        let writer = Writer::new(options, partitions, Arc::clone(&heads));
        Ok(Self {
            count: partitions,
            readers,
            heads,
            queue: std::sync::RwLock::new(Some(queue)),
            writer: Mutex::new(Some(tokio::spawn(writer.run(requests)))),
            _following: following,
        })
    }

    /// Finishes the appends that wait.
    ///
    /// Appends that come later get [`AppendError::Closed`]; reads go on. A log that is dropped
    /// finishes them too, as long as its runtime lives.
    pub async fn close(&self) {
        self.queue.write().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(writer) = self.writer.lock().await.take() {
            // Whether the task panicked or not, it has ended; the panic was reported as such.
            let _ended = writer.await;
        }
    }

    /// Puts an append into the queue.
    fn enqueue(&self, request: Request) -> Result<(), AppendError> {
        let queue = self.queue.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let queue = queue.as_ref().ok_or(AppendError::Closed)?;
        queue.try_send(request).map_err(|error| match error {
            TrySendError::Full(_) => AppendError::Overloaded { waiting: QUEUE_APPENDS },
            TrySendError::Closed(_) => AppendError::Closed,
        })
    }

    /// Asks the database where the log ends, unless something is known to be behind the cursor and
    /// nothing before it.
    async fn look_behind(&self, from: &Cursor) -> Result<(), sqlx::Error> {
        let beyond = from.iter().any(|(partition, next)| next > self.heads.get(partition));
        if !beyond && from.behind(&self.heads.cursor()) > 0 {
            return Ok(());
        }
        let mut patience = Patience::new();
        while let Err(failure) = in_time(follow::refresh(&self.readers, &self.heads)).await {
            patience.bear(failure).await?;
        }
        Ok(())
    }

    /// How many events a stream has.
    async fn length(&self, stream: &StreamName) -> Result<u64, sqlx::Error> {
        let mut patience = Patience::new();
        loop {
            match in_time(store::length(&self.readers, stream)).await {
                Err(failure) => patience.bear(failure).await?,
                found => return found,
            }
        }
    }

    /// The next events of the cursor, as far as the log is known to go; at most `limit`.
    fn ranges(&self, from: &Cursor, limit: usize) -> Result<Vec<Range>, ReadError> {
        let mut left = u64::try_from(limit.min(READ_EVENTS_MAX)).unwrap_or(u64::MAX);
        let mut ranges = Vec::new();
        for (partition, first) in from.iter() {
            let head = self.heads.get(partition);
            let behind = head.checked_sub(first);
            let behind = behind.ok_or(ReadError::BeyondHead { partition, offset: first, head })?;
            let events = behind.min(left);
            if events > 0 {
                ranges.push(Range { partition, first, events });
                left -= events;
            }
        }
        Ok(ranges)
    }
}

#[async_trait]
impl EventLog for PostgresLog {
    fn partitions(&self) -> PartitionCount {
        self.count
    }

    /// If the caller gives up waiting, the append may still happen.
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        append.validate()?;
        let (answer, answered) = oneshot::channel();
        self.enqueue(Request { append, answer })?;
        answered.await.unwrap_or_else(|_| {
            Err(AppendError::Stopped { reason: "the writer ended without an answer".to_owned() })
        })
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: u64,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, ReadError> {
        let limit = limit.min(READ_EVENTS_MAX);
        let mut patience = Patience::new();
        let events = loop {
            match in_time(store::of_stream(&self.readers, stream, from, limit)).await {
                Ok(events) => break events,
                Err(failure) => patience.bear(failure).await.map_err(unreadable(from))?,
            }
        };
        if events.is_empty() && from > 0 {
            // What was appended meanwhile makes the answer no less true.
            let len = self.length(stream).await.map_err(unreadable(from))?;
            if from > len {
                return Err(ReadError::BeyondEnd { stream: stream.clone(), from, len });
            }
        }
        match events.iter().zip(from..).find(|(event, version)| event.version != *version) {
            Some((_, version)) => Err(misplaced(version)),
            None => Ok(events),
        }
    }

    async fn read(&self, from: &Cursor, limit: usize) -> Result<Batch, ReadError> {
        self.look_behind(from).await.map_err(unreadable(0))?;
        let ranges = self.ranges(from, limit)?;
        let Some(Range { first, .. }) = ranges.first().copied() else {
            return Ok(Batch { events: Vec::new(), next: from.clone() });
        };
        let mut patience = Patience::new();
        let events = loop {
            match in_time(store::of_ranges(&self.readers, &ranges)).await {
                Ok(events) => break events,
                Err(failure) => patience.bear(failure).await.map_err(unreadable(first))?,
            }
        };
        if events.is_empty() {
            return Err(misplaced(first));
        }
        let mut next = from.clone();
        for event in &events {
            if next.get(event.partition) != Some(event.offset) {
                return Err(misplaced(event.offset));
            }
            next.advance(event);
        }
        Ok(Batch { events, next })
    }

    async fn wait(&self, from: &Cursor) {
        self.heads.wait(from).await;
    }

    fn head(&self) -> Cursor {
        self.heads.cursor()
    }
}

/// To be given to `map_err`: the position is the version or the offset that was asked for.
fn unreadable(position: u64) -> impl FnOnce(sqlx::Error) -> ReadError {
    move |error| match error {
        sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } => {
            ReadError::Corrupt { position, reason: error.to_string() }
        }
        error if passes(&error) => ReadError::Unavailable { reason: error.to_string() },
        error => ReadError::Io { position, reason: error.to_string() },
    }
}

fn misplaced(position: u64) -> ReadError {
    ReadError::Corrupt { position, reason: "no event is here, where one was recorded".to_owned() }
}
