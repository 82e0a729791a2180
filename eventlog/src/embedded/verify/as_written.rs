//! The file of a sealed segment, which can be written only what stands there already.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use crate::embedded::disk::DiskFile;
use crate::embedded::journal::Journal;
use crate::embedded::segment::Segment;

/// Such a file. Writing an index to it compares it byte by byte. It is opened when it is used, so
/// that any number may be in use.
#[derive(Debug)]
pub(super) struct AsWritten {
    journal: Arc<Journal>,
    first: u64,
}

impl AsWritten {
    pub(super) fn open(journal: &Arc<Journal>, first: u64) -> Arc<dyn DiskFile> {
        Arc::new(Self { journal: Arc::clone(journal), first })
    }

    fn segment(&self) -> io::Result<Arc<Segment>> {
        self.journal.segment(self.first).map_err(io::Error::other)
    }
}

/// The error of [`DiskFile::write_at`] if other bytes stand there.
pub(super) fn differs(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof)
}

fn refused() -> io::Error {
    io::Error::from(ErrorKind::Unsupported)
}

impl DiskFile for AsWritten {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.segment()?.file().read_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut found = vec![0; bytes.len()];
        self.read_at(&mut found, offset)?;
        match found.iter().zip(bytes).position(|(found, due)| found != due) {
            None => Ok(()),
            Some(nth) => {
                let at = offset + super::count(nth);
                let reason = format!("byte {at} of the file is another");
                Err(io::Error::new(ErrorKind::InvalidData, reason))
            }
        }
    }

    fn sync(&self) -> io::Result<()> {
        Err(refused())
    }

    fn allocate(&self, _: u64) -> io::Result<()> {
        Err(refused())
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        Err(refused())
    }

    fn len(&self) -> io::Result<u64> {
        self.segment()?.file().len()
    }

    fn try_lock(&self) -> io::Result<bool> {
        Err(refused())
    }
}
