//! One file of the journal: how it begins, and how its records are read.
//!
//! A *position* is a place in the journal and only ever grows. A segment is named by its first
//! position, so `position - first` is a place in its file, and the next segment begins at the
//! position where this one ends.
//!
//! A file begins with 32 bytes, little-endian; in every format to come, too:
//!
//! | at | bytes | field |
//! | ---: | ---: | --- |
//! | 0 | 8 | `PLAYHEAD` |
//! | 8 | 4 | format: 1 = records follow as they are, 2 = they are compressed |
//! | 12 | 2 | partition count |
//! | 14 | 2 | zero |
//! | 16 | 8 | first position: that of the first byte of this file |
//! | 24 | 4 | zero |
//! | 28 | 4 | CRC32C of the 28 bytes before |
//!
//! In format 1 the records (see [`super::record`]) stand behind the header, then zeros up to the
//! allocated size; once the segment is sealed, its index and its footer instead (see
//! [`super::footer`]). In format 2 the bytes behind the header are cut into blocks of 64 KiB (the
//! last is shorter), each compressed for itself as a zstd frame (RFC 8878), one behind the other;
//! the footer says where each begins. Positions are the same in both.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::disk::{Access, Disk, DiskFile};
use super::error::OpenError;
use super::fields::Fields;
use super::footer::{Block, Footer};
use crate::stream::PartitionCount;

/// The size of the header.
pub(super) const HEADER_BYTES: usize = 32;
/// The size of the header, as a distance of positions.
pub(super) const HEADER: u64 = 32;
/// How much of a segment is compressed as one.
pub(super) const BLOCK_BYTES: usize = 64 << 10;

/// What a block takes at most when it is compressed; zstd adds less than a hundredth to what it
/// cannot make smaller.
const FRAME_BYTES_MAX: usize = 2 * BLOCK_BYTES;

const MAGIC: [u8; 8] = *b"PLAYHEAD";
const FORMAT_PLAIN: u32 = 1;
const FORMAT_PACKED: u32 = 2;

/// How the records of a segment are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Plain,
    Packed,
}

/// How a file begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) packing: Packing,
    pub(super) partitions: PartitionCount,
    pub(super) first: u64,
}

impl Header {
    pub(super) fn encode(self) -> Vec<u8> {
        let format = match self.packing {
            Packing::Plain => FORMAT_PLAIN,
            Packing::Packed => FORMAT_PACKED,
        };
        let mut header = Vec::with_capacity(HEADER_BYTES);
        header.extend(MAGIC);
        header.extend(format.to_le_bytes());
        header.extend(self.partitions.get().to_le_bytes());
        header.extend([0; 2]);
        header.extend(self.first.to_le_bytes());
        header.extend([0; 4]);
        header.extend(crc32c::crc32c(&header).to_le_bytes());
        header
    }

    /// Reads the header of the file at `path`, which its name says begins at `first`.
    fn decode(header: &[u8; HEADER_BYTES], path: &Path, first: u64) -> Result<Self, OpenError> {
        let corrupt = |reason: &str| OpenError::corrupt(path, first, reason);
        let short = || corrupt("the file header is too short");
        let mut fields = Fields::new(header);
        if fields.array() != Some(MAGIC) {
            return Err(OpenError::NotAJournal { file: path.to_owned() });
        }
        let format = fields.u32().ok_or_else(short)?;
        let partitions = fields.u16().ok_or_else(short)?;
        let _zero = fields.u16();
        let said = fields.u64().ok_or_else(short)?;
        let (checked, crc) = header.split_last_chunk().ok_or_else(short)?;
        if crc32c::crc32c(checked) != u32::from_le_bytes(*crc) {
            return Err(corrupt("the checksum of the file header is wrong"));
        }
        let packing = match format {
            FORMAT_PLAIN => Packing::Plain,
            FORMAT_PACKED => Packing::Packed,
            found => {
                let known = FORMAT_PACKED;
                return Err(OpenError::TooNew { file: path.to_owned(), found, known });
            }
        };
        let partitions = PartitionCount::new(partitions)
            .ok_or_else(|| corrupt("the file header names no valid partition count"))?;
        if said != first {
            return Err(corrupt("the file has the name of another segment"));
        }
        Ok(Self { packing, partitions, first })
    }
}

/// The name of the file of the segment that begins at a position.
pub(super) fn file_name(first: u64) -> String {
    format!("{first:020}.seg")
}

/// Which position a file of this name begins at; `None` if it is no segment.
pub(super) fn first_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".seg").filter(|digits| digits.len() == 20)?;
    digits.parse().ok()
}

/// An open segment.
pub(super) struct Segment {
    pub(super) header: Header,
    pub(super) path: PathBuf,
    file: Arc<dyn DiskFile>,
    /// Present if the segment is sealed.
    pub(super) footer: Option<Footer>,
    packed: Option<Packed>,
}

/// What it takes to read a compressed segment.
struct Packed {
    blocks: Vec<Block>,
    /// Reading goes forward: the block of last time is often the one of next time.
    latest: Mutex<Option<(usize, Arc<[u8]>)>>,
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Segment").field(&self.path).finish()
    }
}

impl Segment {
    /// Opens the segment that begins at `first`, in the directory of the journal.
    pub(super) fn open(
        disk: &dyn Disk,
        dir: &Path,
        first: u64,
        access: Access,
    ) -> Result<Self, OpenError> {
        let path = dir.join(file_name(first));
        let file = disk.open(&path, access).map_err(OpenError::io("open", &path))?;
        let mut header = [0; HEADER_BYTES];
        file.read_at(&mut header, 0).map_err(|source| match source.kind() {
            io::ErrorKind::UnexpectedEof => OpenError::NotAJournal { file: path.clone() },
            _ => OpenError::io("read", &path)(source),
        })?;
        let header = Header::decode(&header, &path, first)?;
        let footer = Footer::read(&*file, first).map_err(OpenError::io("read", &path))?;
        let packed = match (header.packing, &footer) {
            (Packing::Plain, _) => None,
            (Packing::Packed, Some(footer)) => {
                let blocks = footer.read_blocks(&file);
                let blocks = blocks.map_err(|error| {
                    OpenError::corrupt(&path, first, &format!("the block table: {error}"))
                })?;
                Some(Packed { blocks, latest: Mutex::new(None) })
            }
            (Packing::Packed, None) => {
                let reason = "a compressed segment has lost its footer";
                return Err(OpenError::corrupt(&path, first, reason));
            }
        };
        Ok(Self { header, path, file, footer, packed })
    }

    /// The file itself: for the index behind the records, and for writing.
    pub(super) fn file(&self) -> &Arc<dyn DiskFile> {
        &self.file
    }

    /// The position where a record may stand first.
    pub(super) fn start(&self) -> u64 {
        self.header.first + HEADER
    }

    /// How far the records may reach: their end if the segment is sealed, else the size of the file.
    pub(super) fn end(&self) -> io::Result<u64> {
        match &self.footer {
            Some(footer) => Ok(footer.end),
            None => self.file.len().map(|len| self.header.first + len),
        }
    }

    /// Fills the buffer with the record bytes from `position` on.
    pub(super) fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<()> {
        let at = position.checked_sub(self.header.first).ok_or_else(outside)?;
        match &self.packed {
            None => self.file.read_at(buffer, at),
            Some(packed) => packed.read_at(&*self.file, buffer, at),
        }
    }
}

impl Packed {
    fn read_at(&self, file: &dyn DiskFile, mut buffer: &mut [u8], at: u64) -> io::Result<()> {
        let mut at = usize::try_from(at).ok().and_then(|at| at.checked_sub(HEADER_BYTES));
        while !buffer.is_empty() {
            let from = at.ok_or_else(outside)?;
            let block = self.block(file, from / BLOCK_BYTES)?;
            let bytes = block.get(from % BLOCK_BYTES..).filter(|bytes| !bytes.is_empty());
            let bytes = bytes.ok_or_else(outside)?;
            let taken = bytes.len().min(buffer.len());
            let (now, rest) = buffer.split_at_mut(taken);
            now.copy_from_slice(bytes.get(..taken).ok_or_else(outside)?);
            buffer = rest;
            at = Some(from + taken);
        }
        Ok(())
    }

    fn block(&self, file: &dyn DiskFile, number: usize) -> io::Result<Arc<[u8]>> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, block)) = latest.filter(|(latest, _)| *latest == number) {
            return Ok(block);
        }
        let Block { at, len, crc } = self.blocks.get(number).copied().ok_or_else(outside)?;
        let len = usize::try_from(len).ok().filter(|len| *len <= FRAME_BYTES_MAX);
        let mut frame = vec![0; len.ok_or_else(outside)?];
        file.read_at(&mut frame, at)?;
        if crc32c::crc32c(&frame) != crc {
            let reason = "the checksum of a compressed block is wrong";
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        let block: Arc<[u8]> = zstd::bulk::decompress(&frame, BLOCK_BYTES)?.into();
        let latest = Some((number, Arc::clone(&block)));
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = latest;
        Ok(block)
    }
}

fn outside() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the position is outside of the segment")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Header =
        Header { packing: Packing::Plain, partitions: PartitionCount::DEFAULT, first: 0x0102 };

    fn sealed(mut header: Vec<u8>) -> [u8; HEADER_BYTES] {
        header.truncate(HEADER_BYTES - 4);
        header.extend(crc32c::crc32c(&header).to_le_bytes());
        header.try_into().unwrap()
    }

    fn decode(header: &[u8; HEADER_BYTES]) -> Result<Header, OpenError> {
        Header::decode(header, Path::new("x"), 0x0102)
    }

    #[test]
    fn a_header_tells_what_it_was_given() {
        for packing in [Packing::Plain, Packing::Packed] {
            let header = Header { packing, ..HEADER };
            assert_eq!(decode(&sealed(header.encode())).unwrap(), header);
        }
    }

    #[test]
    fn a_newer_format_is_named() {
        let mut header = HEADER.encode();
        header[8] = 3;
        let error = decode(&sealed(header)).unwrap_err();
        assert!(matches!(error, OpenError::TooNew { found: 3, known: 2, .. }), "{error}");
    }

    #[test]
    fn a_segment_under_the_name_of_another_is_refused() {
        let header = sealed(HEADER.encode());
        assert!(Header::decode(&header, Path::new("x"), 7).is_err());
    }

    #[test]
    fn a_header_is_refused_at_every_flipped_bit() {
        let header = sealed(HEADER.encode());
        for bit in 0..HEADER_BYTES * 8 {
            let mut header = header;
            header[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&header).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn names_sort_as_positions_do() {
        assert_eq!(first_of(&file_name(42)), Some(42));
        assert!(file_name(9) < file_name(10));
        for name in ["42.seg", "0000000000000000004x.seg", "00000000000000000042.seg.new"] {
            assert_eq!(first_of(name), None, "{name}");
        }
    }
}
