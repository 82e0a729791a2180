//! Stems: "running" and "run" are the same word.

use frostem::{Algorithm, Stemmer};

/// The stemmer of a language tag (BCP 47), by its first part.
#[must_use]
pub fn algorithm(language: &str) -> Option<Algorithm> {
    let primary = language.split(['-', '_']).next().unwrap_or_default();
    Some(match primary.to_ascii_lowercase().as_str() {
        "ar" => Algorithm::Arabic,
        "da" => Algorithm::Danish,
        "nl" => Algorithm::Dutch,
        "en" => Algorithm::English,
        "fi" => Algorithm::Finnish,
        "fr" => Algorithm::French,
        "de" => Algorithm::German,
        "el" => Algorithm::Greek,
        "hu" => Algorithm::Hungarian,
        "it" => Algorithm::Italian,
        "nb" | "nn" | "no" => Algorithm::Norwegian,
        "pt" => Algorithm::Portuguese,
        "ro" => Algorithm::Romanian,
        "ru" => Algorithm::Russian,
        "es" => Algorithm::Spanish,
        "sv" => Algorithm::Swedish,
        "ta" => Algorithm::Tamil,
        "tr" => Algorithm::Turkish,
        _ => return None,
    })
}

/// Appends the stems of a folded word, in these languages and in English, without repetition and
/// without the word itself.
pub fn stems(word: &str, languages: &[Algorithm], into: &mut Vec<String>) {
    let first = into.len();
    for language in languages.iter().copied().chain([Algorithm::English]) {
        let stem = Stemmer::new(language).stem(word).into_owned();
        let known = stem == word || into.iter().skip(first).any(|known| *known == stem);
        if !known && !stem.is_empty() {
            into.push(stem);
        }
    }
}
