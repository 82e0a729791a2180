//! What was asked of a disk, in order: the only thing a crash depends on.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::tree::Inode;

/// One change, or one promise of durability.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Op {
    Create { path: PathBuf, inode: Inode },
    Rename { from: PathBuf, to: PathBuf, inode: Inode },
    Remove { path: PathBuf, inode: Inode },
    CreateDir { path: PathBuf },
    Write { inode: Inode, offset: usize, bytes: Arc<[u8]>, len_before: usize },
    Allocate { inode: Inode, len: usize, len_before: usize },
    SetLen { inode: Inode, len: usize, len_before: usize },
    Sync { inode: Inode, end: SyncEnd },
    SyncDir { dir: PathBuf, end: SyncEnd },
}

/// How a sync ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SyncEnd {
    Durable,
    /// It failed. What it was to make durable can still be read and counts as clean: no later sync
    /// writes it. So does ext4.
    FailedKeeping,
    /// It failed. What was written since the last sync reads as it did before. So does XFS.
    FailedDropping,
}

impl Op {
    /// The directory whose sync makes this change durable, if it is one of names.
    pub(crate) fn dir(&self) -> Option<&Path> {
        match self {
            Self::Create { path, .. } | Self::Remove { path, .. } | Self::CreateDir { path } => {
                path.parent()
            }
            Self::Rename { to, .. } => to.parent(),
            _ => None,
        }
    }

    /// The file whose sync makes this change durable, if it is one of bytes or sizes.
    pub(crate) fn inode(&self) -> Option<Inode> {
        match self {
            Self::Write { inode, .. }
            | Self::Allocate { inode, .. }
            | Self::SetLen { inode, .. } => Some(*inode),
            _ => None,
        }
    }

    pub(crate) fn is_failed_sync(&self) -> bool {
        match self {
            Self::Sync { end, .. } | Self::SyncDir { end, .. } => *end != SyncEnd::Durable,
            _ => false,
        }
    }

    /// Whether a file may be found by a name that this change gives, or takes.
    pub(crate) fn names(&self, wanted: Inode) -> bool {
        match self {
            Self::Create { inode, .. } | Self::Rename { inode, .. } => *inode == wanted,
            _ => false,
        }
    }
}

impl fmt::Debug for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { path, inode } => write!(f, "create {} as #{inode}", path.display()),
            Self::Rename { from, to, inode } => {
                write!(f, "rename #{inode} {} to {}", from.display(), to.display())
            }
            Self::Remove { path, inode } => write!(f, "remove #{inode} {}", path.display()),
            Self::CreateDir { path } => write!(f, "create directory {}", path.display()),
            Self::Write { inode, offset, bytes, len_before } => {
                let end = offset + bytes.len();
                write!(f, "write #{inode} {offset}..{end} of {len_before}")
            }
            Self::Allocate { inode, len, len_before } => {
                write!(f, "allocate #{inode} {len_before}..{len}")
            }
            Self::SetLen { inode, len, len_before } => {
                write!(f, "resize #{inode} from {len_before} to {len}")
            }
            Self::Sync { inode, end } => write!(f, "sync #{inode}: {end:?}"),
            Self::SyncDir { dir, end } => write!(f, "sync directory {}: {end:?}", dir.display()),
        }
    }
}
