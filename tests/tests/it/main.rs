//! The whole system, tested from outside: one binary, a module a subject.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in a test a panic is how one fails"
)]

mod backup;
mod crash;
mod erasure;
mod faults;
mod films;
mod import;
mod kills;
mod outside;
mod people;
mod playing;
mod replaying;
mod ring;
mod standards;
mod tidy;
