//! A read model that follows the log in a task of its own.

use std::sync::Arc;
use std::time::Duration;

use playhead_eventlog::{Cursor, EventLog, Partition};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::catching_up::{GATHERED_BYTES_TOGETHER, Reader};
use super::{Applied, BATCH_MAX, ReadModel};
use crate::error::ProjectionError;

/// The pause after the first failure; it doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(50);
/// The longest pause between two attempts.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// How far apart commits are while events come faster than they can be committed one by one, and
/// nobody waits for one: a commit of many events costs little more than a commit of few.
pub(super) const COMMITS_APART: Duration = Duration::from_millis(20);

/// A read model that follows the log until it is stopped. Clones are handles to the same task.
#[derive(Clone)]
pub struct Projection {
    shared: Arc<Shared>,
}

/// How far a projection has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Everything before it is committed.
    pub cursor: Cursor,
    /// How many events of the log are not committed yet.
    pub lag_events: u64,
    /// How many events were committed since the task began.
    pub applied_events: u64,
    /// How many events are parked in the store.
    pub parked_events: u64,
    /// What stops it now; it tries again by itself.
    pub error: Option<String>,
}

struct Shared {
    reader: Reader,
    state: watch::Sender<State>,
    /// Somebody waits for an event to be committed.
    awaited: Notify,
    stop: CancellationToken,
    tasks: TaskTracker,
}

#[derive(Debug, Clone)]
struct State {
    cursor: Cursor,
    applied: u64,
    parked: u64,
    error: Option<String>,
    failures: u32,
}

/// Starts a task in which the read model catches up with the log and then follows it.
///
/// Errors do not end it: it logs the first one, shows it in its [`Status`] and tries again, after
/// pauses of 50 ms to 5 s. Must be called within a tokio runtime.
pub fn spawn(log: Arc<dyn EventLog>, model: Arc<dyn ReadModel>) -> Projection {
    let cursor = Cursor::start(log.partitions());
    let state = State { cursor, applied: 0, parked: 0, error: None, failures: 0 };
    let shared = Arc::new(Shared {
        reader: Reader { log, model, gathered_bytes: GATHERED_BYTES_TOGETHER },
        state: watch::Sender::new(state),
        awaited: Notify::new(),
        stop: CancellationToken::new(),
        tasks: TaskTracker::new(),
    });
    let task = Arc::clone(&shared);
    shared.tasks.spawn(async move { task.run().await });
    shared.tasks.close();
    Projection { shared }
}

impl Projection {
    /// The name of the read model.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.shared.reader.model.name()
    }

    /// How far it has come.
    #[must_use]
    pub fn status(&self) -> Status {
        let state = self.shared.state.borrow().clone();
        Status {
            lag_events: state.cursor.behind(&self.shared.reader.log.head()),
            cursor: state.cursor,
            applied_events: state.applied,
            parked_events: state.parked,
            error: state.error,
        }
    }

    /// Returns once the event at `offset` of `partition` is committed. May never return, so the
    /// caller bounds the time.
    pub async fn passed(&self, partition: Partition, offset: u64) {
        let mut state = self.shared.state.subscribe();
        if !state.borrow().cursor.has_passed(partition, offset) {
            self.shared.awaited.notify_one();
        }
        // Only the outcome: the state itself is locked, and must not be held over an await.
        let passed =
            state.wait_for(|state| state.cursor.has_passed(partition, offset)).await.is_ok();
        if !passed {
            std::future::pending().await
        }
    }

    /// Finishes the commit at hand and ends the task. Returns when it has ended.
    pub async fn stop(&self) {
        self.shared.stop.cancel();
        self.shared.tasks.wait().await;
    }
}

impl Shared {
    async fn run(&self) {
        while !self.stop.is_cancelled() {
            let Err(error) = self.follow().await else { return };
            let pause = self.failed(&error);
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Resumes, catches up and follows. Returns when stopped.
    async fn follow(&self) -> Result<(), ProjectionError> {
        let Reader { log, model, .. } = &self.reader;
        let mut cursor = self.reader.resume().await?;
        let parked = self.reader.retry_parked(&cursor).await?;
        self.applied(&cursor, Applied { events: 0, parked });
        let applied = |next: &Cursor, applied: Applied| {
            self.applied(next, applied);
            self.works();
        };
        self.reader.run(&mut cursor, &log.head(), &self.stop, applied).await?;
        loop {
            let batch = tokio::select! {
                biased;
                () = self.stop.cancelled() => return Ok(()),
                batch = log.read(&cursor, BATCH_MAX) => batch,
            };
            let batch = batch.map_err(ProjectionError::log(model.name()))?;
            if batch.events.is_empty() {
                self.works();
                tokio::select! {
                    () = self.stop.cancelled() => return Ok(()),
                    () = log.wait(&cursor) => continue,
                }
            }
            let begun = Instant::now();
            let applied = model.apply(&batch).await.map_err(self.reader.store_failed())?;
            self.applied(&batch.next, applied);
            self.works();
            cursor = batch.next;
            if batch.events.len() < BATCH_MAX && cursor.behind(&log.head()) > 0 {
                self.let_events_gather(begun + COMMITS_APART).await;
            }
        }
    }

    /// Returns at that time; earlier if somebody waits for a commit.
    async fn let_events_gather(&self, until: Instant) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = self.awaited.notified() => {}
            () = tokio::time::sleep_until(until) => {}
        }
    }

    fn applied(&self, next: &Cursor, applied: Applied) {
        self.state.send_modify(|state| {
            state.cursor.clone_from(next);
            state.applied = state.applied.saturating_add(applied.events);
            state.parked = applied.parked;
        });
    }

    /// Takes back an error that is over.
    fn works(&self) {
        self.state.send_if_modified(|state| {
            state.failures = 0;
            let recovered = state.error.take().is_some();
            if recovered {
                tracing::info!(model = self.reader.model.name(), "the read model goes on");
            }
            recovered
        });
    }

    /// Shows the error, logs it if it is news, and answers how long to pause.
    fn failed(&self, error: &ProjectionError) -> Duration {
        let (model, text) = (self.reader.model.name(), error.to_string());
        let mut pause = PAUSE_MIN;
        self.state.send_modify(|state| {
            pause = PAUSE_MIN.saturating_mul(1 << state.failures.min(16)).min(PAUSE_MAX);
            state.failures = state.failures.saturating_add(1);
            if state.error.as_ref() != Some(&text) {
                let retryable = error.retryable();
                tracing::error!(model, error = text, retryable, "the read model stands still");
                state.error = Some(text);
            }
        });
        pause
    }
}
