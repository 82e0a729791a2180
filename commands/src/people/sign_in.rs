//! Signing in with address and password.

use playhead_domain::identity::Status;
use playhead_domain::sign_in::{self, Begin, Method, SignInKey};
use playhead_domain::{AccountId, DeviceId, Personal, SignInId};
use playhead_identity::password::needs_rehash;
use playhead_identity::refresh_token::RefreshToken;

use super::{Outcome, People, PeopleError, Tokens};
use crate::context::Context;

/// Somebody wants to sign in.
#[derive(Clone)]
pub struct SignInWish {
    /// The address, however it is spelled.
    pub email: String,
    /// The password.
    pub password: String,
    /// The new sign-in.
    pub sign_in_id: SignInId,
    /// The device, which chose its id when it was installed. It is registered when it first plays
    /// something.
    pub device_id: DeviceId,
}

impl People {
    /// Begins a sign-in, if address and password belong together. The work is the same whether or
    /// not the address has an account.
    ///
    /// # Errors
    /// [`PeopleError::WrongCredentials`]; only to those who know the password
    /// [`PeopleError::AccountNotActive`], [`PeopleError::DeviceRemoved`] or
    /// [`PeopleError::Repeated`]; or something failed.
    pub async fn sign_in(&self, wish: SignInWish, context: &Context) -> Outcome<Tokens> {
        let held = self.commands().emails.state(&self.email_key(&wish.email)).await?;
        // A look at an identity that nobody has takes as long as one that somebody has.
        let account_id = held.account_id();
        let identity = self.identity(account_id.unwrap_or(AccountId(wish.sign_in_id.0))).await?;
        let stored = identity.password_hash.as_ref().and_then(Personal::known);
        let stored = stored.filter(|_| account_id.is_some()).map(String::as_str);
        let right = self.parts().passwords.verify(stored, &wish.password).await?;
        let (Some(account_id), true) = (account_id, right) else {
            return Err(PeopleError::WrongCredentials);
        };
        let wanted = Wanted {
            account_id,
            sign_in_id: wish.sign_in_id,
            device_id: wish.device_id,
            method: Method::Password,
        };
        let tokens = self.begin(wanted, context).await?;
        if let Some(former_hash) = stored.filter(|stored| needs_rehash(stored)) {
            self.rehash(account_id, former_hash, &wish.password, context).await;
        }
        Ok(tokens)
    }

    /// Begins a sign-in of somebody who proved who they are.
    pub(super) async fn begin(&self, wanted: Wanted, context: &Context) -> Outcome<Tokens> {
        let Wanted { account_id, sign_in_id, device_id, method } = wanted;
        let refresh_token =
            RefreshToken::generate(account_id, sign_in_id, sign_in::FIRST_GENERATION)?;
        let begin = Begin {
            account_id,
            sign_in_id,
            device_id,
            method,
            refresh_hash: refresh_token.hash(),
            status: self.status(account_id).await?,
            device_known: self.is_device_welcome(account_id, device_id).await?,
            at_ms: context.at_ms,
        };
        let key = SignInKey { account_id, sign_in_id };
        let context = context.branch("begin");
        let command = sign_in::Command::Begin(begin);
        let executed = self.commands().sign_ins.execute(&key, &command, &context).await?;
        match *executed.state {
            sign_in::State::Running(running) if refresh_token.matches(running.refresh_hash) => {
                self.tokens(&refresh_token, &running, executed.position, context.at_ms).await
            }
            _ => Err(PeopleError::Repeated),
        }
    }

    /// How an account stands.
    pub(super) async fn status(&self, account_id: AccountId) -> Outcome<Status> {
        self.identity(account_id).await?.status().ok_or(PeopleError::WrongCredentials)
    }

    /// Whether a device may be signed in: it was not removed. It need not be registered yet.
    pub(super) async fn is_device_welcome(
        &self,
        account_id: AccountId,
        device_id: DeviceId,
    ) -> Outcome<bool> {
        let devices = self.commands().devices.state(&account_id).await?;
        Ok(!devices.removed.contains(&device_id))
    }
}

/// A sign-in that is to begin.
pub(super) struct Wanted {
    pub(super) account_id: AccountId,
    pub(super) sign_in_id: SignInId,
    pub(super) device_id: DeviceId,
    pub(super) method: Method,
}
