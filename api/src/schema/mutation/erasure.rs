//! Being forgotten.

use async_graphql::{Context, Error, InputObject, Object};

use super::errand::Errand;
use super::payload;
use crate::caller::Caller;
use crate::schema::me::Me;

/// Asks to be forgotten.
#[derive(Default, InputObject)]
pub(crate) struct EraseMeInput {
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

/// Stays after all.
#[derive(Default, InputObject)]
pub(crate) struct WithdrawErasureInput {
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

payload! {
    /// What came of asking to be forgotten.
    EraseMePayload {
        /// The person behind the account; erasureDueAt says when everything personal is forgotten.
        me: Me
    }
}
payload! {
    /// What came of staying.
    WithdrawErasurePayload {
        /// The person behind the account.
        me: Me
    }
}

/// Being forgotten.
#[derive(Default)]
pub(crate) struct ErasureMutation;

#[Object]
impl ErasureMutation {
    /// Asks for everything personal to be forgotten, after a time to change one's mind. Take the
    /// data along before, with GET /me/export.
    async fn erase_me(
        &self,
        context: &Context<'_>,
        input: Option<EraseMeInput>,
    ) -> Result<EraseMePayload, Error> {
        let EraseMeInput { idempotency_key } = input.unwrap_or_default();
        let caller = Caller::of(context)?;
        let errand = Errand::own(caller, "eraseMe", idempotency_key)?;
        let account_id = errand.account_id;
        let asked = errand.people().request_erasure(account_id, errand.context()).await;
        Ok(errand.done(asked, Me::load(caller, account_id).await?)?.into())
    }

    /// Stays after all.
    async fn withdraw_erasure(
        &self,
        context: &Context<'_>,
        input: Option<WithdrawErasureInput>,
    ) -> Result<WithdrawErasurePayload, Error> {
        let WithdrawErasureInput { idempotency_key } = input.unwrap_or_default();
        let caller = Caller::of(context)?;
        let errand = Errand::own(caller, "withdrawErasure", idempotency_key)?;
        let account_id = errand.account_id;
        let stayed = errand.people().withdraw_erasure(account_id, errand.context()).await;
        Ok(errand.done(stayed, Me::load(caller, account_id).await?)?.into())
    }
}
