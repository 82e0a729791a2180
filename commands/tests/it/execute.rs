//! Load, decide, append.

use std::sync::Arc;

use playhead_commands::{Commands, ExecuteError};
use playhead_domain::account::{self, Profile, Refusal};
use playhead_domain::{AccountId, Plan, ProfileId, TitleId, title};
use playhead_eventlog::Cursor;

use crate::{Household, NOW_MS, context, id, metadata};

fn add_profile(account_id: AccountId, number: u128) -> account::Command {
    account::Command::AddProfile {
        account_id,
        profile_id: ProfileId(id(number)),
        profile: Profile::new(format!("P{number}"), "en", false),
        account_right: true,
        at_ms: NOW_MS,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_profiles_fill_the_account_and_no_more() {
    let home = Household::on(Plan::Basic).await;
    let racing = (100..200).map(|number| {
        let (commands, account_id) = (Arc::clone(&home.commands), home.account_id);
        tokio::spawn(async move {
            let add = add_profile(account_id, number);
            commands.accounts.execute(&account_id, &add, &context(number)).await.map(|_| ())
        })
    });
    let mut added = 0;
    for race in racing.collect::<Vec<_>>() {
        match race.await.unwrap() {
            Ok(()) => added += 1,
            Err(ExecuteError::Refused(refusal)) => {
                assert_eq!(refusal, Refusal::TooManyProfiles { limit: 5 });
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(added, 4, "one profile was there before");
    assert_eq!(home.commands.accounts.state(&home.account_id).await.unwrap().profiles.len(), 5);
}

#[tokio::test]
async fn a_handler_with_an_old_state_decides_on_the_newest() {
    let home = Household::on(Plan::Basic).await;
    let elsewhere = Commands::new(Arc::clone(&home.log));
    elsewhere.accounts.state(&home.account_id).await.unwrap();
    for number in 20..24 {
        let add = add_profile(home.account_id, number);
        home.commands.accounts.execute(&home.account_id, &add, &context(number)).await.unwrap();
    }
    let sixth = add_profile(home.account_id, 30);
    let refused = elsewhere.accounts.execute(&home.account_id, &sixth, &context(30)).await;
    assert!(matches!(refused, Err(ExecuteError::Refused(Refusal::TooManyProfiles { limit: 5 }))));

    let (account_id, at_ms) = (home.account_id, NOW_MS);
    let remove = |number| {
        let profile_id = ProfileId(id(number));
        account::Command::RemoveProfile { account_id, profile_id, account_right: true, at_ms }
    };
    home.commands.accounts.execute(&account_id, &remove(20), &context(31)).await.unwrap();
    let sixth = elsewhere.accounts.execute(&account_id, &sixth, &context(30)).await.unwrap();
    assert_eq!(sixth.events.len(), 1, "a stale \"no\" is not given");
}

#[tokio::test]
async fn the_same_command_again_changes_nothing() {
    let home = Household::on(Plan::Basic).await;
    let title_id = TitleId(id(40));
    let (metadata, owner, draft) = (metadata("M"), None, false);
    let add = title::Command::Add { title_id, metadata, owner, draft, at_ms: NOW_MS };
    let first = home.commands.titles.execute(&title_id, &add, &context(40)).await.unwrap();
    let again = home.commands.titles.execute(&title_id, &add, &context(40)).await.unwrap();
    assert!(!first.changed_nothing());
    assert!(again.changed_nothing());
    assert_eq!(again.position, first.position);
}

#[tokio::test]
async fn a_command_whose_effect_has_passed_is_recognised_by_its_id() {
    let home = Household::on(Plan::Basic).await;
    let account_id = home.account_id;
    let add = add_profile(account_id, 50);
    let accounts = &home.commands.accounts;
    let first = accounts.execute(&account_id, &add, &context(50)).await.unwrap();
    let (profile_id, at_ms) = (ProfileId(id(50)), NOW_MS);
    let remove =
        account::Command::RemoveProfile { account_id, profile_id, account_right: true, at_ms };
    accounts.execute(&account_id, &remove, &context(51)).await.unwrap();
    let again = accounts.execute(&account_id, &add, &context(50)).await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.position, first.position);
    assert_eq!(accounts.state(&account_id).await.unwrap().profiles.len(), 1);
}

#[tokio::test]
async fn events_carry_who_did_what_and_why() {
    let home = Household::on(Plan::Basic).await;
    let all = home.log.read(&Cursor::start(home.log.partitions()), 100).await.unwrap().events;
    let added = all.iter().find(|event| &*event.event.event_type == "TitleAdded").unwrap();
    let context = context(14);
    assert_eq!(added.event.actor, context.actor);
    assert_eq!(added.event.causation_id, context.command_id);
    assert_eq!(added.event.correlation_id, context.correlation_id);
    assert_eq!(added.event.recorded_at_ms, NOW_MS);
    assert_eq!(added.stream.as_str(), format!("title-{}", home.title_id));
}
