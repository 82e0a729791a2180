//! A catalogue and queries out of nothing, for a run without any files.

use std::collections::HashMap;

use playhead_search::eval::Query;
use playhead_search::text::{normalize, squash};

use crate::films::Film;

const FILMS: u32 = 10_000;
/// How many films queries are made for.
const TARGETS: u32 = 200;

#[rustfmt::skip]
const QUALITIES: [&str; 24] = [
    "Silent", "Golden", "Last", "Broken", "Hidden", "Burning", "Lonely", "Electric", "Crimson",
    "Forgotten", "Invisible", "Restless", "Midnight", "Savage", "Gentle", "Perfect", "Distant",
    "Reckless", "Velvet", "Wandering", "Scarlet", "Ordinary", "Impossible", "Northern",
];
#[rustfmt::skip]
const THINGS: [&str; 32] = [
    "Harbor", "Witness", "Orchard", "Empire", "Stranger", "Mountain", "Lighthouse", "Promise",
    "Detective", "Carnival", "Winter", "Machine", "Daughter", "Horizon", "Detour", "Kingdom",
    "Letter", "Bridge", "Garden", "Soldier", "Voyage", "Mirror", "Thunder", "Cathedral", "Summer",
    "Railway", "Emperor", "Neighbor", "Painter", "Fortune", "Shadow", "Island",
];
#[rustfmt::skip]
const PLACES: [&str; 16] = [
    "Lisbon", "Arizona", "Havana", "Montreal", "Sicily", "Shanghai", "Brooklyn", "Casablanca",
    "Edinburgh", "Kyoto", "Savannah", "Trieste", "Valparaiso", "Memphis", "Cairo", "Marseille",
];
#[rustfmt::skip]
const FIRST_NAMES: [&str; 20] = [
    "Ada", "Bruno", "Clara", "Dmitri", "Esther", "Felix", "Greta", "Hugo", "Iris", "Jonas", "Karin",
    "Leon", "Marta", "Nils", "Olga", "Pablo", "Rosa", "Simon", "Tilda", "Viktor",
];
#[rustfmt::skip]
const LAST_NAMES: [&str; 20] = [
    "Abbott", "Bergman", "Castellano", "Dubois", "Eriksen", "Fontaine", "Grady", "Holloway",
    "Ivanov", "Jansson", "Kowalski", "Lindqvist", "Moreau", "Novak", "Okafor", "Petrov", "Quinn",
    "Rossi", "Silva", "Tanaka",
];

/// Draws numbers, the same ones each time.
struct Chance(u64);

impl Chance {
    /// Below `end`, which is not 0.
    fn below(&mut self, end: usize) -> usize {
        // SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap_or_default()
    }

    fn one_of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words.get(self.below(words.len())).copied().unwrap_or_default()
    }
}

/// Films, and queries for some of them.
#[must_use]
pub(crate) fn catalogue_and_queries() -> (Vec<Film>, Vec<Query>) {
    let mut chance = Chance(1);
    let films: Vec<Film> = (1..=FILMS).map(|number| film(number, &mut chance)).collect();
    let mut named: HashMap<String, Vec<u32>> = HashMap::new();
    for film in &films {
        named.entry(normalize(&film.title)).or_default().push(film.number);
    }
    let mut queries = vec![];
    for nth in 0..TARGETS {
        // Films with small numbers are the popular ones.
        let (stratum, end) =
            if nth % 2 == 0 { ("popular", FILMS / 50) } else { ("uniform", FILMS) };
        let Some(film) = films.get(chance.below(end as usize)) else { continue };
        let name = normalize(&film.title);
        let relevant = named.get(&name).cloned().unwrap_or_default();
        for (kind, text) in ways(&name, film, &mut chance) {
            queries.push(Query {
                line: queries.len() as u64 + 2,
                stratum: stratum.to_owned(),
                kind: kind.to_owned(),
                text,
                target: film.number,
                relevant: relevant.clone(),
            });
        }
    }
    (films, queries)
}

fn film(number: u32, chance: &mut Chance) -> Film {
    let (quality, thing) = (chance.one_of(&QUALITIES), chance.one_of(&THINGS));
    let (other, place) = (chance.one_of(&THINGS), chance.one_of(&PLACES));
    let title = match chance.below(4) {
        0 => format!("The {quality} {thing}"),
        1 => format!("{thing} of {place}"),
        2 => format!("The {thing} & the {other}"),
        _ => format!("{quality} {thing} in {place}"),
    };
    let name = |chance: &mut Chance| {
        format!("{} {}", chance.one_of(&FIRST_NAMES), chance.one_of(&LAST_NAMES))
    };
    let cast: Vec<String> = (0..4).map(|_| name(chance)).collect();
    let year = u16::try_from(1920 + chance.below(100)).ok();
    let extract = Some(format!(
        "{title} is a film about a {} and a {} in {}.",
        chance.one_of(&THINGS),
        chance.one_of(&THINGS),
        chance.one_of(&PLACES)
    ));
    let genres = vec![chance.one_of(&["Drama", "Comedy", "Thriller", "Western"]).to_owned()];
    Film { number, title, year, cast, genres, extract, votes: 100_000 / number }
}

/// The ways in which people type a title.
fn ways(name: &str, film: &Film, chance: &mut Chance) -> Vec<(&'static str, String)> {
    let letters: Vec<char> = name.chars().collect();
    let first = |count: usize| letters.iter().take(count).collect::<String>();
    let mut misspelt = letters.clone();
    if letters.len() > 3 {
        // Not the first letter, and two neighbours that differ where there are any.
        let at = 1 + chance.below(letters.len() - 2);
        misspelt.swap(at, at + 1);
    }
    let mut reordered: Vec<&str> = name.split(' ').collect();
    reordered.rotate_left(1);
    let actor = film.cast.first().map(String::as_str).unwrap_or_default();
    vec![
        ("exact", name.to_owned()),
        ("typo1", misspelt.into_iter().collect()),
        ("joined", squash(name)),
        ("reordered", reordered.join(" ")),
        ("prefix3", first(3)),
        ("prefix8", first(8)),
        ("title_actor", format!("{name} {}", normalize(actor))),
    ]
}
