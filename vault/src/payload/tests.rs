use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::testing::envelope;

fn keys() -> (Key, KeyState) {
    let key = Key::random().unwrap();
    (key.clone(), KeyState::Known(Arc::new(key)))
}

fn seal_value(key: &Key, payload: &[u8]) -> Result<Vec<u8>, VaultError> {
    seal(key, &envelope(), payload, &personal(payload)?)
}

fn unseal_value(key: &KeyState, payload: &[u8]) -> Result<Vec<u8>, VaultError> {
    unseal(key, &envelope(), payload, &sealed(payload)?).map(Cow::into_owned)
}

/// Any JSON, without markers.
fn plain() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(Value::from("$personal")),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-z~/\\\\\"é]{0,3}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// JSON with markers in it.
fn marked() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![plain(), plain().prop_map(|value| json!({ "$personal": value }))];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-z~/$]{0,3}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The value after its person was erased.
fn erased(value: &Value) -> Value {
    match value {
        Value::Object(map) if map.contains_key("$personal") => json!({ "$erased": true }),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), erased(value))).collect(),
        Value::Array(items) => items.iter().map(erased).collect(),
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn any_payload_comes_back_byte_for_byte(value in marked()) {
        let (key, state) = keys();
        let payload = serde_json::to_vec(&value).unwrap();
        let fields = personal(&payload).unwrap().len();
        let recorded = seal_value(&key, &payload).unwrap();
        prop_assert_eq!(sealed(&recorded).unwrap().len(), fields);
        prop_assert!(!String::from_utf8(recorded.clone()).unwrap().contains("\"$personal\":"));
        prop_assert_eq!(&unseal_value(&state, &recorded).unwrap(), &payload);
        let gone = unseal_value(&KeyState::Erased, &recorded).unwrap();
        // Read back, because serde_json reads some numbers otherwise than it wrote them.
        let read = |json: &[u8]| serde_json::from_slice::<Value>(json).unwrap();
        prop_assert_eq!(read(&gone), erased(&read(&payload)));
    }

    #[test]
    fn blank_space_changes_nothing_but_itself(value in marked()) {
        let (key, state) = keys();
        let payload = serde_json::to_vec_pretty(&value).unwrap();
        let recorded = seal_value(&key, &payload).unwrap();
        let unsealed = unseal_value(&state, &recorded).unwrap();
        let read = |json: &[u8]| serde_json::from_slice::<Value>(json).unwrap();
        prop_assert_eq!(read(&unsealed), read(&payload));
    }

    #[test]
    fn any_bytes_are_answered_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let (key, state) = keys();
        let payload = [b"{\"$sealed\":".as_slice(), &bytes].concat();
        prop_assert!(unseal_value(&state, &payload).is_err());
        let _ = seal_value(&key, &bytes);
    }
}

#[test]
fn fields_cannot_change_places() {
    let (key, state) = keys();
    let payload = br#"{"a":{"$personal":1},"b":{"$personal":2}}"#;
    let recorded: Value = serde_json::from_slice(&seal_value(&key, payload).unwrap()).unwrap();
    let swapped = json!({ "a": recorded["b"], "b": recorded["a"] }).to_string();
    let refused = unseal_value(&state, swapped.as_bytes());
    assert!(matches!(refused, Err(VaultError::Tampered { pointer }) if pointer == "/a"));
}

#[test]
fn markers_are_refused_where_they_must_not_be() {
    let (key, state) = keys();
    for payload in [r#"{"a":{"$sealed":"x"}}"#, r#"{"a":[{"$personal":1},{"$erased":true}]}"#] {
        let refused = seal_value(&key, payload.as_bytes());
        assert!(matches!(refused, Err(VaultError::Misplaced { .. })), "{payload}");
    }
    for payload in [r#"{"a":{"$personal":"forged"}}"#, r#"{"a":{"$erased":true}}"#] {
        let refused = unseal_value(&state, payload.as_bytes());
        assert!(matches!(refused, Err(VaultError::Misplaced { .. })), "{payload}");
    }
}

#[test]
fn values_that_are_no_strings_are_not_sealed() {
    let (_, state) = keys();
    for value in ["1", "null", "true", "[]", "{}", "\"\"", "\"AQ\"", "\"A\\u0051\"", "\"=\""] {
        let payload = format!("{{\"$sealed\":{value}}}");
        let refused = unseal_value(&state, payload.as_bytes());
        assert!(matches!(refused, Err(VaultError::NotSealed { .. })), "{value}");
    }
}

#[test]
fn what_seals_can_be_read_again() {
    let (key, state) = keys();
    let payload = |bytes: usize| format!(r#"{{"$personal":"{}"}}"#, "x".repeat(bytes - 16));
    // 76 bytes of the marker and 73 of the sealed form, which base64 lengthens by a third.
    let longest = PAYLOAD_BYTES_MAX / 4 * 3 - 96;
    let recorded = seal_value(&key, payload(longest).as_bytes()).unwrap();
    assert!(recorded.len() > PAYLOAD_BYTES_MAX - 100);
    assert_eq!(unseal_value(&state, &recorded).unwrap(), payload(longest).as_bytes());
    let refused = seal_value(&key, payload(PAYLOAD_BYTES_MAX).as_bytes());
    assert!(matches!(refused, Err(VaultError::TooLarge { .. })));
}
