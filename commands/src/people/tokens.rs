//! What a device that is signed in carries.

use std::sync::{Arc, PoisonError, RwLock};

use playhead_domain::sign_in::{IDLE_MAX_MS, LIFETIME_MAX_MS, Running};
use playhead_domain::{AccountId, SignInId};
use playhead_identity::access_token::Caller;
use playhead_identity::keys::KeyRing;
use playhead_identity::refresh_token::RefreshToken;

use super::{Outcome, People};
use crate::handler::Position;

/// The keys that sign access tokens, which can be replaced while they are used.
#[derive(Debug)]
pub struct SigningKeys(RwLock<Arc<KeyRing>>);

impl SigningKeys {
    /// These keys.
    #[must_use]
    pub fn new(ring: KeyRing) -> Self {
        Self(RwLock::new(Arc::new(ring)))
    }

    /// The keys now.
    #[must_use]
    pub fn current(&self) -> Arc<KeyRing> {
        // Nothing panics while it holds the lock, so a poisoned one still holds whole keys.
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Other keys from now on, such as after a rotation. Store them first.
    pub fn replace(&self, ring: KeyRing) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
    }
}

/// What a device that is signed in carries.
#[derive(Clone, PartialEq, Eq)]
pub struct Tokens {
    /// The account.
    pub account_id: AccountId,
    /// The sign-in.
    pub sign_in_id: SignInId,
    /// Says who calls.
    pub access_token: String,
    /// The first moment at which it is no longer valid, in milliseconds since 1970-01-01 UTC.
    pub access_expires_at_ms: i64,
    /// Exchanges for other tokens, once.
    pub refresh_token: String,
    /// The first moment at which it is no longer good, in milliseconds since 1970-01-01 UTC.
    pub refresh_expires_at_ms: i64,
    /// Where the sign-in was recorded.
    pub position: Option<Position>,
}

/// Tokens are secrets, so they are not shown.
impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens")
            .field("account_id", &self.account_id)
            .field("sign_in_id", &self.sign_in_id)
            .finish_non_exhaustive()
    }
}

impl People {
    /// The tokens of a sign-in whose refresh token was just recorded.
    pub(super) async fn tokens(
        &self,
        refresh_token: &RefreshToken,
        running: &Running,
        position: Option<Position>,
        at_ms: i64,
    ) -> Outcome<Tokens> {
        let (account_id, sign_in_id) = (refresh_token.account_id(), refresh_token.sign_in_id());
        let caller = Caller {
            account_id,
            sign_in_id,
            device_id: running.device_id,
            authenticated_at_ms: running.began_at_ms,
            roles: self.identity(account_id).await?.roles.clone(),
        };
        let ring = self.parts().signing_keys.current();
        let access = self.parts().access_tokens.issue(&ring, &caller, at_ms)?;
        let idle_ms = running.refreshed_at_ms.saturating_add(IDLE_MAX_MS);
        let old_ms = running.began_at_ms.saturating_add(LIFETIME_MAX_MS);
        Ok(Tokens {
            account_id,
            sign_in_id,
            access_token: access.text,
            access_expires_at_ms: access.expires_at_ms,
            refresh_token: refresh_token.reveal().to_owned(),
            refresh_expires_at_ms: idle_ms.min(old_ms),
            position,
        })
    }
}
