//! Who is calling, and as what: an access token and what has become of its sign-in.
//!
//! Tokens are made and read by [`playhead_identity::access_token`]. A signature says what was true
//! when the token was made, up to ten minutes ago; [`TokenStates`] says whether it still is. Both
//! together take less than 100 µs (`cargo run --release -p playhead-api --example access`).
//!
//! **Tokens without a sign-in.** Whoever holds the signing keys can make a token without anybody
//! signing in: operators do, with `playhead admin token`. Such a token names the sign-in and the
//! device [`Uuid::nil`], which no sign-in and no device ever gets. Nothing can end it alone, but it
//! ends with all sign-ins of its account, such as when that is suspended, and after an hour at most.

use std::collections::BTreeSet;
use std::sync::Arc;

use playhead_commands::people::SigningKeys;
use playhead_commands::token::{PlaybackGrant, TokenError};
use playhead_domain::{AccountId, DeviceId, SignInId};
use playhead_identity::access_token::{AccessTokenError, AccessTokens, Caller};
use playhead_identity::keys::Jwks;
use thiserror::Error;
use uuid::Uuid;

pub use playhead_domain::identity::Role;

/// Port: what has become of those who carry access tokens. Asked for each request, so it answers
/// from memory.
pub trait TokenStates: Send + Sync + 'static {
    /// Whether a genuine token that has not expired still stands for its account: its sign-in has
    /// not ended, its device was not removed, and the account was not suspended, closed or signed
    /// out everywhere since somebody proved who they are. What is not known stands.
    fn is_valid(
        &self,
        account_id: AccountId,
        sign_in_id: SignInId,
        device_id: DeviceId,
        authenticated_at_ms: i64,
    ) -> bool;

    /// Whether a session that began at `started_at_ms` may go on: since then its device was not
    /// removed, and its account neither suspended nor closed nor erased. What is not known may.
    fn may_play(
        &self,
        account_id: AccountId,
        device_id: Option<DeviceId>,
        started_at_ms: i64,
    ) -> bool;
}

/// Who is calling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account.
    pub account_id: AccountId,
    /// The sign-in; [`Uuid::nil`] for a token that was made without one.
    pub sign_in_id: SignInId,
    /// The device; [`Uuid::nil`] for a token that was made without one.
    pub device_id: DeviceId,
    /// When somebody last proved to be the account's owner, in milliseconds since 1970-01-01 UTC.
    pub authenticated_at_ms: i64,
    /// What the caller may do.
    pub roles: BTreeSet<Role>,
    /// The first moment at which the proof is no longer valid, in milliseconds since 1970-01-01
    /// UTC.
    pub expires_at_ms: i64,
}

impl Identity {
    /// The device that somebody signed in on.
    #[must_use]
    pub fn device(&self) -> Option<DeviceId> {
        Some(self.device_id).filter(|device_id| device_id.0 != Uuid::nil())
    }

    /// The sign-in that the caller can end.
    #[must_use]
    pub fn sign_in(&self) -> Option<SignInId> {
        Some(self.sign_in_id).filter(|sign_in_id| sign_in_id.0 != Uuid::nil())
    }
}

/// Whoever holds the signing keys calls for an account without signing in.
#[must_use]
pub fn without_sign_in(account_id: AccountId, roles: BTreeSet<Role>, now_ms: i64) -> Caller {
    Caller {
        account_id,
        sign_in_id: SignInId(Uuid::nil()),
        device_id: DeviceId(Uuid::nil()),
        authenticated_at_ms: now_ms,
        roles,
    }
}

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AccessError {
    /// It is not an access token of this service, or was altered.
    #[error("the access token is not genuine")]
    Forged,
    /// Its time is over. Get a new one.
    #[error("the access token has expired")]
    Expired,
    /// Its sign-in has ended, its device was removed, or its account may not be used. Sign in again.
    #[error("the sign-in of the access token has ended")]
    Ended,
}

impl From<AccessTokenError> for AccessError {
    fn from(error: AccessTokenError) -> Self {
        match error {
            AccessTokenError::Expired => Self::Expired,
            _ => Self::Forged,
        }
    }
}

/// Checks access tokens.
#[derive(Clone)]
pub struct AccessCheck {
    tokens: AccessTokens,
    keys: Arc<SigningKeys>,
    states: Arc<dyn TokenStates>,
}

impl AccessCheck {
    /// Accepts tokens of these keys whose holders may still act.
    #[must_use]
    pub fn new(tokens: AccessTokens, keys: Arc<SigningKeys>, states: Arc<dyn TokenStates>) -> Self {
        Self { tokens, keys, states }
    }

    /// Who calls with this token.
    ///
    /// # Errors
    /// The token is not ours or no longer valid.
    pub fn verify(&self, token: &str, now_ms: i64) -> Result<Identity, AccessError> {
        let verified = self.tokens.verify(&self.keys.current(), token, now_ms)?;
        let Caller { account_id, sign_in_id, device_id, authenticated_at_ms, roles } =
            verified.caller;
        let expires_at_ms = verified.expires_at_ms;
        let identity = Identity {
            account_id,
            sign_in_id,
            device_id,
            authenticated_at_ms,
            roles,
            expires_at_ms,
        };
        if self.still_stands(&identity) { Ok(identity) } else { Err(AccessError::Ended) }
    }

    /// Whether somebody who proved who they are may still act.
    #[must_use]
    pub fn still_stands(&self, identity: &Identity) -> bool {
        let Identity { account_id, sign_in_id, device_id, authenticated_at_ms, .. } = *identity;
        self.states.is_valid(account_id, sign_in_id, device_id, authenticated_at_ms)
    }

    /// Whether what a genuine playback token allowed is still allowed. Answers from memory, so that
    /// each heartbeat can ask.
    ///
    /// # Errors
    /// [`TokenError::Ended`].
    pub fn check_playback(&self, grant: &PlaybackGrant) -> Result<(), TokenError> {
        let PlaybackGrant { account_id, device_id, started_at_ms, .. } = *grant;
        let may_play = self.states.may_play(account_id, device_id, started_at_ms);
        if may_play { Ok(()) } else { Err(TokenError::Ended) }
    }

    /// The public keys with which others check tokens.
    #[must_use]
    pub fn public_keys(&self, now_ms: i64) -> Jwks {
        self.keys.current().jwks(now_ms)
    }
}

#[cfg(test)]
mod tests;
