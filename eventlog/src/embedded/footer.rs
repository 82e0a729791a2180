//! The end of a sealed segment: where its index is.
//!
//! Behind the records, at the next multiple of 4,096 bytes of the file, stand the sections of the
//! index (see [`super::table`] for their layout), then the footer. All numbers are little-endian.
//!
//! | section | entry | order |
//! | --- | --- | --- |
//! | ids | event id 16, position 8 | by id |
//! | streams | stream key 16, first version here 8, segment with the event before 8 (all ones: none), first of its places 4, number of its events here 4 | by key |
//! | places | where an event begins in the file 4 | by stream, then version |
//! | order | where an event begins in the file 4, partition 2 | as recorded |
//! | offsets | first offset here 8, next offset 8 | by partition |
//! | blocks | where a compressed block begins in the file 8, its length 4, CRC32C of it as it is stored 4 | as recorded; none in format 1 |
//!
//! The footer:
//!
//! | bytes | field |
//! | ---: | --- |
//! | 8 | first position of the segment |
//! | 8 | end: the position behind the last record |
//! | 8 | number of events |
//! | 8 | number of appends |
//! | 80 | table of ids |
//! | 80 | table of streams |
//! | 16 each | arrays of places, order, offsets, blocks: where they begin in the file, their length |
//! | 4 | length of everything before |
//! | 4 | CRC32C of everything before |
//! | 8 | `PLAYSEAL`, the last bytes of the file |
//!
//! A file without a valid footer is a segment that is not sealed: its records are read, and it is
//! sealed again.

use std::io;
use std::sync::Arc;

use super::disk::DiskFile;
use super::fields::Fields;
use super::order::{Order, Span};
use super::table::{Array, ArrayMeta, TableError, TableMeta};
use crate::stream::Partition;

const MAGIC: [u8; 8] = *b"PLAYSEAL";
const TAIL_BYTES: usize = 16;
/// The size of a footer of this format.
pub(super) const FOOTER_BYTES: usize =
    4 * 8 + 2 * TableMeta::BYTES + 4 * ArrayMeta::BYTES + TAIL_BYTES;
/// More than any footer has.
const FOOTER_BYTES_MAX: usize = 4_096;

/// An id and the position of its event.
pub(super) const ID_BYTES: usize = 24;
/// A stream, and what the segment holds of it.
pub(super) const STREAM_BYTES: usize = 40;
/// A place in the file.
pub(super) const PLACE_BYTES: usize = 4;
/// A place in the file and a partition.
pub(super) const ORDER_BYTES: usize = 6;
/// The offsets of a partition.
pub(super) const OFFSETS_BYTES: usize = 16;
/// A compressed block.
pub(super) const BLOCK_ENTRY_BYTES: usize = 16;

/// What a sealed segment says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Footer {
    pub(super) first: u64,
    pub(super) end: u64,
    pub(super) events: u64,
    pub(super) batches: u64,
    pub(super) ids: TableMeta,
    pub(super) streams: TableMeta,
    pub(super) places: ArrayMeta,
    pub(super) order: ArrayMeta,
    pub(super) offsets: ArrayMeta,
    pub(super) blocks: ArrayMeta,
}

/// Where a compressed block is in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) at: u64,
    pub(super) len: u32,
    /// Of the compressed bytes: zstd ignores some of their bits.
    pub(super) crc: u32,
}

impl Footer {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for number in [self.first, self.end, self.events, self.batches] {
            out.extend(number.to_le_bytes());
        }
        self.ids.encode(&mut out);
        self.streams.encode(&mut out);
        for array in [self.places, self.order, self.offsets, self.blocks] {
            out.extend(array.offset.to_le_bytes());
            out.extend(array.len.to_le_bytes());
        }
        let length = u32::try_from(out.len()).unwrap_or(u32::MAX);
        out.extend(length.to_le_bytes());
        out.extend(crc32c::crc32c(&out).to_le_bytes());
        out.extend(MAGIC);
        out
    }

    /// Whether the bytes end as a footer does, but for one bit at most.
    pub(super) fn is_likely(bytes: &[u8]) -> bool {
        let differences =
            |magic: &[u8; 8]| (u64::from_le_bytes(*magic) ^ u64::from_le_bytes(MAGIC)).count_ones();
        bytes.last_chunk().is_some_and(|magic| differences(magic) <= 1)
    }

    /// Reads a footer that ends where `bytes` end; `None` if there is no valid one.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (rest, magic) = bytes.split_last_chunk::<8>()?;
        let (checked, crc) = rest.split_last_chunk::<4>()?;
        let (before, length) = checked.split_last_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let body = before.get(before.len().checked_sub(length)?..)?;
        let checked = checked.get(checked.len().checked_sub(length + 4)?..)?;
        if *magic != MAGIC || crc32c::crc32c(checked) != u32::from_le_bytes(*crc) {
            return None;
        }
        let mut fields = Fields::new(body);
        let footer = Self {
            first: fields.u64()?,
            end: fields.u64()?,
            events: fields.u64()?,
            batches: fields.u64()?,
            ids: TableMeta::decode(&mut fields)?,
            streams: TableMeta::decode(&mut fields)?,
            places: fields.array_meta()?,
            order: fields.array_meta()?,
            offsets: fields.array_meta()?,
            blocks: fields.array_meta()?,
        };
        fields.is_empty().then_some(footer)
    }

    /// The footer of the segment that begins at `first`, if it is sealed.
    pub(super) fn read(file: &dyn DiskFile, first: u64) -> io::Result<Option<Self>> {
        let len = file.len()?;
        let tail = usize::try_from(len).unwrap_or(usize::MAX).min(FOOTER_BYTES_MAX);
        let mut bytes = vec![0; tail];
        if tail < TAIL_BYTES {
            return Ok(None);
        }
        file.read_at(&mut bytes, len - u64::try_from(tail).unwrap_or(len))?;
        let whole = |footer: &Self| {
            // Places in a file are stored in 32 bits.
            let size = footer.end.checked_sub(first);
            footer.first == first && size.is_some_and(|size| u32::try_from(size).is_ok())
        };
        Ok(Self::decode(&bytes).filter(whole))
    }

    /// Where the compressed blocks are; none if the records are plain.
    pub(super) fn read_blocks(&self, file: &Arc<dyn DiskFile>) -> Result<Vec<Block>, TableError> {
        let blocks = Array::<BLOCK_ENTRY_BYTES>::open(Arc::clone(file), self.blocks);
        let entries = blocks.range(0..self.blocks.len)?;
        Ok(entries.iter().filter_map(decode_block).collect())
    }

    /// The offsets of every partition.
    pub(super) fn read_offsets(&self, file: &Arc<dyn DiskFile>) -> Result<Box<[Span]>, TableError> {
        let offsets = Array::<OFFSETS_BYTES>::open(Arc::clone(file), self.offsets);
        let entries = offsets.range(0..self.offsets.len)?;
        Ok(entries.iter().filter_map(decode_span).collect())
    }

    /// The order of the events.
    pub(super) fn read_order(
        &self,
        file: &Arc<dyn DiskFile>,
        spans: &[Span],
    ) -> Result<Order, TableError> {
        let entries = Array::<ORDER_BYTES>::open(Arc::clone(file), self.order);
        let mut order = Order::new(spans.iter().map(|span| span.first), entries.room()?);
        for entry in entries.range(0..self.order.len)? {
            let mut fields = Fields::new(&entry);
            if let (Some(at), Some(partition)) = (fields.u32(), fields.u16()) {
                order.push(Partition(partition), at);
            }
        }
        Ok(order)
    }
}

fn decode_block(entry: &[u8; BLOCK_ENTRY_BYTES]) -> Option<Block> {
    let mut fields = Fields::new(entry);
    Some(Block { at: fields.u64()?, len: fields.u32()?, crc: fields.u32()? })
}

fn decode_span(entry: &[u8; OFFSETS_BYTES]) -> Option<Span> {
    let mut fields = Fields::new(entry);
    Some(Span { first: fields.u64()?, next: fields.u64()? })
}

impl Fields<'_> {
    fn array_meta(&mut self) -> Option<ArrayMeta> {
        Some(ArrayMeta { offset: self.u64()?, len: self.u64()? })
    }
}
