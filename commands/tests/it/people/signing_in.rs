//! Signing in, staying signed in, signing out, and devices without a keyboard.

use playhead_commands::people::{PeopleError, PolledDevice, Tokens};
use playhead_domain::device_code::{INTERVAL_MS, LIFETIME_MS, Refusal};
use playhead_domain::devices::DeviceKind;
use playhead_domain::identity::{Role, Status};
use playhead_domain::sign_in::{EndReason, IDLE_MAX_MS};
use playhead_identity::access_token::AccessTokens;
use playhead_identity::keys::KeyRing;

use super::world::{ADDRESS, PASSWORD, World};
use crate::NOW_MS;

fn ended(outcome: Result<Tokens, PeopleError>) -> EndReason {
    match outcome {
        Err(PeopleError::SignInEnded { reason, .. }) => reason,
        other => panic!("not ended: {other:?}"),
    }
}

#[tokio::test]
async fn whoever_knows_the_password_gets_tokens_that_say_who_they_are() {
    let world = World::new().await;
    let account_id = world.member(ADDRESS).await;
    world.people.grant_role(account_id, Role::Auditor, &world.context()).await.unwrap();
    let wish = world.wish("ada@example.ORG", PASSWORD);
    let device_id = wish.device_id;
    let tokens = world.people.sign_in(wish, &world.context()).await.unwrap();
    let reader = AccessTokens::new("https://playhead.example", "playhead");
    let verified = reader.verify(&world.keys.current(), &tokens.access_token, NOW_MS).unwrap();
    assert_eq!(verified.caller.account_id, account_id);
    assert_eq!(verified.caller.device_id, device_id);
    assert_eq!(verified.caller.roles, [Role::Viewer, Role::Auditor].into());
    assert_eq!(tokens.access_expires_at_ms, NOW_MS + 600_000);
    assert_eq!(tokens.refresh_expires_at_ms, NOW_MS + IDLE_MAX_MS);
    assert_eq!(world.count("DeviceRegistered").await, 0);
    assert!(world.people.is_signed_in(account_id, tokens.sign_in_id).await.unwrap());

    world.keys.replace(KeyRing::generate(NOW_MS).unwrap());
    let next = world.people.refresh(&tokens.refresh_token, None, &world.context()).await.unwrap();
    assert!(reader.verify(&world.keys.current(), &next.access_token, NOW_MS).is_ok());
}

#[tokio::test]
async fn wrong_passwords_and_unknown_addresses_get_one_answer() {
    let world = World::new().await;
    let account_id = world.member(ADDRESS).await;
    for (address, password) in [
        (ADDRESS, "another long sentence"),
        ("eve@example.org", PASSWORD),
        ("", ""),
        (ADDRESS, &"x".repeat(100_000)),
    ] {
        let refused = world.people.sign_in(world.wish(address, password), &world.context()).await;
        assert!(matches!(refused, Err(PeopleError::WrongCredentials)), "{address}");
    }
    world.people.suspend(account_id, "fraud".into(), &world.context()).await.unwrap();
    let refused = world.sign_in("another long sentence").await;
    assert!(matches!(refused, Err(PeopleError::WrongCredentials)), "only the owner learns more");
    let refused = world.sign_in(PASSWORD).await;
    let status = Status::Suspended;
    assert!(
        matches!(refused, Err(PeopleError::AccountNotActive { status: told }) if told == status)
    );
    world.people.reinstate(account_id, &world.context()).await.unwrap();
    world.sign_in(PASSWORD).await.unwrap();
    world.people.cancel_account(account_id, &world.context()).await.unwrap();
    let status = Status::Cancelled;
    let refused = world.sign_in(PASSWORD).await;
    assert!(
        matches!(refused, Err(PeopleError::AccountNotActive { status: told }) if told == status)
    );
}

#[tokio::test]
async fn an_account_that_waits_for_its_code_cannot_be_signed_in_to() {
    let world = World::new().await;
    world.people.register(world.registration(ADDRESS), &world.context()).await.unwrap();
    let refused = world.sign_in(PASSWORD).await;
    let status = Status::PendingVerification;
    assert!(
        matches!(refused, Err(PeopleError::AccountNotActive { status: told }) if told == status)
    );
}

#[tokio::test]
async fn the_same_sign_in_again_hands_out_no_second_token() {
    let world = World::new().await;
    world.member(ADDRESS).await;
    let (wish, context) = (world.wish(ADDRESS, PASSWORD), world.context());
    let tokens = world.people.sign_in(wish.clone(), &context).await.unwrap();
    let again = world.people.sign_in(wish, &context).await;
    assert!(matches!(again, Err(PeopleError::Repeated)));
    let context = world.context();
    let next = world.people.refresh(&tokens.refresh_token, None, &context).await.unwrap();
    let again = world.people.refresh(&tokens.refresh_token, None, &context).await;
    assert!(matches!(again, Err(PeopleError::Repeated)), "{again:?}");
    world.people.refresh(&next.refresh_token, None, &world.context()).await.unwrap();
}

#[tokio::test]
async fn a_refresh_token_that_comes_twice_ends_the_sign_in_for_both() {
    let world = World::new().await;
    world.member(ADDRESS).await;
    let stolen = world.sign_in(PASSWORD).await.unwrap();
    let bystander = world.sign_in(PASSWORD).await.unwrap();
    let next = world.people.refresh(&stolen.refresh_token, None, &world.context()).await.unwrap();
    let thief = world.people.refresh(&stolen.refresh_token, None, &world.context()).await;
    assert_eq!(ended(thief), EndReason::Reuse);
    let owner = world.people.refresh(&next.refresh_token, None, &world.context()).await;
    assert_eq!(ended(owner), EndReason::Reuse);
    world.people.refresh(&bystander.refresh_token, None, &world.context()).await.unwrap();
    for text in ["", "prt1_x"] {
        let refused = world.people.refresh(text, None, &world.context()).await;
        assert!(matches!(refused, Err(PeopleError::InvalidToken)), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_racing_refreshes_with_one_token_one_wins_and_the_sign_in_ends() {
    let world = World::new().await;
    world.member(ADDRESS).await;
    let tokens = world.sign_in(PASSWORD).await.unwrap();
    let races: Vec<_> = (0..20)
        .map(|_| {
            let (people, context) = (world.people.clone(), world.context());
            let token = tokens.refresh_token.clone();
            tokio::spawn(async move { people.refresh(&token, None, &context).await.is_ok() })
        })
        .collect();
    let mut won = 0;
    for race in races {
        won += usize::from(race.await.unwrap());
    }
    assert_eq!((won, world.count("SignInEnded").await), (1, 1));
}

#[tokio::test]
async fn signing_out_ends_one_sign_in_and_signing_out_everywhere_all_of_before() {
    let world = World::new().await;
    let account_id = world.member(ADDRESS).await;
    let (one, other) =
        (world.sign_in(PASSWORD).await.unwrap(), world.sign_in(PASSWORD).await.unwrap());
    world.people.sign_out(account_id, one.sign_in_id, &world.context()).await.unwrap();
    let refused = world.people.refresh(&one.refresh_token, None, &world.context()).await;
    assert_eq!(ended(refused), EndReason::SignedOut);
    assert!(!world.people.is_signed_in(account_id, one.sign_in_id).await.unwrap());
    world.pass(1);
    world.people.sign_out_everywhere(account_id, &world.context()).await.unwrap();
    assert!(!world.people.is_signed_in(account_id, other.sign_in_id).await.unwrap());
    let refused = world.people.refresh(&other.refresh_token, None, &world.context()).await;
    assert_eq!(ended(refused), EndReason::Void);
    let new = world.sign_in(PASSWORD).await.unwrap();
    world.pass(IDLE_MAX_MS);
    let refused = world.people.refresh(&new.refresh_token, None, &world.context()).await;
    assert_eq!(ended(refused), EndReason::Idle);
}

fn told(outcome: Result<Tokens, PeopleError>) -> Refusal {
    match outcome {
        Err(PeopleError::DeviceCode(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_television_is_let_in_by_somebody_who_is_signed_in() {
    let world = World::new().await;
    let account_id = world.member(ADDRESS).await;
    let device_id = world.device();
    let people = &world.people;
    let codes =
        people.request_device_code(device_id, DeviceKind::Tv, &world.context()).await.unwrap();
    let polled = PolledDevice { device_code: codes.device_code.clone(), device_id };
    let poll = async || {
        world.pass(i64::from(INTERVAL_MS) * 2);
        people.poll_device_code(polled.clone(), &world.context()).await
    };
    assert_eq!(told(poll().await), Refusal::AuthorizationPending);
    let hasty = people.poll_device_code(polled.clone(), &world.context()).await;
    assert_eq!(told(hasty).oauth_error(), "slow_down");
    let typed = codes.user_code.to_lowercase();
    let kind = people.device_with_code(&typed, world.now_ms()).await.unwrap();
    assert_eq!(kind, DeviceKind::Tv);
    people.approve_device(account_id, &typed, &world.context()).await.unwrap();
    let tokens = poll().await.unwrap();
    assert_eq!(tokens.account_id, account_id);
    people.refresh(&tokens.refresh_token, None, &world.context()).await.unwrap();
    assert!(matches!(poll().await, Err(PeopleError::Repeated)), "tokens are handed out once");
    let refused = people.device_with_code(&typed, world.now_ms()).await;
    assert!(matches!(refused, Err(PeopleError::UnknownUserCode)));
}

#[tokio::test]
async fn a_poll_that_died_before_the_sign_in_was_recorded_is_gone_on_with() {
    let mut world = World::new().await;
    let account_id = world.member(ADDRESS).await;
    let device_id = world.device();
    let codes = world
        .people
        .request_device_code(device_id, DeviceKind::Tv, &world.context())
        .await
        .unwrap();
    world.people.approve_device(account_id, &codes.user_code, &world.context()).await.unwrap();
    let polled = PolledDevice { device_code: codes.device_code, device_id };
    world.beneath.fail_after(1);
    world.people.poll_device_code(polled.clone(), &world.context()).await.unwrap_err();
    world.restart().await;
    world.people.poll_device_code(polled, &world.context()).await.unwrap();
}

#[tokio::test]
async fn a_device_code_that_was_denied_or_is_unknown_or_too_old_lets_nobody_in() {
    let world = World::new().await;
    let account_id = world.member(ADDRESS).await;
    let device_id = world.device();
    let people = &world.people;
    let codes =
        people.request_device_code(device_id, DeviceKind::Tv, &world.context()).await.unwrap();
    people.deny_device(&codes.user_code, &world.context()).await.unwrap();
    let polled = |device_code: &str| PolledDevice { device_code: device_code.into(), device_id };
    let poll = people.poll_device_code(polled(&codes.device_code), &world.context()).await;
    assert_eq!(told(poll), Refusal::AccessDenied);
    let unknown = "A".repeat(43);
    for device_code in ["", &unknown] {
        let poll = people.poll_device_code(polled(device_code), &world.context()).await;
        assert_eq!(told(poll), Refusal::ExpiredToken);
    }
    for user_code in ["", "BCDF-GHJK"] {
        let refused = people.approve_device(account_id, user_code, &world.context()).await;
        assert!(matches!(refused, Err(PeopleError::UnknownUserCode)));
    }
    let codes =
        people.request_device_code(device_id, DeviceKind::Tv, &world.context()).await.unwrap();
    people.suspend(account_id, "fraud".into(), &world.context()).await.unwrap();
    let refused = people.approve_device(account_id, &codes.user_code, &world.context()).await;
    assert!(matches!(refused, Err(PeopleError::AccountNotActive { .. })));
    world.pass(LIFETIME_MS);
    let poll = people.poll_device_code(polled(&codes.device_code), &world.context()).await;
    assert_eq!(told(poll), Refusal::ExpiredToken);
}
