//! Checks a whole log: every byte of every record, and that each index says what the records say.

use std::path::Path;
use std::sync::Arc;

use super::catalog::{Sealed, SealedStrand, SegmentIndex};
use super::disk::{Access, Disk, RealDisk};
use super::error::OpenError;
use super::footer::{Footer, PLACE_BYTES};
use super::index::Index;
use super::journal::Journal;
use super::options::Tuning;
use super::recent::Recent;
use super::recovery::{check_follows, damaged_index, open_index};
use super::scan;
use super::segment::Segment;
use super::table::{Array, TableError};

/// What a full check of a log found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifyReport {
    /// The number of segments.
    pub segments: u64,
    /// The number of events.
    pub events: u64,
    /// The number of appends that they came in.
    pub batches: u64,
    /// The position behind the last whole append, in bytes.
    pub bytes: u64,
    /// How many bytes follow it: left of appends that were never answered, or just being written.
    pub torn_tail_bytes: u64,
}

/// Reads and checks the whole log in `dir` and changes nothing.
///
/// `progress` is called now and then with the bytes done and the bytes in total. Blocks as
/// [`super::EmbeddedLog::open`] does.
///
/// # Errors
/// See [`OpenError`]; damage is [`OpenError::Corrupt`].
pub fn verify(dir: &Path, progress: impl FnMut(u64, u64)) -> Result<VerifyReport, OpenError> {
    verify_on(Arc::new(RealDisk), dir, progress)
}

/// As [`verify`], on any disk.
///
/// # Errors
/// See [`OpenError`].
pub fn verify_on(
    disk: Arc<dyn Disk>,
    dir: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<VerifyReport, OpenError> {
    let journal = Journal::find(disk, dir, Access::Read)?;
    let journal = Arc::new(journal.ok_or_else(|| OpenError::NotFound { dir: dir.to_owned() })?);
    let tuning = Tuning::default();
    let index = Index::new(Arc::clone(&journal), &tuning);
    let firsts = journal.firsts();
    let last = journal.segment(firsts.last().copied().unwrap_or(0))?;
    let total = last.end().map_err(OpenError::io("measure", &last.path))?;
    let mut report =
        VerifyReport { segments: 0, events: 0, batches: 0, bytes: 0, torn_tail_bytes: 0 };
    for (number, first) in firsts.iter().enumerate() {
        let next = firsts.get(number + 1).copied();
        let segment = journal.segment(*first)?;
        check_follows(&segment, index.live().active.first)?;
        let mut at = |position: u64| progress(position.min(total), total);
        let found = scan::scan(&index, &segment, next, tuning.seeded(), &mut at)?;
        report.segments += 1;
        report.events += u64::try_from(found.recent.len()).unwrap_or(u64::MAX);
        report.batches += found.recent.batches;
        report.bytes = found.end;
        report.torn_tail_bytes = found.torn.as_ref().map_or(0, |torn| torn.bytes);
        let due = segment.footer.as_ref().map_or(next, |footer| Some(footer.end));
        if due.is_some_and(|due| due != found.end) {
            let reason = "the records end before the segment does";
            return Err(OpenError::corrupt(&segment.path, found.end, reason));
        }
        enter(&index, &segment, found.recent, found.end)?;
    }
    progress(total, total);
    Ok(report)
}

/// Compares the index of a sealed segment with its records, and goes on behind the segment.
fn enter(index: &Index, segment: &Segment, recent: Recent, end: u64) -> Result<(), OpenError> {
    let next = Recent::after(&recent, end);
    let Some(footer) = segment.footer.clone() else {
        let mut live = index.live_mut();
        live.active = next;
        live.end = end;
        live.full.push((Arc::new(recent), end));
        return Ok(());
    };
    let unreadable = |error: TableError| damaged_index(segment, &error.to_string());
    let sealed = Sealed::open(segment, footer).map_err(unreadable)?;
    let tables = open_index(segment, &sealed)?;
    if let Some(difference) = difference(segment, &sealed, &tables, &recent).map_err(unreadable)? {
        return Err(damaged_index(segment, difference));
    }
    {
        let mut live = index.live_mut();
        live.active = next;
        live.end = end;
    }
    index.enter_sealed(sealed, tables);
    Ok(())
}

/// Where the index of a sealed segment is not what the records say.
fn difference(
    segment: &Segment,
    sealed: &Sealed,
    tables: &SegmentIndex,
    recent: &Recent,
) -> Result<Option<&'static str>, TableError> {
    let footer: &Footer = &sealed.footer;
    let events = u64::try_from(recent.len()).unwrap_or(u64::MAX);
    if (footer.events, footer.batches) != (events, recent.batches) {
        return Ok(Some("it counts other events"));
    }
    let order = footer.read_order(segment.file(), &sealed.spans)?;
    if !order.spans().eq(recent.order().spans()) || order.entries() != recent.order().entries() {
        return Ok(Some("the order of events is another one"));
    }
    let mut ids: Vec<(u128, u64)> = recent.ids().collect();
    ids.sort_unstable();
    let mut due = ids.into_iter();
    for entry in tables.ids().iter() {
        let (id, entry) = entry?;
        let position = entry.last_chunk().copied().map(u64::from_le_bytes);
        if due.next() != position.map(|position| (id, position)) {
            return Ok(Some("the event ids are others"));
        }
    }
    if due.next().is_some() {
        return Ok(Some("an event id is missing"));
    }
    let places = Array::<PLACE_BYTES>::open(Arc::clone(segment.file()), footer.places);
    let mut strands: Vec<_> = recent.strands().collect();
    strands.sort_unstable_by_key(|(key, _)| *key);
    let mut due = strands.into_iter();
    for entry in tables.streams().iter() {
        let (key, entry) = entry?;
        let (Some((due_key, strand)), Some(found)) = (due.next(), SealedStrand::decode(&entry))
        else {
            return Ok(Some("it has a stream too many"));
        };
        let same = (found.first_version, found.before, found.count)
            == (strand.first_version, strand.before, strand.count);
        let start = u64::from(found.places);
        let mut found_places = places.range(start..start + u64::from(found.count))?;
        found_places.reverse();
        let due_places = recent.backwards(strand).map(u32::to_le_bytes);
        if key != due_key || !same || !due_places.eq(found_places) {
            return Ok(Some("a stream is another one"));
        }
    }
    Ok(due.next().map(|_| "a stream is missing"))
}
