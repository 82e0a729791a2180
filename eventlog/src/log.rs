//! The trait that every engine implements.

use async_trait::async_trait;
use thiserror::Error;

use crate::append::{Append, AppendError, Appended};
use crate::cursor::{Batch, Cursor};
use crate::event::RecordedEvent;
use crate::stream::{Partition, PartitionCount, StreamName};

/// The most events that one read answers, whatever limit it was given.
pub const READ_EVENTS_MAX: usize = 16_384;

/// An append-only log of events, in streams, in partitions.
///
/// What every engine holds, and [`mod@crate::conformance`] checks:
///
/// - **Order.** Versions count from 0 in a stream and offsets from 0 in a partition, both without
///   gaps. The events of one append are neighbours in both.
/// - **Durability.** An answered append survives the death of the process and of the machine.
/// - **Visibility.** A read sees only durable events, never part of an append, and an event of a
///   partition never before all earlier ones. An answered append is visible at once.
/// - **Conditions.** Appends to one stream are linear: of two appends that expect the same version,
///   one wins and the other gets [`AppendError::Conflict`].
/// - **Idempotence.** An append whose events are all recorded already, as neighbours in the same
///   stream and order, is answered with their place and `replayed = true`, whatever it expects.
///   This comes before the check of the condition.
#[async_trait]
pub trait EventLog: Send + Sync + 'static {
    /// How many partitions the log has; it never changes.
    fn partitions(&self) -> PartitionCount;

    /// Records the events, or nothing.
    ///
    /// # Errors
    /// See [`AppendError`]; nothing was recorded. After [`AppendError::Stopped`] it is unknown
    /// whether the append survives: repeat it, with the same ids, once the log is mended.
    async fn append(&self, append: Append) -> Result<Appended, AppendError>;

    /// The events of a stream from version `from` on, in order, at most `limit`.
    ///
    /// An engine may answer fewer to bound its memory. Only an empty answer means that the stream
    /// has no such version (yet); a stream that does not exist is an empty stream.
    ///
    /// # Errors
    /// A record could not be read back as it was written.
    async fn read_stream(
        &self,
        stream: &StreamName,
        from: u64,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, ReadError>;

    /// The events behind a cursor, over all its partitions in one pass, at most `limit`.
    ///
    /// An engine may answer fewer to bound its memory. Only an empty batch means that the cursor is
    /// at the head.
    ///
    /// # Errors
    /// A record could not be read back as it was written, or the cursor is beyond the head.
    async fn read(&self, from: &Cursor, limit: usize) -> Result<Batch, ReadError>;

    /// Returns once there is an event behind the cursor; at once if there is one already.
    ///
    /// Never returns if the log ends first, so race it against a shutdown signal. May be cancelled
    /// at any time.
    async fn wait(&self, from: &Cursor);

    /// The cursor behind the last event of every partition.
    fn head(&self) -> Cursor;

    /// Why the log takes no more appends until it is opened anew; `None` while it takes them.
    fn stopped(&self) -> Option<String> {
        None
    }
}

/// Why something could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReadError {
    /// The bytes of a record are not those that were written. It is never served; restore it from
    /// a backup.
    #[error("the log is corrupt at position {position}: {reason}")]
    Corrupt {
        /// The journal position of the bad record, in bytes.
        position: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The operating system refused to read.
    #[error("reading the log at position {position} failed: {reason}")]
    Io {
        /// The journal position, in bytes.
        position: u64,
        /// What the operating system said.
        reason: String,
    },
    /// The cursor points behind the end of a partition: it belongs to another log, or the log lost
    /// events.
    #[error("offset {offset} of partition {partition} is beyond its head {head}")]
    BeyondHead {
        /// The partition.
        partition: Partition,
        /// The offset asked for.
        offset: u64,
        /// The next offset that will be given.
        head: u64,
    },
}

impl ReadError {
    /// Whether the same read may succeed in a moment.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::Io { .. } => true,
            Self::Corrupt { .. } | Self::BeyondHead { .. } => false,
        }
    }
}
