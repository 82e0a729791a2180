//! Streams and cursors.

use super::Subject;
use super::example::{all_events, batch, events_of, ids, record, stream};
use crate::cursor::{Batch, Cursor};
use crate::log::{EventLog, ReadError};
use crate::stream::Partition;

/// Appends `count` events to as many streams.
async fn spread(log: &dyn EventLog, count: u128) {
    for id in 0..count {
        record(log, &format!("title-{id}"), id..id + 1).await;
    }
}

/// At most as many as asked for; none from its end on.
pub async fn a_stream_is_read_from_any_version(subject: impl Subject) {
    let log = subject.log();
    record(&*log, "title-x", 0..5).await;
    record(&*log, "title-y", 5..9).await;
    record(&*log, "title-x", 9..14).await;
    let all = events_of(&*log, "title-x").await;
    assert_eq!(ids(&all), [0, 1, 2, 3, 4, 9, 10, 11, 12, 13]);
    for from in 0..11 {
        for limit in 1..12 {
            let read = log.read_stream(&stream("title-x"), from, limit).await;
            let read = read.expect("the log is sound");
            let skipped = usize::try_from(from).unwrap_or(usize::MAX);
            let wanted: Vec<_> = all.iter().skip(skipped).take(limit).cloned().collect();
            assert_eq!(read, wanted, "from {from}, at most {limit}");
        }
    }
}

/// From the end itself there is just nothing yet.
pub async fn reading_from_beyond_the_end_is_refused(subject: impl Subject) {
    let log = subject.log();
    for len in [0, 5] {
        record(&*log, &format!("title-{len}"), u128::from(len)..u128::from(len) + 5).await;
        let stream = stream("title-5");
        assert_eq!(log.read_stream(&stream, len, 10).await, Ok(Vec::new()));
        for from in [len + 1, len + 2, u64::MAX - 1, u64::MAX] {
            for limit in [1, usize::MAX] {
                let error = log.read_stream(&stream, from, limit).await;
                assert_eq!(error, Err(ReadError::BeyondEnd { stream: stream.clone(), from, len }));
            }
        }
    }
}

/// Before the log has any event, and after.
pub async fn a_stream_that_does_not_exist_is_empty(subject: impl Subject) {
    let log = subject.log();
    assert!(events_of(&*log, "title-x").await.is_empty());
    record(&*log, "title-y", 0..1).await;
    assert!(events_of(&*log, "title-x").await.is_empty());
}

/// And neither reads nor names any other in what it answers.
pub async fn a_cursor_reads_only_its_partitions(subject: impl Subject) {
    let log = subject.log();
    spread(&*log, 60).await;
    let all = all_events(&*log).await;
    for modulus in [1, 2, 3, 5] {
        let wanted = |partition: Partition| partition.0.is_multiple_of(modulus);
        let partitions = log.partitions().all().filter(|partition| wanted(*partition));
        let cursor: Cursor = partitions.map(|partition| (partition, 0)).collect();
        let Batch { events, next } = batch(&*log, &cursor, 1_000).await;
        let mut read = ids(&events);
        read.sort_unstable();
        let of_wanted = all.iter().filter(|event| wanted(event.partition)).cloned();
        let mut expected = ids(&of_wanted.collect::<Vec<_>>());
        expected.sort_unstable();
        assert_eq!(read, expected, "every {modulus}th partition");
        assert!(next.iter().map(|(partition, _)| partition).eq(cursor.iter().map(|(of, _)| of)));
        assert_eq!(next.behind(&log.head()), 0);
    }
}

/// Whatever their size.
pub async fn batches_join_without_gap_or_overlap(subject: impl Subject) {
    let log = subject.log();
    spread(&*log, 40).await;
    record(&*log, "title-7", 40..60).await;
    for limit in [1, 2, 3, 7, 59, 60, 61, usize::MAX] {
        let mut cursor = Cursor::start(log.partitions());
        let mut seen = Vec::new();
        loop {
            let Batch { events, next } = batch(&*log, &cursor, limit).await;
            assert!(events.len() <= limit, "{} events, at most {limit}", events.len());
            let mut advanced = cursor.clone();
            for event in &events {
                assert_eq!(advanced.get(event.partition), Some(event.offset), "{event:?}");
                advanced.advance(event);
            }
            assert_eq!(next, advanced);
            if events.is_empty() {
                break;
            }
            seen.extend(ids(&events));
            cursor = next;
        }
        seen.sort_unstable();
        assert_eq!(seen, (0..60).collect::<Vec<_>>(), "at most {limit} at once");
        assert_eq!(cursor, log.head());
    }
}

/// Of an empty log, and of one with events.
pub async fn at_the_head_there_is_nothing_and_the_cursor_stays(subject: impl Subject) {
    let log = subject.log();
    for count in [0, 3] {
        spread(&*log, count).await;
        let head = log.head();
        assert_eq!(head.iter().count(), usize::from(log.partitions().get()));
        let nothing = Batch { events: Vec::new(), next: head.clone() };
        assert_eq!(batch(&*log, &head, 10).await, nothing);
    }
    assert_eq!(batch(&*log, &Cursor::default(), 10).await.events, []);
}

/// Even if there is something to read in other partitions.
pub async fn a_cursor_beyond_the_head_is_refused(subject: impl Subject) {
    let log = subject.log();
    let partition = record(&*log, "title-x", 0..3).await.partition;
    let mut cursor = Cursor::start(log.partitions());
    cursor.set(partition, 4);
    let error = log.read(&cursor, 10).await;
    assert_eq!(error, Err(ReadError::BeyondHead { partition, offset: 4, head: 3 }));
    cursor.set(partition, 0);
    let unknown = Partition(log.partitions().get());
    cursor.set(unknown, 1);
    let error = log.read(&cursor, 10).await;
    assert_eq!(error, Err(ReadError::BeyondHead { partition: unknown, offset: 1, head: 0 }));
}
