use uuid::Uuid;

use super::*;
use crate::decider::harness::given;

const ACCOUNT: AccountId = AccountId(Uuid::from_u128(0xA));
const SIGN_IN: SignInId = SignInId(Uuid::from_u128(0x5));
const DEVICE: DeviceId = DeviceId(Uuid::from_u128(0xD));
const AT: i64 = 1_000;

fn hash(byte: u8) -> SecretHash {
    SecretHash([byte; 32])
}

fn began() -> Event {
    Event::Began(SignInBegan {
        account_id: ACCOUNT,
        sign_in_id: SIGN_IN,
        device_id: DEVICE,
        method: Method::Password,
        refresh_hash: hash(1),
        at_ms: AT,
    })
}

/// The token of this generation was handed out; its hash is of the same byte.
fn refreshed(generation: u8, at_ms: i64) -> Event {
    Event::Refreshed(SignInRefreshed {
        account_id: ACCOUNT,
        sign_in_id: SIGN_IN,
        generation: generation.into(),
        refresh_hash: hash(generation),
        at_ms,
    })
}

fn ended(reason: EndReason, at_ms: i64) -> Event {
    Event::Ended(SignInEnded { account_id: ACCOUNT, sign_in_id: SIGN_IN, reason, at_ms })
}

fn begin() -> Begin {
    Begin {
        account_id: ACCOUNT,
        sign_in_id: SIGN_IN,
        device_id: DEVICE,
        method: Method::Password,
        refresh_hash: hash(1),
        status: Status::Active,
        device_known: true,
        at_ms: AT,
    }
}

/// Exchanges the token of this generation for the next, a moment after it was handed out.
fn refresh(generation: u8) -> Refresh {
    Refresh {
        account_id: ACCOUNT,
        sign_in_id: SIGN_IN,
        device_id: Some(DEVICE),
        generation: generation.into(),
        presented_hash: hash(generation),
        new_hash: hash(generation + 1),
        status: Status::Active,
        signed_in_from_ms: 0,
        device_known: true,
        at_ms: AT + 1,
    }
}

fn end(reason: EndReason) -> Command {
    Command::End { account_id: ACCOUNT, sign_in_id: SIGN_IN, reason, at_ms: AT }
}

#[track_caller]
fn ends(refresh: Refresh, reason: EndReason) {
    let at_ms = refresh.at_ms;
    given::<SignIn>([began()]).when(&Command::Refresh(refresh)).then([ended(reason, at_ms)]);
}

#[test]
fn another_device_gets_nothing_for_the_token_and_spoils_nothing() {
    let other = Some(DeviceId(Uuid::from_u128(0xE)));
    for generation in [1, 2] {
        let refresh = Refresh { device_id: other, ..refresh(generation) };
        given::<SignIn>([began(), refreshed(2, AT)])
            .when(&Command::Refresh(refresh))
            .then_refused(Refusal::OtherDevice);
    }
}

#[test]
fn a_device_that_does_not_say_who_it_is_is_known_by_its_token() {
    let refresh = Refresh { device_id: None, ..refresh(1) };
    given::<SignIn>([began()]).when(&Command::Refresh(refresh)).then([refreshed(2, AT + 1)]);
}

#[test]
fn a_person_signs_in() {
    given::<SignIn>([]).when(&Command::Begin(begin())).then([began()]);
}

#[test]
fn only_active_accounts_sign_in() {
    for &status in Status::ALL.iter().filter(|status| **status != Status::Active) {
        given::<SignIn>([])
            .when(&Command::Begin(Begin { status, ..begin() }))
            .then_refused(Refusal::AccountNotActive { status });
    }
}

#[test]
fn nobody_signs_in_on_a_device_that_is_not_registered() {
    given::<SignIn>([])
        .when(&Command::Begin(Begin { device_known: false, ..begin() }))
        .then_refused(Refusal::UnknownDevice);
}

#[test]
fn a_sign_in_begins_once_and_an_ended_one_not_again() {
    given::<SignIn>([began()]).when(&Command::Begin(begin())).then_nothing();
    given::<SignIn>([began(), ended(EndReason::SignedOut, AT)])
        .when(&Command::Begin(begin()))
        .then_nothing();
}

#[test]
fn the_current_token_is_exchanged_for_the_next_generation() {
    given::<SignIn>([began()]).when(&Command::Refresh(refresh(1))).then([refreshed(2, AT + 1)]);
    given::<SignIn>([began(), refreshed(2, AT)])
        .when(&Command::Refresh(refresh(2)))
        .then([refreshed(3, AT + 1)]);
}

#[test]
fn the_same_exchange_decided_again_by_the_server_is_no_reuse() {
    given::<SignIn>([began(), refreshed(2, AT + 1)])
        .when(&Command::Refresh(refresh(1)))
        .then_nothing();
}

#[test]
fn a_token_that_was_exchanged_before_ends_the_sign_in() {
    let again = Refresh { new_hash: hash(9), ..refresh(1) };
    given::<SignIn>([began(), refreshed(2, AT + 1)])
        .when(&Command::Refresh(again))
        .then([ended(EndReason::Reuse, AT + 1)]);
}

#[test]
fn a_token_that_never_was_one_ends_the_sign_in() {
    ends(Refresh { presented_hash: hash(7), ..refresh(1) }, EndReason::Reuse);
    ends(Refresh { generation: 2, ..refresh(1) }, EndReason::Reuse);
    ends(Refresh { generation: 0, ..refresh(1) }, EndReason::Reuse);
    ends(Refresh { generation: u32::MAX, ..refresh(1) }, EndReason::Reuse);
}

#[test]
fn after_reuse_not_even_the_current_token_is_exchanged() {
    given::<SignIn>([began(), refreshed(2, AT), ended(EndReason::Reuse, AT)])
        .when(&Command::Refresh(refresh(2)))
        .then_refused(Refusal::Ended { reason: EndReason::Reuse });
}

#[test]
fn reuse_is_told_from_whatever_else_ended_the_sign_in() {
    let late = Refresh {
        presented_hash: hash(7),
        status: Status::Suspended,
        signed_in_from_ms: AT + 1,
        device_known: false,
        at_ms: i64::MAX,
        ..refresh(1)
    };
    ends(late, EndReason::Reuse);
}

#[test]
fn a_sign_in_of_an_account_that_is_not_active_ends() {
    for &status in Status::ALL.iter().filter(|status| **status != Status::Active) {
        ends(Refresh { status, ..refresh(1) }, EndReason::AccountClosed);
    }
}

#[test]
fn a_sign_in_from_before_all_were_ended_is_void() {
    ends(Refresh { signed_in_from_ms: AT + 1, ..refresh(1) }, EndReason::Void);
}

#[test]
fn a_sign_in_from_the_moment_when_all_were_ended_goes_on() {
    given::<SignIn>([began()])
        .when(&Command::Refresh(Refresh { signed_in_from_ms: AT, ..refresh(1) }))
        .then([refreshed(2, AT + 1)]);
}

#[test]
fn a_sign_in_on_a_removed_device_ends() {
    ends(Refresh { device_known: false, ..refresh(1) }, EndReason::DeviceRemoved);
}

#[test]
fn a_sign_in_that_was_idle_for_60_days_ends() {
    let last = AT + IDLE_MAX_MS - 1;
    given::<SignIn>([began()])
        .when(&Command::Refresh(Refresh { at_ms: last, ..refresh(1) }))
        .then([refreshed(2, last)]);
    ends(Refresh { at_ms: AT + IDLE_MAX_MS, ..refresh(1) }, EndReason::Idle);
}

#[test]
fn a_refresh_begins_the_60_days_anew() {
    let at_ms = AT + IDLE_MAX_MS + 1;
    given::<SignIn>([began(), refreshed(2, AT + 2)])
        .when(&Command::Refresh(Refresh { at_ms, ..refresh(2) }))
        .then([refreshed(3, at_ms)]);
}

#[test]
fn a_sign_in_ends_after_a_year_however_often_it_is_refreshed() {
    let last = AT + LIFETIME_MAX_MS - 1;
    given::<SignIn>([began(), refreshed(2, last - 1)])
        .when(&Command::Refresh(Refresh { at_ms: last, ..refresh(2) }))
        .then([refreshed(3, last)]);
    given::<SignIn>([began(), refreshed(2, last)])
        .when(&Command::Refresh(Refresh { at_ms: last + 1, ..refresh(2) }))
        .then([ended(EndReason::TooOld, last + 1)]);
}

#[test]
fn a_person_signs_out() {
    given::<SignIn>([began()])
        .when(&end(EndReason::SignedOut))
        .then([ended(EndReason::SignedOut, AT)]);
}

#[test]
fn what_has_ended_keeps_its_reason() {
    given::<SignIn>([began(), ended(EndReason::Reuse, AT)])
        .when(&end(EndReason::SignedOut))
        .then_nothing();
    let past = [began(), ended(EndReason::Reuse, AT), began(), refreshed(2, AT)];
    let state = SignIn::fold(State::default(), &past);
    assert_eq!(state, State::Ended { reason: EndReason::Reuse });
}

#[test]
fn a_sign_in_that_never_began_is_neither_refreshed_nor_ended() {
    given::<SignIn>([]).when(&Command::Refresh(refresh(1))).then_refused(Refusal::UnknownSignIn);
    given::<SignIn>([]).when(&end(EndReason::SignedOut)).then_refused(Refusal::UnknownSignIn);
}

#[test]
fn the_streams_of_an_accounts_sign_ins_share_what_stands_before_the_dot() {
    let key = SignInKey { account_id: ACCOUNT, sign_in_id: SIGN_IN };
    assert_eq!(key.to_string(), format!("{ACCOUNT}.{SIGN_IN}"));
}
