//! The journal: its segments as one sequence of positions.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use quick_cache::sync::Cache;

use super::disk::{Access, Disk};
use super::error::OpenError;
use super::segment::{self, Header, Packing, Segment};
use crate::stream::PartitionCount;

/// How many segments are open at once.
const OPEN_MAX: usize = 128;

/// The segments of a log.
#[derive(Debug)]
pub(super) struct Journal {
    disk: Arc<dyn Disk>,
    /// The directory of the log.
    root: PathBuf,
    /// The directory of the segments.
    dir: PathBuf,
    access: Access,
    partitions: PartitionCount,
    /// The first position of every segment, in order; never empty.
    firsts: RwLock<Vec<u64>>,
    open: Cache<u64, Arc<Segment>>,
}

impl Journal {
    /// The journal in the directory of a log; `None` if there is none.
    pub(super) fn find(
        disk: Arc<dyn Disk>,
        root: &Path,
        access: Access,
    ) -> Result<Option<Self>, OpenError> {
        let dir = root.join("journal");
        let names = match disk.list(&dir) {
            Ok(names) => names,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(OpenError::io("list", &dir)(error)),
        };
        let firsts: Vec<u64> = names.iter().filter_map(|name| segment::first_of(name)).collect();
        let Some(first) = firsts.first().copied() else { return Ok(None) };
        if access == Access::Write {
            // A process that died can have left a name that is there and yet not durable.
            disk.sync_dir(&dir).map_err(OpenError::io("sync", &dir))?;
        }
        let open = Segment::open(&*disk, &dir, first, access)?;
        if first != 0 {
            let reason = "the segments before this one are missing";
            return Err(OpenError::corrupt(&open.path, first, reason));
        }
        Ok(Some(Self {
            disk,
            root: root.to_owned(),
            dir,
            access,
            partitions: open.header.partitions,
            firsts: RwLock::new(firsts),
            open: Cache::new(OPEN_MAX),
        }))
    }

    /// Begins a journal.
    pub(super) fn create(
        disk: Arc<dyn Disk>,
        root: &Path,
        partitions: PartitionCount,
    ) -> Result<Self, OpenError> {
        let dir = root.join("journal");
        create_dir(&*disk, &dir)?;
        sync_above(&*disk, &dir)?;
        let journal = Self {
            disk,
            root: root.to_owned(),
            dir,
            access: Access::Write,
            partitions,
            firsts: RwLock::new(Vec::new()),
            open: Cache::new(OPEN_MAX),
        };
        let path = journal.path_of(0);
        let begun = journal.begin_segment(0, NewSegment::Sound);
        begun.map_err(|failed| OpenError::io("create", &path)(failed.into()))?;
        Ok(journal)
    }

    /// Removes what a crash left of files that were being made.
    pub(super) fn remove_unfinished(&self) -> Result<(), OpenError> {
        for dir in [&self.dir, &self.index_dir()] {
            for name in self.disk.list(dir).map_err(OpenError::io("list", dir))? {
                if name.ends_with(".new") {
                    let path = dir.join(name);
                    self.disk.remove(&path).map_err(OpenError::io("remove", &path))?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn partitions(&self) -> PartitionCount {
        self.partitions
    }

    pub(super) fn disk(&self) -> &dyn Disk {
        &*self.disk
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where disposable indexes are kept.
    pub(super) fn index_dir(&self) -> PathBuf {
        self.root.join("index")
    }

    /// The file of a segment.
    pub(super) fn path_of(&self, first: u64) -> PathBuf {
        self.dir.join(segment::file_name(first))
    }

    /// The first position of every segment, in order.
    pub(super) fn firsts(&self) -> Vec<u64> {
        self.firsts.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The first position of the segment that holds a position, and of the one behind it.
    pub(super) fn around(&self, position: u64) -> (u64, Option<u64>) {
        let firsts = self.firsts.read().unwrap_or_else(PoisonError::into_inner);
        let next = firsts.partition_point(|first| *first <= position);
        let first = next.checked_sub(1).and_then(|own| firsts.get(own)).copied();
        (first.unwrap_or(0), firsts.get(next).copied())
    }

    /// The open segment that begins at `first`.
    pub(super) fn segment(&self, first: u64) -> Result<Arc<Segment>, OpenError> {
        self.open.get_or_insert_with(&first, || {
            Segment::open(&*self.disk, &self.dir, first, self.access).map(Arc::new)
        })
    }

    /// Opens the segment anew, because its file has changed.
    pub(super) fn reopen(&self, first: u64) -> Result<Arc<Segment>, OpenError> {
        let segment = Segment::open(&*self.disk, &self.dir, first, self.access).map(Arc::new)?;
        self.open.insert(first, Arc::clone(&segment));
        Ok(segment)
    }

    /// Fills the buffer with record bytes; all of them lie in one segment.
    pub(super) fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<()> {
        let (first, _) = self.around(position);
        let segment = self.segment(first).map_err(io::Error::other)?;
        segment.read_at(buffer, position)
    }

    /// Begins the segment at `first`. A file gets its name only when its header is durable, so a
    /// crash leaves no half segment; and it is used only when its name is durable.
    pub(super) fn begin_segment(
        &self,
        first: u64,
        kind: NewSegment,
    ) -> Result<Arc<Segment>, Failed> {
        let path = self.path_of(first);
        let unnamed = self.dir.join("beginning.new");
        let header = Header { packing: Packing::Plain, partitions: self.partitions, first };
        let written = self.disk.create(&unnamed).and_then(|file| {
            file.write_at(&header.encode(), 0)?;
            if kind == NewSegment::NamedUnsynced { Ok(()) } else { file.sync() }
        });
        if let Err(error) = written {
            // What is left of it is overwritten next time.
            let _still_there = self.disk.remove(&unnamed);
            return Err(Failed::Unnamed(error));
        }
        self.disk.rename(&unnamed, &path).map_err(Failed::Named)?;
        if kind != NewSegment::NameUnsynced {
            self.disk.sync_dir(&self.dir).map_err(Failed::Named)?;
        }
        self.firsts.write().unwrap_or_else(PoisonError::into_inner).push(first);
        self.segment(first).map_err(|error| Failed::Named(io::Error::other(error)))
    }
}

/// How a new segment is made durable: the other ways are mistakes on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NewSegment {
    Sound,
    NameUnsynced,
    NamedUnsynced,
}

/// A segment could not be begun.
#[derive(Debug)]
pub(super) enum Failed {
    /// Nothing has changed.
    Unnamed(io::Error),
    /// It is unknown whether the segment exists after a crash.
    Named(io::Error),
}

impl From<Failed> for io::Error {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Unnamed(error) | Failed::Named(error) => error,
        }
    }
}

/// Creates a directory and those above it, so that they survive a crash.
pub(super) fn create_dir(disk: &dyn Disk, dir: &Path) -> Result<(), OpenError> {
    if disk.list(dir).is_ok() {
        return Ok(());
    }
    let parent = match dir.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    if dir != parent && dir != Path::new(".") {
        create_dir(disk, parent)?;
    }
    disk.create_dir(dir).map_err(OpenError::io("create", dir))?;
    disk.sync_dir(parent).map_err(OpenError::io("sync", parent))
}

/// Makes the names of a directory and of those above it durable, whoever created them: it may have
/// been a process that died before it could.
fn sync_above(disk: &dyn Disk, dir: &Path) -> Result<(), OpenError> {
    for above in dir.ancestors().skip(1) {
        let above = if above == Path::new("") { Path::new(".") } else { above };
        match disk.sync_dir(above) {
            // What cannot even be read is not this program's.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
            synced => synced.map_err(OpenError::io("sync", above))?,
        }
    }
    Ok(())
}
