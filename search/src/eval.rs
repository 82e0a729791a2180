//! Measures how good answers are: queries whose right answers are known, what was found for them,
//! and what that comes to.
//!
//! Pure: whoever calls it asks the queries, takes the time and reads the files. Films are named by
//! numbers, counted from 1 through a catalogue; the numbers are the caller's to keep.
//!
//! The measures are the usual ones of search for one known thing: MRR@10, the mean of one divided
//! by the rank of the first right answer, where an answer behind the tenth counts as none; and
//! success@n, the share of queries with a right answer among the first n.

mod board;
mod ceiling;
mod queries;
mod table;

pub use self::board::{Board, DEPTH, Latency, Measures, Row, rank};
pub use self::ceiling::{Ceiling, is_prefix_kind};
pub use self::queries::{Query, popularity, queries};
pub use self::table::{Flaw, ROWS_MAX};

#[cfg(test)]
mod tests;
