//! Erasures that are due, taken back, or interrupted.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use playhead_commands::people::Admission;
use playhead_domain::Personal;

use super::*;
use crate::clock::new_id;
use crate::config::Config;
use crate::people::testing::people_in;

const AT_MS: i64 = 1_800_000_000_000;
const WEEK_MS: i64 = 7 * 86_400_000;

/// Knows who is due, and counts how often it was scrubbed; the first times that fails.
#[derive(Default)]
struct Recalled {
    due: Mutex<Vec<AccountId>>,
    scrubbed: AtomicU32,
    failures: AtomicU32,
}

#[async_trait]
impl Memories for &Recalled {
    async fn due(&self, _: i64, limit: usize) -> anyhow::Result<Vec<AccountId>> {
        Ok(self.due.lock().unwrap().iter().copied().take(limit).collect())
    }

    async fn scrub(&self, positions: &[Position]) -> anyhow::Result<()> {
        assert!(!positions.is_empty());
        if self.failures.load(Ordering::Relaxed) > 0 {
            self.failures.fetch_sub(1, Ordering::Relaxed);
            anyhow::bail!("the store is in use");
        }
        self.scrubbed.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

fn context(at_ms: i64) -> Context {
    let command_id = new_id();
    Context { command_id, at_ms, actor: "system:test".into(), correlation_id: command_id }
}

/// An account that asked to be forgotten, in a data directory.
async fn asked(people: &People) -> AccountId {
    let account_id = AccountId(new_id());
    let email = format!("{account_id}@example.org");
    let admission = Admission { account_id, email, password: None };
    people.admit(admission, &context(AT_MS)).await.unwrap();
    people.request_erasure(account_id, &context(AT_MS)).await.unwrap();
    account_id
}

fn erasures<'a>(people: &People, data: &Path, recalled: &'a Recalled) -> Erasures<&'a Recalled> {
    Erasures { people: people.clone(), memories: recalled, notes: Notes::of(data) }
}

async fn address(people: &People, account_id: AccountId) -> Option<Personal<String>> {
    people.identity(account_id).await.unwrap().email.clone()
}

#[tokio::test]
async fn who_is_due_is_forgotten_once_and_the_stores_are_scrubbed() {
    let dir = tempfile::tempdir().unwrap();
    let (people, store) = people_in(&Config::default(), dir.path()).await;
    let account_id = asked(&people).await;
    let recalled = Recalled::default();
    recalled.due.lock().unwrap().push(account_id);
    let erasures = erasures(&people, dir.path(), &recalled);
    assert_eq!(erasures.round(AT_MS + WEEK_MS, new_id).await.unwrap(), 1);
    recalled.due.lock().unwrap().clear();
    assert_eq!(erasures.round(AT_MS + WEEK_MS, new_id).await.unwrap(), 0);
    assert_eq!(recalled.scrubbed.load(Ordering::Relaxed), 1);
    assert!(address(&people, account_id).await.is_none_or(|email| email.known().is_none()));
    assert!(erasures.notes.all().unwrap().is_empty());
    store.close().await;
}

#[tokio::test]
async fn who_is_not_due_or_stays_after_all_is_not_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let (people, store) = people_in(&Config::default(), dir.path()).await;
    let (early, stays) = (asked(&people).await, asked(&people).await);
    people.withdraw_erasure(stays, &context(AT_MS)).await.unwrap();
    let recalled = Recalled::default();
    recalled.due.lock().unwrap().extend([early, stays]);
    let erasures = erasures(&people, dir.path(), &recalled);
    assert_eq!(erasures.round(AT_MS + WEEK_MS - 1, new_id).await.unwrap(), 0);
    assert_eq!(recalled.scrubbed.load(Ordering::Relaxed), 0);
    assert!(erasures.notes.all().unwrap().is_empty());
    assert!(address(&people, early).await.unwrap().known().is_some());
    store.close().await;
}

#[tokio::test]
async fn an_erasure_that_was_interrupted_goes_on_although_nobody_knows_of_it_any_more() {
    let dir = tempfile::tempdir().unwrap();
    let (people, store) = people_in(&Config::default(), dir.path()).await;
    let account_id = asked(&people).await;
    let recalled = Recalled { failures: AtomicU32::new(1), ..Recalled::default() };
    recalled.due.lock().unwrap().push(account_id);
    let first = erasures(&people, dir.path(), &recalled);
    assert!(first.round(AT_MS + WEEK_MS, new_id).await.is_err());
    // What was folded does not list the account again.
    recalled.due.lock().unwrap().clear();
    let second = erasures(&people, dir.path(), &recalled);
    assert_eq!(second.round(AT_MS + WEEK_MS, new_id).await.unwrap(), 1);
    assert_eq!(recalled.scrubbed.load(Ordering::Relaxed), 1);
    assert_eq!(second.round(AT_MS + WEEK_MS, new_id).await.unwrap(), 0);
    store.close().await;
}
