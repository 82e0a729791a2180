//! Understands, finds and ranks.
//!
//! # How titles are ranked
//!
//! A text becomes one or two *readings*: as it is, and, if its last word is a year, what stands
//! before it among the titles of that year. For each reading every title that matches gets the best
//! [`Tier`] that it can get:
//!
//! | tier | "the thing" finds it as |
//! | --- | --- |
//! | [`Whole`](Tier::Whole) | "The Thing"; also "thething" and, by numerals, "part ii" for "Part 2" |
//! | [`SameWords`](Tier::SameWords) | "Thing, The": the same words in any order, stop words apart |
//! | [`Prefix`](Tier::Prefix) | "The Thing Called Love" |
//! | [`BarePrefix`](Tier::BarePrefix) | for "thing": "The Thing from Another World" |
//! | [`NameAndPerson`](Tier::NameAndPerson) | for "thing kurt russell": the beginning of a name, and somebody in the credits; directors and the actor named first before others |
//! | [`NameWords`](Tier::NameWords) | all words are in the name, the last maybe as a beginning |
//! | [`PeopleWords`](Tier::PeopleWords) | all words are in the name or in people |
//! | [`WholeOneEdit`](Tier::WholeOneEdit) | "The Ting", in one order with the tier before: both are popular guesses |
//! | [`PrefixOneEdit`](Tier::PrefixOneEdit) | the name begins with something one edit away |
//! | [`Words`](Tier::Words) | all words or their stems are in name, people, synopsis, tags, genres or the year |
//! | [`JoinedPrefix`](Tier::JoinedPrefix) | "Theth…" without its spaces |
//! | [`WholeTwoEdits`](Tier::WholeTwoEdits) | the whole name is two edits away |
//! | [`Similar`](Tier::Similar) | at most 3 in 10 characters differ |
//! | [`WordsEdited`](Tier::WordsEdited) | all words match, some misspelt |
//! | [`SomeWords`](Tier::SomeWords) | at least half of the words match |
//!
//! Within a tier there may be steps: where words are found counts, the name three times, people
//! twice, everything else once. Then popularity orders (votes and plays), then the shorter name,
//! and at last the title id. Nothing that is counted over the index takes part, such as how rare a
//! word is: so segments, merges and deleted titles do not change the order.
//!
//! Four exceptions let popularity decide between tiers, because the text may be a mere beginning:
//! a text of up to three characters or with a space at its end counts as a beginning even if a
//! title is called just so, and a single word that is a name but for its article
//! ("spider": "The Spider") counts like the beginning of one ("Spider-Man"). And if a single word is
//! a whole name, the most popular title that begins with it comes before that name if it is half as
//! popular again ("escape": "Escape from New York" before "Escape"), and so with one edit; where a taste reorders, the
//! whole name stays first.
//!
//! An edit is a character inserted, deleted or replaced, or two neighbours exchanged. Whole names
//! are forgiven one edit from 3 characters and two from 5, words one from 4 and two from 8.
//! Corrections are looked for only if fewer than ten titles match as typed; similarity only if
//! nothing better was found.
//!
//! Filters and audience are asked before a title is counted or ranked.
//!
//! # Limits
//!
//! A text has at most 200 characters, of which 20 words are looked up and 8 corrected; a filter has
//! at most 50 values; an answer has at most 100 hits of the first 1,000, and 50 values per facet;
//! taste reorders the first 100 hits; 50 names are compared for similarity.

mod answer;
mod fuzzy;
mod gate;
mod highlight;
mod pass;
mod plan;
mod request;
mod search;
mod tier;
mod words;

pub use answer::{Answer, Facets, Highlight, HighlightField, Hit};
pub use highlight::Highlighter;
pub use request::{
    Audience, Error, FILTER_VALUES_MAX, FIRST_MAX, Filters, OFFSET_MAX, Request, TEXT_MAX, Taste,
    WORDS_MAX,
};
pub use tier::Tier;

#[cfg(test)]
mod tests;
