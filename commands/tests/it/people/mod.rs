//! What people do with their accounts.

mod devices;
mod emails;
mod erasing;
mod outside;
mod passwords;
mod playing;
mod registering;
mod signing_in;
mod starting;
mod world;

use playhead_commands::people::PeopleError;
use playhead_domain::identity;

/// Why the identity refused.
fn refusal<T: std::fmt::Debug>(outcome: Result<T, PeopleError>) -> identity::Refusal {
    match outcome {
        Err(PeopleError::Identity(refusal)) => refusal,
        other => panic!("not refused by the identity: {other:?}"),
    }
}
