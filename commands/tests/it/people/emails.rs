//! Moving an account to another address.

use playhead_commands::people::PeopleError;
use playhead_domain::email::State;
use playhead_domain::identity::{CODE_PAUSE_MS, Refusal};

use super::refusal;
use super::world::{ADDRESS, PASSWORD, World};

const NEW: &str = "ada@new.example.org";

#[tokio::test]
async fn an_account_moves_to_another_address_and_the_former_one_is_free() {
    let world = World::new().await;
    let account_id = world.member(ADDRESS).await;
    let people = &world.people;
    let context = world.context();
    let refused = people.request_email_change(account_id, "not it at all", NEW, &context).await;
    assert_eq!(refusal(refused), Refusal::WrongPassword);
    let refused = people.request_email_change(account_id, PASSWORD, "no address", &context).await;
    assert!(matches!(refused, Err(PeopleError::Invalid(_))));
    people.request_email_change(account_id, PASSWORD, NEW, &context).await.unwrap();
    let code = world.code();
    let wrong = format!("{account_id}.{}", "A".repeat(43));
    let refused = people.confirm_email_change(&wrong, &world.context()).await;
    assert_eq!(refusal(refused), Refusal::WrongCode { tries_left: 4 });
    assert_eq!(*world.commands.emails.state(&people.email_key(NEW)).await.unwrap(), State::Free);
    people.confirm_email_change(&code, &world.context()).await.unwrap();
    assert_eq!(world.mails()[0].0, ADDRESS, "the former address is told");
    people.sign_in(world.wish(NEW, PASSWORD), &world.context()).await.unwrap();
    assert!(matches!(world.sign_in(PASSWORD).await, Err(PeopleError::WrongCredentials)));
    let other = world.member(ADDRESS).await;
    assert_ne!(other, account_id);
}

#[tokio::test]
async fn an_address_that_another_account_has_is_told_to_its_reader_only() {
    let world = World::new().await;
    let account_id = world.member(ADDRESS).await;
    world.member(NEW).await;
    let people = &world.people;
    people.request_email_change(account_id, PASSWORD, NEW, &world.context()).await.unwrap();
    let mails = world.mails();
    assert!(mails[0].1.contains("/forgot-password") && !mails[0].1.contains('#'), "{mails:?}");
}

#[tokio::test]
async fn an_address_that_was_taken_meanwhile_is_not_moved_to() {
    let world = World::new().await;
    let account_id = world.member(ADDRESS).await;
    let people = &world.people;
    people.request_email_change(account_id, PASSWORD, NEW, &world.context()).await.unwrap();
    let code = world.code();
    world.member(NEW).await;
    let refused = people.confirm_email_change(&code, &world.context()).await;
    assert!(matches!(refused, Err(PeopleError::EmailTaken)), "{refused:?}");
    world.sign_in(PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_move_that_died_anywhere_goes_on_with_the_same_code() {
    for appends in 0..4 {
        let mut world = World::new().await;
        let account_id = world.member(ADDRESS).await;
        let context = world.context();
        world.people.request_email_change(account_id, PASSWORD, NEW, &context).await.unwrap();
        let code = world.code();
        world.beneath.fail_after(appends);
        world.people.confirm_email_change(&code, &world.context()).await.unwrap_err();
        world.restart().await;
        world.pass(CODE_PAUSE_MS);
        let again = world.people.confirm_email_change(&code, &world.context()).await;
        // Died behind the change: the code is used up, and what was left to do is done.
        assert_eq!(again.is_err(), appends == 3, "{appends}: {again:?}");
        let emails = &world.commands.emails;
        let key = |address| world.people.email_key(address);
        assert_eq!(*emails.state(&key(ADDRESS)).await.unwrap(), State::Free);
        assert_eq!(*emails.state(&key(NEW)).await.unwrap(), State::Confirmed { account_id });
    }
}
