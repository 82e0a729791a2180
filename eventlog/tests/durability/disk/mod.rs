//! A disk in memory that remembers everything that was asked of it.
//!
//! | part | knows |
//! | --- | --- |
//! | `content`, `tree` | files and names at one moment, cheap to copy |
//! | `op` | what was asked, in order |
//! | `durability` | what of that is durable for certain |
//! | `outcome` | what a crash can make of one change that is not |
//! | `crash` | the states that a crash behind some operation can leave |
//! | `faults` | failing calls, a full disk |
//! | `gate` | a call that waits until the test lets it go on |
//! | `file` | open files |

pub(crate) mod content;
pub(crate) mod crash;
mod durability;
pub(crate) mod faults;
mod file;
mod gate;
pub(crate) mod op;
pub(crate) mod outcome;
#[cfg(test)]
mod tests;
pub(crate) mod tree;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use playhead_eventlog::embedded::disk::{Access, Disk, DiskFile};

use self::durability::Durability;
use self::faults::{Call, Faults};
use self::file::SimFile;
use self::gate::Held;
use self::op::{Op, SyncEnd};
use self::tree::{Inode, Tree};

/// A disk; clones are the same disk.
#[derive(Clone)]
pub(crate) struct SimDisk(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    moved: Condvar,
}

struct State {
    /// What was there in the beginning; all of it durable.
    start: Tree,
    /// What programs see.
    live: Tree,
    ops: Vec<Op>,
    faults: Faults,
    /// Which opening has which file locked.
    locks: BTreeMap<Inode, u64>,
    /// How many openings there are of each file.
    opened: BTreeMap<Inode, usize>,
    next_inode: Inode,
    next_opening: u64,
    held: Option<Held>,
}

impl fmt::Debug for SimDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimDisk after {} operations", self.step())
    }
}

impl SimDisk {
    /// An empty disk.
    pub(crate) fn new() -> Self {
        Self::from_tree(Tree::empty())
    }

    /// A disk on which everything in the tree is durable.
    pub(crate) fn from_tree(start: Tree) -> Self {
        let next_inode = start.files.keys().max().map_or(0, |inode| inode + 1);
        let live = start.clone();
        let state = State {
            start,
            live,
            ops: Vec::new(),
            faults: Faults::default(),
            locks: BTreeMap::new(),
            opened: BTreeMap::new(),
            next_inode,
            next_opening: 0,
            held: None,
        };
        Self(Arc::new(Shared { state: Mutex::new(state), moved: Condvar::new() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many operations there were so far.
    pub(crate) fn step(&self) -> usize {
        self.state().ops.len()
    }

    /// What was there in the beginning, and every operation since.
    pub(crate) fn history(&self) -> (Tree, Vec<Op>) {
        let state = self.state();
        (state.start.clone(), state.ops.clone())
    }

    /// What programs see now.
    pub(crate) fn tree(&self) -> Tree {
        self.state().live.clone()
    }

    /// Another disk with what programs see on this one, as if its programs were killed now.
    pub(crate) fn killed(&self) -> Self {
        Self::from_tree(self.tree())
    }

    pub(crate) fn with_faults<T>(&self, change: impl FnOnce(&mut Faults) -> T) -> T {
        change(&mut self.state().faults)
    }

    /// How many bytes the files take.
    pub(crate) fn used(&self) -> usize {
        self.state().used()
    }

    /// Bytes rot: no operation, no trace.
    pub(crate) fn flip(&self, path: &Path, offset: usize, mask: u8) {
        let mut state = self.state();
        let inode = state.live.names[path];
        state.live.file(inode).flip(offset, mask);
    }

    /// Cuts a file, without an operation.
    pub(crate) fn truncate(&self, path: &Path, len: usize) {
        let mut state = self.state();
        let inode = state.live.names[path];
        state.live.file(inode).cut(len);
    }

    /// Removes every file in a directory, durably.
    pub(crate) fn forget(&self, dir: &Path) {
        let mut state = self.state();
        let State { start, live, .. } = &mut *state;
        for tree in [start, live] {
            tree.names.retain(|path, _| path.parent() != Some(dir));
        }
    }

    /// Takes one call that changes something, once no gate holds it.
    fn change<T>(
        &self,
        call: Call,
        change: impl FnOnce(&mut State, io::Result<()>) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut state = self.pass(call);
        let fate = state.faults.call(call);
        change(&mut state, fate)
    }

    fn opening(&self, state: &mut State, inode: Inode, access: Access) -> Arc<dyn DiskFile> {
        state.next_opening += 1;
        *state.opened.entry(inode).or_insert(0) += 1;
        Arc::new(SimFile::new(self.clone(), inode, state.next_opening, access))
    }
}

impl State {
    /// Files without a name take room as long as they are open.
    fn used(&self) -> usize {
        let counts = |inode: &Inode| {
            self.opened.contains_key(inode) || self.live.names.values().any(|named| named == inode)
        };
        let files = self.live.files.iter().filter(|(inode, _)| counts(inode));
        files.map(|(_, content)| content.room()).sum()
    }

    /// How many of the bytes up to `end` there is room for in a file: the position behind them.
    fn room_until(&self, inode: Inode, end: usize) -> usize {
        let Some(capacity) = self.faults.capacity else { return end };
        let room = self.live.files.get(&inode).map_or(0, content::Content::room);
        end.min(room + capacity.saturating_sub(self.used()))
    }

    fn inode(&self, path: &Path) -> io::Result<Inode> {
        let inode = self.live.names.get(path).copied();
        inode.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, path.display().to_string()))
    }

    fn require_dir(&self, dir: Option<&Path>) -> io::Result<()> {
        match dir {
            Some(dir) if self.live.dirs.contains(dir) => Ok(()),
            _ => Err(io::Error::new(io::ErrorKind::NotFound, "there is no such directory")),
        }
    }

    /// Lets an operation happen.
    fn perform(&mut self, op: Op) {
        outcome::apply(&mut self.live, &op, outcome::Outcome::Kept);
        self.ops.push(op);
    }

    /// After a failed sync that drops what it was to write.
    fn reload(&mut self) {
        let mut durability = Durability::new(self.start.clone());
        for (at, op) in self.ops.iter().enumerate() {
            durability.advance(at, op);
        }
        self.live = durability.settle(|_| outcome::Outcome::Kept);
    }
}

impl Disk for SimDisk {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.change(Call::Name, |state, fate| {
            fate?;
            state.require_dir(path.parent())?;
            let inode = match state.inode(path) {
                Ok(inode) => {
                    let len_before = state.live.file(inode).len();
                    state.perform(Op::SetLen { inode, len: 0, len_before });
                    inode
                }
                Err(_) => {
                    if state.faults.capacity.is_some_and(|capacity| capacity <= state.used()) {
                        return Err(faults::full());
                    }
                    let inode = state.next_inode;
                    state.next_inode += 1;
                    state.perform(Op::Create { path: path.to_owned(), inode });
                    inode
                }
            };
            Ok(self.opening(state, inode, Access::Write))
        })
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.state();
        let inode = state.inode(path)?;
        Ok(self.opening(&mut state, inode, access))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        assert_eq!(from.parent(), to.parent(), "files stay in their directory");
        self.change(Call::Name, |state, fate| {
            fate?;
            let inode = state.inode(from)?;
            state.perform(Op::Rename { from: from.to_owned(), to: to.to_owned(), inode });
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.change(Call::Name, |state, fate| {
            fate?;
            let inode = state.inode(path)?;
            state.perform(Op::Remove { path: path.to_owned(), inode });
            Ok(())
        })
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let state = self.state();
        state.require_dir(Some(dir))?;
        let inside = state.live.names.keys().filter(|path| path.parent() == Some(dir));
        let names = inside.filter_map(|path| path.file_name());
        Ok(names.map(|name| name.to_string_lossy().into_owned()).collect())
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.change(Call::Name, |state, fate| {
            fate?;
            if state.live.dirs.contains(dir) {
                return Ok(());
            }
            state.require_dir(dir.parent())?;
            if state.live.names.contains_key(dir) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            state.perform(Op::CreateDir { path: dir.to_owned() });
            Ok(())
        })
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.change(Call::Sync, |state, fate| {
            state.require_dir(Some(dir))?;
            let end = match fate {
                Ok(()) => SyncEnd::Durable,
                Err(_) => state.faults.failed_sync(),
            };
            state.perform(Op::SyncDir { dir: PathBuf::from(dir), end });
            fate
        })
    }
}
