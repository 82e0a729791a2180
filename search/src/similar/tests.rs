use playhead_domain::Maturity;
use playhead_domain::entitlement::Viewer;
use playhead_domain::title::CreditRole;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::index::Person;

fn id(number: u128) -> TitleId {
    TitleId(Uuid::from_u128(number))
}

fn film(number: u128, year: u16, genres: &[&str], people: &[&str]) -> Document {
    let person =
        |name: &&str| Person { name: (*name).to_owned(), role: CreditRole::Actor, character: None };
    Document {
        year: Some(year),
        genres: genres.iter().map(|it| (*it).to_owned()).collect(),
        people: people.iter().map(person).collect(),
        ..Document::new(id(number), Kind::Movie, format!("Film {number}"))
    }
}

fn alike(documents: Vec<(Document, u32)>, to: u128) -> Vec<u128> {
    let similar = Similar::build(documents);
    similar.to(id(to), None, 10).into_iter().map(|it| it.0.as_u128()).collect()
}

fn equally_popular(documents: Vec<Document>) -> Vec<(Document, u32)> {
    documents.into_iter().map(|document| (document, 1)).collect()
}

#[test]
fn somebody_rare_says_more_than_somebody_in_everything() {
    let films = vec![
        film(1, 1990, &[], &["Rare", "Busy"]),
        film(2, 1950, &[], &["Busy"]),
        film(3, 1950, &[], &["Busy"]),
        film(4, 1950, &[], &["Rare"]),
        film(5, 1950, &[], &["Busy"]),
        film(6, 1950, &[], &["Nobody"]),
    ];
    assert_eq!(alike(equally_popular(films), 1), [4, 2, 3, 5]);
}

#[test]
fn what_shares_more_is_more_alike() {
    let tagged = |number, tags: &[&str]| Document {
        tags: tags.iter().map(|it| (*it).to_owned()).collect(),
        ..film(number, 1990, &["Drama"], &[])
    };
    let films = vec![
        tagged(1, &["heist", "paris"]),
        tagged(2, &["heist"]),
        tagged(3, &[]),
        tagged(4, &["Heist", "PARIS"]),
        film(5, 1990, &["Comedy"], &[]),
    ];
    assert_eq!(alike(equally_popular(films), 1), [4, 2, 3]);
}

#[test]
fn kind_and_decade_tell_apart_what_is_alike_otherwise() {
    let short = Document { kind: Kind::Short, ..film(2, 1994, &["Noir"], &[]) };
    let films = vec![
        film(1, 1995, &["Noir"], &[]),
        short,
        film(3, 1951, &["Noir"], &[]),
        film(4, 1986, &["Noir"], &[]),
        film(5, 1990, &["Noir"], &[]),
        film(6, 1990, &["Western"], &[]),
    ];
    assert_eq!(alike(equally_popular(films), 1), [5, 4, 2, 3]);
}

#[test]
fn of_equally_alike_ones_the_popular_comes_first_and_then_the_lower_id() {
    let of = |number| film(number, 1990, &["Noir"], &[]);
    let films = vec![(of(1), 0), (of(4), 5), (of(3), 5), (of(2), 1), (of(5), 9)];
    assert_eq!(alike(films.clone(), 1), [5, 3, 4, 2]);
    assert_eq!(alike(films.into_iter().rev().collect(), 1), [5, 3, 4, 2]);
}

#[test]
fn what_the_viewer_may_not_see_is_passed_over() {
    let of = |number, maturity| Document { maturity, ..film(number, 1990, &["Noir"], &[]) };
    let mut films: Vec<(Document, u32)> = (10..600).map(|number| (of(number, None), 9)).collect();
    films.push((of(1, Some(Maturity::All)), 1));
    films.push((of(2, Some(Maturity::All)), 1));
    let viewer = Viewer { territory: None, maturity_max: Maturity::From7 };
    let audience = Audience { viewer, at_ms: 0 };
    assert_eq!(Similar::build(films).to(id(1), Some(&audience), 10), [id(2)]);
}

#[test]
fn nothing_is_like_what_is_not_known_or_shares_nothing() {
    let draft = Document { published: false, ..film(3, 1990, &["Noir"], &[]) };
    let films = vec![film(1, 1990, &["Noir"], &[]), film(2, 1990, &["Western"], &[]), draft];
    assert_eq!(alike(equally_popular(films.clone()), 1), Vec::<u128>::new());
    assert_eq!(alike(equally_popular(films), 3), Vec::<u128>::new());
    assert_eq!(Similar::default().to(id(1), None, 10), []);
}

#[test]
fn an_answer_is_no_longer_than_asked_and_than_its_limit() {
    let films = (0..300).map(|number| (film(number, 1990, &["Noir"], &[]), 1));
    let similar = Similar::build(films);
    assert_eq!(similar.to(id(0), None, 3), [id(1), id(2), id(3)]);
    assert_eq!(similar.to(id(0), None, 1_000).len(), FIRST_MAX);
}

#[test]
fn rarity_is_worth_more_the_fewer_share_it() {
    let worths: Vec<u32> = [2, 10, 100, 1_000, 36_273].map(|it| worth(600, it, 36_273)).to_vec();
    assert!(worths.is_sorted_by(|left, right| left > right), "{worths:?}");
    assert_eq!((worths[0], worths[4]), (600, 0));
    assert_eq!([worth(600, 0, 0), worth(600, 1, 1), worth(600, 1, 2)], [0, 0, 600]);
}

proptest! {
    /// Being bounded must not show where there is less than the bound.
    #[test]
    fn the_most_alike_are_what_comparing_with_every_title_finds(
        drawn in proptest::collection::vec(
            (1930_u16..2020, proptest::collection::vec("[a-d]", 0..3),
             proptest::collection::vec("[p-w]", 0..4), 0_u32..3), 1..40),
    ) {
        let documents: Vec<(Document, u32)> = (0..).zip(drawn).map(|(number, (year, genres, people, votes))| {
            let genres: Vec<&str> = genres.iter().map(String::as_str).collect();
            let people: Vec<&str> = people.iter().map(String::as_str).collect();
            (film(number, year, &genres, &people), votes)
        }).collect();
        let similar = Similar::build(documents);
        for row in &similar.rows {
            let shares = |other: &&Row| {
                other.id != row.id && other.features.iter().any(|it| row.features.contains(it))
            };
            let mut expected: Vec<_> = similar.rows.iter().filter(shares).collect();
            expected.sort_by_key(|other| {
                (Reverse(similar.points(row, other)), Reverse(other.popularity), other.id)
            });
            let expected: Vec<TitleId> = expected.into_iter().map(|it| it.id).collect();
            prop_assert_eq!(similar.to(row.id, None, FIRST_MAX), expected);
        }
    }
}
