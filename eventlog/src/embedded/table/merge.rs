//! Making one table of several.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use super::{KEY_BYTES, SectionWriter, TableError, TableMeta, TableWriter};

/// Merges entries that come in key order into one table. Where several sources have a key, the entry
/// of the last of them, the newest, wins.
///
/// `len_max` is how many entries may come of it; the filter is sized for so many. Reads each source
/// once, and holds one entry of each in memory. Nothing is flushed.
///
/// # Errors
/// The first error of a source; [`TableError::Io`] if the disk refuses to write or the keys of a
/// source do not ascend. What was written until then is worth nothing.
pub(in crate::embedded) fn merge<const W: usize>(
    mut sources: Vec<impl Iterator<Item = Result<(u128, [u8; W]), TableError>>>,
    len_max: u64,
    out: &mut SectionWriter,
) -> Result<TableMeta, TableError> {
    let mut writer = TableWriter::<W>::new(len_max);
    // The greatest of them is the smallest key of the newest source that has it.
    let mut heads = BinaryHeap::with_capacity(sources.len());
    for (nth, source) in sources.iter_mut().enumerate() {
        if let Some((key, entry)) = source.next().transpose()? {
            heads.push((Reverse(key), nth, entry));
        }
    }
    let mut written = None;
    while let Some(mut head) = heads.peek_mut() {
        let (Reverse(key), nth, entry) = *head;
        let older = written.is_some_and(|(last, by)| last == key && by != nth);
        if !older {
            let value = entry.get(KEY_BYTES..).unwrap_or_default();
            writer.push(out, key, value).map_err(failed(out.position()))?;
            written = Some((key, nth));
        }
        match sources.get_mut(nth).and_then(Iterator::next).transpose()? {
            Some((key, entry)) => *head = (Reverse(key), nth, entry),
            None => drop(PeekMut::pop(head)),
        }
    }
    writer.finish(out).map_err(failed(out.position()))
}

fn failed(offset: u64) -> impl FnOnce(std::io::Error) -> TableError {
    move |source| TableError::Io { offset, source }
}
