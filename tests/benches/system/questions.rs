//! What people type, made from the titles: whole, begun, misspelt, with an actor.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// From how many films questions are made.
const FILMS: usize = 500;
/// How many letters are typed of a title, at most.
const TYPED_MAX: usize = 12;

/// Four questions for each film, in turn.
pub(crate) fn searches(films: &Path) -> Vec<String> {
    let films = read(films);
    let asked = films.iter().flat_map(|(title, actor)| {
        let begun: String = title.chars().take(3 + title.len() % 4).collect();
        [title.clone(), begun, misspelt(title), format!("{title} {actor}")]
    });
    asked.map(|asked| asked.trim().to_lowercase()).collect()
}

/// What is in the field after each letter, and once a film with a slip of the finger.
pub(crate) fn inputs(films: &Path) -> Vec<String> {
    let mut inputs = vec![];
    for (title, _) in read(films) {
        let typed: String = title.to_lowercase().chars().take(TYPED_MAX).collect();
        let ends = typed.char_indices().map(|(at, c)| at + c.len_utf8());
        inputs.extend(ends.map(|end| typed[..end].to_owned()));
        inputs.push(misspelt(&typed));
    }
    inputs
}

/// Titles, each with the first of its actors, from all over the catalogue.
fn read(path: &Path) -> Vec<(String, String)> {
    let mut titles: Vec<(String, String)> = vec![];
    for file in files(path) {
        let films: Vec<Value> = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        titles.extend(films.iter().map(|film| (text(&film["title"]), text(&film["cast"][0]))));
    }
    let step = (titles.len() / FILMS).max(1);
    titles.into_iter().step_by(step).take(FILMS).collect()
}

fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let is_films = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("movies-"))
    };
    let mut files: Vec<PathBuf> = entries.filter(is_films).collect();
    files.sort();
    files
}

/// Two letters in the middle change places; of a short text nothing does.
fn misspelt(text: &str) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    let middle = letters.len() / 2;
    if letters.len() > 3 {
        letters.swap(middle - 1, middle);
    }
    letters.into_iter().collect()
}
