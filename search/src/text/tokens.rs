//! The words of a text, and where they stand.

use std::ops::Range;

use super::fold::{Class, class, fold};

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The word, folded.
    pub text: String,
    /// Where it stands in the text, in bytes.
    pub range: Range<usize>,
    /// Whether it is a run of a script that puts no space between words.
    pub dense: bool,
}

/// The words of a text in its order. A run of a dense script is one token; [`terms`] cuts it.
#[must_use]
pub fn tokens(text: &str) -> Vec<Token> {
    let mut found = vec![];
    let mut open: Option<(Class, usize)> = None;
    for (at, c) in text.char_indices() {
        let this = class(c);
        if this == Class::Dropped || open.is_some_and(|(class, _)| class == this && is_run(this)) {
            continue;
        }
        if let Some((class, from)) = open.take() {
            push(&mut found, text, class, from..at);
        }
        if this != Class::Gap {
            open = Some((this, at));
        }
    }
    if let Some((class, from)) = open {
        push(&mut found, text, class, from..text.len());
    }
    found
}

fn is_run(class: Class) -> bool {
    matches!(class, Class::Letter | Class::Dense)
}

fn push(found: &mut Vec<Token>, text: &str, class: Class, range: Range<usize>) {
    let Some(raw) = text.get(range.clone()) else { return };
    if class == Class::And {
        found.push(Token { text: "and".to_owned(), range, dense: false });
        return;
    }
    let folded = if raw.is_ascii() && !raw.contains(['\'', '`']) {
        raw.to_ascii_lowercase()
    } else {
        let kept: String =
            raw.chars().filter(|c| self::class(*c) != Class::Dropped).collect();
        fold(&kept)
    };
    let dense = class == Class::Dense;
    // Compatibility forms such as "½" come apart into several words.
    for part in folded.split(|c: char| matches!(self::class(c), Class::Gap)) {
        if !part.is_empty() {
            found.push(Token { text: part.to_owned(), range: range.clone(), dense });
        }
    }
}

/// The terms under which a token is looked up: itself, or the pairs of characters of a dense run.
pub fn terms(token: &Token) -> impl Iterator<Item = &str> {
    let whole = (!token.dense || token.text.chars().nth(2).is_none()).then_some(&*token.text);
    let pairs = if whole.is_some() { "" } else { token.text.as_str() };
    let starts = pairs.char_indices().map(|(at, _)| at);
    let ends = pairs.char_indices().map(|(at, c)| at + c.len_utf8()).skip(1);
    whole.into_iter().chain(starts.zip(ends).filter_map(move |(from, to)| pairs.get(from..to)))
}

/// A normalised text without its spaces.
#[must_use]
pub fn squash(normalized: &str) -> String {
    normalized.chars().filter(|c| *c != ' ').collect()
}

/// Words of English that people leave out of a title and that say nothing about it: articles,
/// prepositions and conjunctions of up to five letters.
const STOP_WORDS: [&str; 22] = [
    "a", "an", "and", "as", "at", "by", "for", "from", "in", "into", "is", "of", "on", "or", "s",
    "t", "the", "to", "vs", "with", "n", "et",
];

/// Whether a folded word may be left out without loss.
#[must_use]
pub fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.contains(&word)
}

/// Articles at the beginning of names, in English, German, Dutch, French, Spanish, Italian and
/// Portuguese. One that means something else in another of them costs nothing: names are found with
/// and without it.
const ARTICLES: [&str; 25] = [
    "a", "an", "the", "der", "die", "das", "ein", "eine", "de", "het", "een", "le", "la", "les",
    "un", "une", "el", "los", "las", "una", "il", "lo", "gli", "o", "os",
];

/// Whether a folded word is an article, which people leave out at the beginning of a name.
#[must_use]
pub fn is_article(word: &str) -> bool {
    ARTICLES.contains(&word)
}

/// The other German (and Danish) spelling of a word that has "ä", "ö", "ü", "å" or "ø" in it:
/// "ae", "oe", "ue", "aa", "oe".
#[must_use]
pub fn umlaut_spelling(text: &str) -> Option<String> {
    let differs = |c: char| matches!(c, 'ä' | 'ö' | 'ü' | 'å' | 'ø' | 'Ä' | 'Ö' | 'Ü' | 'Å' | 'Ø');
    text.contains(differs).then(|| {
        text.chars().fold(String::with_capacity(text.len() + 4), |mut spelled, c| {
            match c {
                'ä' | 'Ä' => spelled.push_str("ae"),
                'ö' | 'Ö' | 'ø' | 'Ø' => spelled.push_str("oe"),
                'ü' | 'Ü' => spelled.push_str("ue"),
                'å' | 'Å' => spelled.push_str("aa"),
                other => spelled.push(other),
            }
            spelled
        })
    })
}
