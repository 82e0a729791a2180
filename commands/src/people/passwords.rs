//! Choosing another password, with the current one or with a code that was mailed.

use playhead_domain::identity::{Ask, CodePurpose, Status};
use playhead_domain::{AccountId, InvalidValue, Personal};
use playhead_identity::password::check_new_password;

use super::verify::is_good;
use super::{MailedCode, Outcome, People, PeopleError, mails};
use crate::context::Context;
use crate::handler::Position;

impl People {
    /// Whether this is the account's password. Somebody who has just typed it has the *account
    /// right*, which lifts limits of profiles. The work is the same if there is no such account.
    ///
    /// # Errors
    /// Something failed.
    pub async fn is_password(&self, account_id: AccountId, password: &str) -> Outcome<bool> {
        let identity = self.identity(account_id).await?;
        let stored = identity.password_hash.as_ref().and_then(Personal::known);
        Ok(self.parts().passwords.verify(stored.map(String::as_str), password).await?)
    }

    /// Chooses another password. All sign-ins of before are void then, that of the caller too.
    ///
    /// # Errors
    /// [`PeopleError::Identity`] if the current password is wrong, [`PeopleError::Invalid`], or
    /// something failed.
    pub async fn change_password(
        &self,
        account_id: AccountId,
        current: &str,
        new: &str,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        let identity = self.identity(account_id).await?;
        let address = identity.email.as_ref().and_then(Personal::known).cloned();
        check_new(new, address.as_deref())?;
        let current_correct = self.is_password(account_id, current).await?;
        let password_hash = Personal::Known(self.parts().passwords.hash(new).await?);
        let ask = Ask::ChangePassword { password_hash, current_correct };
        let executed = self.ask(account_id, ask, "password", context).await?;
        self.tell_of_password(address.as_deref(), context.at_ms).await;
        Ok(executed.position)
    }

    /// Mails a code with which a new password can be chosen, if the address has an account that can
    /// be signed in to, and the last code was sent more than a minute ago. The answer is the same if
    /// not.
    ///
    /// # Errors
    /// Something failed.
    pub async fn request_password_reset(&self, address: &str, context: &Context) -> Outcome<()> {
        let held = self.commands().emails.state(&self.email_key(address)).await?;
        let Some(account_id) = held.account_id() else { return Ok(()) };
        let code = self.code_of("new password", account_id, context)?;
        let ask = Ask::RequestPasswordReset { code_hash: code.hash() };
        let state = match self.ask(account_id, ask, "reset", context).await {
            Ok(executed) => executed.state,
            // Also if the same command sent it a moment ago: its mail may not have gone out.
            Err(PeopleError::Identity(_)) => self.identity(account_id).await?,
            Err(error) => return Err(error),
        };
        let sent = state.codes.get(&CodePurpose::PasswordReset);
        let address = state.email.as_ref().and_then(Personal::known);
        let (Some(address), true) = (address, sent.is_some_and(|sent| code.matches(sent.hash)))
        else {
            return Ok(());
        };
        let message = mails::password_reset(&self.parts().settings, address, account_id, &code);
        Ok(self.parts().mailer.send(&message, context.at_ms).await?)
    }

    /// Chooses a new password with the code that was mailed. All sign-ins of before are void then. An
    /// account that waits for its address to be verified is active then, and its household open.
    ///
    /// # Errors
    /// [`PeopleError::InvalidCode`], [`PeopleError::Identity`] with what is wrong with the code,
    /// [`PeopleError::Invalid`], [`PeopleError::EmailTaken`] if another account took over the address
    /// of one that is not verified, or something failed.
    pub async fn reset_password(
        &self,
        code: &str,
        new: &str,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        let MailedCode { account_id, code } =
            MailedCode::parse(code).ok_or(PeopleError::InvalidCode)?;
        let identity = self.identity(account_id).await?;
        let address = identity.email.as_ref().and_then(Personal::known).cloned();
        check_new(new, address.as_deref())?;
        let password_hash = Personal::Known(self.parts().passwords.hash(new).await?);
        let good = is_good(&identity, CodePurpose::PasswordReset, code.hash(), context.at_ms);
        let ask = Ask::ResetPassword { code_hash: code.hash(), password_hash };
        if good
            && identity.status() == Some(Status::PendingVerification)
            && let Some(email_key) = identity.email_key
        {
            // The code proves the address. Both before the code is used up, so that the same command
            // goes on if it died in between.
            self.confirm_email(account_id, email_key, context).await?;
            self.open(account_id, context).await?;
        }
        let position = self.redeem(account_id, ask, "reset", context).await?;
        if good {
            self.tell_of_password(address.as_deref(), context.at_ms).await;
        }
        Ok(position)
    }

    /// Whoever changed the password need not be its owner. What was done stays done if this mail
    /// does not go out.
    async fn tell_of_password(&self, address: Option<&str>, at_ms: i64) {
        let Some(address) = address else { return };
        let message = mails::password_changed(&self.parts().settings, address);
        if let Err(error) = self.parts().mailer.send(&message, at_ms).await {
            tracing::warn!(%error, "nobody was told that a password was changed");
        }
    }

    /// Hashes a password anew, that was hashed with other parameters. It changes nothing for the
    /// person, so a failure is not theirs.
    pub(super) async fn rehash(
        &self,
        account_id: AccountId,
        former_hash: &str,
        password: &str,
        context: &Context,
    ) {
        let rehashed = async {
            let password_hash = Personal::Known(self.parts().passwords.hash(password).await?);
            let former_hash = Personal::Known(former_hash.to_owned());
            let ask = Ask::RehashPassword { former_hash, password_hash };
            self.ask(account_id, ask, "rehash", context).await
        };
        if let Err(error) = rehashed.await {
            tracing::warn!(%account_id, %error, "a password could not be hashed anew");
        }
    }

    /// Whether an account can be signed in to.
    pub(super) async fn is_active(&self, account_id: AccountId) -> Outcome<bool> {
        Ok(self.identity(account_id).await?.status() == Some(Status::Active))
    }
}

/// Whether this can be the new password of an account; `new_password` is the field.
fn check_new(new: &str, address: Option<&str>) -> Result<(), InvalidValue> {
    let named = |invalid| InvalidValue { field: "new_password", ..invalid };
    check_new_password(new, address.unwrap_or_default()).map_err(named)
}
