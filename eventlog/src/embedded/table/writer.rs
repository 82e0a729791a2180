//! Making a table.

use std::io;

use super::array::{Array, ArrayWriter};
use super::filter::Filter;
use super::{KEY_BYTES, SectionWriter, TableMeta, index};

/// Writes one table; nothing else may be written until it is finished.
///
/// Holds the fences and the filter in memory until then.
#[derive(Debug)]
pub(in crate::embedded) struct TableWriter<const W: usize> {
    entries: ArrayWriter<W>,
    fences: Vec<u128>,
    filter: Filter,
    /// The smallest and the largest key so far.
    span: Option<(u128, u128)>,
}

impl<const W: usize> TableWriter<W> {
    /// A table of no entries yet. `expected_len` is for how many the filter is made: with more, it
    /// spares fewer reads.
    pub(in crate::embedded) fn new(expected_len: u64) -> Self {
        const { assert!(W > KEY_BYTES, "an entry is a key and a value") };
        Self {
            entries: ArrayWriter::new(),
            fences: Vec::new(),
            filter: Filter::sized_for(expected_len),
            span: None,
        }
    }

    /// Adds an entry: a key greater than all before, and its value of `W` − 16 bytes.
    ///
    /// # Errors
    /// The disk refuses; [`io::ErrorKind::InvalidInput`] if the key is not greater, the value has
    /// another length, or something else was written in between.
    pub(in crate::embedded) fn push(
        &mut self,
        out: &mut SectionWriter,
        key: u128,
        value: &[u8],
    ) -> io::Result<()> {
        let min = match self.span {
            Some((_, max)) if key <= max => return Err(invalid("keys must ascend")),
            Some((min, _)) => min,
            None => key,
        };
        let mut entry = [0; W];
        match entry.split_first_chunk_mut() {
            Some((first, rest)) if rest.len() == value.len() => {
                *first = key.to_be_bytes();
                rest.copy_from_slice(value);
            }
            _ => return Err(invalid("the value has the wrong length")),
        }
        if index(self.entries.len()).is_multiple_of(Array::<W>::PER_BLOCK) {
            self.fences.push(key);
        }
        self.filter.insert(key);
        self.span = Some((min, key));
        self.entries.push(out, &entry)
    }

    /// Writes what is left, the fences and the filter.
    ///
    /// # Errors
    /// The disk refuses.
    pub(in crate::embedded) fn finish(self, out: &mut SectionWriter) -> io::Result<TableMeta> {
        let entries = self.entries.finish(out)?;
        let mut fences = ArrayWriter::new();
        for fence in self.fences {
            fences.push(out, &fence.to_be_bytes())?;
        }
        let fences = fences.finish(out)?;
        let filter = self.filter.write(out)?;
        let (min, max) = self.span.unwrap_or((u128::MAX, 0));
        Ok(TableMeta { entries, fences, filter, min, max })
    }
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, reason)
}
