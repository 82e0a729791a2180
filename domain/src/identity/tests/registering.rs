//! An address that is registered again before anybody proved it: a stranger may have been first.

use super::*;

const HOUR: i64 = 60 * 60 * 1000;
/// Of the stranger, who came first: `HASH`. Of the owner of the address:
const OWN_HASH: &str = OTHER_HASH;

fn again(byte: u8, password: &str) -> Ask {
    Ask::Register(Registration {
        password_hash: Some(known(password)),
        verification_hash: secret(byte),
        ..registration()
    })
}

fn repeated(byte: u8, password: &str) -> Event {
    Event::RegistrationRepeated(RegistrationRepeated {
        account_id: ACCOUNT,
        password_hash: known(password),
        verification_hash: secret(byte),
        verification_expires_at_ms: AT + DAY,
        at_ms: AT,
    })
}

fn renewed(byte: u8) -> Event {
    Event::VerificationRenewed(VerificationRenewed {
        account_id: ACCOUNT,
        verification_hash: secret(byte),
        verification_expires_at_ms: AT + DAY,
        at_ms: AT,
    })
}

fn settled(password: Option<&str>) -> Event {
    let password_hash = password.map(known);
    Event::PasswordSettled(PasswordSettled { account_id: ACCOUNT, password_hash, at_ms: AT })
}

fn verify(byte: u8) -> Command {
    now(Ask::VerifyEmail { code_hash: secret(byte) })
}

fn consent() -> (Event, Event) {
    let (account_id, at_ms, policy_version) = (ACCOUNT, AT, 2);
    let purpose = ConsentPurpose::MarketingEmail;
    let given = ConsentGiven { account_id, purpose, policy_version, at_ms };
    let withdrawn = ConsentWithdrawn { account_id, purpose, policy_version, at_ms };
    (Event::ConsentGiven(given), Event::ConsentWithdrawn(withdrawn))
}

/// What is known once a code came back.
fn proven(past: &[Event], byte: u8) -> State {
    let before = state(past);
    let events = Identity::decide(&before, &verify(byte)).unwrap();
    let after = Identity::fold(before, &events);
    assert_eq!(after.status(), Some(Status::Active));
    after
}

#[test]
fn each_code_is_for_the_password_that_was_given_with_its_registration() {
    given::<Identity>([registered()]).when(&now(again(2, OWN_HASH))).then([repeated(2, OWN_HASH)]);
    let past = [registered(), repeated(2, OWN_HASH)];
    given::<Identity>(past.clone()).when(&verify(2)).then([verified()]);
    given::<Identity>(past.clone()).when(&verify(1)).then([settled(Some(HASH)), verified()]);
    assert_eq!(proven(&past, 2).password_hash, Some(known(OWN_HASH)));
    assert_eq!(proven(&past, 1).password_hash, Some(known(HASH)));
}

#[test]
fn the_first_code_is_good_however_often_the_address_is_registered_and_the_others_end_with_it() {
    let past = [registered(), repeated(2, OWN_HASH), repeated(3, HASH)];
    let after = proven(&past, 2);
    assert_eq!(after.password_hash, Some(known(OWN_HASH)));
    assert!(after.codes.is_empty() && after.earlier_codes.is_empty());
    given::<Identity>(past.clone())
        .when(&at(AT + DAY, Ask::VerifyEmail { code_hash: secret(2) }))
        .then_refused(Refusal::CodeExpired);
}

#[test]
fn a_wrong_code_counts_against_each_that_is_good() {
    let wrong = (100..105).map(|byte| {
        let (purpose, presented_hash) = (CodePurpose::Verification, secret(byte));
        Event::CodeRejected(CodeRejected {
            account_id: ACCOUNT,
            purpose,
            presented_hash,
            at_ms: AT,
        })
    });
    let past: Vec<_> = [registered(), repeated(2, OWN_HASH)].into_iter().chain(wrong).collect();
    for byte in [1, 2] {
        given::<Identity>(past.clone()).when(&verify(byte)).then_refused(Refusal::CodeVoid);
    }
}

#[test]
fn the_same_registration_again_and_one_without_a_password_change_nothing() {
    let past = [registered(), repeated(2, OWN_HASH)];
    for ask in [again(1, HASH), again(2, OWN_HASH)] {
        given::<Identity>(past.clone()).when(&now(ask)).then_nothing();
    }
    let without =
        Registration { password_hash: None, verification_hash: secret(3), ..registration() };
    given::<Identity>(past).when(&now(Ask::Register(without))).then_nothing();
}

#[test]
fn a_proven_account_is_not_registered_again() {
    given::<Identity>(active([])).when(&now(again(2, OWN_HASH))).then_nothing();
}

#[test]
fn a_code_that_was_asked_for_again_is_for_no_password_if_several_were_given() {
    let past = [registered(), repeated(2, HASH), renewed(3)];
    assert_eq!(proven(&past, 3).password_hash, None);
    for byte in [1, 2] {
        let rejected = Identity::decide(&state(&past), &verify(byte)).unwrap();
        assert!(matches!(rejected[..], [Event::CodeRejected(_)]), "{byte}");
    }
    assert_eq!(proven(&[registered(), renewed(3)], 3).password_hash, Some(known(HASH)));
}

#[test]
fn consents_of_nobody_knows_whom_are_withdrawn() {
    let (consent, withdrawn) = consent();
    let past = [registered(), consent.clone(), repeated(2, OWN_HASH)];
    given::<Identity>(past).when(&verify(2)).then([withdrawn, verified()]);
    given::<Identity>([registered(), consent]).when(&verify(1)).then([verified()]);
}

#[test]
fn the_tenth_registration_of_an_hour_ends_all_codes_and_no_password_is_lost_to_another() {
    let mut past = vec![registered()];
    for byte in 2..10 {
        let decided = Identity::decide(&state(&past), &now(again(byte, HASH))).unwrap();
        assert_eq!(decided, [repeated(byte, HASH)]);
        past.extend(decided);
    }
    given::<Identity>(past.clone()).when(&now(again(10, OWN_HASH))).then([renewed(10)]);
    past.push(renewed(10));
    given::<Identity>(past.clone())
        .when(&now(again(11, OWN_HASH)))
        .then_refused(Refusal::TooSoon { retry_at_ms: AT + HOUR });
    assert_eq!(proven(&past, 10).password_hash, None);
    let later = at(AT + HOUR, again(11, OWN_HASH));
    let decided = Identity::decide(&state(&past), &later).unwrap();
    assert!(matches!(decided[..], [Event::RegistrationRepeated(_)]));
}

#[test]
fn who_vouches_for_the_address_lets_no_password_of_before_count() {
    let (consent, withdrawn) = consent();
    given::<Identity>([registered(), consent]).when(&now(Ask::Vouch)).then([
        settled(None),
        withdrawn,
        verified(),
    ]);
    given::<Identity>(active([])).when(&now(Ask::Vouch)).then_nothing();
    let past = [registered(), settled(None), verified()];
    assert_eq!(state(&past).password_hash, None);
    assert_eq!(status(&past), Some(Status::Active));
}

#[test]
fn a_password_that_is_chosen_with_a_mailed_code_proves_the_address() {
    let asked = Event::PasswordResetRequested(PasswordResetRequested {
        account_id: ACCOUNT,
        code_hash: secret(3),
        expires_at_ms: AT + HOUR,
        at_ms: AT,
    });
    let password_hash = known(OWN_HASH);
    let reset =
        Event::PasswordReset(PasswordReset { account_id: ACCOUNT, password_hash, at_ms: AT });
    let choose = Ask::ResetPassword { code_hash: secret(3), password_hash: known(OWN_HASH) };
    let past = [registered(), repeated(2, HASH), asked];
    given::<Identity>(past.clone()).when(&now(choose)).then([reset.clone(), verified()]);
    let after = state(&[&past[..], &[reset.clone(), verified()]].concat());
    assert_eq!(after.password_hash, Some(known(OWN_HASH)));
    assert!(after.codes.is_empty() && after.earlier_codes.is_empty());
    // A log of before, in which that did not verify the address.
    assert_eq!(proven(&[registered(), reset], 1).password_hash, Some(known(OWN_HASH)));
}
