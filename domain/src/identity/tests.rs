use uuid::Uuid;

use super::*;
use crate::decider::harness::given;
use crate::ids::SecretHash;

mod codes;
mod registering;
mod standing;

const ACCOUNT: AccountId = AccountId(Uuid::from_u128(0xA));
const AT: i64 = 1_000_000;
const DAY: i64 = 24 * 60 * 60 * 1000;
const EMAIL: &str = "ana@example.org";
const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA";
const OTHER_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$b3RoZXI";

fn secret(byte: u8) -> SecretHash {
    SecretHash([byte; 32])
}

fn key(byte: u8) -> EmailKey {
    EmailKey([byte; 32])
}

fn known(value: &str) -> Personal<String> {
    Personal::Known(value.to_owned())
}

fn at(at_ms: i64, ask: Ask) -> Command {
    Command { account_id: ACCOUNT, at_ms, ask }
}

fn now(ask: Ask) -> Command {
    at(AT, ask)
}

fn registration() -> Registration {
    Registration {
        email: known(EMAIL),
        email_key: key(1),
        password_hash: Some(known(HASH)),
        verification_hash: secret(1),
        verification_expires_at_ms: AT + DAY,
    }
}

fn registered() -> Event {
    Event::Registered(AccountRegistered {
        account_id: ACCOUNT,
        email: known(EMAIL),
        email_key: key(1),
        password_hash: Some(known(HASH)),
        verification_hash: secret(1),
        verification_expires_at_ms: AT + DAY,
        at_ms: AT,
    })
}

fn verified() -> Event {
    Event::EmailVerified(EmailVerified { account_id: ACCOUNT, at_ms: AT })
}

fn suspended() -> Event {
    let reason = known("Chargeback");
    Event::Suspended(AccountSuspended { account_id: ACCOUNT, reason, at_ms: AT })
}

fn reinstated() -> Event {
    Event::Reinstated(AccountReinstated { account_id: ACCOUNT, at_ms: AT })
}

fn cancelled() -> Event {
    Event::Cancelled(AccountCancelled { account_id: ACCOUNT, at_ms: AT })
}

fn erasure_requested(due_at_ms: i64) -> Event {
    Event::ErasureRequested(ErasureRequested { account_id: ACCOUNT, due_at_ms, at_ms: AT })
}

fn erased(at_ms: i64) -> Event {
    Event::Erased(AccountErased { account_id: ACCOUNT, at_ms })
}

/// An active account, and what happened to it since.
fn active(since: impl IntoIterator<Item = Event>) -> Vec<Event> {
    [registered(), verified()].into_iter().chain(since).collect()
}

fn state(past: &[Event]) -> State {
    Identity::fold(State::default(), past)
}

fn status(past: &[Event]) -> Option<Status> {
    state(past).status()
}

/// One of everything that can be asked, each valid by itself.
fn asks() -> Vec<Ask> {
    vec![
        Ask::Register(registration()),
        Ask::ResendVerification {
            verification_hash: secret(2),
            verification_expires_at_ms: AT + DAY,
        },
        Ask::VerifyEmail { code_hash: secret(1) },
        Ask::Vouch,
        Ask::ChangePassword { password_hash: known(OTHER_HASH), current_correct: true },
        Ask::RequestPasswordReset { code_hash: secret(3) },
        Ask::ResetPassword { code_hash: secret(3), password_hash: known(OTHER_HASH) },
        Ask::RequestEmailChange {
            email: known("ana@example.com"),
            email_key: key(2),
            code_hash: secret(4),
        },
        Ask::ConfirmEmailChange { code_hash: secret(4) },
        Ask::LinkOutsideIdentity {
            issuer: "https://login.example.org".to_owned(),
            subject_key: SubjectKey([1; 32]),
        },
        Ask::GiveConsent { purpose: ConsentPurpose::Analytics, policy_version: 1 },
        Ask::Suspend { reason: known("Chargeback") },
        Ask::Reinstate,
        Ask::GrantRole { role: Role::Creator },
        Ask::Cancel,
        Ask::RevokeRole { role: Role::Viewer },
        Ask::SignOutEverywhere,
        Ask::WithdrawConsent { purpose: ConsentPurpose::Analytics },
        Ask::RequestErasure { due_at_ms: AT + DAY },
        Ask::WithdrawErasure,
        Ask::Erase,
    ]
}

/// How many of [`asks`], from the first on, are for what the person does for themselves; and how
/// many of them and of those that follow are refused to a closed account. Not counting the first.
const OWN: usize = 10;
const OPEN: usize = 13;

#[test]
fn somebody_new_registers() {
    given::<Identity>([]).when(&now(Ask::Register(registration()))).then([registered()]);
}

#[test]
fn an_account_is_registered_once() {
    for past in [vec![registered()], active([]), active([cancelled()])] {
        given::<Identity>(past).when(&now(Ask::Register(registration()))).then_nothing();
    }
}

#[test]
fn nothing_can_be_asked_of_an_account_that_nobody_registered() {
    for ask in asks().into_iter().skip(1) {
        given::<Identity>([]).when(&now(ask)).then_refused(Refusal::NotRegistered);
    }
}

#[test]
fn a_new_account_may_watch_and_nothing_else_once_it_is_verified() {
    assert_eq!(state(&[registered()]).roles, BTreeSet::from([Role::Viewer]));
    assert_eq!(status(&[]), None);
    assert_eq!(status(&[registered()]), Some(Status::PendingVerification));
    assert_eq!(status(&active([])), Some(Status::Active));
}

#[test]
fn a_person_without_a_password_registers() {
    let Event::Registered(with) = registered() else { panic!() };
    let without = Registration { password_hash: None, ..registration() };
    given::<Identity>([])
        .when(&now(Ask::Register(without)))
        .then([Event::Registered(AccountRegistered { password_hash: None, ..with })]);
}

#[test]
fn a_registration_with_a_bad_field_names_it() {
    let bad = [
        (Registration { email: known("ana"), ..registration() }, "email"),
        (Registration { email: Personal::Erased, ..registration() }, "email"),
        (Registration { password_hash: Some(known("secret")), ..registration() }, "password_hash"),
        (
            Registration { verification_expires_at_ms: AT, ..registration() },
            "verification_expires_at_ms",
        ),
        (
            Registration { verification_expires_at_ms: AT + DAY + 1, ..registration() },
            "verification_expires_at_ms",
        ),
    ];
    for (registration, field) in bad {
        let refused = Identity::decide(&State::default(), &now(Ask::Register(registration)));
        let Err(Refusal::Invalid(InvalidValue { field: named, .. })) = refused else { panic!() };
        assert_eq!(named, field);
    }
}

#[test]
fn who_knows_the_password_changes_it_which_ends_all_sign_ins_from_before() {
    let password_hash = known(OTHER_HASH);
    let ask = Ask::ChangePassword { password_hash: password_hash.clone(), current_correct: true };
    let changed =
        Event::PasswordChanged(PasswordChanged { account_id: ACCOUNT, password_hash, at_ms: AT });
    given::<Identity>(active([])).when(&now(ask)).then([changed.clone()]);
    let state = state(&active([changed]));
    assert_eq!(state.password_hash, Some(known(OTHER_HASH)));
    assert_eq!(state.signed_in_from_ms, AT);
}

#[test]
fn who_does_not_know_the_password_cannot_change_it() {
    let ask = Ask::ChangePassword { password_hash: known(OTHER_HASH), current_correct: false };
    given::<Identity>(active([])).when(&now(ask)).then_refused(Refusal::WrongPassword);
}

#[test]
fn an_account_without_a_password_has_none_to_change() {
    let Event::Registered(with) = registered() else { panic!() };
    let without = Event::Registered(AccountRegistered { password_hash: None, ..with });
    let ask = Ask::ChangePassword { password_hash: known(OTHER_HASH), current_correct: true };
    given::<Identity>([without, verified()]).when(&now(ask)).then_refused(Refusal::NoPassword);
}

#[test]
fn a_password_is_stored_as_an_argon2id_hash_only() {
    let rule = "an Argon2id hash as a PHC string of at most 256 bytes";
    let long = format!("{HASH}{}", "x".repeat(256));
    for hash in ["", "secret", "$argon2i$v=19$", "$2b$12$abc", long.as_str()] {
        let ask = Ask::ChangePassword { password_hash: known(hash), current_correct: true };
        given::<Identity>(active([]))
            .when(&now(ask))
            .then_refused(InvalidValue { field: "password_hash", rule }.into());
    }
}

#[test]
fn outside_identities_are_linked_up_to_a_limit() {
    let issuer = "https://login.example.org".to_owned();
    let link = |byte| Ask::LinkOutsideIdentity {
        issuer: issuer.clone(),
        subject_key: SubjectKey([byte; 32]),
    };
    let linked = |byte| {
        Event::OutsideIdentityLinked(OutsideIdentityLinked {
            account_id: ACCOUNT,
            issuer: issuer.clone(),
            subject_key: SubjectKey([byte; 32]),
            at_ms: AT,
        })
    };
    given::<Identity>(active([])).when(&now(link(1))).then([linked(1)]);
    given::<Identity>(active([linked(1)])).when(&now(link(1))).then_nothing();
    given::<Identity>(active((1..5).map(linked))).when(&now(link(5))).then([linked(5)]);
    given::<Identity>(active((1..6).map(linked))).when(&now(link(5))).then_nothing();
    given::<Identity>(active((1..6).map(linked)))
        .when(&now(link(6)))
        .then_refused(Refusal::TooManyOutsideIdentities { limit: 5 });
}

#[test]
fn an_outside_identity_has_an_issuer_that_is_encrypted_or_on_this_machine() {
    let long = format!("https://{}", "a".repeat(248));
    for issuer in ["", "login.example.org", "http://login.example.org", "https://a\nb", &long] {
        let ask = Ask::LinkOutsideIdentity {
            issuer: issuer.to_owned(),
            subject_key: SubjectKey([1; 32]),
        };
        let rule = "an https URL of at most 255 bytes, or http on this machine";
        given::<Identity>(active([]))
            .when(&now(ask))
            .then_refused(InvalidValue { field: "issuer", rule }.into());
    }
}

#[test]
fn consent_is_given_to_a_text_and_to_newer_ones() {
    let purpose = ConsentPurpose::MarketingEmail;
    let give = |policy_version| now(Ask::GiveConsent { purpose, policy_version });
    let given_to = |policy_version| {
        let account_id = ACCOUNT;
        Event::ConsentGiven(ConsentGiven { account_id, purpose, policy_version, at_ms: AT })
    };
    given::<Identity>(active([])).when(&give(2)).then([given_to(2)]);
    given::<Identity>(active([given_to(2)])).when(&give(3)).then([given_to(3)]);
    given::<Identity>(active([given_to(2)])).when(&give(2)).then_nothing();
    given::<Identity>(active([given_to(2)])).when(&give(1)).then_nothing();
    let invalid = InvalidValue { field: "policy_version", rule: "1 or more" };
    given::<Identity>(active([])).when(&give(0)).then_refused(invalid.into());
    assert_eq!(state(&active([given_to(2)])).consents, BTreeMap::from([(purpose, 2)]));
}

#[test]
fn consent_is_withdrawn_and_says_from_what_text() {
    let purpose = ConsentPurpose::MarketingEmail;
    let (account_id, at_ms) = (ACCOUNT, AT);
    let consent =
        Event::ConsentGiven(ConsentGiven { account_id, purpose, policy_version: 2, at_ms });
    let withdrawn =
        Event::ConsentWithdrawn(ConsentWithdrawn { account_id, purpose, policy_version: 2, at_ms });
    let withdraw = now(Ask::WithdrawConsent { purpose });
    given::<Identity>(active([consent.clone()])).when(&withdraw).then([withdrawn.clone()]);
    given::<Identity>(active([consent.clone(), withdrawn.clone()])).when(&withdraw).then_nothing();
    given::<Identity>(active([])).when(&withdraw).then_nothing();
    assert!(state(&active([consent, withdrawn])).consents.is_empty());
}

#[test]
fn roles_are_granted_and_revoked_once() {
    let (role, account_id, at_ms) = (Role::Auditor, ACCOUNT, AT);
    let granted = Event::RoleGranted(RoleGranted { account_id, role, at_ms });
    let revoked = Event::RoleRevoked(RoleRevoked { account_id, role, at_ms });
    let grant = now(Ask::GrantRole { role });
    let revoke = now(Ask::RevokeRole { role });
    given::<Identity>(active([])).when(&grant).then([granted.clone()]);
    given::<Identity>(active([granted.clone()])).when(&grant).then_nothing();
    given::<Identity>(active([granted.clone()])).when(&revoke).then([revoked.clone()]);
    given::<Identity>(active([granted, revoked])).when(&revoke).then_nothing();
}

#[test]
fn every_name_is_shown_as_it_is_stored() {
    for role in Role::ALL {
        assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
    }
    for status in Status::ALL {
        assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
    }
    assert_eq!(Role::ALL.len(), 6);
}

#[test]
fn what_is_personal_is_not_shown() {
    let shown = format!("{:?} {:?}", registered(), state(&[registered()]));
    assert!(!shown.contains(EMAIL) && !shown.contains(HASH), "{shown}");
}

#[test]
fn a_hash_is_made_anew_unless_another_password_was_chosen_meanwhile() {
    let rehash = |former: &str| {
        let (former_hash, password_hash) = (known(former), known(OTHER_HASH));
        now(Ask::RehashPassword { former_hash, password_hash })
    };
    let password_hash = known(OTHER_HASH);
    let rehashed = PasswordRehashed { account_id: ACCOUNT, password_hash, at_ms: AT };
    let rehashed = Event::PasswordRehashed(rehashed);
    given::<Identity>([registered(), verified()]).when(&rehash(HASH)).then([rehashed.clone()]);
    given::<Identity>([registered(), verified(), rehashed]).when(&rehash(HASH)).then_nothing();
    given::<Identity>([registered(), verified()]).when(&rehash("$argon2id$else")).then_nothing();
}
