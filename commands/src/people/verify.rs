//! Verifying an address: a code came back.

use playhead_domain::identity::{self, Ask, CodePurpose};
use playhead_domain::ids::{EmailKey, SecretHash};
use playhead_domain::{AccountId, account, email};

use super::{MailedCode, Outcome, People, PeopleError};
use crate::context::Context;
use crate::handler::Position;

/// An account whose address is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The account.
    pub account_id: AccountId,
    /// Where that was recorded.
    pub position: Option<Position>,
}

impl People {
    /// Takes back the code that was sent to the address of a new account. The account is active and
    /// its household open when answered; doing it again changes nothing.
    ///
    /// # Errors
    /// [`PeopleError::InvalidCode`], [`PeopleError::Identity`] with what is wrong with the code,
    /// [`PeopleError::EmailTaken`] if another account took the address over meanwhile, or something
    /// failed.
    pub async fn verify_email(&self, code: &str, context: &Context) -> Outcome<Verified> {
        let MailedCode { account_id, code } =
            MailedCode::parse(code).ok_or(PeopleError::InvalidCode)?;
        let identity = self.identity(account_id).await?;
        let email_key = identity.email_key.ok_or(PeopleError::InvalidCode)?;
        let ask = Ask::VerifyEmail { code_hash: code.hash() };
        let verified = matches!(identity.status(), Some(identity::Status::Active));
        let position = if verified
            || is_good(&identity, CodePurpose::Verification, code.hash(), context.at_ms)
        {
            self.verify_with(account_id, email_key, ask, context).await?
        } else {
            // Nothing is confirmed for a wrong code; it is counted.
            self.redeem(account_id, ask, "verify", context).await?
        };
        Ok(Verified { account_id, position })
    }

    /// Confirms the claim of the address first, because another account may have taken it over; only
    /// then does the identity count it as verified.
    pub(super) async fn verify_with(
        &self,
        account_id: AccountId,
        email_key: EmailKey,
        ask: Ask,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        self.confirm_email(account_id, email_key, context).await?;
        self.redeem(account_id, ask, "verify", context).await?;
        self.open(account_id, context).await
    }

    /// Keeps a claimed address for good.
    pub(super) async fn confirm_email(
        &self,
        account_id: AccountId,
        email_key: EmailKey,
        context: &Context,
    ) -> Outcome<()> {
        let confirm = email::Command::Confirm { email_key, account_id, at_ms: context.at_ms };
        self.ask_email(email_key, confirm, "confirm", context).await.map(|_| ())
    }

    /// Opens the household of an account.
    pub(super) async fn open(
        &self,
        account_id: AccountId,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        let at_ms = context.at_ms;
        let open = account::Command::Open { account_id, at_ms };
        let context = context.branch("open");
        let opened = self.commands().accounts.execute(&account_id, &open, &context).await?;
        Ok(opened.position)
    }

    /// Uses a code; a wrong one, which the identity records, is refused here.
    pub(super) async fn redeem(
        &self,
        account_id: AccountId,
        ask: Ask,
        name: &str,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        let executed = self.ask(account_id, ask, name, context).await?;
        match executed.state.refusal_of(&executed.events) {
            Some(refusal) => Err(refusal.into()),
            None => Ok(executed.position),
        }
    }
}

/// Whether a code is the one that was sent, and still good. The identity decides it again.
pub(super) fn is_good(
    identity: &identity::State,
    purpose: CodePurpose,
    presented: SecretHash,
    at_ms: i64,
) -> bool {
    let sent = identity.code(purpose, presented);
    sent.is_some_and(|sent| {
        sent.hash == presented
            && at_ms < sent.expires_at_ms
            && sent.wrong.len() < identity::WRONG_CODES_MAX
    })
}
