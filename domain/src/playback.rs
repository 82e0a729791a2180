//! Playback sessions of an account, and how many may run at once.
//!
//! All sessions of an account are in one stream, so that two devices that start at the same moment
//! meet in one version check: the limit is exact.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::codec::stored_events;
use crate::decider::Decider;
use crate::ids::{AccountId, ProfileId, SessionId, TitleId};
use crate::values::{InvalidValue, Plan, check, is_line};

/// A session that was silent for so long has expired: three heartbeats of 30 s were missed.
pub const SILENCE_MAX_MS: i64 = 90_000;

/// A session began: something is played.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlaybackStarted {
    /// The account.
    pub account_id: AccountId,
    /// The session.
    pub session_id: SessionId,
    /// Who watches.
    pub profile_id: ProfileId,
    /// What is watched.
    pub title_id: TitleId,
    /// The name of the device, for people.
    pub device: String,
    /// When the session began, in milliseconds since 1970-01-01 UTC.
    pub started_at_ms: i64,
}

/// The viewer ended a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlaybackStopped {
    /// The account.
    pub account_id: AccountId,
    /// The session.
    pub session_id: SessionId,
    /// Who watched.
    pub profile_id: ProfileId,
    /// What was watched.
    pub title_id: TitleId,
    /// When the session began, in milliseconds since 1970-01-01 UTC.
    pub started_at_ms: i64,
    /// When the session ended, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// A session ended because its device fell silent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlaybackExpired {
    /// The account.
    pub account_id: AccountId,
    /// The session.
    pub session_id: SessionId,
    /// Who watched.
    pub profile_id: ProfileId,
    /// What was watched.
    pub title_id: TitleId,
    /// When the session began, in milliseconds since 1970-01-01 UTC.
    pub started_at_ms: i64,
    /// When the device was last heard of, in milliseconds since 1970-01-01 UTC.
    pub last_seen_at_ms: i64,
    /// When the silence was noticed, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

stored_events! {
    /// What happens to the sessions of an account.
    pub enum Event {
        /// A session began.
        Started(PlaybackStarted) = 1,
        /// The viewer ended it.
        Stopped(PlaybackStopped) = 1,
        /// Its device fell silent.
        Expired(PlaybackExpired) = 1,
    }
}

/// A running session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Who watches.
    pub profile_id: ProfileId,
    /// What is watched.
    pub title_id: TitleId,
    /// The name of the device.
    pub device: String,
    /// When it began, in milliseconds since 1970-01-01 UTC.
    pub started_at_ms: i64,
}

/// The running sessions of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// By session id. Only as large as plans allow streams.
    pub running: BTreeMap<SessionId, Session>,
}

/// A wish to play something, and the facts that were looked up for it.
#[derive(Debug, Clone)]
pub struct Start {
    /// The account.
    pub account_id: AccountId,
    /// The new session.
    pub session_id: SessionId,
    /// Who wants to watch.
    pub profile_id: ProfileId,
    /// What is to be watched.
    pub title_id: TitleId,
    /// The name of the device.
    pub device: String,
    /// Now.
    pub at_ms: i64,
    /// Looked up: the plan that runs now.
    pub plan: Option<Plan>,
    /// Looked up: whether the account has the profile.
    pub profile_known: bool,
    /// Looked up: whether the title can be played.
    pub title_playable: bool,
    /// Looked up: when each running session was last heard of. A session that is not named here
    /// was last heard of when it began.
    pub last_seen_at_ms: BTreeMap<SessionId, i64>,
}

/// What can be asked of the sessions of an account.
#[derive(Debug, Clone)]
pub enum Command {
    /// Begin a session. Sessions that have fallen silent make room.
    Start(Start),
    /// End a session.
    Stop {
        /// The account.
        account_id: AccountId,
        /// The session.
        session_id: SessionId,
        /// Now.
        at_ms: i64,
    },
    /// End every session that has fallen silent.
    ExpireSilent {
        /// The account.
        account_id: AccountId,
        /// Looked up, as in [`Start`].
        last_seen_at_ms: BTreeMap<SessionId, i64>,
        /// Now.
        at_ms: i64,
    },
}

/// Something that plays right now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Playing {
    /// The session.
    pub session_id: SessionId,
    /// Who watches what, where, since when.
    pub session: Session,
}

/// Why a session cannot begin.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Refusal {
    /// A field breaks its rule.
    #[error(transparent)]
    Invalid(#[from] InvalidValue),
    /// The account has no running plan.
    #[error("there is no running subscription")]
    NotSubscribed,
    /// The account has no such profile.
    #[error("there is no such profile")]
    UnknownProfile,
    /// The title is not in the catalogue, or is not something to play.
    #[error("the title cannot be played")]
    TitleUnavailable,
    /// The plan's streams are all in use.
    #[error("the plan allows {limit} streams at once, and all of them play")]
    TooManyStreams {
        /// How many streams the plan allows.
        limit: usize,
        /// What plays where.
        playing: Vec<Playing>,
    },
}

/// The rules for playback.
#[derive(Debug)]
pub struct Playback;

impl Decider for Playback {
    const CATEGORY: &'static str = "playback";
    type Id = AccountId;
    type State = State;
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::Start(start) => state.start(start),
            Command::Stop { account_id, session_id, at_ms } => {
                Ok(state.stop(*account_id, *session_id, *at_ms))
            }
            Command::ExpireSilent { account_id, last_seen_at_ms, at_ms } => {
                Ok(state.silent(*account_id, last_seen_at_ms, *at_ms).collect())
            }
        }
    }

    fn evolve(mut state: State, event: &Event) -> State {
        match event {
            Event::Started(started) => {
                let session = Session {
                    profile_id: started.profile_id,
                    title_id: started.title_id,
                    device: started.device.clone(),
                    started_at_ms: started.started_at_ms,
                };
                state.running.insert(started.session_id, session);
            }
            Event::Stopped(PlaybackStopped { session_id, .. })
            | Event::Expired(PlaybackExpired { session_id, .. }) => {
                state.running.remove(session_id);
            }
        }
        state
    }
}

impl State {
    fn start(&self, start: &Start) -> Result<Vec<Event>, Refusal> {
        if self.running.contains_key(&start.session_id) {
            return Ok(vec![]);
        }
        check(is_line(&start.device, 100), "device", "a line of 1 to 100 characters")?;
        let plan = start.plan.ok_or(Refusal::NotSubscribed)?;
        if !start.profile_known {
            return Err(Refusal::UnknownProfile);
        }
        if !start.title_playable {
            return Err(Refusal::TitleUnavailable);
        }
        let mut events: Vec<_> =
            self.silent(start.account_id, &start.last_seen_at_ms, start.at_ms).collect();
        let limit = plan.streams_max();
        if self.running.len() - events.len() >= limit {
            let silent = Playback::fold(self.clone(), &events);
            return Err(Refusal::TooManyStreams { limit, playing: silent.playing() });
        }
        events.push(Event::Started(PlaybackStarted {
            account_id: start.account_id,
            session_id: start.session_id,
            profile_id: start.profile_id,
            title_id: start.title_id,
            device: start.device.clone(),
            started_at_ms: start.at_ms,
        }));
        Ok(events)
    }

    fn stop(&self, account_id: AccountId, session_id: SessionId, at_ms: i64) -> Vec<Event> {
        let stopped = |session: &Session| {
            Event::Stopped(PlaybackStopped {
                account_id,
                session_id,
                profile_id: session.profile_id,
                title_id: session.title_id,
                started_at_ms: session.started_at_ms,
                at_ms,
            })
        };
        self.running.get(&session_id).map(stopped).into_iter().collect()
    }

    fn silent(
        &self,
        account_id: AccountId,
        last_seen_at_ms: &BTreeMap<SessionId, i64>,
        at_ms: i64,
    ) -> impl Iterator<Item = Event> {
        self.running.iter().filter_map(move |(session_id, session)| {
            let seen = last_seen_at_ms.get(session_id).copied().unwrap_or(i64::MIN);
            let last_seen_at_ms = seen.max(session.started_at_ms);
            let silent = at_ms.saturating_sub(last_seen_at_ms) >= SILENCE_MAX_MS;
            silent.then_some(Event::Expired(PlaybackExpired {
                account_id,
                session_id: *session_id,
                profile_id: session.profile_id,
                title_id: session.title_id,
                started_at_ms: session.started_at_ms,
                last_seen_at_ms,
                at_ms,
            }))
        })
    }

    /// What plays, longest first.
    #[must_use]
    pub fn playing(&self) -> Vec<Playing> {
        let playing = |(session_id, session): (&SessionId, &Session)| Playing {
            session_id: *session_id,
            session: session.clone(),
        };
        let mut all: Vec<_> = self.running.iter().map(playing).collect();
        all.sort_by_key(|playing| (playing.session.started_at_ms, playing.session_id));
        all
    }
}

#[cfg(test)]
mod tests;
