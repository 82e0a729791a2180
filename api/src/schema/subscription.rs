//! What clients hear of as it happens.

use std::sync::Arc;

use async_graphql::{Context, Error, ID, Object, Subscription as GraphqlSubscription};
use futures::stream::{Stream, StreamExt};
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
