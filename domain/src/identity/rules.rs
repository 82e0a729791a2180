//! What can be done to an identity, and when not.

use super::codes::Tried;
use super::*;
use crate::email;
use crate::values::{check, is_line};

/// What the name of a provider begins with; without encryption only on the machine itself, for those
/// who develop or run a provider beside the server.
const ISSUER_SCHEMES: [&str; 3] = ["https://", "http://127.0.0.1:", "http://localhost:"];

type Decided = Result<Vec<Event>, Refusal>;

pub(super) fn decide(state: &State, command: &Command) -> Decided {
    let Command { account_id, at_ms, ref ask } = *command;
    match (state.status(), ask) {
        (Some(Status::Erased), Ask::Erase) => return Ok(vec![]),
        (Some(Status::Erased), _) => return Err(Refusal::Erased),
        (None, Ask::Register(registration)) => return register(account_id, at_ms, registration),
        (None, _) => return Err(Refusal::NotRegistered),
        (Some(status), ask) => check_standing(status, ask)?,
    }
    let now = Now { state, account_id, at_ms };
    match ask {
        Ask::Register(registration) => now.register_again(registration),
        Ask::ResendVerification { verification_hash, verification_expires_at_ms } => {
            now.resend(*verification_hash, *verification_expires_at_ms)
        }
        Ask::VerifyEmail { code_hash } => now.verify(*code_hash),
        Ask::Vouch => Ok(now.vouch()),
        Ask::ChangePassword { password_hash, current_correct } => {
            now.change_password(password_hash, *current_correct)
        }
        Ask::RehashPassword { former_hash, password_hash } => {
            now.rehash(former_hash, password_hash)
        }
        Ask::RequestPasswordReset { code_hash } => now.request_reset(*code_hash),
        Ask::ResetPassword { code_hash, password_hash } => now.reset(*code_hash, password_hash),
        Ask::RequestEmailChange { email, email_key, code_hash } => {
            now.request_email(email, *email_key, *code_hash)
        }
        Ask::ConfirmEmailChange { code_hash } => now.confirm_email(*code_hash),
        Ask::LinkOutsideIdentity { issuer, subject_key } => now.link(issuer, *subject_key),
        Ask::GiveConsent { purpose, policy_version } => now.consent(*purpose, *policy_version),
        Ask::WithdrawConsent { purpose } => Ok(now.withdraw_consent(*purpose)),
        Ask::RequestErasure { due_at_ms } => now.request_erasure(*due_at_ms),
        Ask::Erase => now.erase(),
        Ask::Suspend { reason } => now.suspend(reason),
        Ask::Reinstate
        | Ask::Cancel
        | Ask::GrantRole { .. }
        | Ask::RevokeRole { .. }
        | Ask::SignOutEverywhere
        | Ask::WithdrawErasure => Ok(now.unconditionally(ask)),
    }
}

/// What the person does for themselves is for accounts that are neither locked nor closed; the
/// rights of GDPR and what takes something away are for all.
fn check_standing(status: Status, ask: &Ask) -> Result<(), Refusal> {
    let (if_suspended, if_cancelled) = match ask {
        Ask::Register(_)
        | Ask::Cancel
        | Ask::RevokeRole { .. }
        | Ask::SignOutEverywhere
        | Ask::WithdrawConsent { .. }
        | Ask::RequestErasure { .. }
        | Ask::WithdrawErasure
        | Ask::Erase => (true, true),
        Ask::Suspend { .. } | Ask::Reinstate | Ask::GrantRole { .. } => (true, false),
        Ask::ResendVerification { .. }
        | Ask::VerifyEmail { .. }
        | Ask::Vouch
        | Ask::ChangePassword { .. }
        | Ask::RehashPassword { .. }
        | Ask::RequestPasswordReset { .. }
        | Ask::ResetPassword { .. }
        | Ask::RequestEmailChange { .. }
        | Ask::ConfirmEmailChange { .. }
        | Ask::LinkOutsideIdentity { .. }
        | Ask::GiveConsent { .. } => (false, false),
    };
    match status {
        Status::Suspended if !if_suspended => Err(Refusal::Suspended),
        Status::Cancelled if !if_cancelled => Err(Refusal::Cancelled),
        _ => Ok(()),
    }
}

fn register(account_id: AccountId, at_ms: i64, registration: &Registration) -> Decided {
    check_email(&registration.email)?;
    if let Some(password_hash) = &registration.password_hash {
        check_password_hash(password_hash)?;
    }
    let verification_expires_at_ms = registration.verification_expires_at_ms;
    check_expiry(verification_expires_at_ms, at_ms)?;
    Ok(vec![Event::Registered(AccountRegistered {
        account_id,
        email: registration.email.clone(),
        email_key: registration.email_key,
        password_hash: registration.password_hash.clone(),
        verification_hash: registration.verification_hash,
        verification_expires_at_ms,
        at_ms,
    })])
}

fn check_email(email: &Personal<String>) -> Result<(), InvalidValue> {
    let valid = email.known().is_some_and(|email| email::is_address(email));
    check(valid, "email", "an e-mail address of at most 254 bytes, such as ana@example.org")
}

fn check_password_hash(hash: &Personal<String>) -> Result<(), InvalidValue> {
    let is_phc =
        |hash: &String| hash.starts_with("$argon2id$") && hash.len() <= PASSWORD_HASH_MAX_BYTES;
    let rule = "an Argon2id hash as a PHC string of at most 256 bytes";
    check(hash.known().is_some_and(is_phc), "password_hash", rule)
}

fn check_expiry(expires_at_ms: i64, at_ms: i64) -> Result<(), InvalidValue> {
    let latest_ms = at_ms.saturating_add(VERIFICATION_MAX_MS);
    let valid = expires_at_ms > at_ms && expires_at_ms <= latest_ms;
    check(valid, "verification_expires_at_ms", "later than now, and within 24 hours")
}

/// A registered identity, and the moment at which something is asked of it.
#[derive(Clone, Copy)]
struct Now<'a> {
    state: &'a State,
    account_id: AccountId,
    at_ms: i64,
}

impl Now<'_> {
    /// Whether a code was sent already; refuses if another one was a moment ago.
    fn was_sent(&self, purpose: CodePurpose, hash: SecretHash) -> Result<bool, Refusal> {
        match self.state.codes.get(&purpose) {
            Some(code) if code.hash == hash => Ok(true),
            Some(code) => code.check_pause(self.at_ms).map(|()| false),
            None => Ok(false),
        }
    }

    /// What happens with a code: what it is for if it is right, or that it was wrong.
    fn redeem(
        &self,
        purpose: CodePurpose,
        presented_hash: SecretHash,
        events: impl FnOnce(&Code) -> Vec<Event>,
    ) -> Decided {
        let Now { state, account_id, at_ms } = *self;
        let code = state.code(purpose, presented_hash).ok_or(Refusal::NoCode)?;
        Ok(match code.try_with(presented_hash, at_ms)? {
            Tried::Right => events(code),
            Tried::Wrong => {
                let rejected = CodeRejected { account_id, purpose, presented_hash, at_ms };
                vec![Event::CodeRejected(rejected)]
            }
        })
    }

    /// Another registration of an address that nobody proved yet. Which of them is the owner's, only
    /// the code that comes back tells; so each has a code, and its password counts with that.
    fn register_again(&self, registration: &Registration) -> Decided {
        let Now { state, account_id, at_ms } = *self;
        let Registration { verification_hash, verification_expires_at_ms, .. } = *registration;
        let sent = state.code(CodePurpose::Verification, verification_hash);
        let (Some(Status::PendingVerification), Some(password_hash), false) = (
            state.status(),
            &registration.password_hash,
            sent.is_some_and(|sent| sent.hash == verification_hash),
        ) else {
            return Ok(vec![]);
        };
        check_password_hash(password_hash)?;
        check_expiry(verification_expires_at_ms, at_ms)?;
        if state.registrations(at_ms).saturating_add(1) < REGISTRATIONS_MAX {
            let password_hash = password_hash.clone();
            return Ok(vec![Event::RegistrationRepeated(RegistrationRepeated {
                account_id,
                password_hash,
                verification_hash,
                verification_expires_at_ms,
                at_ms,
            })]);
        }
        // No code that is good sets a password from here on, so this one is not lost to another.
        if let (Some(last), true) = (sent, state.earlier_codes.is_empty())
            && last.password_hash.is_none()
        {
            return Err(Refusal::TooSoon { retry_at_ms: at_ms.saturating_add(REGISTRATIONS_MS) });
        }
        Ok(vec![Event::VerificationRenewed(VerificationRenewed {
            account_id,
            verification_hash,
            verification_expires_at_ms,
            at_ms,
        })])
    }

    fn resend(&self, verification_hash: SecretHash, verification_expires_at_ms: i64) -> Decided {
        let Now { state, account_id, at_ms } = *self;
        if state.verified || self.was_sent(CodePurpose::Verification, verification_hash)? {
            return Ok(vec![]);
        }
        check_expiry(verification_expires_at_ms, at_ms)?;
        Ok(vec![Event::VerificationRenewed(VerificationRenewed {
            account_id,
            verification_hash,
            verification_expires_at_ms,
            at_ms,
        })])
    }

    fn verify(&self, code_hash: SecretHash) -> Decided {
        let Now { state, account_id, at_ms } = *self;
        if state.verified {
            return Ok(vec![]);
        }
        self.redeem(CodePurpose::Verification, code_hash, |code| {
            let mut events = self.settle(&code.password_hash);
            if state.contested {
                events.extend(self.withdraw_consents());
            }
            events.push(Event::EmailVerified(EmailVerified { account_id, at_ms }));
            events
        })
    }

    /// Whoever vouches for the address knows nothing of who registered it.
    fn vouch(&self) -> Vec<Event> {
        let Now { state, account_id, at_ms } = *self;
        if state.verified {
            return vec![];
        }
        let mut events = self.settle(&None);
        events.extend(self.withdraw_consents());
        events.push(Event::EmailVerified(EmailVerified { account_id, at_ms }));
        events
    }

    /// One of the passwords counts that were given before the address was proven.
    fn settle(&self, password_hash: &Option<Personal<String>>) -> Vec<Event> {
        let Now { state, account_id, at_ms } = *self;
        if state.password_hash == *password_hash {
            return vec![];
        }
        let password_hash = password_hash.clone();
        vec![Event::PasswordSettled(PasswordSettled { account_id, password_hash, at_ms })]
    }

    /// Nobody knows whether they were given by the one who proved the address.
    fn withdraw_consents(&self) -> impl Iterator<Item = Event> {
        self.state.consents.keys().flat_map(|purpose| self.withdraw_consent(*purpose))
    }

    fn change_password(&self, password_hash: &Personal<String>, correct: bool) -> Decided {
        let Now { state, account_id, at_ms } = *self;
        let current = state.password_hash.as_ref().ok_or(Refusal::NoPassword)?;
        // Salted: the same hash is the same command.
        if current == password_hash {
            return Ok(vec![]);
        }
        check_password_hash(password_hash)?;
        if !correct {
            return Err(Refusal::WrongPassword);
        }
        let password_hash = password_hash.clone();
        Ok(vec![Event::PasswordChanged(PasswordChanged { account_id, password_hash, at_ms })])
    }

    fn rehash(&self, former_hash: &Personal<String>, password_hash: &Personal<String>) -> Decided {
        let Now { state, account_id, at_ms } = *self;
        // Another password may have been chosen since.
        if state.password_hash.as_ref() != Some(former_hash) || former_hash == password_hash {
            return Ok(vec![]);
        }
        check_password_hash(password_hash)?;
        let password_hash = password_hash.clone();
        Ok(vec![Event::PasswordRehashed(PasswordRehashed { account_id, password_hash, at_ms })])
    }

    fn request_reset(&self, code_hash: SecretHash) -> Decided {
        let Now { account_id, at_ms, .. } = *self;
        if self.was_sent(CodePurpose::PasswordReset, code_hash)? {
            return Ok(vec![]);
        }
        let expires_at_ms = at_ms.saturating_add(PASSWORD_RESET_MS);
        Ok(vec![Event::PasswordResetRequested(PasswordResetRequested {
            account_id,
            code_hash,
            expires_at_ms,
            at_ms,
        })])
    }

    fn reset(&self, code_hash: SecretHash, password_hash: &Personal<String>) -> Decided {
        let Now { state, account_id, at_ms } = *self;
        check_password_hash(password_hash)?;
        self.redeem(CodePurpose::PasswordReset, code_hash, |_| {
            let password_hash = password_hash.clone();
            let reset = PasswordReset { account_id, password_hash, at_ms };
            let mut events = vec![Event::PasswordReset(reset)];
            // Whoever reads the mail of the address has proven it.
            if !state.verified {
                events.extend(self.withdraw_consents());
                events.push(Event::EmailVerified(EmailVerified { account_id, at_ms }));
            }
            events
        })
    }

    fn request_email(
        &self,
        email: &Personal<String>,
        email_key: EmailKey,
        code_hash: SecretHash,
    ) -> Decided {
        let Now { state, account_id, at_ms } = *self;
        if state.email_key == Some(email_key)
            || self.was_sent(CodePurpose::EmailChange, code_hash)?
        {
            return Ok(vec![]);
        }
        check_email(email)?;
        Ok(vec![Event::EmailChangeRequested(EmailChangeRequested {
            account_id,
            email: email.clone(),
            email_key,
            code_hash,
            expires_at_ms: at_ms.saturating_add(VERIFICATION_MAX_MS),
            at_ms,
        })])
    }

    fn confirm_email(&self, code_hash: SecretHash) -> Decided {
        let Now { state, account_id, at_ms } = *self;
        let NewEmail { email, email_key } = state.new_email.clone().ok_or(Refusal::NoCode)?;
        let former_email_key = state.email_key;
        self.redeem(CodePurpose::EmailChange, code_hash, |_| {
            let changed = EmailChanged { account_id, email, email_key, former_email_key, at_ms };
            vec![Event::EmailChanged(changed)]
        })
    }

    fn link(&self, issuer: &str, subject_key: SubjectKey) -> Decided {
        let Now { state, account_id, at_ms } = *self;
        let linked = OutsideIdentity { issuer: issuer.to_owned(), subject_key };
        if state.outside_identities.contains(&linked) {
            return Ok(vec![]);
        }
        let is_issuer = ISSUER_SCHEMES.iter().any(|scheme| issuer.starts_with(scheme))
            && issuer.len() <= ISSUER_MAX_BYTES
            && is_line(issuer, ISSUER_MAX_BYTES);
        check(is_issuer, "issuer", "an https URL of at most 255 bytes, or http on this machine")?;
        let limit = OUTSIDE_IDENTITIES_MAX;
        if state.outside_identities.len() >= limit {
            return Err(Refusal::TooManyOutsideIdentities { limit });
        }
        let OutsideIdentity { issuer, subject_key } = linked;
        let linked = OutsideIdentityLinked { account_id, issuer, subject_key, at_ms };
        Ok(vec![Event::OutsideIdentityLinked(linked)])
    }

    fn consent(&self, purpose: ConsentPurpose, policy_version: u32) -> Decided {
        let Now { state, account_id, at_ms } = *self;
        check(policy_version >= 1, "policy_version", "1 or more")?;
        if state.consents.get(&purpose).is_some_and(|agreed| *agreed >= policy_version) {
            return Ok(vec![]);
        }
        let given = ConsentGiven { account_id, purpose, policy_version, at_ms };
        Ok(vec![Event::ConsentGiven(given)])
    }

    fn withdraw_consent(&self, purpose: ConsentPurpose) -> Vec<Event> {
        let Now { state, account_id, at_ms } = *self;
        let agreed = state.consents.get(&purpose).copied();
        let withdrawn = |policy_version| {
            let withdrawn = ConsentWithdrawn { account_id, purpose, policy_version, at_ms };
            Event::ConsentWithdrawn(withdrawn)
        };
        agreed.map(withdrawn).into_iter().collect()
    }

    fn request_erasure(&self, due_at_ms: i64) -> Decided {
        let Now { state, account_id, at_ms } = *self;
        if state.erasure_due_at_ms.is_some() {
            return Ok(vec![]);
        }
        let latest_ms = at_ms.saturating_add(ERASURE_MAX_MS);
        let valid = (at_ms..=latest_ms).contains(&due_at_ms);
        check(valid, "due_at_ms", "not before now, and within 30 days")?;
        Ok(vec![Event::ErasureRequested(ErasureRequested { account_id, due_at_ms, at_ms })])
    }

    fn erase(&self) -> Decided {
        let Now { state, account_id, at_ms } = *self;
        let due_at_ms = state.erasure_due_at_ms.ok_or(Refusal::ErasureNotRequested)?;
        if at_ms < due_at_ms {
            return Err(Refusal::ErasureNotDue { due_at_ms });
        }
        Ok(vec![Event::Erased(AccountErased { account_id, at_ms })])
    }

    fn suspend(&self, reason: &Personal<String>) -> Decided {
        let Now { state, account_id, at_ms } = *self;
        if state.suspended {
            return Ok(vec![]);
        }
        let valid = reason.known().is_some_and(|reason| is_line(reason, REASON_MAX_CHARS));
        check(valid, "reason", "a line of 1 to 200 characters")?;
        let reason = reason.clone();
        Ok(vec![Event::Suspended(AccountSuspended { account_id, reason, at_ms })])
    }

    /// What needs no more than not to be so already.
    fn unconditionally(&self, ask: &Ask) -> Vec<Event> {
        let Now { state, account_id, at_ms } = *self;
        let (needed, event) = match *ask {
            Ask::Reinstate => {
                (state.suspended, Event::Reinstated(AccountReinstated { account_id, at_ms }))
            }
            Ask::Cancel => {
                (state.closed.is_none(), Event::Cancelled(AccountCancelled { account_id, at_ms }))
            }
            Ask::GrantRole { role } => (
                !state.roles.contains(&role),
                Event::RoleGranted(RoleGranted { account_id, role, at_ms }),
            ),
            Ask::RevokeRole { role } => (
                state.roles.contains(&role),
                Event::RoleRevoked(RoleRevoked { account_id, role, at_ms }),
            ),
            Ask::SignOutEverywhere => (
                state.signed_in_from_ms < at_ms,
                Event::SignedOutEverywhere(SignedOutEverywhere { account_id, at_ms }),
            ),
            Ask::WithdrawErasure => (
                state.erasure_due_at_ms.is_some(),
                Event::ErasureWithdrawn(ErasureWithdrawn { account_id, at_ms }),
            ),
            _ => return vec![],
        };
        if needed { vec![event] } else { vec![] }
    }
}
