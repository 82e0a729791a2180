//! Sealing: a full segment gets its index and its footer, and becomes immutable.

use std::io;
use std::sync::Arc;

use super::bug::{Bug, Seeded};
use super::catalog::{Sealed, SealedStrand, SegmentIndex};
use super::disk::DiskFile;
use super::error::OpenError;
use super::footer::{
    BLOCK_ENTRY_BYTES, Block, Footer, ID_BYTES, OFFSETS_BYTES, ORDER_BYTES, PLACE_BYTES,
    STREAM_BYTES,
};
use super::journal::Journal;
use super::recent::{Recent, Strand, StreamKey};
use super::segment::{BLOCK_BYTES, Header, Packing, Segment};
use super::table::{ArrayMeta, ArrayWriter, BLOCK_BYTES as PAGE_BYTES, SectionWriter, TableWriter};

/// The level of zstd: the fastest of its family that still halves JSON.
const COMPRESSION_LEVEL: i32 = 3;

/// Why a segment could not be sealed.
#[derive(Debug, thiserror::Error)]
pub(super) enum SealError {
    /// The segment could not be opened or its new index not be read.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Reading or writing failed; the segment stays as it is.
    #[error("sealing the segment at {first} failed: {source}")]
    Write { first: u64, source: io::Error },
    /// Writing succeeded, but not syncing.
    #[error("syncing the segment at {first} failed: {source}")]
    Sync { first: u64, source: io::Error },
}

impl SealError {
    /// Says that the segment stays as it is, and until when.
    pub(super) fn warn(&self) {
        tracing::warn!(
            error = %self,
            "a segment stays unsealed until the next one is full or the log is opened for appending"
        );
    }
}

/// How to seal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    pub(super) compress: bool,
    pub(super) seeded: Seeded,
}

/// Seals the segment of `recent`, whose records end at `end` and are durable.
pub(super) fn seal(
    journal: &Journal,
    recent: &Recent,
    end: u64,
    manner: Manner,
) -> Result<(Sealed, SegmentIndex), SealError> {
    let first = recent.first;
    let segment = journal.segment(first)?;
    if manner.compress {
        pack(journal, &segment, recent, end, manner)?;
    } else {
        append_index(&segment, recent, end, manner)?;
    }
    let segment = journal.reopen(first)?;
    let damaged = |reason: &str| OpenError::corrupt(&segment.path, first, reason);
    let footer = segment.footer.clone().ok_or_else(|| damaged("the new footer is not there"))?;
    let index = SegmentIndex::open(&segment, &footer);
    let index = index.map_err(|error| damaged(&error.to_string()))?;
    let sealed = Sealed::open(&segment, footer).map_err(|error| damaged(&error.to_string()))?;
    Ok((sealed, index))
}

/// Writes the index behind the records. It is durable before the footer says that it is there.
fn append_index(
    segment: &Segment,
    recent: &Recent,
    end: u64,
    manner: Manner,
) -> Result<(), SealError> {
    let first = recent.first;
    let failed = |source| SealError::Write { first, source };
    let unsynced = |source| SealError::Sync { first, source };
    let file = segment.file();
    let page = u64::try_from(PAGE_BYTES).unwrap_or(u64::MAX);
    let at = (end - first).next_multiple_of(page);
    let mut out = SectionWriter::new(Arc::clone(file), at);
    let written =
        write_index(&mut out, recent, end, ArrayMeta { offset: 0, len: 0 }, manner.seeded);
    let footer = written.and_then(|footer| out.flush().map(|()| footer)).map_err(failed)?;
    file.set_len(out.position()).map_err(failed)?;
    if !manner.seeded.has(Bug::SealBeforeIndex) {
        file.sync().map_err(unsynced)?;
    }
    file.write_at(&footer.encode(), out.position()).map_err(failed)?;
    file.sync().map_err(unsynced)
}

/// Writes the segment anew, compressed; the old file is replaced when the new one is durable.
fn pack(
    journal: &Journal,
    segment: &Segment,
    recent: &Recent,
    end: u64,
    manner: Manner,
) -> Result<(), SealError> {
    let first = recent.first;
    let failed = |source| SealError::Write { first, source };
    let unsynced = |source| SealError::Sync { first, source };
    let unnamed = journal.dir().join("sealing.new");
    let file = journal.disk().create(&unnamed).map_err(failed)?;
    write_packed(&file, segment, recent, end, manner.seeded).map_err(failed)?;
    file.sync().map_err(unsynced)?;
    journal.disk().rename(&unnamed, &segment.path).map_err(failed)?;
    journal.disk().sync_dir(journal.dir()).map_err(unsynced)
}

fn write_packed(
    file: &Arc<dyn DiskFile>,
    segment: &Segment,
    recent: &Recent,
    end: u64,
    seeded: Seeded,
) -> io::Result<()> {
    let header = Header { packing: Packing::Packed, ..segment.header };
    let mut out = SectionWriter::new(Arc::clone(file), 0);
    out.write(&header.encode())?;
    let mut blocks = Vec::new();
    let mut position = segment.start();
    while position < end {
        let len = usize::try_from(end - position).unwrap_or(usize::MAX).min(BLOCK_BYTES);
        let mut block = vec![0; len];
        segment.read_at(&mut block, position)?;
        let frame = zstd::bulk::compress(&block, COMPRESSION_LEVEL)?;
        let len_packed = u32::try_from(frame.len()).map_err(io::Error::other)?;
        let crc = crc32c::crc32c(&frame);
        blocks.push(Block { at: out.position(), len: len_packed, crc });
        out.write(&frame)?;
        position += u64::try_from(len).unwrap_or(u64::MAX);
    }
    pad(&mut out)?;
    let mut array = ArrayWriter::<BLOCK_ENTRY_BYTES>::new();
    for block in blocks {
        let fields = block.at.to_le_bytes().into_iter().chain(block.len.to_le_bytes());
        let fields = fields.chain(block.crc.to_le_bytes());
        array.push(&mut out, &collect(fields))?;
    }
    let blocks = array.finish(&mut out)?;
    let footer = write_index(&mut out, recent, end, blocks, seeded)?;
    out.write(&footer.encode())?;
    out.flush()
}

/// Sections begin at multiples of their blocks' size.
fn pad(out: &mut SectionWriter) -> io::Result<()> {
    let page = u64::try_from(PAGE_BYTES).unwrap_or(u64::MAX);
    let missing = out.position().next_multiple_of(page) - out.position();
    out.write(&vec![0; usize::try_from(missing).unwrap_or(0)])
}

/// Writes every section of the index; answers the footer that says where they are.
pub(super) fn write_index(
    out: &mut SectionWriter,
    recent: &Recent,
    end: u64,
    blocks: ArrayMeta,
    seeded: Seeded,
) -> io::Result<Footer> {
    let mut ids: Vec<(u128, u64)> = recent.ids().collect();
    ids.sort_unstable();
    let mut strands: Vec<(StreamKey, Strand)> = recent.strands().collect();
    strands.sort_unstable_by_key(|(key, _)| *key);
    if seeded.has(Bug::IndexDropsLastEntry) {
        ids.pop();
        strands.pop();
    }
    let mut table = TableWriter::<ID_BYTES>::new(count(ids.len()));
    for (id, position) in ids {
        table.push(out, id, &position.to_le_bytes())?;
    }
    let ids = table.finish(out)?;
    let mut table = TableWriter::<STREAM_BYTES>::new(count(strands.len()));
    let mut places = 0;
    for (key, strand) in &strands {
        table.push(out, *key, &SealedStrand::encode(*strand, places))?;
        places += strand.count;
    }
    let streams = table.finish(out)?;
    Ok(Footer {
        first: recent.first,
        end,
        events: count(recent.len()),
        batches: recent.batches,
        ids,
        streams,
        places: write_places(out, recent, &strands)?,
        order: write_order(out, recent)?,
        offsets: write_offsets(out, recent)?,
        blocks,
    })
}

fn write_places(
    out: &mut SectionWriter,
    recent: &Recent,
    strands: &[(StreamKey, Strand)],
) -> io::Result<ArrayMeta> {
    let mut array = ArrayWriter::<PLACE_BYTES>::new();
    let mut places = Vec::new();
    for (_, strand) in strands {
        places.clear();
        places.extend(recent.backwards(*strand));
        for place in places.iter().rev() {
            array.push(out, &place.to_le_bytes())?;
        }
    }
    array.finish(out)
}

fn write_order(out: &mut SectionWriter, recent: &Recent) -> io::Result<ArrayMeta> {
    let mut array = ArrayWriter::<ORDER_BYTES>::new();
    for entry in recent.order().entries() {
        let fields = entry.at.to_le_bytes().into_iter().chain(entry.partition.0.to_le_bytes());
        array.push(out, &collect(fields))?;
    }
    array.finish(out)
}

fn write_offsets(out: &mut SectionWriter, recent: &Recent) -> io::Result<ArrayMeta> {
    let mut array = ArrayWriter::<OFFSETS_BYTES>::new();
    for span in recent.order().spans() {
        let fields = span.first.to_le_bytes().into_iter().chain(span.next.to_le_bytes());
        array.push(out, &collect(fields))?;
    }
    array.finish(out)
}

fn collect<const N: usize>(bytes: impl Iterator<Item = u8>) -> [u8; N] {
    let mut array = [0; N];
    array.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    array
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
