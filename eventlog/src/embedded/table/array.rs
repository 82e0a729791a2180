//! Fixed-width entries by index, in blocks.
//!
//! This layout is stored for ever. A block has [`BLOCK_BYTES`] bytes; no entry straddles blocks:
//!
//! | at | bytes | field |
//! | ---: | ---: | --- |
//! | 0 | `W` × n | entries: n = ⌊4092 / `W`⌋, or what is left in the last block |
//! | `W` × n | | zero |
//! | 4092 | 4 | CRC32C (RFC 3720, appendix B.4) of the block's offset in the file, as 8 bytes, and of the 4,092 bytes before |
//!
//! The offset is part of it so that a block which a disk wrote to the wrong place is not taken for
//! the one that belongs there. An array of no entries has no blocks.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use super::{BLOCK_BYTES, SectionWriter, TableError, count, index};
use crate::embedded::disk::DiskFile;
use crate::embedded::fields::Fields;

const CRC_BYTES: usize = 4;
const CONTENT_BYTES: usize = BLOCK_BYTES - CRC_BYTES;
/// The most that is read at once: 1 MiB.
const READ_BLOCKS: u64 = 256;

/// The bytes of one block.
pub(super) type Block = [u8; BLOCK_BYTES];

/// Where an array is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::embedded) struct ArrayMeta {
    /// Where in the file its first block begins.
    pub(in crate::embedded) offset: u64,
    /// How many entries it has.
    pub(in crate::embedded) len: u64,
}

impl ArrayMeta {
    /// The size of its encoding: the offset, then the number of entries, 8 bytes each.
    pub(in crate::embedded) const BYTES: usize = 16;

    /// Adds its encoding to `out`.
    pub(in crate::embedded) fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.offset.to_le_bytes());
        out.extend(self.len.to_le_bytes());
    }

    /// `None` if the bytes do not suffice.
    pub(in crate::embedded) fn decode(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self { offset: fields.u64()?, len: fields.u64()? })
    }
}

/// Writes one array; nothing else may be written until it is finished.
#[derive(Debug)]
pub(in crate::embedded) struct ArrayWriter<const W: usize> {
    block: Block,
    /// How many bytes of the block hold entries.
    filled: usize,
    /// Where the first block was written and the next one goes, once there is one.
    written: Option<Range<u64>>,
    len: u64,
}

impl<const W: usize> ArrayWriter<W> {
    /// An array of no entries yet.
    pub(in crate::embedded) fn new() -> Self {
        const { assert!(W > 0 && W <= CONTENT_BYTES, "a block holds at least one entry") };
        Self { block: [0; BLOCK_BYTES], filled: 0, written: None, len: 0 }
    }

    /// How many entries there are.
    pub(in crate::embedded) fn len(&self) -> u64 {
        self.len
    }

    /// Adds an entry behind the last one.
    ///
    /// # Errors
    /// The disk refuses; [`io::ErrorKind::InvalidInput`] if something else was written since the
    /// last block.
    pub(in crate::embedded) fn push(
        &mut self,
        out: &mut SectionWriter,
        entry: &[u8; W],
    ) -> io::Result<()> {
        let end = self.filled + W;
        if let Some(room) = self.block.get_mut(self.filled..end) {
            room.copy_from_slice(entry);
        }
        self.filled = end;
        self.len += 1;
        if end + W <= CONTENT_BYTES { Ok(()) } else { self.write_block(out) }
    }

    /// Writes what is left, and says where the array is.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub(in crate::embedded) fn finish(mut self, out: &mut SectionWriter) -> io::Result<ArrayMeta> {
        if self.filled > 0 {
            self.write_block(out)?;
        }
        let offset = self.written.map_or_else(|| out.position(), |written| written.start);
        Ok(ArrayMeta { offset, len: self.len })
    }

    fn write_block(&mut self, out: &mut SectionWriter) -> io::Result<()> {
        let offset = out.position();
        let written = self.written.get_or_insert(offset..offset);
        if written.end != offset {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the blocks of an array are to be written one behind another",
            ));
        }
        if let Some((content, crc)) = self.block.split_last_chunk_mut() {
            *crc = checksum(content, offset).to_le_bytes();
        }
        out.write(&self.block)?;
        written.end = out.position();
        self.block.fill(0);
        self.filled = 0;
        Ok(())
    }
}

/// Reads one array.
#[derive(Debug)]
pub(in crate::embedded) struct Array<const W: usize> {
    file: Arc<dyn DiskFile>,
    meta: ArrayMeta,
}

impl<const W: usize> Array<W> {
    /// How many entries a full block has.
    pub(super) const PER_BLOCK: usize = CONTENT_BYTES / W;
    const PER_BLOCK_U64: u64 = Self::PER_BLOCK as u64;

    /// Reads nothing yet.
    pub(in crate::embedded) fn open(file: Arc<dyn DiskFile>, meta: ArrayMeta) -> Self {
        Self { file, meta }
    }

    /// How many entries there are.
    pub(in crate::embedded) fn len(&self) -> u64 {
        self.meta.len
    }

    /// How many entries to make room for. More than the file can hold are not believed: what says
    /// how many there are may be damaged, too.
    ///
    /// # Errors
    /// See [`TableError`]; the file ends before the array does.
    pub(in crate::embedded) fn room(&self) -> Result<usize, TableError> {
        let end = self.block_offset(self.blocks());
        match self.file.len().map_err(TableError::read(end))? {
            len if len < end => {
                Err(TableError::Corrupt { offset: end, reason: "the file ends too early" })
            }
            _ => Ok(index(self.meta.len)),
        }
    }

    /// How many blocks there are.
    pub(super) fn blocks(&self) -> u64 {
        self.meta.len.div_ceil(Self::PER_BLOCK_U64)
    }

    /// Where in the file a block begins; the block behind the last one: where the array ends.
    pub(super) fn block_offset(&self, nth: u64) -> u64 {
        nth.saturating_mul(count(BLOCK_BYTES)).saturating_add(self.meta.offset)
    }

    /// The entry at `index`, the first one having 0. Reads one block.
    ///
    /// # Errors
    /// See [`TableError`]; an index beyond the end is taken for damage of what it was read from.
    #[cfg(test)]
    pub(in crate::embedded) fn get(&self, index: u64) -> Result<[u8; W], TableError> {
        let mut block = [0; BLOCK_BYTES];
        let nth = index / Self::PER_BLOCK_U64;
        let entries = self.block(nth, &mut block)?;
        entries.get(super::index(index % Self::PER_BLOCK_U64)).copied().ok_or_else(|| self.beyond())
    }

    /// The entries of a block, read into `block`.
    pub(super) fn block<'a>(
        &self,
        nth: u64,
        block: &'a mut Block,
    ) -> Result<&'a [[u8; W]], TableError> {
        let before = nth.saturating_mul(Self::PER_BLOCK_U64);
        let left = self.meta.len.checked_sub(before).ok_or_else(|| self.beyond())?;
        let offset = self.block_offset(nth);
        self.file.read_at(block, offset).map_err(TableError::read(offset))?;
        check(block, offset)?;
        let (entries, _padding) = block.as_chunks();
        Ok(entries.get(..index(left).min(Self::PER_BLOCK)).unwrap_or_default())
    }

    /// The entries at these indexes, read at once if they stand in no more than 1 MiB.
    ///
    /// # Errors
    /// See [`TableError`].
    pub(in crate::embedded) fn range(&self, range: Range<u64>) -> Result<Vec<[u8; W]>, TableError> {
        let mut entries = Vec::new();
        self.visit(range, |entry| entries.push(*entry))?;
        Ok(entries)
    }

    /// Shows every entry at these indexes, without holding them all in memory.
    ///
    /// # Errors
    /// See [`TableError`].
    pub(super) fn visit(
        &self,
        range: Range<u64>,
        mut visitor: impl FnMut(&[u8; W]),
    ) -> Result<(), TableError> {
        if range.end > self.meta.len {
            return Err(self.beyond());
        }
        let mut buffer = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let block = at / Self::PER_BLOCK_U64;
            let last = range.end.div_ceil(Self::PER_BLOCK_U64);
            let blocks = (last - block).min(READ_BLOCKS);
            let end = range.end.min((block + blocks).saturating_mul(Self::PER_BLOCK_U64));
            self.read(block, blocks, &mut buffer)?
                .iter()
                .flat_map(|block| block.as_chunks().0.iter().take(Self::PER_BLOCK))
                .skip(index(at % Self::PER_BLOCK_U64))
                .take(index(end - at))
                .for_each(&mut visitor);
            at = end;
        }
        Ok(())
    }

    fn read<'a>(
        &self,
        first: u64,
        blocks: u64,
        buffer: &'a mut Vec<u8>,
    ) -> Result<&'a [Block], TableError> {
        let offset = self.block_offset(first);
        buffer.resize(index(blocks).saturating_mul(BLOCK_BYTES), 0);
        self.file.read_at(buffer, offset).map_err(TableError::read(offset))?;
        let (blocks, _rest) = buffer.as_chunks();
        for (block, nth) in blocks.iter().zip(first..) {
            check(block, self.block_offset(nth))?;
        }
        Ok(blocks)
    }

    fn beyond(&self) -> TableError {
        TableError::Corrupt {
            offset: self.block_offset(self.blocks()),
            reason: "an index leads beyond the end of its array",
        }
    }
}

fn check(block: &Block, offset: u64) -> Result<(), TableError> {
    let found = block.split_last_chunk().map(|(content, crc)| {
        let expected = checksum(content, offset);
        (expected, u32::from_le_bytes(*crc))
    });
    match found {
        Some((expected, stored)) if expected == stored => Ok(()),
        _ => Err(TableError::Corrupt { offset, reason: "the checksum of a block is wrong" }),
    }
}

fn checksum(content: &[u8], offset: u64) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&offset.to_le_bytes()), content)
}
