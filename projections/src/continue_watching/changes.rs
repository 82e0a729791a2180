//! How events change what a profile is in the middle of.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use playhead_domain::codec::StoredEvent;
use playhead_domain::playback;
use playhead_domain::resume::{Mark, Reached};
use playhead_domain::title::{self, EpisodeOf};
use playhead_domain::viewing::{self, Progressed};
use playhead_domain::{AccountId, CodecError, ProfileId, SessionId, TitleId};
use playhead_eventlog::RecordedEvent;
use sqlx::sqlite::SqliteConnection;

use super::tables;
use crate::error::StoreError;
use crate::store::Fold;
use crate::terms::{self, TermChanges};

/// A profile and a title that it watches.
pub(super) type Pair = (ProfileId, TitleId);

/// What a batch of events changes.
#[derive(Debug, Default)]
pub struct Changes {
    /// What is new of each session.
    pub(super) plays: BTreeMap<SessionId, PlayChange>,
    /// What viewers said of titles, and whose account that was.
    pub(super) marks: BTreeMap<(Pair, Mark), AccountId>,
    /// Where each title stands in a series, if it does.
    pub(super) episodes: BTreeMap<TitleId, Option<EpisodeOf>>,
    /// Who may see each title.
    pub(super) terms: TermChanges,
    /// The accounts that were forgotten, and when. Nothing else is in here of them.
    pub(super) erased: BTreeMap<AccountId, i64>,
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
/// depend on the order in which they arrive. What is said of the end, those say together that were
/// there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heartbeat {
    pub(super) sequence: u32,
    pub(super) position_ms: u64,
    pub(super) played_ms: u64,
    pub(super) duration_ms: Option<u64>,
    pub(super) credits_start_ms: Option<u64>,
    pub(super) at_ms: i64,
    pub(super) reached: Option<Reached>,
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
    const VERSION: u32 = 5;
    const SCHEMA: &'static [&'static str] =
        &[include_str!("../../../migrations/continue_watching/0001_plays.sql"), terms::SCHEMA];

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

    fn erase(&mut self, account_id: AccountId, at_ms: i64) {
        self.drop_accounts(&[account_id].into());
        self.erased.entry(account_id).or_insert(at_ms);
    }

    async fn write(self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        tables::store(connection, self).await
    }
}

impl Changes {
    fn viewing(&mut self, event: viewing::Event) {
        let said = event.mark();
        let (account_id, pair) = match event {
            viewing::Event::Progressed(progressed) => {
                if self.erased.contains_key(&progressed.account_id) {
                    return;
                }
                let play = self.play(progressed.session_id, || new_play!(progressed));
                let heartbeat = Heartbeat::from(&progressed);
                let latest = play.latest.map_or(heartbeat, |latest| latest.and(heartbeat));
                play.latest = Some(latest);
                return;
            }
            viewing::Event::Dismissed(said) => of(said.account_id, said.profile_id, said.title_id),
            viewing::Event::Restored(said) => of(said.account_id, said.profile_id, said.title_id),
            viewing::Event::MarkedWatched(said) => {
                of(said.account_id, said.profile_id, said.title_id)
            }
            viewing::Event::MarkedUnwatched(said) => {
                of(said.account_id, said.profile_id, said.title_id)
            }
            viewing::Event::RemovedFromHistory(said) => {
                of(said.account_id, said.profile_id, said.title_id)
            }
        };
        if let Some(mark) = said.filter(|_| !self.erased.contains_key(&account_id)) {
            self.marks.insert((pair, mark), account_id);
        }
    }

    fn playback(&mut self, event: playback::Event) {
        let (session_id, play, ended_at_ms, device) = match event {
            playback::Event::Started(started) => {
                let device = started.device.known().cloned();
                (started.session_id, new_play!(started), None, device)
            }
            playback::Event::Stopped(ended) => {
                (ended.session_id, new_play!(ended), Some(ended.at_ms), None)
            }
            playback::Event::Expired(ended) => {
                (ended.session_id, new_play!(ended), Some(ended.last_seen_at_ms), None)
            }
            playback::Event::TakenOver(ended) => {
                (ended.session_id, new_play!(ended), Some(ended.at_ms), None)
            }
        };
        if self.erased.contains_key(&play.account_id) {
            return;
        }
        let play = self.play(session_id, || play);
        play.ended_at_ms = ended_at_ms.or(play.ended_at_ms);
        play.device = device.or(play.device.take());
    }

    fn title(&mut self, event: title::Event) {
        self.terms.fold(&event);
        let (title_id, episode_of) = match event {
            title::Event::Added(added) => (added.title_id, added.metadata.episode_of),
            title::Event::Edited(edited) => (edited.title_id, edited.metadata.episode_of),
            title::Event::Withdrawn(withdrawn) => (withdrawn.title_id, None),
            title::Event::Published(_) | title::Event::Scheduled(_) => return,
        };
        self.episodes.insert(title_id, episode_of);
    }

    /// What is new of a session; at first nothing but what every event says of it.
    fn play(&mut self, id: SessionId, change: impl FnOnce() -> PlayChange) -> &mut PlayChange {
        self.plays.entry(id).or_insert_with(change)
    }

    /// Every pair whose bookmark may change, with its account.
    pub(super) fn pairs(&self) -> Vec<(Pair, AccountId)> {
        let plays = self.plays.values().filter(|play| play.latest.is_some());
        let pairs: BTreeMap<Pair, AccountId> = plays
            .map(|play| ((play.profile_id, play.title_id), play.account_id))
            .chain(self.marks.iter().map(|((pair, _), account_id)| (*pair, *account_id)))
            .collect();
        pairs.into_iter().collect()
    }

    /// Every account of which something changes.
    pub(super) fn accounts(&self) -> BTreeSet<AccountId> {
        let plays = self.plays.values().map(|play| play.account_id);
        plays.chain(self.marks.values().copied()).collect()
    }

    /// Forgets what is new of some accounts.
    pub(super) fn drop_accounts(&mut self, accounts: &BTreeSet<AccountId>) {
        self.plays.retain(|_, play| !accounts.contains(&play.account_id));
        self.marks.retain(|_, account_id| !accounts.contains(account_id));
    }
}

fn of(account_id: AccountId, profile_id: ProfileId, title_id: TitleId) -> (AccountId, Pair) {
    (account_id, (profile_id, title_id))
}

impl Heartbeat {
    /// What both say together.
    fn and(self, other: Self) -> Self {
        let later = if self.sequence >= other.sequence { self } else { other };
        let reached = [self.reached, other.reached].into_iter().flatten().reduce(Reached::and);
        Self { duration_ms: self.duration_ms.max(other.duration_ms), reached, ..later }
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
            reached: Reached::of(
                progressed.position_ms,
                progressed.played_ms,
                progressed.duration_ms,
                progressed.credits_start_ms,
                progressed.at_ms,
            ),
        }
    }
}
