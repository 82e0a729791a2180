//! Completes what is being typed: titles, people and genres that begin so.
//!
//! [`Suggester`] is a snapshot in memory. Whoever keeps the index builds it anew behind a commit,
//! beside the one in use, and swaps them; building takes about as long as reading the documents.
//!
//! - A title is found by its beginning, with or without an article, in any of its languages, and by each word within; a person by
//!   each part of the name; texts in scripts without spaces by each character.
//! - What begins exactly as typed comes first. If that is not enough, what begins so with one edit
//!   (from four characters on) follows; two edits (from eight on, and only one of them in the
//!   first three characters) are only forgiven where nothing else is found.
//! - Among these, the more popular comes first. A title whose article is left out counts for a quarter
//!   of its popularity, a word within it for a sixteenth, people for a tenth of that of all their
//!   titles, and genres for a hundredth; of ten suggestions, at most three are people and two genres
//!   while there are others.
//! - Nothing is suggested that the viewer may not see ([`is_visible`]), and people and genres only
//!   if a title of theirs may be seen.
//!
//! How it works: the keys are an FST that numbers them in their order, so that what begins with an
//! input is a range of numbers. Over the numbers stands a tree of minima that answers which of a
//! range is the most popular at a level of maturity; the ten best of any number of ranges are taken
//! from it one by one, and nothing is enumerated.
//!
//! Limits: [`TITLES_MAX`] titles, [`INPUT_CHARS_MAX`] characters of input, [`SUGGESTIONS_MAX`]
//! suggestions. If [`CHECKS_MAX`] better ones are withheld from a viewer by windows of availability,
//! those behind them are not found.

mod best;
mod build;
mod edits;
mod keys;
mod pick;
mod walk;

use std::mem::size_of_val;
use std::ops::Range;

use playhead_domain::TitleId;
use playhead_domain::entitlement::{Terms, is_visible};
use tantivy_fst::Map;
use thiserror::Error;

use self::best::{Best, size};
pub(crate) use self::build::most_popular;
pub use self::build::{BuildError, TITLES_MAX};
pub use self::pick::CHECKS_MAX;
use self::pick::Picker;
use crate::query::Audience;

/// The most characters of an input.
pub const INPUT_CHARS_MAX: usize = keys::KEY_CHARS_MAX;

/// The most suggestions to one input.
pub const SUGGESTIONS_MAX: usize = 10;

/// How many classes there are.
const CLASSES: u8 = 3;

/// A way to go on typing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// What it leads to.
    pub target: Target,
    /// What to show; of a title the name that was matched, which may be one in another language.
    pub text: String,
    /// The part of `text` that was typed, in bytes; never cuts a character.
    pub matched: Range<usize>,
    /// With how many edits, 0 to 2.
    pub edits: u8,
}

/// What a suggestion leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A title.
    Title {
        /// Which one.
        id: TitleId,
        /// The year of first release, which tells titles of one name apart.
        year: Option<u16>,
    },
    /// Somebody in the credits, by name.
    Person,
    /// A genre, by name.
    Genre,
}

/// More was typed than is ever looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("text: at most {INPUT_CHARS_MAX} characters")]
pub struct InputTooLong;

/// Suggests ways to go on typing.
///
/// Immutable, and shared without a lock.
#[derive(Debug)]
pub struct Suggester {
    /// The numbers of the keys.
    keys: Map<Vec<u8>>,
    /// By the number of a key: where its occurrences begin. One more than keys.
    first_of_key: Vec<u32>,
    /// Ordered by their keys.
    occurrences: Vec<Occurrence>,
    best: Best,
    entries: Vec<Entry>,
    titles: Vec<Titled>,
    /// What titles say about who may see them, each only once.
    terms: Vec<Terms>,
    /// Numbers of terms; entries refer to ranges of it.
    terms_of: Vec<u32>,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Title,
    Person,
    Genre,
}

impl Class {
    const ALL: [Self; CLASSES as usize] = [Self::Title, Self::Person, Self::Genre];

    fn number(self) -> u8 {
        match self {
            Self::Title => 0,
            Self::Person => 1,
            Self::Genre => 2,
        }
    }
}

/// A text that is suggested.
#[derive(Debug)]
struct Entry {
    class: Class,
    /// The number of the title, if it is one.
    title: u32,
    text: Box<str>,
    /// Which of `terms_of` say who may see it; one of them is enough.
    terms: Range<u32>,
}

/// A place in an entry's normalised text at which a key begins.
#[derive(Debug, Clone, Copy)]
struct Occurrence {
    entry: u32,
    offset: u16,
}

#[derive(Debug)]
struct Titled {
    id: TitleId,
    year: Option<u16>,
}

impl Suggester {
    /// Nothing to suggest.
    ///
    /// # Errors
    /// As [`Self::build`].
    pub fn empty() -> Result<Self, BuildError> {
        Self::build([])
    }

    /// The best ways to go on from an input, best first; none if nothing was typed. `first` is how
    /// many at most, and never more than [`SUGGESTIONS_MAX`]. Without an audience, everything that is
    /// published is seen.
    ///
    /// # Errors
    /// The input is longer than [`INPUT_CHARS_MAX`] without the space around it.
    pub fn suggest(
        &self,
        input: &str,
        audience: Option<&Audience>,
        first: usize,
    ) -> Result<Vec<Suggestion>, InputTooLong> {
        let trimmed = input.trim();
        // Looking at four bytes for each character tells a long input without reading it.
        if trimmed.len() > 4 * INPUT_CHARS_MAX || trimmed.chars().count() > INPUT_CHARS_MAX {
            return Err(InputTooLong);
        }
        let typed = keys::typed(input);
        let first = first.min(SUGGESTIONS_MAX);
        if typed.is_empty() || first == 0 {
            return Ok(vec![]);
        }
        let mut picker = Picker::new(self, audience, first);
        picker.pick(walk::exact(self.keys.as_fst(), &typed).as_slice());
        let budget = edits::budget(typed.chars().count());
        for edits in 1..=budget {
            if picker.is_full() || edits > 1 && !picker.is_empty() {
                break;
            }
            picker.pick(&walk::near(self.keys.as_fst(), &typed, edits));
        }
        let input: Vec<char> = typed.chars().collect();
        Ok(picker.picked.iter().filter_map(|it| self.shown(&input, *it)).collect())
    }

    /// How many titles can be suggested.
    #[must_use]
    pub fn titles(&self) -> usize {
        self.titles.len()
    }

    /// About how many bytes of memory it takes; schedules of availability are not counted.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        // Each text has, beside its bytes, about 16 that its allocation takes.
        let texts: usize = self.entries.iter().map(|entry| entry.text.len() + 16).sum();
        self.keys.as_fst().size()
            + size_of_val(self.first_of_key.as_slice())
            + size_of_val(self.occurrences.as_slice())
            + size_of_val(self.entries.as_slice())
            + size_of_val(self.titles.as_slice())
            + size_of_val(self.terms.as_slice())
            + size_of_val(self.terms_of.as_slice())
            + self.best.size_bytes()
            + texts
    }

    fn entry(&self, occurrence: u32) -> Option<(&Entry, Occurrence)> {
        let occurrence = *self.occurrences.get(size(occurrence))?;
        Some((self.entries.get(size(occurrence.entry))?, occurrence))
    }

    fn shown(&self, input: &[char], (occurrence, edits): (u32, u8)) -> Option<Suggestion> {
        let (entry, at) = self.entry(occurrence)?;
        let normal = crate::text::normalize(&entry.text);
        let len = edits::matched(input, keys::key(&normal, at.offset)).unwrap_or(0);
        let target = match entry.class {
            Class::Title => {
                let titled = self.titles.get(size(entry.title))?;
                Target::Title { id: titled.id, year: titled.year }
            }
            Class::Person => Target::Person,
            Class::Genre => Target::Genre,
        };
        let matched = keys::shown(&entry.text, usize::from(at.offset), len);
        Some(Suggestion { target, text: entry.text.to_string(), matched, edits })
    }

    /// Whether an audience may see what has these terms.
    fn is_visible(&self, terms: u32, audience: &Audience) -> bool {
        let terms = self.terms.get(size(terms));
        terms.is_some_and(|terms| is_visible(terms, &audience.viewer, audience.at_ms))
    }
}

#[cfg(test)]
mod tests;
