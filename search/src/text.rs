//! How words are compared.
//!
//! Everything that is compared, whether it comes from a title or from a viewer, goes through
//! [`normalize`]: compatibility forms are unfolded (NFKD), marks of Latin, Greek, Cyrillic, Hebrew
//! and Arabic letters are taken off, letters are made small, apostrophes are dropped, "&" is "and",
//! and all other punctuation is a space. What is built on it:
//!
//! - [`tokens()`]: the words of a text with where they stand, for indexing and for highlights.
//!   Scripts that put no space between words are cut into pairs of characters, so that any part of
//!   two characters or more is found, whatever a dictionary would say of it.
//! - [`stem`]: the stems of a word, by language.
//! - [`numerals`]: "part ii", "part two" and "part 2" are the same, and a few other synonyms.

mod fold;
pub mod numerals;
pub mod stem;
mod tokens;

pub use fold::normalize;
pub use tokens::{Token, is_article, is_stop_word, squash, terms, tokens, umlaut_spelling};
