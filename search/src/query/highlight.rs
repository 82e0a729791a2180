//! Finds what was searched in texts that are shown.

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
            ranges.extend(self.words.iter().filter_map(|word| find(word, token, before)));
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

/// Where a word is in a token.
fn find(word: &Word, token: &Token, before: Option<&str>) -> Option<Range<usize>> {
    let (word_text, text) = (word.text.as_str(), token.text.as_str());
    if token.dense {
        let at = text.find(word_text)?;
        // Folding may have changed how long characters are; then the whole run is shown.
        let is_as_written = token.range.len() == text.len();
        let from = token.range.start + at;
        return Some(if is_as_written {
            from..from + word_text.len()
        } else {
            token.range.clone()
        });
    }
    let is_same = || word_text == text || (word.is_open && text.starts_with(word_text));
    let is_numeral = || {
        let canonical = numerals::canonical(text, before);
        word.canonical.is_some() && word.canonical == canonical
            || word.canonical.as_deref() == Some(text)
            || canonical.as_deref() == Some(word_text)
    };
    let has_stem = || {
        let mut stems = vec![];
        stem::stems(text, &[], &mut stems);
        stems.iter().chain([&token.text]).any(|it| word.stems.contains(it))
            || stems.contains(&word.text)
    };
    let is_misspelt = || {
        let edits = usize::from(word.edits_max());
        edits > 0
            && text.len().abs_diff(word_text.len()) <= edits * 4
            && strsim::osa_distance(text, word_text) <= edits
    };
    (is_same() || is_numeral() || has_stem() || (!word.is_optional && is_misspelt()))
        .then(|| token.range.clone())
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
