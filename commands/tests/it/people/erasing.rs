//! Taking one's data along, and being forgotten.

use playhead_commands::people::{ERASURE_COOLING_OFF_MS, PeopleError};
use playhead_domain::account::{self, BillingAddress, Profile};
use playhead_domain::email::State;
use playhead_domain::identity::{Refusal, Status};
use playhead_domain::{AccountId, Personal, ProfileId};

use super::refusal;
use super::world::{ADDRESS, PASSWORD, World};
use crate::id;

const SECRETS: [&str; 5] = ["ada@example", "Ada@Example", "Lovelace", "St James", "argon2"];

/// A member with a profile, a PIN, a device's name and a billing address.
async fn known_well(world: &World) -> AccountId {
    let account_id = world.member(ADDRESS).await;
    let profile_id = ProfileId(id(world.new_id()));
    let add = account::Command::AddProfile {
        account_id,
        profile_id,
        profile: Profile::new("Lovelace", "en", false),
        account_right: true,
        at_ms: world.now_ms(),
    };
    world.commands.accounts.execute(&account_id, &add, &world.context()).await.unwrap();
    world.people.set_pin(account_id, profile_id, "0815", true, &world.context()).await.unwrap();
    let lines = Personal::Known(vec!["Ada Lovelace".to_owned(), "12 St James Square".to_owned()]);
    let address = BillingAddress { country: "GB".parse().unwrap(), lines };
    world.people.set_billing_address(account_id, address, &world.context()).await.unwrap();
    world.people.suspend(account_id, "Lovelace calls".into(), &world.context()).await.unwrap();
    world.people.reinstate(account_id, &world.context()).await.unwrap();
    account_id
}

#[tokio::test]
async fn nothing_personal_is_in_clear_in_the_log() {
    let world = World::new().await;
    known_well(&world).await;
    for (event_type, payloads) in world.recorded().await {
        let text = payloads.concat();
        for secret in SECRETS {
            assert!(!text.contains(secret), "{event_type}: {text}");
        }
        assert!(!text.contains("$personal"), "{event_type}: {text}");
    }
}

#[tokio::test]
async fn an_export_has_everything_in_clear_but_no_hashes() {
    let world = World::new().await;
    let account_id = known_well(&world).await;
    let other = world.member("bob@example.org").await;
    let tokens = world.sign_in(PASSWORD).await.unwrap();
    let export = world.people.export(account_id).await.unwrap();
    let streams = export["streams"].as_object().unwrap();
    let sign_in = format!("signin-{account_id}.{}", tokens.sign_in_id);
    for stream in [format!("identity-{account_id}"), format!("account-{account_id}"), sign_in] {
        assert!(streams.contains_key(&stream), "{stream}: {:?}", streams.keys());
    }
    let text = export.to_string();
    for known in ["Ada@Example.org", "Lovelace", "12 St James Square", "Lovelace calls"] {
        assert!(text.contains(known), "{known}");
    }
    for secret in ["argon2", "hash", "$personal", "$sealed", &other.to_string(), "bob@"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn somebody_may_change_their_mind_until_the_day_comes() {
    let world = World::new().await;
    let account_id = known_well(&world).await;
    let people = &world.people;
    let refused = people.erase_due(account_id, &world.context()).await;
    assert_eq!(refusal(refused), Refusal::ErasureNotRequested);
    people.request_erasure(account_id, &world.context()).await.unwrap();
    assert!(world.mails()[0].1.contains("7 days"));
    people.request_erasure(account_id, &world.context()).await.unwrap();
    assert_eq!(world.mails(), []);
    let due_at_ms = world.now_ms() + ERASURE_COOLING_OFF_MS;
    let refused = people.erase_due(account_id, &world.context()).await;
    assert_eq!(refusal(refused), Refusal::ErasureNotDue { due_at_ms });
    people.withdraw_erasure(account_id, &world.context()).await.unwrap();
    world.pass(ERASURE_COOLING_OFF_MS);
    let refused = people.erase_due(account_id, &world.context()).await;
    assert_eq!(refusal(refused), Refusal::ErasureNotRequested);
    world.sign_in(PASSWORD).await.unwrap();
}

async fn assert_forgotten(world: &World, account_id: AccountId) {
    let identity = world.people.identity(account_id).await.unwrap();
    assert_eq!((identity.status(), &identity.email), (Some(Status::Erased), &None));
    let household = world.commands.accounts.state(&account_id).await.unwrap();
    assert!(household.profiles.values().all(|profile| profile.name == Personal::Erased));
    assert_eq!(household.billing_address.as_ref().unwrap().lines, Personal::Erased);
    let export = world.people.export(account_id).await.unwrap().to_string();
    assert!(SECRETS.iter().all(|secret| !export.contains(secret)), "{export}");
    let held = world.commands.emails.state(&world.people.email_key(ADDRESS)).await.unwrap();
    assert_eq!(*held, State::Free);
    assert!(matches!(world.sign_in(PASSWORD).await, Err(PeopleError::WrongCredentials)));
}

#[tokio::test]
async fn whoever_was_erased_cannot_be_read_signs_in_nowhere_and_may_come_back_as_new() {
    let world = World::new().await;
    let account_id = known_well(&world).await;
    let tokens = world.sign_in(PASSWORD).await.unwrap();
    world.people.request_erasure(account_id, &world.context()).await.unwrap();
    world.pass(ERASURE_COOLING_OFF_MS);
    world.people.erase_due(account_id, &world.context()).await.unwrap();
    assert_forgotten(&world, account_id).await;
    let refused = world.people.refresh(&tokens.refresh_token, None, &world.context()).await;
    assert!(matches!(refused, Err(PeopleError::SignInEnded { .. })), "{refused:?}");
    let before = world.recorded().await;
    world.people.erase_due(account_id, &world.context()).await.unwrap();
    assert_eq!(world.recorded().await, before, "a second time changes nothing");
    world.mails();
    assert_ne!(world.member(ADDRESS).await, account_id);
}

#[tokio::test]
async fn an_erasure_that_died_at_any_step_is_finished_by_the_next() {
    for appends in 0..2 {
        let mut world = World::new().await;
        let account_id = known_well(&world).await;
        world.people.request_erasure(account_id, &world.context()).await.unwrap();
        world.pass(ERASURE_COOLING_OFF_MS);
        let context = world.context();
        world.beneath.fail_after(appends);
        world.people.erase_due(account_id, &context).await.unwrap_err();
        world.restart().await;
        // The same command, and another one from a process that knows nothing of it.
        let context = if appends == 0 { context } else { world.context() };
        world.people.erase_due(account_id, &context).await.unwrap();
        assert_forgotten(&world, account_id).await;
    }
}

#[tokio::test]
async fn an_erasure_whose_keys_cannot_be_reached_is_finished_when_they_can() {
    let mut world = World::new().await;
    let account_id = known_well(&world).await;
    world.people.request_erasure(account_id, &world.context()).await.unwrap();
    world.pass(ERASURE_COOLING_OFF_MS);
    // The person's key is in memory, so all is done but the last step.
    world.vault.close().await;
    let failed = world.people.erase_due(account_id, &world.context()).await;
    assert!(matches!(failed, Err(PeopleError::Vault(_))), "{failed:?}");
    world.restart().await;
    let identity = world.people.identity(account_id).await.unwrap();
    assert_eq!(identity.status(), Some(Status::Erased));
    world.people.erase_due(account_id, &world.context()).await.unwrap();
    assert_forgotten(&world, account_id).await;
}
