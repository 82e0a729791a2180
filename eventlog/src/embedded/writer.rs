//! The writer: one thread that decides about every append and makes it durable.
//!
//! Appends wait in a bounded queue. The thread takes all that wait, decides about each against
//! everything before it, encodes what is to be recorded into one buffer, writes that once, syncs
//! once, publishes, and only then answers. There is no timer: while one group is being synced, the
//! next one gathers. Every answer of a group waits for its sync, the refusals and replays too,
//! because what they are decided against may be part of the group.
//!
//! After one failed write or sync the writer stops for good. What the kernel still holds of that
//! group is unknown, and a second sync may report success without having written anything
//! ("fsyncgate": Rebello et al., *Can Applications Recover from fsync Failures?*, ATC 2020).

use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio::sync::{mpsc, oneshot, watch};

use super::index::{Decision, Index};
use super::journal::Sink;
use super::record::{self, Marker, Spot};
use crate::append::{Append, AppendError, Appended};

/// How many appends may wait; more callers wait before the queue.
pub(super) const QUEUE_APPENDS: usize = 1_024;

/// A group is closed when it has this many bytes: some milliseconds of writing on a common disk.
const GROUP_BYTES: usize = 8 << 20;

/// What callers send to the writer.
#[derive(Debug)]
pub(super) enum Request {
    Append(Append, Answer),
    /// Take nothing more; finish what waits.
    Close,
}

type Answer = oneshot::Sender<Result<Appended, AppendError>>;

/// What writer and readers share.
#[derive(Debug)]
pub(super) struct Shared {
    index: RwLock<Index>,
    /// Tells followers that something was published.
    published: watch::Sender<()>,
    /// The first failure of the writer, after which it writes nothing more.
    stopped: OnceLock<String>,
}

impl Shared {
    pub(super) fn new(index: Index) -> Self {
        let published = watch::Sender::new(());
        Self { index: RwLock::new(index), published, stopped: OnceLock::new() }
    }

    /// A panic of the writer may leave the lock poisoned; what is published is whole all the same.
    pub(super) fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn index_mut(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn stopped(&self) -> Option<&str> {
        self.stopped.get().map(String::as_str)
    }

    pub(super) fn follow(&self) -> watch::Receiver<()> {
        self.published.subscribe()
    }
}

/// The state of the writer thread.
pub(super) struct Writer<S> {
    shared: Arc<Shared>,
    sink: S,
    /// The position behind the last durable byte.
    end: u64,
    /// Whether the journal ends in a closing marker.
    closed: bool,
    /// The group: its bytes and what is to be answered once they are durable.
    buffer: Vec<u8>,
    answers: Vec<(Answer, Result<Appended, AppendError>)>,
}

impl<S: Sink> Writer<S> {
    pub(super) fn new(shared: Arc<Shared>, sink: S, end: u64, closed: bool) -> Self {
        Self { shared, sink, end, closed, buffer: Vec::new(), answers: Vec::new() }
    }

    /// Serves the queue until it is closed and empty.
    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Request>) {
        let mut waiting = Vec::new();
        while queue.blocking_recv_many(&mut waiting, QUEUE_APPENDS) > 0 {
            for request in waiting.drain(..) {
                match request {
                    Request::Append(append, answer) => self.take(&append, answer),
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
        let decision = match self.shared.stopped() {
            Some(reason) => Err(stopped(reason)),
            None => self.shared.index().decide(append),
        };
        let outcome = decision.map(|decision| match decision {
            Decision::Replay(earlier) => earlier,
            Decision::Record(first) => self.stage(append, first),
        });
        self.answers.push((answer, outcome));
    }

    /// Adds an append to the group; its first event goes to the given spot.
    fn stage(&mut self, append: &Append, first: Spot) -> Appended {
        let mut last = first;
        let mut staged = Vec::with_capacity(append.events.len());
        for (event, nth) in append.events.iter().zip(0..) {
            last = first.plus(nth);
            staged.push((event.id, self.position()));
            record::encode_event(&mut self.buffer, &append.stream, last, event);
        }
        self.mark(u32::try_from(staged.len()).unwrap_or(u32::MAX));
        self.shared.index_mut().stage(&append.stream, first, &staged);
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
        self.end + u64::try_from(self.buffer.len()).unwrap_or(u64::MAX)
    }

    /// Makes the group durable, then visible, then answers it.
    fn commit(&mut self) {
        if !self.buffer.is_empty() {
            match self.write() {
                Ok(()) => self.publish(),
                Err(reason) => {
                    tracing::error!(reason, "the event log stops taking appends");
                    // Set once: nothing is written after it.
                    self.shared.stopped.get_or_init(|| reason);
                }
            }
            self.buffer.clear();
        }
        for (answer, outcome) in self.answers.drain(..) {
            let outcome = self.shared.stopped().map_or(outcome, |reason| Err(stopped(reason)));
            // A caller that has gone away does not want to know.
            let _gone = answer.send(outcome);
        }
    }

    fn write(&self) -> Result<(), String> {
        let end = self.end;
        self.sink
            .write_at(&self.buffer, end)
            .map_err(|error| format!("writing at position {end} failed: {error}"))?;
        self.sink.sync().map_err(|error| format!("syncing from position {end} on failed: {error}"))
    }

    fn publish(&mut self) {
        self.end = self.position();
        self.closed = false;
        self.shared.index_mut().publish(self.end);
        self.shared.published.send_replace(());
    }

    /// Leaves a marker that vouches for the last group, see [`super::recovery`].
    fn finish(mut self) {
        if self.shared.stopped().is_none() && !self.closed {
            self.mark(0);
            self.commit();
        }
    }
}

fn stopped(reason: &str) -> AppendError {
    AppendError::Stopped { reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::atomic::{AtomicU32, Ordering};

    use bytes::Bytes;
    use uuid::Uuid;

    use super::*;
    use crate::append::Expected;
    use crate::cursor::Cursor;
    use crate::event::NewEvent;
    use crate::stream::{PartitionCount, StreamName};

    /// A disk that works for some calls and then fails once.
    #[derive(Clone, Default)]
    struct Flaky {
        writes_left: Arc<AtomicU32>,
        syncs_left: Arc<AtomicU32>,
    }

    impl Flaky {
        fn failing(writes: u32, syncs: u32) -> Self {
            Self {
                writes_left: Arc::new(AtomicU32::new(writes)),
                syncs_left: Arc::new(AtomicU32::new(syncs)),
            }
        }
    }

    /// Counts down, and wraps behind zero: everything after the one failure would succeed.
    fn call(left: &AtomicU32) -> io::Result<()> {
        match left.fetch_sub(1, Ordering::Relaxed) {
            0 => Err(io::Error::other("the disk is on fire")),
            _ => Ok(()),
        }
    }

    impl Sink for Flaky {
        fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
            call(&self.writes_left)
        }

        fn sync(&self) -> io::Result<()> {
            call(&self.syncs_left)
        }
    }

    fn append(id: u128, expected: Expected) -> Append {
        let event = NewEvent {
            id: Uuid::from_u128(id),
            event_type: "Happened".into(),
            schema_version: 1,
            recorded_at_ms: 0,
            actor: "system:test".into(),
            correlation_id: Uuid::nil(),
            causation_id: Uuid::nil(),
            payload: Bytes::new(),
            metadata: Bytes::new(),
        };
        Append { stream: StreamName::parse("title-x").unwrap(), expected, events: vec![event] }
    }

    type Outcome = Result<Appended, AppendError>;

    /// Sends groups of appends, each group at once; answers the outcomes and how much is visible.
    fn serve(disk: Flaky, groups: Vec<Vec<Append>>) -> (Vec<Vec<Outcome>>, u64) {
        let shared = Arc::new(Shared::new(Index::new(PartitionCount::DEFAULT, 0)));
        let mut writer = Writer::new(Arc::clone(&shared), disk, 0, true);
        let outcomes = groups.into_iter().map(|group| {
            let ask = |append: Append| {
                let (answer, answered) = oneshot::channel();
                writer.take(&append, answer);
                answered
            };
            let mut answers: Vec<_> = group.into_iter().map(ask).collect();
            assert!(answers.iter_mut().all(|answer| answer.try_recv().is_err()), "too early");
            writer.commit();
            answers.into_iter().map(|mut answer| answer.try_recv().unwrap()).collect()
        });
        let outcomes: Vec<Vec<Outcome>> = outcomes.collect();
        let visible = shared.index().head().total();
        let failed = outcomes_failed(&outcomes);
        assert_eq!(shared.stopped().is_some(), failed, "the log says that it has stopped");
        (outcomes, visible)
    }

    fn outcomes_failed(outcomes: &[Vec<Outcome>]) -> bool {
        outcomes.iter().flatten().any(is_stopped)
    }

    fn is_stopped(outcome: &Outcome) -> bool {
        matches!(outcome, Err(AppendError::Stopped { reason }) if reason.contains("on fire"))
    }

    #[test]
    fn nothing_is_visible_before_its_sync() {
        let shared = Arc::new(Shared::new(Index::new(PartitionCount::DEFAULT, 0)));
        let mut writer = Writer::new(Arc::clone(&shared), Flaky::failing(9, 9), 0, true);
        let start = Cursor::start(PartitionCount::DEFAULT);
        let visible = || {
            let index = shared.index();
            let of_stream = index.of_stream(&append(1, Expected::Any).stream, 0, 9).len();
            let behind = index.behind(&start, 9).unwrap().len();
            (of_stream, behind, index.head().total(), index.is_behind(&start))
        };
        writer.take(&append(1, Expected::Any), oneshot::channel().0);
        assert_eq!(visible(), (0, 0, 0, false));
        writer.commit();
        assert_eq!(visible(), (1, 1, 1, true));
    }

    #[test]
    fn a_failed_sync_stops_the_writer_for_good() {
        let groups = vec![
            vec![append(1, Expected::NoStream)],
            vec![append(2, Expected::Any), append(3, Expected::Any)],
            vec![append(4, Expected::Any)],
        ];
        let (outcomes, visible) = serve(Flaky::failing(9, 1), groups);
        assert!(outcomes[0][0].is_ok());
        assert!(outcomes[1..].iter().flatten().all(is_stopped), "{outcomes:?}");
        assert_eq!(visible, 1);
    }

    #[test]
    fn a_failed_write_stops_the_writer_for_good() {
        let groups = vec![vec![append(1, Expected::NoStream)], vec![append(2, Expected::Any)]];
        let (outcomes, visible) = serve(Flaky::failing(0, 9), groups);
        assert!(outcomes.iter().flatten().all(is_stopped), "{outcomes:?}");
        assert_eq!(visible, 0);
    }

    #[test]
    fn what_was_decided_against_a_lost_group_is_not_answered() {
        let replay = append(1, Expected::NoStream);
        let conflict = append(2, Expected::NoStream);
        let group = vec![append(1, Expected::NoStream), replay, conflict];
        let (outcomes, _) = serve(Flaky::failing(9, 0), vec![group]);
        assert!(outcomes.iter().flatten().all(is_stopped), "{outcomes:?}");
    }

    #[test]
    fn a_group_is_decided_against_itself() {
        let replay = append(1, Expected::NoStream);
        let conflict = append(2, Expected::NoStream);
        let next = append(3, Expected::Exact(0));
        let group = vec![append(1, Expected::NoStream), replay, conflict, next];
        let (outcomes, visible) = serve(Flaky::failing(9, 9), vec![group]);
        assert!(outcomes[0][0].as_ref().is_ok_and(|first| !first.replayed));
        assert!(outcomes[0][1].as_ref().is_ok_and(|again| again.replayed));
        assert!(matches!(outcomes[0][2], Err(AppendError::Conflict { len: 1, .. })));
        assert!(outcomes[0][3].as_ref().is_ok_and(|next| next.first_version == 1));
        assert_eq!(visible, 2);
    }
}
