//! What clients hear of as it happens.

use std::sync::Arc;

use async_graphql::{
    Context, Enum, Error, ID, Object, SimpleObject, Subscription as GraphqlSubscription,
};
use futures::stream::{self, Stream, StreamExt};
use playhead_commands::playback::{Ended, How, Standing};
use playhead_commands::token::{PlaybackGrant, TokenError};
use playhead_domain::viewing::Progressed;

use super::eyes::Eyes;
use super::scalars::{DateTime, Milliseconds};
use super::title::{self, Title};
use super::viewer::account_state;
use crate::caller::Caller;
use crate::errors::{Code, Fault};
use crate::global_id::{self, GlobalId};

/// What clients hear of as it happens.
pub(crate) struct Subscription;

/// What clients hear of as it happens.
#[GraphqlSubscription]
impl Subscription {
    /// Where a profile of the calling account is, on whatever device: each heartbeat as it is
    /// recorded. A slow client misses some, but not the newest.
    async fn progress(
        &self,
        context: &Context<'_>,
        profile_id: ID,
    ) -> Result<impl Stream<Item = Progress> + use<>, Error> {
        let caller = Caller::of(context)?;
        let account_id = caller.account_id()?;
        let unknown = || Fault::new(Code::NotFound, "there is no such profile");
        let profile_id = global_id::profile_of(account_id, &profile_id).ok_or_else(unknown)?;
        let state = account_state(caller, account_id).await?;
        let profile = state.profiles.get(&profile_id).ok_or_else(unknown)?;
        let eyes = Eyes::of_profile(caller, profile).await?;
        let progressed = caller.services.progress.subscribe(profile_id);
        Ok(progressed.map(move |progressed| Progress { progressed, eyes }))
    }

    /// The end of a session of the calling account: one event, after which the subscription is
    /// complete. It comes too if the session has ended before. A player that is told of it stops.
    async fn playback_ended(
        &self,
        context: &Context<'_>,
        playback_token: String,
    ) -> Result<impl Stream<Item = Result<PlaybackEnd, Error>> + use<>, Error> {
        let caller = Caller::of(context)?;
        let account_id = caller.account_id()?;
        let verified = caller.services.playback_tokens.verify(&playback_token, caller.now_ms);
        // A token of another account looks as if it were not genuine.
        let grant = verified.map_err(Fault::from)?;
        if grant.account_id != account_id {
            return Err(Fault::from(TokenError::Forged).into());
        }
        Ok(stream::once(ended(caller.clone(), grant)).filter_map(|end| async { end.transpose() }))
    }
}

/// Where a session is.
pub(crate) struct Progress {
    progressed: Arc<Progressed>,
    eyes: Eyes,
}

/// Where a session is, as its player reports.
#[Object]
impl Progress {
    /// What is watched; null if it left the catalogue, or the profile may not see it (any more).
    async fn title(&self, context: &Context<'_>) -> Option<Result<Title, Error>> {
        title::load(context, self.progressed.title_id, self.eyes).await.transpose()
    }

    /// The global id of what is watched.
    async fn title_id(&self) -> ID {
        GlobalId::Title(self.progressed.title_id).into()
    }

    /// The session.
    async fn session_id(&self) -> ID {
        ID(self.progressed.session_id.to_string())
    }

    /// Where in the title it is.
    async fn position_ms(&self) -> Milliseconds {
        Milliseconds(self.progressed.position_ms)
    }

    /// How long the title is, if anybody knows.
    async fn duration_ms(&self) -> Option<Milliseconds> {
        self.progressed.duration_ms.map(Milliseconds)
    }

    /// Counts the heartbeats of the session.
    async fn sequence(&self) -> i32 {
        i32::try_from(self.progressed.sequence).unwrap_or(i32::MAX)
    }

    /// When it was received.
    async fn at(&self) -> DateTime {
        DateTime(self.progressed.at_ms)
    }
}

/// What ended a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum PlaybackEndReason {
    /// The viewer stopped it.
    Stopped,
    /// Its device was silent for too long.
    Expired,
    /// The viewer went on elsewhere.
    TakenOver,
}

/// The end of a session.
#[derive(SimpleObject)]
pub(crate) struct PlaybackEnd {
    /// The session.
    session_id: ID,
    /// What ended it.
    reason: PlaybackEndReason,
    /// When.
    at: DateTime,
    /// The session that began in its place, if it was taken over.
    by_session_id: Option<ID>,
    /// The device of that session.
    by_device_id: Option<ID>,
    /// What people call that device.
    by_device: Option<String>,
}

impl PlaybackEnd {
    fn new(grant: &PlaybackGrant, ended: Ended) -> Self {
        let end = Self {
            session_id: ID(grant.session_id.to_string()),
            reason: PlaybackEndReason::Stopped,
            at: DateTime(ended.at_ms),
            by_session_id: None,
            by_device_id: None,
            by_device: None,
        };
        match ended.how {
            How::Stopped => end,
            How::Expired => Self { reason: PlaybackEndReason::Expired, ..end },
            How::TakenOver { by_session_id, device_id, device } => Self {
                reason: PlaybackEndReason::TakenOver,
                by_session_id: Some(ID(by_session_id.to_string())),
                by_device_id: device_id.map(|id| ID(id.to_string())),
                by_device: device.known().cloned(),
                ..end
            },
        }
    }
}

/// Waits for the end of a session; `None` if the server stops or the account is erased before.
async fn ended(caller: Caller, grant: PlaybackGrant) -> Result<Option<PlaybackEnd>, Error> {
    let (account_id, session_id) = (grant.account_id, grant.session_id);
    // Before the first look, so that no end falls in between.
    let mut ending = caller.services.progress.ending(account_id, session_id);
    loop {
        let standing = caller.services.commands.standing(account_id, session_id).await;
        match standing.map_err(|error| caller.internal("a session cannot be read", &error))? {
            Standing::Playing => {}
            Standing::Ended(ended) => return Ok(Some(PlaybackEnd::new(&grant, ended))),
            // The log is older than the token: a copy of it was put back.
            Standing::Unknown => return Err(Fault::from(TokenError::Forged).into()),
        }
        if !ending.is_near().await {
            return Ok(None);
        }
    }
}
