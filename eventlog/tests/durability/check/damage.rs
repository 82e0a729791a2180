//! Bytes that rot and files that are cut: found, and never served.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use futures::future::join_all;
use playhead_eventlog::{Cursor, EventLog};

use super::snapshot::Snapshot;
use crate::disk::SimDisk;
use crate::disk::tree::Tree;
use crate::subject::{Subject, Violation, claim};
use crate::workload::Settings;
use crate::workload::poll::block_on;

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
    /// One in so many of the logs is verified, opened for appending and read, whoever found the bit
    /// before.
    pub(crate) all_ways_every: usize,
}

/// So many logs share the wait for what they read.
const BENCHES: usize = 32;

/// A log that is open for reading, on a disk whose bits are flipped under it.
struct Bench {
    disk: SimDisk,
    log: Box<dyn EventLog>,
    start: Cursor,
}

impl Damage<'_> {
    fn len(&self) -> usize {
        self.tree.at(self.file).map_or(0, crate::disk::content::Content::len)
    }

    /// Flips every bit for which `wanted` says so, one at a time; answers how many.
    pub(crate) fn flip_each(&self, wanted: impl Fn(usize) -> bool) -> Result<usize, Violation> {
        let bits = (0..self.len() * 8).filter(|bit| wanted(*bit));
        bits.map(|bit| self.flip(bit)).try_fold(0, |count, checked| checked.map(|()| count + 1))
    }

    /// Flips bits, one at a time, on all processors; answers how many.
    pub(crate) fn flip_all(&self, flips: Flips) -> Result<usize, Violation> {
        let bits = self.len() * 8;
        let (next, count) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = || {
            let benches = (0..BENCHES).map(|_| self.bench()).collect::<Result<Vec<_>, _>>()?;
            loop {
                let from = next.fetch_add(BENCHES * flips.every, Ordering::Relaxed);
                let here = (from..bits).step_by(flips.every).take(BENCHES);
                let here: Vec<(&Bench, usize)> = benches.iter().zip(here).collect();
                if here.is_empty() {
                    return Ok(());
                }
                self.flip_under(&here, flips.open_first)?;
                count.fetch_add(here.len(), Ordering::Relaxed);
                let nth = |bit: usize| bit / flips.every;
                let wanted = |bit: &usize| nth(*bit).is_multiple_of(flips.all_ways_every);
                { here }
                    .into_iter()
                    .map(|(_, bit)| bit)
                    .filter(wanted)
                    .try_for_each(|bit| self.flip(bit))?;
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

    fn bench(&self) -> Result<Bench, Violation> {
        let disk = SimDisk::from_tree(self.tree.clone());
        let log = self.subject.open_read_only(&disk);
        let log = log.map_err(|error| Violation::new("the log opens", error))?;
        let start = Cursor::start(log.partitions());
        Ok(Bench { disk, log, start })
    }

    /// Flips one bit on each of these disks, which must be found and not be served by the log that is
    /// open there, and flips it back.
    fn flip_under(&self, benches: &[(&Bench, usize)], open_first: bool) -> Result<(), Violation> {
        for (Bench { disk, .. }, bit) in benches {
            disk.flip(self.file, bit / 8, 1 << (bit % 8));
            let found = open_first && self.subject.open_read_only(disk).is_err();
            let found = found || self.subject.verify(disk).is_err();
            claim!(found, FOUND, "bit {bit} of {} was not", self.file.display());
        }
        // To wait for many reads takes hardly longer than to wait for one.
        let reads = benches.iter().map(|(Bench { log, start, .. }, _)| log.read(start, usize::MAX));
        for (read, (Bench { disk, .. }, bit)) in block_on(join_all(reads)).into_iter().zip(benches)
        {
            let events = read.map_or(Vec::new(), |batch| batch.events);
            let mut events = events.iter();
            let sound =
                events.all(|event| self.whole.at(event.partition, event.offset) == Some(event));
            claim!(sound, SERVED, "bit {bit} of {}", self.file.display());
            disk.flip(self.file, bit / 8, 1 << (bit % 8));
        }
        Ok(())
    }

    /// The log with one bit flipped.
    fn rotten(&self, bit: usize) -> SimDisk {
        let disk = SimDisk::from_tree(self.tree.clone());
        disk.flip(self.file, bit / 8, 1 << (bit % 8));
        disk
    }

    /// Verifies, opens and reads the log with one bit flipped.
    fn flip(&self, bit: usize) -> Result<(), Violation> {
        let what = || format!("bit {bit} of {}", self.file.display());
        let verified = self.subject.verify(&self.rotten(bit));
        claim!(verified.is_err(), FOUND, "{} was not", what());
        self.open(&self.rotten(bit), &what())
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
