//! A provider that changes its keys, is down, or answers what it should not.

use std::time::Duration;

use axum::http::StatusCode;
use jsonwebtoken::Algorithm;
use playhead_identity::oidc::{
    ASKED_EVERY_MS, FetchError, OutsideError, OutsideIssuer, OutsideSettings,
};
use serde_json::{Value, json};

use super::provider::{Answers, Provider, claims, jwk, sign};
use crate::forge::NOW_MS;

const HOUR_MS: i64 = 3_600_000;

/// Tokens that are valid whenever the test says it is.
fn token(provider: &Provider, key: &str, kid: Option<&str>) -> String {
    let mut claims = claims(&provider.issuer);
    claims["exp"] = json!(NOW_MS);
    sign(key, kid, Algorithm::EdDSA, &claims)
}

#[tokio::test]
async fn a_new_key_is_fetched_once_somebody_shows_it_but_not_twice_in_thirty_seconds() {
    let provider = Provider::start().await;
    let outside = provider.trusted();
    outside.verify(&token(&provider, "ed25519", Some("ed25519")), NOW_MS).await.unwrap();
    let eve = token(&provider, "eve", Some("eve"));
    for later_ms in [0, 1, ASKED_EVERY_MS - 1] {
        let refused = outside.verify(&eve, NOW_MS + later_ms).await;
        assert!(matches!(refused, Err(OutsideError::UnknownKey)), "{later_ms}");
    }
    assert_eq!(provider.asked(), (1, 1));
    let at_ms = NOW_MS + ASKED_EVERY_MS;
    assert!(matches!(outside.verify(&eve, at_ms).await, Err(OutsideError::UnknownKey)));
    assert_eq!(provider.asked(), (2, 2));
    provider.change(|answers| answers.keys = json!({ "keys": [jwk("eve")] }));
    assert!(outside.verify(&eve, at_ms + ASKED_EVERY_MS).await.is_ok());
    let old = token(&provider, "ed25519", Some("ed25519"));
    let refused = outside.verify(&old, at_ms + ASKED_EVERY_MS).await;
    assert!(matches!(refused, Err(OutsideError::UnknownKey)), "a key that is gone is gone");
}

#[tokio::test]
async fn a_token_without_a_key_name_means_the_only_key() {
    let provider = Provider::start().await;
    assert!(provider.trusted().verify(&token(&provider, "ed25519", None), NOW_MS).await.is_ok());
    provider.change(|answers| answers.keys = json!({ "keys": [jwk("ed25519"), jwk("eve")] }));
    let refused = provider.trusted().verify(&token(&provider, "ed25519", None), NOW_MS).await;
    assert!(matches!(refused, Err(OutsideError::UnknownKey)));
}

#[tokio::test]
async fn a_provider_that_is_down_is_missed_after_a_day_only() {
    let provider = Provider::start().await;
    let outside = provider.trusted();
    let mut claims = claims(&provider.issuer);
    claims["exp"] = json!(NOW_MS);
    let token = sign("ed25519", Some("ed25519"), Algorithm::EdDSA, &claims);
    outside.verify(&token, NOW_MS).await.unwrap();
    provider.change(|answers| answers.status = StatusCode::SERVICE_UNAVAILABLE);
    assert!(outside.verify(&token, NOW_MS + HOUR_MS - 1).await.is_ok());
    assert_eq!(provider.asked(), (1, 1), "keys are fresh for an hour");
    for later_ms in [HOUR_MS, HOUR_MS + 1, 24 * HOUR_MS - 1] {
        assert!(outside.verify(&token, NOW_MS + later_ms).await.is_ok(), "{later_ms}");
    }
    assert_eq!(provider.asked(), (3, 1), "and it is not asked with every token");
    let refused = outside.verify(&token, NOW_MS + 25 * HOUR_MS).await.unwrap_err();
    assert!(refused.retryable(), "{refused}");
    provider.change(|answers| answers.status = StatusCode::OK);
    assert!(outside.verify(&token, NOW_MS + 26 * HOUR_MS).await.is_ok());
}

#[tokio::test]
async fn many_tokens_at_once_ask_the_provider_once() {
    let provider = Provider::start().await;
    let outside = provider.trusted();
    let token = token(&provider, "ed25519", Some("ed25519"));
    let all = (0..50).map(|_| outside.verify(&token, NOW_MS));
    for who in futures::future::join_all(all).await {
        assert_eq!(who.unwrap().subject, "ada");
    }
    assert_eq!(provider.asked(), (1, 1));
}

/// What a provider answers to be refused, and with which words.
type Fault = (fn(&mut Answers), &'static str);

#[tokio::test]
async fn documents_that_are_not_what_they_should_be_are_refused() {
    let faults: [Fault; 13] = [
        (|answers| answers.discovery["issuer"] = json!("https://other.example"), "another issuer"),
        (
            |answers| {
                let issuer = answers.discovery["issuer"].as_str().unwrap();
                answers.discovery["issuer"] = json!(format!("{issuer}/"));
            },
            "another issuer",
        ),
        (|answers| answers.discovery["issuer"] = Value::Null, "another issuer"),
        (|answers| answers.discovery["jwks_uri"] = json!("http://other.example"), "jwks_uri"),
        (|answers| answers.discovery["jwks_uri"] = json!("file:///etc/passwd"), "jwks_uri"),
        (|answers| answers.discovery["jwks_uri"] = Value::Null, "jwks_uri"),
        (|answers| answers.discovery = json!([]), "JSON object"),
        (|answers| answers.tail = " ".repeat(300_000), "too long"),
        (|answers| answers.tail = "{}".to_owned(), "JSON object"),
        (|answers| answers.status = StatusCode::NOT_FOUND, "status 404"),
        (|answers| answers.status = StatusCode::FOUND, "status 302"),
        (|answers| answers.keys = json!({}), "has no keys"),
        (|answers| answers.keys = json!({ "keys": vec![jwk("eve"); 33] }), "too many keys"),
    ];
    for (fault, words) in faults {
        let provider = Provider::start().await;
        provider.change(fault);
        let token = token(&provider, "ed25519", Some("ed25519"));
        let refused = provider.trusted().verify(&token, NOW_MS).await.unwrap_err();
        assert!(refused.retryable() && refused.to_string().contains(words), "{words}: {refused}");
    }
}

#[tokio::test]
async fn a_silent_provider_is_given_up() {
    let provider = Provider::start().await;
    provider.change(|answers| answers.silent = true);
    let timeout = Duration::from_millis(50);
    let settings =
        OutsideSettings { timeout, ..OutsideSettings::new(&provider.issuer, "playhead") };
    let outside = OutsideIssuer::new(settings).unwrap();
    let token = token(&provider, "ed25519", Some("ed25519"));
    let refused = outside.verify(&token, NOW_MS).await.unwrap_err();
    assert!(matches!(refused, OutsideError::Unavailable(FetchError::Http { .. })), "{refused}");
    let refused = outside.verify(&token, NOW_MS + 1).await.unwrap_err();
    assert!(matches!(refused, OutsideError::Unavailable(FetchError::AskedJustNow)), "{refused}");
}
