//! What is asked.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use playhead_domain::entitlement::Viewer;
use playhead_domain::title::Kind;
use thiserror::Error;

use crate::index;

/// The most characters of a query, without the space around it.
pub const TEXT_MAX: usize = 200;

/// The most words of a query that are looked up one by one; the whole text still counts.
pub const WORDS_MAX: usize = 20;

/// The most values of one filter.
pub const FILTER_VALUES_MAX: usize = 50;

/// The most hits of one answer: a page of 100, and the last title of the page before.
pub const FIRST_MAX: usize = 101;

/// The furthest place in the ranked list at which an answer begins.
pub const OFFSET_MAX: usize = 1_000;

/// A search.
#[derive(Debug, Clone)]
pub struct Request {
    /// What was typed. A space at its end says that the last word is complete.
    pub text: String,
    /// What to leave out.
    pub filters: Filters,
    /// Who asks; titles that they may not see are not found. `None` for those who keep the
    /// catalogue and see everything that is published.
    pub audience: Option<Audience>,
    /// What the profile likes, if the order may depend on it.
    pub taste: Option<Taste>,
    /// How many hits, 1 to [`FIRST_MAX`].
    pub first: usize,
    /// How many hits to pass over, up to [`OFFSET_MAX`].
    pub offset: usize,
    /// Whether to count genres, decades, kinds and languages over all that match.
    pub facets: bool,
    /// Whether to say where each hit matches.
    pub highlights: bool,
}

/// Who asks, and when.
#[derive(Debug, Clone, Copy)]
pub struct Audience {
    /// Where they are and what they may see.
    pub viewer: Viewer,
    /// Now, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// What must hold of a title besides the text. Values of one filter are alternatives; an empty list
/// filters nothing; different filters must all hold.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    /// Has one of these genres, in whatever case.
    pub genres: Vec<String>,
    /// Is of one of these kinds.
    pub kinds: Vec<Kind>,
    /// Was released in these years, both included.
    pub years: Option<RangeInclusive<u16>>,
    /// Was released in one of these decades, each named by its first year (1990).
    pub decades: Vec<u16>,
    /// Has at least this rating, in tenths from 0 to 100.
    pub rating_min_tenths: Option<u8>,
    /// Has a name or synopsis in one of these languages (BCP 47; "pt" takes "pt-BR" too).
    pub languages: Vec<String>,
}

/// What a profile likes.
#[derive(Debug, Clone, Default)]
pub struct Taste {
    /// How much each genre is liked, from 0 to 1. A title counts as much as the mean of its genres.
    pub genres: BTreeMap<String, f32>,
}

/// Why a search has no answer.
#[derive(Debug, Error)]
pub enum Error {
    /// A field of the request breaks its rule.
    #[error("{field}: {rule}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is allowed.
        rule: &'static str,
    },
    /// The index could not be read.
    #[error(transparent)]
    Index(#[from] index::Error),
    /// A file of the index could not be read.
    #[error("the search index: {0}")]
    Io(#[from] std::io::Error),
}

impl Request {
    /// The first ten titles for a text, for somebody who sees everything.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            filters: Filters::default(),
            audience: None,
            taste: None,
            first: 10,
            offset: 0,
            facets: false,
            highlights: false,
        }
    }

    /// Checks every field against its rule.
    ///
    /// # Errors
    /// The first field that breaks its rule.
    pub fn validate(&self) -> Result<(), Error> {
        let fits = self.text.len() <= TEXT_MAX * 4 + 1_000
            && self.text.trim().chars().take(TEXT_MAX + 1).count() <= TEXT_MAX;
        check(fits, "text", "at most 200 characters")?;
        check((1..=FIRST_MAX).contains(&self.first), "first", "from 1 to 101")?;
        check(self.offset <= OFFSET_MAX, "after", "within the first 1,000 hits")?;
        self.filters.validate()
    }
}

impl Filters {
    fn validate(&self) -> Result<(), Error> {
        let lists = [
            ("filters/genres", self.genres.len()),
            ("filters/kinds", self.kinds.len()),
            ("filters/decades", self.decades.len()),
            ("filters/languages", self.languages.len()),
        ];
        for (field, values) in lists {
            check(values <= FILTER_VALUES_MAX, field, "at most 50 values")?;
        }
        let ordered = self.years.as_ref().is_none_or(|years| years.start() <= years.end());
        check(ordered, "filters/years", "from an earlier to a later year")?;
        let decades = self.decades.iter().all(|decade| decade % 10 == 0);
        check(decades, "filters/decades", "first years of decades, such as 1990")?;
        let rating = self.rating_min_tenths.is_none_or(|tenths| tenths <= 100);
        check(rating, "filters/rating_min", "from 0 to 10")
    }
}

fn check(holds: bool, field: &'static str, rule: &'static str) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(Error::Invalid { field, rule }) }
}
