//! Copying a file and its checksum.

use std::io;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::embedded::disk::{Disk, DiskFile};
use crate::embedded::error::OpenError;

const CHUNK_BYTES: usize = 4 << 20;

/// Shows the first `len` bytes of a file.
pub(super) fn visit(
    file: &dyn DiskFile,
    len: u64,
    mut visitor: impl FnMut(&[u8], u64) -> io::Result<()>,
) -> io::Result<()> {
    let mut buffer = Vec::new();
    let mut at = 0;
    while at < len {
        let size = usize::try_from(len - at).unwrap_or(usize::MAX).min(CHUNK_BYTES);
        buffer.resize(size, 0);
        file.read_at(&mut buffer, at)?;
        visitor(&buffer, at)?;
        at += u64::try_from(size).unwrap_or(u64::MAX);
    }
    Ok(())
}

/// The SHA-256 of the first `len` bytes of a file, in hexadecimal.
pub(super) fn sha256(
    file: &dyn DiskFile,
    len: u64,
    step: &mut dyn FnMut(u64),
) -> io::Result<String> {
    let mut sha256 = Sha256::new();
    visit(file, len, |bytes, _| {
        sha256.update(bytes);
        step(u64::try_from(bytes.len()).unwrap_or(0));
        Ok(())
    })?;
    Ok(hex(&sha256.finalize()))
}

/// Copies the first `len` bytes of a file to a new one, durable but for its name. Answers the
/// SHA-256 of what was read.
pub(super) fn copy(
    disk: &dyn Disk,
    (from, source): (&Path, &Arc<dyn DiskFile>),
    to: &Path,
    len: u64,
    step: &mut dyn FnMut(u64),
) -> Result<String, OpenError> {
    let target = disk.create(to).map_err(OpenError::io("create", to))?;
    let mut sha256 = Sha256::new();
    let mut failed = None;
    let copied = visit(&**source, len, |bytes, at| {
        sha256.update(bytes);
        step(u64::try_from(bytes.len()).unwrap_or(0));
        target.write_at(bytes, at).inspect_err(|_| failed = Some(("write", to)))
    });
    let (operation, path) = failed.unwrap_or(("read", from));
    copied.map_err(OpenError::io(operation, path))?;
    target.sync().map_err(OpenError::io("sync", to))?;
    Ok(hex(&sha256.finalize()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
