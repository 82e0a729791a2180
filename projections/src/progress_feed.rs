//! Heartbeats as they come, for those who watch a profile, and the ends of sessions, for those who
//! wait for one.

mod endings;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::stream::{self, BoxStream, StreamExt};
use playhead_domain::codec::StoredEvent;
use playhead_domain::viewing::{self, Event, Progressed};
use playhead_domain::{AccountId, ProfileId, SessionId, TitleId};
use playhead_eventlog::{Cursor, EventLog, RecordedEvent};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::erasure::erased_account;

use endings::Endings;

pub use endings::Ending;

/// How many heartbeats wait for a slow subscriber before it skips to the newest.
const WAITING_MAX: usize = 64;
/// How many titles a subscriber remembers the newest heartbeat of.
const TITLES_MAX: usize = 256;
/// How many events are read at once.
const BATCH_MAX: usize = 1_024;
/// The pause after the log could not be read.
const PAUSE: Duration = Duration::from_secs(1);

/// One follower of the log that hands heartbeats and ends to any number of subscribers. It keeps nothing: a
/// subscriber sees what is recorded from its subscription on. Clones are handles to the same task.
#[derive(Clone)]
pub struct ProgressFeed {
    shared: Arc<Shared>,
}

struct Shared {
    /// `None` once the feed has stopped.
    audience: Mutex<Option<Audience>>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// What somebody listens for.
#[derive(Default)]
struct Audience {
    profiles: HashMap<ProfileId, Watched>,
    endings: Endings,
}

impl Audience {
    fn is_empty(&self) -> bool {
        self.profiles.is_empty() && self.endings.is_empty()
    }
}

/// A profile that somebody watches.
struct Watched {
    sender: broadcast::Sender<Arc<Progressed>>,
    /// Whose it is, once something was handed out.
    account_id: Option<AccountId>,
}

impl ProgressFeed {
    /// Starts to follow all partitions from the head. Must be called within a tokio runtime.
    pub fn spawn(log: Arc<dyn EventLog>) -> Self {
        let shared = Arc::new(Shared {
            audience: Mutex::new(Some(Audience::default())),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        });
        let head = log.head();
        let task = Arc::clone(&shared);
        shared.tasks.spawn(async move {
            tokio::select! {
                () = task.stop.cancelled() => {}
                () = task.follow(log.as_ref(), head) => {}
            }
            task.audience().take();
        });
        shared.tasks.close();
        Self { shared }
    }

    /// The heartbeats of a profile from now on. For each title only ever newer ones, by (session
    /// started at, session, sequence); who is too slow misses some, but not the newest. Ends when
    /// the feed stops.
    #[must_use]
    pub fn subscribe(&self, profile_id: ProfileId) -> BoxStream<'static, Arc<Progressed>> {
        let mut audience = self.shared.audience();
        let Some(audience) = audience.as_mut() else { return stream::empty().boxed() };
        let watched = audience.profiles.entry(profile_id).or_insert_with(|| Watched {
            sender: broadcast::Sender::new(WAITING_MAX),
            account_id: None,
        });
        let subscription = Subscription {
            receiver: Some(watched.sender.subscribe()),
            profile_id,
            shared: Arc::clone(&self.shared),
            seen: Seen::default(),
            skipped: BTreeMap::new(),
        };
        let next = |mut subscription: Subscription| async move {
            let progressed = subscription.next().await?;
            Some((progressed, subscription))
        };
        stream::unfold(subscription, next).boxed()
    }

    /// Waits for the end of a session from now on. Whoever calls this and then looks whether it
    /// still plays misses no end.
    #[must_use]
    pub fn ending(&self, account_id: AccountId, session_id: SessionId) -> Ending {
        Ending::new(Arc::clone(&self.shared), account_id, session_id)
    }

    /// How many profiles somebody watches.
    #[must_use]
    pub fn profiles(&self) -> usize {
        self.shared.audience().as_ref().map_or(0, |audience| audience.profiles.len())
    }

    /// Ends the task and every subscription. Returns when the task has ended.
    pub async fn stop(&self) {
        self.shared.stop.cancel();
        self.shared.tasks.wait().await;
    }
}

impl Shared {
    /// `None` once the feed has stopped. No code panics while it holds the lock.
    fn audience(&self) -> MutexGuard<'_, Option<Audience>> {
        self.audience.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn follow(&self, log: &dyn EventLog, mut cursor: Cursor) {
        loop {
            log.wait(&cursor).await;
            // The head comes first: whoever subscribes behind this line sees what follows the head.
            let head = log.head();
            if self.audience().as_ref().is_none_or(Audience::is_empty) {
                cursor = head;
                continue;
            }
            match log.read(&cursor, BATCH_MAX).await {
                Ok(batch) => {
                    batch.events.iter().for_each(|event| self.hand_out(event));
                    cursor = batch.next;
                }
                Err(error) => {
                    tracing::error!(%error, "the progress feed skips to the head of the log");
                    tokio::time::sleep(PAUSE).await;
                    cursor = log.head();
                    if let Some(audience) = self.audience().as_ref() {
                        audience.endings.hint();
                    }
                }
            }
        }
    }

    /// Ends the subscriptions of an account that was forgotten, with all that waits in them.
    fn forget(&self, account_id: AccountId) {
        if let Some(audience) = self.audience().as_mut() {
            audience.profiles.retain(|_, watched| watched.account_id != Some(account_id));
            audience.endings.forget(account_id);
        }
    }

    /// Where to hand an observation out, if somebody watches its profile.
    fn sender_of(&self, event: &RecordedEvent) -> Option<broadcast::Sender<Arc<Progressed>>> {
        let (account_id, profile_id) = profile_of(event)?;
        let mut audience = self.audience();
        let watched = audience.as_mut()?.profiles.get_mut(&profile_id)?;
        watched.account_id = Some(account_id);
        Some(watched.sender.clone())
    }

    fn hand_out(&self, event: &RecordedEvent) {
        if let Some(account_id) = erased_account(event) {
            return self.forget(account_id);
        }
        if let Some(audience) = self.audience().as_mut() {
            audience.endings.hand_out(event);
        }
        let Some(sender) = self.sender_of(event) else { return };
        let event = &event.event;
        let decoded = Event::from_json(&event.event_type, event.schema_version, &event.payload);
        // Dismissals are not handed out. Read models park and report what cannot be read. That
        // nobody listens any more is no error.
        if let Ok(Event::Progressed(progressed)) = decoded {
            let _ = sender.send(Arc::new(progressed));
        }
    }
}

/// Whose observation it is, from the stream's name `viewing-ACCOUNT.PROFILE` alone.
fn profile_of(event: &RecordedEvent) -> Option<(AccountId, ProfileId)> {
    if event.stream.category() != viewing::CATEGORY {
        return None;
    }
    let (account_id, profile_id) = event.stream.id().split_once('.')?;
    Some((account_id.parse().ok()?, profile_id.parse().ok()?))
}

struct Subscription {
    /// `None` only while it is dropped.
    receiver: Option<broadcast::Receiver<Arc<Progressed>>>,
    profile_id: ProfileId,
    shared: Arc<Shared>,
    seen: Seen,
    /// The newest of each title after a skip.
    skipped: BTreeMap<TitleId, Arc<Progressed>>,
}

impl Subscription {
    async fn next(&mut self) -> Option<Arc<Progressed>> {
        loop {
            if let Some((_, progressed)) = self.skipped.pop_first() {
                return Some(progressed);
            }
            match self.receiver.as_mut()?.recv().await {
                Ok(progressed) => {
                    if self.seen.is_news(&progressed) {
                        return Some(progressed);
                    }
                }
                Err(RecvError::Lagged(_)) => self.skip(),
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// Keeps the newest heartbeat of each title of all that wait.
    fn skip(&mut self) {
        let Some(receiver) = self.receiver.as_mut() else { return };
        loop {
            match receiver.try_recv() {
                Ok(progressed) => {
                    if self.seen.is_news(&progressed) {
                        self.skipped.insert(progressed.title_id, progressed);
                    }
                }
                Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }
}

impl Drop for Subscription {
    /// The last subscriber of a profile takes its entry away.
    fn drop(&mut self) {
        let mut audience = self.shared.audience();
        self.receiver = None;
        if let Some(Audience { profiles, .. }) = audience.as_mut()
            && profiles.get(&self.profile_id).is_some_and(|it| it.sender.receiver_count() == 0)
        {
            profiles.remove(&self.profile_id);
        }
    }
}

/// The newest heartbeat of each title that a subscriber saw.
#[derive(Default)]
struct Seen(HashMap<TitleId, Age>);

/// What orders heartbeats: session start, session, sequence.
type Age = (i64, SessionId, u32);

impl Seen {
    /// Remembers the heartbeat if it is newer than all of its title before.
    fn is_news(&mut self, progressed: &Progressed) -> bool {
        let age = (progressed.started_at_ms, progressed.session_id, progressed.sequence);
        if self.0.get(&progressed.title_id).is_some_and(|newest| *newest >= age) {
            return false;
        }
        if self.0.len() >= TITLES_MAX && !self.0.contains_key(&progressed.title_id) {
            let oldest = self.0.iter().min_by_key(|(_, age)| **age).map(|(title, _)| *title);
            oldest.and_then(|title| self.0.remove(&title));
        }
        self.0.insert(progressed.title_id, age);
        true
    }
}

#[cfg(test)]
mod tests;
