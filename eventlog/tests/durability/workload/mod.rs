//! What is done to a log while its disk takes notes.
//!
//! A workload is a list of steps in a small language. Names, ids and contents follow from numbers, so
//! the same workload is the same bytes every time.

pub(crate) mod events;
pub(crate) mod faulty;
pub(crate) mod fixed;
pub(crate) mod poll;
pub(crate) mod random;
pub(crate) mod run;

use crate::disk::faults::Call;
use crate::disk::op::SyncEnd;

/// What to do, and with which settings of the log.
#[derive(Debug, Clone)]
pub(crate) struct Workload {
    pub(crate) name: String,
    pub(crate) settings: Settings,
    pub(crate) steps: Vec<Step>,
}

/// The settings of a log that make the rare common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) partitions: u16,
    pub(crate) segment_bytes: u64,
    /// How much room is taken from the disk at once.
    pub(crate) allocate_bytes: u64,
    /// Up to which size a group is written by the thread that decides.
    pub(crate) alone_bytes: usize,
    /// How many stream tips are kept in memory.
    pub(crate) tips_max: usize,
    /// How many index files are merged into one.
    pub(crate) merge_runs: usize,
    pub(crate) compress: bool,
}

impl Settings {
    pub(crate) const SMALL: Self = Self {
        partitions: 2,
        segment_bytes: 4096,
        allocate_bytes: 1024,
        alone_bytes: 600,
        tips_max: 4,
        merge_runs: 3,
        compress: false,
    };
}

/// One step.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// One append, awaited.
    Append(Ask),
    /// An append, and these others while it is being written: they form the next group.
    Group(Ask, Vec<Ask>),
    /// The same on a disk that has room from the moment on in which the first is answered.
    Relieved(Ask, Vec<Ask>),
    /// Close the log and open it again.
    Reopen,
    /// The disk fails the call of this kind that comes behind so many others.
    Fail(Call, usize),
    /// The disk fails the sync that comes behind so many others, and forgets, or keeps for clean,
    /// what it was to write.
    FailSync(usize, SyncEnd),
    /// The disk has room for so many bytes more; for all again if `None`.
    Room(Option<usize>),
    /// The disk takes so many more bytes of writes, even where room was taken before; all again if
    /// `None`.
    Quota(Option<usize>),
}

impl Step {
    /// Whether it lets a call fail.
    pub(crate) fn is_failure(&self) -> bool {
        matches!(self, Self::Fail(..) | Self::FailSync(..))
    }
}

/// An append to be made up.
#[derive(Debug, Clone)]
pub(crate) enum Ask {
    /// New events for a stream.
    New {
        stream: usize,
        /// How many events.
        count: usize,
        /// The size of each payload, in bytes.
        size: usize,
        want: Want,
    },
    /// Exactly what was asked before, counted from the newest.
    Again(usize),
}

/// What the append expects of its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Want {
    Any,
    NoStream,
    /// The version that the stream had when the step began.
    Tip,
    /// One version less; that the stream is new, if it has but one event.
    Stale,
    /// Three versions more.
    Ahead,
}

/// One event under a condition.
pub(crate) fn one(stream: usize, size: usize, want: Want) -> Ask {
    Ask::New { stream, count: 1, size, want }
}

/// Some events under any condition.
pub(crate) fn many(stream: usize, count: usize, size: usize) -> Ask {
    Ask::New { stream, count, size, want: Want::Any }
}
