use uuid::Uuid;

use super::*;
use crate::decider::harness::given;

const ACCOUNT: AccountId = AccountId(Uuid::from_u128(0xA));
const AT: i64 = 1_000;
const MAX: usize = 3;

fn id(number: u128) -> DeviceId {
    DeviceId(Uuid::from_u128(number))
}

fn called(name: &str) -> Personal<String> {
    Personal::Known(name.to_owned())
}

fn registered(number: u128, name: &str) -> Event {
    Event::Registered(DeviceRegistered {
        account_id: ACCOUNT,
        device_id: id(number),
        name: called(name),
        kind: DeviceKind::Tv,
        at_ms: AT,
    })
}

fn renamed(number: u128, name: &str) -> Event {
    let name = called(name);
    Event::Renamed(DeviceRenamed { account_id: ACCOUNT, device_id: id(number), name, at_ms: AT })
}

fn removed(number: u128) -> Event {
    Event::Removed(DeviceRemoved { account_id: ACCOUNT, device_id: id(number), at_ms: AT })
}

fn register(number: u128, name: &str) -> Command {
    Command::Register {
        account_id: ACCOUNT,
        device_id: id(number),
        name: called(name),
        kind: DeviceKind::Tv,
        devices_max: MAX,
        at_ms: AT,
    }
}

fn rename(number: u128, name: &str) -> Command {
    let name = called(name);
    Command::Rename { account_id: ACCOUNT, device_id: id(number), name, at_ms: AT }
}

fn remove(number: u128) -> Command {
    Command::Remove { account_id: ACCOUNT, device_id: id(number), at_ms: AT }
}

fn household(count: u128) -> Vec<Event> {
    (1..=count).map(|number| registered(number, "TV")).collect()
}

fn bad_name(field: &'static str) -> Refusal {
    InvalidValue { field, rule: NAME_RULE }.into()
}

#[test]
fn a_device_joins() {
    given::<Devices>([]).when(&register(1, "TV")).then([registered(1, "TV")]);
}

#[test]
fn a_device_joins_once_also_when_the_household_is_full() {
    given::<Devices>(household(3)).when(&register(3, "TV")).then_nothing();
}

#[test]
fn a_late_repeat_of_registering_does_not_undo_a_renaming() {
    given::<Devices>([registered(1, "TV"), renamed(1, "Big one")])
        .when(&register(1, "TV"))
        .then_nothing();
}

#[test]
fn the_last_device_that_the_plan_allows_fits() {
    given::<Devices>(household(2)).when(&register(3, "TV")).then([registered(3, "TV")]);
}

#[test]
fn one_device_more_than_the_plan_allows_is_refused_with_those_that_are_there() {
    let devices = Devices::fold(State::default(), &household(3)).devices;
    assert_eq!(devices.len(), 3);
    given::<Devices>(household(3))
        .when(&register(4, "TV"))
        .then_refused(Refusal::TooManyDevices { limit: 3, devices });
}

#[test]
fn devices_from_a_larger_plan_stay_and_no_other_joins() {
    let devices = Devices::fold(State::default(), &household(5)).devices;
    given::<Devices>(household(5)).when(&rename(5, "Mine")).then([renamed(5, "Mine")]);
    given::<Devices>(household(5))
        .when(&register(6, "TV"))
        .then_refused(Refusal::TooManyDevices { limit: 3, devices });
}

#[test]
fn a_removed_device_makes_room_for_another() {
    let mut past = household(3);
    past.push(removed(2));
    given::<Devices>(past).when(&register(4, "TV")).then([registered(4, "TV")]);
}

#[test]
fn a_removed_device_never_comes_back() {
    given::<Devices>([registered(1, "TV"), removed(1)])
        .when(&register(1, "TV"))
        .then_refused(Refusal::Removed);
}

#[test]
fn a_device_is_called_otherwise() {
    given::<Devices>(household(1)).when(&rename(1, "Big one")).then([renamed(1, "Big one")]);
}

#[test]
fn a_device_that_is_called_so_is_not_renamed() {
    given::<Devices>(household(1)).when(&rename(1, "TV")).then_nothing();
}

#[test]
fn two_devices_may_have_one_name() {
    given::<Devices>(household(1)).when(&register(2, "TV")).then([registered(2, "TV")]);
}

#[test]
fn a_device_that_is_not_there_cannot_be_renamed() {
    given::<Devices>([]).when(&rename(1, "TV")).then_refused(Refusal::UnknownDevice);
    given::<Devices>([registered(1, "TV"), removed(1)])
        .when(&rename(1, "TV"))
        .then_refused(Refusal::UnknownDevice);
}

#[test]
fn a_device_leaves() {
    given::<Devices>(household(1)).when(&remove(1)).then([removed(1)]);
}

#[test]
fn a_device_that_was_removed_is_removed_already() {
    given::<Devices>([registered(1, "TV"), removed(1)]).when(&remove(1)).then_nothing();
}

#[test]
fn a_device_that_never_was_there_cannot_be_removed() {
    given::<Devices>(household(1)).when(&remove(2)).then_refused(Refusal::UnknownDevice);
}

#[test]
fn the_name_of_a_device_is_a_line_of_1_to_60_characters() {
    for name in ["T", "Zoës Küche 📺", &"ü".repeat(60)] {
        given::<Devices>([]).when(&register(1, name)).then([registered(1, name)]);
    }
    for name in ["", " TV", "TV ", "T\nV", "T\u{200b}V", "\u{202e}VT", &"ü".repeat(61)] {
        given::<Devices>([]).when(&register(1, name)).then_refused(bad_name("device"));
        given::<Devices>(household(1)).when(&rename(1, name)).then_refused(bad_name("name"));
    }
}

#[test]
fn a_device_cannot_have_an_erased_name() {
    let rename = Command::Rename {
        account_id: ACCOUNT,
        device_id: id(1),
        name: Personal::Erased,
        at_ms: AT,
    };
    given::<Devices>(household(1)).when(&rename).then_refused(bad_name("name"));
}

#[test]
fn a_refusal_names_the_limit_and_no_names() {
    let devices = Devices::fold(State::default(), &[registered(1, "Secret")]).devices;
    let refusal = Refusal::TooManyDevices { limit: 1, devices };
    assert_eq!(refusal.to_string(), "the plan allows 1 device, and 1 is registered");
    assert!(!format!("{refusal:?}").contains("Secret"));
}
