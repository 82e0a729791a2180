//! Signing in with an identity provider.

use std::net::SocketAddr;

use axum::routing::get;
use axum::{Json, Router};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use playhead_commands::people::{OutsideSignIn, PeopleError};
use playhead_domain::identity::Status;
use playhead_domain::{AccountId, SignInId};
use playhead_identity::oidc::{OutsideIssuer, OutsideSettings};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::world::{ADDRESS, PASSWORD, World};
use crate::{NOW_MS, id};

/// A provider on this machine.
struct Provider {
    issuer: String,
}

fn key() -> EncodingKey {
    let pem = include_bytes!("../../../../identity/tests/it/keys/ed25519.pem");
    EncodingKey::from_ed_pem(pem).unwrap()
}

impl Provider {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let issuer = format!("http://{address}");
        let jwk = Jwk::from_encoding_key(&key(), Algorithm::EdDSA).unwrap();
        let mut jwk = serde_json::to_value(jwk).unwrap();
        jwk["kid"] = json!("key");
        let discovery = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/jwks") });
        let keys = json!({ "keys": [jwk] });
        let routes = Router::new()
            .route(
                "/.well-known/openid-configuration",
                get(async move || Json::<Value>(discovery.clone())),
            )
            .route("/jwks", get(async move || Json::<Value>(keys.clone())));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { issuer }
    }

    async fn world(&self) -> World {
        let settings = OutsideSettings::new(&self.issuer, "playhead");
        World::trusting(vec![OutsideIssuer::new(settings).unwrap()]).await
    }

    fn token(&self, subject: &str, email: &str, email_verified: bool) -> String {
        let claims = json!({
            "iss": self.issuer,
            "aud": "playhead",
            "sub": subject,
            "email": email,
            "email_verified": email_verified,
            "iat": NOW_MS / 1_000,
            "exp": NOW_MS / 1_000 + 600,
        });
        let header = Header { kid: Some("key".to_owned()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, &claims, &key()).unwrap()
    }

    fn wish(&self, world: &World, id_token: String) -> OutsideSignIn {
        OutsideSignIn {
            issuer: self.issuer.clone(),
            id_token,
            new_account_id: AccountId(id(world.new_id())),
            sign_in_id: SignInId(id(world.new_id())),
            device_id: world.device(),
        }
    }
}

#[tokio::test]
async fn somebody_new_gets_an_account_and_comes_back_to_it() {
    let provider = Provider::start().await;
    let world = provider.world().await;
    let token = provider.token("ada", ADDRESS, true);
    let wish = provider.wish(&world, token);
    let account_id = wish.new_account_id;
    let first = world.people.sign_in_outside(wish, &world.context()).await.unwrap();
    assert!(first.is_new);
    assert_eq!(first.tokens.account_id, account_id);
    let identity = world.people.identity(account_id).await.unwrap();
    assert_eq!(identity.status(), Some(Status::Active));
    assert!(world.commands.accounts.state(&account_id).await.unwrap().opened);
    // The address may change at the provider; the person is the same.
    let wish = provider.wish(&world, provider.token("ada", "other@example.org", false));
    let again = world.people.sign_in_outside(wish, &world.context()).await.unwrap();
    assert!(!again.is_new);
    assert_eq!(again.tokens.account_id, account_id);
    assert!(matches!(world.sign_in(PASSWORD).await, Err(PeopleError::WrongCredentials)));
    let text: String = world.recorded().await.into_values().flatten().collect();
    assert!(!text.contains("\"ada\"") && !text.contains("Ada@"), "{text}");
}

#[tokio::test]
async fn an_address_is_not_trusted_unless_the_provider_vouches_for_it() {
    let provider = Provider::start().await;
    let world = provider.world().await;
    let wish = provider.wish(&world, provider.token("ada", ADDRESS, false));
    let refused = world.people.sign_in_outside(wish, &world.context()).await;
    assert!(matches!(refused, Err(PeopleError::OutsideEmailNeeded)));
    let wish = provider.wish(&world, "no token".to_owned());
    let refused = world.people.sign_in_outside(wish, &world.context()).await;
    assert!(matches!(refused, Err(PeopleError::Outside(_))));
    let mut wish = provider.wish(&world, provider.token("ada", ADDRESS, true));
    wish.issuer = "https://elsewhere.example".to_owned();
    let refused = world.people.sign_in_outside(wish, &world.context()).await;
    assert!(matches!(refused, Err(PeopleError::UnknownIssuer)));
    assert!(world.recorded().await.is_empty());
}

#[tokio::test]
async fn an_account_is_not_taken_over_by_its_address_but_linked_by_its_owner() {
    let provider = Provider::start().await;
    let world = provider.world().await;
    let account_id = world.member(ADDRESS).await;
    let token = provider.token("ada", ADDRESS, true);
    let wish = provider.wish(&world, token.clone());
    let refused = world.people.sign_in_outside(wish, &world.context()).await;
    assert!(matches!(refused, Err(PeopleError::OutsideEmailTaken)));
    let (people, issuer) = (&world.people, &provider.issuer);
    people.link_outside_identity(account_id, issuer, &token, &world.context()).await.unwrap();
    let wish = provider.wish(&world, token.clone());
    let signed_in = people.sign_in_outside(wish, &world.context()).await.unwrap();
    assert_eq!(signed_in.tokens.account_id, account_id);
    let bob = world.member("bob@example.org").await;
    let refused = people.link_outside_identity(bob, issuer, &token, &world.context()).await;
    assert!(matches!(refused, Err(PeopleError::OutsideTaken)));
}

#[tokio::test]
async fn an_address_that_a_stranger_registered_and_never_proved_is_the_providers_person_s() {
    let provider = Provider::start().await;
    let world = provider.world().await;
    let registration = world.registration(ADDRESS);
    let account_id = registration.account_id;
    world.people.register(registration, &world.context()).await.unwrap();
    let unproven = provider.wish(&world, provider.token("ada", ADDRESS, false));
    let refused = world.people.sign_in_outside(unproven, &world.context()).await;
    assert!(matches!(refused, Err(PeopleError::OutsideEmailNeeded)));
    let wish = provider.wish(&world, provider.token("ada", ADDRESS, true));
    let signed_in = world.people.sign_in_outside(wish, &world.context()).await.unwrap();
    assert_eq!((signed_in.tokens.account_id, signed_in.is_new), (account_id, true));
    let identity = world.people.identity(account_id).await.unwrap();
    assert_eq!((identity.status(), &identity.password_hash), (Some(Status::Active), &None));
    assert!(world.commands.accounts.state(&account_id).await.unwrap().opened);
    assert!(matches!(world.sign_in(PASSWORD).await, Err(PeopleError::WrongCredentials)));
    world.people.verify_email(&world.code(), &world.context()).await.unwrap();
    assert!(matches!(world.sign_in(PASSWORD).await, Err(PeopleError::WrongCredentials)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_racing_first_sign_ins_of_one_person_one_account_comes_about() {
    let provider = Provider::start().await;
    let world = provider.world().await;
    let token = provider.token("ada", ADDRESS, true);
    let races: Vec<_> = (0..20)
        .map(|_| {
            let (people, context) = (world.people.clone(), world.context());
            let wish = provider.wish(&world, token.clone());
            tokio::spawn(async move { people.sign_in_outside(wish, &context).await })
        })
        .collect();
    for race in races {
        let _ = race.await.unwrap();
    }
    assert_eq!(world.count("AccountRegistered").await, 1);
    let wish = provider.wish(&world, token);
    world.people.sign_in_outside(wish, &world.context()).await.unwrap();
}

#[tokio::test]
async fn a_first_sign_in_that_died_anywhere_goes_on() {
    let provider = Provider::start().await;
    for appends in 0..8 {
        let world = provider.world().await;
        world.beneath.fail_after(appends);
        let wish = provider.wish(&world, provider.token("ada", ADDRESS, true));
        world.people.sign_in_outside(wish, &world.context()).await.unwrap_err();
        world.beneath.fail_after(i64::MAX);
        world.pass(60_000);
        let wish = provider.wish(&world, provider.token("ada", ADDRESS, true));
        let signed_in = world.people.sign_in_outside(wish, &world.context()).await;
        assert!(signed_in.is_ok(), "{appends}: {signed_in:?}");
        assert_eq!(world.count("AccountRegistered").await, 1);
    }
}
