//! Read models: what screens show, folded from the log.
//!
//! A read model is a pure fold, a store of its own and its queries. The [`runtime`] feeds it from the
//! log; changes and checkpoint are committed together, so that each event counts once. Every read
//! model's state is a function of the log alone: any batch size and any interleaving of partitions
//! lead to the same rows, and so does starting over (crate `playhead-replay` holds them to it).
//!
//! A new read model is a new file with a [`store::Fold`], a folder in `migrations/` and nothing else.
//!
//! What this crate is *not*: it sends no command, appends no event, and reads no clock and no
//! environment.

pub mod access;
pub mod catalog;
pub mod continue_watching;
pub mod dump;
pub mod error;
pub mod generation;
pub mod progress_feed;
pub mod runtime;
pub mod store;
pub mod trending;

mod bookkeeping;
mod erasure;
mod rows;
mod terms;
#[cfg(test)]
mod testing;

pub use access::Access;
pub use catalog::Catalog;
pub use continue_watching::ContinueWatching;
pub use error::{ProjectionError, StoreError};
pub use generation::Generations;
pub use progress_feed::ProgressFeed;
pub use runtime::{Applied, Parked, Projection, ReadModel, Status, catch_up, catch_up_to, spawn};
pub use terms::Audience;
pub use trending::Trending;
