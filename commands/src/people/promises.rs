//! What is answered before it is done, because neither the outcome nor the time that it takes may tell
//! whether an address has an account.
//!
//! Whoever answers first writes the [`Promise`] down, so that it is kept after a crash, too. Each can
//! be kept any number of times with the same [`Context`]: what was recorded is recorded once, and a
//! mail that goes out again holds the same link, because its code follows from the command.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use playhead_domain::AccountId;
use playhead_identity::one_time_code::OneTimeCode;
use serde::{Deserialize, Serialize};

use super::{Outcome, People, PeopleError, Register};
use crate::context::Context;

/// Something that was answered and is to be done. It holds passwords and addresses: write it down
/// encrypted only.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Promise {
    /// [`People::register`].
    Register(Register),
    /// [`People::resend_verification`] to this address.
    ResendVerification(String),
    /// [`People::request_password_reset`] for this address.
    RequestPasswordReset(String),
}

/// Says what it is, and nothing personal.
impl std::fmt::Debug for Promise {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Promise {
    /// What it is, for logs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Register(_) => "registering",
            Self::ResendVerification(_) => "mailing a code again",
            Self::RequestPasswordReset(_) => "mailing a code for a new password",
        }
    }
}

impl People {
    /// Does what was promised. Done again it records nothing else, and mails the same link.
    ///
    /// # Errors
    /// Those of what was promised; if [retryable](PeopleError::retryable), keep it later.
    pub async fn keep(&self, promise: Promise, context: &Context) -> Outcome<()> {
        match promise {
            Promise::Register(wish) => self.register(wish, context).await,
            Promise::ResendVerification(address) => {
                self.resend_verification(&address, context).await
            }
            Promise::RequestPasswordReset(address) => {
                self.request_password_reset(&address, context).await
            }
        }
    }

    /// The code that a command mails for an account: nobody without the keys can tell it, and the same
    /// command has the same one.
    pub(super) fn code_of(
        &self,
        purpose: &str,
        account_id: AccountId,
        context: &Context,
    ) -> Outcome<OneTimeCode> {
        let text = format!("{account_id} {}", context.command_id);
        let secret = self.parts().vault.blind_index(purpose, &text);
        OneTimeCode::parse(&URL_SAFE_NO_PAD.encode(secret)).ok_or(PeopleError::InvalidCode)
    }
}
