//! What can be wrong with the files.

use std::io;
use std::path::PathBuf;

use maxminddb::MaxMindDbError;
use thiserror::Error;

/// A file cannot be used. Nothing helps but another file.
#[derive(Debug, Error)]
pub enum TerritoryError {
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is too large.
    #[error("{} has more than {bytes_max} bytes", path.display())]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// How large it may be.
        bytes_max: u64,
    },
    /// What is in it cannot be used.
    #[error("cannot use {}", path.display())]
    Unusable {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        source: Flaw,
    },
}

/// What is wrong with the contents of a file.
#[derive(Debug, Error)]
pub enum Flaw {
    /// It is not what MaxMind DB files look like.
    #[error("it is no MaxMind DB, or a damaged one")]
    Damaged(#[from] MaxMindDbError),
    /// It is a database of something else.
    #[error("it is a database of type {kind:?} without country.iso_code")]
    NoCountries {
        /// What it calls itself.
        kind: String,
    },
    /// A line of the list is wrong.
    #[error("line {line}: {text:?} is no address and no network in CIDR notation")]
    Line {
        /// Which one, from 1.
        line: usize,
        /// Its begin.
        text: String,
    },
    /// The list is too long.
    #[error("line {line}: there are more than {ranges_max} ranges")]
    TooMany {
        /// Where the first of too many is, from 1.
        line: usize,
        /// How many there may be.
        ranges_max: usize,
    },
}
