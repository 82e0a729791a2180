//! A log as simple as it can be made, sound or with one bug: what shows that the checks find bugs,
//! and no more than there are.

mod journal;
mod log;

use playhead_eventlog::EventLog;

use crate::disk::SimDisk;
use crate::subject::Subject;
use crate::workload::Settings;

/// What is wrong with the toy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ToyBug {
    AcknowledgeBeforeSync,
    /// Only for the first group in a new segment.
    AcknowledgeBeforeSyncAfterRoll,
    NoDirectorySync,
    /// A new segment gets its name before it has its header.
    NameBeforeHeader,
    NoChecksum,
    TornTailKept,
    NoMarker,
    /// Writes go on behind a failed sync.
    GoOnAfterFailedSync,
    /// What did not fit on the disk counts as recorded for what comes next.
    HoleBehindFullDisk,
    /// An acknowledged group is not written again by the next opening.
    TrustWhatCanBeRead,
}

impl ToyBug {
    /// Those that show without a failing disk.
    pub(crate) const ALL: [Self; 7] = [
        Self::AcknowledgeBeforeSync,
        Self::AcknowledgeBeforeSyncAfterRoll,
        Self::NoDirectorySync,
        Self::NameBeforeHeader,
        Self::NoChecksum,
        Self::TornTailKept,
        Self::NoMarker,
    ];
}

/// The toy, with or without a bug.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Toy(pub(crate) Option<ToyBug>);

impl Subject for Toy {
    fn open(&self, disk: &SimDisk, settings: &Settings) -> Result<Box<dyn EventLog>, String> {
        Ok(Box::new(log::ToyLog::open(disk, settings, self.0)?))
    }

    fn open_read_only(&self, disk: &SimDisk) -> Result<Box<dyn EventLog>, String> {
        let (found, _) = journal::read(disk, self.0)?;
        Ok(Box::new(log::in_memory(found.partitions, &found.appends)?))
    }

    fn verify(&self, disk: &SimDisk) -> Result<u64, String> {
        let (found, torn) = journal::read(disk, self.0)?;
        match torn {
            true => Err("there is a torn tail".to_owned()),
            false => Ok(found.appends.iter().map(|append| append.events.len() as u64).sum()),
        }
    }
}
