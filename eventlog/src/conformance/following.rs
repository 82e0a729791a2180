//! Waiting for events that are not there yet.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use super::Subject;
use super::example::{assert_dense, batch, ids, record};
use crate::cursor::Cursor;
use crate::stream::Partition;

/// Wherever the cursor stands before it.
pub async fn waiting_ends_at_once_if_something_is_there(subject: impl Subject) {
    let log = subject.log();
    let partition = record(&*log, "title-x", 0..3).await.partition;
    for offset in 0..3 {
        let mut cursor = log.head();
        cursor.set(partition, offset);
        log.wait(&cursor).await;
    }
}

/// And not before it.
pub async fn waiting_ends_with_the_next_append(subject: impl Subject) {
    let log = subject.log();
    for id in 0..10 {
        let head = log.head();
        let mut waiting = pin!(log.wait(&head));
        let pending = poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context).is_pending()));
        assert!(pending.await, "there was nothing to wait for yet");
        record(&*log, &format!("title-{id}"), id..id + 1).await;
        waiting.await;
        assert_eq!(ids(&batch(&*log, &head, 10).await.events), [id]);
    }
}

/// Those that the cursor does not name.
pub async fn waiting_ignores_other_partitions(subject: impl Subject) {
    let log = subject.log();
    let partition = record(&*log, "title-x", 0..1).await.partition;
    let others = log.head().iter().filter(|(other, _)| *other != partition).collect::<Cursor>();
    let mut waiting = pin!(log.wait(&others));
    record(&*log, "title-x", 1..2).await;
    let pending = poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context).is_pending()));
    assert!(pending.await, "an event of partition {partition} is not behind {others:?}");
}

/// From the beginning through to what is written while it reads.
pub async fn a_follower_sees_every_event_once_while_writers_write(subject: impl Subject) {
    const WRITERS: u128 = 8;
    const APPENDS: u128 = 25;
    let log = subject.log();
    record(&*log, "title-before", 0..10).await;
    let writers = (1..=WRITERS).map(|writer| {
        let log = subject.log();
        tokio::spawn(async move {
            for id in (0..APPENDS).map(|nth| 1_000 * writer + 2 * nth) {
                record(&*log, &format!("title-{writer}"), id..id + 2).await;
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let mut cursor = Cursor::start(log.partitions());
    let mut seen = Vec::new();
    while u128::try_from(seen.len()).unwrap_or(0) < 10 + WRITERS * APPENDS * 2 {
        log.wait(&cursor).await;
        let batch = batch(&*log, &cursor, 16).await;
        assert!(!batch.events.is_empty(), "waiting ended, so there is something");
        seen.extend(batch.events);
        cursor = batch.next;
    }
    for writer in writers {
        writer.await.expect("the writer came through");
    }
    assert_dense(&seen);
    assert_eq!(cursor, log.head());
    assert_eq!(cursor.get(Partition(log.partitions().get())), None);
}
