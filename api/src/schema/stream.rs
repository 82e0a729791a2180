//! What plays right now.

use async_graphql::{Context, Error, ID, Object};
use playhead_domain::AccountId;
use playhead_domain::playback::{Playing, SILENCE_MAX_MS};

use super::eyes::Eyes;
use super::profile::Profile;
use super::scalars::DateTime;
use super::title::{self, Title};
use super::viewer::account_state;
use crate::caller::Caller;
use crate::errors::Fault;

/// A session that plays.
#[derive(Debug, Clone)]
pub(crate) struct PlayingStream {
    pub(crate) account_id: AccountId,
    pub(crate) playing: Playing,
    /// With whose eyes its title is looked at.
    pub(crate) eyes: Eyes,
}

/// The sessions of an account that play and were heard of lately.
pub(crate) async fn playing(
    caller: &Caller,
    account_id: AccountId,
    eyes: Eyes,
) -> Result<Vec<PlayingStream>, Fault> {
    let state = caller.services.commands.playbacks.state(&account_id).await;
    let state = state.map_err(|error| caller.internal("sessions cannot be read", &error))?;
    let running = state.playing();
    if running.is_empty() {
        return Ok(vec![]);
    }
    let ids: Vec<_> = running.iter().map(|playing| playing.session_id).collect();
    let seen = caller.services.continue_watching.last_seen(&ids).await;
    let seen = seen.map_err(|error| caller.internal("sessions cannot be read", &error))?;
    let alive = |playing: &Playing| {
        let began_at_ms = playing.session.started_at_ms;
        let seen_at_ms = seen.get(&playing.session_id).copied().unwrap_or(began_at_ms);
        caller.now_ms.saturating_sub(seen_at_ms.max(began_at_ms)) < SILENCE_MAX_MS
    };
    let running = running.into_iter().filter(alive);
    Ok(running.map(|playing| PlayingStream { account_id, playing, eyes }).collect())
}

/// A session that plays right now.
#[Object]
impl PlayingStream {
    /// The session.
    async fn session_id(&self) -> ID {
        ID(self.playing.session_id.to_string())
    }

    /// What is watched; null if it left the catalogue, or the one who asks may not see it.
    async fn title(&self, context: &Context<'_>) -> Option<Result<Title, Error>> {
        title::load(context, self.playing.session.title_id, self.eyes).await.transpose()
    }

    /// Who watches; null if the profile was removed.
    async fn profile(&self, context: &Context<'_>) -> Option<Result<Profile, Error>> {
        let profile = async {
            let caller = Caller::of(context)?;
            let state = account_state(caller, self.account_id).await?;
            let profile_id = self.playing.session.profile_id;
            Ok(Profile::of(self.account_id, profile_id, &state, caller.now_ms))
        };
        profile.await.map_err(|fault: Fault| fault.into()).transpose()
    }

    /// On which device.
    async fn device(&self) -> &str {
        self.playing.session.device.known().map_or("", String::as_str)
    }

    /// Since when.
    async fn started_at(&self) -> DateTime {
        DateTime(self.playing.session.started_at_ms)
    }
}
