//! What an append expects of its stream, and the limits.

use super::Subject;
use super::example::{
    all_events, append, assert_dense, event, events_of, ids, record, refused, stream,
};
use crate::append::{APPEND_BYTES_MAX, Append, AppendError, EVENTS_MAX, Expected, LABEL_BYTES_MAX};
use crate::event::NewEvent;
use crate::log::EventLog;

async fn assert_conflict(log: &dyn EventLog, name: &str, expected: Expected, len: u64) {
    let error = refused(log, append(name, expected, 1_000..1_002)).await;
    assert_eq!(error, AppendError::Conflict { stream: stream(name), expected, len });
    assert!(error.retryable());
}

/// The first append comes through, the second does not.
pub async fn no_stream_holds_only_before_the_first_event(subject: impl Subject) {
    let log = subject.log();
    let first = log.append(append("title-x", Expected::NoStream, 0..1)).await;
    assert_eq!(first.expect("there is no stream yet").first_version, 0);
    assert_conflict(&*log, "title-x", Expected::NoStream, 1).await;
}

/// Before the first event and after it.
pub async fn any_holds_always(subject: impl Subject) {
    let log = subject.log();
    for id in 0..3 {
        let appended = log.append(append("title-x", Expected::Any, id..id + 1)).await;
        assert_eq!(u128::from(appended.expect("anything goes").first_version), id);
    }
}

/// Not for an earlier one.
pub async fn exact_holds_only_for_the_last_version(subject: impl Subject) {
    let log = subject.log();
    record(&*log, "title-x", 0..3).await;
    for version in [0, 1] {
        assert_conflict(&*log, "title-x", Expected::Exact(version), 3).await;
    }
    let appended = log.append(append("title-x", Expected::Exact(2), 3..5)).await;
    assert_eq!(appended.expect("2 is the last version").first_version, 3);
    assert_conflict(&*log, "title-x", Expected::Exact(2), 5).await;
}

/// Of a stream that exists, and of one that does not; nothing is recorded.
pub async fn a_version_beyond_the_end_has_an_error_of_its_own(subject: impl Subject) {
    let log = subject.log();
    for len in [0, 3] {
        record_up_to(&*log, "title-x", len).await;
        for expected in [len, len + 1, u64::MAX - 1, u64::MAX] {
            let append = append("title-x", Expected::Exact(expected), 1_000..1_002);
            let error = refused(&*log, append).await;
            let stream = stream("title-x");
            assert_eq!(error, AppendError::BeyondEnd { stream, expected, len });
            assert!(error.retryable());
        }
        assert_eq!(log.head().total(), len);
    }
    let appended = log.append(append("title-x", Expected::Exact(2), 1_000..1_002)).await;
    assert!(!appended.expect("2 is the last version").replayed);
}

/// Appends events until the stream has so many.
async fn record_up_to(log: &dyn EventLog, name: &str, len: u64) {
    let before = u128::try_from(events_of(log, name).await.len()).unwrap_or(0);
    if before < u128::from(len) {
        record(log, name, before..u128::from(len)).await;
    }
}

/// Neither an event nor a place; its ids may be used afterwards.
pub async fn a_refused_append_leaves_nothing(subject: impl Subject) {
    let log = subject.log();
    record(&*log, "title-x", 0..2).await;
    let head = log.head();
    refused(&*log, append("title-x", Expected::NoStream, 10..13)).await;
    refused(&*log, append("title-y", Expected::Exact(0), 10..13)).await;
    refused(&*log, append("title-x", Expected::Any, 1..4)).await;
    let twice = vec![event(10), event(10)];
    refused(&*log, Append { events: twice, ..append("title-x", Expected::Any, 0..0) }).await;
    assert_eq!(log.head(), head);
    assert!(events_of(&*log, "title-y").await.is_empty());
    let appended = log.append(append("title-x", Expected::Exact(1), 10..13)).await;
    assert!(!appended.expect("nothing was recorded before").replayed);
    assert_eq!(ids(&events_of(&*log, "title-x").await), [0, 1, 10, 11, 12]);
    assert_dense(&all_events(&*log).await);
}

/// One limit broken at a time.
pub async fn every_limit_has_its_error(subject: impl Subject) {
    let log = subject.log();
    let with = |event: NewEvent| Append {
        stream: stream("title-x"),
        expected: Expected::Any,
        events: vec![event],
    };
    let long = || "x".repeat(LABEL_BYTES_MAX + 1).into();
    let events_max = u128::try_from(EVENTS_MAX).unwrap_or(0);
    let bad_label = |field, bytes| AppendError::BadLabel { field, bytes };
    let control = |field, label: &str| {
        let label = label.to_owned();
        AppendError::ControlCharacter { field, label }
    };
    let large = vec![b' '; APPEND_BYTES_MAX + 1 - "Happened0account:0".len()];
    let cases = [
        (append("title-x", Expected::Any, 0..0), AppendError::Empty),
        (
            append("title-x", Expected::Any, 0..events_max + 1),
            AppendError::TooManyEvents { count: EVENTS_MAX + 1 },
        ),
        (
            with(NewEvent { payload: large.clone().into(), ..event(0) }),
            AppendError::TooLarge { bytes: APPEND_BYTES_MAX + 1 },
        ),
        (
            with(NewEvent { payload: "".into(), metadata: large.into(), ..event(0) }),
            AppendError::TooLarge { bytes: APPEND_BYTES_MAX + 1 },
        ),
        (with(NewEvent { event_type: "".into(), ..event(0) }), bad_label("event_type", 0)),
        (with(NewEvent { event_type: long(), ..event(0) }), bad_label("event_type", 101)),
        (with(NewEvent { actor: "".into(), ..event(0) }), bad_label("actor", 0)),
        (with(NewEvent { actor: long(), ..event(0) }), bad_label("actor", 101)),
        (with(NewEvent { event_type: "\0".into(), ..event(0) }), control("event_type", "\0")),
        (with(NewEvent { event_type: "A\nB".into(), ..event(0) }), control("event_type", "A\nB")),
        (with(NewEvent { actor: "account:\0".into(), ..event(0) }), control("actor", "account:\0")),
        (with(NewEvent { actor: "\u{85}x".into(), ..event(0) }), control("actor", "\u{85}x")),
        (
            Append { events: vec![event(1), event(2), event(1)], ..with(event(0)) },
            AppendError::DuplicateId { id: event(1).id },
        ),
    ];
    for (append, error) in cases {
        assert_eq!(refused(&*log, append).await, error);
        assert!(!error.retryable());
    }
    assert_eq!(log.head().total(), 0);
}

/// The most events, the most bytes, the longest names.
pub async fn what_is_just_within_the_limits_is_recorded(subject: impl Subject) {
    let log = subject.log();
    let name = format!("title-{}", "x".repeat(crate::stream::NAME_BYTES_MAX - "title-".len()));
    let events_max = u128::try_from(EVENTS_MAX).unwrap_or(0);
    record(&*log, &name, 0..events_max).await;
    let label = "x".repeat(LABEL_BYTES_MAX);
    let largest = NewEvent {
        event_type: label.as_str().into(),
        actor: label.as_str().into(),
        payload: vec![b' '; APPEND_BYTES_MAX - 2 * LABEL_BYTES_MAX].into(),
        ..event(events_max)
    };
    let append =
        Append { stream: stream(&name), expected: Expected::Any, events: vec![largest.clone()] };
    log.append(append).await.expect("the append is within the limits");
    record(&*log, &name, events_max + 1..events_max + 2).await;
    let events = events_of(&*log, &name).await;
    assert_eq!(ids(&events), (0..=events_max + 1).collect::<Vec<_>>());
    assert_eq!(events[EVENTS_MAX].event, largest);
    assert_eq!(events, all_events(&*log).await);
}
