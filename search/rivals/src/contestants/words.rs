//! What the databases share: a query in the form in which their texts are kept, and their tiers.

use anyhow::Result;
use playhead_search::text::{normalize, squash};

use super::DEPTH;
use crate::films::Film;

/// A query, folded as ours folds it.
pub(super) struct Typed {
    /// The whole, with one space between words, and one at the end if the last is complete.
    pub whole: String,
    /// Its words; only letters and digits, so that nothing in them has a meaning in a query.
    pub words: Vec<String>,
    /// Whether the last word may go on.
    pub open: bool,
}

impl Typed {
    pub(super) fn new(text: &str) -> Self {
        let mut whole = normalize(text);
        let words = whole.split(' ').map(letters).filter(|word| !word.is_empty()).collect();
        let open = !text.ends_with(char::is_whitespace);
        if !open {
            whole.push(' ');
        }
        Self { whole, words, open }
    }

    /// Without spaces.
    pub(super) fn squashed(&self) -> String {
        squash(&self.whole)
    }
}

/// The first text behind all that begin with this one, in the order of code points.
pub(super) fn behind(text: &str) -> String {
    format!("{text}\u{10ffff}")
}

fn letters(word: &str) -> String {
    word.chars().filter(|letter| letter.is_alphanumeric()).collect()
}

/// A film as rows of a database keep it.
pub(super) struct Row {
    pub number: i32,
    pub name: String,
    pub squashed: String,
    pub people: String,
    pub year: String,
    pub genres: String,
    pub synopsis: String,
    /// The logarithm of how popular it is.
    pub popularity: f64,
}

impl Row {
    pub(super) fn of(film: &Film) -> Result<Self> {
        let name = normalize(&film.title);
        Ok(Self {
            number: i32::try_from(film.number)?,
            squashed: squash(&name),
            name,
            people: normalize(&film.cast.join(" ")),
            year: film.year.map(|year| year.to_string()).unwrap_or_default(),
            genres: normalize(&film.genres.join(" ")),
            synopsis: normalize(film.extract.as_deref().unwrap_or_default()),
            popularity: f64::from(film.votes).ln_1p(),
        })
    }
}

/// An answer that is filled tier by tier.
#[derive(Default)]
pub(super) struct Tiers {
    films: Vec<u32>,
}

impl Tiers {
    /// Whether no further tier is asked.
    pub(super) fn full(&self) -> bool {
        self.films.len() >= DEPTH
    }

    /// Takes what a tier found, behind what the earlier found.
    pub(super) fn extend(&mut self, tier: impl IntoIterator<Item = i32>) {
        for number in tier {
            if let Ok(number) = u32::try_from(number)
                && !self.full()
                && !self.films.contains(&number)
            {
                self.films.push(number);
            }
        }
    }

    pub(super) fn into_films(self) -> Vec<u32> {
        self.films
    }
}
