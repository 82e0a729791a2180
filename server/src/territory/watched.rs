//! A file that is kept in memory and read again when it changes.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::error::{Flaw, TerritoryError};

/// What a file is made into.
type Parse<T> = fn(Vec<u8>) -> Result<T, Flaw>;

/// What changes when a file is written or replaced: device, inode, size, and the time of the last
/// change in seconds and nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp(u64, u64, u64, i64, i64);

impl Stamp {
    fn of(file: &Metadata) -> Self {
        Self(file.dev(), file.ino(), file.size(), file.ctime(), file.ctime_nsec())
    }
}

/// What is in a file.
pub(super) struct Watched<T> {
    path: PathBuf,
    bytes_max: u64,
    parse: Parse<T>,
    now: RwLock<Arc<T>>,
    /// Which version was read last, whether it could be used or not; none if there was no file.
    seen: Mutex<Option<Stamp>>,
}

impl<T> Watched<T> {
    /// Reads a file for the first time.
    ///
    /// # Errors
    /// The file cannot be read or used.
    pub(super) fn open(
        path: PathBuf,
        bytes_max: u64,
        parse: Parse<T>,
    ) -> Result<Self, TerritoryError> {
        let file = File::open(&path).and_then(|file| Ok((Stamp::of(&file.metadata()?), file)));
        let (stamp, file) =
            file.map_err(|source| TerritoryError::Read { path: path.clone(), source })?;
        let now = read(&path, file, bytes_max, parse)?;
        let (now, seen) = (RwLock::new(Arc::new(now)), Mutex::new(Some(stamp)));
        Ok(Self { path, bytes_max, parse, now, seen })
    }

    /// What was read last and could be used.
    pub(super) fn now(&self) -> Arc<T> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the file again if it has changed.
    ///
    /// # Errors
    /// The new version cannot be used, or the file has vanished; said once for each change.
    pub(super) fn refresh(&self) -> Result<(), TerritoryError> {
        // Held throughout, so that of two that refresh at once the later sees what the first did.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let file = match self.changed(*seen) {
            Ok(None) => return Ok(()),
            Ok(Some((stamp, file))) => {
                *seen = Some(stamp);
                file
            }
            // Looked for again the next time, but complained of only once.
            Err(source) => match seen.take() {
                Some(_) => return Err(TerritoryError::Read { path: self.path.clone(), source }),
                None => return Ok(()),
            },
        };
        let now = Arc::new(read(&self.path, file, self.bytes_max, self.parse)?);
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = now;
        Ok(())
    }

    fn changed(&self, seen: Option<Stamp>) -> io::Result<Option<(Stamp, File)>> {
        if seen == Some(Stamp::of(&fs::metadata(&self.path)?)) {
            return Ok(None);
        }
        let file = File::open(&self.path)?;
        Ok(Some((Stamp::of(&file.metadata()?), file)))
    }
}

fn read<T>(path: &Path, file: File, bytes_max: u64, parse: Parse<T>) -> Result<T, TerritoryError> {
    let mut bytes = vec![];
    let read = file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes);
    let read = read.map_err(|source| TerritoryError::Read { path: path.to_owned(), source })?;
    if u64::try_from(read).is_ok_and(|read| read > bytes_max) {
        return Err(TerritoryError::TooLarge { path: path.to_owned(), bytes_max });
    }
    parse(bytes).map_err(|source| TerritoryError::Unusable { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: Vec<u8>) -> Result<String, Flaw> {
        let flaw = |_| Flaw::NoCountries { kind: "not a text".to_owned() };
        String::from_utf8(bytes).map_err(flaw)
    }

    /// Puts a new version in the place of a file, as one should.
    fn replace(path: &PathBuf, contents: &[u8]) {
        let new = path.with_extension("new");
        fs::write(&new, contents).unwrap();
        fs::rename(new, path).unwrap();
    }

    #[test]
    fn a_file_is_read_again_when_it_was_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        replace(&path, b"one");
        let watched = Watched::open(path.clone(), 10, text).unwrap();
        let first = watched.now();
        watched.refresh().unwrap();
        assert!(Arc::ptr_eq(&first, &watched.now()), "nothing has changed");
        replace(&path, b"two");
        watched.refresh().unwrap();
        assert_eq!((first.as_str(), watched.now().as_str()), ("one", "two"));
    }

    #[test]
    fn a_version_that_cannot_be_used_is_reported_once_and_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        replace(&path, b"one");
        let watched = Watched::open(path.clone(), 10, text).unwrap();
        for bad in [b"\xff".as_slice(), b"more than ten bytes"] {
            replace(&path, bad);
            assert!(watched.refresh().is_err());
            assert!(watched.refresh().is_ok());
            assert_eq!(*watched.now(), "one");
        }
        fs::remove_file(&path).unwrap();
        assert!(watched.refresh().is_err());
        assert!(watched.refresh().is_ok());
        assert_eq!(*watched.now(), "one");
        replace(&path, b"three");
        assert!(watched.refresh().is_ok());
        assert_eq!(*watched.now(), "three");
    }

    #[test]
    fn a_file_may_have_its_most_bytes_and_not_one_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "0123456789").unwrap();
        assert!(Watched::open(path.clone(), 10, text).is_ok());
        let error = Watched::open(path, 9, text).err().unwrap();
        assert!(matches!(error, TerritoryError::TooLarge { bytes_max: 9, .. }), "{error}");
    }
}
