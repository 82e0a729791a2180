//! Everything the engine asks of a file system, in one small trait.
//!
//! Production uses [`RealDisk`]; tests use disks that crash, run full, fail, delay and lie.
//!
//! The rules of durability are those of POSIX, taken strictly:
//!
//! - bytes, sizes and allocations of a file are durable after [`DiskFile::sync`], not before;
//! - a name (created, renamed or removed) is durable after [`Disk::sync_dir`] of its directory;
//! - after a crash each change that was not synced may be there, not there or, for bytes, torn
//!   at the sectors; nothing is promised about their order;
//! - after a failed sync of a file nothing is known any more of what it was to make durable, not
//!   even if a later sync succeeds: only what is written anew is made durable then.

use std::fmt::Debug;
use std::io;
use std::path::Path;
use std::sync::Arc;

mod real;

pub use real::RealDisk;

/// A file system.
pub trait Disk: Debug + Send + Sync + 'static {
    /// Creates an empty file for reading and writing; one of that name loses its content.
    ///
    /// # Errors
    /// The directory is missing or the disk refuses.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;

    /// Opens a file that exists.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if there is none; otherwise the disk refuses.
    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn DiskFile>>;

    /// Gives a file another name in the same directory; a file that had that name is gone. Open
    /// files stay what they are.
    ///
    /// # Errors
    /// There is no such file, or the disk refuses.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file. Open files stay readable.
    ///
    /// # Errors
    /// There is no such file, or the disk refuses.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// The names of the files in a directory, sorted.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if there is no such directory.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Creates a directory in one that exists; nothing happens if it exists already.
    ///
    /// # Errors
    /// The parent is missing, a file stands in its place, or the disk refuses.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;

    /// Returns once every name in the directory is durable.
    ///
    /// # Errors
    /// The disk refuses.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
}

/// What an opened file may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading only.
    Read,
    /// Reading and writing.
    Write,
}

/// An open file.
pub trait DiskFile: Debug + Send + Sync {
    /// Fills the buffer with the bytes from `offset` on.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] if the file ends before; otherwise the disk refuses.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;

    /// Writes all the bytes at `offset`; the file grows if it ends before. After an error any part
    /// of them may have been written.
    ///
    /// # Errors
    /// [`io::ErrorKind::StorageFull`] if the disk is full; otherwise the disk refuses.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Returns once everything written, the size and the allocation are durable (`fdatasync`).
    ///
    /// # Errors
    /// The disk refuses; see the rules of this module.
    fn sync(&self) -> io::Result<()>;

    /// Makes the file at least `size` bytes long, with zeros, and takes the room for it on the
    /// disk, so that writing there does not find the disk full.
    ///
    /// # Errors
    /// [`io::ErrorKind::StorageFull`] if there is no room: the file may have grown in part.
    fn allocate(&self, size: u64) -> io::Result<()>;

    /// Cuts the file, or lets it grow by a hole of zeros.
    ///
    /// # Errors
    /// The disk refuses.
    fn set_len(&self, size: u64) -> io::Result<()>;

    /// The size of the file, in bytes.
    ///
    /// # Errors
    /// The disk refuses.
    fn len(&self) -> io::Result<u64>;

    /// Whether the file is empty.
    ///
    /// # Errors
    /// The disk refuses.
    fn is_empty(&self) -> io::Result<bool> {
        self.len().map(|len| len == 0)
    }

    /// Takes the exclusive lock of the file, which ends when the last handle to this opening is
    /// dropped; false if somebody else has it.
    ///
    /// # Errors
    /// The disk refuses.
    fn try_lock(&self) -> io::Result<bool>;
}
