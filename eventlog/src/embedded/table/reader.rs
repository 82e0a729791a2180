//! Looking up keys, and reading a table in order.

use std::sync::Arc;
use std::{iter, vec};

use super::array::Array;
use super::filter::{FILTER_BLOCK_BYTES, Filter};
use super::{BLOCK_BYTES, KEY_BYTES, TableError, TableMeta, count, index, key_of};
use crate::embedded::disk::DiskFile;

/// How much is read at once when a table is read in order: 256 KiB.
const AHEAD_BLOCKS: u64 = 64;

/// Reads one table.
#[derive(Debug)]
pub(in crate::embedded) struct Table<const W: usize> {
    meta: TableMeta,
    entries: Array<W>,
    fences: Vec<u128>,
    filter: Option<Filter>,
}

impl<const W: usize> Table<W> {
    /// Loads the fences and, if wanted, the filter. Without it every key between the smallest and
    /// the largest costs a read.
    ///
    /// # Errors
    /// See [`TableError`].
    pub(in crate::embedded) fn open(
        file: Arc<dyn DiskFile>,
        meta: TableMeta,
        use_filter: bool,
    ) -> Result<Self, TableError> {
        const { assert!(W > KEY_BYTES, "an entry is a key and a value") };
        let size = file.len().map_err(TableError::read(meta.entries.offset))?;
        let entries = Array::open(Arc::clone(&file), meta.entries);
        let stored_fences = Array::<KEY_BYTES>::open(Arc::clone(&file), meta.fences);
        let stored_filter = Array::<FILTER_BLOCK_BYTES>::open(file, meta.filter);
        // Before any of it is believed, so that damage does not ask for all the memory there is.
        inside(&entries, size)?;
        inside(&stored_fences, size)?;
        inside(&stored_filter, size)?;
        let fences = read_fences(&stored_fences, &meta, entries.blocks())?;
        let filter = if use_filter { Some(Filter::read(&stored_filter)?) } else { None };
        Ok(Self { meta, entries, fences, filter })
    }

    /// How many entries there are.
    pub(in crate::embedded) fn len(&self) -> u64 {
        self.entries.len()
    }

    /// How much memory it takes, in bytes.
    #[cfg(test)]
    pub(in crate::embedded) fn memory_bytes(&self) -> u64 {
        let filter = self.filter.as_ref().map_or(0, Filter::memory_bytes);
        filter + count(self.fences.len() * KEY_BYTES)
    }

    /// The entry with this key. Reads one block, or none if the key is out of range or does not
    /// pass the filter.
    ///
    /// # Errors
    /// See [`TableError`].
    #[inline]
    pub(in crate::embedded) fn get(&self, key: u128) -> Result<Option<[u8; W]>, TableError> {
        if key < self.meta.min || key > self.meta.max {
            return Ok(None);
        }
        if self.filter.as_ref().is_some_and(|filter| !filter.may_contain(key)) {
            return Ok(None);
        }
        self.search(key)
    }

    fn search(&self, key: u128) -> Result<Option<[u8; W]>, TableError> {
        let Some(nth) = self.fences.partition_point(|fence| *fence <= key).checked_sub(1) else {
            return Ok(None);
        };
        let mut block = [0; BLOCK_BYTES];
        let entries = self.entries.block(count(nth), &mut block)?;
        self.check_fence(nth, entries.first())?;
        let found = entries.binary_search_by_key(&key, key_of).ok();
        Ok(found.and_then(|found| entries.get(found)).copied())
    }

    /// All the entries in key order, read 256 KiB at a time. Ends behind the first error.
    pub(in crate::embedded) fn iter(&self) -> Entries<'_, W> {
        self.iter_ahead(AHEAD_BLOCKS)
    }

    /// As [`Self::iter`], but reads so many blocks at a time.
    pub(in crate::embedded) fn iter_ahead(&self, blocks: u64) -> Entries<'_, W> {
        Entries { table: self, next_block: 0, blocks: blocks.max(1), ahead: Vec::new().into_iter() }
    }

    /// A block that does not begin with its fence belongs to another table.
    fn check_fence(&self, nth: usize, first: Option<&[u8; W]>) -> Result<(), TableError> {
        if first.map(key_of) == self.fences.get(nth).copied() {
            return Ok(());
        }
        let offset = self.entries.block_offset(count(nth));
        Err(TableError::Corrupt { offset, reason: "a block does not begin with its fence" })
    }

    fn read_ahead(&self, first: u64, blocks: u64) -> Result<Vec<[u8; W]>, TableError> {
        let per_block = count(Array::<W>::PER_BLOCK);
        let start = first.saturating_mul(per_block).min(self.len());
        let end = start.saturating_add(blocks.saturating_mul(per_block)).min(self.len());
        let entries = self.entries.range(start..end)?;
        for (block, nth) in entries.chunks(Array::<W>::PER_BLOCK).zip(index(first)..) {
            self.check_fence(nth, block.first())?;
        }
        Ok(entries)
    }
}

/// The entries of a table in key order; see [`Table::iter`].
#[derive(Debug)]
pub(in crate::embedded) struct Entries<'a, const W: usize> {
    table: &'a Table<W>,
    next_block: u64,
    /// How many are read at once.
    blocks: u64,
    ahead: vec::IntoIter<[u8; W]>,
}

impl<const W: usize> Iterator for Entries<'_, W> {
    type Item = Result<(u128, [u8; W]), TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ahead.len() == 0 && self.next_block < self.table.entries.blocks() {
            match self.table.read_ahead(self.next_block, self.blocks) {
                Ok(entries) => {
                    self.ahead = entries.into_iter();
                    self.next_block = self.next_block.saturating_add(self.blocks);
                }
                Err(error) => {
                    self.next_block = u64::MAX;
                    return Some(Err(error));
                }
            }
        }
        self.ahead.next().map(|entry| Ok((key_of(&entry), entry)))
    }
}

impl<const W: usize> iter::FusedIterator for Entries<'_, W> {}

fn inside<const W: usize>(array: &Array<W>, size: u64) -> Result<(), TableError> {
    if array.block_offset(array.blocks()) <= size {
        return Ok(());
    }
    Err(TableError::Corrupt { offset: size, reason: "the file ends too early" })
}

fn read_fences(
    array: &Array<KEY_BYTES>,
    meta: &TableMeta,
    blocks: u64,
) -> Result<Vec<u128>, TableError> {
    let corrupt = |reason| TableError::Corrupt { offset: meta.fences.offset, reason };
    if array.len() != blocks {
        return Err(corrupt("there is not one fence for every block"));
    }
    let mut fences = Vec::with_capacity(array.room()?);
    array.visit(0..array.len(), |fence| fences.push(u128::from_be_bytes(*fence)))?;
    let spans = match (fences.first(), fences.last()) {
        (Some(first), Some(last)) => *first == meta.min && *last <= meta.max,
        _ => meta.min > meta.max,
    };
    if !spans || !fences.is_sorted_by(|fence, next| fence < next) {
        return Err(corrupt("the fences are not those of this table"));
    }
    Ok(fences)
}
