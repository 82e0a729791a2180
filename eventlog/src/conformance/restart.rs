//! What is the same when the log was closed and opened again.

use super::Subject;
use super::example::{all_events, append, assert_dense, batch, events_of, ids, record, refused};
use crate::append::{AppendError, Appended, Expected};
use crate::cursor::Cursor;

/// Several times in a row, with appends in between.
pub async fn events_and_head_are_the_same_after_a_restart(mut subject: impl Subject) {
    for round in 0..4 {
        for id in (0..10).map(|nth| 100 * round + 3 * nth) {
            record(&*subject.log(), &format!("title-{}", id % 7), id..id + 3).await;
        }
        let log = subject.log();
        let before = (all_events(&*log).await, log.head(), log.partitions());
        let stream = events_of(&*log, "title-3").await;
        drop(log);
        subject.reopen().await;
        let log = subject.log();
        assert_dense(&before.0);
        assert_eq!((all_events(&*log).await, log.head(), log.partitions()), before);
        assert_eq!(events_of(&*log, "title-3").await, stream);
    }
}

/// A conflict is still one, and so is a replay.
pub async fn conditions_and_ids_are_remembered_over_a_restart(mut subject: impl Subject) {
    let first = record(&*subject.log(), "title-x", 0..3).await;
    subject.reopen().await;
    let log = subject.log();
    let error = refused(&*log, append("title-x", Expected::NoStream, 5..6)).await;
    assert!(matches!(error, AppendError::Conflict { len: 3, .. }), "{error}");
    let error = refused(&*log, append("title-y", Expected::Any, 0..3)).await;
    assert!(matches!(error, AppendError::IdTaken { .. }), "{error}");
    let again = log.append(append("title-x", Expected::NoStream, 0..3)).await;
    assert_eq!(again, Ok(Appended { replayed: true, ..first }));
    let next = log.append(append("title-x", Expected::Exact(2), 5..6)).await;
    assert_eq!(next.expect("2 is the last version").first_version, 3);
}

/// As if nothing had happened.
pub async fn a_cursor_goes_on_after_a_restart(mut subject: impl Subject) {
    let log = subject.log();
    record(&*log, "title-x", 0..5).await;
    let first = batch(&*log, &Cursor::start(log.partitions()), 3).await;
    drop(log);
    subject.reopen().await;
    let log = subject.log();
    record(&*log, "title-x", 5..7).await;
    let rest = batch(&*log, &first.next, 10).await;
    assert_eq!([ids(&first.events), ids(&rest.events)].concat(), (0..7).collect::<Vec<_>>());
    assert_eq!(rest.next, log.head());
}
