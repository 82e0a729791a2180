//! Finds what was searched in texts that are shown.

use std::cell::OnceCell;
use std::ops::Range;

use super::answer::{Highlight, HighlightField};
use super::plan::{Plan, Word};
use crate::index::Document;
use crate::text::{Token, numerals, stem, tokens};

/// The most tokens of a text that are looked at.
const TOKENS_MAX: usize = 1_000;

/// The most words that a joined word is made of.
const JOINED_MAX: usize = 8;

/// Finds the words of a query in a text: as they are, in other spellings, misspelt within the same
/// budget as in the search, and joined.
#[derive(Debug, Clone, Default)]
pub struct Highlighter {
    words: Vec<Word>,
    whole: String,
}

impl Highlighter {
    pub(super) fn new(plan: Plan) -> Self {
        let reading = plan.readings.into_iter().next();
        reading.map(|it| Self { words: it.words, whole: it.whole }).unwrap_or_default()
    }

    /// What of the query is in a text, in bytes, in order and apart from each other.
    #[must_use]
    pub fn ranges(&self, text: &str) -> Vec<Range<usize>> {
        let mut tokens = tokens(text);
        tokens.truncate(TOKENS_MAX);
        let mut ranges = vec![];
        for (at, token) in tokens.iter().enumerate() {
            if let Some(last) = self.joined(tokens.get(at..).unwrap_or_default()) {
                ranges.extend(
                    tokens
                        .get(at..=at + last)
                        .unwrap_or_default()
                        .iter()
                        .map(|it| it.range.clone()),
                );
            }
            let before = at.checked_sub(1).and_then(|at| tokens.get(at)).map(|it| it.text.as_str());
            let shown = Shown::new(token, before);
            ranges.extend(self.words.iter().filter_map(|word| shown.find(word)));
        }
        merged(ranges)
    }

    /// The place of the last token, if the first ones without their spaces are the whole query.
    fn joined(&self, tokens: &[Token]) -> Option<usize> {
        let mut rest = self.whole.as_str();
        for (at, token) in tokens.iter().take(JOINED_MAX).enumerate() {
            rest = rest.strip_prefix(token.text.as_str())?;
            if rest.is_empty() {
                return Some(at);
            }
        }
        None
    }

    /// What of the query is in a title.
    pub(super) fn highlights(&self, document: &Document) -> Vec<Highlight> {
        let names = document.names().map(|(name, _)| (HighlightField::Name, name));
        let people = document.people.iter().map(|it| (HighlightField::Person, it.name.as_str()));
        let synopses = document.synopses().map(|(text, _)| (HighlightField::Synopsis, text));
        let all = names.chain(people).chain(synopses);
        all.filter_map(|(field, text)| {
            let ranges = self.ranges(text);
            (!ranges.is_empty()).then(|| Highlight { field, text: text.to_owned(), ranges })
        })
        .take(HIGHLIGHTS_MAX)
        .collect()
    }
}

/// The most highlights of one hit.
const HIGHLIGHTS_MAX: usize = 20;

/// A token of a shown text, and what is worked out of it once for all words of the query.
struct Shown<'a> {
    token: &'a Token,
    before: Option<&'a str>,
    chars: usize,
    canonical: OnceCell<Option<String>>,
    stems: OnceCell<Vec<String>>,
}

impl<'a> Shown<'a> {
    fn new(token: &'a Token, before: Option<&'a str>) -> Self {
        let chars = token.text.chars().count();
        Self { token, before, chars, canonical: OnceCell::new(), stems: OnceCell::new() }
    }

    /// Where a word is in the token.
    fn find(&self, word: &Word) -> Option<Range<usize>> {
        let Token { text, range, .. } = self.token;
        if self.token.dense {
            let at = text.find(&word.text)?;
            // Folding may have changed how long characters are; then the whole run is shown.
            let is_as_written = range.len() == text.len();
            let from = range.start + at;
            return Some(if is_as_written { from..from + word.text.len() } else { range.clone() });
        }
        let is_same = word.text == *text || (word.is_open && text.starts_with(&word.text));
        let is_found = is_same
            || self.is_numeral(word)
            || self.has_stem(word)
            || (!word.is_optional && self.is_misspelt(word));
        is_found.then(|| range.clone())
    }

    fn is_numeral(&self, word: &Word) -> bool {
        let text = self.token.text.as_str();
        let canonical = self.canonical.get_or_init(|| numerals::canonical(text, self.before));
        word.canonical.is_some() && word.canonical == *canonical
            || word.canonical.as_deref() == Some(text)
            || canonical.as_deref() == Some(word.text.as_str())
    }

    fn has_stem(&self, word: &Word) -> bool {
        let stems = self.stems.get_or_init(|| {
            let mut stems = vec![];
            stem::stems(&self.token.text, &[], &mut stems);
            stems
        });
        stems.iter().chain([&self.token.text]).any(|it| word.stems.contains(it))
            || stems.contains(&word.text)
    }

    fn is_misspelt(&self, word: &Word) -> bool {
        let edits = usize::from(word.edits_max());
        edits > 0
            && self.chars.abs_diff(word.text.chars().count()) <= edits
            && strsim::osa_distance(&self.token.text, &word.text) <= edits
    }
}

fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut apart: Vec<Range<usize>> = vec![];
    for range in ranges {
        match apart.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => apart.push(range),
        }
    }
    apart
}
