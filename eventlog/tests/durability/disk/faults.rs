//! What goes wrong with a disk, and when.

use std::collections::BTreeMap;
use std::io;

use super::op::SyncEnd;

/// Kinds of calls, counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Call {
    Read,
    Write,
    /// Of a file or a directory.
    Sync,
    /// Cutting, growing, allocating.
    Resize,
    /// Creating, renaming, removing.
    Name,
}

/// The plan of failures of one disk. Without any, all is well.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    /// Which call of a kind fails, counted from 0; all others succeed.
    fail: BTreeMap<Call, usize>,
    counted: BTreeMap<Call, usize>,
    /// What a failing sync does to what it was to write.
    lying: Option<SyncEnd>,
    /// How many calls have failed so far.
    pub(crate) met: usize,
    /// How many bytes the disk has room for.
    pub(crate) capacity: Option<usize>,
    /// How many more bytes can be written, even into room that was taken before: file systems that
    /// copy on write, and quotas.
    pub(crate) quota: Option<usize>,
}

impl Faults {
    /// Lets the `nth` call of a kind from now on fail.
    pub(crate) fn fail(&mut self, call: Call, nth: usize) {
        let done = self.count(call);
        self.fail.insert(call, done + nth);
    }

    pub(crate) fn fail_sync(&mut self, nth: usize, end: SyncEnd) {
        self.lying = Some(end);
        self.fail(Call::Sync, nth);
    }

    /// How many calls of a kind there were.
    pub(crate) fn count(&self, call: Call) -> usize {
        self.counted.get(&call).copied().unwrap_or(0)
    }

    /// Counts a call; an error if it is the one to fail.
    pub(crate) fn call(&mut self, call: Call) -> io::Result<()> {
        let count = self.counted.entry(call).or_insert(0);
        *count += 1;
        if self.fail.get(&call) == Some(&(*count - 1)) {
            self.met += 1;
            return Err(io::Error::other(format!("the simulated disk fails a {call:?}")));
        }
        Ok(())
    }

    /// Whether the disk can run full.
    pub(crate) fn is_limited(&self) -> bool {
        self.capacity.is_some() || self.quota.is_some()
    }

    /// Takes so many bytes from the quota; answers how many there were.
    pub(super) fn spend(&mut self, bytes: usize) -> usize {
        let Some(quota) = &mut self.quota else { return bytes };
        let spent = bytes.min(*quota);
        *quota -= spent;
        spent
    }

    pub(crate) fn failed_sync(&self) -> SyncEnd {
        self.lying.unwrap_or(SyncEnd::FailedKeeping)
    }
}

pub(crate) fn full() -> io::Error {
    io::Error::new(io::ErrorKind::StorageFull, "the simulated disk is full")
}
