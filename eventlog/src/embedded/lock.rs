//! One process appends to a log: the file `LOCK`, locked with `flock(2)`.
//!
//! The lock is the kernel's and dies with its process, however that ends; the file stays and means
//! nothing by itself. Its text, a process id and a line about it, only serves the error message.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::error::OpenError;

/// The right to append. Ends when dropped.
#[derive(Debug)]
pub(super) struct Lock {
    /// The lock is held as long as the file is open.
    _file: File,
}

impl Lock {
    pub(super) fn acquire(dir: &Path, holder: &str) -> Result<Self, OpenError> {
        let path = dir.join("LOCK");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(OpenError::io("open", &path))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(held(dir, &mut file)),
            Err(errno) => return Err(OpenError::io("lock", &path)(errno.into())),
        }
        let text = format!("{}\n{holder}\n", std::process::id());
        file.set_len(0)
            .and_then(|()| file.write_all(text.as_bytes()))
            .map_err(OpenError::io("write", &path))?;
        Ok(Self { _file: file })
    }
}

/// Says who holds the lock. The text may be unreadable or half written: then it says less.
fn held(dir: &Path, file: &mut File) -> OpenError {
    let mut text = String::new();
    let _unreadable = file.read_to_string(&mut text);
    let mut lines = text.lines();
    let pid = lines.next().and_then(|pid| pid.parse().ok()).unwrap_or(0);
    let holder = lines.next().unwrap_or("unknown").to_owned();
    OpenError::Locked { dir: dir.to_owned(), pid, holder }
}
