use uuid::Uuid;

use super::*;
use crate::decider::harness::given;

const ACCOUNT: AccountId = AccountId(Uuid::from_u128(0xA));
const AT: i64 = 1_000;

fn id(number: u128) -> ProfileId {
    ProfileId(Uuid::from_u128(number))
}

fn named(name: &str) -> Profile {
    Profile { name: name.to_owned(), language: "en".to_owned(), kids: false }
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
    Command::AddProfile { account_id: ACCOUNT, profile_id: id(number), profile, at_ms: AT }
}

fn change(number: u128, profile: Profile) -> Command {
    Command::ChangeProfile { account_id: ACCOUNT, profile_id: id(number), profile, at_ms: AT }
}

fn remove(number: u128) -> Command {
    Command::RemoveProfile { account_id: ACCOUNT, profile_id: id(number), at_ms: AT }
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
    let rule = "a line of 1 to 40 characters";
    given::<Account>([opened()])
        .when(&add(1, named("")))
        .then_refused(InvalidValue { field: "name", rule }.into());
}

#[test]
fn a_profile_is_changed() {
    let kids = Profile { kids: true, ..named("Ana") };
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
    let no_language = Profile { language: String::new(), ..named("Ana") };
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
fn a_profile_name_is_a_line_of_1_to_40_characters() {
    let good = ["A", &"a".repeat(40), &"ü".repeat(40), "小明", "Zoë 🦊", "O'Brien, Ana"];
    let bad = ["", " ", " Ana", "Ana ", &"a".repeat(41), &"ü".repeat(41), "A\nB", "A\0", "\u{7f}A"];
    for name in good {
        assert_eq!(named(name).validate(), Ok(()), "{name:?}");
    }
    for name in bad {
        let refused = named(name).validate().unwrap_err();
        assert_eq!(refused.field, "name", "{name:?}");
    }
}

#[test]
fn a_profile_language_is_a_bcp_47_tag() {
    let longest = "de-aaaaaaaa-bbbbbbbb-cccccccc-dddddd";
    let good = ["en", "deu", "pt-BR", "zh-Hant-TW", "es-419", "de-CH-1996", &longest[..35]];
    let bad = [
        "",
        "e",
        "engl",
        "e1",
        "en_US",
        "en-",
        "-en",
        "en--US",
        "en-u",
        "en-ninechars",
        "en US",
        "ën",
        "en-ÜS",
        longest,
    ];
    for language in good {
        let profile = Profile { language: language.to_owned(), ..named("Ana") };
        assert_eq!(profile.validate(), Ok(()), "{language:?}");
    }
    for language in bad {
        let profile = Profile { language: language.to_owned(), ..named("Ana") };
        assert_eq!(profile.validate().unwrap_err().field, "language", "{language:?}");
    }
}
