//! How events change what a profile is in the middle of.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use playhead_domain::codec::StoredEvent;
use playhead_domain::playback;
use playhead_domain::title::{self, EpisodeOf};
use playhead_domain::viewing::{self, Progressed};
use playhead_domain::{AccountId, CodecError, ProfileId, SessionId, TitleId};
use playhead_eventlog::RecordedEvent;
use sqlx::sqlite::SqliteConnection;

use super::tables;
use crate::error::StoreError;
use crate::store::Fold;

/// A profile and a title that it watches.
pub(super) type Pair = (ProfileId, TitleId);

/// What a batch of events changes.
#[derive(Debug, Default)]
pub struct Changes {
    /// What is new of each session.
    pub(super) plays: BTreeMap<SessionId, PlayChange>,
    /// The last time that each title was taken off the row.
    pub(super) dismissals: BTreeMap<Pair, i64>,
    /// Where each title stands in a series, if it does.
    pub(super) episodes: BTreeMap<TitleId, Option<EpisodeOf>>,
}

/// What is new of a session.
#[derive(Debug)]
pub(super) struct PlayChange {
    pub(super) account_id: AccountId,
    pub(super) profile_id: ProfileId,
    pub(super) title_id: TitleId,
    pub(super) started_at_ms: i64,
    pub(super) device: Option<String>,
    pub(super) latest: Option<Heartbeat>,
    pub(super) ended_at_ms: Option<i64>,
}

/// What the heartbeats of a session say of it: the latest one, but for the length of the title,
/// which the latest one need not name. It is the greatest that any of them named, so that it does not
/// depend on the order in which they arrive.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heartbeat {
    pub(super) sequence: u32,
    pub(super) position_ms: u64,
    pub(super) played_ms: u64,
    pub(super) duration_ms: Option<u64>,
    pub(super) credits_start_ms: Option<u64>,
    pub(super) at_ms: i64,
}

/// What each event of a session says of it; all agree.
macro_rules! new_play {
    ($event:ident) => {
        PlayChange {
            account_id: $event.account_id,
            profile_id: $event.profile_id,
            title_id: $event.title_id,
            started_at_ms: $event.started_at_ms,
            device: None,
            latest: None,
            ended_at_ms: None,
        }
    };
}

fn is_of<E: StoredEvent>(event_type: &str) -> bool {
    E::TYPES.iter().any(|wanted| wanted.name == event_type)
}

#[async_trait]
impl Fold for Changes {
    const NAME: &'static str = "continue_watching";
    const VERSION: u32 = 2;
    const SCHEMA: &'static [&'static str] =
        &[include_str!("../../../migrations/continue_watching/0001_plays.sql")];

    fn wants(event_type: &str) -> bool {
        is_of::<viewing::Event>(event_type)
            || is_of::<playback::Event>(event_type)
            || is_of::<title::Event>(event_type)
    }

    fn fold(&mut self, event: &RecordedEvent) -> Result<(), CodecError> {
        let event = &event.event;
        let (name, version, payload) = (&*event.event_type, event.schema_version, &event.payload);
        if is_of::<viewing::Event>(name) {
            self.viewing(viewing::Event::from_json(name, version, payload)?);
        } else if is_of::<playback::Event>(name) {
            self.playback(playback::Event::from_json(name, version, payload)?);
        } else {
            self.title(title::Event::from_json(name, version, payload)?);
        }
        Ok(())
    }

    async fn write(self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        tables::store(connection, &self).await
    }
}

impl Changes {
    fn viewing(&mut self, event: viewing::Event) {
        match event {
            viewing::Event::Progressed(progressed) => {
                let play = self.play(progressed.session_id, || new_play!(progressed));
                let heartbeat = Heartbeat::from(&progressed);
                let latest = play.latest.map_or(heartbeat, |latest| latest.and(heartbeat));
                play.latest = Some(latest);
            }
            viewing::Event::Dismissed(dismissed) => {
                let pair = (dismissed.profile_id, dismissed.title_id);
                let at_ms = self.dismissals.entry(pair).or_insert(dismissed.at_ms);
                *at_ms = dismissed.at_ms.max(*at_ms);
            }
            // Nothing writes these yet.
            viewing::Event::Restored(_)
            | viewing::Event::MarkedWatched(_)
            | viewing::Event::MarkedUnwatched(_)
            | viewing::Event::RemovedFromHistory(_) => {}
        }
    }

    fn playback(&mut self, event: playback::Event) {
        match event {
            playback::Event::Started(started) => {
                let change = || new_play!(started);
                self.play(started.session_id, change).device = started.device.known().cloned();
            }
            playback::Event::Stopped(stopped) => {
                let change = || new_play!(stopped);
                self.play(stopped.session_id, change).ended_at_ms = Some(stopped.at_ms);
            }
            playback::Event::Expired(expired) => {
                let change = || new_play!(expired);
                self.play(expired.session_id, change).ended_at_ms = Some(expired.last_seen_at_ms);
            }
            playback::Event::TakenOver(ended) => {
                let change = || new_play!(ended);
                self.play(ended.session_id, change).ended_at_ms = Some(ended.at_ms);
            }
        }
    }

    fn title(&mut self, event: title::Event) {
        let (title_id, episode_of) = match event {
            title::Event::Added(added) => (added.title_id, added.metadata.episode_of),
            title::Event::Edited(edited) => (edited.title_id, edited.metadata.episode_of),
            title::Event::Withdrawn(withdrawn) => (withdrawn.title_id, None),
            title::Event::Scheduled(_) => return,
        };
        self.episodes.insert(title_id, episode_of);
    }

    /// What is new of a session; at first nothing but what every event says of it.
    fn play(&mut self, id: SessionId, change: impl FnOnce() -> PlayChange) -> &mut PlayChange {
        self.plays.entry(id).or_insert_with(change)
    }

    /// Every pair whose bookmark may change.
    pub(super) fn pairs(&self) -> Vec<Pair> {
        let plays = self.plays.values().filter(|play| play.latest.is_some());
        let pairs: BTreeSet<Pair> = plays
            .map(|play| (play.profile_id, play.title_id))
            .chain(self.dismissals.keys().copied())
            .collect();
        pairs.into_iter().collect()
    }
}

impl Heartbeat {
    /// What both say together.
    fn and(self, other: Self) -> Self {
        let later = if self.sequence >= other.sequence { self } else { other };
        Self { duration_ms: self.duration_ms.max(other.duration_ms), ..later }
    }
}

impl From<&Progressed> for Heartbeat {
    fn from(progressed: &Progressed) -> Self {
        Self {
            sequence: progressed.sequence,
            position_ms: progressed.position_ms,
            played_ms: progressed.played_ms,
            duration_ms: progressed.duration_ms,
            credits_start_ms: progressed.credits_start_ms,
            at_ms: progressed.at_ms,
        }
    }
}
