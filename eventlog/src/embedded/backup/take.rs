//! Taking a backup.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::copy::{copy, sha256, visit};
use super::manifest::{Entry, Manifest};
use super::{BackupError, BackupReport};
use crate::embedded::disk::{Access, Disk, DiskFile, RealDisk};
use crate::embedded::error::OpenError;
use crate::embedded::journal::{self, Journal};
use crate::embedded::options::Tuning;
use crate::embedded::recovery;
use crate::embedded::segment::{self, Segment};

/// Copies the log in `source` to `target`, or what has come since the last backup there.
///
/// Another process may append meanwhile. `progress` is called now and then with the bytes copied and
/// the bytes to copy. Blocks.
///
/// # Errors
/// See [`BackupError`]. What was backed up before is still there.
pub fn backup(
    source: &Path,
    target: &Path,
    progress: impl FnMut(u64, u64),
) -> Result<BackupReport, BackupError> {
    refuse_nested(source, target)?;
    backup_on(Arc::new(RealDisk), source, target, progress)
}

/// As [`backup`], on any disk, on which `source` and `target` do not lie in one another.
///
/// # Errors
/// See [`BackupError`].
pub fn backup_on(
    disk: Arc<dyn Disk>,
    source: &Path,
    target: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<BackupReport, BackupError> {
    let log = Prefix::of(Arc::clone(&disk), source)?;
    let mut target = Target::open(disk, target)?;
    target.check_same(&log)?;
    let (mut done, total) = (0, log.parts.iter().map(|part| target.missing(part)).sum());
    let mut step = |bytes: u64| {
        done += bytes;
        progress(done, total);
    };
    let mut entries = Vec::new();
    for part in &log.parts {
        entries.push(target.bring(part, &mut step)?);
    }
    log.confirm(&entries)?;
    progress(total, total);
    let manifest = Manifest::new(log.position, log.events, log.offsets, entries);
    target.finish(manifest)
}

pub(super) fn refuse_nested(source: &Path, target: &Path) -> Result<(), BackupError> {
    // What does not exist yet is looked for through the nearest directory that does.
    let real = |path: &Path| {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let found = path.ancestors().find_map(|above| {
            let rest = path.strip_prefix(above).ok()?;
            above.canonicalize().ok().map(|above| above.join(rest))
        });
        found.unwrap_or(path)
    };
    let (from, to) = (real(source), real(target));
    if from.starts_with(&to) || to.starts_with(&from) {
        let (source_dir, target) = (source.to_owned(), target.to_owned());
        return Err(BackupError::Nested { source_dir, target });
    }
    Ok(())
}

/// What is to be in the backup.
struct Prefix {
    position: u64,
    events: u64,
    offsets: Vec<u64>,
    parts: Vec<Part>,
}

/// A segment, and how much of its file.
struct Part {
    segment: Arc<Segment>,
    bytes: u64,
}

impl Prefix {
    /// The log as it is now, up to its last whole append.
    fn of(disk: Arc<dyn Disk>, dir: &Path) -> Result<Self, BackupError> {
        let journal = Journal::find(disk, dir, Access::Read)?;
        let journal = journal.ok_or_else(|| OpenError::NotFound { dir: dir.to_owned() })?;
        let journal = Arc::new(journal);
        let recovered = recovery::recover(Arc::clone(&journal), &Tuning::DEFAULT, Access::Read)?;
        let (index, end) = recovered;
        let offsets: Vec<u64> = index.head().iter().map(|(_, offset)| offset).collect();
        let firsts = journal.firsts();
        let mut parts = Vec::new();
        for (first, next) in firsts.iter().zip(firsts.iter().skip(1)) {
            parts.push(Part::of(journal.segment(*first)?, *next)?);
        }
        // As it was when it was read: by now it may have been filled and sealed, with more in it.
        parts.push(Part::of(end.segment, end.position)?);
        Ok(Self { position: end.position, events: offsets.iter().sum(), offsets, parts })
    }

    /// Makes sure that what was copied of the last segment is durable in the log, and is still
    /// there: it was read beside a writer, who may not have synced it yet, and who takes back what
    /// he could not write whole.
    fn confirm(&self, entries: &[Entry]) -> Result<(), BackupError> {
        for (Part { segment, bytes }, entry) in self.parts.iter().zip(entries) {
            if segment.footer.is_some() {
                continue;
            }
            let file = segment.file();
            file.sync().map_err(OpenError::io("sync", &segment.path))?;
            let again = sha256(&**file, *bytes, &mut |_| {});
            if again.map_err(OpenError::io("read", &segment.path))? != entry.sha256 {
                let reason = "the end of the log was taken back while it was copied: try again";
                return Err(
                    OpenError::io("read", &segment.path)(std::io::Error::other(reason)).into()
                );
            }
        }
        Ok(())
    }
}

impl Part {
    /// The records up to a position, or the whole file if it will never change.
    fn of(segment: Arc<Segment>, end: u64) -> Result<Self, BackupError> {
        let bytes = match segment.footer {
            Some(_) => segment.file().len().map_err(OpenError::io("measure", &segment.path))?,
            None => end - segment.header.first,
        };
        Ok(Self { segment, bytes })
    }
}

/// Where a backup is brought to.
struct Target {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    journal: PathBuf,
    /// What it holds, by first position.
    before: BTreeMap<u64, Entry>,
    position: u64,
    copied_segments: u64,
    copied_bytes: u64,
    /// Held until the backup is finished.
    _lock: Arc<dyn DiskFile>,
}

impl Target {
    fn open(disk: Arc<dyn Disk>, dir: &Path) -> Result<Self, BackupError> {
        let journal = dir.join("journal");
        let before = Manifest::read(&*disk, dir)?;
        let not_a_backup = |reason: &str| BackupError::NotABackup {
            dir: dir.to_owned(),
            reason: reason.to_owned(),
        };
        let names = disk.list(dir).unwrap_or_default();
        if names.iter().any(|name| name == "LOCK") {
            return Err(not_a_backup("it is the data directory of a log that was appended to"));
        }
        let foreign = names.iter().any(|name| !name.starts_with("backup."));
        if before.is_none() && (foreign || disk.list(&journal).is_ok_and(|names| !names.is_empty()))
        {
            return Err(not_a_backup("there is something else in it"));
        }
        journal::create_dir(&*disk, dir)?;
        let lock = lock(&*disk, dir)?;
        // Says that this is a backup, before there is anything else.
        let before = match before {
            Some(before) => before,
            None => {
                let begun = Manifest::new(0, 0, Vec::new(), Vec::new());
                begun.write(&*disk, dir)?;
                begun
            }
        };
        journal::create_dir(&*disk, &journal)?;
        let target = Self {
            disk,
            dir: dir.to_owned(),
            journal,
            position: before.position,
            before: before.segments.into_iter().map(|entry| (entry.first, entry)).collect(),
            copied_segments: 0,
            copied_bytes: 0,
            _lock: lock,
        };
        target.settle()?;
        Ok(target)
    }

    fn path(&self, first: u64) -> PathBuf {
        self.journal.join(segment::file_name(first))
    }

    /// A segment that waits to replace another.
    fn waiting(&self, first: u64) -> PathBuf {
        waiting(&self.journal, first)
    }

    /// Puts in order what a killed backup left.
    fn settle(&self) -> Result<(), BackupError> {
        for entry in self.before.values() {
            let waiting = self.waiting(entry.first);
            let Ok(file) = self.disk.open(&waiting, Access::Read) else { continue };
            if matches(&*file, entry).map_err(OpenError::io("read", &waiting))? {
                let path = self.path(entry.first);
                self.disk.rename(&waiting, &path).map_err(OpenError::io("rename", &waiting))?;
            }
        }
        self.sweep(|first| self.before.contains_key(&first))
    }

    /// Removes what does not belong to the backup.
    fn sweep(&self, belongs: impl Fn(u64) -> bool) -> Result<(), BackupError> {
        let names = self.disk.list(&self.journal).map_err(OpenError::io("list", &self.journal))?;
        for name in names {
            if !segment::first_of(&name).is_some_and(&belongs) {
                let path = self.journal.join(name);
                self.disk.remove(&path).map_err(OpenError::io("remove", &path))?;
            }
        }
        self.disk.sync_dir(&self.journal).map_err(OpenError::io("sync", &self.journal))?;
        Ok(())
    }

    /// Whether what is here is the beginning of the log.
    fn check_same(&self, log: &Prefix) -> Result<(), BackupError> {
        let other = |reason: String| BackupError::OtherLog { dir: self.dir.clone(), reason };
        if log.position < self.position {
            let (own, position) = (self.position, log.position);
            return Err(other(format!(
                "it reaches to position {own}, and this log only to {position}"
            )));
        }
        for entry in self.before.values() {
            let first = entry.first;
            let mut parts = log.parts.iter();
            let part = parts.find(|part| part.segment.header.first == first);
            let part = part.ok_or_else(|| {
                other(format!("it has a segment that begins at {first}, and this log has not"))
            })?;
            let Ok(own) = Segment::open(&*self.disk, &self.journal, first, Access::Read) else {
                // It is copied anew.
                continue;
            };
            let same = match (&own.footer, &part.segment.footer) {
                (Some(own), Some(source)) => own == source,
                (Some(_), None) => false,
                (None, _) => begins_with(&part.segment, &own, entry.bytes)?,
            };
            if !same {
                return Err(other(format!("the segments that begin at {first} differ")));
            }
        }
        Ok(())
    }

    /// How much is to be copied of a segment.
    fn missing(&self, part: &Part) -> u64 {
        if self.kept(part).is_some() { 0 } else { part.bytes }
    }

    /// The entry of a segment that is here already.
    fn kept(&self, part: &Part) -> Option<&Entry> {
        let first = part.segment.header.first;
        let entry = self.before.get(&first)?;
        let is_sealed = part.segment.footer.is_some();
        let same = entry.sealed == is_sealed && entry.bytes == part.bytes;
        let own = Segment::open(&*self.disk, &self.journal, first, Access::Read).ok()?;
        let whole = own.file().len().ok()? == entry.bytes
            && own.header == part.segment.header
            && own.footer == part.segment.footer;
        // One that is not sealed has been compared byte by byte, and is once more in the end.
        (same && whole).then_some(entry)
    }

    /// Copies a segment if it is not here.
    fn bring(&mut self, part: &Part, step: &mut dyn FnMut(u64)) -> Result<Entry, BackupError> {
        if let Some(entry) = self.kept(part) {
            return Ok(entry.clone());
        }
        let (disk, segment) = (&*self.disk, &part.segment);
        let first = segment.header.first;
        let unnamed = self.journal.join("copying.new");
        let source = (segment.path.as_path(), segment.file());
        let sha256 = copy(disk, source, &unnamed, part.bytes, step)?;
        let named = match self.before.contains_key(&first) {
            true => self.waiting(first),
            false => self.path(first),
        };
        disk.rename(&unnamed, &named).map_err(OpenError::io("rename", &unnamed))?;
        self.copied_segments += 1;
        self.copied_bytes += part.bytes;
        Ok(Entry { first, bytes: part.bytes, sealed: segment.footer.is_some(), sha256 })
    }

    /// Makes the new backup the one that counts.
    fn finish(mut self, manifest: Manifest) -> Result<BackupReport, BackupError> {
        self.disk.sync_dir(&self.journal).map_err(OpenError::io("sync", &self.journal))?;
        manifest.write(&*self.disk, &self.dir)?;
        let report = BackupReport {
            position: manifest.position,
            events: manifest.events,
            segments: u64::try_from(manifest.segments.len()).unwrap_or(u64::MAX),
            bytes: manifest.bytes(),
            copied_segments: self.copied_segments,
            copied_bytes: self.copied_bytes,
        };
        let entries = manifest.segments.into_iter();
        let before = std::mem::replace(
            &mut self.before,
            entries.map(|entry| (entry.first, entry)).collect(),
        );
        for first in before.keys() {
            let (waiting, path) = (self.waiting(*first), self.path(*first));
            match self.disk.rename(&waiting, &path) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                renamed => renamed.map_err(OpenError::io("rename", &waiting))?,
            }
        }
        self.sweep(|first| self.before.contains_key(&first))?;
        Ok(report)
    }
}

/// The name of a segment that waits to replace another.
pub(super) fn waiting(journal: &Path, first: u64) -> PathBuf {
    journal.join(format!("{}.next", segment::file_name(first)))
}

/// Whether a file is the one that the manifest means.
pub(super) fn matches(file: &dyn DiskFile, entry: &Entry) -> std::io::Result<bool> {
    Ok(file.len()? == entry.bytes && sha256(file, entry.bytes, &mut |_| {})? == entry.sha256)
}

/// Whether a segment of the log begins with what was copied of it before it was full.
fn begins_with(source: &Segment, own: &Segment, bytes: u64) -> Result<bool, BackupError> {
    let mut same = true;
    let compared = visit(&**own.file(), bytes, |own, at| {
        // The header says how the segment is stored, which may have changed.
        let skipped = usize::try_from(segment::HEADER.saturating_sub(at)).unwrap_or(0);
        let own = own.get(skipped..).unwrap_or(&[]);
        let mut found = vec![0; own.len()];
        source.read_at(&mut found, source.header.first + at.max(segment::HEADER))?;
        same &= found == own;
        Ok(())
    });
    match compared {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        compared => Ok(compared.map(|()| same).map_err(OpenError::io("read", &source.path))?),
    }
}

fn lock(disk: &dyn Disk, dir: &Path) -> Result<Arc<dyn DiskFile>, BackupError> {
    let path = dir.join("backup.lock");
    let file = match disk.open(&path, Access::Write) {
        Err(error) if error.kind() == ErrorKind::NotFound => disk.create(&path),
        opened => opened,
    };
    let file = file.map_err(OpenError::io("open", &path))?;
    match file.try_lock().map_err(OpenError::io("lock", &path))? {
        true => Ok(file),
        false => Err(BackupError::Busy { dir: dir.to_owned() }),
    }
}
