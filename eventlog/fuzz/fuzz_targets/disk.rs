//! Files in memory that are only read.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use playhead_eventlog::embedded::disk::{Access, Disk, DiskFile};

/// The files by path.
#[derive(Debug)]
pub(crate) struct Files(BTreeMap<PathBuf, Content>);

#[derive(Debug, Clone)]
struct Content(Arc<Vec<u8>>);

impl Files {
    pub(crate) fn new(files: BTreeMap<PathBuf, Vec<u8>>) -> Self {
        Self(files.into_iter().map(|(path, bytes)| (path, Content(Arc::new(bytes)))).collect())
    }
}

fn only_read<T>() -> io::Result<T> {
    Err(io::ErrorKind::ReadOnlyFilesystem.into())
}

impl Disk for Files {
    fn create(&self, _: &Path) -> io::Result<Arc<dyn DiskFile>> {
        only_read()
    }

    fn open(&self, path: &Path, _: Access) -> io::Result<Arc<dyn DiskFile>> {
        let file = self.0.get(path).cloned().ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(file))
    }

    fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
        only_read()
    }

    fn remove(&self, _: &Path) -> io::Result<()> {
        only_read()
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let inside = self.0.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect())
    }

    fn create_dir(&self, _: &Path) -> io::Result<()> {
        only_read()
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        only_read()
    }
}

impl DiskFile for Content {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let from = usize::try_from(offset).map_err(io::Error::other)?;
        let to = from.checked_add(buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(self.0.get(from..to).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        only_read()
    }

    fn sync(&self) -> io::Result<()> {
        only_read()
    }

    fn allocate(&self, _: u64) -> io::Result<()> {
        only_read()
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        only_read()
    }

    fn len(&self) -> io::Result<u64> {
        u64::try_from(self.0.len()).map_err(io::Error::other)
    }

    fn try_lock(&self) -> io::Result<bool> {
        Ok(true)
    }
}
