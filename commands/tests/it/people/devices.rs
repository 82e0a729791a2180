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
    assert!(
        matches!(refused, Err(PeopleError::SignInEnded { reason: told, .. }) if told == reason)
    );
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_twenty_wrong_tries_at_once_five_are_compared_and_all_of_them_counted() {
    let world = Arc::new(World::new().await);
    let (account_id, profile_id) = with_profile(&world).await;
    world.people.set_pin(account_id, profile_id, "0815", true, &world.context()).await.unwrap();
    let tries: Vec<_> = (0..20)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                world.people.try_pin(account_id, profile_id, "1111", &world.context()).await
            })
        })
        .collect();
    let (mut wrong, mut locked) = (0, 0);
    for tried in tries {
        match tried.await.unwrap() {
            Ok(false) => wrong += 1,
            Err(PeopleError::Account(Refusal::PinLocked { .. })) => locked += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((wrong, locked), (PIN_TRIES_MAX, 20 - PIN_TRIES_MAX));
}

#[tokio::test]
async fn a_try_whose_caller_gives_up_is_counted() {
    let world = World::new().await;
    let (account_id, profile_id) = with_profile(&world).await;
    let people = &world.people;
    people.set_pin(account_id, profile_id, "0815", true, &world.context()).await.unwrap();
    let context = world.context();
    let mut trying = Box::pin(people.try_pin(account_id, profile_id, "1111", &context));
    assert!(futures_poll_once(trying.as_mut()).await, "hashing takes longer than one look");
    drop(trying);
    let tries_left = async || {
        let household = world.commands.accounts.state(&account_id).await.unwrap();
        household.pins[&profile_id].tries_left(world.now_ms())
    };
    while tries_left().await == PIN_TRIES_MAX {
        tokio::task::yield_now().await;
    }
    assert_eq!(tries_left().await, PIN_TRIES_MAX - 1);
}

/// Looks at a future once; whether it is pending.
async fn futures_poll_once<F: Future>(mut future: std::pin::Pin<&mut F>) -> bool {
    std::future::poll_fn(|context| std::task::Poll::Ready(future.as_mut().poll(context)))
        .await
        .is_pending()
}

#[tokio::test]
async fn a_device_that_never_was_there_cannot_be_removed() {
    let world = World::new().await;
    let account_id = world.member(ADDRESS).await;
    let removed = world.people.remove_device(account_id, world.device(), &world.context()).await;
    assert!(matches!(removed, Err(PeopleError::Devices(devices::Refusal::UnknownDevice))));
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
