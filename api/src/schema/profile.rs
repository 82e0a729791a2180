//! Profiles.

use std::sync::Arc;

use async_graphql::{Context, Error, ID, Object};
use playhead_domain::account::{Profile as Settings, State};
use playhead_domain::{AccountId, ProfileId};

use super::continue_watching::{self, ContinueWatchingConnection};
use super::eyes::Eyes;
use super::history::{self, HistoryConnection};
use super::maturity::Maturity;
use super::page::{FIRST_DEFAULT, list_cost, page_len};
use super::preferences::{Accessibility, NotificationPreferences, PlaybackPreferences};
use super::progress::{self, TitleProgress};
use super::scalars::DateTime;
use crate::caller::Caller;
use crate::errors::Fault;
use crate::global_id::GlobalId;

/// One viewer of a household.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    account_id: AccountId,
    profile_id: ProfileId,
    settings: Arc<Settings>,
    pin: Option<ProfilePin>,
}

/// What is told of a PIN.
#[derive(Debug, Clone, Copy)]
struct ProfilePin {
    locked_until_ms: Option<i64>,
}

impl Profile {
    /// A profile of an account; `None` if it has no such profile.
    pub(crate) fn of(
        account_id: AccountId,
        profile_id: ProfileId,
        state: &State,
        now_ms: i64,
    ) -> Option<Self> {
        let settings = Arc::new(state.profiles.get(&profile_id)?.clone());
        let pin = state.pins.get(&profile_id);
        let pin = pin.map(|pin| ProfilePin { locked_until_ms: pin.locked_until(now_ms) });
        Some(Self { account_id, profile_id, settings, pin })
    }

    async fn eyes(&self, caller: &Caller) -> Result<Eyes, Fault> {
        Eyes::of_profile(caller, &self.settings).await
    }
}

/// One viewer of a household.
#[Object]
impl Profile {
    /// A global id.
    pub(crate) async fn id(&self) -> ID {
        GlobalId::Profile(self.account_id, self.profile_id).into()
    }

    /// The name on the profile picker; unique in its account.
    async fn name(&self) -> &str {
        self.settings.name.known().map_or("", String::as_str)
    }

    /// Which of the service's pictures stands beside the name.
    async fn avatar(&self) -> Option<&str> {
        self.settings.avatar.as_deref()
    }

    /// The language of texts, as a BCP 47 tag.
    async fn language(&self) -> &str {
        &self.settings.language
    }

    /// Whether a child uses it.
    async fn kids(&self) -> bool {
        self.settings.kids
    }

    /// The highest level of maturity that it is shown. What is above is not found, not offered and
    /// not played.
    async fn maturity_max(&self) -> Maturity {
        self.settings.maturity_max.into()
    }

    /// How it plays.
    async fn playback(&self) -> PlaybackPreferences {
        (&self.settings.playback).into()
    }

    /// What helps to see and hear.
    async fn accessibility(&self) -> Accessibility {
        self.settings.accessibility.into()
    }

    /// Over which ways it is told of something new.
    async fn notifications(&self) -> NotificationPreferences {
        self.settings.notifications.into()
    }

    /// The genres it likes, most liked first.
    async fn favourite_genres(&self) -> &[String] {
        &self.settings.favourite_genres
    }

    /// Whether playing with it needs a PIN.
    async fn has_pin(&self) -> bool {
        self.pin.is_some()
    }

    /// The first moment at which its PIN can be tried again, if it was wrong too often.
    async fn pin_locked_until(&self) -> Option<DateTime> {
        self.pin.and_then(|pin| pin.locked_until_ms).map(DateTime)
    }

    /// Where it is in a title; null if it neither played it nor said anything of it, or may not see
    /// it.
    async fn progress(
        &self,
        context: &Context<'_>,
        title_id: ID,
    ) -> Option<Result<TitleProgress, Error>> {
        let found = async {
            let caller = Caller::of(context)?;
            let eyes = self.eyes(caller).await?;
            progress::of(caller, self.profile_id, eyes, &title_id).await
        };
        found.await.transpose().map(|found: Result<_, Fault>| Ok(found?))
    }

    /// What to go on with, newest first; 1 to 100 at a time. What the profile may not see is not on
    /// it.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn continue_watching(
        &self,
        context: &Context<'_>,
        #[graphql(default_with = "Some(FIRST_DEFAULT)")] first: Option<i32>,
        after: Option<String>,
    ) -> Result<ContinueWatchingConnection, Error> {
        let caller = Caller::of(context)?;
        let (eyes, len) = (self.eyes(caller).await?, page_len(first));
        Ok(continue_watching::page(caller, self.profile_id, eyes, len, after.as_deref()).await?)
    }

    /// What was watched, newest first; 1 to 100 at a time. What the profile may not see is left out.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn history(
        &self,
        context: &Context<'_>,
        #[graphql(default_with = "Some(FIRST_DEFAULT)")] first: Option<i32>,
        after: Option<String>,
    ) -> Result<HistoryConnection, Error> {
        let caller = Caller::of(context)?;
        let (eyes, len) = (self.eyes(caller).await?, page_len(first));
        Ok(history::page(caller, self.profile_id, eyes, len, after.as_deref()).await?)
    }
}
