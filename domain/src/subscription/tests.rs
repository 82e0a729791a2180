use uuid::Uuid;

use super::*;
use crate::decider::harness::given;

const ACCOUNT: AccountId = AccountId(Uuid::from_u128(0xA));
const AT: i64 = 1_000;
const END: i64 = 5_000;

fn subscribed(plan: Plan) -> Event {
    Event::Subscribed(Subscribed { account_id: ACCOUNT, plan, at_ms: AT })
}

fn changed(from: Plan, to: Plan) -> Event {
    Event::PlanChanged(PlanChanged { account_id: ACCOUNT, from, to, at_ms: AT })
}

fn cancelled(ends_at_ms: i64) -> Event {
    Event::Cancelled(SubscriptionCancelled { account_id: ACCOUNT, ends_at_ms, at_ms: AT })
}

fn expired(at_ms: i64) -> Event {
    Event::Expired(SubscriptionExpired { account_id: ACCOUNT, at_ms })
}

fn subscribe(plan: Plan) -> Command {
    Command::Subscribe { account_id: ACCOUNT, plan, at_ms: AT }
}

fn change(plan: Plan) -> Command {
    Command::ChangePlan { account_id: ACCOUNT, plan, at_ms: AT }
}

fn cancel(ends_at_ms: i64) -> Command {
    Command::Cancel { account_id: ACCOUNT, ends_at_ms, at_ms: AT }
}

fn expire(at_ms: i64) -> Command {
    Command::Expire { account_id: ACCOUNT, at_ms }
}

#[test]
fn a_household_takes_out_a_plan() {
    given::<Subscription>([]).when(&subscribe(Plan::Standard)).then([subscribed(Plan::Standard)]);
}

#[test]
fn a_running_plan_cannot_be_bought_twice() {
    given::<Subscription>([subscribed(Plan::Basic)])
        .when(&subscribe(Plan::Basic))
        .then_refused(Refusal::AlreadySubscribed { plan: Plan::Basic });
}

#[test]
fn another_plan_cannot_be_bought_beside_the_running_one() {
    given::<Subscription>([subscribed(Plan::Basic), changed(Plan::Basic, Plan::Standard)])
        .when(&subscribe(Plan::Premium))
        .then_refused(Refusal::AlreadySubscribed { plan: Plan::Standard });
}

#[test]
fn notice_can_be_taken_back_by_subscribing_again() {
    given::<Subscription>([subscribed(Plan::Basic), cancelled(END)])
        .when(&subscribe(Plan::Premium))
        .then([subscribed(Plan::Premium)]);
}

#[test]
fn a_household_whose_plan_ended_can_come_back() {
    given::<Subscription>([subscribed(Plan::Basic), cancelled(END), expired(END)])
        .when(&subscribe(Plan::Basic))
        .then([subscribed(Plan::Basic)]);
}

#[test]
fn a_running_plan_can_be_changed() {
    given::<Subscription>([subscribed(Plan::Basic)])
        .when(&change(Plan::Premium))
        .then([changed(Plan::Basic, Plan::Premium)]);
}

#[test]
fn a_plan_is_not_changed_to_itself() {
    given::<Subscription>([subscribed(Plan::Basic), changed(Plan::Basic, Plan::Premium)])
        .when(&change(Plan::Premium))
        .then_nothing();
}

#[test]
fn a_plan_that_never_ran_cannot_be_changed() {
    given::<Subscription>([]).when(&change(Plan::Basic)).then_refused(Refusal::NotSubscribed);
}

#[test]
fn a_cancelled_plan_cannot_be_changed() {
    given::<Subscription>([subscribed(Plan::Basic), cancelled(END)])
        .when(&change(Plan::Premium))
        .then_refused(Refusal::NotSubscribed);
}

#[test]
fn a_running_plan_can_be_cancelled() {
    given::<Subscription>([subscribed(Plan::Basic)]).when(&cancel(END)).then([cancelled(END)]);
}

#[test]
fn a_plan_does_not_end_before_notice_is_given() {
    given::<Subscription>([subscribed(Plan::Basic)]).when(&cancel(AT - 1)).then([cancelled(AT)]);
}

#[test]
fn a_cancelled_plan_keeps_its_end_when_it_is_cancelled_again() {
    given::<Subscription>([subscribed(Plan::Basic), cancelled(END)])
        .when(&cancel(END + 1))
        .then_nothing();
}

#[test]
fn a_plan_that_never_ran_cannot_be_cancelled() {
    given::<Subscription>([]).when(&cancel(END)).then_refused(Refusal::NotSubscribed);
}

#[test]
fn a_cancelled_plan_expires_at_its_end() {
    given::<Subscription>([subscribed(Plan::Basic), cancelled(END)])
        .when(&expire(END))
        .then([expired(END)]);
}

#[test]
fn a_cancelled_plan_does_not_expire_before_its_end() {
    given::<Subscription>([subscribed(Plan::Basic), cancelled(END)])
        .when(&expire(END - 1))
        .then_refused(Refusal::NotOver);
}

#[test]
fn a_plan_without_an_end_does_not_expire() {
    given::<Subscription>([subscribed(Plan::Basic)])
        .when(&expire(i64::MAX))
        .then_refused(Refusal::NotOver);
}

#[test]
fn a_plan_that_was_taken_out_again_does_not_expire() {
    given::<Subscription>([subscribed(Plan::Basic), cancelled(END), subscribed(Plan::Basic)])
        .when(&expire(END))
        .then_refused(Refusal::NotOver);
}

#[test]
fn what_has_ended_is_expired_already() {
    given::<Subscription>([subscribed(Plan::Basic), cancelled(END), expired(END)])
        .when(&expire(END + 1))
        .then_nothing();
}

#[test]
fn what_never_began_is_expired_already() {
    given::<Subscription>([]).when(&expire(END)).then_nothing();
}

#[test]
fn a_plan_runs_until_the_moment_it_ends_exclusive() {
    let ends = State::Cancelled { plan: Plan::Standard, ends_at_ms: END };
    assert_eq!(ends.plan_at(END - 1), Some(Plan::Standard));
    assert_eq!(ends.plan_at(END), None);
}

#[test]
fn a_plan_without_an_end_runs_at_any_moment() {
    assert_eq!(State::Active { plan: Plan::Basic }.plan_at(i64::MAX), Some(Plan::Basic));
}

#[test]
fn nothing_runs_without_a_subscription() {
    assert_eq!(State::None.plan_at(0), None);
}

#[test]
fn a_refusal_names_the_plan_that_runs() {
    let refusal = Refusal::AlreadySubscribed { plan: Plan::Premium };
    assert_eq!(refusal.to_string(), "the premium plan runs already");
}
