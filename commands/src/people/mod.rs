//! What people do with their accounts: register, prove who they are, sign in on devices, set things,
//! take their data with them and leave.
//!
//! [`People`] turns secrets into facts (the password is right, the code fits) and runs the deciders
//! of [`playhead_domain`] with them. Each flow is one file. Personal values enter commands as
//! [`Personal::Known`](playhead_domain::Personal::Known); the [sealed log](playhead_vault::log)
//! beneath seals them.
//!
//! Two rules for whoever calls it:
//! - **The same command again** ([`Context::command_id`]) is recorded once. What hands out secrets
//!   answers [`PeopleError::Repeated`] then, because no secret is kept.
//! - **Whether an address has an account** is told by no answer. How long one takes may tell: answer
//!   [`register`](People::register), [`resend_verification`](People::resend_verification) and
//!   [`request_password_reset`](People::request_password_reset) before they are done.
//!
//! Tries of passwords are not limited here, since every answer takes a hashing; limit them where
//! the address of the caller is known. Tries of codes and PINs are, by the domain.

mod access;
mod billing;
mod consents;
mod device_codes;
mod devices;
mod email_change;
mod erasure;
mod error;
mod export;
mod mails;
mod outside;
mod passwords;
mod pins;
mod ports;
mod promises;
mod register;
mod sign_in;
mod standing;
mod start;
mod tokens;
mod verify;

use std::sync::Arc;

use playhead_domain::AccountId;
use playhead_domain::identity::{self, Ask, Identity};
use playhead_domain::ids::{EmailKey, SecretHash, SubjectKey};
use playhead_domain::{DeviceCodeKey, email};
use playhead_eventlog::EventLog;
use playhead_identity::access_token::AccessTokens;
use playhead_identity::mail::Mailer;
use playhead_identity::oidc::OutsideIssuer;
use playhead_identity::one_time_code::UserCode;
use playhead_identity::password::Passwords;
use playhead_vault::Vault;
use quick_cache::sync::Cache;

use crate::Commands;
use crate::context::Context;
use crate::handler::{Executed, Position};

pub use device_codes::{DeviceCodeHandedOut, PolledDevice};
pub use devices::NewDevice;
pub use error::{PeopleError, PortError};
pub use mails::MailedCode;
pub use outside::{OutsideSignIn, SignedInOutside};
pub use ports::{DeviceCodes, NoSignIns, RunningSessions, SignIns};
pub use promises::Promise;
pub use register::{Admission, Register};
pub use sign_in::SignInWish;
pub use start::PlaybackWish;
pub use tokens::{SigningKeys, Tokens};
pub use verify::Verified;

/// How many addresses and device codes are remembered for pauses between mails and polls.
const REMEMBERED_MAX: usize = 65_536;

/// What an operator may choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What the service is called in mails.
    pub service_name: String,
    /// What links in mails begin with, such as `https://play.example.org`, without a slash at its
    /// end. The app under it must know the paths `/verify-email`, `/reset-password`,
    /// `/confirm-email`, `/forgot-password` and `/device`; what is secret stands behind a `#`, so
    /// that no server writes it down.
    pub link_base: String,
    /// How long somebody may change their mind after asking to be forgotten; at most
    /// [`identity::ERASURE_MAX_MS`].
    pub erasure_cooling_off_ms: i64,
}

/// How long somebody may change their mind after asking to be forgotten, unless chosen otherwise:
/// 7 days.
pub const ERASURE_COOLING_OFF_MS: i64 = 7 * 24 * 60 * 60 * 1000;

impl Settings {
    /// The usual settings, with links that begin so.
    #[must_use]
    pub fn new(link_base: impl Into<String>) -> Self {
        Self {
            service_name: "Playhead".to_owned(),
            link_base: link_base.into(),
            erasure_cooling_off_ms: ERASURE_COOLING_OFF_MS,
        }
    }
}

/// Everything that [`People`] is made of.
pub struct Parts {
    /// The log, sealed; the same that the commands are over.
    pub log: Arc<dyn EventLog>,
    /// Runs the deciders.
    pub commands: Arc<Commands>,
    /// The keys of personal data.
    pub vault: Vault,
    /// Hashes passwords and PINs.
    pub passwords: Passwords,
    /// Takes mail.
    pub mailer: Arc<dyn Mailer>,
    /// Makes access tokens.
    pub access_tokens: AccessTokens,
    /// What they are signed with.
    pub signing_keys: Arc<SigningKeys>,
    /// The identity providers that are trusted.
    pub outside_issuers: Vec<OutsideIssuer>,
    /// Finds device codes.
    pub device_codes: Arc<dyn DeviceCodes>,
    /// Finds sign-ins.
    pub sign_ins: Arc<dyn SignIns>,
    /// What an operator chose.
    pub settings: Settings,
}

/// What people do with their accounts. Clones share everything.
#[derive(Clone)]
pub struct People {
    shared: Arc<Shared>,
}

struct Shared {
    parts: Parts,
    /// When an address was last told that it has an account already, in milliseconds since
    /// 1970-01-01 UTC.
    told_taken: Cache<EmailKey, i64>,
    /// When a registration was last mailed its code, by the hash of that.
    told_code: Cache<SecretHash, i64>,
    /// When a device last asked whether it is let in.
    polled: Cache<DeviceCodeKey, i64>,
}

type Outcome<T> = Result<T, PeopleError>;

impl People {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let (told_taken, told_code) = (Cache::new(REMEMBERED_MAX), Cache::new(REMEMBERED_MAX));
        let polled = Cache::new(REMEMBERED_MAX);
        Self { shared: Arc::new(Shared { parts, told_taken, told_code, polled }) }
    }

    fn parts(&self) -> &Parts {
        &self.shared.parts
    }

    fn commands(&self) -> &Commands {
        &self.shared.parts.commands
    }

    /// What stands for an address, however it is spelled.
    #[must_use]
    pub fn email_key(&self, address: &str) -> EmailKey {
        EmailKey(self.parts().vault.blind_index("email", &email::canonical(address)))
    }

    /// What stands for a code that a device shows; a read model finds the device by it.
    #[must_use]
    pub fn user_code_hash(&self, code: &UserCode) -> SecretHash {
        SecretHash(self.parts().vault.blind_index("user code", &code.letters()))
    }

    fn subject_key(&self, issuer: &str, subject: &str) -> SubjectKey {
        // An issuer is a URL, so it has no line feed.
        let text = format!("{issuer}\n{subject}");
        SubjectKey(self.parts().vault.blind_index("outside subject", &text))
    }

    /// How an identity is now.
    ///
    /// # Errors
    /// The log failed.
    pub async fn identity(&self, account_id: AccountId) -> Outcome<Arc<identity::State>> {
        Ok(self.commands().identities.state(&account_id).await?)
    }

    /// Asks something of an identity, under a name that tells it from what else the same request
    /// does.
    async fn ask(
        &self,
        account_id: AccountId,
        ask: Ask,
        name: &str,
        context: &Context,
    ) -> Outcome<Executed<Identity>> {
        let command = identity::Command { account_id, at_ms: context.at_ms, ask };
        let context = context.branch(name);
        Ok(self.commands().identities.execute(&account_id, &command, &context).await?)
    }

    async fn ask_email(
        &self,
        email_key: EmailKey,
        command: email::Command,
        name: &str,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        let context = context.branch(name);
        let executed = self.commands().emails.execute(&email_key, &command, &context).await?;
        Ok(executed.position)
    }
}
