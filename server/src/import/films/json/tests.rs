use super::*;

fn items(text: &str) -> Vec<Item> {
    let mut items = Vec::new();
    let mut emit = |item| {
        items.push(item);
        true
    };
    read(text.as_bytes(), &"films.json".into(), &mut emit).unwrap();
    items
}

fn titles(text: &str) -> Vec<Found> {
    let title = |item| match item {
        Item::Found(found) => found,
        other => panic!("{other:?}"),
    };
    items(text).into_iter().map(title).collect()
}

fn only_flaw(text: &str) -> String {
    let found = items(text);
    let [Item::Flaw(flaw) | Item::Unreadable(flaw)] = found.as_slice() else { panic!("{found:?}") };
    flaw.to_string()
}

#[test]
fn a_film_of_wikipedia_is_read() {
    let text = r#"[{"title": " Heat ", "year": 1995, "cast": ["Al Pacino", ")", ""],
        "genres": ["Crime"], "href": "Heat_(1995_film)", "extract": " A thief. \n",
        "thumbnail": "https://example.org/heat.jpg", "thumbnail_width": 259}]"#;
    let found = titles(text).remove(0);
    assert_eq!(found.metadata.name, "Heat");
    assert_eq!(found.metadata.cast().collect::<Vec<_>>(), ["Al Pacino"]);
    assert_eq!(found.metadata.synopsis.as_deref(), Some("A thief."));
    assert_eq!(found.metadata.artwork_url.as_deref(), Some("https://example.org/heat.jpg"));
    let source = found.metadata.source.unwrap();
    assert_eq!(
        (source.catalogue.as_str(), source.key.as_str()),
        (WIKIPEDIA, "Heat|1995|Heat_(1995_film)")
    );
    assert_eq!(found.title_id, ids::title(WIKIPEDIA, &source.key));
}

#[test]
fn a_film_of_our_own_is_read() {
    let text = r#"[{"title": "Heat", "year": 1995, "directors": ["Michael Mann"], "cast": [],
        "genres": [], "runtime_min": 170, "synopsis": "A thief.", "maturity": "16"}]"#;
    let metadata = titles(text).remove(0).metadata;
    assert_eq!(metadata.maturity, Some(Maturity::From16));
    assert_eq!(metadata.directors().collect::<Vec<_>>(), ["Michael Mann"]);
    assert_eq!(metadata.runtime_ms, Some(170 * 60_000));
    assert_eq!(metadata.source.unwrap().catalogue, OWN);
}

#[test]
fn equal_records_are_titles_of_their_own() {
    let one = r#"{"title": "A", "year": 1900, "href": null}"#;
    let found = titles(&format!("[{one}, {one}, {one}]"));
    let keys: Vec<_> = found.into_iter().map(|f| f.metadata.source.unwrap().key).collect();
    assert_eq!(keys, ["A|1900|", "A|1900|#2", "A|1900|#3"]);
}

#[test]
fn keys_that_are_too_long_are_shortened_and_stay_apart() {
    let film = |end: &str| format!(r#"{{"title": "{}{end}", "year": 1994}}"#, "x".repeat(250));
    let found = titles(&format!("[{}, {}, {}]", film("a"), film("b"), film("a")));
    let keys: Vec<_> = found.into_iter().map(|f| f.metadata.source.unwrap().key).collect();
    assert_ne!(keys[0], keys[1]);
    assert_eq!(keys[2], format!("{}#2", keys[0]));
    assert_eq!(keys[0].len(), 183);
}

#[test]
fn a_list_of_texts_is_left_out_with_a_note() {
    let found = items(r#"["Action", "Drama"]"#);
    assert!(matches!(found.as_slice(), [Item::Note(_)]), "{found:?}");
}

#[test]
fn a_value_of_another_type_is_told_with_line_column_and_field() {
    let flaw = only_flaw("[\n  {\"title\": \"A\",\n   \"year\": \"x\"}]");
    assert_eq!(flaw, "films.json:3:12: year: must be a whole number from 1870 to 2100");
    let flaw = only_flaw("[{\"title\": \"A\", \"runtime_min\": -1}]");
    assert_eq!(flaw, "films.json:1:32: runtime_min: must be a whole number of minutes");
    let flaw = only_flaw("[{\"title\": \"A\", \"maturity\": \"PG\"}]");
    let rule = "maturity: must be one of \"all\", \"7\", \"13\", \"16\" and \"18\"";
    assert_eq!(flaw, format!("films.json:1:29: {rule}"));
    let flaw = only_flaw("[{\"title\": 7}]");
    assert_eq!(flaw, "films.json:1:12: title: must be a text");
    let flaw = only_flaw("[{\"title\": \"A\", \"cast\": [\"B\",\n 7]}]");
    assert!(flaw.starts_with("films.json:2:"), "{flaw}");
    assert!(flaw.ends_with(": cast: must be a list of texts"), "{flaw}");
}

#[test]
fn an_element_that_is_no_object_is_told_with_what_it_must_be() {
    let flaw = only_flaw("[\n 7]");
    assert_eq!(flaw, format!("films.json:2:2: {NO_OBJECT}"));
}

#[test]
fn an_empty_file_is_unreadable_and_no_record() {
    let found = items("\n");
    let [Item::Unreadable(flaw)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(flaw.to_string(), "films.json:2:1: the file is empty; expected an array of films");
}

#[test]
fn a_broken_rule_is_told_with_the_name_of_the_field_in_the_file() {
    let flaw = only_flaw("[{\"title\": \"A\",\n\"thumbnail\": \"ftp://a\"}]");
    assert!(flaw.starts_with("films.json:2:14: thumbnail: must be an http or https URL"), "{flaw}");
    assert_eq!(only_flaw("[{\"year\": 1900}]"), "films.json:1:2: title: is missing");
    let flaw = only_flaw("[{\"title\": \"A\", \"year\": 1500}]");
    assert_eq!(flaw, "films.json:1:25: year: must be from 1870 to 2100");
}

#[test]
fn what_is_not_json_is_told_with_its_place_and_ends_the_file() {
    let found = items("[{\"title\": \"A\"},\n{\"title\" \"B\"}, {\"title\": \"C\"}]");
    let [Item::Found(_), Item::Flaw(flaw), Item::Found(_)] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(flaw.to_string(), "films.json:2:10: not valid JSON: expected `:`");
    let flaw = only_flaw("{\"title\": \"A\"}");
    assert_eq!(flaw, "films.json:1:1: expected an array of films");
}
