//! Sessions whose end somebody waits for.

use std::collections::HashMap;
use std::sync::Arc;

use playhead_domain::playback::{Event, Playback};
use playhead_domain::{AccountId, Decider, SessionId, StoredEvent};
use playhead_eventlog::RecordedEvent;
use tokio::sync::watch;

use super::{Audience, Shared};

/// The sessions whose end somebody waits for, and whose they are.
#[derive(Default)]
pub(super) struct Endings(HashMap<SessionId, Awaited>);

struct Awaited {
    account_id: AccountId,
    /// Marked as changed when the session may have ended.
    sender: watch::Sender<()>,
}

/// Waits for the end of a session.
pub struct Ending {
    /// `None` if there is nothing to wait for, and while it is dropped.
    receiver: Option<watch::Receiver<()>>,
    session_id: SessionId,
    shared: Arc<Shared>,
}

impl Ending {
    pub(super) fn new(shared: Arc<Shared>, account_id: AccountId, session_id: SessionId) -> Self {
        let receiver = shared.audience().as_mut().map(|audience| {
            let new = || Awaited { account_id, sender: watch::Sender::new(()) };
            audience.endings.0.entry(session_id).or_insert_with(new).sender.subscribe()
        });
        Self { receiver, session_id, shared }
    }

    /// Returns true when the session has ended since the last call, or may have: look. Returns
    /// false when nothing will be told any more, because that was told before, the feed has stopped
    /// or the account was erased. May be cancelled at any time.
    pub async fn is_near(&mut self) -> bool {
        let Some(receiver) = self.receiver.as_mut() else { return false };
        receiver.changed().await.is_ok()
    }
}

impl Drop for Ending {
    /// The last one who waits takes the entry away.
    fn drop(&mut self) {
        let mut audience = self.shared.audience();
        self.receiver = None;
        if let Some(Audience { endings: Endings(awaited), .. }) = audience.as_mut()
            && awaited.get(&self.session_id).is_some_and(|it| it.sender.receiver_count() == 0)
        {
            awaited.remove(&self.session_id);
        }
    }
}

impl Endings {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells those who wait for the end of the session that an event ends, if it ends one.
    pub(super) fn hand_out(&mut self, event: &RecordedEvent) {
        if self.0.is_empty() || event.stream.category() != Playback::CATEGORY {
            return;
        }
        let event = &event.event;
        match Event::from_json(&event.event_type, event.schema_version, &event.payload) {
            Ok(Event::Started(_)) => {}
            Ok(Event::Stopped(end)) => self.end(end.session_id),
            Ok(Event::Expired(end)) => self.end(end.session_id),
            Ok(Event::TakenOver(end)) => self.end(end.session_id),
            // Which session it ends cannot be read.
            Err(_) => self.hint(),
        }
    }

    fn end(&mut self, session_id: SessionId) {
        if let Some(awaited) = self.0.remove(&session_id) {
            awaited.sender.send_replace(());
        }
    }

    /// Tells everybody to look: an end may have been missed.
    pub(super) fn hint(&self) {
        self.0.values().for_each(|awaited| {
            awaited.sender.send_replace(());
        });
    }

    pub(super) fn forget(&mut self, account_id: AccountId) {
        self.0.retain(|_, awaited| awaited.account_id != account_id);
    }
}
