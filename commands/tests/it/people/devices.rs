//! Devices and PINs.

use std::sync::Arc;

use playhead_commands::people::{NewDevice, PeopleError};
use playhead_domain::account::{self, PIN_TRIES_MAX, PIN_WAIT_MS, Profile, Refusal};
use playhead_domain::devices::{self, DeviceKind};
use playhead_domain::sign_in::EndReason;
use playhead_domain::{AccountId, Personal, ProfileId};

use super::world::{ADDRESS, PASSWORD, World};
use crate::id;

fn phone(world: &World) -> NewDevice {
    NewDevice { device_id: world.device(), name: "Phone".into(), kind: DeviceKind::Phone }
}

#[tokio::test]
async fn a_household_has_as_many_devices_as_its_plan_allows() {
    let world = World::new().await;
    let account_id = world.member(ADDRESS).await;
    let people = &world.people;
    let first = phone(&world);
    for device in [first.clone(), phone(&world), phone(&world)] {
        people.register_device(account_id, device, &world.context()).await.unwrap();
    }
    let refused = people.register_device(account_id, phone(&world), &world.context()).await;
    let Err(PeopleError::Devices(devices::Refusal::TooManyDevices { limit, .. })) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(limit, 3, "the smallest plan's, as none runs");
    let device_id = first.device_id;
    people.name_device(account_id, device_id, "Pocket".into(), &world.context()).await.unwrap();
    let named = world.commands.devices.state(&account_id).await.unwrap();
    assert_eq!(named.devices[&device_id].name, Personal::Known("Pocket".into()));
    let refused = people.name_device(account_id, device_id, String::new(), &world.context()).await;
    assert!(matches!(refused, Err(PeopleError::Invalid(_))));
    people.remove_device(account_id, device_id, &world.context()).await.unwrap();
    let refused = people.register_device(account_id, first, &world.context()).await;
    assert!(matches!(refused, Err(PeopleError::DeviceRemoved)));
    people.register_device(account_id, phone(&world), &world.context()).await.unwrap();
}

#[tokio::test]
async fn a_removed_device_is_signed_out_and_stays_out() {
    let world = World::new().await;
    let account_id = world.member(ADDRESS).await;
    let wish = world.wish(ADDRESS, PASSWORD);
    let device_id = wish.device_id;
    let tokens = world.people.sign_in(wish.clone(), &world.context()).await.unwrap();
    let device = NewDevice { device_id, ..phone(&world) };
    world.people.register_device(account_id, device, &world.context()).await.unwrap();
    world.people.remove_device(account_id, device_id, &world.context()).await.unwrap();
    assert!(!world.people.is_signed_in(account_id, tokens.sign_in_id).await.unwrap());
    let refused = world.people.refresh(&tokens.refresh_token, None, &world.context()).await;
    let reason = EndReason::DeviceRemoved;
    assert!(matches!(refused, Err(PeopleError::SignInEnded { reason: told }) if told == reason));
    let mut again = world.wish(ADDRESS, PASSWORD);
    again.device_id = device_id;
    let refused = world.people.sign_in(again, &world.context()).await;
    assert!(matches!(refused, Err(PeopleError::DeviceRemoved)));
}

async fn with_profile(world: &World) -> (AccountId, ProfileId) {
    let (account_id, profile_id) = (world.member(ADDRESS).await, ProfileId(id(world.new_id())));
    let add = add_profile(account_id, profile_id, "Ada");
    world.commands.accounts.execute(&account_id, &add, &world.context()).await.unwrap();
    (account_id, profile_id)
}

fn add_profile(account_id: AccountId, profile_id: ProfileId, name: &str) -> account::Command {
    let profile = Profile::new(name, "en", false);
    account::Command::AddProfile {
        account_id,
        profile_id,
        profile,
        account_right: true,
        at_ms: crate::NOW_MS,
    }
}

#[tokio::test]
async fn a_pin_is_compared_counted_and_locked_after_too_many_wrong_ones() {
    let world = World::new().await;
    let (account_id, profile_id) = with_profile(&world).await;
    let people = &world.people;
    let refused = people.try_pin(account_id, profile_id, "0000", &world.context()).await;
    assert!(matches!(refused, Err(PeopleError::Account(Refusal::NoPin))));
    let refused = people.set_pin(account_id, profile_id, "12", true, &world.context()).await;
    assert!(matches!(refused, Err(PeopleError::Invalid(_))));
    people.set_pin(account_id, profile_id, "0815", false, &world.context()).await.unwrap();
    let refused = people.set_pin(account_id, profile_id, "4711", false, &world.context()).await;
    assert!(matches!(refused, Err(PeopleError::Account(Refusal::AccountRightNeeded))));
    assert!(people.try_pin(account_id, profile_id, "0815", &world.context()).await.unwrap());
    for _ in 0..PIN_TRIES_MAX {
        let right = people.try_pin(account_id, profile_id, "1111", &world.context()).await;
        assert!(!right.unwrap());
    }
    let refused = people.try_pin(account_id, profile_id, "0815", &world.context()).await;
    assert!(matches!(refused, Err(PeopleError::Account(Refusal::PinLocked { .. }))));
    world.pass(PIN_WAIT_MS);
    assert!(people.try_pin(account_id, profile_id, "0815", &world.context()).await.unwrap());
    assert!(people.is_password(account_id, PASSWORD).await.unwrap());
    people.remove_pin(account_id, profile_id, true, &world.context()).await.unwrap();
}

#[tokio::test]
async fn a_wrong_try_stays_wrong_when_the_command_comes_again_with_the_right_pin() {
    let world = World::new().await;
    let (account_id, profile_id) = with_profile(&world).await;
    let people = &world.people;
    people.set_pin(account_id, profile_id, "0815", true, &world.context()).await.unwrap();
    let context = world.context();
    assert!(!people.try_pin(account_id, profile_id, "1111", &context).await.unwrap());
    let refused = people.try_pin(account_id, profile_id, "0815", &context).await;
    assert!(matches!(refused, Err(PeopleError::Account(Refusal::WrongPin))), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_hundred_racing_fifth_profiles_one_is_added() {
    let world = Arc::new(World::new().await);
    let (account_id, _) = with_profile(&world).await;
    for number in 2..5 {
        let add = add_profile(account_id, ProfileId(id(number)), &format!("P{number}"));
        world.commands.accounts.execute(&account_id, &add, &world.context()).await.unwrap();
    }
    let races: Vec<_> = (100..200)
        .map(|number| {
            let (world, context) = (world.clone(), world.context());
            tokio::spawn(async move {
                let add = add_profile(account_id, ProfileId(id(number)), &format!("P{number}"));
                world.commands.accounts.execute(&account_id, &add, &context).await.is_ok()
            })
        })
        .collect();
    let mut added = 0;
    for race in races {
        added += usize::from(race.await.unwrap());
    }
    assert_eq!(added, 1);
}
