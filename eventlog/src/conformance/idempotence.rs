//! An event id is recorded once.

use super::Subject;
use super::example::{append, event, events_of, record, refused, stream};
use crate::append::{Append, AppendError, Appended, Expected};
use crate::log::EventLog;

async fn assert_taken(log: &dyn EventLog, append: Append, id: u128, holder: &str) {
    let head = log.head();
    let error = refused(log, append).await;
    assert_eq!(error, AppendError::IdTaken { id: event(id).id, stream: stream(holder) });
    assert!(!error.retryable());
    assert_eq!(log.head(), head);
}

/// However much was appended meanwhile.
pub async fn a_repeated_append_is_answered_with_its_first_place(subject: impl Subject) {
    let log = subject.log();
    record(&*log, "viewing-acc", 0..1).await;
    let first = record(&*log, "playback-acc", 1..4).await;
    record(&*log, "playback-acc", 4..6).await;
    record(&*log, "viewing-acc", 6..7).await;
    let head = log.head();
    let again = record(&*log, "playback-acc", 1..4).await;
    assert_eq!(again, Appended { replayed: true, ..first });
    assert_eq!(log.head(), head);
    assert_eq!(events_of(&*log, "playback-acc").await.len(), 5);
}

/// The condition held once; whether it holds now does not matter.
pub async fn a_replay_comes_before_the_condition(subject: impl Subject) {
    let log = subject.log();
    let first = log.append(append("title-x", Expected::NoStream, 0..2)).await;
    let first = first.expect("there is no stream yet");
    record(&*log, "title-x", 2..3).await;
    for expected in [Expected::NoStream, Expected::Any, Expected::Exact(0), Expected::Exact(99)] {
        let again = log.append(append("title-x", expected, 0..2)).await;
        assert_eq!(again, Ok(Appended { replayed: true, ..first }), "{expected:?}");
    }
}

/// Any neighbours are; they need not be the whole append.
pub async fn a_part_of_an_append_is_replayed(subject: impl Subject) {
    let log = subject.log();
    record(&*log, "viewing-acc", 10..13).await;
    record(&*log, "playback-acc", 0..5).await;
    let part = record(&*log, "playback-acc", 1..4).await;
    let partition = log.partitions().partition_of("acc");
    let place = Appended {
        partition,
        first_offset: 4,
        last_offset: 6,
        first_version: 1,
        last_version: 3,
        replayed: true,
    };
    assert_eq!(part, place);
}

/// Neighbours in the stream, though another stream's event may lie between them.
pub async fn appends_repeated_as_one_are_replayed(subject: impl Subject) {
    let log = subject.log();
    let first = record(&*log, "playback-acc", 0..1).await;
    record(&*log, "viewing-acc", 9..10).await;
    let second = record(&*log, "playback-acc", 1..2).await;
    let both = record(&*log, "playback-acc", 0..2).await;
    let place = Appended {
        last_offset: second.last_offset,
        last_version: second.last_version,
        replayed: true,
        ..first
    };
    assert_eq!(both, place);
}

/// Neither recorded nor replayed, wherever the known id stands.
pub async fn known_and_new_ids_in_one_append_are_refused(subject: impl Subject) {
    let log = subject.log();
    record(&*log, "title-x", 5..8).await;
    for (numbers, taken) in [(4..6, 5), (7..9, 7), (4..9, 5), (0..6, 5)] {
        let append = append("title-x", Expected::Any, numbers);
        assert_taken(&*log, append, taken, "title-x").await;
    }
}

/// The error names the stream that holds the id.
pub async fn ids_of_another_stream_are_refused(subject: impl Subject) {
    let log = subject.log();
    record(&*log, "title-x", 0..2).await;
    record(&*log, "title-y", 2..4).await;
    for name in ["title-y", "title-z"] {
        assert_taken(&*log, append(name, Expected::Any, 0..2), 0, "title-x").await;
    }
    assert_taken(&*log, append("title-y", Expected::Any, 1..3), 1, "title-x").await;
    assert_taken(&*log, append("title-x", Expected::Any, 1..3), 1, "title-x").await;
}

/// Also if they are all there.
pub async fn ids_in_another_order_are_refused(subject: impl Subject) {
    let log = subject.log();
    record(&*log, "title-x", 0..4).await;
    for (order, taken) in [([1, 0], 1), ([0, 2], 0), ([3, 0], 3)] {
        let events = order.map(event).to_vec();
        let append = Append { events, ..append("title-x", Expected::Any, 0..0) };
        assert_taken(&*log, append, taken, "title-x").await;
    }
}
