//! Made-up data of about the size of real catalogues.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

const FILMS: usize = 36_000;
const USERS: usize = 600;
const RATINGS_PER_USER: usize = 165;
const SYLLABLES: [&str; 16] = [
    "ba", "chel", "dor", "en", "fi", "gra", "ho", "is", "ka", "lun", "mor", "ne", "os", "pa", "ri",
    "tu",
];

/// A file of films.
pub(crate) fn films(dir: &Path) -> PathBuf {
    let film = |number: usize| {
        json!({
            "title": name(number),
            "year": 1900 + number % 125,
            "cast": cast(number),
            "genres": ["Drama", "Science Fiction"],
            "href": format!("Film_{number}"),
            "extract": "In a city of the far future the son of its ruler falls in love. ".repeat(6),
            "thumbnail": "https://example.org/posters/film.jpg",
        })
    };
    let films: Vec<Value> = (0..FILMS).map(film).collect();
    let path = dir.join("movies-sample.json");
    fs::write(&path, serde_json::to_string(&films).unwrap()).unwrap();
    path
}

/// A name such as films have; some have the same.
fn name(number: usize) -> String {
    let [one, other] = [number, number * 31 + 7].map(word);
    match number % 4 {
        0 => format!("The {one} of {other}"),
        1 => format!("{one} {other}"),
        2 => format!("{one} and the {other}"),
        _ => one,
    }
}

fn cast(number: usize) -> [String; 4] {
    [0, 1, 2, 3].map(|nth| format!("{} {}", word(number * 4 + nth), word(number % 90 + nth)))
}

/// One of 4,096 words.
fn word(seed: usize) -> String {
    let mixed = (seed * 2_654_435_761) >> 7;
    let word: String = [0, 4, 8].map(|bits| SYLLABLES[(mixed >> bits) & 15]).concat();
    word[..1].to_uppercase() + &word[1..]
}

/// A folder of ratings.
pub(crate) fn movielens(dir: &Path) -> PathBuf {
    let folder = dir.join("movielens");
    fs::create_dir(&folder).unwrap();
    let mut movies = String::from("movieId,title,genres\n");
    for movie in 1..=10_000 {
        movies += &format!("{movie},Film {movie} (1995),Adventure|Drama\n");
    }
    fs::write(folder.join("movies.csv"), movies).unwrap();
    let mut ratings = String::from("userId,movieId,rating,timestamp\n");
    for user in 1..=USERS {
        for nth in 0..RATINGS_PER_USER {
            let movie = (user * 31 + nth * 53) % 10_000 + 1;
            let rating = (nth % 10 + 1) as f64 / 2.0;
            let at = 900_000_000 + user * 1_000_000 + nth * 40;
            ratings += &format!("{user},{movie},{rating:.1},{at}\n");
        }
    }
    fs::write(folder.join("ratings.csv"), ratings).unwrap();
    folder
}
