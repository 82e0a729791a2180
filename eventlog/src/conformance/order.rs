//! Versions, offsets and partitions.

use super::Subject;
use super::example::{all_events, assert_dense, event, events_of, ids, record, stream};
use crate::append::{Append, Appended, Expected};
use crate::event::NewEvent;

/// Two streams of one shard key share a partition and its offsets; each has its own versions.
pub async fn versions_and_offsets_count_from_zero_without_gaps(subject: impl Subject) {
    let log = subject.log();
    let partition = log.partitions().partition_of("acc");
    let first = record(&*log, "playback-acc", 0..2).await;
    let second = record(&*log, "viewing-acc.profile", 2..3).await;
    let third = record(&*log, "playback-acc", 3..4).await;
    let place = |first_offset, last_offset, first_version, last_version| Appended {
        partition,
        first_offset,
        last_offset,
        first_version,
        last_version,
        replayed: false,
    };
    assert_eq!([first, second, third], [place(0, 1, 0, 1), place(2, 2, 0, 0), place(3, 3, 2, 2)]);
    let events = all_events(&*log).await;
    assert_eq!(ids(&events), [0, 1, 2, 3]);
    assert_dense(&events);
    assert_eq!(log.head().get(partition), Some(4));
    assert_eq!(log.head().total(), 4);
}

/// Both in the stream and in the partition, in the order given.
pub async fn the_events_of_one_append_are_neighbours(subject: impl Subject) {
    let log = subject.log();
    for (name, numbers) in
        [("playback-acc", 0..7), ("viewing-acc", 7..12), ("playback-acc", 12..90)]
    {
        let appended = record(&*log, name, numbers.clone()).await;
        let events = events_of(&*log, name).await;
        let events: Vec<_> =
            events.into_iter().filter(|event| event.version >= appended.first_version).collect();
        assert_eq!(ids(&events), numbers.collect::<Vec<_>>());
        let offsets: Vec<_> = events.iter().map(|event| event.offset).collect();
        assert_eq!(offsets, (appended.first_offset..=appended.last_offset).collect::<Vec<_>>());
        assert_eq!(events.last().map(|event| event.version), Some(appended.last_version));
    }
}

/// The answer, the stream and the partition agree about where a stream lives.
pub async fn a_stream_lives_in_the_partition_of_its_shard_key(subject: impl Subject) {
    let log = subject.log();
    for id in 0..50 {
        let name = format!("title-{id}.part");
        let appended = record(&*log, &name, id..id + 1).await;
        assert_eq!(appended.partition, log.partitions().partition_of(&id.to_string()));
        assert_eq!(events_of(&*log, &name).await[0].partition, appended.partition);
    }
    assert_dense(&all_events(&*log).await);
}

/// Also where it is empty, not text, or at the end of its range.
pub async fn an_event_comes_back_as_it_was_appended(subject: impl Subject) {
    let log = subject.log();
    let events = vec![
        event(1),
        NewEvent { payload: "".into(), metadata: "{\"a\":1}".into(), ..event(2) },
        NewEvent { payload: vec![0, 255, 10].into(), actor: "account:\u{e9}".into(), ..event(3) },
        NewEvent { recorded_at_ms: i64::MIN, schema_version: u16::MAX, ..event(u128::MAX) },
    ];
    let append =
        Append { stream: stream("title-x"), expected: Expected::Any, events: events.clone() };
    log.append(append).await.expect("nothing speaks against the append");
    let of_stream = events_of(&*log, "title-x").await;
    assert_eq!(of_stream, all_events(&*log).await);
    assert!(of_stream.iter().all(|event| event.stream == stream("title-x")));
    assert_eq!(of_stream.into_iter().map(|event| event.event).collect::<Vec<_>>(), events);
}
