//! `schemas/profile.schema.json` and the rules of [`Profile`] say the same.

use jsonschema::{Draft, Validator};
use playhead_domain::account::Profile;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::arbitrary::profile;
use crate::files::schema_of_profiles;

fn validator() -> Validator {
    jsonschema::options().with_draft(Draft::Draft202012).build(&schema_of_profiles()).unwrap()
}

/// A profile as people see it; `None` if its name was erased.
fn shown(profile: &Profile) -> Option<Value> {
    let mut shown = serde_json::to_value(profile).unwrap();
    shown["name"] = json!(profile.name.known()?);
    Some(shown)
}

#[test]
fn the_schema_of_profiles_is_a_valid_schema() {
    let schema = schema_of_profiles();
    let valid = jsonschema::draft202012::meta::validate(&schema);
    assert!(valid.is_ok(), "{valid:?}");
}

#[test]
fn the_defaults_of_the_schema_are_those_of_a_new_profile() {
    let (schema, profile) = (schema_of_profiles(), shown(&Profile::new("A", "en", false)).unwrap());
    let mut compared = 0;
    let mut inside = vec![(&schema, &profile)];
    while let Some((schema, value)) = inside.pop() {
        for (key, field) in schema["properties"].as_object().unwrap() {
            if field["type"] == "object" {
                inside.push((field, &value[key]));
            } else if let Some(default) = field.get("default") {
                assert_eq!(&value[key], default, "{key}");
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 15);
}

#[test]
fn every_field_of_the_schema_is_one_of_the_profile() {
    let mut profile = Profile::new("A", "en", true);
    profile.avatar = Some("fox".to_owned());
    let keys =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    let (schema, shown) = (schema_of_profiles(), shown(&profile).unwrap());
    assert_eq!(keys(&schema["properties"]), keys(&shown));
    assert!(validator().is_valid(&shown));
}

#[test]
fn lines_are_as_long_and_as_clean_in_the_schema_as_in_the_rules() {
    let validator = validator();
    let edges = [
        "A",
        "",
        " ",
        " A",
        "A ",
        "A B",
        "A\nB",
        "A\u{85}",
        "\u{a0}A",
        "A\u{2028}",
        "\u{feff}A",
        "A\u{200b}",
        "\u{7f}A",
        "小明",
        "Zoë 🦊",
        "A\u{3000}B",
        "\u{180e}A",
        "A\u{202e}B",
        "A\u{200d}B",
        "می\u{200c}خواهم",
        "می\u{200c}",
        "\u{a0}\u{200d}ü",
        "👨\u{200d}👩\u{200d}👧",
        "❤\u{fe0f}\u{200d}🔥",
        "1\u{fe0f}\u{20e3}",
        "A\u{fe0f}",
        "ü\u{fe0f}\u{fe0f}",
        "ü\u{e0041}",
        "\u{2800}",
    ];
    let longest = ["ü".repeat(40), "ü".repeat(41), "🦊".repeat(40), "🦊".repeat(41)];
    for name in edges.into_iter().chain(longest.iter().map(String::as_str)) {
        let profile = Profile::new(name, "en", false);
        let valid = validator.is_valid(&shown(&profile).unwrap());
        assert_eq!(profile.validate().is_ok(), valid, "{name:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_048))]

    #[test]
    fn a_profile_is_valid_to_the_schema_if_and_only_if_it_is_to_the_rules(profile in profile()) {
        thread_local!(static VALIDATOR: Validator = validator());
        let Some(shown) = shown(&profile) else { return Ok(()) };
        let fits = VALIDATOR.with(|validator| validator.is_valid(&shown));
        prop_assert_eq!(profile.validate().is_ok(), fits, "{}: {:?}", shown, profile.validate());
    }
}
