//! What is known of an identity after an event.

use super::*;

pub(super) fn evolve(mut state: State, event: &Event) -> State {
    match event {
        Event::Registered(registered) => state.register(registered),
        Event::VerificationRenewed(renewed) => {
            state.earlier_codes.clear();
            // Nobody knows which of several registrations asked for it.
            state.password_hash = state.password_hash.filter(|_| !state.contested);
            let (hash, expires_at_ms) =
                (renewed.verification_hash, renewed.verification_expires_at_ms);
            state.send(CodePurpose::Verification, hash, expires_at_ms, renewed.at_ms);
        }
        Event::RegistrationRepeated(repeated) => state.register_again(repeated),
        Event::PasswordSettled(settled) => state.password_hash = settled.password_hash.clone(),
        Event::EmailVerified(_) => state.verify(),
        Event::CodeRejected(rejected) => {
            let all = rejected.purpose == CodePurpose::Verification;
            let earlier = state.earlier_codes.iter_mut().filter(|_| all);
            for code in state.codes.get_mut(&rejected.purpose).into_iter().chain(earlier) {
                code.wrong.insert(rejected.presented_hash);
            }
        }
        Event::PasswordChanged(PasswordChanged { password_hash, at_ms, .. })
        | Event::PasswordReset(PasswordReset { password_hash, at_ms, .. }) => {
            state.password_hash = Some(password_hash.clone());
            state.codes.remove(&CodePurpose::PasswordReset);
            // It counts whichever code comes back.
            for code in state.codes.values_mut().chain(&mut state.earlier_codes) {
                code.password_hash = Some(password_hash.clone());
            }
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
        self.registrations_ms.push(registered.at_ms);
        let (hash, expires_at_ms) =
            (registered.verification_hash, registered.verification_expires_at_ms);
        self.send(CodePurpose::Verification, hash, expires_at_ms, registered.at_ms);
    }

    fn register_again(&mut self, repeated: &RegistrationRepeated) {
        let at_ms = repeated.at_ms;
        self.contested = true;
        self.earlier_codes.extend(self.codes.remove(&CodePurpose::Verification));
        self.earlier_codes.retain(|code| at_ms < code.expires_at_ms);
        self.registrations_ms.retain(|sent_ms| is_recent(*sent_ms, at_ms));
        self.registrations_ms.push(at_ms);
        self.password_hash = Some(repeated.password_hash.clone());
        let (hash, expires_at_ms) =
            (repeated.verification_hash, repeated.verification_expires_at_ms);
        self.send(CodePurpose::Verification, hash, expires_at_ms, at_ms);
    }

    /// How many registrations came within the last hour.
    pub(super) fn registrations(&self, at_ms: i64) -> usize {
        self.registrations_ms.iter().filter(|sent_ms| is_recent(**sent_ms, at_ms)).count()
    }

    fn send(&mut self, purpose: CodePurpose, hash: SecretHash, expires_at_ms: i64, at_ms: i64) {
        let (wrong, password_hash) = (BTreeSet::new(), self.password_hash.clone());
        let code = Code { hash, sent_at_ms: at_ms, expires_at_ms, wrong, password_hash };
        self.codes.insert(purpose, code);
    }

    /// All codes end: nothing that was asked for before somebody proved the address is theirs.
    fn verify(&mut self) {
        self.verified = true;
        self.codes.clear();
        self.new_email = None;
        self.earlier_codes.clear();
        self.registrations_ms.clear();
        self.contested = false;
    }

    fn sign_out_before(&mut self, at_ms: i64) {
        self.signed_in_from_ms = self.signed_in_from_ms.max(at_ms);
    }
}

fn is_recent(sent_ms: i64, at_ms: i64) -> bool {
    at_ms.saturating_sub(sent_ms) < REGISTRATIONS_MS
}
