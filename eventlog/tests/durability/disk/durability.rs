//! What of a history of operations is durable for certain, and what a crash decides.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::op::{Op, SyncEnd};
use super::outcome::{self, Outcome};
use super::tree::{Inode, Tree};

/// The state of a disk behind some operation.
#[derive(Debug, Clone)]
pub(crate) struct Durability {
    /// What is durable, as far as nothing undecided comes before it.
    base: Tree,
    /// Changes of bytes and sizes, in order.
    files: BTreeMap<Inode, Vec<Change>>,
    /// Changes of names, in order, by directory.
    names: BTreeMap<PathBuf, Vec<Change>>,
}

/// A change that is not part of the base yet.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// Which operation of the history it was.
    pub(crate) at: usize,
    pub(crate) op: Op,
    status: Status,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Unsynced,
    /// A sync failed: no other one will make it durable.
    Doubtful,
    Decided(Outcome),
}

impl Durability {
    /// Everything in the tree is durable.
    pub(crate) fn new(base: Tree) -> Self {
        Self { base, files: BTreeMap::new(), names: BTreeMap::new() }
    }

    /// Takes the next operation of the history.
    pub(crate) fn advance(&mut self, at: usize, op: &Op) {
        let change = || Change { at, op: op.clone(), status: Status::Unsynced };
        match op {
            Op::Sync { inode, end } => {
                sync(&mut self.base, self.files.entry(*inode).or_default(), *end);
            }
            // Names do not get lost as pages do: they stand in the file system's own journal, and
            // where that cannot be written, no later sync succeeds. So a failed one is as none.
            Op::SyncDir { end, .. } if *end != SyncEnd::Durable => {}
            Op::SyncDir { dir, end } => {
                sync(&mut self.base, self.names.entry(dir.clone()).or_default(), *end);
            }
            _ => {
                if let Some(inode) = op.inode() {
                    self.files.entry(inode).or_default().push(change());
                } else if let Some(dir) = op.dir() {
                    self.names.entry(dir.to_owned()).or_default().push(change());
                }
            }
        }
    }

    /// The changes that a crash decides about, in order; not those of files that nobody will find.
    pub(crate) fn undecided(&self) -> Vec<&Change> {
        let changes = self.names.values().chain(
            self.files.iter().filter(|(inode, _)| self.may_be_found(**inode)).map(|(_, all)| all),
        );
        let open = |change: &&Change| !matches!(change.status, Status::Decided(_));
        let mut undecided: Vec<&Change> = changes.flatten().filter(open).collect();
        undecided.sort_by_key(|change| change.at);
        undecided
    }

    fn may_be_found(&self, inode: Inode) -> bool {
        self.base.names.values().any(|named| *named == inode)
            || self.names.values().flatten().any(|change| change.op.names(inode))
    }

    /// What the disk holds if every undecided change has the outcome that `choose` says.
    pub(crate) fn settle(&self, mut choose: impl FnMut(&Change) -> Outcome) -> Tree {
        let mut tree = self.base.clone();
        for change in self.names.values().chain(self.files.values()).flatten() {
            let outcome = match change.status {
                Status::Decided(outcome) => outcome,
                Status::Unsynced | Status::Doubtful => choose(change),
            };
            outcome::apply(&mut tree, &change.op, outcome);
        }
        tree.prune();
        tree
    }
}

fn sync(base: &mut Tree, changes: &mut Vec<Change>, end: SyncEnd) {
    for change in changes.iter_mut().filter(|change| change.status == Status::Unsynced) {
        change.status = match end {
            SyncEnd::Durable => Status::Decided(Outcome::Kept),
            SyncEnd::FailedKeeping => Status::Doubtful,
            SyncEnd::FailedDropping => match change.op {
                Op::Write { .. } => Status::Decided(Outcome::SizeOnly),
                _ => Status::Doubtful,
            },
        };
    }
    let decided = changes.iter().take_while(|change| matches!(change.status, Status::Decided(_)));
    let count = decided.count();
    for change in changes.drain(..count) {
        if let Status::Decided(outcome) = change.status {
            outcome::apply(base, &change.op, outcome);
        }
    }
}
