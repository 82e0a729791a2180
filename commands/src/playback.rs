//! Starting playback: looks up the facts, decides, and signs the token.

use std::collections::BTreeMap;

use async_trait::async_trait;
use playhead_domain::entitlement::{Device, Facts, Pin, Terms, Viewer};
use playhead_domain::playback::{self, Playback, Refusal, Start};
use playhead_domain::title::{Kind, Listing, Metadata};
use playhead_domain::{
    AccountId, Maturity, Personal, Plan, ProfileId, SessionId, TitleId, account,
};
use thiserror::Error;

use crate::Commands;
use crate::context::Context;
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

/// A wish to play something.
#[derive(Debug, Clone)]
pub struct StartPlayback {
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
    /// Where to begin.
    pub from_ms: u64,
}

/// A session that began.
#[derive(Debug)]
pub struct Started {
    /// What its token allows.
    pub grant: PlaybackGrant,
    /// What was recorded.
    pub executed: Executed<Playback>,
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
    #[error("the PIN is wrong; {tries_left} tries are left")]
    WrongPin {
        /// How often another may be tried before a wait.
        tries_left: usize,
    },
    /// The device could not be registered, or the PIN not be compared.
    #[error(transparent)]
    People(Box<PeopleError>),
}

impl Commands {
    /// Begins a session if plan, profile, title and the streams that play allow it.
    ///
    /// # Errors
    /// Nothing was recorded.
    pub async fn start_playback(
        &self,
        wish: StartPlayback,
        last_seen: &dyn LastSeen,
        context: &Context,
    ) -> Result<Started, StartError> {
        let account_id = wish.account_id;
        let subscription =
            self.subscriptions.state(&account_id).await.map_err(look_up("subscription"))?;
        let account = self.accounts.state(&account_id).await.map_err(look_up("account"))?;
        let title = self.titles.state(&wish.title_id).await.map_err(look_up("title"))?;
        let playable = title.listed().filter(|metadata| metadata.kind != Kind::Series);
        let start = Start {
            account_id,
            session_id: wish.session_id,
            profile_id: wish.profile_id,
            title_id: wish.title_id,
            device_id: None,
            device: Personal::Known(wish.device.clone()),
            at_ms: context.at_ms,
            profile_known: account.profiles.contains_key(&wish.profile_id),
            title_playable: playable.is_some(),
            entitlement: entitlement(
                subscription.plan_at(context.at_ms),
                &account,
                wish.profile_id,
                title.listing(),
                context.at_ms,
            ),
            last_seen_at_ms: self.heard_of(account_id, last_seen, context.at_ms).await?,
        };
        let command = playback::Command::Start(start);
        let executed = self.playbacks.execute(&account_id, &command, context).await?;
        let running = executed.state.running.get(&wish.session_id);
        let started_at_ms = running.map_or(context.at_ms, |session| session.started_at_ms);
        Ok(Started { grant: grant(&wish, playable, started_at_ms), executed })
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

/// What the streams of account and title say. Who is signed in on which device, and where, is not
/// looked up here: it speaks against nothing, and what is offered in some territories only is
/// offered to nobody.
fn entitlement(
    plan: Option<Plan>,
    account: &account::State,
    profile_id: ProfileId,
    title: Option<&Listing>,
    at_ms: i64,
) -> Facts {
    let profile = account.profiles.get(&profile_id);
    let maturity_max = profile.map_or(Maturity::All, |profile| profile.maturity_max);
    let pin = account.pins.get(&profile_id).map_or(Pin::None, |pin| {
        pin.locked_until(at_ms).map_or(Pin::Missing, |until_ms| Pin::Locked { until_ms })
    });
    Facts {
        account_active: true,
        email_verified: true,
        plan,
        vpn: false,
        viewer: Viewer { territory: None, maturity_max },
        title: title.map_or(Terms { maturity: None, availability: None }, Listing::terms),
        pin,
        device: Device::Welcome,
    }
}

fn grant(wish: &StartPlayback, title: Option<&Metadata>, started_at_ms: i64) -> PlaybackGrant {
    PlaybackGrant {
        account_id: wish.account_id,
        profile_id: wish.profile_id,
        title_id: wish.title_id,
        session_id: wish.session_id,
        started_at_ms,
        from_ms: wish.from_ms,
        duration_ms: title.and_then(|metadata| metadata.runtime_ms),
        credits_start_ms: title.and_then(|metadata| metadata.credits_start_ms),
    }
}

pub(crate) fn look_up<E: std::error::Error>(what: &'static str) -> impl FnOnce(E) -> StartError {
    move |error| StartError::LookUp { what, reason: error.to_string() }
}
