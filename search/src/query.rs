//! Understands, finds and ranks.

mod request;

pub use request::{Audience, Error, Filters, Request, Taste};
