//! Access tokens of one household.

use std::fmt;
use std::sync::Arc;

use playhead_api::access::{Role, without_sign_in};
use playhead_commands::people::SigningKeys;
use playhead_domain::AccountId;
use playhead_identity::RandomError;
use playhead_identity::access_token::{AccessTokens, LIFETIME_MAX_MS};

use crate::clock;

/// Makes a fresh access token whenever one is needed: a demo may run longer than any token lives. The
/// account is there, so nobody has to sign in.
#[derive(Clone)]
pub(super) struct Badge {
    /// The account of the household.
    pub(super) account_id: AccountId,
    /// The tokens of the server.
    pub(super) tokens: AccessTokens,
    /// Its keys.
    pub(super) keys: Arc<SigningKeys>,
}

impl Badge {
    /// An access token.
    ///
    /// # Errors
    /// There are no random bytes.
    pub(super) fn token(&self) -> Result<String, RandomError> {
        let now_ms = clock::now_ms();
        let caller = without_sign_in(self.account_id, [Role::Viewer].into(), now_ms);
        let ring = self.keys.current();
        Ok(self.tokens.issue_for(&ring, &caller, now_ms, LIFETIME_MAX_MS)?.text)
    }
}

impl fmt::Debug for Badge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Badge")
            .field("account_id", &self.account_id)
            .finish_non_exhaustive()
    }
}
