//! A forger's tools: tokens with any header and any claims, signed with any key.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use ed25519_dalek::{Signer, SigningKey};
use playhead_domain::identity::Role;
use playhead_domain::{AccountId, DeviceId, SignInId};
use playhead_identity::access_token::{AccessTokens, Caller};
use playhead_identity::keys::KeyRing;
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) const NOW_MS: i64 = 1_800_000_000_000;
pub(crate) const NOW_S: i64 = NOW_MS / 1_000;

/// The seed of the key that signs; the forger has it only to show that everything else is checked.
pub(crate) const OURS: u8 = 1;

pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub(crate) fn ring(seed: u8) -> KeyRing {
    let pem = key(seed).to_pkcs8_pem(Default::default()).unwrap();
    KeyRing::from_pkcs8_pem(&pem, 0).unwrap()
}

pub(crate) fn tokens() -> AccessTokens {
    AccessTokens::new("https://playhead.example", "playhead:api")
}

pub(crate) fn caller() -> Caller {
    Caller {
        account_id: AccountId(Uuid::from_u128(7)),
        sign_in_id: SignInId(Uuid::from_u128(8)),
        device_id: DeviceId(Uuid::from_u128(9)),
        authenticated_at_ms: NOW_MS - 12_345,
        roles: [Role::Viewer, Role::Creator].into(),
    }
}

pub(crate) fn part(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A token of these very bytes.
pub(crate) fn signed(seed: u8, header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    let message = format!("{}.{}", part(header), part(claims));
    let signature = key(seed).sign(message.as_bytes());
    format!("{message}.{}", part(signature.to_bytes()))
}

pub(crate) fn header() -> Value {
    json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": ring(OURS).kid() })
}

pub(crate) fn claims() -> Value {
    json!({
        "iss": "https://playhead.example",
        "aud": "playhead:api",
        "sub": Uuid::from_u128(7),
        "sid": Uuid::from_u128(8),
        "did": Uuid::from_u128(9),
        "auth_time": (NOW_MS - 12_345).div_euclid(1_000),
        "auth_time_ms": NOW_MS - 12_345,
        "iat": NOW_S,
        "nbf": NOW_S,
        "exp": NOW_S + 600,
        "jti": "a",
        "roles": ["viewer"],
    })
}

/// The object with one member changed, or without it if the value is null.
pub(crate) fn with(mut object: Value, name: &str, value: Value) -> Value {
    let members = object.as_object_mut().unwrap();
    match value {
        Value::Null => drop(members.remove(name)),
        value => drop(members.insert(name.to_owned(), value)),
    }
    object
}
