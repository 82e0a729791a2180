//! Understands, finds and ranks.

mod fuzzy;
mod gate;
mod pass;
mod plan;
mod request;
mod search;
mod tier;
mod words;

pub use request::{Audience, Error, Filters, Request, Taste};
pub use search::{Answer, Hit};
pub use tier::Tier;
