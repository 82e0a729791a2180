//! What is put to the test: a log that lives on a disk.

use std::fmt;

use playhead_eventlog::EventLog;

use crate::disk::SimDisk;
use crate::workload::Settings;

/// What can be thrown away. Every log lives in `/log`.
pub(crate) const INDEX_DIR: &str = "/log/index";

/// An engine. Dropping a log closes it.
pub(crate) trait Subject: Sync {
    /// Opens the log for appending, or begins one.
    fn open(&self, disk: &SimDisk, settings: &Settings) -> Result<Box<dyn EventLog>, String>;

    /// Opens the log, which exists, for reading.
    fn open_read_only(&self, disk: &SimDisk) -> Result<Box<dyn EventLog>, String>;

    /// Checks the whole log and answers how many events it has.
    fn verify(&self, disk: &SimDisk) -> Result<u64, String>;
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// The claim that does not hold.
    pub(crate) check: &'static str,
    pub(crate) detail: String,
}

impl Violation {
    pub(crate) fn new(check: &'static str, detail: impl Into<String>) -> Self {
        Self { check, detail: detail.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not so: {}: {}", self.check, self.detail)
    }
}

/// Stops with a violation unless a claim holds.
macro_rules! claim {
    ($holds:expr, $check:expr, $($detail:tt)+) => {
        if !$holds {
            return Err($crate::subject::Violation::new($check, format!($($detail)+)));
        }
    };
}
pub(crate) use claim;
