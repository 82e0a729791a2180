use serde_json::{Value, json};

use super::*;

const NAME: &str = "Ana Lovelace";

fn ana() -> Personal<String> {
    Personal::Known(NAME.to_owned())
}

fn read(payload: &Value) -> Result<Personal<String>, serde_json::Error> {
    serde_json::from_slice(payload.to_string().as_bytes())
}

#[test]
fn a_known_value_is_marked_as_personal() {
    assert_eq!(serde_json::to_value(ana()).unwrap(), json!({ "$personal": NAME }));
    assert_eq!(read(&json!({ "$personal": NAME })).unwrap(), ana());
}

#[test]
fn an_erased_value_is_marked_as_erased() {
    let erased = Personal::<String>::Erased;
    assert_eq!(serde_json::to_value(&erased).unwrap(), json!({ "$erased": true }));
    assert_eq!(read(&json!({ "$erased": true })).unwrap(), erased);
}

#[test]
fn a_value_of_several_fields_is_read_as_it_was_written() {
    let born = Personal::Known((1815_u16, Some("London".to_owned())));
    let written = serde_json::to_value(&born).unwrap();
    assert_eq!(serde_json::from_value::<Personal<_>>(written).unwrap(), born);
}

#[test]
fn what_is_not_marked_or_marked_twice_is_not_read_and_not_quoted() {
    let bad = [
        json!(NAME),
        json!(1815),
        json!(-1815),
        json!(1815.5),
        json!(true),
        json!([NAME]),
        json!(null),
        json!({}),
        json!({ NAME: 1 }),
        json!({ "$sealed": NAME }),
        json!({ "$personal": 1815 }),
        json!({ "$personal": [NAME] }),
        json!({ "$personal": null }),
        json!({ "$erased": false }),
        json!({ "$erased": null }),
        json!({ "$personal": NAME, "$erased": true }),
        json!({ "$erased": true, "$personal": NAME }),
        json!({ "$personal": NAME, NAME: 1 }),
    ];
    for payload in bad {
        let error = read(&payload).unwrap_err().to_string();
        assert!(
            !error.contains("Ana") && !error.contains("1815") && !error.contains("true`"),
            "{payload}: {error}"
        );
    }
}

#[test]
fn debug_does_not_show_the_value() {
    assert_eq!(format!("{:?}", ana()), "Known(…)");
    assert_eq!(format!("{:?}", Personal::<String>::Erased), "Erased");
}

#[test]
fn only_a_known_value_is_known() {
    assert_eq!(ana().known().map(String::as_str), Some(NAME));
    assert_eq!(Personal::<String>::Erased.known(), None);
}

#[test]
fn values_are_compared_by_what_they_hold() {
    assert_eq!(ana(), ana());
    assert_ne!(ana(), Personal::Known("Ben".to_owned()));
    assert_ne!(ana(), Personal::Erased);
}
