//! What can be found: a Tantivy index of [`Document`]s.
//!
//! Writing is put, remove, commit: a commit makes both the documents and its payload durable in one
//! step, so that a projector can keep its checkpoint in the payload and every event counts once.
//! Reading goes through a [`Snapshot`], which does not change under a search.

mod document;
mod schema;
mod segment;
mod store;

pub use document::{Document, LocalName, Person};
pub(crate) use schema::{Fields, bag, grams};
pub use segment::Snapshot;
pub(crate) use segment::{Posted, Row, Segment, each_doc};
pub use store::{Error, Index, Options};
