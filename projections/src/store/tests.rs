use std::sync::atomic::Ordering;

use playhead_domain::title::Metadata;
use playhead_eventlog::{Append, Expected, StreamName};
use sqlx::AssertSqlSafe;

use super::*;
use crate::catalog::Changes;
use crate::testing::{TestLog, TestStore, added, metadata};

async fn titles(log: &TestLog, count: u64) {
    for number in 0..count {
        log.title(added(number, metadata(&format!("Title {number}")))).await;
    }
}

/// A log of the same titles, whose events have other ids from a number on, in the order of reading:
/// one partition after the other.
async fn other_from(log: &TestLog, number: usize) -> TestLog {
    let other = TestLog::new();
    other.ids.store(1_000, Ordering::Relaxed);
    for (at, event) in log.all().await.events.into_iter().enumerate() {
        let mut new = event.event;
        if at >= number {
            new.id = Uuid::from_u128(new.id.as_u128() ^ u128::MAX);
        }
        let stream = StreamName::parse(event.stream.as_str()).unwrap();
        let append = Append { stream, expected: Expected::Any, events: vec![new] };
        other.log.append(append).await.unwrap();
    }
    other
}

#[tokio::test]
async fn a_store_belongs_to_the_log_that_it_was_folded_from() {
    let (log, store) = (TestLog::new(), TestStore::<Changes>::new().await);
    titles(&log, 20).await;
    assert!(store.store.belongs_to(log.log.as_ref()).await.unwrap(), "an empty store");
    for limit in [1, 7, usize::MAX] {
        titles(&log, 20).await;
        store.follow(&log, limit).await;
        assert!(store.store.belongs_to(log.log.as_ref()).await.unwrap());
    }
    titles(&log, 3).await;
    assert!(store.store.belongs_to(log.log.as_ref()).await.unwrap(), "the log has grown");
}

#[tokio::test]
async fn a_store_does_not_belong_to_another_log_nor_to_a_shorter_or_restored_one() {
    let (log, store) = (TestLog::new(), TestStore::<Changes>::new().await);
    titles(&log, 40).await;
    store.follow(&log, 9).await;
    let (other, restored) = (other_from(&log, 0).await, other_from(&log, 30).await);
    for number in 100..140 {
        restored.title(added(number, metadata("since"))).await;
    }
    let shorter = TestLog::new();
    titles(&shorter, 30).await;
    for (log, name) in [(other, "other"), (restored, "restored"), (shorter, "shorter")] {
        assert!(!store.store.belongs_to(log.log.as_ref()).await.unwrap(), "{name}");
    }
}

#[tokio::test]
async fn a_batch_that_leaves_out_its_last_event_is_refused() {
    let (log, store) = (TestLog::new(), TestStore::<Changes>::new().await);
    titles(&log, 5).await;
    let mut batch = log.all().await;
    batch.events.pop();
    let refused = store.store.apply(&batch).await;
    assert!(matches!(refused, Err(StoreError::Unreadable { .. })), "{refused:?}");
    assert_eq!(store.store.resume().await.unwrap().total(), 0);
}

/// Lets the store grow by so many pages and no more.
async fn limit_pages(store: &SqliteStore<Changes>, more: i64) {
    let mut writer = store.shared.writer.acquire().await.unwrap();
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(&mut *writer).await.unwrap();
    let limit = format!("PRAGMA max_page_count = {}", pages + more);
    sqlx::query(AssertSqlSafe(limit)).execute(&mut *writer).await.unwrap();
}

#[tokio::test]
async fn a_store_goes_on_when_a_full_disk_has_space_again() {
    let (log, store) = (TestLog::new(), TestStore::<Changes>::new().await);
    store.store.close().await;
    let store_again = SqliteStore::<Changes>::open(&store.path()).await.unwrap();
    let long =
        |number: u64| Metadata { ..metadata(&format!("{number} {}", "long ".repeat(2_000))) };
    // So few that rows are written one by one: SQLite then has to roll back everything by itself.
    for number in 0..12 {
        log.title(added(number, long(number))).await;
    }
    let batch = log.all().await;
    for _ in 0..3 {
        store_again.resume().await.unwrap();
        limit_pages(&store_again, 2).await;
        let full = store_again.apply(&batch).await.unwrap_err();
        assert!(full.to_string().contains("full") && full.retryable(), "{full}");
    }
    assert_eq!(store_again.resume().await.unwrap().total(), 0);
    limit_pages(&store_again, 1_000_000).await;
    assert_eq!(store_again.apply(&batch).await.unwrap().events, 12);
    assert_eq!(store_again.checkpoint().await.unwrap().total(), 12);

    let fresh = TestStore::<Changes>::new().await;
    fresh.follow(&log, usize::MAX).await;
    assert_eq!(store.lines().await, fresh.lines().await);
}
