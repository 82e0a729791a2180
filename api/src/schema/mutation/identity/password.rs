//! Choosing another password.

use async_graphql::{Context, Error, InputObject, Object};
use playhead_commands::people::MailedCode;
use playhead_commands::people::Promise;

use super::super::errand::Errand;
use super::super::{Outcome, payload};
use crate::caller::Caller;
use crate::limits::Act;
use crate::schema::me::Me;

/// Chooses another password.
#[derive(InputObject)]
pub(crate) struct ChangePasswordInput {
    /// The password of now.
    current_password: String,
    /// The new one, 8 to 128 characters, none of those that are tried first.
    new_password: String,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

/// Has forgotten the password.
#[derive(InputObject)]
pub(crate) struct RequestPasswordResetInput {
    /// The e-mail address.
    email: String,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

/// Chooses a new password with the code that was mailed.
#[derive(InputObject)]
pub(crate) struct ResetPasswordInput {
    /// What stands behind the # of the link in the mail.
    code: String,
    /// The new password, 8 to 128 characters, none of those that are tried first.
    new_password: String,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

payload! {
    /// What came of changing the password.
    ChangePasswordPayload {
        /// The person behind the account.
        me: Me
    }
}
payload! {
    /// What came of asking for a new password.
    RequestPasswordResetPayload {
        /// The address that gets a mail, if it belongs to an account that can be signed in to.
        email: String
    }
}
payload! {
    /// What came of choosing a new password.
    ResetPasswordPayload {
        /// True: the new password counts.
        reset: bool
    }
}

/// Choosing another password.
#[derive(Default)]
pub(crate) struct PasswordMutation;

#[Object]
impl PasswordMutation {
    /// Chooses another password. All sign-ins of before are over then, that of the caller too.
    async fn change_password(
        &self,
        context: &Context<'_>,
        input: ChangePasswordInput,
    ) -> Result<Option<ChangePasswordPayload>, Error> {
        let ChangePasswordInput { current_password, new_password, idempotency_key } = input;
        let caller = Caller::of(context)?;
        let errand = Errand::own(caller, "changePassword", idempotency_key)?;
        caller.count(Act::Login)?;
        let account_id = errand.account_id;
        let changed = errand.people().change_password(
            account_id,
            &current_password,
            &new_password,
            errand.context(),
        );
        let changed = Box::pin(changed).await;
        let changed = errand.once(changed, account_id, ("password", "PasswordChanged")).await?;
        let me = Me::load(caller, account_id).await?;
        Ok(errand.voided(changed, me).await?.into())
    }

    /// Mails a code with which a new password can be chosen, at most once a minute. The answer is
    /// the same if the address has no account.
    async fn request_password_reset(
        &self,
        context: &Context<'_>,
        input: RequestPasswordResetInput,
    ) -> Result<Option<RequestPasswordResetPayload>, Error> {
        let RequestPasswordResetInput { email, idempotency_key } = input;
        let caller = Caller::of(context)?;
        caller.count(Act::Registration)?;
        let errand = Errand::of_address(caller, "requestPasswordReset", &email, idempotency_key)?;
        errand.later(Promise::RequestPasswordReset(email.clone())).await?;
        Ok(Outcome::done(Some(email), None).into())
    }

    /// Chooses a new password with the code that was mailed. All sign-ins of before are over then.
    async fn reset_password(
        &self,
        context: &Context<'_>,
        input: ResetPasswordInput,
    ) -> Result<Option<ResetPasswordPayload>, Error> {
        let ResetPasswordInput { code, new_password, idempotency_key } = input;
        let caller = Caller::of(context)?;
        caller.count(Act::Login)?;
        let errand = Errand::of_nobody(caller, "resetPassword", &code, idempotency_key)?;
        let reset = errand.people().reset_password(&code, &new_password, errand.context());
        let mut reset = Box::pin(reset).await;
        if let Some(shown) = MailedCode::parse(&code) {
            reset = errand.once(reset, shown.account_id, ("reset", "PasswordReset")).await?;
        }
        Ok(errand.voided(reset, Some(true)).await?.into())
    }
}
