//! Keeping a sign-in up, and ending it.

use playhead_domain::identity::{Ask, State};
use playhead_domain::sign_in::{self, EndReason, Method, Refresh, SignInKey};
use playhead_domain::{AccountId, DeviceId, SignInId};
use playhead_identity::refresh_token::RefreshToken;

use super::{Outcome, People, PeopleError, Tokens};
use crate::context::Context;
use crate::handler::Position;

impl People {
    /// Exchanges a refresh token for other tokens. One that was exchanged before ends the sign-in,
    /// because it is in two hands. A device that says who it is must be that of the sign-in; if it
    /// is not, the token stays as it was.
    ///
    /// # Errors
    /// [`PeopleError::InvalidToken`], [`PeopleError::SignInEnded`], [`PeopleError::Repeated`] if
    /// this very command was carried out before, or something failed.
    pub async fn refresh(
        &self,
        refresh_token: &str,
        device_id: Option<DeviceId>,
        context: &Context,
    ) -> Outcome<Tokens> {
        let shown = RefreshToken::parse(refresh_token).ok_or(PeopleError::InvalidToken)?;
        let (account_id, sign_in_id) = (shown.account_id(), shown.sign_in_id());
        let key = SignInKey { account_id, sign_in_id };
        let sign_in::State::Running(running) = *self.commands().sign_ins.state(&key).await? else {
            return Err(self.why_over(&key).await);
        };
        let next = shown.generation().saturating_add(1);
        let new = RefreshToken::generate(account_id, sign_in_id, next)?;
        let identity = self.identity(account_id).await?;
        let command = sign_in::Command::Refresh(Refresh {
            account_id,
            sign_in_id,
            device_id,
            generation: shown.generation(),
            presented_hash: shown.hash(),
            new_hash: new.hash(),
            status: self.status(account_id).await?,
            signed_in_from_ms: identity.signed_in_from_ms,
            device_known: self.is_device_welcome(account_id, running.device_id).await?,
            at_ms: context.at_ms,
        });
        let context = context.branch("refresh");
        let executed = self.commands().sign_ins.execute(&key, &command, &context).await?;
        match *executed.state {
            sign_in::State::Running(running) if new.matches(running.refresh_hash) => {
                self.tokens(&new, &running, executed.position, context.at_ms).await
            }
            sign_in::State::Ended { reason } => {
                Err(PeopleError::SignInEnded { reason, position: executed.position })
            }
            // The log knows the command, so nothing was recorded now.
            _ => Err(PeopleError::Repeated),
        }
    }

    async fn why_over(&self, key: &SignInKey) -> PeopleError {
        match self.commands().sign_ins.state(key).await.as_deref() {
            Ok(sign_in::State::Ended { reason }) => {
                PeopleError::SignInEnded { reason: *reason, position: None }
            }
            _ => PeopleError::InvalidToken,
        }
    }

    /// Whether an access token's sign-in still holds: it has not ended, the account's sign-ins of
    /// then are not void and its device was not removed. From the newest state of the log.
    ///
    /// # Errors
    /// The log failed.
    pub async fn is_signed_in(&self, account_id: AccountId, sign_in_id: SignInId) -> Outcome<bool> {
        let key = SignInKey { account_id, sign_in_id };
        let sign_in::State::Running(running) = *self.commands().sign_ins.state(&key).await? else {
            return Ok(false);
        };
        let identity: &State = &*self.identity(account_id).await?;
        Ok(running.began_at_ms >= identity.signed_in_from_ms
            && self.is_device_welcome(account_id, running.device_id).await?)
    }

    /// Whether somebody proved to be the account's owner when a sign-in that still runs began: by
    /// the password or at an identity provider. A device that another one let in proves nothing of
    /// whoever holds it.
    ///
    /// # Errors
    /// The log failed.
    pub async fn was_proven(&self, account_id: AccountId, sign_in_id: SignInId) -> Outcome<bool> {
        let key = SignInKey { account_id, sign_in_id };
        Ok(match *self.commands().sign_ins.state(&key).await? {
            sign_in::State::Running(running) => match running.method {
                Method::Password | Method::OutsideIdentity => true,
                Method::DeviceCode => false,
            },
            sign_in::State::Unknown | sign_in::State::Ended { .. } => false,
        })
    }

    /// Ends a sign-in.
    ///
    /// # Errors
    /// [`PeopleError::InvalidToken`] if there never was one, or something failed.
    pub async fn sign_out(
        &self,
        account_id: AccountId,
        sign_in_id: SignInId,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        self.end_sign_in(account_id, sign_in_id, EndReason::SignedOut, context).await
    }

    pub(super) async fn end_sign_in(
        &self,
        account_id: AccountId,
        sign_in_id: SignInId,
        reason: EndReason,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        let at_ms = context.at_ms;
        let command = sign_in::Command::End { account_id, sign_in_id, reason, at_ms };
        let key = SignInKey { account_id, sign_in_id };
        let context = context.branch(&format!("end {sign_in_id}"));
        let executed = self.commands().sign_ins.execute(&key, &command, &context).await?;
        Ok(executed.position)
    }

    /// Ends all sign-ins of an account that began before now.
    ///
    /// # Errors
    /// [`PeopleError::Identity`] if there is no such account, or something failed.
    pub async fn sign_out_everywhere(
        &self,
        account_id: AccountId,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        let executed = self.ask(account_id, Ask::SignOutEverywhere, "sign out", context).await?;
        Ok(executed.position)
    }
}
