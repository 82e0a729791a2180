//! Choosing another password.

use playhead_commands::people::PeopleError;
use playhead_domain::identity::{CODE_PAUSE_MS, PASSWORD_RESET_MS, Refusal};
use playhead_domain::sign_in::EndReason;
use playhead_domain::{Personal, identity};

use super::refusal;
use super::world::{ADDRESS, PASSWORD, World};

const OTHER: &str = "quite another sentence";

#[tokio::test]
async fn a_changed_password_signs_all_devices_out_and_its_owner_is_told() {
    let world = World::new().await;
    let account_id = world.member(ADDRESS).await;
    let tokens = world.sign_in(PASSWORD).await.unwrap();
    world.pass(1);
    let context = world.context();
    let refused = world.people.change_password(account_id, OTHER, OTHER, &context).await;
    assert_eq!(refusal(refused), Refusal::WrongPassword);
    let refused = world.people.change_password(account_id, PASSWORD, "short", &context).await;
    assert!(matches!(refused, Err(PeopleError::Invalid(_))));
    world.people.change_password(account_id, PASSWORD, OTHER, &world.context()).await.unwrap();
    assert!(world.mails()[0].1.contains("/forgot-password"));
    let refused = world.people.refresh(&tokens.refresh_token, None, &world.context()).await;
    assert!(matches!(refused, Err(PeopleError::SignInEnded { reason: EndReason::Void, .. })));
    assert!(matches!(world.sign_in(PASSWORD).await, Err(PeopleError::WrongCredentials)));
    world.sign_in(OTHER).await.unwrap();
}

#[tokio::test]
async fn a_forgotten_password_is_chosen_anew_with_a_mailed_code_once() {
    let world = World::new().await;
    let account_id = world.member(ADDRESS).await;
    let people = &world.people;
    people.request_password_reset("ADA@example.org", &world.context()).await.unwrap();
    let code = world.code();
    people.request_password_reset(ADDRESS, &world.context()).await.unwrap();
    people.request_password_reset("nobody@example.org", &world.context()).await.unwrap();
    assert_eq!(world.mails(), [], "neither twice in a minute nor to strangers");
    let refused = people.reset_password("nonsense", OTHER, &world.context()).await;
    assert!(matches!(refused, Err(PeopleError::InvalidCode)));
    let refused = people.reset_password(&code, "short", &world.context()).await;
    assert!(matches!(refused, Err(PeopleError::Invalid(_))));
    let wrong = format!("{account_id}.{}", "A".repeat(43));
    let refused = people.reset_password(&wrong, OTHER, &world.context()).await;
    assert_eq!(refusal(refused), Refusal::WrongCode { tries_left: 4 });
    people.reset_password(&code, OTHER, &world.context()).await.unwrap();
    let refused = people.reset_password(&code, PASSWORD, &world.context()).await;
    assert_eq!(refusal(refused), Refusal::NoCode);
    world.sign_in(OTHER).await.unwrap();
}

#[tokio::test]
async fn a_code_for_a_new_password_expires() {
    let world = World::new().await;
    world.member(ADDRESS).await;
    world.people.request_password_reset(ADDRESS, &world.context()).await.unwrap();
    let code = world.code();
    world.pass(PASSWORD_RESET_MS.max(CODE_PAUSE_MS));
    let refused = world.people.reset_password(&code, OTHER, &world.context()).await;
    assert_eq!(refusal(refused), Refusal::CodeExpired);
}

#[tokio::test]
async fn whoever_is_suspended_gets_no_code_and_hears_nothing() {
    let world = World::new().await;
    let account_id = world.member(ADDRESS).await;
    world.people.suspend(account_id, "fraud".into(), &world.context()).await.unwrap();
    world.people.request_password_reset(ADDRESS, &world.context()).await.unwrap();
    assert_eq!(world.mails(), []);
}

#[tokio::test]
async fn a_hash_with_old_parameters_is_made_anew_and_nobody_is_signed_out() {
    let world = World::new().await;
    let account_id = world.member(ADDRESS).await;
    let tokens = world.sign_in(PASSWORD).await.unwrap();
    let ask = identity::Ask::RehashPassword {
        former_hash: world
            .people
            .identity(account_id)
            .await
            .unwrap()
            .password_hash
            .clone()
            .unwrap(),
        password_hash: Personal::Known(weak_hash()),
    };
    let command = identity::Command { account_id, at_ms: world.now_ms(), ask };
    world.commands.identities.execute(&account_id, &command, &world.context()).await.unwrap();
    assert_eq!(world.count("PasswordRehashed").await, 1);
    world.sign_in(PASSWORD).await.unwrap();
    assert_eq!(world.count("PasswordRehashed").await, 2);
    world.sign_in(PASSWORD).await.unwrap();
    assert_eq!(world.count("PasswordRehashed").await, 2, "once is enough");
    world.people.refresh(&tokens.refresh_token, None, &world.context()).await.unwrap();
}

fn weak_hash() -> String {
    use argon2::password_hash::PasswordHasher;
    use argon2::{Algorithm, Argon2, Params, Version};

    let params = Params::new(64, 1, 1, None).unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password_with_salt(PASSWORD.as_bytes(), &[7; 16]).unwrap().to_string()
}
