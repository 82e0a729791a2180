//! Playback tokens are ours, unaltered and in time, or refused.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use playhead_commands::token::{LIFETIME_MS, PlaybackGrant, PlaybackTokens, TokenError};
use playhead_domain::{AccountId, ProfileId, SessionId, TitleId};
use serde_json::{Value, json};

use crate::{NOW_MS, id};

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

fn grant() -> PlaybackGrant {
    PlaybackGrant {
        account_id: AccountId(id(1)),
        profile_id: ProfileId(id(2)),
        title_id: TitleId(id(3)),
        session_id: SessionId(id(4)),
        device_id: None,
        started_at_ms: NOW_MS,
        from_ms: 1,
        duration_ms: None,
        credits_start_ms: None,
    }
}

/// A token under our secret with other claims or another header.
fn token(header: &Header, change: impl Fn(&mut Value)) -> String {
    let mut claims = serde_json::to_value(grant()).unwrap();
    claims["aud"] = json!("playhead:playback");
    claims["exp"] = json!(NOW_MS / 1_000 + 60);
    change(&mut claims);
    jsonwebtoken::encode(header, &claims, &EncodingKey::from_secret(SECRET)).unwrap()
}

fn header() -> Header {
    Header { typ: Some("playback+jwt".into()), ..Header::new(Algorithm::HS256) }
}

#[test]
fn a_token_gives_back_its_grant_for_six_hours() {
    let tokens = PlaybackTokens::new(SECRET);
    let token = tokens.sign(grant()).unwrap();
    assert_eq!(tokens.verify(&token, NOW_MS), Ok(grant()));
    assert_eq!(tokens.verify(&token, NOW_MS + LIFETIME_MS - 1), Ok(grant()));
    assert_eq!(tokens.verify(&token, NOW_MS + LIFETIME_MS), Err(TokenError::Expired));
}

#[test]
fn a_token_of_another_kind_server_or_shape_is_refused() {
    let tokens = PlaybackTokens::new(SECRET);
    assert_eq!(tokens.verify(&token(&header(), |_| ()), NOW_MS), Ok(grant()));
    let good = tokens.sign(grant()).unwrap();
    let (head, signature) = good.rsplit_once('.').unwrap();
    let (_, payload) = head.split_once('.').unwrap();
    let forged = [
        String::new(),
        "x".repeat(5_000),
        good[..good.len() - 2].to_owned(),
        format!("eyJhbGciOiJub25lIiwidHlwIjoicGxheWJhY2srand0In0.{payload}."),
        format!("eyJhbGciOiJub25lIiwidHlwIjoicGxheWJhY2srand0In0.{payload}.{signature}"),
        PlaybackTokens::new(b"another secret of at least 32 bytes").sign(grant()).unwrap(),
        token(&Header::new(Algorithm::HS256), |_| ()),
        token(&Header { typ: header().typ, ..Header::new(Algorithm::HS512) }, |_| ()),
        token(&header(), |claims| claims["aud"] = json!("playhead:api")),
        token(&header(), |claims| claims["session_id"] = json!("me")),
        token(&header(), |claims| _ = claims.as_object_mut().unwrap().remove("aud")),
    ];
    for (number, forged) in forged.iter().enumerate() {
        assert_eq!(tokens.verify(forged, NOW_MS), Err(TokenError::Forged), "forgery {number}");
    }
}
