//! Sessions: when they were last heard of, how they began, and how they ended. They are begun by
//! [`People::start_playback`](crate::people::People::start_playback).

use std::collections::BTreeMap;

use async_trait::async_trait;
use playhead_domain::playback::{self, Playback, Refusal};
use playhead_domain::values::tries_left_told;
use playhead_domain::{AccountId, DeviceId, Personal, SessionId};
use thiserror::Error;

use crate::Commands;
use crate::handler::{ExecuteError, Executed};
use crate::people::PeopleError;
use crate::token::PlaybackGrant;

/// Port: when sessions were last heard of.
#[async_trait]
pub trait LastSeen: Send + Sync {
    /// For each session that has sent a heartbeat, when the latest one was received, in
    /// milliseconds since 1970-01-01 UTC. Must lag behind the log by much less than
    /// [`playback::SILENCE_MAX_MS`].
    ///
    /// # Errors
    /// A reason for operators; the start is then decided as if all sessions had just been heard of.
    async fn last_seen(
        &self,
        sessions: &[SessionId],
    ) -> Result<BTreeMap<SessionId, i64>, Box<dyn std::error::Error + Send + Sync>>;
}

/// A session that began.
#[derive(Debug)]
pub struct Started {
    /// What its token allows.
    pub grant: PlaybackGrant,
    /// What was recorded.
    pub executed: Executed<Playback>,
}

/// What became of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It plays.
    Playing,
    /// It ended.
    Ended(Ended),
    /// The account has, in this log, no such session.
    Unknown,
}

/// The end of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
    /// What ended it.
    pub how: How,
}

/// What ends a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// The viewer stopped it.
    Stopped,
    /// Its device fell silent.
    Expired,
    /// The viewer went on elsewhere.
    TakenOver {
        /// The session that began in its place.
        by_session_id: SessionId,
        /// The device of that session, if it is registered.
        device_id: Option<DeviceId>,
        /// What people call that device.
        device: Personal<String>,
    },
}

/// Why a session did not begin.
#[derive(Debug, Error)]
pub enum StartError {
    /// The rules forbid it, or the log failed.
    #[error(transparent)]
    Execute(#[from] ExecuteError<Refusal>),
    /// A fact could not be looked up.
    #[error("looking up {what} failed: {reason}")]
    LookUp {
        /// The fact.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// The profile's PIN is another.
    #[error("the PIN is wrong; {}", tries_left_told(*tries_left))]
    WrongPin {
        /// How often another may be tried before a wait.
        tries_left: usize,
    },
    /// The device could not be registered, or the PIN not be compared.
    #[error(transparent)]
    People(Box<PeopleError>),
}

impl Commands {
    /// Whether a session of an account still plays, and how it ended. As it is now: an end that was
    /// answered is seen.
    ///
    /// # Errors
    /// The stream could not be read.
    pub async fn standing(
        &self,
        account_id: AccountId,
        session_id: SessionId,
    ) -> Result<Standing, ExecuteError<Refusal>> {
        if self.playbacks.state(&account_id).await?.running.contains_key(&session_id) {
            return Ok(Standing::Playing);
        }
        // A session that takes another one's place begins behind the end of that one, so going back
        // it comes first.
        let mut began = BTreeMap::new();
        let look = |event| standing(event, session_id, &mut began);
        let found = self.playbacks.newest_first(&account_id, look).await?;
        Ok(found.unwrap_or(Standing::Unknown))
    }

    /// When the running sessions were last heard of. A look-up that fails must not end sessions, so
    /// all of them count as just heard of then.
    pub(crate) async fn heard_of(
        &self,
        account_id: AccountId,
        last_seen: &dyn LastSeen,
        at_ms: i64,
    ) -> Result<BTreeMap<SessionId, i64>, StartError> {
        let playing = self.playbacks.state(&account_id).await.map_err(look_up("sessions"))?;
        let sessions: Vec<_> = playing.running.keys().copied().collect();
        if sessions.is_empty() {
            return Ok(BTreeMap::new());
        }
        Ok(last_seen.last_seen(&sessions).await.unwrap_or_else(|error| {
            tracing::warn!(%account_id, %error, "when sessions were last heard of is unknown");
            sessions.iter().map(|session| (*session, at_ms)).collect()
        }))
    }
}

/// What one event says of a session, if anything. Remembers on which devices others began.
fn standing(
    event: playback::Event,
    session_id: SessionId,
    began: &mut BTreeMap<SessionId, (Option<DeviceId>, Personal<String>)>,
) -> Option<Standing> {
    let (ended, at_ms, how) = match event {
        playback::Event::Started(started) if started.session_id == session_id => {
            return Some(Standing::Playing);
        }
        playback::Event::Started(other) => {
            began.insert(other.session_id, (other.device_id, other.device));
            return None;
        }
        playback::Event::Stopped(end) => (end.session_id, end.at_ms, How::Stopped),
        playback::Event::Expired(end) => (end.session_id, end.at_ms, How::Expired),
        playback::Event::TakenOver(end) => {
            let by = began.remove(&end.by_session_id);
            let (device_id, device) = by.unwrap_or((None, Personal::Erased));
            let how = How::TakenOver { by_session_id: end.by_session_id, device_id, device };
            (end.session_id, end.at_ms, how)
        }
    };
    (ended == session_id).then_some(Standing::Ended(Ended { at_ms, how }))
}

pub(crate) fn look_up<E: std::error::Error>(what: &'static str) -> impl FnOnce(E) -> StartError {
    move |error| StartError::LookUp { what, reason: error.to_string() }
}
