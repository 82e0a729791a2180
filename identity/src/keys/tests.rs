use serde_json::{Value, json};

use super::*;

const NOW_MS: i64 = 1_800_000_000_000;

fn kids(ring: &KeyRing, now_ms: i64) -> Vec<String> {
    ring.jwks(now_ms).keys.into_iter().map(|key| key.kid).collect()
}

#[test]
fn the_public_form_is_that_of_rfc_8037() {
    // RFC 8037, appendices A.1 to A.3.
    let secret = URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
    let key = SigningKey::from_bytes(&secret.try_into().unwrap());
    let pem = key.to_pkcs8_pem(LineEnding::LF).unwrap();
    let ring = KeyRing::from_pkcs8_pem(&pem, NOW_MS).unwrap();
    assert_eq!(
        serde_json::to_value(ring.jwks(NOW_MS)).unwrap(),
        json!({ "keys": [{
            "kty": "OKP",
            "crv": "Ed25519",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
            "use": "sig",
            "alg": "EdDSA",
        }] })
    );
}

#[test]
fn a_key_verifies_for_an_hour_after_it_signed_last() {
    let mut ring = KeyRing::generate(NOW_MS).unwrap();
    let first = ring.kid().to_owned();
    assert!(ring.verifying_key(&first, i64::MAX).is_some(), "the one that signs never ends");
    ring.rotate(NOW_MS + 5).unwrap();
    let second = ring.kid().to_owned();
    let end_ms = NOW_MS + 5 + VERIFIES_FOR_MS;
    assert_eq!(kids(&ring, end_ms - 1), [second.clone(), first.clone()]);
    assert!(ring.verifying_key(&first, end_ms - 1).is_some());
    assert_eq!(kids(&ring, end_ms), [second]);
    assert!(ring.verifying_key(&first, end_ms).is_none());
    assert_eq!(ring.made_at_ms(), NOW_MS + 5);
}

#[test]
fn a_ring_is_full_until_its_first_keys_have_ended() {
    let mut ring = KeyRing::generate(NOW_MS).unwrap();
    for at_ms in 1..16 {
        ring.rotate(NOW_MS + at_ms).unwrap();
    }
    let kid = ring.kid().to_owned();
    assert!(matches!(ring.rotate(NOW_MS + 16), Err(KeyError::Full)));
    assert_eq!((ring.kid(), kids(&ring, NOW_MS + 16).len()), (kid.as_str(), KEYS_MAX));
    ring.rotate(NOW_MS + 1 + VERIFIES_FOR_MS).unwrap();
    assert_eq!(ring.keys().count(), KEYS_MAX, "the ended one is forgotten");
}

#[test]
fn a_stored_ring_reads_back() {
    let mut ring = KeyRing::generate(NOW_MS).unwrap();
    ring.rotate(NOW_MS + 1).unwrap();
    let text = ring.to_json().unwrap();
    let read = KeyRing::from_json(&text).unwrap();
    assert_eq!(read.jwks(NOW_MS), ring.jwks(NOW_MS));
    assert_eq!(read.to_json().unwrap(), text);
    assert!(!format!("{ring:?}").contains("PRIVATE"));
}

#[test]
fn a_damaged_ring_is_refused() {
    let mut ring = KeyRing::generate(NOW_MS).unwrap();
    ring.rotate(NOW_MS + 1).unwrap();
    let good: Value = serde_json::from_str(&ring.to_json().unwrap()).unwrap();
    let damage: [fn(&mut Value); 8] = [
        |ring| ring["format"] = json!(2),
        |ring| ring["keys"][1]["verifies_until_ms"] = Value::Null,
        |ring| ring["keys"][0]["verifies_until_ms"] = json!(1),
        |ring| ring["keys"][0]["kid"] = json!("../../etc/passwd"),
        |ring| ring["keys"][0]["pkcs8_pem"] = json!("zz"),
        |ring| ring["keys"][0]["other"] = json!(1),
        |ring| ring["keys"][1] = ring["keys"][0].clone(),
        |ring| ring["keys"] = json!([]),
    ];
    for (index, damage) in damage.iter().enumerate() {
        let mut damaged = good.clone();
        damage(&mut damaged);
        assert!(KeyRing::from_json(&damaged.to_string()).is_err(), "{index}");
    }
    assert!(KeyRing::from_json("").is_err());
}
