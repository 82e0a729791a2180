//! Why a log could not be opened.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::damage::Damage;

/// Why a log could not be opened. No byte of a journal was changed, unless the operating system
/// refused halfway through cutting off a torn tail.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process appends to this log. Stop it, or open for reading only.
    #[error(
        "the log in {dir} is in use by process {pid} ({holder}); stop that process first, or open \
         the log for reading only"
    )]
    Locked {
        /// The directory of the log.
        dir: PathBuf,
        /// The process that has the log open; 0 if it has not yet said so.
        pid: u32,
        /// What that process calls itself.
        holder: String,
    },
    /// There is no log to read.
    #[error("there is no log in {dir}")]
    NotFound {
        /// The directory of the log.
        dir: PathBuf,
    },
    /// A file stands in the journal's place that is none.
    #[error("{file} is not a Playhead journal; nothing in it was changed")]
    NotAJournal {
        /// The file.
        file: PathBuf,
    },
    /// The journal was written by a newer version of this program. Use that one.
    #[error("{file} has format {found}, and this program knows formats up to {known}; update it")]
    TooNew {
        /// The file.
        file: PathBuf,
        /// The format of the file.
        found: u32,
        /// The newest format that this program can read.
        known: u32,
    },
    /// Bytes that were durable once are not what was written. Nothing was changed: restore the file
    /// from a backup.
    #[error("{0}; nothing was changed, restore this file from a backup")]
    Corrupt(Box<Damage>),
    /// The operating system refused.
    #[error("could not {operation} {path}")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// With which file or directory.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
}

impl OpenError {
    pub(super) fn corrupt(file: &Path, position: u64, reason: &str) -> Self {
        Damage::at(file, position, reason).into()
    }

    /// To be given to `map_err`: says what was tried and with what.
    pub(super) fn io<'a>(
        operation: &'static str,
        path: &'a Path,
    ) -> impl FnOnce(io::Error) -> Self + 'a {
        move |source| Self::Io { operation, path: path.to_owned(), source }
    }
}

impl From<Damage> for OpenError {
    fn from(damage: Damage) -> Self {
        Self::Corrupt(Box::new(damage))
    }
}
