//! Taking one's data along, and being forgotten.

use async_graphql::{Context, Error, InputObject, Json, Object};
use serde_json::Value;

use super::errand::Errand;
use super::{Outcome, payload};
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
    /// What came of asking for everything that is known.
    ExportMyDataPayload {
        /// All that was recorded of the account, in clear: the document that GET /me/export answers.
        document: Json<Value>
    }
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

/// Taking one's data along, and being forgotten.
#[derive(Default)]
pub(crate) struct ErasureMutation;

#[Object]
impl ErasureMutation {
    /// Everything that is known of the caller, in clear and without hashes (GDPR, articles 15 and
    /// 20). Nothing is recorded. GET /me/export answers the same as a file.
    async fn export_my_data(
        &self,
        context: &Context<'_>,
    ) -> Result<Option<ExportMyDataPayload>, Error> {
        let caller = Caller::of(context)?;
        let exported = caller.services.people.export(caller.account_id()?).await;
        let document = exported.map_err(|error| caller.fault(error))?;
        Ok(Outcome::done(Some(Json(document)), None).into())
    }

    /// Asks for everything personal to be forgotten, after a time to change one's mind. Take the
    /// data along before, with exportMyData or GET /me/export.
    async fn erase_me(
        &self,
        context: &Context<'_>,
        input: Option<EraseMeInput>,
    ) -> Result<Option<EraseMePayload>, Error> {
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
    ) -> Result<Option<WithdrawErasurePayload>, Error> {
        let WithdrawErasureInput { idempotency_key } = input.unwrap_or_default();
        let caller = Caller::of(context)?;
        let errand = Errand::own(caller, "withdrawErasure", idempotency_key)?;
        let account_id = errand.account_id;
        let stayed = errand.people().withdraw_erasure(account_id, errand.context()).await;
        Ok(errand.done(stayed, Me::load(caller, account_id).await?)?.into())
    }
}
