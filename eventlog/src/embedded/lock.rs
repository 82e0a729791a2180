//! One process appends to a log: the file `LOCK`, locked with `flock(2)`.
//!
//! The lock is the kernel's and dies with its process, however that ends; the file stays and means
//! nothing by itself. Its text, a process id and a line about it, only serves the error message.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use super::disk::{Access, Disk, DiskFile};
use super::error::OpenError;

/// More than the text ever has.
const TEXT_BYTES_MAX: u64 = 4_096;

/// The right to append. Ends when dropped.
#[derive(Debug)]
pub(super) struct Lock {
    /// The lock is held as long as the file is open.
    _file: Arc<dyn DiskFile>,
}

impl Lock {
    pub(super) fn acquire(disk: &dyn Disk, dir: &Path, holder: &str) -> Result<Self, OpenError> {
        let path = dir.join("LOCK");
        let file = match disk.open(&path, Access::Write) {
            Err(error) if error.kind() == ErrorKind::NotFound => disk.create(&path),
            outcome => outcome,
        };
        let file = file.map_err(OpenError::io("open", &path))?;
        if !file.try_lock().map_err(OpenError::io("lock", &path))? {
            return Err(held(dir, &*file));
        }
        let text = format!("{}\n{holder}\n", std::process::id());
        let told = file.set_len(0).and_then(|()| file.write_at(text.as_bytes(), 0));
        if let Err(error) = told {
            // The lock holds all the same; a log can be opened on a full disk.
            tracing::warn!(path = %path.display(), %error, "the holder of the lock is not named");
        }
        Ok(Self { _file: file })
    }
}

/// Says who holds the lock. The text may be unreadable or half written: then it says less.
fn held(dir: &Path, file: &dyn DiskFile) -> OpenError {
    let text = text_of(file).unwrap_or_default();
    let mut lines = text.lines();
    let pid = lines.next().and_then(|pid| pid.parse().ok()).unwrap_or(0);
    let holder = lines.next().unwrap_or("unknown").to_owned();
    OpenError::Locked { dir: dir.to_owned(), pid, holder }
}

fn text_of(file: &dyn DiskFile) -> io::Result<String> {
    let len = usize::try_from(file.len()?.min(TEXT_BYTES_MAX)).map_err(io::Error::other)?;
    let mut bytes = vec![0; len];
    file.read_at(&mut bytes, 0)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
