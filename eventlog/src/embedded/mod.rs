//! The engine that needs no server: one journal under a directory.
//!
//! ```text
//! DIR/LOCK                                held by the process that appends
//! DIR/journal/00000000000000000000.seg    every event, in the order of recording
//! ```
//!
//! The journal is the truth, and all there is: the index of streams, partitions and event ids lives
//! in memory and is rebuilt from it when the log is opened.
//!
//! | part | knows |
//! | --- | --- |
//! | `record` | what an event and a commit marker look like as bytes |
//! | `journal` | the file: its place, its header, reading and writing |
//! | `index` | where everything is; decides about appends |
//! | `writer` | the one thread that makes groups of appends durable |
//! | `reader` | turns positions into events, checking every byte |
//! | `recovery` | tells a torn tail, which is cut, from damage, which is refused |
//! | `lock` | one process appends |
//!
//! Limits: memory grows with the history, by some 60 to 110 bytes an event and 200 a stream. Up to
//! 1,024 appends wait in the queue, each of up to [`crate::append::APPEND_BYTES_MAX`].

pub mod disk;
mod error;
mod fields;
mod index;
mod journal;
mod lock;
mod reader;
mod record;
mod recovery;
mod table;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use async_trait::async_trait;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task;

pub use self::error::OpenError;
use self::journal::Journal;
use self::lock::Lock;
use self::writer::{QUEUE_APPENDS, Request, Shared, Writer};
use crate::append::{Append, AppendError, Appended};
use crate::cursor::{Batch, Cursor};
use crate::event::RecordedEvent;
use crate::log::{EventLog, READ_EVENTS_MAX, ReadError};
use crate::stream::{PartitionCount, StreamName};

/// How to open a log.
#[derive(Debug, Clone)]
pub struct Options {
    /// The partition count of the log if it is created now; an existing log keeps its own.
    pub partitions: PartitionCount,
    /// What this process calls itself, such as `playhead serve`: told to those who find the log
    /// locked.
    pub holder: String,
}

/// An event log in a directory.
#[derive(Debug)]
pub struct EmbeddedLog {
    journal: Arc<Journal>,
    shared: Arc<Shared>,
    /// `None` if the log was opened for reading only.
    writer: Option<WriterThread>,
}

#[derive(Debug)]
struct WriterThread {
    queue: mpsc::Sender<Request>,
    /// `None` once it has been waited for.
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl EmbeddedLog {
    /// Opens the log in `dir` for appending, and creates it if there is none.
    ///
    /// Reads the whole journal once. Cuts off what a crash left of appends that were never
    /// answered. Blocks; in async code, call it on a thread that may.
    ///
    /// # Errors
    /// See [`OpenError`]; another process may have the log open.
    pub fn open(dir: &Path, options: Options) -> Result<Self, OpenError> {
        journal::create_dir(dir)?;
        let lock = Lock::acquire(dir, &options.holder)?;
        let journal = Arc::new(Journal::open_or_create(dir, options.partitions)?);
        let found = recovery::scan(&journal, &mut |_, _| {})?;
        recovery::settle(&journal, &found).map_err(OpenError::io("settle", journal.path()))?;
        let shared = Arc::new(Shared::new(found.index));
        let writer =
            Writer::new(Arc::clone(&shared), Arc::clone(&journal), found.end, found.closed);
        let (queue, requests) = mpsc::channel(QUEUE_APPENDS);
        let thread = thread::Builder::new()
            .name("eventlog-writer".to_owned())
            .spawn(move || {
                let _until_the_end = lock;
                writer.run(requests);
            })
            .map_err(OpenError::io("start the writer of", journal.path()))?;
        let writer = Some(WriterThread { queue, thread: Mutex::new(Some(thread)) });
        Ok(Self { journal, shared, writer })
    }

    /// Opens the log in `dir` as it is now, without locking or changing anything.
    ///
    /// Shows the events up to the last whole append, and never more, although a process that has
    /// the log open may go on appending. Blocks as [`Self::open`] does.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open_read_only(dir: &Path) -> Result<Self, OpenError> {
        let journal = Arc::new(Journal::open_read_only(dir)?);
        let found = recovery::scan(&journal, &mut |_, _| {})?;
        Ok(Self { journal, shared: Arc::new(Shared::new(found.index)), writer: None })
    }

    /// Finishes the appends that wait, marks the journal as closed and lets go of the lock.
    ///
    /// Appends that come later get [`AppendError::Closed`]; reads go on. Dropping the log does the
    /// same and blocks until it is done.
    pub async fn close(&self) {
        let Some(writer) = &self.writer else { return };
        // An error means that the queue is closed already.
        let _closed = writer.queue.send(Request::Close).await;
        let mut thread = writer.thread.lock().await;
        if let Some(thread) = thread.take() {
            // Whether the thread panicked or not, it has ended; the panic was reported as such.
            let _ended = task::spawn_blocking(move || thread.join()).await;
        }
    }

    /// Reads the events at these positions, away from the threads that must not block.
    async fn fetch(&self, positions: Vec<u64>, end: u64) -> Result<Vec<RecordedEvent>, ReadError> {
        let Some(position) = positions.first().copied() else { return Ok(Vec::new()) };
        let journal = Arc::clone(&self.journal);
        task::spawn_blocking(move || reader::fetch(&journal, &positions, end))
            .await
            .unwrap_or_else(|error| Err(ReadError::Io { position, reason: error.to_string() }))
    }
}

impl Drop for EmbeddedLog {
    fn drop(&mut self) {
        if let Some(WriterThread { queue, thread }) = self.writer.take() {
            drop(queue);
            if let Some(thread) = thread.into_inner() {
                let _ended = thread.join();
            }
        }
    }
}

#[async_trait]
impl EventLog for EmbeddedLog {
    fn partitions(&self) -> PartitionCount {
        self.journal.partitions()
    }

    /// If the caller gives up waiting, the append may still happen.
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        append.validate()?;
        let writer = self.writer.as_ref().ok_or(AppendError::Closed)?;
        let (answer, answered) = oneshot::channel();
        let sent = writer.queue.send(Request::Append(append, answer)).await;
        sent.map_err(|_| AppendError::Closed)?;
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
        let (positions, end) = {
            let index = self.shared.index();
            (index.of_stream(stream, from, limit.min(READ_EVENTS_MAX)), index.durable_end())
        };
        let events = self.fetch(positions.clone(), end).await?;
        for ((event, version), position) in events.iter().zip(from..).zip(positions) {
            if (&event.stream, event.version) != (stream, version) {
                return Err(misplaced(position));
            }
        }
        Ok(events)
    }

    async fn read(&self, from: &Cursor, limit: usize) -> Result<Batch, ReadError> {
        let (positions, end) = {
            let index = self.shared.index();
            (index.behind(from, limit.min(READ_EVENTS_MAX))?, index.durable_end())
        };
        let events = self.fetch(positions.clone(), end).await?;
        let mut next = from.clone();
        for (event, position) in events.iter().zip(positions) {
            if next.get(event.partition) != Some(event.offset) {
                return Err(misplaced(position));
            }
            next.advance(event);
        }
        Ok(Batch { events, next })
    }

    async fn wait(&self, from: &Cursor) {
        let mut published = self.shared.follow();
        while !self.shared.index().is_behind(from) {
            if published.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    fn head(&self) -> Cursor {
        self.shared.index().head()
    }

    fn stopped(&self) -> Option<String> {
        self.shared.stopped().map(str::to_owned)
    }
}

fn misplaced(position: u64) -> ReadError {
    let reason = "a sound record, but not the one that was written here".to_owned();
    ReadError::Corrupt { position, reason }
}

/// What a full check of a log found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifyReport {
    /// The number of events.
    pub events: u64,
    /// The number of appends that they came in.
    pub batches: u64,
    /// The size of the journal up to the last whole append, in bytes.
    pub bytes: u64,
    /// How many bytes follow it: left of appends that were never answered, or just being written.
    pub torn_tail_bytes: u64,
}

/// Reads and checks the whole log in `dir` and changes nothing.
///
/// `progress` is called now and then with the bytes done and the bytes in total. Blocks as
/// [`EmbeddedLog::open`] does.
///
/// # Errors
/// See [`OpenError`]; damage is [`OpenError::Corrupt`].
pub fn verify(dir: &Path, mut progress: impl FnMut(u64, u64)) -> Result<VerifyReport, OpenError> {
    let journal = Journal::open_read_only(dir)?;
    let found = recovery::scan(&journal, &mut progress)?;
    Ok(VerifyReport {
        events: found.events,
        batches: found.batches,
        bytes: found.end,
        torn_tail_bytes: found.torn.map_or(0, |(bytes, _)| bytes),
    })
}
