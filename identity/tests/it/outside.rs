//! Tokens of an outside identity provider, which runs here.

mod provider;
mod provider_faults;

use jsonwebtoken::Algorithm;
use playhead_identity::oidc::{OutsideAlgorithm, OutsideError, OutsideSettings};
use serde_json::{Value, json};

use crate::forge::{NOW_MS, NOW_S, part, with};
use provider::{Provider, claims, sign};

async fn refusal(provider: &Provider, token: &str) -> String {
    let outside = provider.trusted();
    match outside.verify(token, NOW_MS).await {
        Ok(_) => "accepted".to_owned(),
        Err(OutsideError::Claim(name)) => format!("Claim {name}"),
        Err(error) => format!("{error:?}"),
    }
}

#[tokio::test]
async fn a_token_of_each_algorithm_says_who_it_is() {
    let provider = Provider::start().await;
    let outside = provider.trusted();
    for (kid, algorithm) in [
        ("rsa", Algorithm::RS256),
        ("rsa", Algorithm::PS256),
        ("p256", Algorithm::ES256),
        ("ed25519", Algorithm::EdDSA),
    ] {
        let token = sign(kid, Some(kid), algorithm, &claims(&provider.issuer));
        let who = outside.verify(&token, NOW_MS).await.unwrap();
        assert_eq!((who.issuer.as_str(), who.subject.as_str()), (provider.issuer.as_str(), "ada"));
        assert_eq!(who.email.as_deref(), Some("ada@example.org"));
        assert!(who.email_verified);
        assert!(!format!("{who:?}").contains("ada"), "a person is not written to logs");
    }
    assert_eq!(provider.asked(), (1, 1), "the keys were fetched once");
}

#[tokio::test]
async fn only_the_agreed_algorithms_are_accepted() {
    let provider = Provider::start().await;
    let settings = OutsideSettings {
        algorithms: vec![OutsideAlgorithm::Es256],
        ..OutsideSettings::new(&provider.issuer, "playhead")
    };
    let outside = playhead_identity::oidc::OutsideIssuer::new(settings).unwrap();
    let claims = claims(&provider.issuer);
    let good = sign("p256", Some("p256"), Algorithm::ES256, &claims);
    assert!(outside.verify(&good, NOW_MS).await.is_ok());
    for (kid, algorithm) in [("rsa", Algorithm::RS256), ("ed25519", Algorithm::EdDSA)] {
        let token = sign(kid, Some(kid), algorithm, &claims);
        assert!(matches!(outside.verify(&token, NOW_MS).await, Err(OutsideError::Algorithm)));
    }
}

#[tokio::test]
async fn no_forgery_is_accepted() {
    let provider = Provider::start().await;
    let good = claims(&provider.issuer);
    let by = |kid: &'static str, name, algorithm| sign(kid, Some(name), algorithm, &good);
    let public = include_str!("keys/rsa.pem");
    let hmac = provider::sign_hmac(public.as_bytes(), "rsa", &good);
    let genuine = by("ed25519", "ed25519", Algorithm::EdDSA);
    let (message, signature) = genuine.rsplit_once('.').unwrap();
    let (head, _) = message.split_once('.').unwrap();
    let richer = part(with(good.clone(), "sub", json!("eve")).to_string());
    let headed =
        |header: Value| format!("{}.{}.AAAA", part(header.to_string()), part(good.to_string()));
    let twice = good.to_string().replacen('{', r#"{"sub":"eve","#, 1);
    for (name, token, expected) in [
        ("HS256 under the PEM", hmac, "Algorithm"),
        ("none", headed(json!({ "alg": "none" })), "Algorithm"),
        ("RS512", headed(json!({ "alg": "RS512", "kid": "rsa" })), "Algorithm"),
        ("key of another kind", by("ed25519", "rsa", Algorithm::EdDSA), "UnknownKey"),
        ("key not known", by("ed25519", "other", Algorithm::EdDSA), "UnknownKey"),
        ("another's key", by("eve", "ed25519", Algorithm::EdDSA), "Signature"),
        ("claims swapped", format!("{head}.{richer}.{signature}"), "Signature"),
        ("signature empty", format!("{message}."), "Malformed"),
        ("jwk", headed(json!({ "alg": "EdDSA", "jwk": {} })), "Header"),
        ("jku", headed(json!({ "alg": "EdDSA", "jku": "https://eve.example" })), "Header"),
        ("x5u", headed(json!({ "alg": "EdDSA", "x5u": "https://eve.example" })), "Header"),
        ("crit", headed(json!({ "alg": "EdDSA", "crit": ["b64"] })), "Header"),
        ("access token", headed(json!({ "alg": "EdDSA", "typ": "at+jwt" })), "Type"),
        ("logout token", headed(json!({ "alg": "EdDSA", "typ": "logout+jwt" })), "Type"),
        ("kid no text", headed(json!({ "alg": "EdDSA", "kid": 1 })), "Malformed"),
        ("20 kB", format!("{genuine}{}", "A".repeat(20_000)), "Malformed"),
        ("sub twice", provider::sign_text("ed25519", &twice), "Malformed"),
    ] {
        assert_eq!(refusal(&provider, &token).await, expected, "{name}");
    }
}

#[tokio::test]
async fn every_claim_must_be_right() {
    let provider = Provider::start().await;
    for (name, value, expected) in [
        ("iss", json!("https://eve.example"), "Issuer"),
        ("iss", json!(format!("{}/", provider.issuer)), "Issuer"),
        ("iss", Value::Null, "Claim iss"),
        ("aud", json!("eve"), "Audience"),
        ("aud", json!(["eve", "mallory"]), "Audience"),
        ("aud", json!(["playhead", "eve"]), "Audience"),
        ("aud", json!([]), "Claim aud"),
        ("aud", json!(["playhead", 1]), "Claim aud"),
        ("aud", json!(vec!["playhead"; 17]), "Claim aud"),
        ("aud", Value::Null, "Claim aud"),
        ("azp", json!("eve"), "Audience"),
        ("azp", json!(["playhead"]), "Claim azp"),
        ("exp", json!(NOW_S), "Expired"),
        ("exp", json!("1800000600"), "Claim exp"),
        ("exp", json!(i64::MAX), "Claim exp"),
        ("exp", json!(-1), "Claim exp"),
        ("exp", Value::Null, "Claim exp"),
        ("iat", json!(NOW_S + 61), "NotYetValid"),
        ("iat", Value::Null, "Claim iat"),
        ("nbf", json!(NOW_S + 61), "NotYetValid"),
        ("nbf", json!("now"), "Claim nbf"),
        ("sub", Value::Null, "Claim sub"),
        ("sub", json!(""), "Claim sub"),
        ("sub", json!("x".repeat(256)), "Claim sub"),
        ("sub", json!(7), "Claim sub"),
        ("email", json!(7), "Claim email"),
        ("email", json!("x".repeat(255)), "Claim email"),
        ("email_verified", json!(1), "Claim email_verified"),
        ("events", json!({}), "Type"),
    ] {
        let claims = with(claims(&provider.issuer), name, value.clone());
        let token = sign("ed25519", Some("ed25519"), Algorithm::EdDSA, &claims);
        assert_eq!(refusal(&provider, &token).await, expected, "{name} {value}");
    }
}

#[tokio::test]
async fn tokens_may_be_for_others_too_if_we_asked_for_them() {
    let provider = Provider::start().await;
    for (aud, azp) in [
        (json!("playhead"), Value::Null),
        (json!(["playhead"]), Value::Null),
        (json!("playhead"), json!("playhead")),
        (json!(["other", "playhead"]), json!("playhead")),
    ] {
        let claims = with(with(claims(&provider.issuer), "aud", aud), "azp", azp);
        let token = sign("ed25519", Some("ed25519"), Algorithm::EdDSA, &claims);
        assert_eq!(refusal(&provider, &token).await, "accepted", "{claims}");
    }
}

#[tokio::test]
async fn an_address_counts_as_verified_only_if_the_provider_says_so() {
    let provider = Provider::start().await;
    let outside = provider.trusted();
    for (email, verified, expected) in [
        (json!("ada@example.org"), json!(true), true),
        (json!("ada@example.org"), json!("true"), true),
        (json!("ada@example.org"), json!(false), false),
        (json!("ada@example.org"), json!("yes"), false),
        (json!("ada@example.org"), Value::Null, false),
        (Value::Null, json!(true), false),
    ] {
        let claims = with(claims(&provider.issuer), "email", email.clone());
        let claims = with(claims, "email_verified", verified.clone());
        let token = sign("ed25519", Some("ed25519"), Algorithm::EdDSA, &claims);
        let who = outside.verify(&token, NOW_MS).await.unwrap();
        assert_eq!(who.email_verified, expected, "{email} {verified}");
    }
}
