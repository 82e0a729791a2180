//! Writing one section behind another.

use std::io;
use std::sync::Arc;

use super::count;
use crate::embedded::disk::DiskFile;

const BUFFER_BYTES: usize = 1 << 20;

/// Writes to a file from an offset on, in pieces of about 1 MiB.
///
/// What is not flushed when it is dropped is not written. Nothing is synced: that is for the caller.
/// After an error, give the file up: it is not known what of the last piece was written.
#[derive(Debug)]
pub(in crate::embedded) struct SectionWriter {
    file: Arc<dyn DiskFile>,
    /// Where the buffer will be written.
    offset: u64,
    buffer: Vec<u8>,
}

impl SectionWriter {
    /// Will write from byte `offset` on.
    pub(in crate::embedded) fn new(file: Arc<dyn DiskFile>, offset: u64) -> Self {
        Self { file, offset, buffer: Vec::new() }
    }

    /// Where in the file the next byte goes.
    pub(in crate::embedded) fn position(&self) -> u64 {
        self.offset.saturating_add(count(self.buffer.len()))
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// The disk refuses; see [`DiskFile::write_at`].
    pub(in crate::embedded) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() < BUFFER_BYTES { Ok(()) } else { self.flush() }
    }

    /// Writes what was added so far, so that it can be read.
    ///
    /// # Errors
    /// The disk refuses; see [`DiskFile::write_at`].
    pub(in crate::embedded) fn flush(&mut self) -> io::Result<()> {
        if !self.buffer.is_empty() {
            self.file.write_at(&self.buffer, self.offset)?;
            self.offset = self.position();
            self.buffer.clear();
        }
        Ok(())
    }
}
