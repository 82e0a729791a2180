//! What can go wrong with keys and sealed fields.

use std::path::{Path, PathBuf};

use thiserror::Error;
use uuid::Uuid;

/// Why something could not be sealed, unsealed, or a key not be used. No message holds a personal
/// value or a key.
#[derive(Debug, Error)]
pub enum VaultError {
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
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The operating system gave no randomness. Nothing was sealed.
    #[error("no randomness from the operating system: {0}")]
    Randomness(getrandom::Error),
    /// There is no key file where one must be.
    #[error("{path} is missing; without it no personal data can be read: restore it from its copy")]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// Another process has the key file open, or this one has it open twice.
    #[error("{path} is in use; one process at a time can use a key file")]
    InUse {
        /// The key file.
        path: PathBuf,
    },
    /// The file is a database, but not one of keys, or of another version of the program.
    #[error("{path} is not a key file of this version: {reason}")]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The master key is not the one of the key file. Nothing was read or written.
    #[error("{path} is locked with another master key")]
    WrongMasterKey {
        /// The key file.
        path: PathBuf,
    },
    /// A new master key is taking this one's place. Open the file with the new one.
    #[error("{path} is moving to another master key; open it with the new one and rewrap again")]
    MasterKeyReplaced {
        /// The key file.
        path: PathBuf,
    },
    /// The text is not a master key.
    #[error("a master key has 64 hexadecimal digits")]
    NotAMasterKey,
    /// A wrapped key does not open under the master key that it names: the file is damaged, or was
    /// changed by somebody else.
    #[error("the wrapped key of {owner} is damaged")]
    DamagedKey {
        /// The person, or what else the key is for.
        owner: String,
    },
    /// The person was erased. Nothing can be sealed for them any more.
    #[error("{subject} was erased")]
    Erased {
        /// The person.
        subject: Uuid,
    },
    /// The log has sealed data of a person of whom the key file knows nothing, not even that they
    /// were erased: it belongs to another log, or is an older copy.
    #[error(
        "there is no key for {subject}; is this the key file of this log, and not an old copy?"
    )]
    NoKey {
        /// The person.
        subject: Uuid,
    },
    /// The value was sealed under another key: that of another person, or one that was lost.
    #[error("the sealed value at {pointer:?} is not under the key of this person")]
    OtherKey {
        /// Where it is (RFC 6901).
        pointer: String,
    },
    /// The value was changed, or sealed for another place, event or stream.
    #[error("the sealed value at {pointer:?} was changed, or belongs elsewhere")]
    Tampered {
        /// Where it is (RFC 6901).
        pointer: String,
    },
    /// The value is no sealed value of a version that this program knows.
    #[error("the value at {pointer:?} is not a sealed one: {reason}")]
    NotSealed {
        /// Where it is (RFC 6901).
        pointer: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A marker is where it must not be: `$sealed` or `$erased` in what is to be sealed, `$personal` or
    /// `$erased` in what was recorded, one inside another's value, or one beside other keys.
    #[error("the marker {marker} at {pointer:?} {reason}")]
    Misplaced {
        /// The marker.
        marker: &'static str,
        /// Where its object is (RFC 6901).
        pointer: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The payload is not JSON. The parser's words are left out, because they may quote it.
    #[error("the payload is not JSON at line {line}, column {column}")]
    NotJson {
        /// The line, counted from 1; 0 if unknown.
        line: usize,
        /// The column, counted from 1; 0 if unknown.
        column: usize,
    },
    /// The payload exceeds a limit.
    #[error("the payload has more than {limit} {unit}")]
    TooLarge {
        /// How many are allowed.
        limit: usize,
        /// Of what.
        unit: &'static str,
    },
}

impl VaultError {
    /// Whether the same may succeed later without anybody's help.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::Sql { source, .. } => is_transient(source),
            Self::Randomness(_) | Self::InUse { .. } => true,
            Self::Io { .. }
            | Self::Missing { .. }
            | Self::OtherFormat { .. }
            | Self::WrongMasterKey { .. }
            | Self::MasterKeyReplaced { .. }
            | Self::NotAMasterKey
            | Self::DamagedKey { .. }
            | Self::Erased { .. }
            | Self::NoKey { .. }
            | Self::OtherKey { .. }
            | Self::Tampered { .. }
            | Self::NotSealed { .. }
            | Self::Misplaced { .. }
            | Self::NotJson { .. }
            | Self::TooLarge { .. } => false,
        }
    }

    /// Wraps what the operating system said about a path.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    /// Wraps what the database said about an operation.
    pub(crate) fn sql(operation: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Sql { operation, source }
    }
}

/// SQLite's primary result code, the low byte (<https://www.sqlite.org/rescode.html>).
pub(crate) fn code(error: &sqlx::Error) -> Option<u32> {
    let code = error.as_database_error()?.code()?.parse::<u32>().ok()?;
    Some(code & 0xff)
}

/// Busy (5), locked (6), I/O error (10) and disk full (13) pass.
fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut => true,
        error => matches!(code(error), Some(5 | 6 | 10 | 13)),
    }
}
