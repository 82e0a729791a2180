//! What can be said about every import.

use std::path::PathBuf;

/// What can be said about every import.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Options {
    /// Only say what would be done: everything is read and checked, nothing is written
    #[arg(long)]
    pub dry_run: bool,
    /// Leave out broken records instead of stopping at the first; the exit status is 1 all the same
    #[arg(long)]
    pub keep_going: bool,
    /// Leave out this many broken records, and stop at the next
    #[arg(long, value_name = "N", default_value_t = 0, conflicts_with = "keep_going")]
    pub max_errors: u64,
    /// Write each error into this file, as a line of JSON: file, line, column, field, problem
    #[arg(long, value_name = "FILE")]
    pub errors: Option<PathBuf>,
    /// Read from the start, where a killed import of the same files would go on
    #[arg(long)]
    pub from_start: bool,
    /// The summary as one JSON object
    #[arg(long)]
    pub json: bool,
}

impl Options {
    /// How many broken records are left out; `None` for any number.
    #[must_use]
    pub fn errors_max(&self) -> Option<u64> {
        (!self.keep_going).then_some(self.max_errors)
    }
}

/// What can be said about imports that may find titles changed by hand.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct Overwriting {
    /// Also change fields of titles that somebody changed by hand since they were imported
    #[arg(long)]
    pub overwrite: bool,
}
