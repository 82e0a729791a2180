//! Codes that were sent by mail: verification, a new password, another address.

use super::*;

const MINUTE: i64 = 60 * 1000;
const HOUR: i64 = 60 * MINUTE;

fn rejected(purpose: CodePurpose, byte: u8) -> Event {
    let presented_hash = secret(byte);
    Event::CodeRejected(CodeRejected { account_id: ACCOUNT, purpose, presented_hash, at_ms: AT })
}

/// Wrong codes 100, 101 and so on.
fn wrong(purpose: CodePurpose, count: u8) -> impl Iterator<Item = Event> {
    (0..count).map(move |number| rejected(purpose, 100 + number))
}

fn verify(byte: u8) -> Ask {
    Ask::VerifyEmail { code_hash: secret(byte) }
}

fn resend(byte: u8, expires_at_ms: i64) -> Ask {
    Ask::ResendVerification {
        verification_hash: secret(byte),
        verification_expires_at_ms: expires_at_ms,
    }
}

fn renewed(byte: u8, at_ms: i64) -> Event {
    Event::VerificationRenewed(VerificationRenewed {
        account_id: ACCOUNT,
        verification_hash: secret(byte),
        verification_expires_at_ms: at_ms + DAY,
        at_ms,
    })
}

fn reset_requested(byte: u8, at_ms: i64) -> Event {
    Event::PasswordResetRequested(PasswordResetRequested {
        account_id: ACCOUNT,
        code_hash: secret(byte),
        expires_at_ms: at_ms + HOUR,
        at_ms,
    })
}

fn reset(byte: u8) -> Ask {
    Ask::ResetPassword { code_hash: secret(byte), password_hash: known(OTHER_HASH) }
}

fn was_reset(at_ms: i64) -> Event {
    let password_hash = known(OTHER_HASH);
    Event::PasswordReset(PasswordReset { account_id: ACCOUNT, password_hash, at_ms })
}

fn request_email() -> Ask {
    let (email, email_key) = (known("ana@example.com"), key(2));
    Ask::RequestEmailChange { email, email_key, code_hash: secret(4) }
}

fn email_requested() -> Event {
    Event::EmailChangeRequested(EmailChangeRequested {
        account_id: ACCOUNT,
        email: known("ana@example.com"),
        email_key: key(2),
        code_hash: secret(4),
        expires_at_ms: AT + DAY,
        at_ms: AT,
    })
}

fn email_changed() -> Event {
    Event::EmailChanged(EmailChanged {
        account_id: ACCOUNT,
        email: known("ana@example.com"),
        email_key: key(2),
        former_email_key: Some(key(1)),
        at_ms: AT,
    })
}

fn confirm_email(byte: u8) -> Ask {
    Ask::ConfirmEmailChange { code_hash: secret(byte) }
}

#[test]
fn the_code_verifies_the_address() {
    given::<Identity>([registered()]).when(&now(verify(1))).then([verified()]);
}

#[test]
fn a_verified_address_is_not_verified_again_whatever_the_code() {
    given::<Identity>(active([])).when(&now(verify(1))).then_nothing();
    given::<Identity>(active([])).when(&now(verify(9))).then_nothing();
}

#[test]
fn a_wrong_code_is_counted_and_told() {
    let events = [rejected(CodePurpose::Verification, 100)];
    given::<Identity>([registered()]).when(&now(verify(100))).then(events.clone());
    let behind = state(&[registered(), events[0].clone()]);
    assert_eq!(behind.refusal_of(&events), Some(Refusal::WrongCode { tries_left: 4 }));
    assert_eq!(behind.refusal_of(&[verified()]), None);
    let told = |tries_left| Refusal::WrongCode { tries_left }.to_string();
    assert_eq!(told(4), "the code is wrong; 4 tries are left");
    assert_eq!(told(1), "the code is wrong; 1 try is left");
}

#[test]
fn the_same_wrong_code_again_is_no_further_try() {
    let past = [registered(), rejected(CodePurpose::Verification, 100)];
    given::<Identity>(past)
        .when(&now(verify(100)))
        .then_refused(Refusal::WrongCode { tries_left: 4 });
}

#[test]
fn the_code_is_good_after_four_wrong_ones_and_void_after_five() {
    let past = |count| [registered()].into_iter().chain(wrong(CodePurpose::Verification, count));
    given::<Identity>(past(4)).when(&now(verify(1))).then([verified()]);
    let fifth = [rejected(CodePurpose::Verification, 104)];
    given::<Identity>(past(4)).when(&now(verify(104))).then(fifth.clone());
    let behind: Vec<_> = past(5).collect();
    assert_eq!(state(&behind).refusal_of(&fifth), Some(Refusal::CodeVoid));
    given::<Identity>(past(5)).when(&now(verify(1))).then_refused(Refusal::CodeVoid);
}

#[test]
fn the_code_expires() {
    given::<Identity>([registered()])
        .when(&at(AT + DAY, verify(1)))
        .then_refused(Refusal::CodeExpired);
}

#[test]
fn another_code_is_sent_after_a_minute() {
    given::<Identity>([registered()])
        .when(&at(AT + MINUTE, resend(2, AT + MINUTE + DAY)))
        .then([renewed(2, AT + MINUTE)]);
    given::<Identity>([registered()])
        .when(&at(AT + MINUTE - 1, resend(2, AT + DAY)))
        .then_refused(Refusal::TooSoon { retry_at_ms: AT + MINUTE });
}

#[test]
fn another_code_makes_the_one_before_void_and_has_all_its_tries() {
    let past: Vec<_> = [registered()]
        .into_iter()
        .chain(wrong(CodePurpose::Verification, 5))
        .chain([renewed(2, AT)])
        .collect();
    given::<Identity>(past.clone()).when(&now(verify(2))).then([verified()]);
    given::<Identity>(past).when(&now(verify(1))).then([rejected(CodePurpose::Verification, 1)]);
}

#[test]
fn a_verified_address_needs_no_other_code() {
    given::<Identity>(active([])).when(&at(AT + HOUR, resend(2, AT + DAY))).then_nothing();
}

#[test]
fn a_code_that_lasts_too_long_is_not_sent() {
    let rule = "later than now, and within 24 hours";
    given::<Identity>([registered()])
        .when(&at(AT + HOUR, resend(2, AT + HOUR + DAY + 1)))
        .then_refused(InvalidValue { field: "verification_expires_at_ms", rule }.into());
}

#[test]
fn a_code_for_a_new_password_is_good_for_an_hour_and_once() {
    let request = Ask::RequestPasswordReset { code_hash: secret(3) };
    given::<Identity>(active([])).when(&now(request)).then([reset_requested(3, AT)]);
    let past = || active([reset_requested(3, AT)]);
    given::<Identity>(past()).when(&at(AT + HOUR - 1, reset(3))).then([was_reset(AT + HOUR - 1)]);
    given::<Identity>(past()).when(&at(AT + HOUR, reset(3))).then_refused(Refusal::CodeExpired);
    given::<Identity>(active([reset_requested(3, AT), was_reset(AT)]))
        .when(&now(reset(3)))
        .then_refused(Refusal::NoCode);
}

#[test]
fn a_new_password_ends_all_sign_ins_from_before() {
    let state = state(&active([reset_requested(3, AT), was_reset(AT + 5)]));
    assert_eq!(state.password_hash, Some(known(OTHER_HASH)));
    assert_eq!(state.signed_in_from_ms, AT + 5);
}

#[test]
fn codes_for_a_new_password_are_sent_a_minute_apart() {
    let request = |byte| Ask::RequestPasswordReset { code_hash: secret(byte) };
    let past = || active([reset_requested(3, AT)]);
    given::<Identity>(past()).when(&now(request(3))).then_nothing();
    given::<Identity>(past())
        .when(&now(request(5)))
        .then_refused(Refusal::TooSoon { retry_at_ms: AT + MINUTE });
    given::<Identity>(past())
        .when(&at(AT + MINUTE, request(5)))
        .then([reset_requested(5, AT + MINUTE)]);
}

#[test]
fn a_password_cannot_be_chosen_without_the_code() {
    given::<Identity>(active([])).when(&now(reset(3))).then_refused(Refusal::NoCode);
    given::<Identity>(active([reset_requested(3, AT)]))
        .when(&now(reset(100)))
        .then([rejected(CodePurpose::PasswordReset, 100)]);
    let guessed = [reset_requested(3, AT)].into_iter().chain(wrong(CodePurpose::PasswordReset, 5));
    given::<Identity>(active(guessed)).when(&now(reset(3))).then_refused(Refusal::CodeVoid);
}

#[test]
fn a_code_for_one_purpose_is_no_code_for_another() {
    given::<Identity>([registered()]).when(&now(reset(1))).then_refused(Refusal::NoCode);
    given::<Identity>([registered(), reset_requested(3, AT)])
        .when(&now(verify(3)))
        .then([rejected(CodePurpose::Verification, 3)]);
}

#[test]
fn a_changed_password_makes_the_code_for_a_new_one_void() {
    let password_hash = known(OTHER_HASH);
    let changed =
        Event::PasswordChanged(PasswordChanged { account_id: ACCOUNT, password_hash, at_ms: AT });
    given::<Identity>(active([reset_requested(3, AT), changed]))
        .when(&now(reset(3)))
        .then_refused(Refusal::NoCode);
}

#[test]
fn a_bad_new_password_does_not_cost_the_code() {
    let ask = Ask::ResetPassword { code_hash: secret(3), password_hash: Personal::Erased };
    let rule = "an Argon2id hash as a PHC string of at most 256 bytes";
    given::<Identity>(active([reset_requested(3, AT)]))
        .when(&now(ask))
        .then_refused(InvalidValue { field: "password_hash", rule }.into());
}

#[test]
fn another_address_counts_when_its_code_comes_back() {
    given::<Identity>(active([])).when(&now(request_email())).then([email_requested()]);
    let waiting = active([email_requested()]);
    assert_eq!(state(&waiting).email, Some(known(EMAIL)));
    assert_eq!(state(&waiting).email_key, Some(key(1)));
    given::<Identity>(waiting).when(&now(confirm_email(4))).then([email_changed()]);
    let changed = state(&active([email_requested(), email_changed()]));
    assert_eq!(changed.email, Some(known("ana@example.com")));
    assert_eq!(changed.email_key, Some(key(2)));
    assert_eq!(changed.new_email, None);
}

#[test]
fn a_mistyped_address_of_a_new_account_is_replaced_and_verified() {
    let past = [registered(), email_requested(), email_changed()];
    assert_eq!(status(&past), Some(Status::Active));
}

#[test]
fn the_address_is_not_changed_to_itself_or_to_none() {
    let ask = |email: &str, byte| Ask::RequestEmailChange {
        email: known(email),
        email_key: key(byte),
        code_hash: secret(4),
    };
    given::<Identity>(active([])).when(&now(ask(EMAIL, 1))).then_nothing();
    let rule = "an e-mail address of at most 254 bytes, such as ana@example.org";
    given::<Identity>(active([]))
        .when(&now(ask("ana", 2)))
        .then_refused(InvalidValue { field: "email", rule }.into());
}

#[test]
fn an_address_is_not_changed_without_its_code() {
    given::<Identity>(active([])).when(&now(confirm_email(4))).then_refused(Refusal::NoCode);
    given::<Identity>(active([email_requested()]))
        .when(&now(confirm_email(100)))
        .then([rejected(CodePurpose::EmailChange, 100)]);
    given::<Identity>(active([email_requested()]))
        .when(&at(AT + DAY, confirm_email(4)))
        .then_refused(Refusal::CodeExpired);
}

#[test]
fn codes_that_went_to_the_address_before_are_void() {
    given::<Identity>(active([reset_requested(3, AT), email_requested(), email_changed()]))
        .when(&now(reset(3)))
        .then_refused(Refusal::NoCode);
}
