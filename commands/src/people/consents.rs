//! Which uses of their data people allow.

use playhead_domain::AccountId;
use playhead_domain::identity::{Ask, ConsentPurpose};

use super::{Outcome, People};
use crate::context::Context;
use crate::handler::Position;

impl People {
    /// Allows a use of data, as a version of a text describes it.
    ///
    /// # Errors
    /// [`Invalid`](super::PeopleError::Invalid), [`Identity`](super::PeopleError::Identity), or
    /// something failed.
    pub async fn give_consent(
        &self,
        account_id: AccountId,
        purpose: ConsentPurpose,
        policy_version: u32,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        let ask = Ask::GiveConsent { purpose, policy_version };
        Ok(self.ask(account_id, ask, "consent", context).await?.position)
    }

    /// Forbids it again.
    ///
    /// # Errors
    /// [`Identity`](super::PeopleError::Identity), or something failed.
    pub async fn withdraw_consent(
        &self,
        account_id: AccountId,
        purpose: ConsentPurpose,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        let ask = Ask::WithdrawConsent { purpose };
        Ok(self.ask(account_id, ask, "consent", context).await?.position)
    }
}
