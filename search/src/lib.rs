//! Finds titles: the read model `search`, a Tantivy index folded from the log.
//!
//! [`text`] says how words are compared, [`index`] keeps what can be found, [`popularity`] says how
//! much titles are wanted, [`query`] understands, finds and ranks, [`suggest`] completes what is
//! being typed, [`similar`] tells what is like a title, and [`eval`] measures how good all of that
//! is.
//!
//! What this crate is *not*: it sends no command, appends no event, and reads no clock and no
//! environment.

pub mod eval;
pub mod index;
pub mod popularity;
pub mod query;
pub mod similar;
pub mod suggest;
pub mod text;
