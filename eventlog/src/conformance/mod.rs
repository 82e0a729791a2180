//! What every engine holds, as tests: [`crate::EventLog`]'s promises, one claim each.
//!
//! An engine runs them all with one line, given a name and something to call for a [`Subject`] with
//! an empty log:
//!
//! ```text
//! playhead_eventlog::conformance!(memory, async || MemorySubject::new());
//! ```
//!
//! It becomes a module of that name with one `#[tokio::test]` per claim, so the crate that uses it
//! needs `tokio` with `macros` and `rt-multi-thread`.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "these are tests, kept outside of cfg(test) so that other crates can run them"
)]

pub mod concurrency;
pub mod conditions;
pub mod following;
pub mod idempotence;
pub mod order;
pub mod reading;
pub mod restart;

mod example;

use std::sync::Arc;

use async_trait::async_trait;

use crate::log::EventLog;

/// A log under test.
#[async_trait]
pub trait Subject: Send {
    /// The log as it was opened last.
    fn log(&self) -> Arc<dyn EventLog>;

    /// Closes the log and opens it again, with the events it had.
    async fn reopen(&mut self);
}

/// Runs every claim against an engine: `conformance!(name, async || subject)`. See
/// [`mod@crate::conformance`].
#[macro_export]
macro_rules! conformance {
    ($name:ident, $subject:expr) => {
        $crate::conformance!(@claims $name, $subject, {
            order::{
                versions_and_offsets_count_from_zero_without_gaps,
                the_events_of_one_append_are_neighbours,
                a_stream_lives_in_the_partition_of_its_shard_key,
                an_event_comes_back_as_it_was_appended,
            }
            conditions::{
                no_stream_holds_only_before_the_first_event,
                any_holds_always,
                exact_holds_only_for_the_last_version,
                a_version_beyond_the_end_has_an_error_of_its_own,
                a_refused_append_leaves_nothing,
                every_limit_has_its_error,
                what_is_just_within_the_limits_is_recorded,
            }
            idempotence::{
                a_repeated_append_is_answered_with_its_first_place,
                a_replay_comes_before_the_condition,
                a_part_of_an_append_is_replayed,
                appends_repeated_as_one_are_replayed,
                known_and_new_ids_in_one_append_are_refused,
                ids_of_another_stream_are_refused,
                ids_in_another_order_are_refused,
            }
            reading::{
                a_stream_is_read_from_any_version,
                a_stream_that_does_not_exist_is_empty,
                reading_from_beyond_the_end_is_refused,
                a_cursor_reads_only_its_partitions,
                batches_join_without_gap_or_overlap,
                at_the_head_there_is_nothing_and_the_cursor_stays,
                a_cursor_beyond_the_head_is_refused,
            }
            following::{
                waiting_ends_at_once_if_something_is_there,
                waiting_ends_with_the_next_append,
                waiting_ignores_other_partitions,
                a_follower_sees_every_event_once_while_writers_write,
            }
            concurrency::{
                of_concurrent_writers_to_one_version_one_wins,
                concurrent_writers_to_many_streams_leave_no_gap,
                one_append_sent_many_times_at_once_is_recorded_once,
            }
            restart::{
                events_and_head_are_the_same_after_a_restart,
                conditions_and_ids_are_remembered_over_a_restart,
                a_cursor_goes_on_after_a_restart,
            }
        });
    };
    (@claims $name:ident, $subject:expr, { $($topic:ident::{ $($claim:ident),* $(,)? })* }) => {
        mod $name {
            #[allow(unused_imports, reason = "the subject may be named by its whole path")]
            use super::*;

            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $claim() {
                    let subject = ($subject)().await;
                    Box::pin($crate::conformance::$topic::$claim(subject)).await;
                }
            )*)*
        }
    };
}
