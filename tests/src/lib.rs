//! The harness of the system tests: the real binary, started, asked and killed.
#![expect(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this crate only serves tests, in which a panic is how one fails"
)]

mod client;
mod household;
mod process;

pub use client::Client;
pub use household::Household;
pub use process::{Done, Server, binary, run};
