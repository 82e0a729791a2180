//! Access tokens as they should be.

use playhead_domain::identity::Role;
use playhead_identity::access_token::{
    AccessTokenError, CLOCK_SKEW_MS, LIFETIME_MAX_MS, LIFETIME_MS,
};
use playhead_identity::keys::{KeyRing, VERIFIES_FOR_MS};
use serde_json::{Value, json};

use crate::forge::{NOW_MS, NOW_S, OURS, caller, claims, header, part, ring, signed, tokens, with};

#[test]
fn a_token_says_who_is_calling_from_where_and_since_when() {
    let ring = ring(OURS);
    let token = tokens().issue(&ring, &caller(), NOW_MS).unwrap();
    let verified = tokens().verify(&ring, &token.text, NOW_MS).unwrap();
    assert_eq!(verified.caller, caller());
    assert_eq!((verified.issued_at_ms, verified.expires_at_ms), (NOW_MS, token.expires_at_ms));
    assert_eq!(token.expires_at_ms, NOW_MS + LIFETIME_MS);
    assert!(token.text.len() < 1_000, "{}", token.text.len());
    let other = tokens().issue(&ring, &caller(), NOW_MS).unwrap();
    let other = tokens().verify(&ring, &other.text, NOW_MS).unwrap();
    assert_ne!(verified.token_id, other.token_id);
}

#[test]
fn the_forger_can_make_the_token_that_we_make() {
    let token = signed(OURS, header().to_string(), claims().to_string());
    assert!(tokens().verify(&ring(OURS), &token, NOW_MS).is_ok());
    let ours = tokens().issue(&ring(OURS), &caller(), NOW_MS).unwrap().text;
    assert!(ours.starts_with(&part(header().to_string())));
}

#[test]
fn a_token_ends_with_its_last_moment() {
    let ring = ring(OURS);
    let token = tokens().issue(&ring, &caller(), NOW_MS + 999).unwrap();
    assert_eq!(token.expires_at_ms, NOW_MS + LIFETIME_MS, "times are whole seconds");
    let verify = |now_ms| tokens().verify(&ring, &token.text, now_ms).map(|_| ());
    assert_eq!(verify(token.expires_at_ms - 1), Ok(()));
    assert_eq!(verify(token.expires_at_ms), Err(AccessTokenError::Expired));
}

#[test]
fn clocks_may_differ_by_a_minute() {
    let ring = ring(OURS);
    let token = tokens().issue(&ring, &caller(), NOW_MS).unwrap();
    let verify = |now_ms| tokens().verify(&ring, &token.text, now_ms).map(|_| ());
    assert_eq!(verify(NOW_MS - CLOCK_SKEW_MS), Ok(()));
    assert_eq!(verify(NOW_MS - CLOCK_SKEW_MS - 1), Err(AccessTokenError::NotYetValid));
}

#[test]
fn no_token_lives_longer_than_an_hour() {
    let ring = ring(OURS);
    let token = tokens().issue_for(&ring, &caller(), NOW_MS, i64::MAX).unwrap();
    assert_eq!(token.expires_at_ms, NOW_MS + LIFETIME_MAX_MS);
    assert!(tokens().verify(&ring, &token.text, NOW_MS).is_ok());
}

#[test]
fn every_token_outlives_a_rotation_of_keys() {
    let mut ring = KeyRing::generate(NOW_MS).unwrap();
    let token = tokens().issue_for(&ring, &caller(), NOW_MS, LIFETIME_MAX_MS).unwrap();
    ring.rotate(NOW_MS).unwrap();
    let newer = tokens().issue(&ring, &caller(), NOW_MS).unwrap();
    assert!(tokens().verify(&ring, &newer.text, NOW_MS).is_ok());
    assert!(tokens().verify(&ring, &token.text, token.expires_at_ms - 1).is_ok());
    let later = tokens().verify(&ring, &token.text, NOW_MS + VERIFIES_FOR_MS);
    assert_eq!(later, Err(AccessTokenError::UnknownKey));
}

#[test]
fn an_unknown_role_allows_nothing_and_breaks_nothing() {
    for (roles, known) in [
        (json!(["viewer", "astronaut"]), vec![Role::Viewer]),
        (json!(["Operator", "operator ", ""]), vec![]),
        (json!([]), vec![]),
        (json!(Role::ALL.iter().map(|role| role.as_str()).collect::<Vec<_>>()), Role::ALL.to_vec()),
    ] {
        let claims = with(claims(), "roles", roles).to_string();
        let token = signed(OURS, header().to_string(), claims);
        let verified = tokens().verify(&ring(OURS), &token, NOW_MS).unwrap();
        assert_eq!(verified.caller.roles, known.into_iter().collect());
    }
}

#[test]
fn claims_that_are_not_known_are_passed_over() {
    let claims = with(claims(), "scope", json!({ "a": [NOW_S, Value::Null] }));
    let token = signed(OURS, header().to_string(), claims.to_string());
    assert!(tokens().verify(&ring(OURS), &token, NOW_MS).is_ok());
}
