//! `backup.json`: what a backup holds.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::BackupError;
use crate::embedded::disk::{Access, Disk};
use crate::embedded::error::OpenError;

/// The format that this program writes.
const FORMAT: u32 = 1;
/// More than any manifest has: a million segments.
const BYTES_MAX: u64 = 256 << 20;

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    format: u32,
    /// Everything before this position is in the backup.
    pub(super) position: u64,
    pub(super) events: u64,
    /// The next offset of every partition.
    pub(super) offsets: Vec<u64>,
    /// In the order of positions; none as long as the first backup is not finished.
    pub(super) segments: Vec<Entry>,
}

/// One segment of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The first position.
    pub(super) first: u64,
    /// The size of the file.
    pub(super) bytes: u64,
    /// Whether it will never change.
    pub(super) sealed: bool,
    /// The SHA-256 of the file, in hexadecimal.
    pub(super) sha256: String,
}

/// Only the format, which later ones have, too.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

impl Manifest {
    pub(super) fn new(position: u64, events: u64, offsets: Vec<u64>, segments: Vec<Entry>) -> Self {
        Self { format: FORMAT, position, events, offsets, segments }
    }

    pub(super) fn path(dir: &Path) -> PathBuf {
        dir.join("backup.json")
    }

    /// The manifest of the backup in a directory; `None` if there is none.
    pub(super) fn read(disk: &dyn Disk, dir: &Path) -> Result<Option<Self>, BackupError> {
        let path = Self::path(dir);
        let file = match disk.open(&path, Access::Read) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(OpenError::io("open", &path))?,
        };
        let damaged = |reason: String| BackupError::Damaged { file: path.clone(), reason };
        let len = file.len().map_err(OpenError::io("read", &path))?;
        if len > BYTES_MAX {
            return Err(damaged("no such file is so large".to_owned()));
        }
        let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
        file.read_at(&mut bytes, 0).map_err(OpenError::io("read", &path))?;
        let (text, sum) =
            bytes.split_at_checked(bytes.len().saturating_sub(SUM_BYTES)).unwrap_or_default();
        if sum != sum_of(text).as_bytes() {
            return Err(damaged("its last line is not its checksum".to_owned()));
        }
        let Format { format } =
            serde_json::from_slice(text).map_err(|error| damaged(error.to_string()))?;
        if format > FORMAT {
            return Err(BackupError::TooNew { file: path, found: format, known: FORMAT });
        }
        serde_json::from_slice(text).map(Some).map_err(|error| damaged(error.to_string()))
    }

    /// Puts this manifest into the place of the one before, in one step.
    pub(super) fn write(&self, disk: &dyn Disk, dir: &Path) -> Result<(), BackupError> {
        let (path, unnamed) = (Self::path(dir), dir.join("backup.json.new"));
        let text = serde_json::to_string_pretty(self);
        let mut text = text.map_err(|error| OpenError::io("write", &path)(error.into()))?;
        text.push('\n');
        text.push_str(&sum_of(text.as_bytes()));
        let file = disk.create(&unnamed).map_err(OpenError::io("create", &unnamed))?;
        file.write_at(text.as_bytes(), 0).map_err(OpenError::io("write", &unnamed))?;
        file.sync().map_err(OpenError::io("sync", &unnamed))?;
        disk.rename(&unnamed, &path).map_err(OpenError::io("rename", &unnamed))?;
        disk.sync_dir(dir).map_err(OpenError::io("sync", dir))?;
        Ok(())
    }

    pub(super) fn bytes(&self) -> u64 {
        self.segments.iter().map(|entry| entry.bytes).sum()
    }
}

/// `crc32c:` and eight digits, and the end of the line.
const SUM_BYTES: usize = 16;

fn sum_of(text: &[u8]) -> String {
    format!("crc32c:{:08x}\n", crc32c::crc32c(text))
}
