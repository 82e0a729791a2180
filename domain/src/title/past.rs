//! Payloads of older versions.

use serde_json::{Value, json};

/// Lifts the payload of `TitleAdded` or `TitleEdited` from version 2, which knew only the names of
/// directors and actors, to version 3, which has one list of credits: directors first.
pub(crate) fn lift_from_2(mut payload: Value) -> Value {
    let Some(metadata) = payload.get_mut("metadata").and_then(Value::as_object_mut) else {
        return payload;
    };
    let mut credits = Vec::new();
    for (list, role) in [("directors", "director"), ("cast", "actor")] {
        let names = metadata.remove(list);
        let names = names.as_ref().and_then(Value::as_array).into_iter().flatten();
        credits.extend(names.map(|name| json!({ "name": name, "role": role })));
    }
    metadata.insert("credits".to_owned(), Value::Array(credits));
    payload
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directors_and_then_actors_become_credits() {
        let old = json!({ "metadata": { "directors": ["Lang"], "cast": ["Helm", "Abel"] } });
        let credits = json!([
            { "name": "Lang", "role": "director" },
            { "name": "Helm", "role": "actor" },
            { "name": "Abel", "role": "actor" },
        ]);
        assert_eq!(lift_from_2(old), json!({ "metadata": { "credits": credits } }));
    }

    #[test]
    fn a_payload_without_people_gets_an_empty_list() {
        assert_eq!(
            lift_from_2(json!({ "metadata": {} })),
            json!({ "metadata": { "credits": [] } })
        );
    }
}
