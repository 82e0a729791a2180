//! Checks whether the indexes of sealed segments agree with one another, and the runs with them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::sync::{Arc, mpsc};
use std::thread::{self, ScopedJoinHandle};

use super::as_written::AsWritten;
use super::survey::Survey;
use super::{Flaws, count};
use crate::embedded::catalog::{Catalog, Layer, Sealed, SealedStrand, SegmentIndex};
use crate::embedded::damage::Damage;
use crate::embedded::error::OpenError;
use crate::embedded::footer::{ID_BYTES, STREAM_BYTES};
use crate::embedded::index::Index;
use crate::embedded::journal::Journal;
use crate::embedded::recent::{Recent, StreamKey, Tip};
use crate::embedded::run::{self, Run};
use crate::embedded::table::{BLOCK_BYTES, Entries, Table, TableError, TableMeta};

/// How much memory all the tables take together that are read at the same time.
const AHEAD_BYTES: usize = 64 << 20;
/// How often progress is told, in entries.
const STEP_ENTRIES: u64 = 16_384;

/// A run, and which of the segments it covers.
#[derive(Debug)]
pub(super) struct Covering {
    run: Arc<Run>,
    segments: Range<usize>,
}

/// What one of the two merges found.
#[derive(Debug, Default)]
struct Found {
    flaws: Flaws,
    /// The runs that say other things than the segments.
    bad: Vec<usize>,
}

/// Merges the indexes of all sealed segments: every id once, every stream without gaps.
pub(super) fn check(survey: &mut Survey, step: &mut dyn FnMut(u64)) -> Result<(), OpenError> {
    if survey.sealed.is_empty() {
        return Ok(());
    }
    if !survey.indexed {
        let warning = "as an index is damaged, it was not checked whether the segments agree with \
                       one another";
        survey.warnings.push(warning.to_owned());
        return Ok(());
    }
    let catalog = catalog_of(survey);
    let runs = open_runs(survey, &catalog);
    let journal = &survey.journal;
    let (tell, told) = mpsc::channel();
    let (tell_ids, tell_streams) = (tell.clone(), tell);
    // Somebody listens until both have ended.
    let (catalog, shown) = (&catalog, &runs);
    let ids = move || check_ids(journal, catalog, shown, &|n| tell_ids.send(n).unwrap_or(()));
    let streams =
        move || check_streams(journal, catalog, shown, &|n| tell_streams.send(n).unwrap_or(()));
    let (ids, streams) = if catalog.sealed.len() == 1 {
        // To begin a thread would take longer than to read one small index.
        let found = (ids(), streams());
        drop((ids, streams));
        told.into_iter().for_each(step);
        found
    } else {
        thread::scope(|scope| {
            let (ids, streams) = (scope.spawn(ids), scope.spawn(streams));
            told.into_iter().for_each(step);
            let join = |found: ScopedJoinHandle<'_, _>| {
                found.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            (join(ids), join(streams))
        })
    };
    let mut bad = Vec::new();
    for found in [ids, streams] {
        let found = found.unwrap_or_else(|damage| {
            let mut flaws = Flaws::default();
            flaws.push(damage);
            Found { flaws, bad: Vec::new() }
        });
        survey.indexed &= found.flaws.damages.is_empty();
        survey.flaws.extend(found.flaws);
        bad.extend(found.bad);
    }
    for (nth, covering) in runs.into_iter().enumerate() {
        if bad.contains(&nth) {
            let name = run::file_name(covering.run.from, covering.run.to);
            survey.warnings.push(bad_run(&survey.journal, &name, "it is damaged"));
        } else {
            survey.runs.push(covering);
        }
    }
    Ok(())
}

fn bad_run(journal: &Journal, name: &str, reason: &str) -> String {
    let path = journal.index_dir().join(name);
    format!(
        "{}: {reason}; it is only a copy of what the segments say: delete it while no server runs, \
         and it is made anew",
        path.display()
    )
}

fn catalog_of(survey: &Survey) -> Catalog {
    let sealed = survey.sealed.iter().filter_map(|work| work.sealed.clone()).collect();
    Catalog { sealed, layers: Vec::new() }
}

/// Opens the runs over these segments, and warns of those that cannot be used.
fn open_runs(survey: &mut Survey, catalog: &Catalog) -> Vec<Covering> {
    let journal = Arc::clone(&survey.journal);
    let (disk, dir) = (journal.disk(), journal.index_dir());
    let end = catalog.sealed.last().map_or(0, |last| last.footer.end);
    let names = disk.list(&dir).unwrap_or_default();
    let mut runs = Vec::new();
    for name in names {
        // One that reaches further is newer than what is being checked.
        let Some((from, to)) = run::covered_by(&name).filter(|(_, to)| *to <= end) else {
            continue;
        };
        let first = catalog.sealed.iter().position(|sealed| sealed.first == from);
        let last = catalog.sealed.iter().position(|sealed| sealed.footer.end == to);
        let opened = Run::open(disk, &dir, (from, to), catalog);
        match (first, last, opened) {
            (Some(first), Some(last), Ok(run)) => {
                runs.push(Covering { run: Arc::new(run), segments: first..last + 1 });
            }
            // The writer removes runs that it has merged.
            (_, _, Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {}
            (_, _, Err(error)) => {
                survey.warnings.push(bad_run(&journal, &name, &error.to_string()));
            }
            (_, _, Ok(_)) => {
                survey.warnings.push(bad_run(&journal, &name, "it covers no whole segments"));
            }
        }
    }
    runs
}

fn in_index(journal: &Journal, sealed: &Sealed, error: &TableError) -> Damage {
    let reason = format!("the index of the segment: {error}");
    Damage::at(&journal.path_of(sealed.first), sealed.first, reason)
}

/// Shows every entry of the tables of all segments in the order of keys; of equal keys the one of
/// the earlier segment first.
fn merged<const W: usize>(
    journal: &Arc<Journal>,
    catalog: &Catalog,
    meta: impl Fn(&Sealed) -> TableMeta,
    read: &dyn Fn(u64),
    mut visit: impl FnMut(usize, u128, &[u8; W]),
) -> Result<(), Damage> {
    let damaged = |nth: usize, error: &TableError| match catalog.sealed.get(nth) {
        Some(sealed) => in_index(journal, sealed, error),
        None => Damage::at(journal.dir(), 0, error.to_string()),
    };
    let mut tables = Vec::new();
    for (nth, sealed) in catalog.sealed.iter().enumerate() {
        let file = AsWritten::open(journal, sealed.first);
        let table = Table::<W>::open(file, meta(sealed), false);
        tables.push(table.map_err(|error| damaged(nth, &error))?);
    }
    let ahead = (AHEAD_BYTES / BLOCK_BYTES / tables.len().max(1)).clamp(1, 64);
    let mut inputs: Vec<Entries<'_, W>> =
        tables.iter().map(|table| table.iter_ahead(count(ahead))).collect();
    let mut heap = BinaryHeap::new();
    let mut pull = |nth: usize, heap: &mut BinaryHeap<_>| {
        if let Some(entry) = inputs.get_mut(nth).and_then(Iterator::next) {
            let (key, entry) = entry.map_err(|error| damaged(nth, &error))?;
            heap.push(Reverse((key, nth, entry)));
        }
        Ok(())
    };
    for nth in 0..catalog.sealed.len() {
        pull(nth, &mut heap)?;
    }
    let mut shown = 0;
    while let Some(Reverse((key, nth, entry))) = heap.pop() {
        visit(nth, key, &entry);
        pull(nth, &mut heap)?;
        shown += 1;
        if shown % STEP_ENTRIES == 0 {
            read(STEP_ENTRIES * count(W));
        }
    }
    Ok(())
}

/// What is left to be read of each run, and whether it was right so far.
struct Beside<'a, const W: usize> {
    segments: Vec<&'a Range<usize>>,
    entries: Vec<Entries<'a, W>>,
    good: Vec<bool>,
}

impl<'a, const W: usize> Beside<'a, W> {
    fn new(runs: &'a [Covering], table: impl Fn(&'a Run) -> &'a Table<W>) -> Self {
        Self {
            segments: runs.iter().map(|covering| &covering.segments).collect(),
            entries: runs.iter().map(|covering| table(&covering.run).iter()).collect(),
            good: vec![true; runs.len()],
        }
    }

    /// For every run, its next entry must be the one that `due` says, if it says one.
    fn expect(&mut self, due: impl Fn(&Range<usize>) -> Option<(u128, [u8; W])>) {
        let runs = self.segments.iter().zip(&mut self.entries).zip(&mut self.good);
        for ((segments, entries), good) in runs {
            if let (true, Some(due)) = (*good, due(segments)) {
                *good = matches!(entries.next(), Some(Ok(found)) if found == due);
            }
        }
    }

    /// The runs that are wrong.
    fn finish(self) -> Vec<usize> {
        let runs = self.entries.into_iter().zip(self.good).enumerate();
        let bad = runs
            .filter_map(|(nth, (mut rest, good))| (!good || rest.next().is_some()).then_some(nth));
        bad.collect()
    }
}

fn check_ids(
    journal: &Arc<Journal>,
    catalog: &Catalog,
    runs: &[Covering],
    read: &dyn Fn(u64),
) -> Result<Found, Damage> {
    let mut found = Found::default();
    let mut beside = Beside::new(runs, |run| &run.ids);
    let mut before = None;
    merged::<ID_BYTES>(
        journal,
        catalog,
        |sealed| sealed.footer.ids,
        read,
        |nth, id, entry| {
            beside.expect(|segments| segments.contains(&nth).then_some((id, *entry)));
            if before == Some(id) {
                let position = entry.last_chunk().copied().map_or(0, u64::from_le_bytes);
                let path = journal.path_of(journal.around(position).0);
                let id = uuid::Uuid::from_u128(id);
                let reason = format!("the event id {id} is recorded twice, here and before");
                found.flaws.push(Damage::at(&path, position, reason));
            }
            before = Some(id);
        },
    )?;
    found.bad = beside.finish();
    Ok(found)
}

fn check_streams(
    journal: &Arc<Journal>,
    catalog: &Catalog,
    runs: &[Covering],
    read: &dyn Fn(u64),
) -> Result<Found, Damage> {
    let mut flaws = Flaws::default();
    let mut beside = Beside::new(runs, |run| &run.tips);
    let first_of = |nth: usize| catalog.sealed.get(nth).map_or(0, |sealed| sealed.first);
    let mut key = None;
    // Where the stream of the key stands after each of the segments that hold some of it.
    let mut tips: Vec<(usize, Tip)> = Vec::new();
    let mut flush = |key: Option<StreamKey>, tips: &[(usize, Tip)]| {
        let Some(key) = key else { return };
        beside.expect(|segments| {
            let within = tips.iter().rev().find(|(nth, _)| segments.contains(nth));
            within.map(|(_, tip)| (key, run::tip_bytes(key, *tip)))
        });
    };
    merged::<STREAM_BYTES>(
        journal,
        catalog,
        |sealed| sealed.footer.streams,
        read,
        |nth, own, entry| {
            if key != Some(own) {
                flush(key, &tips);
                tips.clear();
                key = Some(own);
            }
            let Some(strand) = SealedStrand::decode(entry) else { return };
            let due = tips.last().map(|(_, tip)| *tip);
            let goes_on = (strand.first_version, strand.before)
                == (due.map_or(0, |tip| tip.len), due.map(|tip| tip.segment));
            if !goes_on {
                let first = first_of(nth);
                let reason = format!(
                    "the index of the segment: version {} of a stream follows where {} is due",
                    strand.first_version,
                    due.map_or(0, |tip| tip.len)
                );
                flaws.push(Damage::at(&journal.path_of(first), first, reason));
            }
            tips.push((nth, Tip { len: strand.next_version(), segment: first_of(nth) }));
        },
    )?;
    flush(key, &tips);
    Ok(Found { flaws, bad: beside.finish() })
}

/// Enters the sealed segments into an index, as an opening does.
pub(super) fn enter(survey: &mut Survey, index: &Index) -> Result<(), Damage> {
    let mut catalog = catalog_of(survey);
    let Some(last) = catalog.sealed.last().cloned() else { return Ok(()) };
    let runs = std::mem::take(&mut survey.runs);
    let journal = &survey.journal;
    let mut nth = 0;
    while let Some(sealed) = catalog.sealed.get(nth).cloned() {
        let here = runs.iter().filter(|covering| covering.segments.start == nth);
        if let Some(widest) = here.max_by_key(|covering| covering.segments.end) {
            catalog.layers.push(Layer::Many(Arc::clone(&widest.run)));
            nth = widest.segments.end;
            continue;
        }
        let segment = journal.segment(sealed.first);
        let segment = segment.map_err(|error| {
            Damage::at(&journal.path_of(sealed.first), sealed.first, error.to_string())
        })?;
        let opened = SegmentIndex::open(&segment, &sealed.footer);
        let opened = opened.map_err(|error| in_index(journal, &sealed, &error))?;
        catalog.layers.push(Layer::One(Arc::new(opened)));
        nth += 1;
    }
    let mut live = index.live_mut();
    live.end = last.footer.end;
    live.active = Recent::begin(last.footer.end, last.spans.iter().map(|span| span.next), 0);
    live.catalog = Arc::new(catalog);
    Ok(())
}
