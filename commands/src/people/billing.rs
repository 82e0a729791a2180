//! Where the bills of an account go.

use playhead_domain::AccountId;
use playhead_domain::account::{BillingAddress, Command};

use super::{Outcome, People};
use crate::context::Context;
use crate::handler::Position;

impl People {
    /// Sets the address that the bills of a household go to.
    ///
    /// # Errors
    /// [`Invalid`](super::PeopleError::Invalid), [`Account`](super::PeopleError::Account), or
    /// something failed.
    pub async fn set_billing_address(
        &self,
        account_id: AccountId,
        address: BillingAddress,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        let command = Command::SetBillingAddress { account_id, address, at_ms: context.at_ms };
        self.ask_account(account_id, &command, "billing address", context).await
    }
}
