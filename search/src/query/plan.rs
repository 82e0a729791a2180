//! What a text may mean.

use frostem::Algorithm;

use super::request::WORDS_MAX;
use super::tier::Tier;
use crate::index::{bag, grams};
use crate::text::{is_stop_word, normalize, numerals, squash, stem, terms, tokens};

/// The words of a query, and the readings of it that are tried.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) readings: Vec<Reading>,
}

/// One way to understand a query.
#[derive(Debug)]
pub(super) struct Reading {
    /// The year of release that a title must have, if the last word is read as one.
    pub(super) year: Option<u16>,
    /// The text, normalised; a space at its end says that the last word is complete.
    pub(super) name: String,
    /// Without spaces, in the spelling of the query and in canonical spelling.
    pub(super) whole: String,
    pub(super) canonical: String,
    pub(super) bag: String,
    pub(super) grams: Vec<String>,
    pub(super) words: Vec<Word>,
    /// Whether the last word is complete.
    pub(super) is_complete: bool,
}

/// One word of a query.
#[derive(Debug, Clone)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) canonical: Option<String>,
    pub(super) stems: Vec<String>,
    /// Whether the word may be the beginning of one.
    pub(super) is_open: bool,
    /// Whether a title that lacks the word matches all the same.
    pub(super) is_optional: bool,
    /// Whether it is a part of a run of a script without spaces, which is not corrected.
    pub(super) is_dense: bool,
}

impl Word {
    /// How many edits are forgiven: none below 4 characters, 1 up to 7, and 2 from 8 on. Measured
    /// on film titles: 4 and 8 found 2 to 17 in 100 more than 5 and 9.
    pub(super) fn edits_max(&self) -> u8 {
        match self.text.chars().count() {
            _ if self.is_dense => 0,
            0..4 => 0,
            4..8 => 1,
            _ => 2,
        }
    }
}

impl Plan {
    /// `languages` are those whose stems are looked up.
    pub(super) fn of(text: &str, languages: &[Algorithm]) -> Self {
        let name = normalize(text);
        let is_complete = text.ends_with(char::is_whitespace);
        let mut readings = vec![];
        if !name.is_empty() {
            readings.push(Reading::of(&name, is_complete, None, languages));
        }
        if let Some((before, last)) = name.rsplit_once(' ')
            && let Some(year) = as_year(last)
        {
            readings.push(Reading::of(before, true, Some(year), languages));
        }
        Self { readings }
    }
}

/// The years from the first films to as far ahead as films are announced.
fn as_year(word: &str) -> Option<u16> {
    let year = word.parse().ok().filter(|_| word.len() == 4)?;
    (1880..=2100).contains(&year).then_some(year)
}

impl Reading {
    /// The tier among whose titles those are that are called just so. A space at the end says that
    /// more is to come, and so do three characters: then they are some of many that begin so.
    pub(super) fn whole_among(&self) -> Tier {
        let is_beginning = self.is_complete || self.whole.chars().count() <= 3;
        if is_beginning { Tier::Prefix } else { Tier::Whole }
    }

    /// The tier among whose titles those are that have the same words. One word may well be the
    /// beginning of more: "spider" has the words of "The Spider" as much as it begins "Spider-Man".
    /// And whoever typed a stop word, or a space at the end, will go on.
    pub(super) fn bag_among(&self) -> Tier {
        if self.is_complete || self.words.iter().any(|word| is_stop_word(&word.text)) {
            Tier::BarePrefix
        } else if self.words.len() == 1 {
            Tier::Prefix
        } else {
            Tier::SameWords
        }
    }

    fn of(name: &str, is_complete: bool, year: Option<u16>, languages: &[Algorithm]) -> Self {
        let plain: Vec<&str> = name.split(' ').collect();
        let canonical = numerals::canonical_words(plain.iter().copied());
        let whole = squash(name);
        let all_stop = plain.iter().all(|word| is_stop_word(word));
        let mut words: Vec<Word> = vec![];
        for token in tokens(name) {
            let before = words.last().map(|word| word.text.clone());
            for term in terms(&token).take(WORDS_MAX - words.len()) {
                let mut stems = vec![];
                stem::stems(term, languages, &mut stems);
                words.push(Word {
                    canonical: numerals::canonical(term, before.as_deref()),
                    stems,
                    is_open: false,
                    is_optional: !all_stop && is_stop_word(term),
                    is_dense: token.dense,
                    text: term.to_owned(),
                });
            }
        }
        if let Some(last) = words.last_mut() {
            last.is_open = !is_complete;
        }
        Self {
            year,
            grams: grams(&whole),
            bag: bag(&canonical),
            canonical: canonical.concat(),
            name: if is_complete && year.is_none() { format!("{name} ") } else { name.to_owned() },
            whole,
            words,
            is_complete: is_complete && year.is_none(),
        }
    }
}
