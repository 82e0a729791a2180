//! How an account stands: suspended, cancelled, erased, and what can be asked of it then.

use super::*;

fn signed_out(at_ms: i64) -> Event {
    Event::SignedOutEverywhere(SignedOutEverywhere { account_id: ACCOUNT, at_ms })
}

fn suspend() -> Ask {
    Ask::Suspend { reason: known("Chargeback") }
}

#[test]
fn an_account_is_suspended_once_and_its_sign_ins_end() {
    given::<Identity>(active([])).when(&now(suspend())).then([suspended()]);
    given::<Identity>(active([suspended()])).when(&now(suspend())).then_nothing();
    let state = state(&active([suspended()]));
    assert_eq!((state.status(), state.signed_in_from_ms), (Some(Status::Suspended), AT));
}

#[test]
fn a_suspension_has_a_reason() {
    let rule = "a line of 1 to 200 characters";
    for reason in [known(""), known(" "), known(&"x".repeat(201)), Personal::Erased] {
        given::<Identity>(active([]))
            .when(&now(Ask::Suspend { reason }))
            .then_refused(InvalidValue { field: "reason", rule }.into());
    }
}

#[test]
fn a_reinstated_account_stands_as_it_did_and_its_sign_ins_stay_void() {
    given::<Identity>(active([suspended()])).when(&now(Ask::Reinstate)).then([reinstated()]);
    given::<Identity>(active([])).when(&now(Ask::Reinstate)).then_nothing();
    let state = state(&active([suspended(), reinstated()]));
    assert_eq!((state.status(), state.signed_in_from_ms), (Some(Status::Active), AT));
    let pending = [registered(), suspended(), reinstated()];
    assert_eq!(status(&pending), Some(Status::PendingVerification));
}

#[test]
fn an_account_is_cancelled_once_suspended_or_not_and_its_sign_ins_end() {
    given::<Identity>(active([])).when(&now(Ask::Cancel)).then([cancelled()]);
    given::<Identity>(active([suspended()])).when(&now(Ask::Cancel)).then([cancelled()]);
    given::<Identity>(active([cancelled()])).when(&now(Ask::Cancel)).then_nothing();
    let state = state(&active([suspended(), cancelled()]));
    assert_eq!((state.status(), state.signed_in_from_ms), (Some(Status::Cancelled), AT));
}

#[test]
fn people_do_nothing_for_themselves_with_a_suspended_account() {
    for ask in &asks()[1..=OWN] {
        given::<Identity>(active([suspended()]))
            .when(&now(ask.clone()))
            .then_refused(Refusal::Suspended);
    }
}

#[test]
fn a_cancelled_account_gets_nothing_more() {
    for ask in &asks()[1..=OPEN] {
        given::<Identity>(active([cancelled()]))
            .when(&now(ask.clone()))
            .then_refused(Refusal::Cancelled);
    }
}

#[test]
fn whatever_takes_away_or_is_a_persons_right_works_while_suspended_or_cancelled() {
    for past in [active([suspended()]), active([cancelled()])] {
        for ask in asks().into_iter().skip(OPEN + 1) {
            let decided = Identity::decide(&state(&past), &now(ask.clone()));
            let fine = matches!(decided, Ok(_) | Err(Refusal::ErasureNotRequested));
            assert!(fine, "{ask:?}: {decided:?}");
        }
    }
}

#[test]
fn signing_out_everywhere_ends_the_sign_ins_from_before() {
    let ask = || Ask::SignOutEverywhere;
    given::<Identity>(active([])).when(&now(ask())).then([signed_out(AT)]);
    given::<Identity>(active([signed_out(AT)])).when(&at(AT + 1, ask())).then([signed_out(AT + 1)]);
    given::<Identity>(active([signed_out(AT)])).when(&at(AT - 1, ask())).then_nothing();
}

#[test]
fn ended_sign_ins_never_come_back() {
    let state = state(&active([signed_out(AT + 9), signed_out(AT)]));
    assert_eq!(state.signed_in_from_ms, AT + 9);
}

#[test]
fn to_be_forgotten_is_asked_for_within_30_days() {
    let request = |due_at_ms| now(Ask::RequestErasure { due_at_ms });
    for due_at_ms in [AT, AT + DAY, AT + 30 * DAY] {
        given::<Identity>(active([]))
            .when(&request(due_at_ms))
            .then([erasure_requested(due_at_ms)]);
    }
    let rule = "not before now, and within 30 days";
    for due_at_ms in [AT - 1, AT + 30 * DAY + 1] {
        given::<Identity>(active([]))
            .when(&request(due_at_ms))
            .then_refused(InvalidValue { field: "due_at_ms", rule }.into());
    }
}

#[test]
fn the_day_of_being_forgotten_is_not_moved_by_asking_again() {
    given::<Identity>(active([erasure_requested(AT + DAY)]))
        .when(&now(Ask::RequestErasure { due_at_ms: AT + 2 * DAY }))
        .then_nothing();
}

#[test]
fn a_person_may_stay_after_all() {
    let withdrawn = Event::ErasureWithdrawn(ErasureWithdrawn { account_id: ACCOUNT, at_ms: AT });
    let past = || active([erasure_requested(AT + DAY)]);
    given::<Identity>(past()).when(&now(Ask::WithdrawErasure)).then([withdrawn.clone()]);
    given::<Identity>(active([])).when(&now(Ask::WithdrawErasure)).then_nothing();
    given::<Identity>(past().into_iter().chain([withdrawn]))
        .when(&at(AT + DAY, Ask::Erase))
        .then_refused(Refusal::ErasureNotRequested);
}

#[test]
fn a_person_is_forgotten_when_it_is_due_and_not_before() {
    let due_at_ms = AT + DAY;
    let past = || active([erasure_requested(due_at_ms)]);
    given::<Identity>(past()).when(&at(due_at_ms, Ask::Erase)).then([erased(due_at_ms)]);
    given::<Identity>(past())
        .when(&at(due_at_ms - 1, Ask::Erase))
        .then_refused(Refusal::ErasureNotDue { due_at_ms });
}

#[test]
fn nobody_is_forgotten_who_did_not_ask_for_it() {
    given::<Identity>(active([])).when(&now(Ask::Erase)).then_refused(Refusal::ErasureNotRequested);
}

#[test]
fn nothing_can_be_asked_of_an_erased_account() {
    for ask in asks().into_iter().filter(|ask| !matches!(ask, Ask::Erase)) {
        given::<Identity>(active([erasure_requested(AT), erased(AT)]))
            .when(&now(ask))
            .then_refused(Refusal::Erased);
    }
}

#[test]
fn an_erased_account_is_erased_already() {
    given::<Identity>(active([erasure_requested(AT), erased(AT)]))
        .when(&now(Ask::Erase))
        .then_nothing();
}

#[test]
fn nothing_is_left_of_an_erased_account_but_what_its_end_needs() {
    let state = state(&active([erasure_requested(AT), erased(AT + 7), cancelled()]));
    assert_eq!(state.status(), Some(Status::Erased));
    assert_eq!((state.email, state.password_hash), (None, None));
    assert_eq!(state.email_key, Some(key(1)), "to be released");
    assert_eq!(state.signed_in_from_ms, AT + 7);
    assert!(state.roles.is_empty() && state.codes.is_empty() && state.consents.is_empty());
}
