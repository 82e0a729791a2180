//! The writer: one task that takes all appends that wait and commits them in one transaction.
//!
//! There is no timer: while one group is being committed, the next one gathers. Nothing of a group
//! is answered before its commit, the refusals and replays too, because what they are decided
//! against may be part of the group.
//!
//! When the connection breaks during COMMIT, nobody knows whether the group is recorded. It is then
//! decided anew on another connection. That waits for the lock of its partitions, so the first
//! transaction has ended by then, one way or the other; and whatever of it is recorded is found by
//! its ids, at the places it was given.

use std::sync::Arc;

use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::sync::{mpsc, oneshot};

use super::error::{is_disk_full, passes};
use super::follow::Heads;
use super::patience::{Patience, in_time};
use super::store;
use crate::append::{Append, AppendError, Appended};
use crate::log::ReadError;
use crate::stream::PartitionCount;

/// How many appends may wait; the next one is answered with [`AppendError::Overloaded`].
pub(super) const QUEUE_APPENDS: usize = 1_024;

/// A group has at most this many appends …
const GROUP_APPENDS: usize = 256;

/// … and is closed when its payloads and metadata have this many bytes, so that one statement stays
/// far below PostgreSQL's limit of 1 GiB.
const GROUP_BYTES: usize = 8 << 20;

/// Whatever the server's default is: after a lock was given, every statement must see what its last
/// holder committed.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

/// An append that waits, and where its answer goes.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) append: Append,
    pub(super) answer: oneshot::Sender<Outcome>,
}

type Outcome = Result<Appended, AppendError>;

/// The state of the writer task.
pub(super) struct Writer {
    options: PgConnectOptions,
    count: PartitionCount,
    heads: Arc<Heads>,
    /// `None` until the first group, and after a failure.
    connection: Option<PgConnection>,
    /// What the last try would have answered, if it failed in COMMIT.
    doubt: Vec<Outcome>,
}

impl Writer {
    pub(super) fn new(options: PgConnectOptions, count: PartitionCount, heads: Arc<Heads>) -> Self {
        Self { options, count, heads, connection: None, doubt: Vec::new() }
    }

    /// Serves the queue until it is closed and empty.
    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Request>) {
        let mut waiting = Vec::new();
        while queue.recv_many(&mut waiting, GROUP_APPENDS).await > 0 {
            let (mut group, mut answers, mut bytes) = (Vec::new(), Vec::new(), 0);
            for Request { append, answer } in waiting.drain(..) {
                bytes += size(&append);
                group.push(append);
                answers.push(answer);
                if bytes >= GROUP_BYTES {
                    self.serve(&group, answers.drain(..)).await;
                    (group, bytes) = (Vec::new(), 0);
                }
            }
            self.serve(&group, answers.drain(..)).await;
        }
    }

    async fn serve(
        &mut self,
        group: &[Append],
        answers: impl Iterator<Item = oneshot::Sender<Outcome>>,
    ) {
        if group.is_empty() {
            return;
        }
        let outcomes = self.commit(group).await;
        self.heads.appended(outcomes.iter().flatten());
        for (answer, outcome) in answers.zip(outcomes) {
            // A caller that has gone away does not want to know.
            let _gone = answer.send(outcome);
        }
    }

    /// Commits the group, over failures that pass by themselves.
    async fn commit(&mut self, group: &[Append]) -> Vec<Outcome> {
        self.doubt.clear();
        let mut patience = Patience::new();
        loop {
            let failure = match in_time(self.attempt(group)).await {
                Ok(outcomes) => return outcomes,
                Err(failure) => failure,
            };
            self.connection = None;
            if let Err(failure) = patience.bear(failure).await {
                tracing::error!(%failure, appends = group.len(), "PostgreSQL recorded no events");
                let error = give_up(&failure, !self.doubt.is_empty());
                return group.iter().map(|_| Err(error.clone())).collect();
            }
        }
    }

    async fn attempt(&mut self, group: &[Append]) -> Result<Vec<Outcome>, sqlx::Error> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(PgConnection::connect_with(&self.options).await?),
        };
        let mut transaction = connection.begin_with(BEGIN).await?;
        let mut facts = store::facts(&mut transaction, self.count, group).await?;
        let mut outcomes = Vec::with_capacity(group.len());
        let mut staged = Vec::new();
        for append in group {
            let outcome = facts.decide(append);
            if let Ok(place) = &outcome
                && !place.replayed
            {
                staged.push((append, *place));
            }
            outcomes.push(outcome);
        }
        for (outcome, earlier) in outcomes.iter_mut().zip(&self.doubt) {
            own_up(outcome, earlier);
        }
        if staged.is_empty() {
            transaction.rollback().await?;
            return Ok(outcomes);
        }
        store::record(&mut transaction, &staged).await?;
        self.doubt.clone_from(&outcomes);
        transaction.commit().await?;
        Ok(outcomes)
    }
}

/// The answer to a group after a failure that was borne long enough, or does not pass by itself.
fn give_up(failure: &sqlx::Error, in_doubt: bool) -> AppendError {
    let reason = failure.to_string();
    if in_doubt {
        let reason = format!("the connection to PostgreSQL broke in COMMIT ({reason})");
        AppendError::Stopped { reason }
    } else if is_disk_full(failure) {
        AppendError::DiskFull { reason }
    } else if passes(failure) {
        AppendError::Unavailable { reason }
    } else {
        AppendError::Unreadable(ReadError::Io { position: 0, reason })
    }
}

/// An append found at the place that the try in doubt gave it was recorded by that try.
fn own_up(outcome: &mut Outcome, earlier: &Outcome) {
    if let (Ok(found), Ok(earlier)) = (outcome, earlier)
        && *found == (Appended { replayed: true, ..*earlier })
    {
        *found = *earlier;
    }
}

fn size(append: &Append) -> usize {
    append.events.iter().map(|event| event.payload.len() + event.metadata.len()).sum()
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_server_that_cannot_be_reached_is_told_from_one_that_refuses() {
        let unreachable =
            || sqlx::Error::Io(io::Error::new(io::ErrorKind::ConnectionRefused, "nobody listens"));
        let error = give_up(&unreachable(), false);
        assert!(matches!(error, AppendError::Unavailable { .. }) && error.retryable(), "{error}");
        let error = give_up(&unreachable(), true);
        assert!(matches!(error, AppendError::Stopped { .. }) && !error.retryable(), "{error}");
        let error = give_up(&sqlx::Error::RowNotFound, false);
        assert!(matches!(error, AppendError::Unreadable(_)) && !error.retryable(), "{error}");
    }
}
