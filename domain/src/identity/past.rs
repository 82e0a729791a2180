//! What is known of an identity after an event.

use super::*;
use crate::ids::SecretHash;

pub(super) fn evolve(mut state: State, event: &Event) -> State {
    match event {
        Event::Registered(registered) => state.register(registered),
        Event::VerificationRenewed(renewed) => {
            let (hash, expires_at_ms) =
                (renewed.verification_hash, renewed.verification_expires_at_ms);
            state.send(CodePurpose::Verification, hash, expires_at_ms, renewed.at_ms);
        }
        Event::EmailVerified(_) => state.verify(),
        Event::CodeRejected(rejected) => {
            if let Some(code) = state.codes.get_mut(&rejected.purpose) {
                code.wrong.insert(rejected.presented_hash);
            }
        }
        Event::PasswordChanged(PasswordChanged { password_hash, at_ms, .. })
        | Event::PasswordReset(PasswordReset { password_hash, at_ms, .. }) => {
            state.password_hash = Some(password_hash.clone());
            state.codes.remove(&CodePurpose::PasswordReset);
            state.sign_out_before(*at_ms);
        }
        Event::PasswordRehashed(rehashed) => {
            state.password_hash = Some(rehashed.password_hash.clone());
        }
        Event::PasswordResetRequested(asked) => {
            let (hash, expires_at_ms) = (asked.code_hash, asked.expires_at_ms);
            state.send(CodePurpose::PasswordReset, hash, expires_at_ms, asked.at_ms);
        }
        Event::EmailChangeRequested(asked) => {
            let (email, email_key) = (asked.email.clone(), asked.email_key);
            state.new_email = Some(NewEmail { email, email_key });
            let (hash, expires_at_ms) = (asked.code_hash, asked.expires_at_ms);
            state.send(CodePurpose::EmailChange, hash, expires_at_ms, asked.at_ms);
        }
        Event::EmailChanged(changed) => {
            state.email = Some(changed.email.clone());
            state.email_key = Some(changed.email_key);
            state.new_email = None;
            // Codes that went to the address before are void.
            state.codes.clear();
            state.verify();
        }
        Event::OutsideIdentityLinked(linked) => {
            let (issuer, subject_key) = (linked.issuer.clone(), linked.subject_key);
            state.outside_identities.insert(OutsideIdentity { issuer, subject_key });
        }
        Event::ConsentGiven(ConsentGiven { purpose, policy_version, .. }) => {
            state.consents.insert(*purpose, *policy_version);
        }
        Event::ConsentWithdrawn(ConsentWithdrawn { purpose, .. }) => {
            state.consents.remove(purpose);
        }
        standing => state = stand(state, standing),
    }
    state
}

/// Events that change how the account stands, or what it may do.
fn stand(mut state: State, event: &Event) -> State {
    match event {
        Event::Suspended(AccountSuspended { at_ms, .. }) => {
            state.suspended = true;
            state.sign_out_before(*at_ms);
        }
        Event::Reinstated(_) => state.suspended = false,
        Event::Cancelled(AccountCancelled { at_ms, .. }) => {
            state.closed = state.closed.max(Some(Closed::Cancelled));
            state.sign_out_before(*at_ms);
        }
        Event::RoleGranted(RoleGranted { role, .. }) => {
            state.roles.insert(*role);
        }
        Event::RoleRevoked(RoleRevoked { role, .. }) => {
            state.roles.remove(role);
        }
        Event::SignedOutEverywhere(SignedOutEverywhere { at_ms, .. }) => {
            state.sign_out_before(*at_ms);
        }
        Event::ErasureRequested(ErasureRequested { due_at_ms, .. }) => {
            state.erasure_due_at_ms = Some(*due_at_ms);
        }
        Event::ErasureWithdrawn(_) => state.erasure_due_at_ms = None,
        Event::Erased(AccountErased { at_ms, .. }) => {
            state.sign_out_before(*at_ms);
            state = State {
                registered: state.registered,
                closed: Some(Closed::Erased),
                email_key: state.email_key,
                signed_in_from_ms: state.signed_in_from_ms,
                ..State::default()
            };
        }
        _ => {}
    }
    state
}

impl State {
    fn register(&mut self, registered: &AccountRegistered) {
        self.registered = true;
        self.email = Some(registered.email.clone());
        self.email_key = Some(registered.email_key);
        self.password_hash = registered.password_hash.clone();
        self.roles.insert(Role::Viewer);
        let (hash, expires_at_ms) =
            (registered.verification_hash, registered.verification_expires_at_ms);
        self.send(CodePurpose::Verification, hash, expires_at_ms, registered.at_ms);
    }

    fn send(&mut self, purpose: CodePurpose, hash: SecretHash, expires_at_ms: i64, at_ms: i64) {
        let wrong = BTreeSet::new();
        self.codes.insert(purpose, Code { hash, sent_at_ms: at_ms, expires_at_ms, wrong });
    }

    fn verify(&mut self) {
        self.verified = true;
        self.codes.remove(&CodePurpose::Verification);
    }

    fn sign_out_before(&mut self, at_ms: i64) {
        self.signed_in_from_ms = self.signed_in_from_ms.max(at_ms);
    }
}
