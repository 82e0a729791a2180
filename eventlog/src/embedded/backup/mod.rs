//! Backups: a log copied while it is appended to, and laid out as a log again.
//!
//! ```text
//! TARGET/backup.json      what the backup holds; written last
//! TARGET/backup.lock      held while a backup is taken
//! TARGET/journal/….seg    the segments
//! ```
//!
//! A backup is a prefix of the log: everything up to a position, nothing behind it. It is taken
//! beside the process that appends, without its lock and without disturbing it. What is in it was
//! durable in the log when the backup was finished: so the log never goes on differently from where
//! the backup ends.
//!
//! Taking one again into the same directory copies only what is new: a sealed segment never
//! changes, so one that is there stays. The last one, which is not sealed, is copied anew if anything
//! was appended to it. At any moment the directory holds a whole backup, the old one or the new one:
//! a segment that replaces another waits as `….seg.next` until the new `backup.json` is durable. What
//! a killed backup leaves is put in order by the next one.
//!
//! Not part of a backup: `DIR/index` and read models, which are made anew from the log; and the keys,
//! which are secrets and should be kept elsewhere.

mod copy;
mod manifest;
mod restore;
mod take;

use std::path::PathBuf;

use thiserror::Error;

pub use self::restore::{restore, restore_on};
pub use self::take::{backup, backup_on};
use super::error::OpenError;

/// What a backup holds, and what it took to bring it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupReport {
    /// Everything in the log before this position is in the backup, in bytes.
    pub position: u64,
    /// The number of events in the backup.
    pub events: u64,
    /// The number of segments in the backup.
    pub segments: u64,
    /// The size of the backup, in bytes.
    pub bytes: u64,
    /// How many of the segments were copied now.
    pub copied_segments: u64,
    /// How many bytes were copied now.
    pub copied_bytes: u64,
}

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreReport {
    /// The position behind the last event, in bytes.
    pub position: u64,
    /// The number of events.
    pub events: u64,
    /// The number of segments.
    pub segments: u64,
    /// The size of the segments, in bytes.
    pub bytes: u64,
}

/// Why a backup could not be taken or restored.
#[derive(Debug, Error)]
pub enum BackupError {
    /// The log could not be read or written; see [`OpenError`].
    #[error(transparent)]
    Log(#[from] OpenError),
    /// The directory holds something else. Name another one.
    #[error("{dir} holds no backup: {reason}")]
    NotABackup {
        /// The directory.
        dir: PathBuf,
        /// What is there instead.
        reason: String,
    },
    /// The directory holds the backup of another log, or of this one before it was set back. Name
    /// another one.
    #[error("{dir} holds the backup of another log: {reason}")]
    OtherLog {
        /// The directory of the backup.
        dir: PathBuf,
        /// What differs.
        reason: String,
    },
    /// Source and target lie in one another.
    #[error("{target} and {source_dir} lie in one another")]
    Nested {
        /// What was to be copied.
        source_dir: PathBuf,
        /// Where to.
        target: PathBuf,
    },
    /// Another process is taking a backup into this directory. Wait for it.
    #[error("another process is taking a backup into {dir}")]
    Busy {
        /// The directory of the backup.
        dir: PathBuf,
    },
    /// There is something in the directory that is to be restored into. Name an empty one.
    #[error("{dir} is not empty")]
    NotEmpty {
        /// The directory.
        dir: PathBuf,
    },
    /// A file of the backup is not what was written. Restore another backup.
    #[error("{file} is not what the backup wrote: {reason}")]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The backup was taken by a newer version of this program. Use that one.
    #[error("{file} has format {found}, and this program knows formats up to {known}")]
    TooNew {
        /// The file.
        file: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format that this program can read.
        known: u32,
    },
}
