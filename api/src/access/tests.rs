use super::*;
use base64::Engine;
use jsonwebtoken::{EncodingKey, Header};
use playhead_commands::token::{PlaybackGrant, PlaybackTokens};
use playhead_domain::{ProfileId, SessionId, TitleId};
use serde_json::{Value, json};
use uuid::Uuid;

const NOW_MS: i64 = 1_800_000_000_000;
const HOUR_MS: i64 = 3_600_000;

fn pem(seed: u8) -> String {
    let key = SigningKey::from_bytes(&[seed; 32]);
    key.to_pkcs8_pem(Default::default()).unwrap().to_string()
}

fn key(seed: u8) -> AccessKey {
    AccessKey::from_pkcs8_pem(&pem(seed)).unwrap()
}

fn account() -> AccountId {
    AccountId(Uuid::from_u128(7))
}

fn claims() -> AccessClaims {
    AccessClaims::new(account(), vec![Role::Viewer], NOW_MS, HOUR_MS)
}

fn verify(token: &str) -> Result<Identity, AccessError> {
    key(1).tokens().unwrap().verify(token, NOW_MS)
}

/// A token with a header and claims of the forger's choice, signed with the right key.
fn signed(header: Value, claims: Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(&header), part(&claims));
    use ed25519_dalek::Signer;
    let signature = SigningKey::from_bytes(&[1; 32]).sign(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

fn header() -> Value {
    json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": key(1).kid })
}

#[test]
fn a_signed_token_names_its_account_and_roles() {
    let identity = verify(&key(1).sign(&claims()).unwrap()).unwrap();
    assert_eq!(identity.account_id, account());
    assert_eq!(identity.roles, BTreeSet::from([Role::Viewer]));
    assert_eq!(identity.expires_at_ms, NOW_MS + HOUR_MS);
    assert!(verify(&signed(header(), json!(claims()))).is_ok(), "the forger's tool works");
}

#[test]
fn a_token_ends_with_its_last_moment() {
    let tokens = key(1).tokens().unwrap();
    let token = key(1).sign(&claims()).unwrap();
    assert!(tokens.verify(&token, NOW_MS + HOUR_MS - 1).is_ok());
    assert_eq!(tokens.verify(&token, NOW_MS + HOUR_MS), Err(AccessError::Expired));
}

#[test]
fn a_token_of_another_key_is_forged() {
    assert_eq!(verify(&key(2).sign(&claims()).unwrap()), Err(AccessError::Forged));
}

#[test]
fn a_token_without_a_signature_is_forged() {
    let mut unsigned = header();
    unsigned["alg"] = json!("none");
    let token = signed(unsigned, json!(claims()));
    assert_eq!(verify(&token), Err(AccessError::Forged));
    let (message, _) = token.rsplit_once('.').unwrap();
    assert_eq!(verify(&format!("{message}.")), Err(AccessError::Forged));
    assert_eq!(verify(message), Err(AccessError::Forged));
}

#[test]
fn a_token_signed_with_the_public_key_as_a_secret_is_forged() {
    let mut header = Header::new(Algorithm::HS256);
    header.typ = Some(TOKEN_TYPE.to_owned());
    header.kid = Some(key(1).kid);
    let public = SigningKey::from_bytes(&[1; 32]).verifying_key();
    for secret in [public.as_bytes().as_slice(), key(1).public.as_bytes()] {
        let secret = EncodingKey::from_secret(secret);
        let token = jsonwebtoken::encode(&header, &claims(), &secret).unwrap();
        assert_eq!(verify(&token), Err(AccessError::Forged));
    }
}

#[test]
fn each_wrong_claim_or_header_makes_a_token_forged() {
    for (name, value) in [("typ", json!("JWT")), ("kid", json!("other")), ("typ", Value::Null)] {
        let mut wrong = header();
        wrong[name] = value;
        assert_eq!(verify(&signed(wrong, json!(claims()))), Err(AccessError::Forged), "{name}");
    }
    let wrong_claims = [
        ("aud", json!("playhead:playback")),
        ("iss", json!("somebody")),
        ("sub", json!("not-an-account")),
        ("exp", Value::Null),
        ("iat", json!(NOW_MS / 1_000 + 3_600)),
    ];
    for (name, value) in wrong_claims {
        let mut wrong = json!(claims());
        wrong[name] = value;
        assert_eq!(verify(&signed(header(), wrong)), Err(AccessError::Forged), "{name}");
    }
}

#[test]
fn an_altered_or_absurd_token_is_forged() {
    let token = key(1).sign(&claims()).unwrap();
    let parts: Vec<_> = token.split('.').collect();
    let mut richer = claims();
    richer.roles = vec![Role::ContentAdmin];
    let richer = URL_SAFE_NO_PAD.encode(serde_json::to_string(&richer).unwrap());
    let altered = format!("{}.{richer}.{}", parts[0], parts[2]);
    for token in [altered.as_str(), "", ".", "..", "a.b.c", &"x".repeat(100_000)] {
        assert_eq!(verify(token), Err(AccessError::Forged));
    }
}

#[test]
fn a_playback_token_gives_no_access() {
    let grant = PlaybackGrant {
        account_id: account(),
        profile_id: ProfileId(Uuid::nil()),
        title_id: TitleId(Uuid::nil()),
        session_id: SessionId(Uuid::nil()),
        started_at_ms: NOW_MS,
        from_ms: 0,
        duration_ms: None,
        credits_start_ms: None,
    };
    let playback = PlaybackTokens::new(&[7; 32]);
    assert_eq!(verify(&playback.sign(grant).unwrap()), Err(AccessError::Forged));
    let access = key(1).sign(&claims()).unwrap();
    assert!(playback.verify(&access, NOW_MS).is_err(), "nor the other way round");
}

#[test]
fn an_unknown_role_allows_nothing_and_breaks_nothing() {
    let mut wider = json!(claims());
    wider["roles"] = json!(["viewer", "astronaut"]);
    let identity = verify(&signed(header(), wider)).unwrap();
    assert_eq!(identity.roles, BTreeSet::from([Role::Viewer, Role::Unknown]));
}
