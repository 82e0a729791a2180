use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use playhead_domain::CodecError;
use playhead_eventlog::{Appended, Batch, Cursor, EventLog, Partition, RecordedEvent};
use sqlx::sqlite::SqliteConnection;
use tokio::sync::Semaphore;

use super::projection::COMMITS_APART;
use super::*;
use crate::error::{ProjectionError, StoreError};
use crate::store::{Fold, SqliteStore};
use crate::testing::{TestLog, TestStore};

/// Strings the payloads of each stream together. The payload `bad` can be read only once the program
/// is `MENDED`.
#[derive(Debug, Default)]
struct Words<const MENDED: bool>(std::collections::BTreeMap<String, String>);

type Broken = Words<false>;
type Mended = Words<true>;

#[async_trait]
impl<const MENDED: bool> Fold for Words<MENDED> {
    const NAME: &'static str = "words";
    const VERSION: u32 = 1;
    const SCHEMA: &'static [&'static str] =
        &["CREATE TABLE words (stream TEXT NOT NULL PRIMARY KEY, text TEXT NOT NULL)"];

    fn wants(event_type: &str) -> bool {
        event_type == "Said"
    }

    fn fold(&mut self, event: &RecordedEvent) -> Result<(), CodecError> {
        let word = String::from_utf8_lossy(&event.event.payload).into_owned();
        if word == "bad" && !MENDED {
            return Err(CodecError::UnknownType { event_type: word });
        }
        self.0.entry(event.stream.to_string()).or_default().push_str(&word);
        Ok(())
    }

    async fn write(self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        for (stream, text) in self.0 {
            sqlx::query(
                "INSERT INTO words VALUES ($1, $2) \
                 ON CONFLICT (stream) DO UPDATE SET text = words.text || excluded.text",
            )
            .bind(stream)
            .bind(text)
            .execute(&mut *connection)
            .await
            .map_err(StoreError::sql("writing words"))?;
        }
        Ok(())
    }
}

async fn say(log: &TestLog, stream: &str, words: &[&str]) -> Appended {
    let mut appended = None;
    for word in words {
        appended = Some(log.append_raw(stream, "Said", word.as_bytes()).await);
    }
    appended.unwrap()
}

fn words(lines: &[(&str, &str)]) -> Vec<String> {
    lines.iter().map(|(stream, text)| format!("words [\"{stream}\",\"{text}\"]")).collect()
}

fn parked(parked: &[Parked]) -> Vec<(&str, u64, &str)> {
    parked.iter().map(|p| (p.stream.as_str(), p.version, p.error.as_str())).collect()
}

#[tokio::test]
async fn a_store_that_is_opened_again_goes_on_where_it_was() {
    let log = TestLog::new();
    for word in ["a", "b", "c", "d", "e"] {
        say(&log, "talk-1", &[word]).await;
        say(&log, "talk-2", &[word]).await;
    }
    let store = TestStore::<Mended>::new().await;
    let start = store.resume(&log).await;
    let batch = log.log.read(&start, 3).await.unwrap();
    store.store.apply(&batch).await.unwrap();
    let lost = log.log.read(&batch.next, 3).await.unwrap();
    drop(store.store.fold(&lost, Attempt::First));
    store.store.close().await;

    let again = SqliteStore::<Mended>::open(&store.path()).await.unwrap();
    assert_eq!(again.checkpoint().await.unwrap().total(), 3);
    let progress = Mutex::new(vec![]);
    let model: Arc<dyn ReadModel> = Arc::new(again);
    let told = |applied| progress.lock().unwrap().push(applied);
    assert_eq!(catch_up(log.log(), model, told).await.unwrap(), 7);
    assert_eq!(store.lines().await, words(&[("talk-1", "abcde"), ("talk-2", "abcde")]));
    assert_eq!(progress.into_inner().unwrap(), [7]);
}

#[tokio::test]
async fn catching_up_stops_at_the_place_it_was_given() {
    let (log, store) = (TestLog::new(), TestStore::<Mended>::new().await);
    say(&log, "talk-1", &["a", "b"]).await;
    let until = log.log.head();
    say(&log, "talk-1", &["c"]).await;
    say(&log, "talk-2", &["x"]).await;
    assert_eq!(catch_up_to(log.log(), store.model(), &until, drop).await.unwrap(), 2);
    assert_eq!(store.lines().await, words(&[("talk-1", "ab")]));
    assert_eq!(catch_up(log.log(), store.model(), drop).await.unwrap(), 2);
    assert_eq!(store.lines().await, words(&[("talk-1", "abc"), ("talk-2", "x")]));
}

#[tokio::test]
async fn a_second_writer_is_refused_and_nothing_counts_twice() {
    let (log, store) = (TestLog::new(), TestStore::<Mended>::new().await);
    store.store.close().await;
    let one = SqliteStore::<Mended>::open(&store.path()).await.unwrap();
    let other = SqliteStore::<Mended>::open(&store.path()).await.unwrap();
    say(&log, "talk-1", &["a"]).await;
    let batch = log.all().await;
    one.apply(&batch).await.unwrap();
    let refused = other.apply(&batch).await;
    assert!(matches!(refused, Err(StoreError::OtherWriter { .. })), "{refused:?}");
    assert_eq!(other.resume().await.unwrap().total(), 1);
    assert_eq!(store.lines().await, words(&[("talk-1", "a")]));
}

#[tokio::test]
async fn a_store_of_another_version_is_not_opened() {
    let store = TestStore::<crate::catalog::Changes>::new().await;
    store.store.close().await;
    let Err(error) = SqliteStore::<Mended>::open(&store.path()).await else { panic!("opened") };
    let StoreError::OtherVersion { found, wanted, .. } = error else { panic!("{error}") };
    assert_eq!((found.as_str(), wanted.as_str()), ("catalog 4", "words 1"));
}

#[tokio::test]
async fn a_poison_event_parks_the_rest_of_its_stream_and_nothing_else() {
    let (log, store) = (TestLog::new(), TestStore::<Broken>::new().await);
    say(&log, "talk-1", &["a", "bad", "c"]).await;
    log.append_raw("talk-1", "Coughed", b"bad").await;
    say(&log, "talk-1.also", &["x", "y"]).await;
    store.follow(&log, 2).await;
    say(&log, "talk-1", &["d"]).await;
    say(&log, "talk-1.also", &["z"]).await;
    store.follow(&log, 2).await;
    assert_eq!(store.lines().await, words(&[("talk-1", "a"), ("talk-1.also", "xyz")]));
    assert_eq!(
        parked(&store.store.parked().await.unwrap()),
        [
            ("talk-1", 1, "event type \"bad\" is not known here"),
            ("talk-1", 2, "waits behind version 1 of its stream"),
            ("talk-1", 4, "waits behind version 1 of its stream"),
        ]
    );
}

#[tokio::test]
async fn a_mended_program_heals_its_store_before_it_goes_on() {
    let (log, store) = (TestLog::new(), TestStore::<Broken>::new().await);
    say(&log, "talk-1", &["a", "bad", "c", "bad", "e"]).await;
    say(&log, "talk-2", &["x"]).await;
    store.follow(&log, 1).await;
    catch_up(log.log(), store.model(), drop).await.unwrap();
    assert_eq!(store.store.parked().await.unwrap().len(), 4);
    store.store.close().await;
    say(&log, "talk-1", &["f"]).await;

    let mended = SqliteStore::<Mended>::open(&store.path()).await.unwrap();
    catch_up(log.log(), Arc::new(mended.clone()), drop).await.unwrap();
    assert_eq!(store.lines().await, words(&[("talk-1", "abadcbadef"), ("talk-2", "x")]));
    assert_eq!(mended.parked().await.unwrap(), []);
}

#[tokio::test]
async fn a_projection_follows_and_says_how_far_it_is() {
    let (log, store) = (TestLog::new(), TestStore::<Broken>::new().await);
    say(&log, "talk-1", &["a", "bad"]).await;
    let projection = spawn(log.log(), store.model());
    let live = say(&log, "talk-2", &["x", "y"]).await;
    let poison = say(&log, "talk-1", &["c"]).await;
    for appended in [live, poison] {
        projection.passed(appended.partition, appended.last_offset).await;
    }
    let status = projection.status();
    assert_eq!(
        (status.lag_events, status.applied_events, status.parked_events, status.error),
        (0, 5, 2, None)
    );
    assert_eq!(status.cursor, log.log.head());
    projection.stop().await;
    say(&log, "talk-2", &["z"]).await;
    assert_eq!(projection.status().lag_events, 1);
    assert_eq!(store.lines().await, words(&[("talk-1", "a"), ("talk-2", "xy")]));
}

/// Counts events. Fails so many commits, and commits only as often as it is permitted.
#[derive(Clone)]
struct Counter(Arc<CounterState>);

struct CounterState {
    failures: AtomicU32,
    permits: Semaphore,
    waiting: Semaphore,
    committed: Mutex<(Cursor, u64)>,
}

fn counter(failures: u32, permits: usize) -> Counter {
    Counter(Arc::new(CounterState {
        failures: AtomicU32::new(failures),
        permits: Semaphore::new(permits),
        waiting: Semaphore::new(0),
        committed: Mutex::default(),
    }))
}

#[async_trait]
impl ReadModel for Counter {
    fn name(&self) -> &'static str {
        "counter"
    }

    async fn checkpoint(&self) -> Result<Cursor, StoreError> {
        Ok(self.0.committed.lock().unwrap().0.clone())
    }

    async fn resume(&self) -> Result<Cursor, StoreError> {
        self.checkpoint().await
    }

    fn fold(&self, batch: &Batch, _: Attempt) -> Box<dyn Folded> {
        Box::new(Counted { counter: self.clone(), batch: batch.clone() })
    }

    async fn parked_after(
        &self,
        _: Option<(Partition, u64)>,
        _: u32,
    ) -> Result<Vec<Parked>, StoreError> {
        Ok(vec![])
    }
}

struct Counted {
    counter: Counter,
    batch: Batch,
}

#[async_trait]
impl Folded for Counted {
    async fn commit(self: Box<Self>) -> Result<Applied, StoreError> {
        let state = &self.counter.0;
        state.waiting.add_permits(1);
        state.permits.acquire().await.unwrap().forget();
        let fails = |left: u32| left.checked_sub(1);
        if state.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fails).is_ok() {
            let source = sqlx::Error::PoolTimedOut;
            return Err(StoreError::Sql { operation: "counting", source });
        }
        let events = u64::try_from(self.batch.events.len()).unwrap();
        let mut committed = state.committed.lock().unwrap();
        *committed = (self.batch.next.clone(), committed.1 + events);
        Ok(Applied { events, parked: 0 })
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_for_a_while_is_tried_again() {
    let log = TestLog::new();
    let last = say(&log, "talk-1", &["a", "b", "c"]).await;
    let counter = counter(9, 0);
    let projection = spawn(log.log(), Arc::new(counter.clone()));
    counter.0.permits.add_permits(5);
    counter.0.waiting.acquire_many(6).await.unwrap().forget();
    let status = projection.status();
    assert_eq!(status.lag_events, 3);
    assert!(status.error.as_deref().is_some_and(|error| error.contains("counting")), "{status:?}");

    counter.0.permits.add_permits(5);
    projection.passed(last.partition, last.last_offset).await;
    counter.0.permits.add_permits(1);
    let last = say(&log, "talk-1", &["d"]).await;
    projection.passed(last.partition, last.last_offset).await;
    assert_eq!((projection.status().lag_events, projection.status().error), (0, None));
    assert_eq!(counter.0.committed.lock().unwrap().1, 4);
}

/// A projection that has caught up and stands before the end of a commit, and what came meanwhile.
async fn overtaken(log: &TestLog, counter: &Counter) -> (Projection, Appended) {
    say(log, "talk-1", &["before"]).await;
    let projection = spawn(log.log(), Arc::new(counter.clone()));
    while projection.status().cursor != log.log.head() {
        tokio::task::yield_now().await;
    }
    say(log, "talk-1", &["a"]).await;
    counter.0.waiting.acquire_many(2).await.unwrap().forget();
    (projection, say(log, "talk-1", &["b", "c"]).await)
}

#[tokio::test(start_paused = true)]
async fn while_events_come_fast_they_gather_for_a_commit() {
    let (log, counter) = (TestLog::new(), counter(0, 1));
    let _following = overtaken(&log, &counter).await;
    let begun = tokio::time::Instant::now();
    counter.0.permits.add_permits(1);
    tokio::time::advance(Duration::from_millis(10)).await;
    say(&log, "talk-2", &["x"]).await;
    counter.0.waiting.acquire().await.unwrap().forget();
    assert!(begun.elapsed() >= COMMITS_APART);
    counter.0.permits.add_permits(1);
    while counter.0.committed.lock().unwrap().1 < 5 {
        tokio::task::yield_now().await;
    }
    assert_eq!(counter.0.waiting.available_permits(), 0, "there were two commits");
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_a_commit_does_not_wait_for_others_to_gather() {
    let (log, counter) = (TestLog::new(), counter(0, 1));
    let (projection, last) = overtaken(&log, &counter).await;
    let begun = tokio::time::Instant::now();
    counter.0.permits.add_permits(2);
    projection.passed(last.partition, last.last_offset).await;
    assert!(begun.elapsed().is_zero());
}

#[tokio::test]
async fn stopping_finishes_the_commit_at_hand() {
    let log = TestLog::new();
    say(&log, "talk-1", &["a"]).await;
    let counter = counter(0, 0);
    let projection = spawn(log.log(), Arc::new(counter.clone()));
    counter.0.waiting.acquire().await.unwrap().forget();
    let stopping = tokio::spawn({
        let projection = projection.clone();
        async move { projection.stop().await }
    });
    tokio::task::yield_now().await;
    assert!(!stopping.is_finished());
    counter.0.permits.add_permits(1);
    stopping.await.unwrap();
    assert_eq!(counter.0.committed.lock().unwrap().1, 1);
    assert_eq!(projection.status().applied_events, 1);
}

#[tokio::test]
async fn a_log_that_lost_events_is_an_error_that_names_the_model() {
    let counter = counter(0, 9);
    let beyond: Cursor = [(Partition(0), 5)].into_iter().collect();
    counter.0.committed.lock().unwrap().0 = beyond.clone();
    let log = TestLog::new();
    let error = catch_up_to(
        log.log(),
        Arc::new(counter.clone()),
        &[(Partition(0), 6)].into_iter().collect(),
        drop,
    )
    .await
    .unwrap_err();
    assert!(matches!(error, ProjectionError::OtherLog { model: "counter", .. }), "{error}");
    assert!(error.to_string().contains("restart the program"), "{error}");
    assert!(!error.retryable());
}
