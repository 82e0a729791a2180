use std::collections::BTreeMap;

use async_graphql::resolver_utils::EnumType;
use serde_json::{Value, json};

use super::*;

fn published() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/error-codes.json");
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn listed(place: &str) -> BTreeMap<String, String> {
    let entries = published()
        .into_iter()
        .filter(|entry| entry["where"].as_array().unwrap().iter().any(|listed| listed == place));
    let pair = |entry: Value| {
        let text = |name: &str| entry[name].as_str().unwrap().to_owned();
        (text("code"), text("meaning"))
    };
    entries.map(pair).collect()
}

#[test]
fn every_code_is_published_with_its_meaning_and_nothing_else_is() {
    let mutations: Vec<_> = listed("mutation").into_keys().collect();
    let mut known: Vec<_> = ErrorCode::items().iter().map(|item| item.name.to_owned()).collect();
    known.sort();
    assert_eq!(mutations, known);

    let mut faults = listed("graphql");
    faults.extend(listed("http"));
    let faults: Vec<_> = faults.into_keys().collect();
    let mut known: Vec<_> = Code::ALL.iter().map(|code| code.as_str().to_owned()).collect();
    known.sort();
    assert_eq!(faults, known);
}

#[test]
fn each_code_is_published_once_with_a_meaning() {
    let entries = published();
    let codes: std::collections::BTreeSet<_> =
        entries.iter().map(|entry| entry["code"].as_str().unwrap()).collect();
    assert_eq!(codes.len(), entries.len());
    assert!(entries.iter().all(|entry| entry["meaning"].as_str().unwrap().len() > 10));
}

#[test]
fn a_log_that_cannot_be_read_for_now_asks_for_patience_and_a_damaged_one_does_not() {
    let id = Uuid::from_u128(9);
    let reason = || "the disk sleeps".to_owned();
    let busy = ReadError::Io { position: 7, reason: reason() };
    let damaged = ReadError::Corrupt { position: 7, reason: reason() };
    for (error, code) in [(busy, Code::Overloaded), (damaged, Code::Internal)] {
        assert_eq!(of_read(&error, id).code, code);
        assert_eq!(of_append(&AppendError::Unreadable(error), id).code, code);
    }
    let overloaded = AppendError::Overloaded { waiting: 1_024 };
    assert!(overloaded.retryable());
    assert_eq!(of_append(&overloaded, id).code, Code::Overloaded);
}

#[test]
fn the_unexpected_says_nothing_about_the_inside() {
    let id = Uuid::from_u128(9);
    let cause = AppendError::TooLarge { bytes: 12_345 };
    let fault = of_append(&cause, id);
    let body = json!(HttpFault(&fault)).to_string();
    assert!(!body.contains("12345") && body.contains(&id.to_string()), "{body}");
    let element = json!(GraphqlFault(&fault));
    assert_eq!(element["extensions"]["code"], "INTERNAL");
    assert_eq!(element["extensions"]["correlationId"], id.to_string());
}

#[test]
fn fields_are_named_as_clients_spell_them() {
    for (snake, camel) in [
        ("position_ms", "positionMs"),
        ("name", "name"),
        ("artwork_url", "artworkUrl"),
        ("windows/until_ms", "windows/until"),
    ] {
        assert_eq!(field_name(snake), camel);
    }
    let fault = Fault::from(InvalidValue { field: "position_ms", rule: "small" });
    assert_eq!(
        json!(HttpFault(&fault.at("[2].positionMs"))),
        json!({ "error": {
            "code": "INVALID_INPUT",
            "message": "positionMs must be small",
            "field": "[2].positionMs",
        }})
    );
}
