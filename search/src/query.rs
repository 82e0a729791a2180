//! Understands, finds and ranks.

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
