//! Bytes that rot and files that are cut: found, and never served.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

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

impl Damage<'_> {
    fn len(&self) -> usize {
        self.tree.at(self.file).map_or(0, crate::disk::content::Content::len)
    }

    /// Flips every bit for which `wanted` says so, one at a time; answers how many.
    pub(crate) fn flip_each(&self, wanted: impl Fn(usize) -> bool) -> Result<usize, Violation> {
        let bits = (0..self.len() * 8).filter(|bit| wanted(*bit));
        bits.map(|bit| self.flip(bit)).try_fold(0, |count, checked| checked.map(|()| count + 1))
    }

    fn flip(&self, bit: usize) -> Result<(), Violation> {
        let rotten = || {
            let disk = SimDisk::from_tree(self.tree.clone());
            disk.flip(self.file, bit / 8, 1 << (bit % 8));
            disk
        };
        let what = format!("bit {bit} of {}", self.file.display());
        let verified = self.subject.verify(&rotten());
        claim!(verified.is_err(), FOUND, "{what} was not");
        self.open(&rotten(), &what)?;
        Ok(())
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
