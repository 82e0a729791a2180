//! What an append asks for, what it answers and how it can fail.

use bytes::Bytes;
use thiserror::Error;
use uuid::Uuid;

use crate::event::NewEvent;
use crate::log::ReadError;
use crate::stream::{Partition, StreamName};

/// The most events of one append.
pub const EVENTS_MAX: usize = 1_000;
/// The most bytes of one append, counted over names, payloads and metadata.
pub const APPEND_BYTES_MAX: usize = 1 << 20;
/// The longest event type name and the longest actor, in bytes.
pub const LABEL_BYTES_MAX: usize = 100;

/// The state that the writer believes the stream to be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// The stream has no event yet.
    NoStream,
    /// The stream may be in any state.
    Any,
    /// The last event of the stream has this version.
    Exact(u64),
}

impl Expected {
    /// Whether a stream of `len` events is in the expected state.
    #[must_use]
    pub fn holds(self, len: u64) -> bool {
        match self {
            Self::Any => true,
            Self::NoStream => len == 0,
            Self::Exact(version) => version.checked_add(1) == Some(len),
        }
    }

    /// Says why an append must be refused if its stream has `len` events.
    pub(crate) fn check(self, stream: &StreamName, len: u64) -> Result<(), AppendError> {
        let stream = || stream.clone();
        match self {
            _ if self.holds(len) => Ok(()),
            Self::Exact(version) if version >= len => {
                Err(AppendError::BeyondEnd { stream: stream(), expected: version, len })
            }
            expected => Err(AppendError::Conflict { stream: stream(), expected, len }),
        }
    }
}

/// Events for one stream that are recorded together or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    /// The stream to append to; it comes into being with its first event.
    pub stream: StreamName,
    /// The condition under which the events may be recorded.
    pub expected: Expected,
    /// 1 to [`EVENTS_MAX`] events, in order, with distinct ids.
    pub events: Vec<NewEvent>,
}

impl Append {
    /// Checks everything that needs no look at the log.
    ///
    /// # Errors
    /// The limit that the append exceeds.
    pub fn validate(&self) -> Result<(), AppendError> {
        let count = self.events.len();
        if count == 0 {
            return Err(AppendError::Empty);
        }
        if count > EVENTS_MAX {
            return Err(AppendError::TooManyEvents { count });
        }
        let bytes = self.content_bytes();
        if bytes > APPEND_BYTES_MAX {
            return Err(AppendError::TooLarge { bytes });
        }
        for event in &self.events {
            for (field, label) in [("event_type", &event.event_type), ("actor", &event.actor)] {
                if label.is_empty() || label.len() > LABEL_BYTES_MAX {
                    return Err(AppendError::BadLabel { field, bytes: label.len() });
                }
                if label.chars().any(char::is_control) {
                    let label = label.as_ref().to_owned();
                    return Err(AppendError::ControlCharacter { field, label });
                }
            }
        }
        let mut ids: Vec<Uuid> = self.events.iter().map(|event| event.id).collect();
        ids.sort_unstable();
        match ids.windows(2).find(|pair| pair.first() == pair.last()) {
            Some(pair) => {
                Err(AppendError::DuplicateId { id: pair.first().copied().unwrap_or_default() })
            }
            None => Ok(()),
        }
    }

    /// The bytes of all payloads, metadata, event types and actors.
    pub(crate) fn content_bytes(&self) -> usize {
        self.events.iter().map(event_bytes).sum()
    }
}

fn event_bytes(event: &NewEvent) -> usize {
    let size = |bytes: &Bytes| bytes.len();
    event.event_type.len() + event.actor.len() + size(&event.payload) + size(&event.metadata)
}

/// Where the events of an append are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The stream's partition.
    pub partition: Partition,
    /// The offset of the first event in the partition. The events of one append are neighbours
    /// there.
    pub first_offset: u64,
    /// The offset of the last event in the partition.
    pub last_offset: u64,
    /// The version of the first event in the stream.
    pub first_version: u64,
    /// The version of the last event in the stream.
    pub last_version: u64,
    /// True if these events were recorded by an earlier append and nothing was written now.
    pub replayed: bool,
}

/// Why nothing was appended.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AppendError {
    /// Somebody else appended first. Read the stream again, decide again.
    #[error("stream {stream} has {len} events, which is not the expected state {expected:?}")]
    Conflict {
        /// The stream.
        stream: StreamName,
        /// What the writer believed.
        expected: Expected,
        /// How many events the stream has.
        len: u64,
    },
    /// The stream ends before the version that was expected: the writer knows events that this log
    /// does not have, because they are of another log, or of one whose older copy was restored.
    /// Forget them, read the stream from its beginning, decide again.
    #[error("stream {stream} has {len} events; version {expected} lies beyond its end")]
    BeyondEnd {
        /// The stream.
        stream: StreamName,
        /// The version that the writer believed to be the last one.
        expected: u64,
        /// How many events the stream has.
        len: u64,
    },
    /// Some of the ids are recorded already, but not all of them, in this order, in this stream.
    #[error("event id {id} is recorded already, in {stream}")]
    IdTaken {
        /// The first id of the append that is recorded already.
        id: Uuid,
        /// The stream that holds it.
        stream: StreamName,
    },
    /// Two events of the append have the same id.
    #[error("event id {id} stands twice in one append")]
    DuplicateId {
        /// The id.
        id: Uuid,
    },
    /// The append has no events.
    #[error("an append needs at least one event")]
    Empty,
    /// The append has more than [`EVENTS_MAX`] events. Split it.
    #[error("an append has {count} events; at most {EVENTS_MAX} are allowed")]
    TooManyEvents {
        /// How many it has.
        count: usize,
    },
    /// The append has more than [`APPEND_BYTES_MAX`] bytes. Split it.
    #[error("an append has {bytes} bytes; at most {APPEND_BYTES_MAX} are allowed")]
    TooLarge {
        /// How many it has.
        bytes: usize,
    },
    /// The event type or the actor is empty or longer than [`LABEL_BYTES_MAX`].
    #[error("{field} has {bytes} bytes; 1 to {LABEL_BYTES_MAX} are allowed")]
    BadLabel {
        /// `event_type` or `actor`.
        field: &'static str,
        /// How many bytes it has.
        bytes: usize,
    },
    /// The event type or the actor has a control character (of Unicode's category Cc), such as NUL.
    #[error("{field} {label:?} has a control character")]
    ControlCharacter {
        /// `event_type` or `actor`.
        field: &'static str,
        /// The label as given.
        label: String,
    },
    /// Too many appends wait already. Nothing is wrong with this one: repeat it in a moment, or
    /// send less at once.
    #[error("{waiting} appends wait for the log already, which is its limit; try again later")]
    Overloaded {
        /// How many wait.
        waiting: usize,
    },
    /// The server that keeps the log cannot be reached, or did not answer for a long time. Nothing
    /// was recorded: repeat the append in a moment.
    #[error("the server of the log cannot be reached: {reason}; try again later")]
    Unavailable {
        /// What the client of that server said.
        reason: String,
    },
    /// There is no room on the disk. Reads go on, and so do appends as soon as there is room.
    #[error("the disk of the log is full: {reason}; make room, appends go on by themselves then")]
    DiskFull {
        /// What the operating system said.
        reason: String,
    },
    /// What the append depends on, such as the length of its stream, could not be read.
    #[error("the log could not look up what the append depends on: {0}")]
    Unreadable(#[from] ReadError),
    /// The log no longer takes appends, because writing or syncing failed once. Reads go on.
    /// Mend the disk and start the process again; what was acknowledged is safe.
    #[error("the log stopped taking appends: {reason}; mend the cause and start again")]
    Stopped {
        /// The first failure.
        reason: String,
    },
    /// The log was opened for reading only, or is closing.
    #[error("the log is closed for appends")]
    Closed,
}

impl AppendError {
    /// Whether the same intention may succeed by itself: after reading the stream again, or in a
    /// moment when fewer appends wait or the server of the log can be reached.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::Conflict { .. }
            | Self::BeyondEnd { .. }
            | Self::Overloaded { .. }
            | Self::Unavailable { .. } => true,
            Self::IdTaken { .. }
            | Self::DuplicateId { .. }
            | Self::Empty
            | Self::TooManyEvents { .. }
            | Self::TooLarge { .. }
            | Self::BadLabel { .. }
            | Self::ControlCharacter { .. }
            | Self::DiskFull { .. }
            | Self::Unreadable(_)
            | Self::Stopped { .. }
            | Self::Closed => false,
        }
    }
}
