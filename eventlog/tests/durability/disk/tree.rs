//! A whole file system at one moment: directories, names and files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::content::Content;

/// The number of a file, whatever it is called.
pub(crate) type Inode = u64;

/// Cheap to copy: files share their pages.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    pub(crate) dirs: BTreeSet<PathBuf>,
    pub(crate) names: BTreeMap<PathBuf, Inode>,
    pub(crate) files: BTreeMap<Inode, Content>,
}

impl Tree {
    /// Nothing but the root.
    pub(crate) fn empty() -> Self {
        let dirs = BTreeSet::from([PathBuf::from("/")]);
        Self { dirs, names: BTreeMap::new(), files: BTreeMap::new() }
    }

    pub(crate) fn file(&mut self, inode: Inode) -> &mut Content {
        self.files.entry(inode).or_default()
    }

    pub(crate) fn at(&self, path: &Path) -> Option<&Content> {
        self.names.get(path).and_then(|inode| self.files.get(inode))
    }

    /// The names of files and directories whose path is so far into the tree that nobody finds
    /// them, and files without a name, do not survive a crash.
    pub(crate) fn prune(&mut self) {
        let dirs = self.dirs.clone();
        let reachable =
            |path: &Path| path.ancestors().skip(1).all(|ancestor| dirs.contains(ancestor));
        self.dirs.retain(|dir| reachable(dir));
        self.names.retain(|path, _| reachable(path));
        let named: BTreeSet<Inode> = self.names.values().copied().collect();
        self.files.retain(|inode, _| named.contains(inode));
    }

    /// Equal for equal trees; different otherwise, but for accidents. Lock files do not count:
    /// what is in them means nothing.
    pub(crate) fn print(&self) -> u64 {
        let mut print = 0;
        let mut mix = |part: u64| {
            print = (print ^ part).rotate_left(29).wrapping_mul(0xff51_afd7_ed55_8ccd);
        };
        for dir in &self.dirs {
            mix(text(dir));
        }
        for (path, inode) in &self.names {
            if !path.ends_with("LOCK") {
                mix(text(path));
                mix(self.files.get(inode).map_or(0, Content::print));
            }
        }
        print
    }
}

fn text(path: &Path) -> u64 {
    u64::from(crc32c::crc32c(path.as_os_str().as_encoded_bytes()))
}
