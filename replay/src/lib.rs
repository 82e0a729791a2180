//! Replay: the same projectors over the log from its start, into a fresh store, compared with the
//! live one row by row.
//!
//! What this crate is *not*: a second implementation of anything. It reads the log and folds it
//! with `playhead-projections`; a difference between the stores is a difference between what was
//! folded when it happened and what is folded now.

pub mod compare;
pub mod rebuild;

pub use compare::{Comparison, Difference, TableReport, compare};
pub use rebuild::{Model, Phase, RebuildError, RebuildReport, UnknownModel, rebuild};
