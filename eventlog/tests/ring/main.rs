//! The ring from outside: the places that other programs computed, and what holds of every ring.
#![expect(clippy::unwrap_used, reason = "in a test a panic is how one fails")]

mod properties;
mod vectors;
