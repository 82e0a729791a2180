//! How far an import came, so that a killed one goes on there.
//!
//! Nothing rests on it: what is recorded twice is recognised by the log. It only saves the time of
//! looking.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::Options;
use crate::ids;

/// After how many entries the place is noted.
const ENTRIES_BETWEEN: u64 = 2_000;

/// How far an import came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    /// Which files, and what was asked for.
    import: String,
    /// So many entries are recorded, or told of as errors.
    entries: u64,
    /// How many bytes of the report of errors tell of them.
    errors_bytes: u64,
    /// How many events the log had. An older copy of the log has fewer.
    log_events: u64,
}

/// The note of how far an import came. A dry run has none.
pub(super) struct Checkpoint {
    file: Option<PathBuf>,
    place: Place,
    noted: u64,
}

impl Checkpoint {
    /// The place where an earlier run of the same import stopped, or else the start. `import` names
    /// its files and all that changes what comes of them ([`name`]).
    pub(super) fn find(
        data: &Path,
        kind: &str,
        import: String,
        options: &Options,
        log_events: u64,
    ) -> Self {
        if options.dry_run {
            return Self::nowhere();
        }
        let file = data.join("imports").join(format!("{kind}.json"));
        let start = Place { import, ..Place::default() };
        let found = if options.from_start { None } else { read(&file) };
        let found = found.filter(|it| it.import == start.import && it.log_events <= log_events);
        let place = found.unwrap_or(start);
        Self { file: Some(file), noted: place.entries, place }
    }

    /// No place is noted.
    pub(super) fn nowhere() -> Self {
        Self { file: None, place: Place::default(), noted: 0 }
    }

    /// How many entries an earlier run dealt with.
    pub(super) fn entries(&self) -> u64 {
        self.place.entries
    }

    /// How many bytes of the report of errors tell of them.
    pub(super) fn errors_bytes(&self) -> u64 {
        self.place.errors_bytes
    }

    /// One entry more is dealt with. Answers whether it is time to [`Self::note`] that.
    pub(super) fn pass(&mut self) -> bool {
        self.place.entries += 1;
        self.file.is_some() && self.place.entries - self.noted >= ENTRIES_BETWEEN
    }

    /// Notes the place.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn note(&mut self, errors_bytes: u64, log_events: u64) -> anyhow::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        self.place.errors_bytes = errors_bytes;
        self.place.log_events = log_events;
        // Not synced: if the machine dies, an older place is as good.
        let write = || -> io::Result<()> {
            if let Some(dir) = file.parent() {
                fs::create_dir_all(dir)?;
            }
            let new = file.with_extension("new");
            fs::write(&new, serde_json::to_vec(&self.place)?)?;
            fs::rename(&new, file)
        };
        write().with_context(|| format!("writing {} failed", file.display()))?;
        self.noted = self.place.entries;
        Ok(())
    }

    /// Forgets the place, because the import is done.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub(super) fn done(self) -> anyhow::Result<()> {
        let Some(file) = self.file else { return Ok(()) };
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("removing {} failed", file.display()))
            }
            _ => Ok(()),
        }
    }
}

/// What cannot be read is no place; the import then begins at the start.
fn read(file: &Path) -> Option<Place> {
    serde_json::from_slice(&fs::read(file).ok()?).ok()
}

/// The name of an import: another one if a file changed, or something else is asked for.
pub(super) fn name<'a>(files: impl IntoIterator<Item = &'a Path>, asked: &str) -> String {
    let mut text = asked.to_owned();
    for file in files {
        let path = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
        let found = file.metadata().ok();
        let bytes = found.as_ref().map(fs::Metadata::len);
        let changed = found.and_then(|found| found.modified().ok());
        let changed = changed.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        text.push_str(&format!("\n{} {bytes:?} {changed:?}", path.display()));
    }
    ids::digest(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(data: &Path, import: &str, log_events: u64) -> u64 {
        let options = Options::default();
        Checkpoint::find(data, "imdb", import.to_owned(), &options, log_events).entries()
    }

    #[test]
    fn the_same_import_goes_on_and_another_one_begins() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path();
        let mut checkpoint = Checkpoint::find(data, "imdb", "a".to_owned(), &Options::default(), 0);
        let passed = (0..).take_while(|_| !checkpoint.pass()).count();
        assert_eq!(passed, 1_999);
        checkpoint.note(7, 2_000).unwrap();
        assert_eq!([found(data, "a", 2_500), found(data, "b", 2_500)], [2_000, 0]);
        assert_eq!(found(data, "a", 1_999), 0, "an older copy of the log was restored");
        let options = Options { from_start: true, ..Options::default() };
        let from_start = Checkpoint::find(data, "imdb", "a".to_owned(), &options, 2_500);
        assert_eq!(from_start.entries(), 0);
        checkpoint.done().unwrap();
        assert_eq!(found(data, "a", 2_500), 0);
    }

    #[test]
    fn a_note_that_cannot_be_read_is_none() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("imports")).unwrap();
        fs::write(dir.path().join("imports/imdb.json"), "{\"entries\":").unwrap();
        assert_eq!(found(dir.path(), "a", 1), 0);
    }

    #[test]
    fn a_changed_file_is_another_import() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.tsv");
        fs::write(&file, "a").unwrap();
        let before = name([file.as_path()], "");
        assert_eq!(before, name([file.as_path()], ""));
        assert_ne!(before, name([file.as_path()], "--adult"));
        fs::write(&file, "ab").unwrap();
        assert_ne!(before, name([file.as_path()], ""));
    }
}
