//! JSON Schemas say what is written: what each field means, in which unit, and which are there.

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::{Draft, Validator};
use playhead_domain::codec::event_types;
use playhead_domain::{
    account, device_code, devices, email, identity, playback, sign_in, subscription, title, video,
    viewing,
};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::arbitrary::ArbitraryEvent;
use crate::codecs::round_trip;
use crate::files::{Version, goldens, schema, versions};

fn validator(version: &Version) -> Validator {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .should_ignore_unknown_formats(false)
        .build(&schema(version))
        .unwrap_or_else(|error| panic!("{version:?}: {error}"))
}

/// The schema of an object or of the objects in an array, at a JSON Pointer of the schema, and the
/// pointers of the payload's objects that it describes.
struct ObjectSchema<'a> {
    node: &'a Value,
    instances: Vec<String>,
}

/// Every object schema within a schema, with the objects of a payload that it describes.
fn objects<'a>(node: &'a Value, payload: &Value) -> Vec<ObjectSchema<'a>> {
    let mut found = vec![];
    descend(node, vec![String::new()], payload, &mut found);
    found
}

fn descend<'a>(
    node: &'a Value,
    instances: Vec<String>,
    payload: &Value,
    found: &mut Vec<ObjectSchema<'a>>,
) {
    let there = |pointer: &String| payload.pointer(pointer).is_some();
    let instances: Vec<_> = instances.into_iter().filter(there).collect();
    if let Some(properties) = node["properties"].as_object() {
        for (key, inner) in properties {
            let inside = instances.iter().map(|at| format!("{at}/{key}")).collect();
            descend(inner, inside, payload, found);
        }
        found.push(ObjectSchema { node, instances });
    } else if node["type"] == "array" {
        let len = |at: &String| payload.pointer(at).unwrap().as_array().unwrap().len();
        let inside = instances.iter().flat_map(|at| (0..len(at)).map(move |i| format!("{at}/{i}")));
        descend(&node["items"], inside.collect(), payload, found);
    } else if node["additionalProperties"].is_object() {
        let keys = |at: &String| payload.pointer(at).unwrap().as_object().unwrap().keys();
        let inside = instances.iter().flat_map(|at| keys(at).map(move |key| format!("{at}/{key}")));
        descend(&node["additionalProperties"], inside.collect(), payload, found);
    }
}

fn required(node: &Value) -> BTreeSet<&str> {
    node["required"].as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect()
}

/// Calls back with each object of each golden of each version, at its pointer.
fn each_golden_object(check: impl Fn(&Version, &Validator, &Value, &Value, &str)) {
    for version in versions() {
        let (schema, validator) = (schema(&version), validator(&version));
        for golden in goldens(&version) {
            for object in objects(&schema, &golden) {
                for at in &object.instances {
                    check(&version, &validator, object.node, &golden, at);
                }
            }
        }
    }
}

#[test]
fn every_schema_is_a_valid_schema() {
    for version in versions() {
        let schema = schema(&version);
        let valid = jsonschema::draft202012::meta::validate(&schema);
        assert!(valid.is_ok(), "{version:?}: {valid:?}");
    }
}

#[test]
fn every_schema_names_its_draft_its_address_and_its_type() {
    for version in versions() {
        let (schema, (name, number)) = (schema(&version), &version);
        let id = format!("https://playhead.dev/schemas/events/{name}.v{number}.schema.json");
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{name}");
        assert_eq!(schema["$id"], id);
        assert_eq!(schema["title"], **name);
    }
}

#[test]
fn every_schema_says_what_each_field_means() {
    for version in versions() {
        let schema = schema(&version);
        for ObjectSchema { node, .. } in objects(&schema, &Value::Null) {
            for (key, field) in node["properties"].as_object().unwrap() {
                let says = field["description"].as_str().unwrap_or_default();
                assert!(says.ends_with('.'), "{version:?} {key}: {says:?}");
                assert!(
                    !key.ends_with("_ms") || says.contains("milliseconds"),
                    "{version:?} {key} does not say its unit: {says:?}"
                );
            }
        }
    }
}

#[test]
fn every_object_is_closed() {
    for version in versions() {
        let schema = schema(&version);
        for ObjectSchema { node, .. } in objects(&schema, &Value::Null) {
            assert_eq!(node["additionalProperties"], json!(false), "{version:?}: {node}");
        }
    }
}

#[test]
fn every_golden_fits_its_schema() {
    for version in versions() {
        let validator = validator(&version);
        for golden in goldens(&version) {
            let fits = validator.validate(&golden);
            assert!(fits.is_ok(), "{version:?} {golden}: {fits:?}");
        }
    }
}

#[test]
fn the_first_golden_is_minimal_and_all_of_them_show_every_field() {
    for version in versions() {
        let (schema, goldens) = (schema(&version), goldens(&version));
        for ObjectSchema { node, instances } in objects(&schema, &goldens[0]) {
            for at in instances {
                let keys = goldens[0].pointer(&at).unwrap().as_object().unwrap().keys();
                let keys: BTreeSet<_> = keys.map(String::as_str).collect();
                assert_eq!(keys, required(node), "{version:?} at {at:?}");
            }
        }
        let all = json!(goldens);
        let many = json!({ "type": "array", "items": schema });
        for ObjectSchema { node, instances } in objects(&many, &all) {
            for key in node["properties"].as_object().unwrap().keys() {
                let shown = |at: &String| all.pointer(&format!("{at}/{key}")).is_some();
                assert!(instances.iter().any(shown), "{version:?}: no golden shows {key}");
            }
        }
    }
}

#[test]
fn an_unknown_field_is_refused_in_every_object() {
    each_golden_object(|version, validator, _, golden, at| {
        let mut payload = golden.clone();
        payload.pointer_mut(at).unwrap()["unheard_of"] = json!(1);
        assert!(!validator.is_valid(&payload), "{version:?} at {at:?}");
    });
}

#[test]
fn each_missing_required_field_is_refused_in_every_object() {
    each_golden_object(|version, validator, node, golden, at| {
        for key in required(node) {
            let mut payload = golden.clone();
            let object = payload.pointer_mut(at).unwrap().as_object_mut().unwrap();
            assert!(object.remove(key).is_some(), "{version:?} {at}/{key}");
            assert!(!validator.is_valid(&payload), "{version:?} without {at}/{key}");
        }
    });
}

#[test]
fn a_field_is_optional_only_if_an_event_without_it_is_written_without_it() {
    each_golden_object(|version, validator, node, golden, at| {
        let required = required(node);
        let current = event_types().any(|of| (of.name, of.version) == (&version.0, version.1));
        for key in node["properties"].as_object().unwrap().keys() {
            let mut payload = golden.clone();
            let object = payload.pointer_mut(at).unwrap().as_object_mut().unwrap();
            if required.contains(key.as_str()) || object.remove(key).is_none() {
                continue;
            }
            assert!(validator.is_valid(&payload), "{version:?} without {at}/{key}");
            let written = round_trip(&version.0, version.1, &payload);
            let written = written.unwrap_or_else(|error| panic!("without {at}/{key}: {error}"));
            assert!(!current || written == payload, "{version:?} without {at}/{key}");
        }
    });
}

#[test]
fn a_field_of_another_type_is_refused_in_every_object() {
    each_golden_object(|version, validator, node, golden, at| {
        for key in node["properties"].as_object().unwrap().keys() {
            for wrong in [json!(null), json!(1.5), json!("neither an id nor a choice?"), json!({})]
            {
                let open = wrong.is_string() && node["properties"][key] == free_text(node, key)
                    || wrong.is_object() && node["properties"][key]["required"] == json!([]);
                let mut payload = golden.clone();
                payload.pointer_mut(at).unwrap()[key] = wrong;
                assert_eq!(validator.is_valid(&payload), open, "{version:?}: {payload}");
            }
        }
    });
}

/// The schema of a field if it is one that takes any text.
fn free_text(node: &Value, key: &str) -> Value {
    json!({ "type": "string", "description": node["properties"][key]["description"] })
}

/// Makes up events of a set: what is written fits the schema and is read back as it was.
fn whatever_is_written_fits<E: ArbitraryEvent>() {
    let validators: BTreeMap<_, _> =
        E::TYPES.iter().map(|of| (of.name, validator(&(of.name.to_owned(), of.version)))).collect();
    let written = |event: E| {
        let of = event.event_type();
        let payload = event.to_json().unwrap();
        let json = serde_json::from_slice(&payload).unwrap();
        let fits = validators[of.name].validate(&json);
        prop_assert!(fits.is_ok(), "{}: {:?}", json, fits);
        prop_assert_eq!(E::from_json(of.name, of.version, &payload).unwrap(), event);
        Ok(())
    };
    let cases = ProptestConfig { source_file: Some(file!()), ..ProptestConfig::with_cases(512) };
    TestRunner::new(cases).run(&E::any(), written).unwrap();
}

#[test]
fn whatever_is_written_of_accounts_fits() {
    whatever_is_written_fits::<account::Event>();
}

#[test]
fn whatever_is_written_of_playback_fits() {
    whatever_is_written_fits::<playback::Event>();
}

#[test]
fn whatever_is_written_of_subscriptions_fits() {
    whatever_is_written_fits::<subscription::Event>();
}

#[test]
fn whatever_is_written_of_titles_fits() {
    whatever_is_written_fits::<title::Event>();
}

#[test]
fn whatever_is_written_of_videos_fits() {
    whatever_is_written_fits::<video::Event>();
}

#[test]
fn whatever_is_written_of_viewing_fits() {
    whatever_is_written_fits::<viewing::Event>();
}

#[test]
fn whatever_is_written_of_device_codes_fits() {
    whatever_is_written_fits::<device_code::Event>();
}

#[test]
fn whatever_is_written_of_devices_fits() {
    whatever_is_written_fits::<devices::Event>();
}

#[test]
fn whatever_is_written_of_addresses_fits() {
    whatever_is_written_fits::<email::Event>();
}

#[test]
fn whatever_is_written_of_identities_fits() {
    whatever_is_written_fits::<identity::Event>();
}

#[test]
fn whatever_is_written_of_sign_ins_fits() {
    whatever_is_written_fits::<sign_in::Event>();
}
