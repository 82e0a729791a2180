//! Playback sessions of an account, and how many may run at once.
//!
//! All sessions of an account are in one stream, so that two devices that start at the same moment
//! meet in one version check: the limit is exact.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;

use crate::availability::Territory;
use crate::codec::stored_events;
use crate::decider::Decider;
use crate::devices::{NAME_MAX_CHARS, NAME_RULE};
use crate::entitlement;
use crate::ids::{AccountId, DeviceId, ProfileId, SessionId, TitleId};
use crate::personal::Personal;
use crate::values::{InvalidValue, check, counted, is_line};

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
    /// The device. Absent if it was not registered, and in sessions from before devices were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<DeviceId>,
    /// The name of the device, for people.
    pub device: Personal<String>,
    /// Where the viewer was taken to be when it was allowed. Absent if that was not known, and in
    /// sessions of before it was kept. A country alone tells of nobody, so it stays readable when a
    /// person is forgotten: what is counted by it does not change then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub territory: Option<Territory>,
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

/// A session ended because the viewer went on elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlaybackTakenOver {
    /// The account.
    pub account_id: AccountId,
    /// The session that ended.
    pub session_id: SessionId,
    /// Who watched.
    pub profile_id: ProfileId,
    /// What was watched.
    pub title_id: TitleId,
    /// When the session began, in milliseconds since 1970-01-01 UTC.
    pub started_at_ms: i64,
    /// The session that began in its place.
    pub by_session_id: SessionId,
    /// When it ended, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// Lifts the payload of `PlaybackStarted` from version 1, where the name of the device was not
/// marked as personal.
pub(crate) fn lift_started_from_1(mut payload: Value) -> Value {
    if let Some(device) = payload.get_mut("device") {
        *device = json!({ "$personal": device.take() });
    }
    payload
}

stored_events! {
    /// What happens to the sessions of an account.
    pub enum Event {
        /// A session began.
        Started(PlaybackStarted) = 3,
        /// The viewer ended it.
        Stopped(PlaybackStopped) = 1,
        /// Its device fell silent.
        Expired(PlaybackExpired) = 1,
        /// The viewer went on elsewhere.
        TakenOver(PlaybackTakenOver) = 1,
    }
}

/// A running session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Who watches.
    pub profile_id: ProfileId,
    /// What is watched.
    pub title_id: TitleId,
    /// The device, if it was registered.
    pub device_id: Option<DeviceId>,
    /// The name of the device.
    pub device: Personal<String>,
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
    /// The device, if it is registered.
    pub device_id: Option<DeviceId>,
    /// The name of the device.
    pub device: Personal<String>,
    /// Now.
    pub at_ms: i64,
    /// Looked up: whether the account has the profile.
    pub profile_known: bool,
    /// Looked up: whether the title is in the catalogue and something to play.
    pub title_playable: bool,
    /// Looked up: what the account, the profile and the title are entitled to.
    pub entitlement: entitlement::Facts,
    /// Looked up: when each running session was last heard of. A session that is not named here
    /// was last heard of when it began.
    pub last_seen_at_ms: BTreeMap<SessionId, i64>,
}

/// What can be asked of the sessions of an account.
#[derive(Debug, Clone)]
pub enum Command {
    /// Begin a session. Sessions that have fallen silent make room.
    Start(Start),
    /// Begin a session in place of another one, which ends in the same append: between both nobody
    /// else takes the room. If the other one has ended by now, the session begins as by a start.
    TakeOver {
        /// The session that is to begin.
        start: Start,
        /// The session that is to end.
        session_to_end: SessionId,
    },
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
    /// Account, profile or title do not allow it.
    #[error(transparent)]
    NotEntitled(#[from] entitlement::Refusal),
    /// The account has no such profile.
    #[error("there is no such profile")]
    UnknownProfile,
    /// The title is not in the catalogue, or is not something to play.
    #[error("the title cannot be played")]
    TitleUnavailable,
    /// The plan's streams are all in use.
    #[error(
        "the plan allows {} at once, and {}",
        counted(*limit, "stream"),
        if *limit == 1 { "it plays" } else { "all of them play" }
    )]
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
            Command::Start(start) => state.start(start, None),
            Command::TakeOver { start, session_to_end } => {
                state.start(start, Some(*session_to_end))
            }
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
                    device_id: started.device_id,
                    device: started.device.clone(),
                    started_at_ms: started.started_at_ms,
                };
                state.running.insert(started.session_id, session);
            }
            Event::Stopped(PlaybackStopped { session_id, .. })
            | Event::Expired(PlaybackExpired { session_id, .. })
            | Event::TakenOver(PlaybackTakenOver { session_id, .. }) => {
                state.running.remove(session_id);
            }
        }
        state
    }
}

impl State {
    fn start(
        &self,
        start: &Start,
        session_to_end: Option<SessionId>,
    ) -> Result<Vec<Event>, Refusal> {
        if self.running.contains_key(&start.session_id) {
            return Ok(vec![]);
        }
        // That nothing hides in the name of a new device is checked where it is registered.
        let named = start.device.known().is_some_and(|name| is_line(name, NAME_MAX_CHARS));
        check(named, "device", NAME_RULE)?;
        if !start.profile_known {
            return Err(Refusal::UnknownProfile);
        }
        // Whoever may not play anything does not learn what is in the catalogue.
        let limit = start.entitlement.check(start.at_ms)?.streams_max();
        if !start.title_playable {
            return Err(Refusal::TitleUnavailable);
        }
        let mut events: Vec<_> =
            self.silent(start.account_id, &start.last_seen_at_ms, start.at_ms).collect();
        let heard_of = Playback::fold(self.clone(), &events);
        events.extend(session_to_end.and_then(|ended| heard_of.taken_over(ended, start)));
        let left = Playback::fold(self.clone(), &events);
        if left.running.len() >= limit {
            return Err(Refusal::TooManyStreams { limit, playing: heard_of.playing() });
        }
        events.push(Event::Started(PlaybackStarted {
            account_id: start.account_id,
            session_id: start.session_id,
            profile_id: start.profile_id,
            title_id: start.title_id,
            device_id: start.device_id,
            device: start.device.clone(),
            territory: start.entitlement.viewer.territory,
            started_at_ms: start.at_ms,
        }));
        Ok(events)
    }

    /// The end of a session that another one takes the place of, if it still runs.
    fn taken_over(&self, session_id: SessionId, start: &Start) -> Option<Event> {
        let session = self.running.get(&session_id)?;
        Some(Event::TakenOver(PlaybackTakenOver {
            account_id: start.account_id,
            session_id,
            profile_id: session.profile_id,
            title_id: session.title_id,
            started_at_ms: session.started_at_ms,
            by_session_id: start.session_id,
            at_ms: start.at_ms,
        }))
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
