//! What can be asked of an identity.

use super::names::{ConsentPurpose, Role};
use crate::ids::{AccountId, EmailKey, SecretHash, SubjectKey};
use crate::personal::Personal;

/// Something that is asked of an identity, and when.
#[derive(Debug, Clone)]
pub struct Command {
    /// The account.
    pub account_id: AccountId,
    /// Now.
    pub at_ms: i64,
    /// What is asked.
    pub ask: Ask,
}

/// What is asked.
#[derive(Debug, Clone)]
pub enum Ask {
    /// Begin, with an address that is to be verified. If the account has begun and still waits for
    /// that, the password of this registration counts if its code comes back; otherwise nothing
    /// happens.
    Register(Registration),
    /// Replace the code that was sent to the address of a new account.
    ResendVerification {
        /// A hash of the new code.
        verification_hash: SecretHash,
        /// The first moment at which it is void, in milliseconds since 1970-01-01 UTC.
        verification_expires_at_ms: i64,
    },
    /// Use that code. A wrong one is **recorded**, see [`State::refusal_of`](super::State).
    VerifyEmail {
        /// A hash of what came back.
        code_hash: SecretHash,
    },
    /// Count the address as the person's own because somebody who is trusted says so. A password
    /// that was given before does not count any more.
    Vouch,
    /// Choose another password, knowing the current one.
    ChangePassword {
        /// The Argon2id hash of the new password, as a PHC string.
        password_hash: Personal<String>,
        /// Looked up: whether the current password was typed right.
        current_correct: bool,
    },
    /// Replace the hash of the password by one of the same password that was made with other
    /// parameters. Nothing happens unless the hash that was looked up is the one that is stored.
    RehashPassword {
        /// Looked up: the hash that the password was compared with.
        former_hash: Personal<String>,
        /// The Argon2id hash of the same password, as a PHC string.
        password_hash: Personal<String>,
    },
    /// Send a code with which a new password can be chosen.
    RequestPasswordReset {
        /// A hash of the code.
        code_hash: SecretHash,
    },
    /// Use that code. A wrong one is **recorded**, see [`State::refusal_of`](super::State).
    ResetPassword {
        /// A hash of what came back.
        code_hash: SecretHash,
        /// The Argon2id hash of the new password, as a PHC string.
        password_hash: Personal<String>,
    },
    /// Send a code to another address, which replaces the current one when it comes back.
    RequestEmailChange {
        /// The other address, as it was typed.
        email: Personal<String>,
        /// Stands for the other address.
        email_key: EmailKey,
        /// A hash of the code.
        code_hash: SecretHash,
    },
    /// Use that code. A wrong one is **recorded**, see [`State::refusal_of`](super::State).
    ConfirmEmailChange {
        /// A hash of what came back.
        code_hash: SecretHash,
    },
    /// Lock the account.
    Suspend {
        /// Why, in the words of who does it.
        reason: Personal<String>,
    },
    /// Unlock it.
    Reinstate,
    /// Close it for good.
    Cancel,
    /// Let it do more.
    GrantRole {
        /// The role.
        role: Role,
    },
    /// Let it do less.
    RevokeRole {
        /// The role.
        role: Role,
    },
    /// End all its sign-ins.
    SignOutEverywhere,
    /// Let a person at an outside identity provider sign in to it. That nobody else's account has
    /// the same person is for the caller to see to.
    LinkOutsideIdentity {
        /// The provider: the `iss` of its OpenID Connect tokens.
        issuer: String,
        /// Stands for the person there.
        subject_key: SubjectKey,
    },
    /// Allow a use of data. Nothing happens if this text or a newer one was agreed to.
    GiveConsent {
        /// The use.
        purpose: ConsentPurpose,
        /// The version of the text that is agreed to, counted from 1.
        policy_version: u32,
    },
    /// Forbid it again.
    WithdrawConsent {
        /// The use.
        purpose: ConsentPurpose,
    },
    /// Ask to be forgotten.
    RequestErasure {
        /// The first moment at which it may be done, in milliseconds since 1970-01-01 UTC.
        due_at_ms: i64,
    },
    /// Stay after all.
    WithdrawErasure,
    /// Be forgotten. Recorded before the key of the personal values is destroyed, so that whoever
    /// destroys it can always try again.
    Erase,
}

/// How an account begins.
#[derive(Debug, Clone)]
pub struct Registration {
    /// The e-mail address, as it was typed.
    pub email: Personal<String>,
    /// Stands for the address.
    pub email_key: EmailKey,
    /// The Argon2id hash of the password, as a PHC string. `None` if only an outside identity
    /// provider is to sign the account in.
    pub password_hash: Option<Personal<String>>,
    /// A hash of the code that is sent to the address.
    pub verification_hash: SecretHash,
    /// The first moment at which it is void, in milliseconds since 1970-01-01 UTC.
    pub verification_expires_at_ms: i64,
}
