//! Numbers and a few words that are written in several ways.
//!
//! A title keeps its words as they are. Beside them stands a second, canonical form in which
//! numerals are digits ("part ii" and "part two" are "part 2") and the words of [`SYNONYMS`] are
//! the word that they stand for. A query is put into the same form, so that either spelling finds
//! the other, and the very spelling still comes first.

/// Words and what they stand for. Only pairs that mean the same in the names of titles.
pub const SYNONYMS: [(&str, &str); 20] = [
    ("pt", "part"),
    ("vol", "volume"),
    ("ep", "episode"),
    ("chap", "chapter"),
    ("dr", "doctor"),
    ("mr", "mister"),
    ("mrs", "missus"),
    ("st", "saint"),
    ("mt", "mount"),
    ("ft", "fort"),
    ("jr", "junior"),
    ("sr", "senior"),
    ("vs", "versus"),
    ("tv", "television"),
    ("colour", "color"),
    ("grey", "gray"),
    ("theatre", "theater"),
    ("centre", "center"),
    ("honour", "honor"),
    ("n", "and"),
];

const WORDS: [&str; 21] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen", "twenty",
];

const ROMAN: [&str; 21] = [
    "", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii", "xiv",
    "xv", "xvi", "xvii", "xviii", "xix", "xx",
];

const ORDINALS: [&str; 11] = [
    "", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth",
    "tenth",
];

const ORDINAL_DIGITS: [&str; 11] =
    ["", "1st", "2nd", "3rd", "4th", "5th", "6th", "7th", "8th", "9th", "10th"];

/// Words after which "i" is a number.
const COUNTED: [&str; 7] = ["part", "pt", "chapter", "episode", "volume", "vol", "book"];

/// The canonical form of a word, if it has one that differs. `before` is the word before it.
#[must_use]
pub fn canonical(word: &str, before: Option<&str>) -> Option<String> {
    if let Some((_, stands_for)) = SYNONYMS.iter().find(|(from, _)| *from == word) {
        return Some((*stands_for).to_owned());
    }
    if word == "i" && !before.is_some_and(|before| COUNTED.contains(&before)) {
        return None;
    }
    let place = |list: &[&str]| list.iter().position(|it| !it.is_empty() && *it == word);
    if let Some(number) = place(&WORDS).or_else(|| place(&ROMAN)) {
        return Some(number.to_string());
    }
    place(&ORDINALS).and_then(|number| ORDINAL_DIGITS.get(number)).map(|it| (*it).to_owned())
}

/// The words in canonical form.
#[must_use]
pub fn canonical_words<'a>(words: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut before: Option<&str> = None;
    words
        .map(|word| {
            let form = canonical(word, before).unwrap_or_else(|| word.to_owned());
            before = Some(word);
            form
        })
        .collect()
}
