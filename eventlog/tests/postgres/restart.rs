//! A server that crashes and comes back in the midst of appends.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use playhead_eventlog::postgres::PostgresLog;
use playhead_eventlog::{Appended, EventLog, PartitionCount};
use tokio::task::{spawn_blocking, yield_now};

use crate::fixture::{all_events, open, record};
use crate::server::Server;

const WRITERS: u128 = 8;
const CRASHES: usize = 3;

/// Appends until told to stop; says what was answered.
async fn write(
    log: Arc<PostgresLog>,
    writer: u128,
    done: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
) -> Vec<(u128, Appended)> {
    let mut appends = Vec::new();
    for id in (0..).map(|nth| 1_000_000 * writer + 2 * nth) {
        if done.load(Ordering::Relaxed) {
            break;
        }
        appends.push((id, record(&*log, &format!("title-{writer}"), id..id + 2).await));
        answered.fetch_add(1, Ordering::Relaxed);
    }
    appends
}

async fn until(counter: &AtomicU64, more: u64) {
    let wanted = counter.load(Ordering::Relaxed) + more;
    while counter.load(Ordering::Relaxed) < wanted {
        yield_now().await;
    }
}

/// Nothing is lost, nothing is there twice, and no caller hears of the crash: what was in COMMIT
/// then is found by its ids, and is answered as new where the first try has recorded it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn appends_survive_a_crash_of_the_server_and_go_on() {
    let server = Arc::new(Server::start());
    let address = server.database().await;
    let log = Arc::new(open(&address, PartitionCount::DEFAULT).await);
    let (done, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let writers: Vec<_> = (1..=WRITERS)
        .map(|writer| {
            let (log, done, answered) = (log.clone(), done.clone(), answered.clone());
            tokio::spawn(write(log, writer, done, answered))
        })
        .collect();
    for _ in 0..CRASHES {
        until(&answered, 100).await;
        let server = Arc::clone(&server);
        spawn_blocking(move || server.crash_and_restart()).await.unwrap();
    }
    until(&answered, 100).await;
    done.store(true, Ordering::Relaxed);
    let mut appends = Vec::new();
    for writer in writers {
        appends.extend(writer.await.unwrap());
    }

    let events = all_events(&*log).await;
    assert_eq!(events.len(), 2 * appends.len());
    let places: HashMap<_, _> =
        events.iter().map(|event| (event.event.id.as_u128(), event)).collect();
    for (id, appended) in appends {
        assert!(!appended.replayed, "each was sent once");
        assert_eq!(places[&id].offset, appended.first_offset);
        assert_eq!(places[&(id + 1)].version, appended.last_version);
    }
    assert_eq!(u64::try_from(events.len()), Ok(log.head().total()));
    let again = open(&address, PartitionCount::DEFAULT).await;
    assert_eq!(all_events(&again).await, events);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_and_followers_find_the_server_again() {
    let server = Arc::new(Server::start());
    let address = server.database().await;
    let writer = open(&address, PartitionCount::DEFAULT).await;
    let reader = Arc::new(open(&address, PartitionCount::DEFAULT).await);
    record(&writer, "title-x", 0..3).await;
    let before = all_events(&*reader).await;
    let head = reader.head();
    let follower = tokio::spawn({
        let (reader, head) = (Arc::clone(&reader), head.clone());
        async move { reader.wait(&head).await }
    });
    let crashing = Arc::clone(&server);
    spawn_blocking(move || crashing.crash_and_restart()).await.unwrap();
    assert_eq!(all_events(&*reader).await, before);
    record(&writer, "title-x", 3..4).await;
    follower.await.unwrap();
    assert_eq!(reader.read(&head, 10).await.unwrap().events.len(), 1);
}
