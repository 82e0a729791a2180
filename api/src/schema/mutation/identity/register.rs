//! Registering. No answer tells whether an address has an account, nor does the time that it takes:
//! what depends on that is done after the answer.

use async_graphql::{Context, Error, ID, InputObject, Object};
use playhead_commands::people::{Promise, Register};
use playhead_domain::{AccountId, email};
use playhead_identity::password::check_new_password;

use super::super::errand::Errand;
use super::super::{Outcome, payload};
use crate::caller::Caller;
use crate::errors::Fault;
use crate::global_id::GlobalId;
use crate::limits::Act;
use crate::schema::me::ConsentPurpose;

/// The most uses of data that can be allowed at once; there are fewer.
const CONSENTS_MAX: usize = 10;

/// A use of data to allow.
#[derive(Debug, InputObject)]
pub(crate) struct ConsentInput {
    /// The use.
    purpose: ConsentPurpose,
    /// The version of the text that was shown, from 1.
    policy_version: u32,
}

/// Wants an account.
#[derive(InputObject)]
pub(crate) struct RegisterInput {
    /// The e-mail address.
    email: String,
    /// The password, 8 to 128 characters, none of those that are tried first.
    password: String,
    /// The uses of data that the person allows.
    #[graphql(default)]
    consents: Vec<ConsentInput>,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

/// Wants the mail with the code again.
#[derive(InputObject)]
pub(crate) struct ResendVerificationInput {
    /// The e-mail address.
    email: String,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

/// Brings back the code that was mailed.
#[derive(InputObject)]
pub(crate) struct VerifyEmailInput {
    /// What stands behind the # of the link in the mail.
    code: String,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

payload! {
    /// What came of registering.
    RegisterPayload {
        /// The address that gets a mail.
        email: String
    }
}
payload! {
    /// What came of asking for the mail again.
    ResendVerificationPayload {
        /// The address that gets a mail, if it belongs to an account that waits for one.
        email: String
    }
}
payload! {
    /// What came of verifying an address.
    VerifyEmailPayload {
        /// The global id of the account, which can be signed in to now.
        account_id: ID
    }
}

/// Registering.
#[derive(Default)]
pub(crate) struct RegisterMutation;

#[Object]
impl RegisterMutation {
    /// Opens an account that waits for its address to be verified, and mails a code there. The
    /// answer is the same if the address has an account already; the mail says so then.
    async fn register(
        &self,
        context: &Context<'_>,
        input: RegisterInput,
    ) -> Result<Option<RegisterPayload>, Error> {
        Ok(register(Caller::of(context)?, input).await?.into())
    }

    /// Mails the code for a new account again, at most once a minute. The answer is the same if no
    /// account waits for it.
    async fn resend_verification(
        &self,
        context: &Context<'_>,
        input: ResendVerificationInput,
    ) -> Result<Option<ResendVerificationPayload>, Error> {
        let ResendVerificationInput { email, idempotency_key } = input;
        let caller = Caller::of(context)?;
        caller.count(Act::Registration)?;
        let errand = Errand::of_address(caller, "resendVerification", &email, idempotency_key)?;
        errand.later(Promise::ResendVerification(email.clone())).await?;
        Ok(Outcome::done(Some(email), None).into())
    }

    /// Takes back the code that was mailed to a new account; it can be signed in to then.
    async fn verify_email(
        &self,
        context: &Context<'_>,
        input: VerifyEmailInput,
    ) -> Result<Option<VerifyEmailPayload>, Error> {
        let VerifyEmailInput { code, idempotency_key } = input;
        let caller = Caller::of(context)?;
        let errand = Errand::of_nobody(caller, "verifyEmail", &code, idempotency_key)?;
        let outcome = match errand.people().verify_email(&code, errand.context()).await {
            Ok(verified) => {
                let id = GlobalId::Account(verified.account_id).into();
                Outcome::done(Some(id), verified.position)
            }
            Err(error) => errand.refused(error)?,
        };
        Ok(outcome.into())
    }
}

async fn register(caller: &Caller, input: RegisterInput) -> Result<Outcome<String>, Fault> {
    let RegisterInput { email, password, consents, idempotency_key } = input;
    let email = email::normalized(&email);
    caller.count(Act::Registration)?;
    let errand = Errand::of_address(caller, "register", &email, idempotency_key)?;
    if !email::is_address(&email) {
        let rule = "an e-mail address of at most 254 bytes, such as ana@example.org";
        return Ok(errand.invalid("email", rule));
    }
    if let Err(invalid) = check_new_password(&password, &email) {
        return Ok(errand.refuse(invalid));
    }
    if consents.len() > CONSENTS_MAX || consents.iter().any(|consent| consent.policy_version == 0) {
        return Ok(errand.invalid("consents", "at most 10, with versions from 1"));
    }
    let consents = consents.into_iter();
    let wish = Register {
        account_id: AccountId(errand.new_id()),
        email: email.clone(),
        password,
        consents: consents.map(|it| (it.purpose.into(), it.policy_version)).collect(),
    };
    errand.later(Promise::Register(wish)).await?;
    Ok(Outcome::done(Some(email), None))
}
