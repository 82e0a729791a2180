//! Where everything is: what the writer, the readers and the keeper share.
//!
//! The journal is a row of segments: the *sealed* ones, whose index is on disk; then those that are
//! full and wait to be sealed; then the *active* one. The index of the latter two is in memory.
//! Everything here is durable: the writer enters a group only when it is, in one step.

use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use quick_cache::sync::Cache;
use tokio::sync::watch;
use uuid::Uuid;

use super::bug::{Bug, Seeded};
use super::catalog::{Catalog, Layer, Sealed, SealedStrand, SegmentIndex};
use super::error::OpenError;
use super::footer::{PLACE_BYTES, STREAM_BYTES};
use super::journal::Journal;
use super::options::Tuning;
use super::order::Order;
use super::recent::{Recent, StreamKey, Tip, key_of};
use super::run::Run;
use super::table::{Array, Table, TableError};
use crate::cursor::Cursor;
use crate::log::ReadError;
use crate::stream::{Partition, PartitionCount, StreamName};

/// How many sealed segments have their order of events in memory: about 12 bytes an event.
const ORDERS_MAX: usize = 8;
/// How many merged segments have their table of streams ready for look-ups.
const STREAMS_MAX: usize = 256;

/// The index of a log.
#[derive(Debug)]
pub(super) struct Index {
    journal: Arc<Journal>,
    live: RwLock<Live>,
    /// How long streams are that are not in memory otherwise. Filled by the writer alone, who
    /// alone changes lengths: so it is never outdated.
    tips: Cache<StreamKey, Tip>,
    orders: Cache<u64, Arc<Order>>,
    streams: Cache<u64, Arc<Streams>>,
    seeded: Seeded,
    /// Tells followers that something was published.
    published: watch::Sender<()>,
    /// The first failure, after which nothing more is written.
    stopped: OnceLock<String>,
}

/// What changes while the log is open.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) catalog: Arc<Catalog>,
    /// Full segments with their ends, oldest first.
    pub(super) full: Vec<(Arc<Recent>, u64)>,
    pub(super) active: Recent,
    /// The position behind the last durable batch.
    pub(super) end: u64,
}

/// The streams of a sealed segment, and the places of their events.
#[derive(Debug)]
struct Streams {
    strands: Table<STREAM_BYTES>,
    places: Array<PLACE_BYTES>,
}

/// A part of a stream: what one segment holds.
struct Part {
    first_version: u64,
    before: Option<u64>,
    places: Places,
}

/// Where the events of a part begin.
enum Places {
    /// Positions, in order.
    Known(Vec<u64>),
    /// In the index of the segment that begins at this position.
    Stored { first: u64, streams: Arc<Streams>, strand: SealedStrand },
}

impl Index {
    pub(super) fn new(journal: Arc<Journal>, tuning: &Tuning) -> Self {
        let active = Recent::of_first(journal.partitions());
        let live = Live { catalog: Arc::default(), full: Vec::new(), active, end: 0 };
        Self {
            journal,
            live: RwLock::new(live),
            tips: Cache::new(tuning.tips_max),
            orders: Cache::new(ORDERS_MAX),
            streams: Cache::new(STREAMS_MAX),
            seeded: tuning.seeded(),
            published: watch::Sender::new(()),
            stopped: OnceLock::new(),
        }
    }

    /// A panic of the writer may leave the lock poisoned; what is published is whole all the same.
    pub(super) fn live(&self) -> RwLockReadGuard<'_, Live> {
        self.live.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn live_mut(&self) -> RwLockWriteGuard<'_, Live> {
        self.live.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn journal(&self) -> &Arc<Journal> {
        &self.journal
    }

    pub(super) fn stopped(&self) -> Option<&str> {
        self.stopped.get().map(String::as_str)
    }

    /// Lets no more be written, for good. Only the first reason is kept.
    pub(super) fn stop(&self, reason: String) {
        tracing::error!(reason, "the event log stops taking appends");
        self.stopped.get_or_init(|| reason);
    }

    pub(super) fn follow(&self) -> watch::Receiver<()> {
        self.published.subscribe()
    }

    /// Tells followers that there is something new.
    pub(super) fn announce(&self) {
        self.published.send_replace(());
    }

    /// Remembers how long a stream is now.
    pub(super) fn remember(&self, key: StreamKey, tip: Tip) {
        self.tips.insert(key, tip);
    }

    /// How long a stream is, and where its last event is; `None` if there is no such stream.
    pub(super) fn tip(&self, key: StreamKey) -> Result<Option<Tip>, ReadError> {
        let mut catalog = {
            let live = self.live();
            let recent = live.in_memory().find_map(|recent| recent.tip(key));
            if recent.is_some() {
                return Ok(recent);
            }
            Arc::clone(&live.catalog)
        };
        if let Some(tip) = self.tips.get(&key) {
            return Ok(Some(tip));
        }
        if self.seeded.has(Bug::StaleTipAfterEviction) {
            return catalog.oldest_tip(key).map_err(unreadable);
        }
        self.ask(&mut catalog, |layer| layer.tip(key))
    }

    /// Whether a version is known, without a look at the disk, to be the end of a stream.
    pub(super) fn is_known_end(&self, stream: &StreamName, version: u64) -> bool {
        let key = key_of(stream.as_str());
        let recent = self.live().in_memory().find_map(|recent| recent.tip(key));
        recent.or_else(|| self.tips.get(&key)).is_some_and(|tip| tip.len == version)
    }

    /// What the latest layer says that knows something. A run that cannot be read is not believed:
    /// the segments that it covers are asked instead, from then on.
    fn ask<T>(
        &self,
        catalog: &mut Arc<Catalog>,
        ask: impl Fn(&Layer) -> Result<Option<T>, TableError>,
    ) -> Result<Option<T>, ReadError> {
        let mut left = catalog.layers.len();
        while let Some(before) = left.checked_sub(1) {
            let Some(layer) = catalog.layers.get(before) else { break };
            match (ask(layer), layer) {
                (Ok(None), _) => left = before,
                (Ok(found), _) => return Ok(found),
                (Err(error), Layer::Many(run)) => {
                    let instead = self.segments_of(catalog, run)?;
                    self.dismiss(run, &instead, &error);
                    let mut split = Catalog::clone(catalog);
                    left = before + instead.len();
                    split.layers.splice(before..=before, instead);
                    *catalog = Arc::new(split);
                }
                (Err(error), Layer::One(_)) => return Err(unreadable(error)),
            }
        }
        Ok(None)
    }

    /// The indexes of the segments that a run covers.
    fn segments_of(&self, catalog: &Catalog, run: &Run) -> Result<Vec<Layer>, ReadError> {
        let covered = |sealed: &&Arc<Sealed>| (run.from..run.to).contains(&sealed.first);
        let open = |sealed: &Arc<Sealed>| {
            let segment = self.journal.segment(sealed.first).map_err(unopened(sealed.first))?;
            let index = SegmentIndex::open(&segment, &sealed.footer).map_err(unreadable)?;
            Ok(Layer::One(Arc::new(index)))
        };
        catalog.sealed.iter().filter(covered).map(open).collect()
    }

    /// Puts other layers into the place of a run, unless that has been done. The keeper merges them
    /// again, into a file of the same name, when it merges next.
    fn dismiss(&self, run: &Arc<Run>, instead: &[Layer], error: &TableError) {
        let mut live = self.live_mut();
        let here = |layer: &Layer| matches!(layer, Layer::Many(here) if Arc::ptr_eq(here, run));
        let Some(place) = live.catalog.layers.iter().position(here) else { return };
        let mut catalog = Catalog::clone(&live.catalog);
        catalog.layers.splice(place..=place, instead.iter().cloned());
        live.catalog = Arc::new(catalog);
        drop(live);
        let (from, to) = (run.from, run.to);
        tracing::warn!(from, to, %error, "a merged index is damaged: its segments are asked instead");
    }

    /// Asks the segments instead of those of the layers that are runs.
    pub(super) fn dismiss_runs(&self, layers: &[Layer], error: &TableError) {
        let catalog = Arc::clone(&self.live().catalog);
        for layer in layers {
            if let Layer::Many(run) = layer
                && let Ok(instead) = self.segments_of(&catalog, run)
            {
                self.dismiss(run, &instead, error);
            }
        }
    }

    /// The position of the event with an id.
    pub(super) fn id(&self, id: Uuid) -> Result<Option<u64>, ReadError> {
        Ok(self.first_known([id], |_| None)?.map(|(_, position)| position))
    }

    /// The first of these ids that an event has, staged or not, and the position of that event.
    pub(super) fn first_known(
        &self,
        ids: impl IntoIterator<Item = Uuid>,
        staged: impl Fn(Uuid) -> Option<u64>,
    ) -> Result<Option<(Uuid, u64)>, ReadError> {
        let (full, mut catalog) = {
            let live = self.live();
            (live.full.clone(), Arc::clone(&live.catalog))
        };
        for id in ids {
            let mut full = full.iter().rev();
            let mut known = staged(id).or_else(|| full.find_map(|(full, _)| full.id(id)));
            if known.is_none() && !self.seeded.has(Bug::DuplicateOnRetry) {
                known = self.ask(&mut catalog, |layer| layer.id(id.as_u128()))?;
            }
            if let Some(position) = known {
                return Ok(Some((id, position)));
            }
        }
        Ok(None)
    }

    /// The positions of a stream's events from a version on, and the end of the log; at most
    /// `limit`.
    pub(super) fn of_stream(
        &self,
        stream: &StreamName,
        from: u64,
        limit: usize,
    ) -> Result<(Vec<u64>, u64), ReadError> {
        let key = key_of(stream.as_str());
        let tip = self.tip(key)?;
        let len = tip.map_or(0, |tip| tip.len);
        if from > len {
            return Err(ReadError::BeyondEnd { stream: stream.clone(), from, len });
        }
        let mut segment = tip.filter(|_| len > from).map(|tip| tip.segment);
        let mut parts = Vec::new();
        while let Some(first) = segment {
            let Some(part) = self.part(key, first, from)? else {
                return Err(corrupt(first, "the index misses a stream that it should have"));
            };
            segment = part.before.filter(|_| part.first_version > from);
            parts.push(part);
        }
        let mut positions = Vec::new();
        for part in parts.iter().rev() {
            let left = limit - positions.len();
            let skipped = from.saturating_sub(part.first_version);
            positions.extend(part.places.range(skipped, left)?);
            if positions.len() >= limit {
                break;
            }
        }
        // Read last: it only grows, and lies behind everything found.
        let end = self.live().end;
        Ok((positions, end))
    }

    /// What the segment that begins at `first` holds of a stream; versions before `from` may be
    /// left out.
    fn part(&self, key: StreamKey, first: u64, from: u64) -> Result<Option<Part>, ReadError> {
        {
            let live = self.live();
            if let Some(recent) = live.in_memory().find(|recent| recent.first == first) {
                return Ok(recent.part(key, from));
            }
        }
        let streams = self.streams(first)?;
        let entry = streams.strands.get(key).map_err(unreadable)?;
        Ok(entry.as_ref().and_then(SealedStrand::decode).map(|strand| Part {
            first_version: strand.first_version,
            before: strand.before,
            places: Places::Stored { first, streams, strand },
        }))
    }

    fn streams(&self, first: u64) -> Result<Arc<Streams>, ReadError> {
        self.streams.get_or_insert_with(&first, || {
            let segment = self.journal.segment(first).map_err(unopened(first))?;
            let Some(footer) = &segment.footer else {
                return Err(corrupt(first, "a sealed segment has lost its footer"));
            };
            let table = Table::open(Arc::clone(segment.file()), footer.streams, false);
            let places = Array::open(Arc::clone(segment.file()), footer.places);
            Ok(Arc::new(Streams { strands: table.map_err(unreadable)?, places }))
        })
    }

    /// The cursor behind the last event of every partition.
    pub(super) fn head(&self) -> Cursor {
        self.live().head(self.journal.partitions())
    }

    /// Whether there is any event behind the cursor.
    pub(super) fn is_behind(&self, cursor: &Cursor) -> bool {
        let live = self.live();
        cursor.iter().any(|(partition, next)| live.next_offset(partition) > next)
    }

    /// The positions of the events behind a cursor, over all its partitions, in order, and the end
    /// of the log; at most `limit`.
    pub(super) fn behind(
        &self,
        cursor: &Cursor,
        limit: usize,
    ) -> Result<(Vec<u64>, u64), ReadError> {
        let (mut wanted, catalog, full, end) = {
            let live = self.live();
            let wanted = live.wanted(cursor, self.journal.partitions())?;
            let active = &live.active;
            if is_within(&wanted, active.order()) {
                let places = active.order().behind(&wanted, limit);
                let position = |at| active.first + u64::from(at);
                return Ok((places.into_iter().map(position).collect(), live.end));
            }
            (wanted, Arc::clone(&live.catalog), live.full.clone(), live.end)
        };
        let mut positions = Vec::new();
        for sealed in catalog.sealed.iter().skip(first_wanted(&catalog, &wanted)) {
            if positions.len() >= limit {
                return Ok((positions, end));
            }
            let order = self.order(sealed)?;
            take(&order, sealed.first, &mut wanted, limit, &mut positions);
        }
        for (recent, _) in &full {
            take(recent.order(), recent.first, &mut wanted, limit, &mut positions);
        }
        // Something was found, so what is active can wait for the next read if it has changed.
        let sealed_end = catalog.sealed.last().map_or(0, |sealed| sealed.footer.end);
        let follows = full.last().map_or(sealed_end, |(_, end)| *end);
        let live = self.live();
        if positions.len() < limit && live.active.first == follows {
            take(live.active.order(), follows, &mut wanted, limit, &mut positions);
            return Ok((positions, live.end));
        }
        Ok((positions, end))
    }

    fn order(&self, sealed: &Sealed) -> Result<Arc<Order>, ReadError> {
        self.orders.get_or_insert_with(&sealed.first, || {
            let segment = self.journal.segment(sealed.first).map_err(unopened(sealed.first))?;
            let order = sealed.footer.read_order(segment.file(), &sealed.spans);
            order.map(Arc::new).map_err(unreadable)
        })
    }

    /// Enters a segment that is sealed now; its index is the latest layer.
    pub(super) fn enter_sealed(&self, sealed: Sealed, index: SegmentIndex) {
        let mut live = self.live_mut();
        live.full.retain(|(full, _)| full.first != sealed.first);
        let mut catalog = Catalog::clone(&live.catalog);
        catalog.layers.push(Layer::One(Arc::new(index)));
        catalog.sealed.push(Arc::new(sealed));
        live.catalog = Arc::new(catalog);
    }

    /// Puts one layer into the place of all those that it covers.
    pub(super) fn enter_layer(&self, layer: Layer) {
        let mut live = self.live_mut();
        let mut catalog = Catalog::clone(&live.catalog);
        let covered = layer.from()..layer.to();
        let place = catalog.layers.iter().position(|other| covered.contains(&other.from()));
        catalog.layers.retain(|other| !covered.contains(&other.from()));
        let place = place.unwrap_or(catalog.layers.len()).min(catalog.layers.len());
        catalog.layers.insert(place, layer);
        live.catalog = Arc::new(catalog);
    }
}

impl Live {
    /// The indexes in memory, latest first.
    fn in_memory(&self) -> impl Iterator<Item = &Recent> {
        let full = self.full.iter().rev().map(|(full, _)| &**full);
        std::iter::once(&self.active).chain(full)
    }

    /// The offset that the next event of a partition gets.
    pub(super) fn next_offset(&self, partition: Partition) -> u64 {
        self.active.order().span(partition).next
    }

    fn head(&self, count: PartitionCount) -> Cursor {
        count.all().map(|partition| (partition, self.next_offset(partition))).collect()
    }

    /// For each partition the first offset behind the cursor, if there is one.
    fn wanted(
        &self,
        cursor: &Cursor,
        count: PartitionCount,
    ) -> Result<Vec<Option<u64>>, ReadError> {
        let mut wanted = vec![None; usize::from(count.get())];
        for (partition, offset) in cursor.iter() {
            let head = self.next_offset(partition);
            if offset > head {
                return Err(ReadError::BeyondHead { partition, offset, head });
            }
            if let Some(wanted) = wanted.get_mut(usize::from(partition.0)) {
                *wanted = (offset < head).then_some(offset);
            }
        }
        Ok(wanted)
    }
}

impl Recent {
    fn part(&self, key: StreamKey, from: u64) -> Option<Part> {
        let strand = self.strand(key)?;
        let first_version = strand.first_version.max(from.min(strand.next_version()));
        let count = usize::try_from(strand.next_version() - first_version).unwrap_or(usize::MAX);
        let backwards = self.backwards(strand).take(count);
        let mut positions: Vec<u64> = backwards.map(|at| self.first + u64::from(at)).collect();
        positions.reverse();
        let before = strand.before.filter(|_| strand.first_version > from);
        Some(Part { first_version, before, places: Places::Known(positions) })
    }
}

impl Places {
    /// The positions behind the first `skipped`, at most `limit`.
    fn range(&self, skipped: u64, limit: usize) -> Result<Vec<u64>, ReadError> {
        match self {
            Self::Known(positions) => {
                let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
                Ok(positions.iter().skip(skipped).take(limit).copied().collect())
            }
            Self::Stored { first, streams, strand } => {
                let start = u64::from(strand.places);
                let end = start + u64::from(strand.count);
                let start = start.saturating_add(skipped).min(end);
                let limit = u64::try_from(limit).unwrap_or(u64::MAX);
                let range = start..end.min(start.saturating_add(limit));
                let places = streams.places.range(range).map_err(unreadable)?;
                Ok(places.into_iter().map(|at| first + u64::from(u32::from_le_bytes(at))).collect())
            }
        }
    }
}

/// Whether no wanted offset lies before this segment.
fn is_within(wanted: &[Option<u64>], order: &Order) -> bool {
    let spans = order.spans();
    wanted.iter().zip(spans).all(|(wanted, span)| wanted.is_none_or(|wanted| wanted >= span.first))
}

/// The number of the first sealed segment that holds a wanted offset.
fn first_wanted(catalog: &Catalog, wanted: &[Option<u64>]) -> usize {
    let segments = wanted.iter().enumerate().filter_map(|(partition, wanted)| {
        let wanted = (*wanted)?;
        let before = |sealed: &Arc<Sealed>| {
            sealed.spans.get(partition).is_none_or(|span| span.next <= wanted)
        };
        Some(catalog.sealed.partition_point(before))
    });
    segments.min().unwrap_or(catalog.sealed.len())
}

/// Takes the wanted events of one segment, and wants those behind it from then on.
fn take(
    order: &Order,
    first: u64,
    wanted: &mut [Option<u64>],
    limit: usize,
    positions: &mut Vec<u64>,
) {
    let places = order.behind(wanted, limit - positions.len());
    positions.extend(places.into_iter().map(|at| first + u64::from(at)));
    for (wanted, span) in wanted.iter_mut().zip(order.spans()) {
        *wanted = wanted.map(|offset| offset.max(span.next));
    }
}

fn corrupt(position: u64, reason: &str) -> ReadError {
    ReadError::Corrupt { position, reason: reason.to_owned() }
}

fn unreadable(error: TableError) -> ReadError {
    match error {
        TableError::Io { offset, source } => {
            ReadError::Io { position: offset, reason: format!("the index: {source}") }
        }
        TableError::Corrupt { offset, reason } => ReadError::Corrupt {
            position: offset,
            reason: format!("the index, at byte {offset} of its file: {reason}"),
        },
    }
}

fn unopened(position: u64) -> impl Fn(OpenError) -> ReadError {
    move |error| ReadError::Io { position, reason: error.to_string() }
}
