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
mod faults;
mod household;
mod imdb;
mod load;
mod mailbox;
mod node;
mod person;
mod process;
mod recorded;

pub use client::Client;
pub use faults::{Fault, SmallDisk, Tracer, skipped};
pub use household::Household;
pub use imdb::write_imdb;
pub use load::{Crew, Shift, Tally, film, film_ids};
pub use mailbox::{Mailbox, code_in};
pub use node::Node;
pub use person::{Person, REGISTER, SignedIn, minted, registration};
pub use process::{Done, Server, binary, run};
pub use recorded::Recorded;
