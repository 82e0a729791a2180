//! The account that calls, and who watches in it.

use std::sync::Arc;

use async_graphql::{Context, Error, ID, Object};
use playhead_domain::account::State;
use playhead_domain::{AccountId, ProfileId};

use super::account::Account;
use super::profile::Profile;
use crate::caller::Caller;
use crate::errors::Fault;
use crate::global_id;

/// The account that calls.
#[derive(Clone)]
pub(crate) struct Viewer {
    /// The account.
    pub(crate) account_id: AccountId,
    state: Arc<State>,
    now_ms: i64,
}

impl Viewer {
    /// The account that calls; `None` if it was never opened.
    pub(crate) async fn load(context: &Context<'_>) -> Result<Option<Self>, Error> {
        let caller = Caller::of(context)?;
        Ok(Self::of(caller, caller.account_id()?).await?)
    }

    /// The same for an object that might be anybody's: without a token, there is none.
    pub(crate) async fn for_node(context: &Context<'_>) -> Result<Option<Self>, Error> {
        match Caller::of(context)?.account_id() {
            Ok(_) => Self::load(context).await,
            Err(_) => Ok(None),
        }
    }

    async fn of(caller: &Caller, account_id: AccountId) -> Result<Option<Self>, Fault> {
        let state = account_state(caller, account_id).await?;
        Ok(state.opened.then_some(Self { account_id, state, now_ms: caller.now_ms }))
    }

    pub(crate) fn account(&self) -> Account {
        Account::new(self.account_id)
    }

    /// One of its profiles.
    pub(crate) fn profile_of(&self, profile_id: ProfileId) -> Option<Profile> {
        Profile::of(self.account_id, profile_id, &self.state, self.now_ms)
    }
}

/// An account as it is now.
pub(crate) async fn account_state(
    caller: &Caller,
    account_id: AccountId,
) -> Result<Arc<State>, Fault> {
    let state = caller.services.commands.accounts.state(&account_id).await;
    state.map_err(|error| caller.internal("an account cannot be read", &error))
}

/// The account that calls, and who watches in it.
#[Object]
impl Viewer {
    /// The account.
    #[graphql(name = "account")]
    async fn resolve_account(&self) -> Account {
        self.account()
    }

    /// Its profiles, oldest first.
    async fn profiles(&self) -> Vec<Profile> {
        let ids = self.state.profiles.keys();
        ids.filter_map(|profile_id| self.profile_of(*profile_id)).collect()
    }

    /// One of its profiles, the oldest without an id; null if the account has no such profile.
    async fn profile(&self, id: Option<ID>) -> Option<Profile> {
        let profile_id = match id {
            Some(id) => global_id::profile_of(self.account_id, &id)?,
            None => *self.state.profiles.keys().next()?,
        };
        self.profile_of(profile_id)
    }
}
