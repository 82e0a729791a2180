//! Moving an account to another address.

use async_graphql::{Context, Error, InputObject, Object};
use playhead_commands::people::MailedCode;

use super::super::errand::Errand;
use super::super::payload;
use crate::caller::Caller;
use crate::limits::Act;

/// Wants another address.
#[derive(InputObject)]
pub(crate) struct ChangeEmailInput {
    /// The other address.
    email: String,
    /// The password of the account.
    password: String,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

/// Brings back the code that was mailed to the other address.
#[derive(InputObject)]
pub(crate) struct ConfirmEmailChangeInput {
    /// What stands behind the # of the link in the mail.
    code: String,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

payload! {
    /// What came of asking for another address.
    ChangeEmailPayload {
        /// The other address, which gets a mail. Until its code comes back the former one counts.
        email: String
    }
}
payload! {
    /// What came of confirming another address.
    ConfirmEmailChangePayload {
        /// True: the other address counts.
        confirmed: bool
    }
}

/// Moving an account to another address.
#[derive(Default)]
pub(crate) struct EmailMutation;

#[Object]
impl EmailMutation {
    /// Mails a code to another address, at most once a minute. The answer is the same if another
    /// account has the address; the mail says so then.
    async fn change_email(
        &self,
        context: &Context<'_>,
        input: ChangeEmailInput,
    ) -> Result<Option<ChangeEmailPayload>, Error> {
        let ChangeEmailInput { email, password, idempotency_key } = input;
        let caller = Caller::of(context)?;
        let errand = Errand::own(caller, "changeEmail", idempotency_key)?;
        caller.count(Act::Login)?;
        let (people, account_id) = (errand.people(), errand.account_id);
        let asked = people.request_email_change(account_id, &password, &email, errand.context());
        let asked = Box::pin(asked).await;
        Ok(errand.done(asked, Some(email))?.into())
    }

    /// Takes back the code that was mailed to another address, which counts from now on.
    async fn confirm_email_change(
        &self,
        context: &Context<'_>,
        input: ConfirmEmailChangeInput,
    ) -> Result<Option<ConfirmEmailChangePayload>, Error> {
        let ConfirmEmailChangeInput { code, idempotency_key } = input;
        let caller = Caller::of(context)?;
        let errand = Errand::of_nobody(caller, "confirmEmailChange", &code, idempotency_key)?;
        let confirmed = errand.people().confirm_email_change(&code, errand.context());
        let mut confirmed = Box::pin(confirmed).await;
        if let Some(shown) = MailedCode::parse(&code) {
            let step = ("confirm change", "EmailChanged");
            confirmed = errand.once(confirmed, shown.account_id, step).await?;
        }
        Ok(errand.done(confirmed, Some(true))?.into())
    }
}
