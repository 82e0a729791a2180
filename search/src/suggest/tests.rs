use playhead_domain::Maturity;
use playhead_domain::availability::{Availability, Window};
use playhead_domain::entitlement::Viewer;
use playhead_domain::title::{CreditRole, Kind};
use proptest::prelude::*;
use uuid::Uuid;

use super::edits::tests::{begins_firmly, fewest_edits};
use super::*;
use crate::index::{Document, LocalName, Person};
use crate::text::normalize;

fn id(number: usize) -> TitleId {
    TitleId(Uuid::from_u128(u128::try_from(number).unwrap()))
}

fn film(number: usize, name: &str) -> Document {
    Document::new(id(number), Kind::Movie, name)
}

fn with_people(number: usize, name: &str, people: &[&str]) -> Document {
    let person =
        |name: &&str| Person { name: (*name).to_owned(), role: CreditRole::Actor, character: None };
    Document { people: people.iter().map(person).collect(), ..film(number, name) }
}

/// The first film is the most popular.
fn suggester(films: Vec<Document>) -> Suggester {
    let votes = (1..=u32::try_from(films.len()).unwrap()).rev().map(|it| it * 1_000);
    Suggester::build(films.into_iter().zip(votes).collect::<Vec<_>>()).unwrap()
}

fn named(names: &[&str]) -> Suggester {
    suggester(names.iter().enumerate().map(|(number, name)| film(number, name)).collect())
}

fn texts(suggester: &Suggester, input: &str) -> Vec<String> {
    let found = suggester.suggest(input, None, SUGGESTIONS_MAX).unwrap();
    found.into_iter().map(|it| it.text).collect()
}

/// What is suggested, with brackets around what was typed.
fn marked(suggester: &Suggester, input: &str) -> Vec<String> {
    let mark = |it: Suggestion| {
        let (before, rest) = it.text.split_at(it.matched.start);
        let (matched, after) = rest.split_at(it.matched.len());
        format!("{before}[{matched}]{after}")
    };
    let found = suggester.suggest(input, None, SUGGESTIONS_MAX).unwrap();
    found.into_iter().map(mark).collect()
}

fn audience(maturity_max: Maturity, territory: &str, at_ms: i64) -> Audience {
    Audience { viewer: Viewer { territory: territory.parse().ok(), maturity_max }, at_ms }
}

fn texts_for(suggester: &Suggester, input: &str, audience: Audience) -> Vec<String> {
    let found = suggester.suggest(input, Some(&audience), SUGGESTIONS_MAX).unwrap();
    found.into_iter().map(|it| it.text).collect()
}

#[test]
fn what_begins_so_comes_in_the_order_of_popularity() {
    let suggester = named(&["Star Wars", "Heat", "Stardust", "Star"]);
    assert_eq!(texts(&suggester, "sta"), ["Star Wars", "Stardust", "Star"]);
    assert_eq!(texts(&suggester, "STAR W"), ["Star Wars"]);
    assert_eq!(texts(&suggester, "xy"), Vec::<String>::new());
}

#[test]
fn a_space_says_that_the_word_is_complete() {
    let suggester = named(&["Stardust", "Star Wars"]);
    assert_eq!(texts(&suggester, "star"), ["Stardust", "Star Wars"]);
    assert_eq!(texts(&suggester, "star "), ["Star Wars", "Stardust"], "the space may be a typo");
}

#[test]
fn a_word_within_a_title_is_found_but_counts_for_less() {
    let suggester = Suggester::build([
        (film(1, "Madagascar Lion"), 9_000),
        (film(2, "The Lion King"), 9_000),
        (film(3, "Lion"), 2_000),
        (film(4, "Lioness"), 1_000),
        (film(5, "Sea Lion"), 17_000),
    ]);
    let expected = ["The [Lion] King", "[Lion]", "Sea [Lion]", "[Lion]ess", "Madagascar [Lion]"];
    assert_eq!(marked(&suggester.unwrap(), "lion"), expected);
}

#[test]
fn typos_come_behind_what_begins_exactly_so() {
    let suggester = named(&["The Matrix", "Marx", "Matrimony", "Mattress"]);
    assert_eq!(marked(&suggester, "matr"), ["[Matr]imony", "The [Matr]ix", "[Mar]x", "[Mattr]ess"]);
    assert_eq!(marked(&suggester, "the matirx"), ["[The Matrix]"]);
}

#[test]
fn short_inputs_forgive_nothing_and_long_ones_two_edits() {
    let suggester = named(&["Inception", "Heat"]);
    for (input, found) in [
        ("het", 0),
        ("haet", 1),
        ("imceptiom", 1),
        ("imceptoim", 0),
        ("inxextion", 1),
        ("inxxt", 0),
    ] {
        assert_eq!(texts(&suggester, input).len(), found, "{input}");
    }
}

#[test]
fn two_edits_are_forgiven_only_where_nothing_else_is_found() {
    let suggester = named(&["Conception", "Inception"]);
    assert_eq!(texts(&suggester, "inception"), ["Inception"]);
    assert_eq!(texts(&suggester, "onceptoin"), ["Conception", "Inception"]);
}

#[test]
fn people_and_genres_stand_among_titles_but_do_not_crowd_them_out() {
    let all = ["Tom Hanks", "Tom Cruise", "Tom Hardy", "Tom Holland", "Tommy Lee Jones"];
    let mut films: Vec<Document> =
        (0..8).map(|number| with_people(number, &format!("Tomorrow {number}"), &all)).collect();
    films.push(Document { genres: vec!["Tomfoolery".to_owned()], ..film(9, "Zero") });
    let suggester = suggester(films);
    let found = suggester.suggest("tom", None, 10).unwrap();
    let people = found.iter().filter(|it| it.target == Target::Person).count();
    assert_eq!((found.len(), people), (10, 3));
    let hanks = suggester.suggest("hanks", None, 10).unwrap();
    assert_eq!((&*hanks[0].text, hanks[0].target), ("Tom Hanks", Target::Person));
    let genre = suggester.suggest("tomf", None, 10).unwrap();
    assert_eq!((&*genre[0].text, genre[0].target), ("Tomfoolery", Target::Genre));
    let found = texts(&suggester, "tom h");
    assert_eq!(
        found[..3],
        ["Tom Hanks", "Tom Hardy", "Tom Holland"],
        "with no titles, all are told"
    );
}

#[test]
fn where_there_is_room_people_beyond_their_share_are_told() {
    let names: Vec<String> = (0..9).map(|number| format!("Abel {number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let suggester = suggester(vec![with_people(0, "Abel and Cain", &names)]);
    assert_eq!(texts(&suggester, "abel").len(), 10);
}

#[test]
fn a_title_is_suggested_once_and_by_the_name_that_was_typed() {
    let localized = vec![
        LocalName { language: "fr".into(), name: Some("Amélie Poulain".into()), synopsis: None },
        LocalName {
            language: "de".into(),
            name: Some("Die fabelhafte Welt".into()),
            synopsis: None,
        },
    ];
    let suggester = suggester(vec![Document { localized, ..film(1, "Amélie") }]);
    assert_eq!(marked(&suggester, "ame"), ["[Amé]lie"]);
    assert_eq!(marked(&suggester, "amelie p"), ["[Amélie P]oulain"]);
    assert_eq!(marked(&suggester, "fabel"), ["Die [fabel]hafte Welt"]);
}

#[test]
fn titles_in_all_scripts_are_completed() {
    let suggester = named(&[
        "七人の侍",
        "となりのトトロ",
        "기생충",
        "올드 보이",
        "องค์บาก",
        "وجدة",
        "Ζορμπάς",
        "İstanbul",
        "Über uns",
        "🎬 Action",
        "霸王别姬",
        "Война и мир",
    ]);
    let cases = [
        ("七", "七人の侍"),
        ("侍", "七人の侍"),
        ("とな", "となりのトトロ"),
        ("トト", "となりのトトロ"),
        ("기", "기생충"),
        ("올드", "올드 보이"),
        ("보", "올드 보이"),
        ("องค์", "องค์บาก"),
        ("وج", "وجدة"),
        ("ζορ", "Ζορμπάς"),
        ("ist", "İstanbul"),
        ("uber", "Über uns"),
        ("🎬", "🎬 Action"),
        ("王别", "霸王别姬"),
        ("мир", "Война и мир"),
    ];
    for (input, expected) in cases {
        assert_eq!(texts(&suggester, input).first().map(String::as_str), Some(expected), "{input}");
    }
}

#[test]
fn nothing_is_suggested_that_the_viewer_may_not_see() {
    let everyone = Some(Maturity::All);
    let only = |territory: &str, from_ms| {
        let territories = Some(vec![territory.parse().unwrap()]);
        let windows = vec![Window { territories, from_ms, until_ms: Some(from_ms + 100) }];
        Some(Availability { windows, blocked_territories: vec![] })
    };
    let adult = Document { genres: vec!["Gore".into()], ..with_people(1, "Gone Girl", &["Gona"]) };
    let german =
        Document { maturity: everyone, availability: only("DE", 100), ..film(2, "Good Bye") };
    let family = Document { maturity: everyone, ..with_people(3, "Goofy", &["Goran"]) };
    let suggester = suggester(vec![adult, german, family]);
    let child = |territory, at_ms| audience(Maturity::All, territory, at_ms);
    assert_eq!(texts_for(&suggester, "go", child("US", 150)), ["Goofy", "Goran"]);
    assert_eq!(texts_for(&suggester, "go", child("DE", 150)), ["Good Bye", "Goofy", "Goran"]);
    assert_eq!(texts_for(&suggester, "go", child("DE", 200)), ["Goofy", "Goran"]);
    let grown = texts_for(&suggester, "go", audience(Maturity::From18, "US", 150));
    assert_eq!(grown, ["Gone Girl", "Goofy", "Gona", "Goran", "Gore"]);
}

#[test]
fn drafts_and_parts_of_other_titles_are_not_suggested() {
    let suggester = suggester(vec![
        Document { published: false, ..film(1, "Gone") },
        Document { kind: Kind::Episode, ..film(2, "Good") },
        film(3, "Goofy"),
    ]);
    assert_eq!(texts(&suggester, "go"), ["Goofy"]);
    assert_eq!(suggester.titles(), 1);
}

#[test]
fn titles_of_one_name_are_all_suggested_with_their_years() {
    let of = |number, year| Document { year: Some(year), ..film(number, "Madame Bovary") };
    let suggester = suggester(vec![of(1, 1949), of(2, 1991)]);
    let found = suggester.suggest("madame", None, 10).unwrap();
    let years = found.into_iter().map(|it| match it.target {
        Target::Title { id, year } => (id, year),
        other => panic!("{other:?}"),
    });
    assert_eq!(years.collect::<Vec<_>>(), [(id(1), Some(1949)), (id(2), Some(1991))]);
}

#[test]
fn an_input_of_nothing_suggests_nothing_and_a_long_one_is_refused() {
    let suggester = named(&["Heat", "$"]);
    for nothing in ["", "   ", "\u{0}", "!?", "\u{200b}"] {
        assert!(texts(&suggester, nothing).len() <= 1, "{nothing:?}");
    }
    assert_eq!(texts(&suggester, "$"), ["$"]);
    assert!(suggester.suggest(&"é".repeat(100), None, 10).is_ok());
    for long in ["e".repeat(101), "é".repeat(5_000), "🎬".repeat(101)] {
        let refused = suggester.suggest(&long, None, 10).unwrap_err();
        assert_eq!(refused.to_string(), "text: at most 100 characters");
    }
    assert_eq!(suggester.suggest("heat", None, 0).unwrap(), []);
}

#[test]
fn without_titles_nothing_is_suggested() {
    assert_eq!(texts(&Suggester::empty().unwrap(), "heat"), Vec::<String>::new());
}

#[test]
fn the_same_documents_in_another_order_suggest_the_same() {
    let films = || (0..50).map(|number| (film(number, &format!("Star {}", number % 7)), 5));
    let forward = Suggester::build(films()).unwrap().suggest("star", None, 10).unwrap();
    let backward = Suggester::build(films().rev()).unwrap().suggest("star", None, 10).unwrap();
    assert_eq!(forward, backward);
}

/// What should be suggested, by looking at every word of every title.
fn scanned(names: &[String], votes: &[u32], input: &str) -> Vec<(TitleId, u8)> {
    let budget = edits::budget(input.chars().count());
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by_key(|number| (std::cmp::Reverse(votes[*number]), *number));
    let mut found = vec![];
    for (place, number) in order.into_iter().enumerate() {
        let normal = normalize(&names[number]);
        let matches = keys::starts(&names[number]).into_iter().filter_map(|start| {
            let key = keys::key(&normal, start.offset);
            let edits = fewest_edits(input, key);
            let begins = edits == 0 || edits == 1 || begins_firmly(input, key);
            let edits = u8::try_from(edits).ok().filter(|edits| begins && *edits <= budget)?;
            let weight = match start.behind {
                keys::Behind::Nothing => votes[number],
                keys::Behind::Article => votes[number] / 4,
                keys::Behind::Words => votes[number] / 16,
            };
            Some((edits, std::cmp::Reverse(weight), start.offset, normal.len(), place))
        });
        found.extend(matches.min().map(|best| (best, id(number))));
    }
    found.sort();
    let nearest = found.first().map_or(0, |(best, _)| best.0).max(1);
    found.into_iter().filter(|(best, _)| best.0 <= nearest).map(|(best, id)| (id, best.0)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn the_walk_finds_what_looking_at_every_title_finds(
        films in proptest::collection::vec(("(the )?[abé]{1,6}( [abé]{1,4}){0,2}", 0_u32..40), 1..10),
        input in "[abe]{1,5}( [abe]{1,5})?",
    ) {
        let (names, votes): (Vec<String>, Vec<u32>) = films.into_iter().unzip();
        let documents = names.iter().enumerate().map(|(number, name)| film(number, name));
        let suggester = Suggester::build(documents.zip(votes.iter().copied())).unwrap();
        let found = suggester.suggest(&input, None, SUGGESTIONS_MAX).unwrap();
        let found: Vec<_> = found
            .into_iter()
            .map(|it| match it.target {
                Target::Title { id, .. } => (id, it.edits),
                other => panic!("{other:?}"),
            })
            .collect();
        prop_assert_eq!(found, scanned(&names, &votes, &input));
    }

    #[test]
    fn what_is_marked_begins_like_the_input_within_the_budget(
        names in proptest::collection::vec("[ab&' -]{1,8}|[あ七é]{1,5}", 1..12),
        input in "[ab&' ]{1,9}|[あ七e]{1,4}",
    ) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let typed = keys::typed(&input);
        let budget = edits::budget(typed.chars().count());
        for it in named(&names).suggest(&input, None, SUGGESTIONS_MAX).unwrap() {
            prop_assert!(it.edits <= budget);
            prop_assert!(it.text.get(it.matched.clone()).is_some(), "{:?}", it);
            let behind = normalize(&it.text[it.matched.start..]);
            prop_assert!(fewest_edits(&typed, &behind) <= usize::from(it.edits) + 1, "{:?} {:?}", it, typed);
        }
    }

    #[test]
    fn no_input_is_too_strange(input in "\\PC{0,40}|[\\x00-\\x7f]{0,40}") {
        let suggester = named(&["Heat", "七人の侍", "$", "¿Qué?", "½ Life"]);
        prop_assert!(suggester.suggest(&input, None, SUGGESTIONS_MAX).is_ok());
    }
}
