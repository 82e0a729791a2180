//! Runs: the indexes of neighbouring segments, merged into one file.
//!
//! A run stands in `DIR/index/FROM-TO.run`, named by the positions that it covers. It says nothing
//! that the segments do not say; if it is missing or damaged the segments are asked instead, and
//! merged again the next time that a segment is sealed or the log is opened. All numbers are little-endian:
//!
//! | bytes | field |
//! | ---: | --- |
//! | | table of ids: event id 16, position 8 |
//! | | table of tips: stream key 16, length 8, segment of the last event 8 |
//! | 4 | format: 1 |
//! | 8 | first position covered |
//! | 8 | position behind the last one covered |
//! | 4 | CRC32C over the footers of the segments covered: another log has others |
//! | 80 | table of ids |
//! | 80 | table of tips |
//! | 4 | CRC32C of these fields |
//! | 8 | `PLAYRUNS`, the last bytes of the file |

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::catalog::{Catalog, FILTER_ENTRIES_MAX, Layer, SealedStrand};
use super::disk::{Access, Disk, DiskFile};
use super::fields::Fields;
use super::footer::{ID_BYTES, STREAM_BYTES};
use super::recent::{StreamKey, Tip};
use super::table::{SectionWriter, Table, TableError, TableMeta, merge};

const MAGIC: [u8; 8] = *b"PLAYRUNS";
const FORMAT: u32 = 1;
const TAIL_BYTES: usize = 4 + 8 + 8 + 4 + 2 * TableMeta::BYTES + 4 + 8;

/// A stream, its length and the segment of its last event.
const TIP_BYTES: usize = 32;

/// An open run.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) ids: Table<ID_BYTES>,
    pub(super) tips: Table<TIP_BYTES>,
}

impl Run {
    pub(super) fn tip(&self, key: StreamKey) -> Result<Option<Tip>, TableError> {
        let entry = self.tips.get(key)?;
        Ok(entry.and_then(|entry| {
            let mut fields = Fields::new(&entry);
            fields.take(16)?;
            Some(Tip { len: fields.u64()?, segment: fields.u64()? })
        }))
    }

    /// Opens the run over the segments of the catalog between two positions; an error if it is
    /// damaged or belongs to other segments.
    pub(super) fn open(
        disk: &dyn Disk,
        dir: &Path,
        (from, to): (u64, u64),
        catalog: &Catalog,
    ) -> io::Result<Self> {
        let file = disk.open(&dir.join(file_name(from, to)), Access::Read)?;
        let tail = Tail::read(&*file)?;
        let expected = (from, to, cover(catalog, from, to));
        if (tail.from, tail.to, tail.cover) != expected {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it covers other segments"));
        }
        let open = || {
            let filter = tail.ids.entries.len <= FILTER_ENTRIES_MAX;
            let ids = Table::open(Arc::clone(&file), tail.ids, filter)?;
            let filter = tail.tips.entries.len <= FILTER_ENTRIES_MAX;
            let tips = Table::open(file, tail.tips, filter)?;
            Ok(Self { from, to, ids, tips })
        };
        open().map_err(|error: TableError| io::Error::new(io::ErrorKind::InvalidData, error))
    }
}

/// The name of the run over some positions.
pub(super) fn file_name(from: u64, to: u64) -> String {
    format!("{from:020}-{to:020}.run")
}

/// Which positions a file of this name covers; `None` if it is no run.
pub(super) fn covered_by(name: &str) -> Option<(u64, u64)> {
    let (from, to) = name.strip_suffix(".run")?.split_once('-')?;
    let whole = from.len() == 20 && to.len() == 20;
    Some((from.parse().ok()?, to.parse().ok()?)).filter(|_| whole)
}

struct Tail {
    from: u64,
    to: u64,
    cover: u32,
    ids: TableMeta,
    tips: TableMeta,
}

impl Tail {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(TAIL_BYTES);
        out.extend(FORMAT.to_le_bytes());
        out.extend(self.from.to_le_bytes());
        out.extend(self.to.to_le_bytes());
        out.extend(self.cover.to_le_bytes());
        self.ids.encode(&mut out);
        self.tips.encode(&mut out);
        out.extend(crc32c::crc32c(&out).to_le_bytes());
        out.extend(MAGIC);
        out
    }

    fn read(file: &dyn DiskFile) -> io::Result<Self> {
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, "the end is damaged");
        let tail = u64::try_from(TAIL_BYTES).map_err(io::Error::other)?;
        let mut bytes = [0; TAIL_BYTES];
        let at = file.len()?.checked_sub(tail).ok_or_else(damaged)?;
        file.read_at(&mut bytes, at)?;
        let (rest, magic) = bytes.split_last_chunk::<8>().ok_or_else(damaged)?;
        let (body, crc) = rest.split_last_chunk::<4>().ok_or_else(damaged)?;
        if *magic != MAGIC || crc32c::crc32c(body) != u32::from_le_bytes(*crc) {
            return Err(damaged());
        }
        let mut fields = Fields::new(body);
        let mut decode = || {
            fields.u32().filter(|format| *format == FORMAT)?;
            Some(Self {
                from: fields.u64()?,
                to: fields.u64()?,
                cover: fields.u32()?,
                ids: TableMeta::decode(&mut fields)?,
                tips: TableMeta::decode(&mut fields)?,
            })
        };
        decode().ok_or_else(damaged)
    }
}

/// What tells the segments between two positions from those of any other log.
fn cover(catalog: &Catalog, from: u64, to: u64) -> u32 {
    let covered = catalog.sealed.iter().filter(|sealed| (from..to).contains(&sealed.first));
    covered.fold(0, |crc, sealed| crc32c::crc32c_append(crc, &sealed.footer.encode()))
}

/// Why layers could not be merged.
#[derive(Debug, thiserror::Error)]
pub(super) enum MergeError {
    /// A layer could not be read, or the merging was ended.
    #[error("merging indexes failed: {0}")]
    Table(#[from] TableError),
    /// The run could not be written.
    #[error("writing {path} failed: {source}")]
    Write { path: PathBuf, source: io::Error },
    /// Writing succeeded, but not syncing.
    #[error("syncing {path} failed: {source}")]
    Sync { path: PathBuf, source: io::Error },
}

/// Merges neighbouring layers of the catalog into a run. `go_on` is asked now and then.
pub(super) fn merge_layers(
    disk: &dyn Disk,
    dir: &Path,
    catalog: &Catalog,
    layers: &[Layer],
    go_on: &dyn Fn() -> bool,
) -> Result<Run, MergeError> {
    let from = layers.first().map_or(0, Layer::from);
    let to = layers.last().map_or(0, Layer::to);
    let path = dir.join(file_name(from, to));
    let unnamed = dir.join("merging.new");
    let write = |source| MergeError::Write { path: path.clone(), source };
    let file = disk.create(&unnamed).map_err(write)?;
    let mut out = SectionWriter::new(Arc::clone(&file), 0);
    let ids = merge_ids(layers, go_on, &mut out)?;
    let tips = merge_tips(layers, go_on, &mut out)?;
    let tail = Tail { from, to, cover: cover(catalog, from, to), ids, tips };
    out.write(&tail.encode()).and_then(|()| out.flush()).map_err(write)?;
    let sync = |source| MergeError::Sync { path: path.clone(), source };
    file.sync().map_err(sync)?;
    disk.rename(&unnamed, &path).map_err(write)?;
    disk.sync_dir(dir).map_err(sync)?;
    Run::open(disk, dir, (from, to), catalog).map_err(write)
}

type Entries<'a, const W: usize> =
    Box<dyn Iterator<Item = Result<(u128, [u8; W]), TableError>> + 'a>;

fn merge_ids(
    layers: &[Layer],
    go_on: &dyn Fn() -> bool,
    out: &mut SectionWriter,
) -> Result<TableMeta, TableError> {
    let mut len = 0;
    let mut inputs: Vec<Entries<'_, ID_BYTES>> = Vec::new();
    for layer in layers {
        let table = match layer {
            Layer::One(index) => index.ids(),
            Layer::Many(run) => &run.ids,
        };
        len += table.len();
        inputs.push(interruptible(table.iter(), go_on));
    }
    merge(inputs, len, out)
}

fn merge_tips(
    layers: &[Layer],
    go_on: &dyn Fn() -> bool,
    out: &mut SectionWriter,
) -> Result<TableMeta, TableError> {
    let mut len = 0;
    let mut inputs: Vec<Entries<'_, TIP_BYTES>> = Vec::new();
    for layer in layers {
        match layer {
            Layer::One(index) => {
                len += index.streams().len();
                let segment = index.first();
                let entries = index.streams().iter().map(move |entry| {
                    entry.map(|(key, strand)| (key, tip_entry(&strand, segment)))
                });
                inputs.push(interruptible(entries, go_on));
            }
            Layer::Many(run) => {
                len += run.tips.len();
                inputs.push(interruptible(run.tips.iter(), go_on));
            }
        }
    }
    merge(inputs, len, out)
}

fn tip_entry(strand: &[u8; STREAM_BYTES], segment: u64) -> [u8; TIP_BYTES] {
    let len = SealedStrand::decode(strand).map_or(0, SealedStrand::next_version);
    let key = strand.first_chunk().copied().map_or(0, u128::from_be_bytes);
    tip_bytes(key, Tip { len, segment })
}

/// The entry of a stream in the table of tips.
pub(super) fn tip_bytes(key: StreamKey, tip: Tip) -> [u8; TIP_BYTES] {
    let mut entry = [0; TIP_BYTES];
    let key = key.to_be_bytes().into_iter();
    let fields = key.chain(tip.len.to_le_bytes()).chain(tip.segment.to_le_bytes());
    entry.iter_mut().zip(fields).for_each(|(to, from)| *to = from);
    entry
}

/// Ends with an error as soon as the merging is not to go on.
fn interruptible<'a, const W: usize>(
    entries: impl Iterator<Item = Result<(u128, [u8; W]), TableError>> + 'a,
    go_on: &'a dyn Fn() -> bool,
) -> Entries<'a, W> {
    Box::new(entries.enumerate().map(move |(nth, entry)| {
        if nth % 4_096 == 0 && !go_on() {
            let source = io::Error::new(io::ErrorKind::Interrupted, "the log is closing");
            return Err(TableError::Io { offset: 0, source });
        }
        entry
    }))
}
