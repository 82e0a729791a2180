//! What can go wrong between the log and a read model.

use std::path::{Path, PathBuf};

use playhead_eventlog::ReadError;
use thiserror::Error;

/// Why a store could not be opened, read or written.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The database refused.
    #[error("{operation}: {source}")]
    Sql {
        /// What was to be done.
        operation: &'static str,
        /// What the database said.
        source: sqlx::Error,
    },
    /// The operating system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Another version of the program folded the store. Rebuild it: a store is never migrated.
    #[error("{path} was folded as {found}, this program folds {wanted}; rebuild the read model")]
    OtherVersion {
        /// The store.
        path: PathBuf,
        /// The read model and version of the store.
        found: String,
        /// The read model and version of this program.
        wanted: String,
    },
    /// The files of the store are not what was written to them. Rebuild it from the log.
    #[error("{path} is damaged: {reason}; rebuild the read model")]
    Damaged {
        /// The store.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// The index in which the read model is kept could not be read or written.
    #[error("{operation}: {source}")]
    Index {
        /// What was to be done.
        operation: &'static str,
        /// What the index said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Somebody else committed to the store. Nothing was written; resume from the checkpoint.
    #[error("{path} has a second writer")]
    OtherWriter {
        /// The store.
        path: PathBuf,
    },
    /// A query kept the store from being scrubbed. Scrub again.
    #[error("{path} is in use; scrub it again")]
    InUse {
        /// The store.
        path: PathBuf,
    },
    /// The log could not be read to tell whether the store was folded from it.
    #[error("comparing the store with the log: {source}")]
    Log {
        /// What the log said.
        source: ReadError,
    },
    /// A row is not as this program writes it.
    #[error("{what} cannot be read: {reason}")]
    Unreadable {
        /// The table or file.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl StoreError {
    /// Whether the same may succeed later without anybody's help.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::Sql { source, .. } => is_transient(source),
            Self::Log { source } => source.retryable(),
            Self::OtherWriter { .. } | Self::InUse { .. } | Self::Index { .. } => true,
            Self::Io { .. }
            | Self::OtherVersion { .. }
            | Self::Damaged { .. }
            | Self::Unreadable { .. } => false,
        }
    }

    /// Whether the store cannot be used as it is, and has to be folded anew from the log.
    #[must_use]
    pub fn needs_rebuild(&self) -> bool {
        matches!(self, Self::OtherVersion { .. } | Self::Damaged { .. })
    }

    /// Wraps what the operating system said about a path.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    /// Wraps what the database said about an operation.
    pub(crate) fn sql(operation: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Sql { operation, source }
    }

    /// Wraps what is wrong with a row of a table.
    pub(crate) fn unreadable<E: ToString>(what: &str) -> impl FnOnce(E) -> Self {
        move |reason| Self::Unreadable { what: what.to_owned(), reason: reason.to_string() }
    }
}

/// Busy (5), locked (6), I/O error (10) and disk full (13) pass; the codes' low bytes count
/// (<https://www.sqlite.org/rescode.html>).
fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut => true,
        sqlx::Error::Database(error) => error
            .code()
            .and_then(|code| code.parse::<u32>().ok())
            .is_some_and(|code| matches!(code & 0xff, 5 | 6 | 10 | 13)),
        _ => false,
    }
}

/// Why a read model does not follow the log.
#[derive(Debug, Error)]
pub enum ProjectionError {
    /// The log could not be read.
    #[error("reading the log for {model}: {source}")]
    Log {
        /// The read model.
        model: &'static str,
        /// What the log said.
        source: ReadError,
    },
    /// The log ends before the checkpoint: it is not the log that was folded, or an older copy of it.
    #[error(
        "{model} was folded from another log, or from one that has since been restored ({source}); \
         restart the program: the read model is then built anew"
    )]
    OtherLog {
        /// The read model.
        model: &'static str,
        /// What the log said.
        source: ReadError,
    },
    /// The store could not be read or written.
    #[error("folding into {model}: {source}")]
    Store {
        /// The read model.
        model: &'static str,
        /// What the store said.
        source: StoreError,
    },
    /// Folding panicked or the runtime is shutting down.
    #[error("the reader of {model} ended before its time")]
    ReaderEnded {
        /// The read model.
        model: &'static str,
    },
}

impl ProjectionError {
    /// Whether the same may succeed later without anybody's help.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::Log { source, .. } => source.retryable(),
            Self::Store { source, .. } => source.retryable(),
            Self::OtherLog { .. } | Self::ReaderEnded { .. } => false,
        }
    }

    pub(crate) fn log(model: &'static str) -> impl FnOnce(ReadError) -> Self {
        move |source| match source {
            ReadError::BeyondHead { .. } | ReadError::BeyondEnd { .. } => {
                Self::OtherLog { model, source }
            }
            _ => Self::Log { model, source },
        }
    }

    pub(crate) fn store(model: &'static str) -> impl FnOnce(StoreError) -> Self {
        move |source| Self::Store { model, source }
    }
}
