//! How events become plays that count.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use playhead_domain::codec::StoredEvent;
use playhead_domain::playback::{self, PlaybackStarted};
use playhead_domain::title;
use playhead_domain::viewing::{self, Progressed};
use playhead_domain::{AccountId, CodecError, ProfileId, SessionId, Territory, TitleId};
use playhead_eventlog::RecordedEvent;
use sqlx::sqlite::SqliteConnection;

use super::{PLAYED_MS, RECENT_DAYS, tables};
use crate::error::StoreError;
use crate::store::Fold;
use crate::terms::{self, TermChanges};

const DAY_MS: i64 = 86_400_000;
const STARTED: &str = "PlaybackStarted";
const PROGRESSED: &str = "Progressed";

/// What a batch of events changes.
#[derive(Debug, Default)]
pub struct Changes {
    /// What is new of each session.
    pub(super) sessions: BTreeMap<SessionId, SessionChange>,
    /// The newest day of each profile on which a session began that played for long enough.
    pub(super) newest: BTreeMap<ProfileId, i64>,
    /// How many events were taken in: the place of the next one.
    folded: u64,
    /// Who may see each title.
    pub(super) terms: TermChanges,
    /// The accounts that were forgotten, and when. What they had played before still counts.
    pub(super) erased: BTreeMap<AccountId, i64>,
}

/// What is new of a session.
#[derive(Debug)]
pub(super) struct SessionChange {
    pub(super) account_id: AccountId,
    pub(super) profile_id: ProfileId,
    pub(super) title_id: TitleId,
    /// The day on which it began.
    pub(super) day: i64,
    /// Its start, if it is in the batch.
    pub(super) began: Option<Began>,
    /// That it played for long enough, if that is in the batch.
    pub(super) played: Option<Played>,
}

/// The start of a session.
#[derive(Debug, Clone, Copy)]
pub(super) struct Began {
    /// The place of the event in the batch.
    pub(super) place: u64,
    pub(super) territory: Option<Territory>,
}

/// A session has played for long enough.
#[derive(Debug, Clone, Copy)]
pub(super) struct Played {
    /// The place of the event in the batch.
    pub(super) place: u64,
    pub(super) at_ms: i64,
}

#[async_trait]
impl Fold for Changes {
    const NAME: &'static str = "trending";
    const VERSION: u32 = 1;
    const SCHEMA: &'static [&'static str] =
        &[include_str!("../../../migrations/trending/0001_trending.sql"), terms::SCHEMA];

    fn wants(event_type: &str) -> bool {
        event_type == STARTED
            || event_type == PROGRESSED
            || title::Event::TYPES.iter().any(|wanted| wanted.name == event_type)
    }

    fn fold(&mut self, event: &RecordedEvent) -> Result<(), CodecError> {
        let event = &event.event;
        let (name, version, payload) = (&*event.event_type, event.schema_version, &event.payload);
        match name {
            STARTED => {
                let event = playback::Event::from_json(name, version, payload)?;
                if let playback::Event::Started(started) = event {
                    self.started(&started);
                }
            }
            PROGRESSED => {
                let event = viewing::Event::from_json(name, version, payload)?;
                if let viewing::Event::Progressed(progressed) = event {
                    self.progressed(&progressed);
                }
            }
            _ => self.terms.fold(&title::Event::from_json(name, version, payload)?),
        }
        Ok(())
    }

    fn erase(&mut self, account_id: AccountId, at_ms: i64) {
        self.erased.entry(account_id).or_insert(at_ms);
    }

    async fn write(self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        tables::store(connection, self).await
    }
}

impl Changes {
    fn started(&mut self, started: &PlaybackStarted) {
        let change = SessionChange {
            account_id: started.account_id,
            profile_id: started.profile_id,
            title_id: started.title_id,
            day: started.started_at_ms.div_euclid(DAY_MS),
            began: None,
            played: None,
        };
        let place = self.next_place();
        if let Some(session) = self.session(started.session_id, change) {
            session.began.get_or_insert(Began { place, territory: started.territory });
        }
    }

    fn progressed(&mut self, progressed: &Progressed) {
        if progressed.played_ms < PLAYED_MS {
            return;
        }
        let (profile_id, day) =
            (progressed.profile_id, progressed.started_at_ms.div_euclid(DAY_MS));
        let change = SessionChange {
            account_id: progressed.account_id,
            profile_id,
            title_id: progressed.title_id,
            day,
            began: None,
            played: None,
        };
        let place = self.next_place();
        if let Some(session) = self.session(progressed.session_id, change) {
            session.played.get_or_insert(Played { place, at_ms: progressed.at_ms });
            let newest = self.newest.entry(profile_id).or_insert(day);
            *newest = day.max(*newest);
        }
    }

    fn next_place(&mut self) -> u64 {
        self.folded += 1;
        self.folded
    }

    /// What is new of a session; `None` if it does not count any more.
    fn session(&mut self, id: SessionId, change: SessionChange) -> Option<&mut SessionChange> {
        let newest = self.newest.get(&change.profile_id).copied();
        if self.erased.contains_key(&change.account_id) || is_past(change.day, newest) {
            return None;
        }
        Some(self.sessions.entry(id).or_insert(change))
    }

    /// Every account of which something changes.
    pub(super) fn accounts(&self) -> BTreeSet<AccountId> {
        self.sessions.values().map(|session| session.account_id).collect()
    }

    /// Every profile of which something changes.
    pub(super) fn profiles(&self) -> Vec<ProfileId> {
        let profiles = self.sessions.values().map(|session| session.profile_id);
        profiles.collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// Whether a session of a day is forgotten by now, given the newest day on which one of its profile
/// began that counted.
pub(super) fn is_past(day: i64, newest: Option<i64>) -> bool {
    newest.is_some_and(|newest| day < newest.saturating_sub(RECENT_DAYS))
}
