//! Order by commit, without gaps, over several processes and over transactions that are held open.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use playhead_eventlog::{Cursor, EventLog, Expected, Partition, PartitionCount, StreamName};
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Executor, query, query_scalar};
use uuid::Uuid;

use crate::fixture::{all_events, append, ids, open, record, two_partitions, win};
use crate::server::{Server, connect};

fn one() -> PartitionCount {
    PartitionCount::new(1).unwrap()
}

async fn is_pending<T>(future: &mut (impl Future<Output = T> + Unpin)) -> bool {
    poll_fn(|context| Poll::Ready(Pin::new(&mut *future).poll(context).is_pending())).await
}

/// What another process does in the midst of an append: takes the next offset of partition 0 and
/// inserts an event there.
async fn insert_next(transaction: &mut PgConnection, id: u128) -> i64 {
    let offset: i64 = query_scalar(
        "UPDATE playhead_eventlog.heads SET next_offset = next_offset + 1 \
         WHERE partition_number = 0 RETURNING next_offset - 1",
    )
    .fetch_one(&mut *transaction)
    .await
    .unwrap();
    query(
        "INSERT INTO playhead_eventlog.events VALUES \
         (0, $1, 'title-held', 0, $2, 'Held', 1, 0, 'system:test', $2, $2, '', '')",
    )
    .bind(offset)
    .bind(Uuid::from_u128(id))
    .execute(&mut *transaction)
    .await
    .unwrap();
    offset
}

/// Returns once a session waits for a lock in this database, so that nothing is left to chance.
async fn until_somebody_waits(observer: &mut PgConnection) {
    let waits = "SELECT EXISTS (SELECT FROM pg_stat_activity \
        WHERE wait_event_type = 'Lock' AND datname = current_database())";
    while !query_scalar::<_, bool>(waits).fetch_one(&mut *observer).await.unwrap() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_reader_skips_over_a_transaction_that_is_held_open() {
    let address = Server::shared().database().await;
    let log = open(&address, one()).await;
    record(&log, "title-before", 0..1).await;
    let mut other = connect(&address).await;
    let mut held = other.begin().await.unwrap();
    assert_eq!(insert_next(&mut held, 1).await, 1);

    let mut later = pin!(log.append(append("title-later", Expected::Any, [2])));
    assert!(is_pending(&mut later).await);
    until_somebody_waits(&mut connect(&address).await).await;
    assert!(is_pending(&mut later).await, "offset 2 is not given while 1 may still be taken back");
    let seen = log.read(&Cursor::start(one()), 10).await.unwrap();
    assert_eq!(ids(&seen.events), [0]);
    assert_eq!(seen.next, log.head());
    let mut waiting = pin!(log.wait(&seen.next));
    assert!(is_pending(&mut waiting).await);

    held.commit().await.unwrap();
    let later = later.await.unwrap();
    assert_eq!(later.first_offset, 2);
    waiting.await;
    let seen = log.read(&seen.next, 10).await.unwrap();
    assert_eq!(ids(&seen.events), [1, 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_is_taken_back_leaves_no_hole() {
    let address = Server::shared().database().await;
    let log = open(&address, one()).await;
    let mut other = connect(&address).await;
    let mut held = other.begin().await.unwrap();
    insert_next(&mut held, 1).await;
    let mut next = pin!(log.append(append("title-x", Expected::NoStream, [2])));
    assert!(is_pending(&mut next).await);
    until_somebody_waits(&mut connect(&address).await).await;
    held.rollback().await.unwrap();
    assert_eq!(next.await.unwrap().first_offset, 0);
    assert_eq!(ids(&all_events(&log).await), [2]);
}

/// Why the engine does not do what is commonly done: the reader's cursor stands behind 2 when 1
/// appears, and 1 is never read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sequence_would_let_readers_skip() {
    let address = Server::shared().database().await;
    let (mut slow, mut fast) = (connect(&address).await, connect(&address).await);
    slow.execute("CREATE TABLE naive (place BIGSERIAL PRIMARY KEY)").await.unwrap();
    let insert = "INSERT INTO naive DEFAULT VALUES";
    let behind = "SELECT place FROM naive WHERE place > $1 ORDER BY place";
    let mut held = slow.begin().await.unwrap();
    held.execute(insert).await.unwrap();
    fast.execute(insert).await.unwrap();
    let first: Vec<i64> = query_scalar(behind).bind(0_i64).fetch_all(&mut fast).await.unwrap();
    held.commit().await.unwrap();
    let second: Vec<i64> = query_scalar(behind).bind(2_i64).fetch_all(&mut fast).await.unwrap();
    assert_eq!((first, second), (vec![2], vec![]), "1 was skipped");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_one_stream_are_linear() {
    const APPENDS: u128 = 100;
    let address = Server::shared().database().await;
    let logs = [open(&address, two_partitions()).await, open(&address, two_partitions()).await];
    let logs = logs.map(Arc::new);
    let racers = [(0, 0), (1, 1_000), (0, 2_000), (1, 3_000)].map(|(log, first)| {
        let log = Arc::clone(&logs[log]);
        tokio::spawn(async move { win(&*log, "title-x", first..first + APPENDS).await })
    });
    let mut won = Vec::new();
    for racer in racers {
        won.extend(racer.await.unwrap());
    }
    won.sort_unstable();
    assert!((0..400).eq(won.iter().map(|(version, _)| *version)), "one winner for each version");
    for log in &logs {
        let events = all_events(&**log).await;
        let places: Vec<_> =
            events.iter().map(|event| (event.version, event.event.id.as_u128())).collect();
        assert_eq!(places, won);
        assert!((0..400).eq(events.iter().map(|event| event.offset)));
    }
}

/// In one stream they wait for each other's partition; in two, their ids meet in the index, where
/// PostgreSQL may call it a deadlock.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_append_sent_to_two_processes_is_recorded_once() {
    let address = Server::shared().database().await;
    let logs = [open(&address, two_partitions()).await, open(&address, two_partitions()).await];
    for round in 0..20 {
        let first = 10 * round;
        let mut same = [first, first + 1];
        let one = logs[0].append(append("title-x", Expected::Any, same));
        let two = logs[1].append(append("title-x", Expected::Any, same));
        let (one, two) = futures::join!(one, two);
        let (one, two) = (one.unwrap(), two.unwrap());
        assert_ne!(one.replayed, two.replayed, "one of them was first");
        assert_eq!(one.first_offset, two.first_offset);

        // In streams of different partitions, one of them must lose.
        same = [first + 5, first + 6];
        let swapped = [first + 6, first + 5];
        let one = logs[0].append(append(&of_partition(0), Expected::Any, same));
        let two = logs[1].append(append(&of_partition(1), Expected::Any, swapped));
        let (one, two) = futures::join!(one, two);
        assert_ne!(one.is_ok(), two.is_ok(), "{one:?} {two:?}");
    }
    assert_eq!(all_events(&logs[0]).await.len(), 80);
}

/// A stream that lives in this one of two partitions.
fn of_partition(number: u16) -> String {
    let mut names = (0..).map(|id| format!("title-{id}"));
    let lives_there = |name: &String| {
        let stream = StreamName::parse(name).unwrap();
        two_partitions().partition_of(stream.shard_key()) == Partition(number)
    };
    names.find(lives_there).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_process_appends_ends_waiting() {
    let address = Server::shared().database().await;
    let writer = open(&address, two_partitions()).await;
    let reader = open(&address, two_partitions()).await;
    let mut cursor = reader.head();
    for id in 0..10 {
        record(&writer, &format!("title-{id}"), id..id + 1).await;
        reader.wait(&cursor).await;
        let batch = reader.read(&cursor, 10).await.unwrap();
        assert_eq!(ids(&batch.events), [id]);
        cursor = batch.next;
    }
    assert_eq!(reader.head(), writer.head());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_process_need_not_wait_to_read_what_was_answered() {
    let address = Server::shared().database().await;
    let writer = open(&address, two_partitions()).await;
    let reader = open(&address, two_partitions()).await;
    for id in 0..20 {
        let from = writer.head();
        record(&writer, "title-x", id..id + 1).await;
        assert_eq!(ids(&reader.read(&from, 10).await.unwrap().events), [id]);
        assert_eq!(reader.read(&writer.head(), 10).await.unwrap().events, []);
    }
}
