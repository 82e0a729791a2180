//! Restoring a backup.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use super::copy::copy;
use super::manifest::{Entry, Manifest};
use super::take::{matches, refuse_nested, waiting};
use super::{BackupError, RestoreReport};
use crate::embedded::disk::{Access, Disk, DiskFile, RealDisk};
use crate::embedded::error::OpenError;
use crate::embedded::{journal, segment, verify};

/// Makes a log in `target`, which is empty or not there, of the backup in `backup`, and checks every
/// byte of it.
///
/// Until it is whole, no log can be opened in `target`. `progress` is called now and then with the
/// bytes done and the bytes in total: each is copied, then checked. Blocks.
///
/// # Errors
/// See [`BackupError`]. Remove `target` before trying again.
pub fn restore(
    backup: &Path,
    target: &Path,
    progress: impl FnMut(u64, u64),
) -> Result<RestoreReport, BackupError> {
    refuse_nested(backup, target)?;
    let nothing = match fs::read_dir(target) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == ErrorKind::NotFound => true,
        Err(error) => return Err(OpenError::io("list", target)(error).into()),
    };
    if !nothing {
        return Err(BackupError::NotEmpty { dir: target.to_owned() });
    }
    restore_on(Arc::new(RealDisk), backup, target, progress)
}

/// As [`restore`], on any disk, on which `backup` and `target` do not lie in one another.
///
/// # Errors
/// See [`BackupError`].
pub fn restore_on(
    disk: Arc<dyn Disk>,
    backup: &Path,
    target: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<RestoreReport, BackupError> {
    let not_a_backup = |reason: &str| BackupError::NotABackup {
        dir: backup.to_owned(),
        reason: reason.to_owned(),
    };
    let manifest = Manifest::read(&*disk, backup)?;
    let manifest = manifest.ok_or_else(|| not_a_backup("there is no backup.json in it"))?;
    if manifest.segments.is_empty() {
        return Err(not_a_backup("the first one was not finished"));
    }
    let new = target.join("journal");
    let taken = |dir: &Path| disk.list(dir).is_ok_and(|names| !names.is_empty());
    if taken(target) || taken(&new) {
        return Err(BackupError::NotEmpty { dir: target.to_owned() });
    }
    journal::create_dir(&*disk, &new)?;
    let (mut done, total) = (0, 2 * manifest.bytes());
    let mut step = |bytes: u64| {
        done += bytes;
        progress(done.min(total), total);
    };
    // No log can be opened without its first segment, so that comes last.
    for entry in manifest.segments.iter().rev() {
        if entry.first == 0 {
            disk.sync_dir(&new).map_err(OpenError::io("sync", &new))?;
        }
        bring(&*disk, &backup.join("journal"), &new, entry, &mut step)?;
    }
    disk.sync_dir(&new).map_err(OpenError::io("sync", &new))?;
    let copied = manifest.bytes();
    let checked = verify::verify_on(disk, target, |done, of| {
        let share = u128::from(done) * u128::from(copied) / u128::from(of.max(1));
        progress((copied + u64::try_from(share).unwrap_or(0)).min(total), total);
    })?;
    if (checked.bytes, checked.events) != (manifest.position, manifest.events) {
        return Err(BackupError::Damaged {
            file: Manifest::path(backup),
            reason: format!(
                "it promises {} events up to position {}, and the segments hold {} up to {}",
                manifest.events, manifest.position, checked.events, checked.bytes
            ),
        });
    }
    Ok(RestoreReport {
        position: checked.bytes,
        events: checked.events,
        segments: checked.segments,
        bytes: copied,
    })
}

fn bring(
    disk: &dyn Disk,
    from: &Path,
    to: &Path,
    entry: &Entry,
    step: &mut dyn FnMut(u64),
) -> Result<(), BackupError> {
    let name = segment::file_name(entry.first);
    let (path, unnamed) = (from.join(&name), to.join("restoring.new"));
    let damaged =
        |reason: &str| BackupError::Damaged { file: path.clone(), reason: reason.to_owned() };
    let file = match open(disk, from, entry)? {
        Some(file) => file,
        None => return Err(damaged("it is missing or has another size")),
    };
    let found = copy(disk, (&path, &file), &unnamed, entry.bytes, step)?;
    if found != entry.sha256 {
        return Err(damaged("its SHA-256 is another one"));
    }
    let named = to.join(&name);
    disk.rename(&unnamed, &named).map_err(OpenError::io("rename", &unnamed))?;
    Ok(())
}

/// The file of a segment; a backup that was killed when it was all but done has left it waiting.
fn open(
    disk: &dyn Disk,
    journal: &Path,
    entry: &Entry,
) -> Result<Option<Arc<dyn DiskFile>>, BackupError> {
    let waiting = waiting(journal, entry.first);
    if let Ok(file) = disk.open(&waiting, Access::Read)
        && matches(&*file, entry).map_err(OpenError::io("read", &waiting))?
    {
        return Ok(Some(file));
    }
    let path = journal.join(segment::file_name(entry.first));
    match disk.open(&path, Access::Read) {
        Ok(file) => {
            let len = file.len().map_err(OpenError::io("read", &path))?;
            Ok((len == entry.bytes).then_some(file))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(OpenError::io("open", &path)(error).into()),
    }
}
