//! The writer: one thread that decides about every append and makes it durable.
//!
//! Appends wait in a bounded queue. The thread takes all that wait, decides about each against
//! everything before it, encodes what is to be recorded into one buffer, writes that once, syncs
//! once, publishes, and only then answers. There is no timer: while one group is being synced, the
//! next one gathers. Every answer of a group waits for its sync, the refusals and replays too,
//! because what they are decided against may be part of the group.
//!
//! Room on the disk is taken before anything is written to it, so a full disk is found out while
//! nothing has happened yet: the group is refused, and the next one may find room again. After any
//! other failed write, and after one failed sync, the writer stops for good: what the kernel still
//! holds of that group is unknown, and a second sync may report success without having written
//! anything ("fsyncgate": Rebello et al., *Can Applications Recover from fsync Failures?*, ATC
//! 2020).

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{mpsc, oneshot};

use super::bug::{Bug, Seeded};
use super::decide::{Decision, Place, Staged, Tail, decide};
use super::index::Index;
use super::journal::{Failed, NewSegment};
use super::keeper::Maintenance;
use super::options::Tuning;
use super::recent::{Recent, Tip};
use super::record::{self, MARKER_BYTES, Marker};
use super::segment::{HEADER, Segment};
use crate::append::{Append, AppendError, Appended};

/// How many appends may wait. More are refused.
pub const QUEUE_APPENDS_MAX: usize = 4_096;

/// How many bytes of appends may wait. More are refused, unless nothing waits.
pub const QUEUE_BYTES_MAX: usize = 64 << 20;

/// A group is closed when it has this many bytes: some milliseconds of writing on a common disk.
const GROUP_BYTES: usize = 8 << 20;

/// Zeros are written ahead of groups up to this size.
const SMALL_GROUP_BYTES: usize = 128 << 10;

/// What is written ahead.
static ZEROS: [u8; 1 << 20] = [0; 1 << 20];

/// What callers send to the writer.
#[derive(Debug)]
pub(super) enum Request {
    Append(Append, Answer),
    /// Take nothing more; finish what waits.
    Close,
}

type Answer = oneshot::Sender<Result<Appended, AppendError>>;

/// How many bytes wait in the queue.
#[derive(Debug, Default)]
pub(super) struct Waiting(AtomicUsize);

impl Waiting {
    /// Counts an append in; false if there is no room for it.
    pub(super) fn enter(&self, append: &Append) -> bool {
        let bytes = record::batch_bytes(append);
        let before = self.0.fetch_add(bytes, Ordering::Relaxed);
        let fits = before == 0 || before + bytes <= QUEUE_BYTES_MAX;
        if !fits {
            self.leave(append);
        }
        fits
    }

    /// Counts an append out.
    pub(super) fn leave(&self, append: &Append) {
        self.0.fetch_sub(record::batch_bytes(append), Ordering::Relaxed);
    }
}

/// The end of the journal, where the writer begins.
#[derive(Debug)]
pub(super) struct End {
    /// The active segment.
    pub(super) segment: Arc<Segment>,
    /// The position behind the last durable byte.
    pub(super) position: u64,
    /// Whether the journal ends in a closing marker.
    pub(super) closed: bool,
}

/// The state of the writer thread.
pub(super) struct Writer {
    index: Arc<Index>,
    waiting: Arc<Waiting>,
    maintenance: Maintenance,
    tuning: Tuning,
    seeded: Seeded,
    segment: Arc<Segment>,
    /// The size up to which room is taken for the active segment.
    allocated: u64,
    /// The size up to which the active segment has been written before, be it zeros.
    written: u64,
    /// The position behind the last durable byte.
    end: u64,
    /// Whether the journal ends in a closing marker.
    closed: bool,
    /// Whether the last attempt found the disk full.
    full: bool,
    /// The group: its bytes, its events, and what is to be answered once they are durable.
    buffer: Vec<u8>,
    staged: Staged,
    answers: Vec<(Answer, Result<Appended, AppendError>)>,
}

/// Why a group is not durable.
enum Failure {
    /// Nothing was written.
    Full(String),
    /// Nothing is known.
    Broken(String),
}

impl Writer {
    pub(super) fn new(
        index: Arc<Index>,
        waiting: Arc<Waiting>,
        maintenance: Maintenance,
        tuning: Tuning,
        end: End,
    ) -> io::Result<Self> {
        let staged = Staged::new(&mut index.live_mut().active);
        Ok(Self {
            index,
            waiting,
            maintenance,
            seeded: tuning.seeded(),
            tuning,
            allocated: end.segment.file().len()?,
            written: 0,
            segment: end.segment,
            end: end.position,
            closed: end.closed,
            full: false,
            buffer: Vec::new(),
            staged,
            answers: Vec::new(),
        })
    }

    /// Serves the queue until it is closed and empty.
    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Request>) {
        let mut requests = Vec::new();
        while queue.blocking_recv_many(&mut requests, QUEUE_APPENDS_MAX) > 0 {
            for request in requests.drain(..) {
                match request {
                    Request::Append(append, answer) => {
                        self.waiting.leave(&append);
                        self.take(&append, answer);
                    }
                    Request::Close => queue.close(),
                }
                if self.buffer.len() >= GROUP_BYTES {
                    self.commit();
                }
            }
            self.commit();
        }
        self.finish();
    }

    fn take(&mut self, append: &Append, answer: Answer) {
        let outcome = self.make_room(append).and_then(|()| {
            let Self { index, staged, buffer, seeded, .. } = self;
            let tail = Tail { start: self.end, bytes: buffer };
            decide(index, staged, tail, append, *seeded)
        });
        let outcome = outcome.map(|decision| match decision {
            Decision::Replay(earlier) => earlier,
            Decision::Record(place) => self.stage(append, place),
        });
        self.answers.push((answer, outcome));
    }

    /// Begins the next segment if the append does not fit into this one.
    fn make_room(&mut self, append: &Append) -> Result<(), AppendError> {
        if let Some(reason) = self.index.stopped() {
            return Err(stopped(reason));
        }
        let first = self.segment.header.first;
        let batch = count(record::batch_bytes(append) + MARKER_BYTES);
        let used = self.position() - first;
        if used == HEADER || used + batch <= self.tuning.segment_bytes {
            return Ok(());
        }
        self.commit();
        if self.end == first + HEADER || self.index.stopped().is_some() {
            return Ok(());
        }
        self.roll().map_err(|failure| self.refuse(failure))
    }

    /// Adds an append to the group.
    fn stage(&mut self, append: &Append, place: Place) -> Appended {
        let first = place.spot;
        let mut last = first;
        for (event, nth) in append.events.iter().zip(0..) {
            last = first.plus(nth);
            self.staged.add_event(event.id, self.position());
            record::encode_event(&mut self.buffer, &append.stream, last, event);
        }
        self.mark(u32::try_from(append.events.len()).unwrap_or(u32::MAX));
        self.staged.add_batch(place, append.events.len());
        Appended {
            partition: first.partition,
            first_offset: first.offset,
            last_offset: last.offset,
            first_version: first.version,
            last_version: last.version,
            replayed: false,
        }
    }

    fn mark(&mut self, events: u32) {
        let marker = Marker { events, position: self.position(), synced_through: self.end };
        record::encode_marker(&mut self.buffer, marker);
    }

    /// Where the next byte of the group will stand.
    fn position(&self) -> u64 {
        self.end + count(self.buffer.len())
    }

    /// Makes the group durable, then visible, then answers it.
    fn commit(&mut self) {
        let mut refusal = None;
        if !self.buffer.is_empty() {
            if self.seeded.has(Bug::VisibleBeforeSync) {
                self.publish_events();
            }
            match self.write() {
                Ok(()) => self.publish(),
                Err(failure) => refusal = Some(self.refuse(failure)),
            }
            self.buffer.clear();
            self.staged.clear(refusal.is_none(), self.seeded);
        }
        let refusal = self.index.stopped().map(stopped).or(refusal);
        for (answer, outcome) in self.answers.drain(..) {
            // A caller that has gone away does not want to know.
            let _gone = answer.send(refusal.clone().map_or(outcome, Err));
        }
    }

    /// What a failure means for those who wait.
    fn refuse(&mut self, failure: Failure) -> AppendError {
        match failure {
            Failure::Full(reason) => {
                if !self.full {
                    tracing::warn!(reason, "the disk is full: appends are refused until it is not");
                }
                self.full = true;
                AppendError::DiskFull { reason }
            }
            Failure::Broken(reason) => {
                self.index.stop(reason.clone());
                AppendError::Stopped { reason }
            }
        }
    }

    fn write(&mut self) -> Result<(), Failure> {
        let end = self.end;
        let at = end - self.segment.header.first;
        self.allocate(at + count(self.buffer.len()))?;
        self.write_ahead(at + count(self.buffer.len()));
        if let Err(error) = self.segment.file().write_at(&self.buffer, at) {
            let failure = format!("writing at position {end} failed: {error}");
            return Err(self.take_back(&error, at, failure));
        }
        let rolled = end == self.segment.start();
        let unsynced = self.seeded.has(Bug::AckBeforeSync)
            || rolled && self.seeded.has(Bug::AckBeforeSyncAfterRollover);
        if unsynced {
            return Ok(());
        }
        let file = self.segment.file();
        let again = |error| match self.seeded.has(Bug::GoOnAfterFailedSync) {
            true => file.sync(),
            false => Err(error),
        };
        file.sync().or_else(again).map_err(|error| {
            Failure::Broken(format!("syncing from position {end} on failed: {error}"))
        })
    }

    /// Takes room for the active segment up to a size, and some more ahead.
    fn allocate(&mut self, size: u64) -> Result<(), Failure> {
        if size <= self.allocated {
            return Ok(());
        }
        let ahead = size.next_multiple_of(self.tuning.allocate_bytes);
        let ahead = ahead.min(self.tuning.segment_bytes).max(size);
        let file = self.segment.file();
        // Where there is no room to work ahead there may be room for this group.
        let taken = file.allocate(ahead).or_else(|error| match is_full(&error) {
            true => file.allocate(size),
            false => Err(error),
        });
        match taken {
            Ok(()) => {
                self.allocated = file.len().map_or(size, |len| len.max(size));
                Ok(())
            }
            Err(error) if is_full(&error) => Err(Failure::Full(error.to_string())),
            Err(error) => {
                Err(Failure::Broken(format!("taking room for {size} bytes failed: {error}")))
            }
        }
    }

    /// Writes zeros ahead of a small group. To sync bytes that replace others costs half of what it
    /// costs to sync the first bytes of a block, because the file system notes nothing new; for
    /// large groups that is little beside the zeros.
    fn write_ahead(&mut self, size: u64) {
        if size <= self.written || self.buffer.len() > SMALL_GROUP_BYTES {
            self.written = self.written.max(size);
            return;
        }
        let zeros = self.allocated.saturating_sub(size).min(count(ZEROS.len()));
        let zeros = usize::try_from(zeros).ok().and_then(|zeros| ZEROS.get(..zeros));
        // Without them it only takes longer.
        let _as_before = zeros.map(|zeros| self.segment.file().write_at(zeros, size));
        self.written = size + zeros.map_or(0, |zeros| count(zeros.len()));
    }

    /// What was written of a group that will be refused must not come back after a crash.
    fn take_back(&mut self, error: &io::Error, at: u64, failure: String) -> Failure {
        if !is_full(error) {
            return Failure::Broken(failure);
        }
        if self.seeded.has(Bug::RefusedBatchReappears) {
            return Failure::Full(failure);
        }
        self.allocated = at;
        self.written = self.written.min(at);
        let file = self.segment.file();
        match file.set_len(at).and_then(|()| file.sync()) {
            Ok(()) => Failure::Full(failure),
            Err(error) => Failure::Broken(format!("{failure}; taking it back failed: {error}")),
        }
    }

    fn publish(&mut self) {
        if self.full {
            tracing::info!("there is room on the disk again: appends go on");
            self.full = false;
        }
        if !self.seeded.has(Bug::VisibleBeforeSync) {
            self.publish_events();
        }
        self.end = self.position();
        self.closed = false;
        let segment = self.segment.header.first;
        for (key, len) in self.staged.lengths() {
            self.index.remember(key, Tip { len, segment });
        }
    }

    fn publish_events(&self) {
        let mut live = self.index.live_mut();
        self.staged.publish_to(&mut live.active);
        live.end = self.position();
        drop(live);
        self.index.announce();
    }

    /// Begins the next segment where this one ends. Nothing is staged.
    fn roll(&mut self) -> Result<(), Failure> {
        let kind = if self.seeded.has(Bug::NoDirectorySync) {
            NewSegment::NameUnsynced
        } else if self.seeded.has(Bug::NameBeforeHeader) {
            NewSegment::NamedUnsynced
        } else {
            NewSegment::Sound
        };
        let end = self.end;
        let journal = self.index.journal();
        self.segment = journal.begin_segment(end, kind).map_err(|failed| match failed {
            Failed::Unnamed(error) if is_full(&error) => Failure::Full(error.to_string()),
            Failed::Unnamed(error) | Failed::Named(error) => {
                Failure::Broken(format!("beginning the segment at {end} failed: {error}"))
            }
        })?;
        self.allocated = HEADER;
        self.written = 0;
        self.end = end + HEADER;
        let ids = self.staged.roll(end);
        {
            let mut live = self.index.live_mut();
            let next = Recent::after(&live.active, end);
            let full = std::mem::replace(&mut live.active, next);
            live.full.push((Arc::new(full.with_ids(ids)), end));
            live.end = self.end;
        }
        self.maintenance.segment_is_full();
        Ok(())
    }

    /// Leaves a marker that vouches for the last group (see [`super::recovery`]), and gives back
    /// the room that was not needed.
    fn finish(mut self) {
        if self.index.stopped().is_none() && !self.closed {
            self.mark(0);
            self.commit();
        }
        if self.index.stopped().is_none() {
            let size = self.end - self.segment.header.first;
            let file = self.segment.file();
            let trimmed = match file.len() {
                Ok(len) if len > size => file.set_len(size).and_then(|()| file.sync()),
                _ => Ok(()),
            };
            if let Err(error) = trimmed {
                tracing::warn!(%error, "the active segment keeps room that it does not need");
            }
        }
        self.maintenance.end();
    }
}

fn stopped(reason: &str) -> AppendError {
    AppendError::Stopped { reason: reason.to_owned() }
}

/// Whether more room would help.
fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
    )
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
