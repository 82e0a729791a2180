//! The JSON Schema of the configuration file, for editors.

use playhead_identity::oidc::OutsideAlgorithm;
use serde_json::{Map, Value, json};

use super::Config;
use super::keys::{Key, Kind};
use super::table::KEYS;

/// The JSON Schema of the configuration file.
#[must_use]
pub fn schema() -> Value {
    let properties: Map<_, _> =
        KEYS.iter().map(|key| (key.name.to_owned(), property(key))).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Playhead configuration file",
        "description": "TOML. Environment variables and flags go before it.",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

fn property(key: &Key) -> Value {
    let mut property = match key.kind {
        Kind::Text | Kind::Secret | Kind::Path => json!({ "type": "string" }),
        Kind::Choice(choices) => json!({ "type": "string", "enum": choices }),
        Kind::Integer(min, max) => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::List => texts(),
        Kind::Issuers => json!({ "type": "array", "items": provider() }),
    };
    if let Some(fields) = property.as_object_mut() {
        fields.insert("description".to_owned(), key.meaning.into());
        fields.insert("default".to_owned(), key.value(&Config::default()));
    }
    property
}

fn texts() -> Value {
    json!({ "type": "array", "items": { "type": "string" } })
}

fn provider() -> Value {
    let algorithms = OutsideAlgorithm::ALL.map(OutsideAlgorithm::as_str);
    json!({
        "type": "object",
        "properties": {
            "issuer": { "type": "string" },
            "client_ids": { "type": "array", "items": { "type": "string" }, "minItems": 1 },
            "algorithms": {
                "type": "array",
                "items": { "type": "string", "enum": algorithms },
                "minItems": 1,
            },
        },
        "required": ["issuer", "client_ids"],
        "additionalProperties": false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_a_key_and_every_key_a_setting() {
        let config = serde_json::to_value(Config::default()).unwrap();
        let fields: Vec<_> = config.as_object().unwrap().keys().cloned().collect();
        let mut keys: Vec<_> = KEYS.iter().map(|key| key.name.to_owned()).collect();
        keys.sort();
        let mut sorted = fields;
        sorted.sort();
        assert_eq!(sorted, keys);
    }

    /// `schemas/config.schema.json` is what editors get.
    #[test]
    fn the_pinned_schema_is_the_current_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/config.schema.json");
        let current = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            std::fs::write(path, &current).unwrap();
        }
        assert!(
            std::fs::read_to_string(path).unwrap() == current,
            "schemas/config.schema.json is out of date; if the change is meant, run: \
             UPDATE_SCHEMA=1 cargo test -p playhead-server pinned_schema"
        );
    }
}
