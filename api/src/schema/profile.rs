//! Profiles.

use async_graphql::{Context, Error, ID, Object};
use playhead_domain::account::{Profile as Settings, State};
use playhead_domain::{AccountId, ProfileId};

use super::continue_watching::{self, ContinueWatchingConnection};
use super::history::{self, HistoryConnection};
use super::page::{FIRST_DEFAULT, list_cost, page_len};
use crate::caller::Caller;
use crate::global_id::GlobalId;

/// One viewer of a household.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    account_id: AccountId,
    profile_id: ProfileId,
    settings: Settings,
}

impl Profile {
    /// A profile of an account; `None` if it has no such profile.
    pub(crate) fn of(account_id: AccountId, profile_id: ProfileId, state: &State) -> Option<Self> {
        let settings = state.profiles.get(&profile_id)?.clone();
        Some(Self { account_id, profile_id, settings })
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

    /// The language of texts and of preferred audio, as a BCP 47 tag.
    async fn language(&self) -> &str {
        &self.settings.language
    }

    /// Whether a child uses it.
    async fn kids(&self) -> bool {
        self.settings.kids
    }

    /// What to go on with, newest first; 1 to 100 at a time.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn continue_watching(
        &self,
        context: &Context<'_>,
        #[graphql(default_with = "Some(FIRST_DEFAULT)")] first: Option<i32>,
        after: Option<String>,
    ) -> Result<ContinueWatchingConnection, Error> {
        let caller = Caller::of(context)?;
        let len = page_len(first);
        Ok(continue_watching::page(caller, self.profile_id, len, after.as_deref()).await?)
    }

    /// What was watched, newest first; 1 to 100 at a time.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn history(
        &self,
        context: &Context<'_>,
        #[graphql(default_with = "Some(FIRST_DEFAULT)")] first: Option<i32>,
        after: Option<String>,
    ) -> Result<HistoryConnection, Error> {
        let caller = Caller::of(context)?;
        let len = page_len(first);
        Ok(history::page(caller, self.profile_id, len, after.as_deref()).await?)
    }
}
