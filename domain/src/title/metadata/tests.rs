use uuid::Uuid;

use super::*;

const TITLE: TitleId = TitleId(Uuid::from_u128(0xA));
const NOTHING: Localized = Localized { name: None, synopsis: None, artwork_url: None };

fn movie(name: &str) -> Metadata {
    Metadata::new(Kind::Movie, name)
}

fn text(chars: usize) -> Option<String> {
    Some("ü".repeat(chars))
}

fn credit(name_chars: usize) -> Credit {
    Credit::new("ü".repeat(name_chars), CreditRole::Actor)
}

fn rating(average_tenths: u8) -> Option<AudienceRating> {
    Some(AudienceRating { average_tenths, votes: u32::MAX })
}

fn span(start_ms: u64, end_ms: u64) -> Option<Span> {
    Some(Span { start_ms, end_ms })
}

fn chapter(name_chars: usize, start_ms: u64) -> Chapter {
    Chapter { name: "ü".repeat(name_chars), start_ms }
}

fn named(name: &str) -> Localized {
    Localized { name: Some(name.to_owned()), ..NOTHING }
}

fn german(localized: Localized) -> BTreeMap<LanguageTag, Localized> {
    BTreeMap::from([(tag("de"), localized)])
}

fn tag(text: &str) -> LanguageTag {
    text.parse().unwrap()
}

/// So many languages, each with a name.
fn languages(count: u32) -> BTreeMap<LanguageTag, Localized> {
    (0..count).map(|number| (tag(&format!("de-{number:03}")), named("A"))).collect()
}

/// A field, and a value of it that is set into otherwise good metadata.
type Case = (&'static str, fn(&mut Metadata));

fn lines(count: usize, chars: usize) -> Vec<String> {
    vec!["ü".repeat(chars); count]
}

fn url(chars: usize) -> Option<String> {
    let start = "https://e.example/";
    Some(format!("{start}{}", "a".repeat(chars - start.len())))
}

fn source(catalogue_chars: usize, key_chars: usize) -> Option<Source> {
    Some(Source { catalogue: "ü".repeat(catalogue_chars), key: "ü".repeat(key_chars) })
}

fn pilot() -> Option<EpisodeOf> {
    Some(EpisodeOf { series_id: TITLE, season: 0, number: 1 })
}

/// The last good values on each side of each rule.
const GOOD: &[Case] = &[
    ("name", |it| it.name = "A".to_owned()),
    ("name", |it| it.name = "ü".repeat(500)),
    ("name", |it| it.name = "七人の侍 🎬".to_owned()),
    ("year", |it| it.year = Some(1870)),
    ("year", |it| it.year = Some(2100)),
    ("runtime_ms", |it| it.runtime_ms = Some(1)),
    ("runtime_ms", |it| it.runtime_ms = Some(3_600_000_000)),
    ("credits_start_ms", |it| it.credits_start_ms = Some(0)),
    ("credits_start_ms", |it| it.credits_start_ms = Some(3_600_000_000)),
    ("credits_start_ms", |it| (it.runtime_ms, it.credits_start_ms) = (Some(9), Some(9))),
    ("genres", |it| it.genres = lines(20, 50)),
    ("tags", |it| it.tags = lines(50, 50)),
    ("credits", |it| it.credits = vec![credit(1); 400]),
    ("credits/name", |it| it.credits = vec![credit(200)]),
    ("credits/character", |it| it.credits = vec![Credit { character: text(300), ..credit(1) }]),
    ("credits/key", |it| it.credits = vec![Credit { key: text(100), ..credit(1) }]),
    ("rating/average_tenths", |it| it.rating = rating(0)),
    ("rating/average_tenths", |it| it.rating = rating(100)),
    ("localized", |it| it.localized = languages(100)),
    ("localized/name", |it| it.localized = german(Localized { name: text(500), ..NOTHING })),
    ("localized/synopsis", |it| {
        it.localized = german(Localized { synopsis: text(5_000), ..NOTHING });
    }),
    ("localized/artwork_url", |it| {
        it.localized = german(Localized { artwork_url: url(2_000), ..NOTHING });
    }),
    ("intro", |it| it.intro = span(0, 3_600_000_000)),
    ("intro", |it| (it.runtime_ms, it.intro) = (Some(9), span(8, 9))),
    ("chapters", |it| it.chapters = (0..200).map(|at| chapter(1, at)).collect()),
    ("chapters/name", |it| it.chapters = vec![chapter(200, 0)]),
    ("chapters/start_ms", |it| {
        (it.runtime_ms, it.chapters) = (Some(9), vec![chapter(1, 0), chapter(1, 9)]);
    }),
    ("extra_of", |it| (it.kind, it.extra_of) = (Kind::Extra, Some(TITLE))),
    ("extra_of", |it| (it.kind, it.extra_of) = (Kind::Trailer, Some(TITLE))),
    ("extra_of", |it| (it.kind, it.extra_of) = (Kind::Trailer, None)),
    ("synopsis", |it| it.synopsis = Some(String::new())),
    ("synopsis", |it| it.synopsis = Some("ü".repeat(5_000))),
    ("synopsis", |it| it.synopsis = Some("One.\r\n\tTwo.\n".to_owned())),
    ("artwork_url", |it| it.artwork_url = url(2_000)),
    ("artwork_url", |it| it.artwork_url = Some("http://a".to_owned())),
    ("episode_of", |it| (it.kind, it.episode_of) = (Kind::Episode, pilot())),
    ("episode_of", |it| (it.kind, it.episode_of) = (Kind::Episode, None)),
    ("source", |it| it.source = source(1, 1)),
    ("source", |it| it.source = source(50, 200)),
];

/// The first bad values on each side of each rule.
const BAD: &[Case] = &[
    ("name", |it| it.name = String::new()),
    ("name", |it| it.name = "ü".repeat(501)),
    ("name", |it| it.name = " A".to_owned()),
    ("name", |it| it.name = "A\u{3000}".to_owned()),
    ("name", |it| it.name = "A\nB".to_owned()),
    ("name", |it| it.name = "A\0".to_owned()),
    ("year", |it| it.year = Some(1869)),
    ("year", |it| it.year = Some(2101)),
    ("runtime_ms", |it| it.runtime_ms = Some(0)),
    ("runtime_ms", |it| it.runtime_ms = Some(3_600_000_001)),
    ("credits_start_ms", |it| it.credits_start_ms = Some(3_600_000_001)),
    ("credits_start_ms", |it| (it.runtime_ms, it.credits_start_ms) = (Some(9), Some(10))),
    ("genres", |it| it.genres = lines(21, 1)),
    ("genres", |it| it.genres = lines(1, 51)),
    ("genres", |it| it.genres = lines(1, 0)),
    ("tags", |it| it.tags = lines(51, 1)),
    ("tags", |it| it.tags = lines(1, 51)),
    ("credits", |it| it.credits = vec![credit(1); 401]),
    ("credits/name", |it| it.credits = vec![credit(201)]),
    ("credits/name", |it| it.credits = vec![Credit::new("A\tB", CreditRole::Actor)]),
    ("credits/character", |it| it.credits = vec![Credit { character: text(301), ..credit(1) }]),
    ("credits/character", |it| it.credits = vec![Credit { character: text(0), ..credit(1) }]),
    ("credits/key", |it| it.credits = vec![Credit { key: text(101), ..credit(1) }]),
    ("rating/average_tenths", |it| it.rating = rating(101)),
    ("localized", |it| it.localized = languages(101)),
    ("localized", |it| it.localized = german(NOTHING)),
    ("localized/name", |it| it.localized = german(Localized { name: text(501), ..NOTHING })),
    ("localized/synopsis", |it| {
        it.localized = german(Localized { synopsis: text(5_001), ..NOTHING });
    }),
    ("localized/artwork_url", |it| {
        it.localized = german(Localized { artwork_url: url(2_001), ..NOTHING });
    }),
    ("intro", |it| it.intro = span(9, 9)),
    ("intro", |it| it.intro = span(0, 3_600_000_001)),
    ("intro", |it| (it.runtime_ms, it.intro) = (Some(9), span(8, 10))),
    ("chapters", |it| it.chapters = (0..201).map(|at| chapter(1, at)).collect()),
    ("chapters/name", |it| it.chapters = vec![chapter(0, 0)]),
    ("chapters/name", |it| it.chapters = vec![chapter(201, 0)]),
    ("chapters/start_ms", |it| it.chapters = vec![chapter(1, 5), chapter(1, 5)]),
    ("chapters/start_ms", |it| {
        (it.runtime_ms, it.chapters) = (Some(9), vec![chapter(1, 10)]);
    }),
    ("extra_of", |it| it.extra_of = Some(TITLE)),
    ("synopsis", |it| it.synopsis = Some("A\u{b}B".to_owned())),
    ("metadata", |it| {
        it.localized = languages(100);
        it.localized.values_mut().for_each(|it| it.synopsis = text(2_000));
    }),
    ("synopsis", |it| it.synopsis = Some("ü".repeat(5_001))),
    ("synopsis", |it| it.synopsis = Some("A\0B".to_owned())),
    ("synopsis", |it| it.synopsis = Some("A\u{1b}[1mB".to_owned())),
    ("artwork_url", |it| it.artwork_url = url(2_001)),
    ("artwork_url", |it| it.artwork_url = Some(String::new())),
    ("artwork_url", |it| it.artwork_url = Some("ftp://a".to_owned())),
    ("artwork_url", |it| it.artwork_url = Some("javascript:alert(1)".to_owned())),
    ("artwork_url", |it| it.artwork_url = Some("https://a\nb".to_owned())),
    ("episode_of", |it| it.episode_of = pilot()),
    ("source", |it| it.source = source(0, 1)),
    ("source", |it| it.source = source(51, 1)),
    ("source", |it| it.source = source(1, 0)),
    ("source", |it| it.source = source(1, 201)),
];

#[test]
fn the_last_good_value_of_each_field_is_accepted() {
    for (row, (field, set)) in GOOD.iter().enumerate() {
        let mut metadata = movie("Heat");
        set(&mut metadata);
        assert_eq!(metadata.validate(), Ok(()), "{field}, row {row}");
    }
}

#[test]
fn the_first_bad_value_of_each_field_is_refused_by_name() {
    for (row, (field, set)) in BAD.iter().enumerate() {
        let mut metadata = movie("Heat");
        set(&mut metadata);
        let refused = metadata.validate().map_err(|invalid| invalid.field);
        assert_eq!(refused, Err(*field), "row {row}");
    }
}

/// A film of a language with names in others, and what viewers of some languages see.
#[test]
fn a_name_is_looked_up_by_ever_wider_ranges() {
    let localized = [("de", "Hitze"), ("pt-BR", "Fogo"), ("zh-Hant", "盜火線"), ("en-GB", "Heat!")];
    let localized = localized.map(|(language, name)| (tag(language), named(name)));
    let mut title = Metadata { localized: localized.into(), ..movie("Heat") };
    title.original_language = Some(tag("en-US"));
    for (asked, seen) in [
        (&["de"][..], "Hitze"),
        (&["de-AT"], "Hitze"),
        (&["pt"], "Fogo"),
        (&["pt-PT"], "Fogo"),
        (&["zh-Hant-TW"], "盜火線"),
        (&["en-GB"], "Heat!"),
        (&["en"], "Heat"),
        (&["en-AU"], "Heat"),
        (&["fr"], "Heat"),
        (&["fr", "de"], "Hitze"),
        (&["en", "de"], "Heat"),
        (&[], "Heat"),
    ] {
        let asked: Vec<_> = asked.iter().map(|text| tag(text)).collect();
        assert_eq!(title.name_in(&asked), seen, "{asked:?}");
    }
}

#[test]
fn what_a_language_lacks_is_as_in_the_next_one() {
    let german = Localized { artwork_url: Some("https://a/de".to_owned()), ..named("Hitze") };
    let swiss = Localized { synopsis: Some("Züri".to_owned()), ..NOTHING };
    let localized = BTreeMap::from([(tag("de"), german), (tag("de-CH"), swiss)]);
    let title = Metadata { localized, synopsis: Some("LA".to_owned()), ..movie("Heat") };
    let asked = [tag("de-CH")];
    assert_eq!(title.name_in(&asked), "Hitze");
    assert_eq!(title.synopsis_in(&asked), Some("Züri"));
    assert_eq!(title.artwork_url_in(&asked), Some("https://a/de"));
    assert_eq!(title.synopsis_in(&[tag("fr")]), Some("LA"));
    assert_eq!(title.artwork_url_in(&[tag("fr")]), None);
}

#[test]
fn directors_and_cast_are_credits_of_their_roles() {
    let mut title = movie("Heat");
    title.credits = Credit::of(["Mann".to_owned()], ["Pacino".to_owned(), "De Niro".to_owned()]);
    title.credits.push(Credit::new("Spinotti", CreditRole::Cinematographer));
    title.credits.push(Credit::new("Himself", CreditRole::Appearance));
    assert_eq!(title.directors().collect::<Vec<_>>(), ["Mann"]);
    assert_eq!(title.cast().collect::<Vec<_>>(), ["Pacino", "De Niro", "Himself"]);
}
