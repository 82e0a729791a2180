use std::collections::HashMap;

use playhead_domain::availability::{Availability, Window};
use playhead_domain::entitlement::Viewer;
use playhead_domain::ids::TitleId;
use playhead_domain::maturity::Maturity;
use playhead_domain::title::{CreditRole, Kind};
use uuid::Uuid;

use super::*;
use crate::index::{Document, Index, LocalName, Options, Person};
use crate::popularity::Popularity;

mod scripts;

/// A catalogue whose titles are numbered from 1, each less popular than the one before.
struct Catalogue {
    index: Index,
    titles: Vec<Document>,
}

fn id(number: usize) -> TitleId {
    TitleId(Uuid::from_u128(number as u128))
}

fn film(name: &str) -> Document {
    Document::new(id(0), Kind::Movie, name)
}

fn with_people(name: &str, people: &[&str]) -> Document {
    let person =
        |name: &&str| Person { name: (*name).to_owned(), role: CreditRole::Actor, character: None };
    Document { people: people.iter().map(person).collect(), ..film(name) }
}

impl Catalogue {
    fn of(titles: impl IntoIterator<Item = Document>) -> Self {
        Self::committed_every(1_000, titles)
    }

    fn committed_every(count: usize, titles: impl IntoIterator<Item = Document>) -> Self {
        let index = Index::in_memory(Options::default()).unwrap();
        let titles: Vec<Document> = titles
            .into_iter()
            .enumerate()
            .map(|(at, title)| Document { title_id: id(at + 1), ..title })
            .collect();
        for some in titles.chunks(count) {
            some.iter().for_each(|title| index.put(title).unwrap());
            index.commit("{}").unwrap();
        }
        let plays = (1..=titles.len()).map(|it| (id(it), 1_000 - u32::try_from(it).unwrap()));
        index.set_popularity(Popularity::new(plays.collect::<HashMap<_, _>>())).unwrap();
        Self { index, titles }
    }

    fn answer(&self, request: &Request) -> Answer {
        self.index.snapshot().search(request).unwrap()
    }

    fn names_of(&self, answer: &Answer) -> Vec<&str> {
        let name = |hit: &Hit| {
            let title = self.titles.iter().find(|it| it.title_id == hit.title_id);
            title.unwrap().name.as_str()
        };
        answer.hits.iter().map(name).collect()
    }

    fn find(&self, text: &str) -> Vec<&str> {
        self.names_of(&self.answer(&Request::new(text)))
    }

    fn tier(&self, text: &str) -> Option<Tier> {
        self.answer(&Request::new(text)).hits.first().map(|hit| hit.tier)
    }
}

#[test]
fn whole_names_come_before_beginnings_and_those_before_words() {
    let catalogue = Catalogue::of([
        film("My Stepmother is an Alien"),
        film("Alien Resurrection"),
        film("Alien"),
    ]);
    let expected = ["Alien", "Alien Resurrection", "My Stepmother is an Alien"];
    assert_eq!(catalogue.find("alien"), expected);
}

#[test]
fn who_is_called_so_comes_before_words_of_several_people() {
    let catalogue = Catalogue::of([
        with_people("W.", &["Tom Kemp", "Colin Hanks"]),
        with_people("Cast Away", &["Helen Hunt", "Tom Hanks"]),
        with_people("Big", &["Tom Hanks"]),
    ]);
    assert_eq!(catalogue.find("tom hanks"), ["Cast Away", "Big", "W."]);
    assert_eq!(catalogue.find("tom han"), ["W.", "Cast Away", "Big"], "popularity decides");
}

#[test]
fn each_tier_is_reached_by_its_kind_of_query() {
    let catalogue = Catalogue::of([
        Document {
            synopsis: Some("A heist in the desert.".into()),
            year: Some(1999),
            ..with_people("The Matrix Reloaded", &["Keanu Reeves", "Laurence Fishburne"])
        },
        film("Friday the 13th Part II"),
        film("Ghostbusters"),
    ]);
    for (text, tier) in [
        ("the matrix reloaded", Tier::Whole),
        ("thematrixreloaded", Tier::Whole),
        ("the matrix reloaded 1999", Tier::Whole),
        ("friday the 13th part 2", Tier::Whole),
        ("friday the 13th part two", Tier::Whole),
        ("reloaded matrix", Tier::SameWords),
        ("part 2 friday 13th", Tier::SameWords),
        ("the mat", Tier::Prefix),
        ("matrix rel", Tier::BarePrefix),
        ("matrix keanu reeves", Tier::NameAndPerson),
        ("keanu reeves matrix", Tier::NameAndPerson),
        ("reloaded", Tier::NameWords),
        ("fishburne", Tier::PeopleWords),
        ("the matrix relaoded", Tier::WholeOneEdit),
        ("desert heists", Tier::Words),
        ("the matirx rel", Tier::PrefixOneEdit),
        ("thew matrix relaoded", Tier::WholeTwoEdits),
        ("ghozdbusders", Tier::Similar),
        ("reloded matrx", Tier::WordsEdited),
        ("matrix unheardof", Tier::SomeWords),
    ] {
        assert_eq!(catalogue.tier(text), Some(tier), "{text}");
    }
}

#[test]
fn within_a_tier_the_more_popular_comes_first() {
    let catalogue = Catalogue::of([film("Spider-Man"), film("Spiderwick"), film("The Spider")]);
    assert_eq!(catalogue.find("spide"), ["Spider-Man", "Spiderwick", "The Spider"]);
}

#[test]
fn one_more_popular_title_comes_before_what_is_called_by_its_first_word() {
    let expected = "Escape from New York";
    let catalogue = Catalogue::of([film(expected), film("Escape from Alcatraz"), film("Escape")]);
    let order = |text, wanted: u32, whole: u32| {
        let plays = [(id(1), wanted), (id(3), whole)].into_iter().collect();
        catalogue.index.set_popularity(Popularity::new(plays)).unwrap();
        catalogue.find(text)[..2].to_vec()
    };
    for text in ["escape", "escpae"] {
        assert_eq!(order(text, 149, 99), [expected, "Escape"]);
        assert_eq!(order(text, 148, 99), ["Escape", expected]);
    }
}

#[test]
fn short_words_are_not_corrected_and_long_ones_twice() {
    let catalogue = Catalogue::of([with_people("Zardoz", &["Max Abernathy"])]);
    assert_eq!(catalogue.find("zardoz mix"), ["Zardoz"]);
    assert_eq!(catalogue.tier("zardoz mix"), Some(Tier::SomeWords));
    assert_eq!(catalogue.tier("zardoz abrenahty max"), Some(Tier::WordsEdited));
}

#[test]
fn what_was_meant_is_said_if_the_text_was_corrected() {
    let catalogue = Catalogue::of([film("Ghostbusters")]);
    let meant = |text: &str| catalogue.answer(&Request::new(text)).did_you_mean;
    assert_eq!(meant("gohstbusters").as_deref(), Some("Ghostbusters"));
    assert_eq!(meant("ghostbusters"), None);
    assert_eq!(meant("ghost"), None);
}

#[test]
fn filters_and_facets_are_about_all_that_match() {
    let make = |name: &str, year, genre: &str, rating| Document {
        year: Some(year),
        genres: vec![genre.into()],
        rating_tenths: Some(rating),
        language: Some("pt-BR".into()),
        ..film(name)
    };
    let catalogue = Catalogue::of([
        make("War One", 1991, "Drama", 70),
        make("War Two", 1995, "Comedy", 50),
        make("War Three", 2003, "Drama", 90),
        film("Peace"),
    ]);
    let search = |filters: Filters| {
        catalogue.answer(&Request { filters, facets: true, first: 1, ..Request::new("war") })
    };
    let all = search(Filters::default());
    assert_eq!((all.hits.len(), all.total), (1, 3));
    let facets = all.facets.unwrap();
    assert_eq!(facets.genres, [("Drama".to_owned(), 2), ("Comedy".to_owned(), 1)]);
    assert_eq!(facets.decades, [(1990, 2), (2000, 1)]);
    assert_eq!(facets.kinds, [(Kind::Movie, 3)]);
    let total = |filters| search(filters).total;
    let any = Filters::default;
    assert_eq!(total(Filters { genres: vec!["drama".into()], ..any() }), 2);
    assert_eq!(total(Filters { years: Some(1994..=2000), ..any() }), 1);
    assert_eq!(total(Filters { decades: vec![1990], ..any() }), 2);
    assert_eq!(total(Filters { rating_min_tenths: Some(70), ..any() }), 2);
    assert_eq!(total(Filters { kinds: vec![Kind::Series], ..any() }), 0);
    assert_eq!(total(Filters { languages: vec!["pt".into()], ..any() }), 3);
    assert_eq!(total(Filters { languages: vec!["p".into()], ..any() }), 0);
}

#[test]
fn nobody_finds_what_they_may_not_see() {
    let later = Window { territories: None, from_ms: 100, until_ms: None };
    let availability = Availability { windows: vec![later], blocked_territories: vec![] };
    let rated = |name: &str, maturity| Document { maturity: Some(maturity), ..film(name) };
    let catalogue = Catalogue::of([
        rated("Dark Adults", Maturity::From18),
        Document { availability: Some(availability), ..rated("Dark Later", Maturity::All) },
        Document { published: false, ..rated("Dark Draft", Maturity::All) },
        rated("Dark Now", Maturity::All),
    ]);
    let find = |maturity_max, at_ms| {
        let viewer = Viewer { territory: None, maturity_max };
        let audience = Some(Audience { viewer, at_ms });
        let answer = catalogue.answer(&Request { audience, ..Request::new("dark") });
        assert_eq!(answer.total, answer.hits.len());
        catalogue.names_of(&answer).join(", ")
    };
    assert_eq!(find(Maturity::All, 99), "Dark Now");
    assert_eq!(find(Maturity::All, 100), "Dark Later, Dark Now");
    assert_eq!(find(Maturity::From18, 100), "Dark Adults, Dark Later, Dark Now");
}

#[test]
fn highlights_are_in_the_text_as_it_is_shown() {
    let catalogue = Catalogue::of([Document {
        synopsis: Some("Amélie runs through Paris.".into()),
        ..with_people("L'Été de Amélie", &["Audrey Tautou"])
    }]);
    let shown = |text: &str| -> Vec<String> {
        let answer = catalogue.answer(&Request { highlights: true, ..Request::new(text) });
        let highlights = answer.hits.iter().flat_map(|hit| &hit.highlights);
        highlights
            .flat_map(|it| it.ranges.iter().map(|range| it.text[range.clone()].to_owned()))
            .collect()
    };
    assert_eq!(shown("amelie"), ["Amélie", "Amélie"]);
    assert_eq!(shown("lete de amelie"), ["L'Été", "de", "Amélie", "Amélie"]);
    assert_eq!(shown("amelie run"), ["Amélie", "Amélie", "runs"]);
    assert_eq!(shown("audrey tautuo"), ["Audrey", "Tautou"]);
}

#[test]
fn taste_reorders_but_a_whole_name_stays_first() {
    let of = |name: &str, genre: &str| Document { genres: vec![genre.into()], ..film(name) };
    let catalogue =
        Catalogue::of([of("Heat Wave", "Comedy"), of("Heat Haze", "Crime"), of("Heat", "Comedy")]);
    let taste = Taste { genres: [("Crime".to_owned(), 1.0)].into() };
    let answer = catalogue.answer(&Request { taste: Some(taste), ..Request::new("heat") });
    assert_eq!(catalogue.names_of(&answer), ["Heat", "Heat Haze", "Heat Wave"]);
    assert_eq!(catalogue.find("heat"), ["Heat", "Heat Wave", "Heat Haze"]);
}

#[test]
fn the_answer_does_not_depend_on_segments_and_deletes() {
    let names = ["Moon", "Moonlight", "The Moon", "Over the Moon", "Mooon", "Noon", "Moonlit"];
    let titles = || (0..60).map(|at| film(&format!("{} {}", names[at % 7], at / 7)));
    let whole = Catalogue::of(titles());
    let pieces = Catalogue::committed_every(7, titles());
    for title in &pieces.titles {
        pieces.index.put(title).unwrap();
    }
    pieces.index.put(&Document::new(id(99), Kind::Movie, "Moon Gone")).unwrap();
    pieces.index.commit("{}").unwrap();
    pieces.index.remove(id(99));
    pieces.index.commit("{}").unwrap();
    for text in ["moon", "moon 3", "mooon", "moonlihgt 4", "moo", "over moon", "xyzzy moon"] {
        let answer = |it: &Catalogue| {
            let found = it.answer(&Request { first: 60, ..Request::new(text) });
            (found.hits, found.total, found.did_you_mean)
        };
        assert_eq!(answer(&whole), answer(&pieces), "{text}");
    }
}

#[test]
fn pages_join_without_gap_or_overlap() {
    let catalogue = Catalogue::of((0..250).map(|at| film(&format!("Night {at}"))));
    let page = |offset, first| {
        let answer = catalogue.answer(&Request { offset, first, ..Request::new("night") });
        answer.hits.into_iter().map(|hit| hit.title_id).collect::<Vec<_>>()
    };
    let joined: Vec<_> = (0..3).flat_map(|at| page(at * 100, 100)).collect();
    assert_eq!(joined, (1..=250).map(id).collect::<Vec<_>>());
}

#[test]
fn bad_input_gets_an_answer_or_an_error_that_names_the_field() {
    let catalogue = Catalogue::of([film("Alien"), film("The Who"), film("$")]);
    let snapshot = catalogue.index.snapshot();
    for text in [
        "",
        "   ",
        "\u{0}\u{1}\u{7f}",
        "\"",
        "((",
        "'",
        "&",
        "the of and",
        "AND OR NOT",
        "*",
        "\u{202e}",
        "🎬",
    ] {
        assert!(snapshot.search(&Request::new(text)).is_ok(), "{text:?}");
    }
    assert_eq!(catalogue.find(""), [""; 0]);
    assert_eq!(catalogue.find("$"), ["$"]);
    assert_eq!(catalogue.find("\"alien"), ["Alien"]);
    assert_eq!(catalogue.find("the who"), ["The Who"]);
    let many = Filters { genres: vec![String::new(); 51], ..Filters::default() };
    let decades = Filters { decades: vec![1991], ..Filters::default() };
    let bad = [
        (Request::new("x".repeat(201)), "text"),
        (Request::new("x".repeat(10_000)), "text"),
        (Request { first: 0, ..Request::new("x") }, "first"),
        (Request { first: 102, ..Request::new("x") }, "first"),
        (Request { offset: 1_001, ..Request::new("x") }, "after"),
        (Request { filters: many, ..Request::new("x") }, "filters/genres"),
        (Request { filters: decades, ..Request::new("x") }, "filters/decades"),
    ];
    for (request, named) in bad {
        let refused = snapshot.search(&request);
        assert!(matches!(refused, Err(Error::Invalid { field, .. }) if field == named), "{named}");
    }
}

#[test]
fn a_commit_keeps_its_payload_and_a_rollback_forgets() {
    let catalogue = Catalogue::of([film("Alien")]);
    catalogue.index.put(&Document::new(id(2), Kind::Movie, "Aliens")).unwrap();
    catalogue.index.rollback().unwrap();
    catalogue.index.commit("seven").unwrap();
    assert_eq!(catalogue.index.payload().unwrap().as_deref(), Some("seven"));
    assert_eq!(catalogue.find("alien"), ["Alien"]);
    let snapshot = catalogue.index.snapshot();
    assert_eq!(snapshot.get(id(1)).unwrap().as_ref(), catalogue.titles.first());
    assert_eq!(snapshot.get(id(2)).unwrap(), None);
}

fn local(language: &str, name: &str) -> LocalName {
    LocalName { language: language.into(), name: Some(name.into()), synopsis: None }
}
