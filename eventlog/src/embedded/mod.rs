//! The engine that needs no server: one journal under a directory.
//!
//! ```text
//! DIR/LOCK                                  held by the process that appends
//! DIR/journal/00000000000000000000.seg      every event, in the order of recording, in segments
//! DIR/journal/00000000000067108791.seg      that are named by their first position
//! DIR/index/….run                           merged indexes; can be deleted at any time
//! ```
//!
//! The segments are the truth. The last one is *active*: appended to, its index in memory. When it
//! is full the next one begins, and it is *sealed*: its index is written behind its records, and it
//! never changes again. Opening a log reads the records of the active segment only.
//!
//! | part | knows |
//! | --- | --- |
//! | `disk` | what is asked of a file system |
//! | `record` | what an event and a commit marker look like as bytes |
//! | `segment`, `footer` | how a file begins and ends |
//! | `journal` | the segments as one sequence of positions |
//! | `recent`, `order` | the index of a segment in memory |
//! | `table` | sorted tables on disk, with checksums and filters |
//! | `catalog`, `run` | the indexes of sealed segments, and merged ones |
//! | `index` | where everything is, as writer and readers share it |
//! | `decide` | what is to be done with an append |
//! | `group` | appends that become durable with one sync |
//! | `writer` | the one thread that decides about appends and gathers them in groups |
//! | `tape` | the end of the journal, where a group is made durable |
//! | `flight` | the thread that syncs a large group while the next one is decided on |
//! | `keeper`, `seal` | seals segments and merges indexes, beside the writer |
//! | `reader` | turns positions into events, checking every byte |
//! | `recovery`, `scan` | tells a torn tail, which is cut, from damage, which is refused |
//! | `verify` | checks every byte |
//! | `backup` | copies a log while it is appended to, and makes a log of the copy |
//! | `damage` | what is not as it was written: where, and whose |
//! | `lock` | one process appends |
//! | `bug` | mistakes on purpose, for the test of the tests |
//!
//! Limits: [`QUEUE_APPENDS_MAX`] appends of together [`QUEUE_BYTES_MAX`] bytes wait; more are
//! refused. Memory is bounded, whatever the history: the indexes of the active segment and of up to
//! two that are being sealed (about 100 bytes an event), [`Tuning::tips_max`] lengths of streams, the
//! order of 8 segments (12 bytes an event), and of the indexes on disk one byte in a hundred: filters
//! and fences. Of every segment, 16 bytes a partition.

mod backup;
mod bug;
mod catalog;
mod damage;
mod decide;
pub mod disk;
mod error;
mod fields;
mod flight;
mod footer;
#[cfg(fuzzing)]
pub mod fuzzing;
mod group;
mod index;
mod journal;
mod keeper;
mod lock;
mod options;
mod order;
mod reader;
mod recent;
mod record;
mod recovery;
mod run;
mod scan;
mod seal;
mod segment;
mod table;
mod tape;
mod verify;
mod writer;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use async_trait::async_trait;
use tokio::sync::mpsc::error::SendError;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task;

pub use self::backup::{
    BackupError, BackupReport, RestoreReport, backup, backup_on, restore, restore_on,
};
pub use self::bug::Bug;
pub use self::damage::Damage;
use self::disk::{Access, Disk, RealDisk};
pub use self::error::OpenError;
use self::flight::Flights;
use self::index::Index;
use self::journal::Journal;
use self::keeper::Maintenance;
use self::lock::Lock;
pub use self::options::{Options, Tuning};
pub use self::verify::{
    DAMAGES_MAX, Examination, VerifyReport, examine, examine_on, verify, verify_on,
};
use self::writer::{End, Request, Waiting, Writer};
pub use self::writer::{QUEUE_APPENDS_MAX, QUEUE_BYTES_MAX};
use crate::append::{Append, AppendError, Appended};
use crate::cursor::{Batch, Cursor};
use crate::event::RecordedEvent;
use crate::log::{EventLog, READ_EVENTS_MAX, ReadError};
use crate::stream::{Partition, PartitionCount, StreamName};

/// An event log in a directory.
#[derive(Debug)]
pub struct EmbeddedLog {
    index: Arc<Index>,
    /// `None` if the log was opened for reading only.
    writer: Option<WriterThread>,
}

#[derive(Debug)]
struct WriterThread {
    queue: mpsc::UnboundedSender<Request>,
    waiting: Arc<Waiting>,
    /// `None` once it has been waited for.
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl EmbeddedLog {
    /// Opens the log in `dir` for appending, and creates it if there is none.
    ///
    /// Reads the segments that are not sealed. Cuts off what a crash left of appends that were never
    /// answered. Blocks; in async code, call it on a thread that may.
    ///
    /// # Errors
    /// See [`OpenError`]; another process may have the log open.
    pub fn open(dir: &Path, options: Options) -> Result<Self, OpenError> {
        Self::open_on(Arc::new(RealDisk), dir, options)
    }

    /// As [`Self::open`], on any disk.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open_on(disk: Arc<dyn Disk>, dir: &Path, options: Options) -> Result<Self, OpenError> {
        journal::create_dir(&*disk, dir)?;
        let lock = Lock::acquire(&*disk, dir, &options.holder)?;
        journal::create_dir(&*disk, &dir.join("index"))?;
        let Options { partitions, tuning, .. } = options;
        let tuning = tuning.within_limits();
        let journal = match Journal::find(Arc::clone(&disk), dir, Access::Write)? {
            Some(journal) => journal,
            None => Journal::create(disk, dir, partitions)?,
        };
        journal.remove_unfinished()?;
        let (index, end) = recovery::recover(Arc::new(journal), &tuning, Access::Write)?;
        let writer = WriterThread::start(Arc::clone(&index), tuning, end, lock)
            .map_err(OpenError::io("start the threads of the log in", dir))?;
        Ok(Self { index, writer: Some(writer) })
    }

    /// Opens the log in `dir` as it is now, without locking or changing anything.
    ///
    /// Shows the events up to the last whole append, and never more, although a process that has
    /// the log open may go on appending. Blocks as [`Self::open`] does.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open_read_only(dir: &Path) -> Result<Self, OpenError> {
        Self::open_read_only_on(Arc::new(RealDisk), dir)
    }

    /// As [`Self::open_read_only`], on any disk.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open_read_only_on(disk: Arc<dyn Disk>, dir: &Path) -> Result<Self, OpenError> {
        let journal = Journal::find(disk, dir, Access::Read)?;
        let journal = journal.ok_or_else(|| OpenError::NotFound { dir: dir.to_owned() })?;
        let (index, _) = recovery::recover(Arc::new(journal), &Tuning::DEFAULT, Access::Read)?;
        Ok(Self { index, writer: None })
    }

    /// Finishes the appends that wait, marks the journal as closed and lets go of the lock.
    ///
    /// Appends that come later get [`AppendError::Closed`]; reads go on. Dropping the log does the
    /// same and blocks until it is done.
    pub async fn close(&self) {
        let Some(writer) = &self.writer else { return };
        // An error means that the queue is closed already.
        let _closed = writer.queue.send(Request::Close);
        let mut thread = writer.thread.lock().await;
        if let Some(thread) = thread.take() {
            // Whether the thread panicked or not, it has ended; the panic was reported as such.
            let _ended = task::spawn_blocking(move || thread.join()).await;
        }
    }

    /// Looks up and reads events, away from the threads that must not block.
    async fn reading<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Index) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let index = Arc::clone(&self.index);
        let read = task::spawn_blocking(move || read(&index)).await;
        read.unwrap_or_else(|error| Err(ReadError::Io { position: 0, reason: error.to_string() }))
    }
}

impl WriterThread {
    fn start(index: Arc<Index>, tuning: Tuning, end: End, lock: Lock) -> io::Result<Self> {
        let waiting = Arc::new(Waiting::default());
        let maintenance = Maintenance::begin(Arc::clone(&index), tuning)?;
        // Its limits are those of `waiting`.
        let (queue, requests) = mpsc::unbounded_channel();
        let flights = Flights::begin(queue.downgrade())?;
        let waits = Arc::clone(&waiting);
        let writer = Writer::new(index, waits, maintenance, tuning, (end, flights))?;
        let thread =
            thread::Builder::new().name("eventlog-writer".to_owned()).spawn(move || {
                let _until_the_end = lock;
                writer.run(requests);
            })?;
        Ok(Self { queue, waiting, thread: Mutex::new(Some(thread)) })
    }

    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        self.waiting.enter(&append)?;
        let (answer, answered) = oneshot::channel();
        if let Err(SendError(Request::Append(append, _))) =
            self.queue.send(Request::Append(append, answer))
        {
            self.waiting.leave(&append);
            return Err(AppendError::Closed);
        }
        answered.await.unwrap_or_else(|_| {
            Err(AppendError::Stopped { reason: "the writer ended without an answer".to_owned() })
        })
    }
}

impl Drop for EmbeddedLog {
    fn drop(&mut self) {
        if let Some(WriterThread { queue, thread, .. }) = self.writer.take() {
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
        self.index.journal().partitions()
    }

    /// If the caller gives up waiting, the append may still happen.
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        append.validate()?;
        let writer = self.writer.as_ref().ok_or(AppendError::Closed)?;
        writer.append(append).await
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: u64,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, ReadError> {
        // Whoever reads page by page, or has decided before, asks at the end.
        if self.index.is_known_end(stream, from) {
            return Ok(Vec::new());
        }
        let stream = stream.clone();
        self.reading(move |index| {
            let limit = limit.min(READ_EVENTS_MAX);
            let (positions, end) = index.of_stream(&stream, from, limit)?;
            let events = reader::fetch(index.journal(), &positions, end);
            let events = events.map_err(|error| of_stream(error, &stream))?;
            for ((event, version), position) in events.iter().zip(from..).zip(positions) {
                if (&event.stream, event.version) != (&stream, version) {
                    return Err(misplaced(position));
                }
            }
            Ok(events)
        })
        .await
    }

    async fn read(&self, from: &Cursor, limit: usize) -> Result<Batch, ReadError> {
        let from = from.clone();
        self.reading(move |index| {
            let (positions, end) = index.behind(&from, limit.min(READ_EVENTS_MAX))?;
            let events = reader::fetch(index.journal(), &positions, end)?;
            let mut next = vec![None; usize::from(index.journal().partitions().get())];
            for (partition, offset) in from.iter() {
                if let Some(next) = next.get_mut(usize::from(partition.0)) {
                    *next = Some(offset);
                }
            }
            for (event, position) in events.iter().zip(positions) {
                match next.get_mut(usize::from(event.partition.0)) {
                    Some(next) if *next == Some(event.offset) => *next = Some(event.offset + 1),
                    _ => return Err(misplaced(position)),
                }
            }
            let moved = |(partition, offset): (Partition, u64)| {
                let next = next.get(usize::from(partition.0)).copied().flatten();
                (partition, next.unwrap_or(offset))
            };
            let next = from.iter().map(moved).collect();
            Ok(Batch { events, next })
        })
        .await
    }

    async fn wait(&self, from: &Cursor) {
        let mut published = self.index.follow();
        while !self.index.is_behind(from) {
            if published.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    fn head(&self) -> Cursor {
        self.index.head()
    }

    fn stopped(&self) -> Option<String> {
        self.index.stopped().map(str::to_owned)
    }
}

/// Names the stream that was being read.
fn of_stream(error: ReadError, stream: &StreamName) -> ReadError {
    match error {
        ReadError::Corrupt { position, reason } => {
            ReadError::Corrupt { position, reason: format!("reading stream {stream}: {reason}") }
        }
        other => other,
    }
}

fn misplaced(position: u64) -> ReadError {
    let reason = "a sound record, but not the one that was written here".to_owned();
    ReadError::Corrupt { position, reason }
}
