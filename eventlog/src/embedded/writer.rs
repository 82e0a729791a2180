//! The writer: one thread that decides about every append.
//!
//! Appends wait in a queue with limits. The thread takes all that wait, decides about each against
//! everything before it, and adds what is to be recorded to a group. A group is written once, synced
//! once, published, and only then answered. Every answer of a group waits for its sync, the refusals
//! and replays too, because what they are decided against may be part of the group.
//!
//! There is no timer: while one group is on its way to the disk, the next one gathers. This thread
//! writes every group. A small one it also syncs, because handing it over costs more than it saves. A
//! large one is synced, published and answered by a second thread ([`super::flight`]), while this one
//! decides about the next group *against* it, which is as good as recorded: if it is refused, the
//! next group is refused with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{io, mem};

use tokio::sync::{mpsc, oneshot};

use super::bug::{Bug, Seeded};
use super::decide::{Decision, Place, Staged, decide};
use super::flight::{Flight, Flights, Landed, Lost};
use super::group::Group;
use super::index::Index;
use super::keeper::Maintenance;
use super::options::Tuning;
use super::record::{self, MARKER_BYTES};
use super::segment::{HEADER, Segment};
use super::tape::{self, Tape};
use crate::append::{Append, AppendError, Appended};

/// How many appends may wait. More are refused.
pub const QUEUE_APPENDS_MAX: usize = 4_096;

/// How many bytes of appends may wait. More are refused, unless nothing waits.
pub const QUEUE_BYTES_MAX: usize = 64 << 20;

/// A group is closed when it has this many bytes: some milliseconds of writing on a common disk.
const GROUP_BYTES: usize = 8 << 20;

/// A group of this size goes when it can, although more appends wait: by the time they are decided on
/// it is written. If it took all that waits, there would be nothing to do while it is written.
const LARGE_BYTES: usize = 512 << 10;

/// What callers and the second thread send to the writer.
#[derive(Debug)]
pub(super) enum Request {
    Append(Append, Answer),
    /// A flight has ended.
    Landed,
    /// Take nothing more; finish what waits.
    Close,
}

type Answer = oneshot::Sender<Result<Appended, AppendError>>;

/// Who is to be answered, and with what if the group gets durable.
pub(super) type Answers = Vec<Asked>;

/// An append that was decided on.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) answer: Answer,
    pub(super) outcome: Result<Appended, AppendError>,
    /// To be thrown away once it is answered: for thousands of events that takes a while.
    pub(super) append: Append,
}

/// How much waits in the queue.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    appends: AtomicUsize,
    bytes: AtomicUsize,
}

impl Waiting {
    /// Counts an append in.
    ///
    /// # Errors
    /// There is no room for it.
    pub(super) fn enter(&self, append: &Append) -> Result<(), AppendError> {
        let bytes = record::batch_bytes(append);
        let waiting = self.appends.fetch_add(1, Ordering::Relaxed);
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let fits = before == 0 || before + bytes <= QUEUE_BYTES_MAX;
        if waiting < QUEUE_APPENDS_MAX && fits {
            return Ok(());
        }
        self.leave(append);
        // Others that are being refused at this moment are counted in, too, but do not wait.
        Err(AppendError::Overloaded { waiting: waiting.min(QUEUE_APPENDS_MAX) })
    }

    /// Counts an append out.
    pub(super) fn leave(&self, append: &Append) {
        self.appends.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(record::batch_bytes(append), Ordering::Relaxed);
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
    staged: Staged,
    /// Who waits for the group that takes appends.
    answers: Answers,
    /// `None` while the second thread syncs a group.
    tape: Option<Box<Tape>>,
    flights: Flights,
    /// The memory of an earlier group.
    spare: Group,
    spare_answers: Answers,
}

impl Writer {
    pub(super) fn new(
        index: Arc<Index>,
        waiting: Arc<Waiting>,
        maintenance: Maintenance,
        tuning: Tuning,
        (end, flights): (End, Flights),
    ) -> io::Result<Self> {
        let staged = Staged::new(&mut index.live_mut().active, end.position);
        let tape = Some(Box::new(Tape::new(Arc::clone(&index), tuning, end)?));
        Ok(Self {
            index,
            waiting,
            maintenance,
            seeded: tuning.seeded(),
            tuning,
            staged,
            answers: Vec::new(),
            tape,
            flights,
            spare: Group::default(),
            spare_answers: Vec::new(),
        })
    }

    /// Serves the queue until it is closed and empty.
    pub(super) fn run(mut self, mut queue: mpsc::UnboundedReceiver<Request>) {
        let mut requests = Vec::new();
        while queue.blocking_recv_many(&mut requests, QUEUE_APPENDS_MAX) > 0 {
            for request in requests.drain(..) {
                match request {
                    Request::Append(append, answer) => {
                        self.waiting.leave(&append);
                        let outcome = self.take(&append);
                        self.answers.push(Asked { answer, outcome, append });
                    }
                    Request::Landed => self.look(),
                    Request::Close => queue.close(),
                }
                self.commit_if_large();
            }
            self.commit();
        }
        self.finish();
    }

    /// Lets a group go that need not get larger, and waits if it must not.
    fn commit_if_large(&mut self) {
        let bytes = self.staged.group.bytes().len();
        if bytes >= GROUP_BYTES || self.answers.len() >= QUEUE_APPENDS_MAX {
            self.wait();
            self.commit();
        } else if bytes >= LARGE_BYTES {
            self.look();
            self.commit();
        }
    }

    fn take(&mut self, append: &Append) -> Result<Appended, AppendError> {
        self.make_room(append)?;
        Ok(match decide(&self.index, &mut self.staged, append, self.seeded)? {
            Decision::Replay(earlier) => earlier,
            Decision::Record(place) => self.stage(append, place),
        })
    }

    /// Begins the next segment if the append does not fit into this one.
    fn make_room(&mut self, append: &Append) -> Result<(), AppendError> {
        if let Some(reason) = self.index.stopped() {
            return Err(tape::stopped(reason));
        }
        let batch = u64::try_from(record::batch_bytes(append) + MARKER_BYTES).unwrap_or(u64::MAX);
        let used = self.staged.group.end() - self.staged.first();
        if used == HEADER || used + batch <= self.tuning.segment_bytes {
            return Ok(());
        }
        self.settle();
        let Self { tape: Some(tape), staged, .. } = self else { return Ok(()) };
        let end = tape.end();
        if end == staged.first() + HEADER || self.index.stopped().is_some() {
            return Ok(());
        }
        tape.roll(|| staged.roll(end))?;
        self.maintenance.segment_is_full();
        Ok(())
    }

    /// Adds an append to the group.
    fn stage(&mut self, append: &Append, place: Place) -> Appended {
        self.staged.add(append, place);
        let first = place.spot;
        let last = first
            .plus(u64::try_from(append.events.len()).map_or(0, |count| count.saturating_sub(1)));
        Appended {
            partition: first.partition,
            first_offset: first.offset,
            last_offset: last.offset,
            first_version: first.version,
            last_version: last.version,
            replayed: false,
        }
    }

    /// Lets the group be written, unless another one is being written.
    fn commit(&mut self) {
        if self.staged.group.bytes().len() <= self.tuning.alone_bytes {
            self.commit_here();
        } else if let Some(mut tape) = self.tape.take() {
            let mut next = mem::take(&mut self.spare);
            next.restart(self.staged.group.end());
            let group = Arc::new(mem::replace(&mut self.staged.group, next));
            self.staged.flying = Some(Arc::clone(&group));
            let answers = mem::replace(&mut self.answers, mem::take(&mut self.spare_answers));
            let written = tape.write(&group);
            self.flights.depart(Flight { tape, group, written, answers });
        }
    }

    fn commit_here(&mut self) {
        if let Some(tape) = &mut self.tape {
            let done = tape.commit(&self.staged.group, &mut self.answers);
            let end = tape.end();
            self.close_group(done.is_ok(), end);
        }
    }

    /// Begins the next group, where the journal ends.
    fn close_group(&mut self, recorded: bool, end: u64) {
        if recorded {
            self.staged.group.restart(end);
        } else {
            let refused = mem::take(&mut self.staged.group);
            self.staged.forget_ids(refused.events());
            self.staged.group = refused;
            self.staged.group.refuse(end, self.seeded);
        }
    }

    /// Takes a flight in if one has landed.
    fn look(&mut self) {
        match self.flights.look() {
            Ok(None) => {}
            Ok(Some(landed)) => self.land(landed),
            Err(lost) => self.give_up(lost),
        }
    }

    /// Waits until nothing is being written.
    fn wait(&mut self) {
        if self.staged.flying.is_some() {
            match self.flights.wait() {
                Ok(landed) => self.land(landed),
                Err(lost) => self.give_up(lost),
            }
        }
    }

    fn land(&mut self, (flight, done): Landed) {
        let Flight { tape, group, answers, .. } = flight;
        self.staged.flying = None;
        let end = tape.end();
        self.tape = Some(tape);
        self.spare_answers = answers;
        if let Err(refusal) = done {
            // What was decided against it cannot stand.
            self.staged.forget_ids(group.events());
            if !self.seeded.has(Bug::GroupOutlivesFlight) {
                tape::answer(&mut self.answers, Some(&refusal));
                self.close_group(false, end);
            }
        }
        self.spare = Arc::into_inner(group).unwrap_or_default();
    }

    fn give_up(&mut self, _: Lost) {
        self.index.stop("the thread that writes has panicked".to_owned());
        self.staged.flying = None;
        let refusal = self.index.stopped().map(tape::stopped);
        tape::answer(&mut self.answers, refusal.as_ref());
    }

    /// Waits until nothing is staged.
    fn settle(&mut self) {
        self.wait();
        self.commit_here();
    }

    /// Leaves a marker that vouches for the last group (see [`super::recovery`]), and gives back
    /// the room that was not needed.
    fn finish(mut self) {
        self.settle();
        let Self { tape: Some(tape), .. } = &self else { return self.maintenance.end() };
        if self.index.stopped().is_none() && !tape.is_closed() {
            self.staged.group.mark(0);
            self.commit_here();
        }
        if let (Some(tape), None) = (&self.tape, self.index.stopped()) {
            tape.trim();
        }
        self.maintenance.end();
    }
}
