use uuid::Uuid;

use super::*;
use crate::decider::harness::given;
use crate::maturity::Maturity;

const ACCOUNT: AccountId = AccountId(Uuid::from_u128(0xA));
const AT: i64 = 1_000;

fn id(number: u128) -> ProfileId {
    ProfileId(Uuid::from_u128(number))
}

fn named(name: &str) -> Profile {
    Profile::new(name, "en", false)
}

fn of_a_child(name: &str) -> Profile {
    Profile::new(name, "en", true)
}

fn opened() -> Event {
    Event::Opened(AccountOpened { account_id: ACCOUNT, at_ms: AT })
}

fn added(number: u128, profile: Profile) -> Event {
    let profile_id = id(number);
    Event::ProfileAdded(ProfileAdded { account_id: ACCOUNT, profile_id, profile, at_ms: AT })
}

fn changed(number: u128, profile: Profile) -> Event {
    let profile_id = id(number);
    Event::ProfileChanged(ProfileChanged { account_id: ACCOUNT, profile_id, profile, at_ms: AT })
}

fn removed(number: u128) -> Event {
    Event::ProfileRemoved(ProfileRemoved { account_id: ACCOUNT, profile_id: id(number), at_ms: AT })
}

/// An open account with profiles 1, 2 and so on of these names.
fn household(names: &[&str]) -> Vec<Event> {
    let profiles = (1..).zip(names).map(|(number, name)| added(number, named(name)));
    std::iter::once(opened()).chain(profiles).collect()
}

fn open() -> Command {
    Command::Open { account_id: ACCOUNT, at_ms: AT }
}

fn add(number: u128, profile: Profile) -> Command {
    Command::AddProfile {
        account_id: ACCOUNT,
        profile_id: id(number),
        profile,
        account_right: true,
        at_ms: AT,
    }
}

fn change(number: u128, profile: Profile) -> Command {
    Command::ChangeProfile {
        account_id: ACCOUNT,
        profile_id: id(number),
        profile,
        account_right: true,
        at_ms: AT,
    }
}

fn remove(number: u128) -> Command {
    Command::RemoveProfile {
        account_id: ACCOUNT,
        profile_id: id(number),
        account_right: true,
        at_ms: AT,
    }
}

/// The same command of somebody who has no right over the account.
fn without_right(mut command: Command) -> Command {
    match &mut command {
        Command::AddProfile { account_right, .. }
        | Command::ChangeProfile { account_right, .. }
        | Command::RemoveProfile { account_right, .. }
        | Command::SetPin { account_right, .. }
        | Command::RemovePin { account_right, .. } => *account_right = false,
        Command::Open { .. } | Command::TryPin { .. } | Command::SetBillingAddress { .. } => {}
    }
    command
}

fn hash(text: &str) -> Personal<String> {
    Personal::Known(text.to_owned())
}

fn pin_set(number: u128, text: &str) -> Event {
    let (profile_id, hash) = (id(number), hash(text));
    Event::PinSet(PinSet { account_id: ACCOUNT, profile_id, hash, at_ms: AT })
}

fn pin_removed(number: u128) -> Event {
    Event::PinRemoved(PinRemoved { account_id: ACCOUNT, profile_id: id(number), at_ms: AT })
}

fn pin_refused(try_number: u128, at_ms: i64, locked_until_ms: Option<i64>) -> Event {
    let (profile_id, try_id) = (id(1), Uuid::from_u128(try_number));
    let refused = PinRefused { account_id: ACCOUNT, profile_id, try_id, locked_until_ms, at_ms };
    Event::PinRefused(refused)
}

fn pin_accepted(at_ms: i64) -> Event {
    Event::PinAccepted(PinAccepted { account_id: ACCOUNT, profile_id: id(1), at_ms })
}

fn set_pin(number: u128, text: &str) -> Command {
    let (profile_id, hash) = (id(number), hash(text));
    Command::SetPin { account_id: ACCOUNT, profile_id, hash, account_right: true, at_ms: AT }
}

fn remove_pin(number: u128) -> Command {
    let profile_id = id(number);
    Command::RemovePin { account_id: ACCOUNT, profile_id, account_right: true, at_ms: AT }
}

fn try_pin(try_number: u128, correct: bool, at_ms: i64) -> Command {
    let (profile_id, try_id) = (id(1), Uuid::from_u128(try_number));
    Command::TryPin { account_id: ACCOUNT, profile_id, try_id, correct, at_ms }
}

/// Profile 1, Ana, with a PIN and so many wrong tries, each in its own millisecond.
fn tried(wrong: u128) -> Vec<Event> {
    let mut past = household(&["Ana"]);
    past.push(pin_set(1, "secret"));
    past.extend(
        (1..=wrong)
            .map(|number| pin_refused(number, AT, (number == 5).then_some(AT + PIN_WAIT_MS))),
    );
    past
}

#[test]
fn a_household_joins() {
    given::<Account>([]).when(&open()).then([opened()]);
}

#[test]
fn an_open_account_is_not_opened_again() {
    given::<Account>([opened()]).when(&open()).then_nothing();
}

#[test]
fn an_account_that_is_not_open_gets_no_profiles() {
    given::<Account>([]).when(&add(1, named("Ana"))).then_refused(Refusal::NotOpen);
}

#[test]
fn an_account_that_is_not_open_has_no_profile_to_change() {
    given::<Account>([]).when(&change(1, named("Ana"))).then_refused(Refusal::NotOpen);
}

#[test]
fn an_account_that_is_not_open_has_no_profile_to_remove() {
    given::<Account>([]).when(&remove(1)).then_refused(Refusal::NotOpen);
}

#[test]
fn a_viewer_joins_an_open_account() {
    given::<Account>([opened()]).when(&add(1, named("Ana"))).then([added(1, named("Ana"))]);
}

#[test]
fn a_profile_is_not_added_twice() {
    given::<Account>(household(&["Ana"])).when(&add(1, named("Ana"))).then_nothing();
}

#[test]
fn a_late_repeat_of_adding_a_profile_does_not_undo_a_change() {
    given::<Account>([opened(), added(1, named("Ana")), changed(1, named("Anna"))])
        .when(&add(1, named("Ana")))
        .then_nothing();
}

#[test]
fn the_fifth_profile_fits() {
    given::<Account>(household(&["A", "B", "C", "D"]))
        .when(&add(5, named("E")))
        .then([added(5, named("E"))]);
}

#[test]
fn the_sixth_profile_does_not_fit() {
    given::<Account>(household(&["A", "B", "C", "D", "E"]))
        .when(&add(6, named("F")))
        .then_refused(Refusal::TooManyProfiles { limit: 5 });
}

#[test]
fn the_fifth_profile_is_still_there_when_it_is_added_again() {
    given::<Account>(household(&["A", "B", "C", "D", "E"]))
        .when(&add(5, named("E")))
        .then_nothing();
}

#[test]
fn a_removed_profile_makes_room() {
    let mut past = household(&["A", "B", "C", "D", "E"]);
    past.push(removed(2));
    given::<Account>(past).when(&add(6, named("F"))).then([added(6, named("F"))]);
}

#[test]
fn two_profiles_cannot_have_one_name() {
    given::<Account>(household(&["Ana"]))
        .when(&add(2, named("Ana")))
        .then_refused(Refusal::NameTaken);
}

#[test]
fn names_that_differ_only_in_case_are_one_name() {
    given::<Account>(household(&["Änne"]))
        .when(&add(2, named("äNNE")))
        .then_refused(Refusal::NameTaken);
}

#[test]
fn a_removed_profile_frees_its_name() {
    let mut past = household(&["Ana"]);
    past.push(removed(1));
    given::<Account>(past).when(&add(2, named("Ana"))).then([added(2, named("Ana"))]);
}

#[test]
fn a_changed_name_frees_the_one_before() {
    let mut past = household(&["Ana"]);
    past.push(changed(1, named("Anna")));
    given::<Account>(past).when(&add(2, named("Ana"))).then([added(2, named("Ana"))]);
}

#[test]
fn an_invalid_profile_is_not_added() {
    let rule = "a line of 1 to 40 characters, none of them invisible";
    for name in ["", "A\u{200b}na", "\u{202e}anA", "\u{2066}Ana"] {
        given::<Account>([opened()])
            .when(&add(1, named(name)))
            .then_refused(InvalidValue { field: "name", rule }.into());
    }
}

#[test]
fn a_profile_is_changed() {
    let kids = of_a_child("Ana");
    given::<Account>(household(&["Ana"])).when(&change(1, kids.clone())).then([changed(1, kids)]);
}

#[test]
fn a_profile_that_is_set_so_already_is_not_changed() {
    given::<Account>(household(&["Ana"])).when(&change(1, named("Ana"))).then_nothing();
}

#[test]
fn an_unknown_profile_cannot_be_changed() {
    given::<Account>(household(&["Ana"]))
        .when(&change(2, named("Ben")))
        .then_refused(Refusal::UnknownProfile);
}

#[test]
fn a_removed_profile_cannot_be_changed() {
    let mut past = household(&["Ana"]);
    past.push(removed(1));
    given::<Account>(past).when(&change(1, named("Ben"))).then_refused(Refusal::UnknownProfile);
}

#[test]
fn names_that_look_alike_are_one_name_however_their_letters_are_composed() {
    for [first, second] in [["Zoë", "Zoe\u{308}"], ["Zoe\u{308}", "ZOË"]] {
        given::<Account>(household(&[first]))
            .when(&add(2, named(second)))
            .then_refused(Refusal::NameTaken);
    }
}

#[test]
fn a_profile_cannot_take_the_name_of_another() {
    given::<Account>(household(&["Ana", "Ben"]))
        .when(&change(2, named("ana")))
        .then_refused(Refusal::NameTaken);
}

#[test]
fn a_profile_can_change_the_case_of_its_own_name() {
    given::<Account>(household(&["ana"]))
        .when(&change(1, named("Ana")))
        .then([changed(1, named("Ana"))]);
}

#[test]
fn a_full_account_can_change_its_profiles() {
    given::<Account>(household(&["A", "B", "C", "D", "E"]))
        .when(&change(5, named("F")))
        .then([changed(5, named("F"))]);
}

#[test]
fn a_profile_is_not_changed_to_something_invalid() {
    let no_language = Profile::new("Ana", "", false);
    let rule = "a BCP 47 language tag such as pt-BR";
    given::<Account>(household(&["Ana"]))
        .when(&change(1, no_language))
        .then_refused(InvalidValue { field: "language", rule }.into());
}

#[test]
fn a_viewer_leaves() {
    given::<Account>(household(&["Ana"])).when(&remove(1)).then([removed(1)]);
}

#[test]
fn a_profile_that_is_not_there_is_removed_already() {
    given::<Account>(household(&["Ana"])).when(&remove(2)).then_nothing();
}

#[test]
fn a_refusal_names_the_limit() {
    let refusal = Refusal::TooManyProfiles { limit: PROFILES_MAX };
    assert_eq!(refusal.to_string(), "the account has its 5 profiles already");
}

#[test]
fn a_limit_gets_stricter_without_right_over_the_account() {
    given::<Account>(household(&["Ana"]))
        .when(&without_right(change(1, of_a_child("Ana"))))
        .then([changed(1, of_a_child("Ana"))]);
}

#[test]
fn a_limit_is_lifted_only_by_right_over_the_account() {
    let teenager = Profile { maturity_max: Maturity::From13, ..named("Ana") };
    let grown_up = Profile { maturity_max: Maturity::From16, ..named("Ana") };
    let no_child = Profile { kids: false, ..of_a_child("Ana") };
    for (before, after) in [(teenager, grown_up), (of_a_child("Ana"), no_child)] {
        let past = || [opened(), added(1, before.clone())];
        given::<Account>(past())
            .when(&without_right(change(1, after.clone())))
            .then_refused(Refusal::AccountRightNeeded);
        given::<Account>(past()).when(&change(1, after.clone())).then([changed(1, after)]);
    }
}

#[test]
fn what_limits_nothing_is_changed_without_right_over_the_account() {
    let renamed = Profile { avatar: Some("fox".to_owned()), ..of_a_child("Anna") };
    given::<Account>([opened(), added(1, of_a_child("Ana"))])
        .when(&without_right(change(1, renamed.clone())))
        .then([changed(1, renamed)]);
}

#[test]
fn no_freer_profile_is_added_beside_a_limited_one_without_right_over_the_account() {
    let past = || [opened(), added(1, of_a_child("Ana"))];
    given::<Account>(past())
        .when(&without_right(add(2, named("Ben"))))
        .then_refused(Refusal::AccountRightNeeded);
    given::<Account>(past())
        .when(&without_right(add(2, of_a_child("Ben"))))
        .then([added(2, of_a_child("Ben"))]);
    given::<Account>(household(&["Ana"]))
        .when(&without_right(add(2, named("Ben"))))
        .then([added(2, named("Ben"))]);
}

#[test]
fn a_limited_profile_or_one_with_a_pin_is_removed_only_by_right_over_the_account() {
    let limited = vec![opened(), added(1, of_a_child("Ana"))];
    for past in [limited, tried(0)] {
        given::<Account>(past.clone())
            .when(&without_right(remove(1)))
            .then_refused(Refusal::AccountRightNeeded);
        given::<Account>(past).when(&remove(1)).then([removed(1)]);
    }
    given::<Account>(household(&["Ana"])).when(&without_right(remove(1))).then([removed(1)]);
}

#[test]
fn a_profile_without_a_pin_gets_one_from_anybody() {
    given::<Account>(household(&["Ana"]))
        .when(&without_right(set_pin(1, "secret")))
        .then([pin_set(1, "secret")]);
}

#[test]
fn a_pin_is_replaced_or_removed_only_by_right_over_the_account() {
    given::<Account>(tried(0)).when(&set_pin(1, "other")).then([pin_set(1, "other")]);
    given::<Account>(tried(0)).when(&remove_pin(1)).then([pin_removed(1)]);
    for command in [set_pin(1, "other"), remove_pin(1)] {
        given::<Account>(tried(0))
            .when(&without_right(command))
            .then_refused(Refusal::AccountRightNeeded);
    }
}

#[test]
fn a_pin_that_is_set_so_already_is_not_set_again() {
    given::<Account>(tried(3)).when(&set_pin(1, "secret")).then_nothing();
}

#[test]
fn a_pin_that_is_not_there_is_removed_already() {
    given::<Account>(household(&["Ana"])).when(&remove_pin(1)).then_nothing();
}

#[test]
fn an_unknown_profile_has_no_pin() {
    for command in [set_pin(2, "secret"), remove_pin(2)] {
        given::<Account>(household(&["Ana"])).when(&command).then_refused(Refusal::UnknownProfile);
    }
    given::<Account>([opened()]).when(&try_pin(1, true, AT)).then_refused(Refusal::UnknownProfile);
    given::<Account>(household(&["Ana"])).when(&try_pin(1, true, AT)).then_refused(Refusal::NoPin);
}

#[test]
fn what_is_no_hash_does_not_become_a_pin() {
    let rule = "hashed to a line of 1 to 200 characters";
    for text in ["", "a\nb", &"a".repeat(201)] {
        given::<Account>(household(&["Ana"]))
            .when(&set_pin(1, text))
            .then_refused(InvalidValue { field: "pin", rule }.into());
    }
}

#[test]
fn a_right_pin_leaves_no_trace_unless_it_ends_wrong_tries() {
    given::<Account>(tried(0)).when(&try_pin(9, true, AT)).then_nothing();
    given::<Account>(tried(4)).when(&try_pin(9, true, AT)).then([pin_accepted(AT)]);
}

#[test]
fn the_fifth_wrong_try_makes_the_next_one_wait_for_15_minutes() {
    given::<Account>(tried(3)).when(&try_pin(9, false, AT)).then([pin_refused(9, AT, None)]);
    let until_ms = AT + 900_000;
    given::<Account>(tried(4)).when(&try_pin(9, false, AT)).then([pin_refused(
        9,
        AT,
        Some(until_ms),
    )]);
}

#[test]
fn while_it_is_locked_even_the_right_pin_is_refused() {
    let until_ms = AT + 900_000;
    for (correct, at_ms) in [(true, AT), (false, AT), (true, until_ms - 1)] {
        given::<Account>(tried(5))
            .when(&try_pin(9, correct, at_ms))
            .then_refused(Refusal::PinLocked { until_ms });
    }
}

#[test]
fn after_the_wait_there_are_five_tries_again() {
    let until_ms = AT + 900_000;
    given::<Account>(tried(5)).when(&try_pin(9, true, until_ms)).then([pin_accepted(until_ms)]);
    let wrong = |number| pin_refused(number, until_ms, None);
    given::<Account>(tried(5)).when(&try_pin(9, false, until_ms)).then([wrong(9)]);
    let four = (11..=14).map(wrong);
    given::<Account>(tried(5).into_iter().chain(four))
        .when(&try_pin(15, false, until_ms))
        .then([pin_refused(15, until_ms, Some(until_ms + 900_000))]);
}

#[test]
fn a_right_pin_forgets_wrong_tries() {
    let mut past = tried(4);
    past.push(pin_accepted(AT));
    given::<Account>(past).when(&try_pin(9, false, AT)).then([pin_refused(9, AT, None)]);
}

#[test]
fn another_pin_forgets_wrong_tries_and_the_wait() {
    let mut past = tried(5);
    past.push(pin_set(1, "other"));
    given::<Account>(past).when(&try_pin(9, true, AT)).then_nothing();
}

#[test]
fn a_try_that_was_wrong_stays_wrong_whatever_is_given_with_it() {
    given::<Account>(tried(2)).when(&try_pin(2, true, AT)).then_refused(Refusal::WrongPin);
    given::<Account>(tried(5)).when(&try_pin(5, true, AT)).then_refused(Refusal::WrongPin);
}

#[test]
fn a_removed_profile_takes_its_pin_along() {
    let mut past = tried(5);
    past.extend([removed(1), added(1, named("Ana"))]);
    given::<Account>(past).when(&try_pin(9, true, AT)).then_refused(Refusal::NoPin);
}

#[test]
fn a_pin_tells_how_many_tries_are_left() {
    let left = |wrong, at_ms| {
        let state = Account::fold(State::default(), &tried(wrong));
        state.pins[&id(1)].tries_left(at_ms)
    };
    let until_ms = AT + 900_000;
    assert_eq!([0, 1, 4, 5].map(|wrong| left(wrong, AT)), [5, 4, 1, 0]);
    assert_eq!([until_ms - 1, until_ms].map(|at_ms| left(5, at_ms)), [0, 5]);
}

#[test]
fn a_wait_at_the_end_of_time_does_not_overflow() {
    let mut past = tried(4);
    past.push(pin_refused(9, i64::MAX, Some(i64::MAX)));
    given::<Account>(tried(4)).when(&try_pin(9, false, i64::MAX)).then([pin_refused(
        9,
        i64::MAX,
        Some(i64::MAX),
    )]);
    given::<Account>(past).when(&try_pin(9, false, i64::MAX)).then_refused(Refusal::WrongPin);
}
