//! Signing in a device without a keyboard from another one (RFC 8628).

use playhead_domain::device_code::{self, Answer, Command, Poll, Refusal};
use playhead_domain::devices::DeviceKind;
use playhead_domain::sign_in::Method;
use playhead_domain::{AccountId, DeviceCodeKey, DeviceId, SignInId};
use playhead_identity::one_time_code::{DeviceCode, UserCode};
use uuid::Uuid;

use super::sign_in::Wanted;
use super::{Outcome, People, PeopleError, Tokens};
use crate::context::Context;
use crate::handler::Position;

/// The codes of a device that wants to be signed in (RFC 8628, section 3.2).
#[derive(Clone)]
pub struct DeviceCodeHandedOut {
    /// What the device polls with; nobody else may have it.
    pub device_code: String,
    /// What it shows.
    pub user_code: String,
    /// Where people type it.
    pub verification_uri: String,
    /// The same with the code in it, for a QR code.
    pub verification_uri_complete: String,
    /// The first moment at which both are void, in milliseconds since 1970-01-01 UTC.
    pub expires_at_ms: i64,
    /// How long the device waits between two polls, in milliseconds.
    pub interval_ms: u32,
    /// A read model that has passed this place finds the device by its user code.
    pub position: Option<Position>,
}

/// A device that asks whether it is let in.
#[derive(Debug, Clone)]
pub struct PolledDevice {
    /// The device code.
    pub device_code: String,
    /// The device, which chose its id when it was installed.
    pub device_id: DeviceId,
}

impl People {
    /// Hands out codes to a device that nobody is signed in on. No other can use them.
    ///
    /// # Errors
    /// [`PeopleError::Repeated`], or something failed.
    pub async fn request_device_code(
        &self,
        device_id: DeviceId,
        kind: DeviceKind,
        context: &Context,
    ) -> Outcome<DeviceCodeHandedOut> {
        let (device_code, user_code) = (DeviceCode::generate()?, UserCode::generate()?);
        let device_code_key = device_code.key();
        let command = Command::Request {
            device_code_key,
            user_code_hash: self.user_code_hash(&user_code),
            device_id,
            kind,
            at_ms: context.at_ms,
        };
        let context = context.branch("device code");
        let codes = &self.commands().device_codes;
        let executed = codes.execute(&device_code_key, &command, &context).await?;
        let handed_out = executed.state.as_ref().as_ref().ok_or(PeopleError::Repeated)?;
        let verification_uri = format!("{}/device", self.parts().settings.link_base);
        Ok(DeviceCodeHandedOut {
            device_code: device_code.reveal().to_owned(),
            user_code: user_code.to_string(),
            verification_uri_complete: format!("{verification_uri}#{user_code}"),
            verification_uri,
            expires_at_ms: handed_out.expires_at_ms,
            interval_ms: handed_out.interval_ms,
            position: executed.position,
        })
    }

    /// What the device that shows a code is, for whoever is asked to let it in.
    ///
    /// # Errors
    /// [`PeopleError::UnknownUserCode`], or something failed.
    pub async fn device_with_code(&self, user_code: &str, at_ms: i64) -> Outcome<DeviceKind> {
        let key = self.find_device_code(user_code).await?;
        let code = *self.commands().device_codes.state(&key).await?;
        let waiting =
            code.filter(|code| code.answer == Answer::Pending && at_ms < code.expires_at_ms);
        Ok(waiting.ok_or(PeopleError::UnknownUserCode)?.kind)
    }

    /// Lets the device that shows a code sign in to an account.
    ///
    /// # Errors
    /// [`PeopleError::UnknownUserCode`], [`PeopleError::AccountNotActive`],
    /// [`PeopleError::DeviceCode`], or something failed.
    pub async fn approve_device(
        &self,
        account_id: AccountId,
        user_code: &str,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        if !self.is_active(account_id).await? {
            return Err(PeopleError::AccountNotActive { status: self.status(account_id).await? });
        }
        let device_code_key = self.find_device_code(user_code).await?;
        let command = Command::Approve { device_code_key, account_id, at_ms: context.at_ms };
        self.ask_device_code(device_code_key, &command, context).await
    }

    /// Keeps the device that shows a code out.
    ///
    /// # Errors
    /// [`PeopleError::UnknownUserCode`], [`PeopleError::DeviceCode`], or something failed.
    pub async fn deny_device(
        &self,
        user_code: &str,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        let device_code_key = self.find_device_code(user_code).await?;
        let command = Command::Deny { device_code_key, at_ms: context.at_ms };
        self.ask_device_code(device_code_key, &command, context).await
    }

    /// Answers a device that asks whether it is let in: with tokens, once.
    ///
    /// If the answer is lost before the sign-in is recorded, asking again goes on; if it is lost
    /// afterwards, the device asks for other codes.
    ///
    /// # Errors
    /// [`PeopleError::DeviceCode`] with the
    /// [error of RFC 8628](device_code::Refusal::oauth_error), [`PeopleError::Repeated`],
    /// [`PeopleError::AccountNotActive`], [`PeopleError::DeviceRemoved`], or something failed.
    pub async fn poll_device_code(
        &self,
        polled: PolledDevice,
        context: &Context,
    ) -> Outcome<Tokens> {
        let refused = PeopleError::DeviceCode;
        let device_code = DeviceCode::parse(&polled.device_code);
        let device_code_key = device_code.ok_or(refused(Refusal::ExpiredToken))?.key();
        // One for each device code, so that a poll that died half-way is gone on with.
        let sign_in_id = SignInId(Uuid::new_v5(&Uuid::NAMESPACE_OID, &device_code_key.0));
        let (device_id, at_ms) = (polled.device_id, context.at_ms);
        let last_polled_at_ms = self.shared.polled.get(&device_code_key);
        let poll = Poll { device_code_key, device_id, sign_in_id, last_polled_at_ms, at_ms };
        let branch = context.branch("poll");
        let codes = &self.commands().device_codes;
        let executed = codes.execute(&device_code_key, &Command::Poll(poll), &branch).await;
        let of_device = |code: &device_code::Code| code.device_id.is_none_or(|id| id == device_id);
        if codes.state(&device_code_key).await?.as_ref().as_ref().is_some_and(of_device) {
            self.shared.polled.insert(device_code_key, at_ms);
        }
        let executed = executed?;
        if let Some(refusal) = device_code::recorded_refusal(&executed.events) {
            return Err(refused(refusal));
        }
        let answer = executed.state.as_ref().as_ref().map(|code| code.answer);
        let Some(Answer::Consumed { account_id, .. }) = answer else {
            return Err(PeopleError::Repeated);
        };
        let method = Method::DeviceCode;
        self.begin(Wanted { account_id, sign_in_id, device_id, method }, context).await
    }

    async fn find_device_code(&self, user_code: &str) -> Outcome<DeviceCodeKey> {
        let user_code = UserCode::parse(user_code).ok_or(PeopleError::UnknownUserCode)?;
        let found = self.parts().device_codes.find(self.user_code_hash(&user_code)).await;
        let found = found.map_err(|source| PeopleError::LookUp { what: "device codes", source })?;
        found.ok_or(PeopleError::UnknownUserCode)
    }

    async fn ask_device_code(
        &self,
        key: DeviceCodeKey,
        command: &Command,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        let context = context.branch("device code");
        Ok(self.commands().device_codes.execute(&key, command, &context).await?.position)
    }
}
