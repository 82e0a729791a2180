use uuid::Uuid;

use super::*;
use crate::decider::harness::given;

const KEY: DeviceCodeKey = DeviceCodeKey([0xC; 32]);
const USER_CODE: SecretHash = SecretHash([0x0; 32]);
const ANA: AccountId = AccountId(Uuid::from_u128(0xA));
const BEN: AccountId = AccountId(Uuid::from_u128(0xB));
const SIGN_IN: SignInId = SignInId(Uuid::from_u128(0x5));
const TV: DeviceId = DeviceId(Uuid::from_u128(0x7));
const AT: i64 = 1_000;
const END: i64 = AT + LIFETIME_MS;

fn requested() -> Event {
    Event::Requested(DeviceCodeRequested {
        device_code_key: KEY,
        user_code_hash: USER_CODE,
        device_id: Some(TV),
        kind: DeviceKind::Tv,
        expires_at_ms: END,
        interval_ms: 5_000,
        at_ms: AT,
    })
}

fn approved() -> Event {
    Event::Approved(DeviceCodeApproved { device_code_key: KEY, account_id: ANA, at_ms: AT })
}

fn denied() -> Event {
    Event::Denied(DeviceCodeDenied { device_code_key: KEY, at_ms: AT })
}

fn slowed(interval_ms: u32, at_ms: i64) -> Event {
    Event::SlowedDown(DeviceCodeSlowedDown { device_code_key: KEY, interval_ms, at_ms })
}

fn consumed(at_ms: i64) -> Event {
    Event::Consumed(DeviceCodeConsumed {
        device_code_key: KEY,
        account_id: ANA,
        sign_in_id: SIGN_IN,
        at_ms,
    })
}

fn request() -> Command {
    Command::Request {
        device_code_key: KEY,
        user_code_hash: USER_CODE,
        device_id: TV,
        kind: DeviceKind::Tv,
        at_ms: AT,
    }
}

fn approve(account_id: AccountId, at_ms: i64) -> Command {
    Command::Approve { device_code_key: KEY, account_id, at_ms }
}

fn deny(at_ms: i64) -> Command {
    Command::Deny { device_code_key: KEY, at_ms }
}

fn poll(last_polled_at_ms: Option<i64>, at_ms: i64) -> Command {
    poll_of(TV, last_polled_at_ms, at_ms)
}

fn poll_of(device_id: DeviceId, last_polled_at_ms: Option<i64>, at_ms: i64) -> Command {
    let (device_code_key, sign_in_id) = (KEY, SIGN_IN);
    Command::Poll(Poll { device_code_key, device_id, sign_in_id, last_polled_at_ms, at_ms })
}

#[test]
fn a_code_is_of_use_to_the_device_that_asked_for_it_alone() {
    let other = DeviceId(Uuid::from_u128(0x8));
    for answer in [vec![], vec![approved()], vec![denied()], vec![approved(), consumed(AT)]] {
        let events = [vec![requested()], answer].concat();
        given::<DeviceCode>(events)
            .when(&poll_of(other, Some(AT), AT + 1))
            .then_refused(Refusal::OtherDevice);
    }
    assert_eq!(Refusal::OtherDevice.oauth_error(), "invalid_grant");
}

#[test]
fn a_code_from_before_devices_were_noted_is_of_use_to_whoever_has_it() {
    let Event::Requested(requested) = requested() else { unreachable!() };
    let old = Event::Requested(DeviceCodeRequested { device_id: None, ..requested });
    given::<DeviceCode>([old, approved()])
        .when(&poll_of(DeviceId(Uuid::from_u128(0x8)), None, AT))
        .then([consumed(AT)]);
}

#[test]
fn a_device_is_given_codes_for_15_minutes_and_5_seconds_between_polls() {
    given::<DeviceCode>([]).when(&request()).then([requested()]);
}

#[test]
fn a_code_is_handed_out_once() {
    given::<DeviceCode>([requested(), approved()]).when(&request()).then_nothing();
}

#[test]
fn a_poll_before_anybody_decided_is_told_to_come_again_without_an_event() {
    let pending = Refusal::AuthorizationPending;
    given::<DeviceCode>([requested()]).when(&poll(None, AT)).then_refused(pending.clone());
    given::<DeviceCode>([requested()]).when(&poll(Some(AT), AT + 5_000)).then_refused(pending);
}

#[test]
fn a_poll_that_came_too_soon_makes_the_interval_5_seconds_longer() {
    given::<DeviceCode>([requested()])
        .when(&poll(Some(AT), AT + 4_999))
        .then([slowed(10_000, AT + 4_999)]);
    given::<DeviceCode>([requested(), slowed(10_000, AT)])
        .when(&poll(Some(AT), AT + 9_999))
        .then([slowed(15_000, AT + 9_999)]);
}

#[test]
fn the_poll_that_was_too_soon_counts_as_the_poll_before_even_if_the_server_forgot_it() {
    given::<DeviceCode>([requested(), slowed(10_000, AT)])
        .when(&poll(None, AT + 9_999))
        .then([slowed(15_000, AT + 9_999)]);
    given::<DeviceCode>([requested(), slowed(10_000, AT)])
        .when(&poll(None, AT + 10_000))
        .then_refused(Refusal::AuthorizationPending);
}

#[test]
fn a_device_that_never_waits_fills_no_stream() {
    let mut state = DeviceCode::fold(State::default(), &[requested()]);
    let mut events = 0;
    for at_ms in AT..AT + 10_000 {
        if let Ok(happened) = DeviceCode::decide(&state, &poll(Some(at_ms - 1), at_ms)) {
            events += happened.len();
            state = DeviceCode::fold(state, &happened);
        }
    }
    assert_eq!(events, 11);
    let refused = DeviceCode::decide(&state, &poll(Some(AT), AT + 20_000));
    assert_eq!(refused, Err(Refusal::SlowDown { interval_ms: INTERVAL_MAX_MS }));
}

#[test]
fn what_a_recorded_poll_means_is_told() {
    assert_eq!(
        recorded_refusal(&[slowed(10_000, AT)]),
        Some(Refusal::SlowDown { interval_ms: 10_000 })
    );
    assert_eq!(recorded_refusal(&[consumed(AT)]), None);
}

#[test]
fn an_approved_device_is_let_in_once() {
    given::<DeviceCode>([requested(), approved()]).when(&poll(None, AT)).then([consumed(AT)]);
    let other = Poll {
        device_id: TV,
        device_code_key: KEY,
        sign_in_id: SignInId(Uuid::from_u128(6)),
        last_polled_at_ms: None,
        at_ms: AT + 5_000,
    };
    given::<DeviceCode>([requested(), approved(), consumed(AT)])
        .when(&Command::Poll(other))
        .then_refused(Refusal::Consumed);
}

#[test]
fn the_poll_that_let_the_device_in_has_done_so_already_when_it_is_decided_again() {
    given::<DeviceCode>([requested(), approved(), consumed(AT)])
        .when(&poll(Some(AT), AT))
        .then_nothing();
}

#[test]
fn an_approved_device_that_polls_too_soon_waits_too() {
    given::<DeviceCode>([requested(), approved()])
        .when(&poll(Some(AT), AT + 1))
        .then([slowed(10_000, AT + 1)]);
}

#[test]
fn a_device_that_was_denied_is_told_so() {
    given::<DeviceCode>([requested(), denied()])
        .when(&poll(None, AT))
        .then_refused(Refusal::AccessDenied);
}

#[test]
fn codes_expire_after_15_minutes_approved_or_not() {
    given::<DeviceCode>([requested()]).when(&poll(None, END)).then_refused(Refusal::ExpiredToken);
    given::<DeviceCode>([requested(), approved()])
        .when(&poll(None, END))
        .then_refused(Refusal::ExpiredToken);
    given::<DeviceCode>([requested(), approved()])
        .when(&poll(None, END - 1))
        .then([consumed(END - 1)]);
}

#[test]
fn a_code_that_never_was_is_taken_for_an_expired_one() {
    for command in [poll(None, AT), approve(ANA, AT), deny(AT)] {
        given::<DeviceCode>([]).when(&command).then_refused(Refusal::ExpiredToken);
    }
}

#[test]
fn somebody_lets_the_device_in_until_the_codes_expire() {
    given::<DeviceCode>([requested()]).when(&approve(ANA, AT)).then([approved()]);
    given::<DeviceCode>([requested()]).when(&approve(ANA, END)).then_refused(Refusal::ExpiredToken);
}

#[test]
fn somebody_keeps_the_device_out_until_the_codes_expire() {
    given::<DeviceCode>([requested()]).when(&deny(AT)).then([denied()]);
    given::<DeviceCode>([requested()]).when(&deny(END)).then_refused(Refusal::ExpiredToken);
}

#[test]
fn the_first_decision_counts() {
    let decided = || Refusal::AlreadyDecided;
    given::<DeviceCode>([requested(), approved()]).when(&deny(AT)).then_refused(decided());
    given::<DeviceCode>([requested(), denied()]).when(&approve(ANA, AT)).then_refused(decided());
    given::<DeviceCode>([requested(), approved()]).when(&approve(BEN, AT)).then_refused(decided());
    given::<DeviceCode>([requested(), approved(), consumed(AT)])
        .when(&approve(BEN, AT))
        .then_refused(decided());
}

#[test]
fn the_same_decision_again_changes_nothing() {
    given::<DeviceCode>([requested(), approved()]).when(&approve(ANA, END)).then_nothing();
    given::<DeviceCode>([requested(), approved(), consumed(AT)])
        .when(&approve(ANA, AT))
        .then_nothing();
    given::<DeviceCode>([requested(), denied()]).when(&deny(END)).then_nothing();
}

#[test]
fn refusals_have_the_error_codes_of_the_rfc() {
    let refusals = [
        (Refusal::AuthorizationPending, "authorization_pending"),
        (Refusal::SlowDown { interval_ms: 10_000 }, "slow_down"),
        (Refusal::ExpiredToken, "expired_token"),
        (Refusal::AccessDenied, "access_denied"),
        (Refusal::Consumed, "invalid_grant"),
    ];
    for (refusal, code) in refusals {
        assert_eq!(refusal.oauth_error(), code);
    }
}
