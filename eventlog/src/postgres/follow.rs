//! Where the log ends, as far as this process knows, and how it learns of others' appends.
//!
//! A commit of this process moves the heads at once. Other processes say so with NOTIFY; who hears
//! it and does not know it yet asks the database. Notifications may be lost while a connection is
//! down, so the database is asked every second in any case.
//!
//! NOTIFY stands in a transaction of its own, after the commit: in PostgreSQL, commits that notify
//! wait for each other over the whole server (`PreCommit_Notify` takes one lock for all of them).

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgListener, PgPool};
use sqlx::query;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::store;
use crate::append::Appended;
use crate::cursor::Cursor;
use crate::stream::Partition;

/// How often the database is asked without being notified, and the pause after a failure.
const POLL: Duration = Duration::from_secs(1);

const CHANNEL: &str = "playhead_eventlog";
const TELL: &str = "SELECT pg_notify('playhead_eventlog', $1)";

/// The longest text of a notification, in bytes: below PostgreSQL's limit of 8,000.
const TEXT_BYTES_MAX: usize = 7_900;

/// The next offset of every partition, as far as this process knows. They only grow.
#[derive(Debug)]
pub(super) struct Heads {
    next: watch::Sender<Vec<u64>>,
    /// This process has appended something that others do not know.
    news: Notify,
}

impl Heads {
    pub(super) fn new(next: Vec<u64>) -> Self {
        Self { next: watch::Sender::new(next), news: Notify::new() }
    }

    pub(super) fn get(&self, partition: Partition) -> u64 {
        self.next.borrow().get(usize::from(partition.0)).copied().unwrap_or(0)
    }

    pub(super) fn cursor(&self) -> Cursor {
        (0..).map(Partition).zip(self.next.borrow().iter().copied()).collect()
    }

    /// Takes over what the database said, where it is news.
    pub(super) fn learn(&self, found: &[u64]) {
        self.next.send_if_modified(|next| {
            let mut modified = false;
            for (next, found) in next.iter_mut().zip(found) {
                modified |= *found > *next;
                *next = (*next).max(*found);
            }
            modified
        });
    }

    /// Moves behind appends that this process has committed, or found.
    pub(super) fn appended<'a>(&self, appends: impl Iterator<Item = &'a Appended>) {
        let mut is_news = false;
        self.next.send_modify(|next| {
            for append in appends {
                is_news |= !append.replayed;
                if let Some(next) = next.get_mut(usize::from(append.partition.0)) {
                    *next = (*next).max(append.last_offset + 1);
                }
            }
        });
        if is_news {
            self.news.notify_one();
        }
    }

    /// Returns once something is behind the cursor.
    pub(super) async fn wait(&self, from: &Cursor) {
        let is_behind = |heads: &Vec<u64>| {
            from.iter().any(|(partition, offset)| {
                heads.get(usize::from(partition.0)).is_some_and(|head| *head > offset)
            })
        };
        let mut next = self.next.subscribe();
        // The sender is `self`, so waiting cannot fail.
        let _there = next.wait_for(is_behind).await;
    }

    /// Whether all that a notification tells is known already.
    fn knows(&self, text: &str) -> bool {
        let known = |word: &str| -> Option<bool> {
            let (partition, next) = word.split_once(':')?;
            Some(self.get(Partition(partition.parse().ok()?)) >= next.parse().ok()?)
        };
        !text.is_empty() && text.split(' ').all(|word| known(word) == Some(true))
    }
}

/// The partitions that have moved, as `partition:next` separated by spaces; nothing if that is too
/// long, which tells the others to ask.
fn text(told: &[u64], next: &[u64]) -> String {
    let moved = (0u16..).zip(told.iter().zip(next)).filter(|(_, (told, next))| next > told);
    let words: Vec<_> = moved.map(|(number, (_, next))| format!("{number}:{next}")).collect();
    let text = words.join(" ");
    if text.len() > TEXT_BYTES_MAX { String::new() } else { text }
}

/// The tasks that tell and listen; they end when this is dropped.
#[derive(Debug)]
pub(super) struct Following([JoinHandle<()>; 3]);

impl Following {
    pub(super) fn start(pool: &PgPool, heads: &Arc<Heads>) -> Self {
        Self([
            tokio::spawn(tell(pool.clone(), Arc::clone(heads))),
            tokio::spawn(listen(pool.clone(), Arc::clone(heads))),
            tokio::spawn(poll(pool.clone(), Arc::clone(heads))),
        ])
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}

async fn tell(pool: PgPool, heads: Arc<Heads>) {
    let mut told = heads.next.borrow().clone();
    loop {
        heads.news.notified().await;
        let next = heads.next.borrow().clone();
        if let Err(error) = query(TELL).bind(text(&told, &next)).execute(&pool).await {
            tracing::debug!(%error, "other processes will see the last appends with their next poll");
        }
        told = next;
    }
}

async fn listen(pool: PgPool, heads: Arc<Heads>) {
    loop {
        if let Err(error) = listen_once(&pool, &heads).await {
            tracing::debug!(%error, "the event log hears of others' appends by polling only");
        }
        sleep(POLL).await;
    }
}

async fn listen_once(pool: &PgPool, heads: &Heads) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    // What was told before this connection listened.
    refresh(pool, heads).await?;
    loop {
        let told = listener.try_recv().await?;
        if !told.is_some_and(|told| heads.knows(told.payload())) {
            refresh(pool, heads).await?;
        }
    }
}

async fn poll(pool: PgPool, heads: Arc<Heads>) {
    loop {
        sleep(POLL).await;
        if let Err(error) = refresh(&pool, &heads).await {
            tracing::debug!(%error, "the event log could not ask PostgreSQL where it ends");
        }
    }
}

/// Asks the database where the log ends.
pub(super) async fn refresh(pool: &PgPool, heads: &Heads) -> Result<(), sqlx::Error> {
    heads.learn(&store::heads(pool).await?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_names_what_has_moved() {
        assert_eq!(text(&[1, 2, 3], &[1, 5, 4]), "1:5 2:4");
        assert_eq!(text(&[0; 3_000], &[1; 3_000]), "", "too long to be told");
    }

    #[test]
    fn only_a_notification_that_is_no_news_spares_the_question() {
        let heads = Heads::new(vec![3, 7]);
        assert!(heads.knows("0:3 1:6"));
        for news in ["", "0:4", "0:3 1:8", "2:1", "nonsense", "0:-1"] {
            assert!(!heads.knows(news), "{news:?}");
        }
    }

    #[test]
    fn heads_never_go_back() {
        let heads = Heads::new(vec![3, 7]);
        heads.learn(&[5, 6]);
        assert_eq!((heads.get(Partition(0)), heads.get(Partition(1))), (5, 7));
        assert_eq!(heads.get(Partition(2)), 0);
    }
}
