//! What happens to an identity.

use serde::{Deserialize, Serialize};

use super::names::{CodePurpose, ConsentPurpose, Role};
use crate::codec::stored_events;
use crate::ids::{AccountId, EmailKey, SecretHash, SubjectKey};
use crate::personal::Personal;

/// Somebody registered. The address is not verified yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountRegistered {
    /// The account.
    pub account_id: AccountId,
    /// The e-mail address, as it was typed.
    pub email: Personal<String>,
    /// Stands for the address: a keyed hash.
    pub email_key: EmailKey,
    /// The Argon2id hash of the password, as a PHC string. `None` if only an outside identity
    /// provider signs the account in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_hash: Option<Personal<String>>,
    /// A hash of the code that was sent to the address.
    pub verification_hash: SecretHash,
    /// The first moment at which the code is void, in milliseconds since 1970-01-01 UTC.
    pub verification_expires_at_ms: i64,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// Another code was sent to the address; those before are void. It is for the password that the
/// one before was for, and for none if there were several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VerificationRenewed {
    /// The account.
    pub account_id: AccountId,
    /// A hash of the code.
    pub verification_hash: SecretHash,
    /// The first moment at which the code is void, in milliseconds since 1970-01-01 UTC.
    pub verification_expires_at_ms: i64,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// Somebody registered the address again before it was verified. The codes of the registrations
/// before stay good, each for the password that was given with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegistrationRepeated {
    /// The account.
    pub account_id: AccountId,
    /// The Argon2id hash of the password, as a PHC string. It counts if this code comes back.
    pub password_hash: Personal<String>,
    /// A hash of the code that was sent to the address.
    pub verification_hash: SecretHash,
    /// The first moment at which the code is void, in milliseconds since 1970-01-01 UTC.
    pub verification_expires_at_ms: i64,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// The address was proven, and of the passwords that were given before, one counts, or none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PasswordSettled {
    /// The account.
    pub account_id: AccountId,
    /// The Argon2id hash of the password that counts, as a PHC string. `None` if none does: the
    /// person chooses one with a code, or signs in otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_hash: Option<Personal<String>>,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// The code came back: the address is the person's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EmailVerified {
    /// The account.
    pub account_id: AccountId,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// A wrong code was tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CodeRejected {
    /// The account.
    pub account_id: AccountId,
    /// What the right code would have done.
    pub purpose: CodePurpose,
    /// A hash of the wrong code.
    pub presented_hash: SecretHash,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// Somebody who knew the password chose another. All sign-ins from before are void.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PasswordChanged {
    /// The account.
    pub account_id: AccountId,
    /// The Argon2id hash of the new password, as a PHC string.
    pub password_hash: Personal<String>,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// The hash of the same password was made anew, with other parameters. Sign-ins stay as they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PasswordRehashed {
    /// The account.
    pub account_id: AccountId,
    /// The Argon2id hash of the password, as a PHC string.
    pub password_hash: Personal<String>,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// A code was sent with which a new password can be chosen; the one before is void.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PasswordResetRequested {
    /// The account.
    pub account_id: AccountId,
    /// A hash of the code.
    pub code_hash: SecretHash,
    /// The first moment at which the code is void, in milliseconds since 1970-01-01 UTC.
    pub expires_at_ms: i64,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// A new password was chosen with a code. All sign-ins from before are void.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PasswordReset {
    /// The account.
    pub account_id: AccountId,
    /// The Argon2id hash of the new password, as a PHC string.
    pub password_hash: Personal<String>,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// A code was sent to another address. The address until now counts until the code comes back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EmailChangeRequested {
    /// The account.
    pub account_id: AccountId,
    /// The other address, as it was typed.
    pub email: Personal<String>,
    /// Stands for the other address: a keyed hash.
    pub email_key: EmailKey,
    /// A hash of the code.
    pub code_hash: SecretHash,
    /// The first moment at which the code is void, in milliseconds since 1970-01-01 UTC.
    pub expires_at_ms: i64,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// The code came back from another address, which counts from now on and is verified.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EmailChanged {
    /// The account.
    pub account_id: AccountId,
    /// The address from now on.
    pub email: Personal<String>,
    /// Stands for the address from now on: a keyed hash.
    pub email_key: EmailKey,
    /// Stands for the address until now, which may be released. `None` if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former_email_key: Option<EmailKey>,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// An account was locked for a while. All sign-ins from before are void.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountSuspended {
    /// The account.
    pub account_id: AccountId,
    /// Why, in the words of who did it.
    pub reason: Personal<String>,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// A suspended account was unlocked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountReinstated {
    /// The account.
    pub account_id: AccountId,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// An account was closed for good. All sign-ins from before are void.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountCancelled {
    /// The account.
    pub account_id: AccountId,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// An account was given a role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoleGranted {
    /// The account.
    pub account_id: AccountId,
    /// The role.
    pub role: Role,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// A role was taken from an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoleRevoked {
    /// The account.
    pub account_id: AccountId,
    /// The role.
    pub role: Role,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// All sign-ins from before are void.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignedOutEverywhere {
    /// The account.
    pub account_id: AccountId,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// A person at an outside identity provider may sign in to the account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutsideIdentityLinked {
    /// The account.
    pub account_id: AccountId,
    /// The provider: the iss of its OpenID Connect tokens.
    pub issuer: String,
    /// Stands for the person there: a keyed hash of issuer and subject.
    pub subject_key: SubjectKey,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// The person allowed a use of data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConsentGiven {
    /// The account.
    pub account_id: AccountId,
    /// The use.
    pub purpose: ConsentPurpose,
    /// The version of the text that was agreed to, counted from 1.
    pub policy_version: u32,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// The person forbade a use of data that was allowed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConsentWithdrawn {
    /// The account.
    pub account_id: AccountId,
    /// The use.
    pub purpose: ConsentPurpose,
    /// The version of the text that had been agreed to, counted from 1.
    pub policy_version: u32,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// The person asked to be forgotten.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErasureRequested {
    /// The account.
    pub account_id: AccountId,
    /// The first moment at which it may be done; until then it can be withdrawn, in milliseconds
    /// since 1970-01-01 UTC.
    pub due_at_ms: i64,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// The person stays after all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErasureWithdrawn {
    /// The account.
    pub account_id: AccountId,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// The person is forgotten: the key of all personal values is destroyed. All sign-ins are void.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountErased {
    /// The account.
    pub account_id: AccountId,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

stored_events! {
    /// What happens to an identity.
    pub enum Event {
        /// It began.
        Registered(AccountRegistered) = 1,
        /// Another code was sent to its address.
        VerificationRenewed(VerificationRenewed) = 1,
        /// Its address was registered again.
        RegistrationRepeated(RegistrationRepeated) = 1,
        /// One of its passwords counts.
        PasswordSettled(PasswordSettled) = 1,
        /// Its address was verified.
        EmailVerified(EmailVerified) = 1,
        /// A wrong code was tried.
        CodeRejected(CodeRejected) = 1,
        /// The password was changed.
        PasswordChanged(PasswordChanged) = 1,
        /// The same password was hashed anew.
        PasswordRehashed(PasswordRehashed) = 1,
        /// A code for a new password was sent.
        PasswordResetRequested(PasswordResetRequested) = 1,
        /// The password was chosen anew.
        PasswordReset(PasswordReset) = 1,
        /// A code was sent to another address.
        EmailChangeRequested(EmailChangeRequested) = 1,
        /// Another address counts.
        EmailChanged(EmailChanged) = 1,
        /// It was locked for a while.
        Suspended(AccountSuspended) = 1,
        /// It was unlocked.
        Reinstated(AccountReinstated) = 1,
        /// It was closed for good.
        Cancelled(AccountCancelled) = 1,
        /// It was given a role.
        RoleGranted(RoleGranted) = 1,
        /// A role was taken from it.
        RoleRevoked(RoleRevoked) = 1,
        /// All its sign-ins ended.
        SignedOutEverywhere(SignedOutEverywhere) = 1,
        /// An outside identity may sign in.
        OutsideIdentityLinked(OutsideIdentityLinked) = 1,
        /// A use of data was allowed.
        ConsentGiven(ConsentGiven) = 1,
        /// A use of data was forbidden.
        ConsentWithdrawn(ConsentWithdrawn) = 1,
        /// To be forgotten was asked for.
        ErasureRequested(ErasureRequested) = 1,
        /// That was withdrawn.
        ErasureWithdrawn(ErasureWithdrawn) = 1,
        /// The person is forgotten.
        Erased(AccountErased) = 1,
    }
}
