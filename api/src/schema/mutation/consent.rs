//! What people say about their data: what it may be used for, and where bills go.

use async_graphql::{Context, Error, InputObject, Object};
use playhead_domain::account::BillingAddress;
use playhead_domain::{Personal, Territory};

use super::errand::Errand;
use super::payload;
use crate::caller::Caller;
use crate::schema::me::{ConsentPurpose, Me};

/// Allows a use of data.
#[derive(InputObject)]
pub(crate) struct GiveConsentInput {
    /// The use.
    purpose: ConsentPurpose,
    /// The version of the text that was shown, from 1.
    policy_version: u32,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

/// Forbids a use of data.
#[derive(InputObject)]
pub(crate) struct WithdrawConsentInput {
    /// The use.
    purpose: ConsentPurpose,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

/// Says where bills go.
#[derive(InputObject)]
pub(crate) struct SetBillingAddressInput {
    /// The country, as ISO 3166-1 alpha-2 has it.
    country: String,
    /// The name and the address below it: 1 to 6 lines of 1 to 100 characters.
    lines: Vec<String>,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

payload! {
    /// What came of allowing a use of data.
    GiveConsentPayload {
        /// The person behind the account.
        me: Me
    }
}
payload! {
    /// What came of forbidding a use of data.
    WithdrawConsentPayload {
        /// The person behind the account.
        me: Me
    }
}
payload! {
    /// What came of saying where bills go.
    SetBillingAddressPayload {
        /// The person behind the account.
        me: Me
    }
}

/// What people say about their data.
#[derive(Default)]
pub(crate) struct ConsentMutation;

#[Object]
impl ConsentMutation {
    /// Allows a use of data, as a version of a text describes it.
    async fn give_consent(
        &self,
        context: &Context<'_>,
        input: GiveConsentInput,
    ) -> Result<Option<GiveConsentPayload>, Error> {
        let GiveConsentInput { purpose, policy_version, idempotency_key } = input;
        let caller = Caller::of(context)?;
        let errand = Errand::own(caller, "giveConsent", idempotency_key)?;
        let (people, account_id) = (errand.people(), errand.account_id);
        let purpose = purpose.into();
        let given = people.give_consent(account_id, purpose, policy_version, errand.context());
        let given = given.await;
        Ok(errand.done(given, Me::load(caller, account_id).await?)?.into())
    }

    /// Forbids a use of data again.
    async fn withdraw_consent(
        &self,
        context: &Context<'_>,
        input: WithdrawConsentInput,
    ) -> Result<Option<WithdrawConsentPayload>, Error> {
        let WithdrawConsentInput { purpose, idempotency_key } = input;
        let caller = Caller::of(context)?;
        let errand = Errand::own(caller, "withdrawConsent", idempotency_key)?;
        let (people, account_id) = (errand.people(), errand.account_id);
        let withdrawn = people.withdraw_consent(account_id, purpose.into(), errand.context()).await;
        Ok(errand.done(withdrawn, Me::load(caller, account_id).await?)?.into())
    }

    /// Says where the bills of the household go.
    async fn set_billing_address(
        &self,
        context: &Context<'_>,
        input: SetBillingAddressInput,
    ) -> Result<Option<SetBillingAddressPayload>, Error> {
        let SetBillingAddressInput { country, lines, idempotency_key } = input;
        let caller = Caller::of(context)?;
        let errand = Errand::own(caller, "setBillingAddress", idempotency_key)?;
        let Ok(country) = country.parse::<Territory>() else {
            return Ok(errand.invalid("country", "an ISO 3166-1 alpha-2 code").into());
        };
        let account_id = errand.account_id;
        let address = BillingAddress { country, lines: Personal::Known(lines) };
        let set = errand.people().set_billing_address(account_id, address, errand.context()).await;
        Ok(errand.done(set, Me::load(caller, account_id).await?)?.into())
    }
}
