//! The generations of a read model: the live store, and the one that is built beside it.
//!
//! `DIR/MODEL/g000001.sqlite` is a generation; the file `DIR/MODEL/current` names the live one. What
//! a generation is, a file or a directory, is up to the read model; its ending says which.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use playhead_eventlog::{EventLog, Partition, ReadError};
use uuid::Uuid;

use crate::error::StoreError;
use crate::runtime::ReadModel;
use crate::store::{Fold, SqliteStore};

const CURRENT: &str = "current";
const CURRENT_NEW: &str = "current.new";

/// A read model of which another generation can be built beside the live one.
#[async_trait]
pub trait Generation: ReadModel + Clone {
    /// The name of the read model, and of its directory.
    const NAME: &'static str;
    /// What the names of its generations end with, such as `sqlite`.
    const ENDING: &'static str;

    /// Opens the generation at a path, or makes a new one.
    ///
    /// # Errors
    /// [`StoreError::OtherVersion`] if it has to be rebuilt; or it cannot be opened.
    async fn open(path: &Path) -> Result<Self, StoreError>;

    /// Makes a new generation that need not survive before it is [sealed](Self::seal).
    ///
    /// # Errors
    /// It cannot be made.
    async fn open_fresh(path: &Path) -> Result<Self, StoreError>;

    /// Whether it was folded from this log, see [`SqliteStore::belongs_to`].
    ///
    /// # Errors
    /// The store or the log cannot be read.
    async fn belongs_to(&self, log: &dyn EventLog) -> Result<bool, StoreError>;

    /// Closes it and makes it durable.
    ///
    /// # Errors
    /// It cannot be written.
    async fn seal(self) -> Result<(), StoreError>;

    /// Closes it. It can be opened again then.
    async fn close(&self);
}

#[async_trait]
impl<F: Fold> Generation for SqliteStore<F> {
    const NAME: &'static str = F::NAME;
    const ENDING: &'static str = "sqlite";

    async fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open(path).await
    }

    async fn open_fresh(path: &Path) -> Result<Self, StoreError> {
        Self::open_fresh(path).await
    }

    async fn belongs_to(&self, log: &dyn EventLog) -> Result<bool, StoreError> {
        self.belongs_to(log).await
    }

    async fn seal(self) -> Result<(), StoreError> {
        self.seal().await
    }

    async fn close(&self) {
        self.close().await;
    }
}

/// Whether events are still where a store saw them: each the last one before the next offset of its
/// partition.
///
/// # Errors
/// The log cannot be read.
pub async fn is_in_log(
    log: &dyn EventLog,
    last_events: impl IntoIterator<Item = (Partition, u64, Uuid)> + Send,
) -> Result<bool, StoreError> {
    let last_events: Vec<_> = last_events.into_iter().collect();
    for (partition, next, id) in last_events {
        let place = [(partition, next.saturating_sub(1))].into_iter().collect();
        let found = match log.read(&place, 1).await {
            Ok(batch) => batch.events.first().map(|event| event.event.id),
            Err(ReadError::BeyondHead { .. }) => None,
            Err(source) => return Err(StoreError::Log { source }),
        };
        if found != Some(id) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Where the generations of one read model are. Does small file operations and blocks meanwhile.
#[derive(Debug, Clone)]
pub struct Generations {
    dir: PathBuf,
    ending: &'static str,
}

impl Generations {
    /// The generations of a read model under a directory of read models. Touches no file.
    #[must_use]
    pub fn of<G: Generation>(dir: &Path) -> Self {
        Self { dir: dir.join(G::NAME), ending: G::ENDING }
    }

    /// The live store. If there is none yet, generation 1 becomes it; it may be missing then.
    ///
    /// # Errors
    /// The directory cannot be read or written, or `current` names no generation.
    pub fn live(&self) -> Result<PathBuf, StoreError> {
        if let Some(number) = self.current()? {
            return Ok(self.path(number));
        }
        fs::create_dir_all(&self.dir).map_err(StoreError::io(&self.dir))?;
        self.point_to(1)?;
        Ok(self.path(1))
    }

    /// A path for the generation behind the live one, at which there is nothing. What an earlier
    /// attempt left there is removed.
    ///
    /// # Errors
    /// The directory cannot be read or written.
    pub fn next(&self) -> Result<PathBuf, StoreError> {
        self.live()?;
        let next = self.current()?.unwrap_or(0) + 1;
        for number in self.numbers()?.into_iter().filter(|number| *number >= next) {
            self.remove(number)?;
        }
        Ok(self.path(next))
    }

    /// Makes a store that is whole and durable the live one, atomically, and removes older ones. Who
    /// has an older one open keeps reading it.
    ///
    /// # Errors
    /// The path is not that of a generation; or the directory cannot be written, and the live store
    /// is the old or the new one.
    pub fn switch(&self, to: &Path) -> Result<(), StoreError> {
        let number = to
            .strip_prefix(&self.dir)
            .ok()
            .and_then(|name| self.number_of(name))
            .ok_or("not a generation of this read model")
            .map_err(StoreError::unreadable(&to.display().to_string()))?;
        self.point_to(number)?;
        for older in self.numbers()?.into_iter().filter(|other| *other < number) {
            self.remove(older)?;
        }
        Ok(())
    }

    /// Removes every generation but the live one, such as one that was kept because it differed. To be
    /// called when somebody was erased, and not while a rebuild runs.
    ///
    /// # Errors
    /// The directory cannot be read or written.
    pub fn remove_others(&self) -> Result<(), StoreError> {
        self.live()?;
        let live = self.current()?;
        for other in self.numbers()?.into_iter().filter(|other| Some(*other) != live) {
            self.remove(other)?;
        }
        Ok(())
    }

    fn path(&self, number: u32) -> PathBuf {
        self.dir.join(format!("g{number:06}.{}", self.ending))
    }

    fn current(&self) -> Result<Option<u32>, StoreError> {
        let path = self.dir.join(CURRENT);
        match fs::read_to_string(&path) {
            Ok(name) => {
                let number = self.number_of(Path::new(name.trim()));
                number
                    .ok_or_else(|| format!("{name:?} names no generation"))
                    .map(Some)
                    .map_err(StoreError::unreadable(&path.display().to_string()))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::io(&path)(error)),
        }
    }

    fn point_to(&self, number: u32) -> Result<(), StoreError> {
        let (new, current) = (self.dir.join(CURRENT_NEW), self.dir.join(CURRENT));
        let write = || {
            let mut file = File::create(&new)?;
            writeln!(file, "g{number:06}.{}", self.ending)?;
            file.sync_all()?;
            fs::rename(&new, &current)?;
            File::open(&self.dir)?.sync_all()
        };
        write().map_err(StoreError::io(&current))
    }

    fn numbers(&self) -> Result<Vec<u32>, StoreError> {
        let entries = fs::read_dir(&self.dir).map_err(StoreError::io(&self.dir))?;
        let mut numbers = Vec::new();
        for entry in entries {
            let entry = entry.map_err(StoreError::io(&self.dir))?;
            numbers.extend(self.number_of(Path::new(&entry.file_name())));
        }
        Ok(numbers)
    }

    /// Removes a directory with all that is in it; a file with those that SQLite keeps beside it.
    fn remove(&self, number: u32) -> Result<(), StoreError> {
        let store = self.path(number);
        if store.is_dir() {
            return fs::remove_dir_all(&store).map_err(StoreError::io(&store));
        }
        for suffix in ["-wal", "-shm", "-journal", ""] {
            let mut path = store.clone().into_os_string();
            path.push(suffix);
            let path = PathBuf::from(path);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(StoreError::io(&path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// `g000001.sqlite` → 1.
    fn number_of(&self, name: &Path) -> Option<u32> {
        let name = name.to_str()?.strip_suffix(self.ending)?.strip_suffix('.')?;
        name.strip_prefix('g')?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Catalog;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(dir.join("catalog"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_new_read_model_begins_with_generation_1() {
        let dir = tempfile::tempdir().unwrap();
        let generations = Generations::of::<Catalog>(dir.path());
        let live = generations.live().unwrap();
        assert_eq!(live, dir.path().join("catalog/g000001.sqlite"));
        assert_eq!(generations.live().unwrap(), live);
    }

    #[test]
    fn a_switch_names_the_new_generation_and_removes_older_ones() {
        let dir = tempfile::tempdir().unwrap();
        let generations = Generations::of::<Catalog>(dir.path());
        fs::write(generations.live().unwrap(), "old").unwrap();
        fs::write(dir.path().join("catalog/g000001.sqlite-wal"), "old").unwrap();
        let next = generations.next().unwrap();
        fs::write(&next, "new").unwrap();
        generations.switch(&next).unwrap();
        assert_eq!(generations.live().unwrap(), next);
        assert_eq!(names(dir.path()), ["current", "g000002.sqlite"]);
    }

    #[test]
    fn what_an_interrupted_rebuild_left_is_removed_before_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let generations = Generations::of::<Catalog>(dir.path());
        fs::write(generations.next().unwrap(), "half").unwrap();
        assert!(!generations.next().unwrap().exists());
        assert_eq!(generations.live().unwrap(), dir.path().join("catalog/g000001.sqlite"));
    }

    #[test]
    fn all_but_the_live_generation_can_be_removed() {
        let dir = tempfile::tempdir().unwrap();
        let generations = Generations::of::<Catalog>(dir.path());
        fs::write(generations.live().unwrap(), "live").unwrap();
        fs::write(generations.next().unwrap(), "differs").unwrap();
        generations.remove_others().unwrap();
        assert_eq!(names(dir.path()), ["current", "g000001.sqlite"]);
    }

    #[test]
    fn only_a_generation_can_become_live() {
        let dir = tempfile::tempdir().unwrap();
        let generations = Generations::of::<Catalog>(dir.path());
        let live = generations.live().unwrap();
        assert!(generations.switch(&dir.path().join("catalog/notes.txt")).is_err());
        assert!(generations.switch(&dir.path().join("g000009.sqlite")).is_err());
        assert_eq!(generations.live().unwrap(), live);
    }

    #[test]
    fn a_broken_pointer_is_an_error_and_not_a_new_store() {
        let dir = tempfile::tempdir().unwrap();
        let generations = Generations::of::<Catalog>(dir.path());
        generations.live().unwrap();
        fs::write(dir.path().join("catalog/current"), "nonsense").unwrap();
        assert!(matches!(generations.live(), Err(StoreError::Unreadable { .. })));
    }

    #[test]
    fn a_generation_may_be_a_directory() {
        let dir = tempfile::tempdir().unwrap();
        let generations =
            Generations { ending: "tantivy", ..Generations::of::<Catalog>(dir.path()) };
        let live = generations.live().unwrap();
        fs::create_dir(&live).unwrap();
        fs::write(live.join("segment"), "old").unwrap();
        for _ in 0..2 {
            let next = generations.next().unwrap();
            assert!(!next.exists(), "what an earlier attempt left is gone");
            fs::create_dir(&next).unwrap();
            fs::write(next.join("segment"), "new").unwrap();
        }
        generations.switch(&dir.path().join("catalog/g000002.tantivy")).unwrap();
        assert_eq!(names(dir.path()), ["current", "g000002.tantivy"]);
    }
}
