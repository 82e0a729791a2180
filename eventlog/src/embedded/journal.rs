//! The journal: where its file is, how it begins, how it is read and written.
//!
//! A *position* is a byte offset in the journal and only ever grows. The file is named by its first
//! position, so a journal of several files would still have one order of positions.
//!
//! A file begins with 32 bytes, little-endian; in every format to come, too:
//!
//! | at | bytes | field |
//! | ---: | ---: | --- |
//! | 0 | 8 | `PLAYHEAD` |
//! | 8 | 4 | format: 1 |
//! | 12 | 2 | partition count |
//! | 14 | 2 | zero |
//! | 16 | 8 | position of the first byte of this file |
//! | 24 | 4 | zero |
//! | 28 | 4 | CRC32C of the 28 bytes before |

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::OpenError;
use super::fields::Fields;
use crate::stream::PartitionCount;

/// The position of the first record.
pub(super) const FIRST_POSITION: u64 = 32;

const HEADER_BYTES: usize = 32;
const MAGIC: [u8; 8] = *b"PLAYHEAD";
const FORMAT: u32 = 1;
const FILE_NAME: &str = "00000000000000000000.seg";

/// What the writer needs of a file: the seam where tests let the disk fail.
pub(super) trait Sink: Send + 'static {
    /// Writes all the bytes at a position.
    fn write_at(&self, bytes: &[u8], position: u64) -> io::Result<()>;

    /// Returns once everything written is durable.
    fn sync(&self) -> io::Result<()>;
}

/// An open journal.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    path: PathBuf,
    partitions: PartitionCount,
}

impl Journal {
    /// Opens the journal for appending; begins one if there is none.
    pub(super) fn open_or_create(
        dir: &Path,
        partitions: PartitionCount,
    ) -> Result<Self, OpenError> {
        if !path_in(dir).try_exists().map_err(OpenError::io("look for", &path_in(dir)))? {
            create(dir, partitions)?;
        }
        Self::open(dir, OpenOptions::new().read(true).write(true))
    }

    /// Opens the journal without the right to change it.
    pub(super) fn open_read_only(dir: &Path) -> Result<Self, OpenError> {
        Self::open(dir, OpenOptions::new().read(true))
    }

    fn open(dir: &Path, options: &OpenOptions) -> Result<Self, OpenError> {
        let path = path_in(dir);
        let file = options.open(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => OpenError::NotFound { dir: dir.to_owned() },
            _ => OpenError::io("open", &path)(source),
        })?;
        let mut header = [0; HEADER_BYTES];
        file.read_exact_at(&mut header, 0).map_err(|source| match source.kind() {
            io::ErrorKind::UnexpectedEof => OpenError::NotAJournal { file: path.clone() },
            _ => OpenError::io("read", &path)(source),
        })?;
        let partitions = decode_header(&header, &path)?;
        Ok(Self { file, path, partitions })
    }

    pub(super) fn partitions(&self) -> PartitionCount {
        self.partitions
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The position behind the last byte.
    pub(super) fn len(&self) -> io::Result<u64> {
        self.file.metadata().map(|metadata| metadata.len())
    }

    /// Fills the buffer with the bytes from `position` on.
    pub(super) fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<()> {
        self.file.read_exact_at(buffer, position)
    }

    /// Forgets everything from `position` on, durably.
    pub(super) fn cut(&self, position: u64) -> io::Result<()> {
        self.file.set_len(position)?;
        self.file.sync_all()
    }
}

impl Sink for Arc<Journal> {
    fn write_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        self.file.write_all_at(bytes, position)
    }

    /// `fdatasync` is enough: it also flushes the file size, which is needed to read the data back.
    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// Creates a directory and those above it, so that they survive a crash.
pub(super) fn create_dir(dir: &Path) -> Result<(), OpenError> {
    if dir.is_dir() {
        return Ok(());
    }
    let parent = match dir.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    create_dir(parent)?;
    fs::create_dir(dir).map_err(OpenError::io("create", dir))?;
    sync_dir(parent)
}

/// A file gets its name only when its header is durable, so a crash leaves no half journal.
fn create(dir: &Path, partitions: PartitionCount) -> Result<(), OpenError> {
    let path = path_in(dir);
    let journal_dir = dir.join("journal");
    create_dir(&journal_dir)?;
    let unnamed = path.with_extension("new");
    let mut file = File::create(&unnamed).map_err(OpenError::io("create", &unnamed))?;
    file.write_all(&encode_header(partitions))
        .and_then(|()| file.sync_all())
        .map_err(OpenError::io("write", &unnamed))?;
    fs::rename(&unnamed, &path).map_err(OpenError::io("create", &path))?;
    sync_dir(&journal_dir)
}

fn path_in(dir: &Path) -> PathBuf {
    dir.join("journal").join(FILE_NAME)
}

fn sync_dir(dir: &Path) -> Result<(), OpenError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(OpenError::io("sync", dir))
}

fn encode_header(partitions: PartitionCount) -> Vec<u8> {
    let mut header = Vec::with_capacity(HEADER_BYTES);
    header.extend(MAGIC);
    header.extend(FORMAT.to_le_bytes());
    header.extend(partitions.get().to_le_bytes());
    header.extend([0; 14]);
    header.extend(crc32c::crc32c(&header).to_le_bytes());
    header
}

fn decode_header(header: &[u8; HEADER_BYTES], path: &Path) -> Result<PartitionCount, OpenError> {
    let corrupt = |reason: &str| OpenError::Corrupt {
        position: 0,
        file: path.to_owned(),
        reason: reason.to_owned(),
    };
    let short = || corrupt("the file header is too short");
    let mut fields = Fields::new(header);
    if fields.array() != Some(MAGIC) {
        return Err(OpenError::NotAJournal { file: path.to_owned() });
    }
    let found = fields.u32().ok_or_else(short)?;
    let partitions = fields.u16().ok_or_else(short)?;
    let (checked, crc) = header.split_last_chunk().ok_or_else(short)?;
    if crc32c::crc32c(checked) != u32::from_le_bytes(*crc) {
        return Err(corrupt("the checksum of the file header is wrong"));
    }
    if found > FORMAT {
        return Err(OpenError::TooNew { file: path.to_owned(), found, known: FORMAT });
    }
    PartitionCount::new(partitions)
        .filter(|_| found == FORMAT)
        .ok_or_else(|| corrupt("the file header names no known format or partition count"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(mut header: Vec<u8>) -> [u8; HEADER_BYTES] {
        header.truncate(HEADER_BYTES - 4);
        header.extend(crc32c::crc32c(&header).to_le_bytes());
        header.try_into().unwrap()
    }

    #[test]
    fn a_header_tells_its_partition_count() {
        let header = sealed(encode_header(PartitionCount::new(8).unwrap()));
        assert_eq!(decode_header(&header, Path::new("x")).unwrap().get(), 8);
    }

    #[test]
    fn a_newer_format_is_named() {
        let mut header = encode_header(PartitionCount::DEFAULT);
        header[8] = 2;
        let error = decode_header(&sealed(header), Path::new("x")).unwrap_err();
        assert!(matches!(error, OpenError::TooNew { found: 2, known: 1, .. }), "{error}");
    }

    #[test]
    fn a_header_is_refused_at_every_flipped_bit() {
        let header = sealed(encode_header(PartitionCount::DEFAULT));
        for bit in 0..HEADER_BYTES * 8 {
            let mut header = header;
            header[bit / 8] ^= 1 << (bit % 8);
            assert!(decode_header(&header, Path::new("x")).is_err(), "bit {bit}");
        }
    }
}
