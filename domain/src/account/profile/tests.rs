use super::*;

fn named(name: &str) -> Profile {
    Profile::new(name, "en", false)
}

/// A field, and a value of it that is set into an otherwise good profile.
type Case = (&'static str, fn(&mut Profile));

fn tags(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("en-x{number}")).collect()
}

fn genres(count: usize, chars: usize) -> Vec<String> {
    (0..count).map(|number| format!("{number:0>chars$}")).collect()
}

const GOOD: &[Case] = &[
    ("avatar", |it| it.avatar = Some("a".to_owned())),
    ("avatar", |it| it.avatar = Some("Fox_2-".repeat(10))),
    ("maturity_max", |it| (it.kids, it.maturity_max) = (true, Maturity::All)),
    ("maturity_max", |it| (it.kids, it.maturity_max) = (true, Maturity::From7)),
    ("maturity_max", |it| it.maturity_max = Maturity::All),
    ("playback/speed_percent", |it| it.playback.speed_percent = 50),
    ("playback/speed_percent", |it| it.playback.speed_percent = 200),
    ("playback/audio_languages", |it| it.playback.audio_languages = tags(10)),
    ("playback/subtitle_languages", |it| it.playback.subtitle_languages = tags(10)),
    ("favourite_genres", |it| it.favourite_genres = genres(20, 50)),
];

const BAD: &[Case] = &[
    ("name", |it| it.name = Personal::Erased),
    ("avatar", |it| it.avatar = Some(String::new())),
    ("avatar", |it| it.avatar = Some("a".repeat(65))),
    ("avatar", |it| it.avatar = Some("https://e.example/a.png".to_owned())),
    ("maturity_max", |it| (it.kids, it.maturity_max) = (true, Maturity::From13)),
    ("playback/speed_percent", |it| it.playback.speed_percent = 49),
    ("playback/speed_percent", |it| it.playback.speed_percent = 201),
    ("playback/audio_languages", |it| it.playback.audio_languages = tags(11)),
    ("playback/audio_languages", |it| it.playback.audio_languages = vec!["e".to_owned()]),
    ("playback/subtitle_languages", |it| it.playback.subtitle_languages = tags(11)),
    ("playback/subtitle_languages", |it| {
        it.playback.subtitle_languages = vec!["en".to_owned(); 2];
    }),
    ("favourite_genres", |it| it.favourite_genres = genres(21, 2)),
    ("favourite_genres", |it| it.favourite_genres = genres(1, 51)),
    ("favourite_genres", |it| it.favourite_genres = vec!["Drama".to_owned(); 2]),
];

#[test]
fn the_last_good_value_of_each_field_is_accepted() {
    for (row, (field, set)) in GOOD.iter().enumerate() {
        let mut profile = named("Ana");
        set(&mut profile);
        assert_eq!(profile.validate(), Ok(()), "{field}, row {row}");
    }
}

#[test]
fn the_first_bad_value_of_each_field_is_refused_by_name() {
    for (row, (field, set)) in BAD.iter().enumerate() {
        let mut profile = named("Ana");
        set(&mut profile);
        let refused = profile.validate().map_err(|invalid| invalid.field);
        assert_eq!(refused, Err(*field), "row {row}");
    }
}

#[test]
fn a_new_profile_is_valid_and_limited_only_if_a_child_uses_it() {
    assert_eq!(Profile::new("Ana", "en", true).validate(), Ok(()));
    assert!(Profile::new("Ana", "en", true).is_limited());
    assert!(!named("Ana").is_limited());
    assert!(Profile { maturity_max: Maturity::From16, ..named("Ana") }.is_limited());
}

#[test]
fn a_profile_of_the_first_version_is_lifted_to_what_a_new_one_was_then() {
    for kids in [false, true] {
        let old = json!({
            "at_ms": 5,
            "profile": { "name": "Ana", "language": "en", "kids": kids },
        });
        let lifted = lift_from_1(old);
        assert_eq!(lifted["at_ms"], 5);
        let profile: Profile = serde_json::from_value(lifted["profile"].clone()).unwrap();
        assert_eq!(profile, Profile::new("Ana", "en", kids));
    }
}

#[test]
fn a_payload_that_holds_no_profile_is_lifted_to_itself() {
    for payload in [json!(null), json!([1]), json!({}), json!({ "profile": "Ana" })] {
        assert_eq!(lift_from_1(payload.clone()), payload);
    }
}

#[test]
fn a_profile_name_is_a_line_of_1_to_40_characters() {
    let good = ["A", &"a".repeat(40), &"ü".repeat(40), "小明", "Zoë 🦊", "O'Brien, Ana"];
    let bad = ["", " ", " Ana", "Ana ", &"a".repeat(41), &"ü".repeat(41), "A\nB", "A\0", "\u{7f}A"];
    for name in good {
        assert_eq!(named(name).validate(), Ok(()), "{name:?}");
    }
    for name in bad {
        let refused = named(name).validate().unwrap_err();
        assert_eq!(refused.field, "name", "{name:?}");
    }
}

#[test]
fn a_profile_language_is_a_bcp_47_tag() {
    let longest = "de-aaaaaaaa-bbbbbbbb-cccccccc-dddddd";
    let good = ["en", "deu", "pt-BR", "zh-Hant-TW", "es-419", "de-CH-1996", &longest[..35]];
    let bad = [
        "",
        "e",
        "engl",
        "e1",
        "en_US",
        "en-",
        "-en",
        "en--US",
        "en-u",
        "en-ninechars",
        "en US",
        "ën",
        "en-ÜS",
        longest,
    ];
    for language in good {
        let profile = Profile::new("Ana", language, false);
        assert_eq!(profile.validate(), Ok(()), "{language:?}");
    }
    for language in bad {
        let profile = Profile::new("Ana", language, false);
        assert_eq!(profile.validate().unwrap_err().field, "language", "{language:?}");
    }
}
