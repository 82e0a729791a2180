//! What operators do: lock accounts, close them, and say what they may do.

use playhead_domain::identity::{Ask, Role};
use playhead_domain::{AccountId, Personal};

use super::{Outcome, People};
use crate::context::Context;
use crate::handler::Position;

impl People {
    /// Locks an account; all its sign-ins are void.
    ///
    /// # Errors
    /// [`Invalid`](super::PeopleError::Invalid), [`Identity`](super::PeopleError::Identity), or
    /// something failed.
    pub async fn suspend(
        &self,
        account_id: AccountId,
        reason: String,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        let ask = Ask::Suspend { reason: Personal::Known(reason) };
        Ok(self.ask(account_id, ask, "suspend", context).await?.position)
    }

    /// Unlocks an account.
    ///
    /// # Errors
    /// [`Identity`](super::PeopleError::Identity), or something failed.
    pub async fn reinstate(
        &self,
        account_id: AccountId,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        Ok(self.ask(account_id, Ask::Reinstate, "reinstate", context).await?.position)
    }

    /// Closes an account for good; all its sign-ins are void. What is personal stays until its
    /// owner asks to be forgotten.
    ///
    /// # Errors
    /// [`Identity`](super::PeopleError::Identity), or something failed.
    pub async fn cancel_account(
        &self,
        account_id: AccountId,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        Ok(self.ask(account_id, Ask::Cancel, "cancel", context).await?.position)
    }

    /// Lets an account do more. Access tokens say so from the next refresh on.
    ///
    /// # Errors
    /// [`Identity`](super::PeopleError::Identity), or something failed.
    pub async fn grant_role(
        &self,
        account_id: AccountId,
        role: Role,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        Ok(self.ask(account_id, Ask::GrantRole { role }, "role", context).await?.position)
    }

    /// Lets an account do less. Access tokens that say otherwise are good for up to ten minutes.
    ///
    /// # Errors
    /// [`Identity`](super::PeopleError::Identity), or something failed.
    pub async fn revoke_role(
        &self,
        account_id: AccountId,
        role: Role,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        Ok(self.ask(account_id, Ask::RevokeRole { role }, "role", context).await?.position)
    }
}
