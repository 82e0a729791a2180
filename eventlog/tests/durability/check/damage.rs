//! Bytes that rot and files that are cut: found, and never served.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::snapshot::Snapshot;
use crate::disk::SimDisk;
use crate::disk::tree::Tree;
use crate::subject::{Subject, Violation, claim};
use crate::workload::Settings;

const FOUND: &str = "every flipped bit is found";
const SERVED: &str = "what is damaged is never served";

/// A closed log, what it holds, and one of its files.
pub(crate) struct Damage<'a> {
    pub(crate) subject: &'a dyn Subject,
    pub(crate) settings: Settings,
    pub(crate) tree: &'a Tree,
    pub(crate) file: &'a Path,
    pub(crate) whole: &'a Snapshot,
}

/// Which bits are flipped, and who is to find them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flips {
    pub(crate) every: usize,
    /// Whether opening for reading comes first; what it refuses counts as found.
    pub(crate) open_first: bool,
    /// One in so many of the logs is verified, opened and read, whoever found the bit before.
    pub(crate) all_ways_every: usize,
}

impl Damage<'_> {
    fn len(&self) -> usize {
        self.tree.at(self.file).map_or(0, crate::disk::content::Content::len)
    }

    /// Flips every bit for which `wanted` says so, one at a time; answers how many.
    pub(crate) fn flip_each(&self, wanted: impl Fn(usize) -> bool) -> Result<usize, Violation> {
        let bits = (0..self.len() * 8).filter(|bit| wanted(*bit));
        bits.map(|bit| self.flip(bit, true))
            .try_fold(0, |count, checked| checked.map(|()| count + 1))
    }

    /// Flips bits, one at a time, on all processors; answers how many.
    pub(crate) fn flip_all(&self, flips: Flips) -> Result<usize, Violation> {
        let bits = self.len() * 8;
        let (next, count) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = || {
            loop {
                let bit = next.fetch_add(flips.every, Ordering::Relaxed);
                if bit >= bits {
                    return Ok(());
                }
                let nth = count.fetch_add(1, Ordering::Relaxed);
                let spared =
                    flips.open_first && self.subject.open_read_only(&self.rotten(bit)).is_err();
                if !spared || nth.is_multiple_of(flips.all_ways_every) {
                    self.flip(bit, nth.is_multiple_of(flips.all_ways_every))?;
                }
            }
        };
        thread::scope(|scope| {
            let workers = thread::available_parallelism().map_or(1, NonZero::get);
            let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            workers.into_iter().try_for_each(|worker| match worker.join() {
                Ok(flipped) => flipped,
                Err(panic) => resume_unwind(panic),
            })
        })?;
        Ok(count.into_inner())
    }

    /// The log with one bit flipped.
    fn rotten(&self, bit: usize) -> SimDisk {
        let disk = SimDisk::from_tree(self.tree.clone());
        disk.flip(self.file, bit / 8, 1 << (bit % 8));
        disk
    }

    fn flip(&self, bit: usize, open: bool) -> Result<(), Violation> {
        let what = || format!("bit {bit} of {}", self.file.display());
        let verified = self.subject.verify(&self.rotten(bit));
        claim!(verified.is_err(), FOUND, "{} was not", what());
        if open { self.open(&self.rotten(bit), &what()) } else { Ok(()) }
    }

    /// Cuts the file at every byte for which `wanted` says so.
    pub(crate) fn cut_each(&self, wanted: impl Fn(usize) -> bool) -> Result<usize, Violation> {
        let mut count = 0;
        for len in (0..self.len()).filter(|len| wanted(*len)) {
            let disk = SimDisk::from_tree(self.tree.clone());
            disk.truncate(self.file, len);
            let what = format!("{} cut at {len}", self.file.display());
            let opened = catch_unwind(AssertUnwindSafe(|| self.open(&disk, &what)));
            let panicked = |_| Err(Violation::new("nothing panics", what.clone()));
            opened.unwrap_or_else(panicked)?;
            count += 1;
        }
        Ok(count)
    }

    /// Opening may refuse, and reading may; but what is read is what was written.
    fn open(&self, disk: &SimDisk, what: &str) -> Result<(), Violation> {
        let Ok(log) = self.subject.open(disk, &self.settings) else { return Ok(()) };
        match Snapshot::take(log.as_ref(), &BTreeSet::new()) {
            Ok(read) => claim!(read.is_prefix_of(self.whole), SERVED, "{what}: {read:?}"),
            Err(violation) => {
                claim!(violation.check == "what is recorded can be read", SERVED, "{violation}");
            }
        }
        Ok(())
    }
}
