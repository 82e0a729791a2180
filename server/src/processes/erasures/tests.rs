//! Erasures that are due, taken back, or interrupted.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use playhead_commands::people::Admission;
use playhead_domain::Personal;

use super::*;
use crate::clock::new_id;
use crate::config::Config;
use crate::people::testing::people_in;
use crate::store::Store;

const AT_MS: i64 = 1_800_000_000_000;
const WEEK_MS: i64 = 7 * 86_400_000;

/// Knows who is due, and counts how often it was scrubbed; the first times that fails.
#[derive(Default)]
struct Recalled {
    due: Mutex<Vec<AccountId>>,
    erased: Mutex<Vec<AccountId>>,
    scrubbed: AtomicU32,
    failures: AtomicU32,
}

#[async_trait]
impl Memories for &Recalled {
    async fn due(&self, _: i64, limit: usize) -> anyhow::Result<Vec<AccountId>> {
        Ok(self.due.lock().unwrap().iter().copied().take(limit).collect())
    }

    async fn erased(&self, after: Option<AccountId>, _: usize) -> anyhow::Result<Vec<AccountId>> {
        let erased = self.erased.lock().unwrap();
        Ok(if after.is_none() { erased.clone() } else { vec![] })
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

fn erasures<'a>(
    (people, store): (&People, &Store),
    data: &Path,
    recalled: &'a Recalled,
) -> Erasures<&'a Recalled> {
    let (people, vault) = (people.clone(), store.vault.clone());
    Erasures { people, vault, memories: recalled, notes: Notes::of(data) }
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
    let erasures = erasures((&people, &store), dir.path(), &recalled);
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
    let erasures = erasures((&people, &store), dir.path(), &recalled);
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
    let first = erasures((&people, &store), dir.path(), &recalled);
    assert!(first.round(AT_MS + WEEK_MS, new_id).await.is_err());
    // What was folded does not list the account again.
    recalled.due.lock().unwrap().clear();
    let second = erasures((&people, &store), dir.path(), &recalled);
    assert_eq!(second.round(AT_MS + WEEK_MS, new_id).await.unwrap(), 1);
    assert_eq!(recalled.scrubbed.load(Ordering::Relaxed), 1);
    assert_eq!(second.round(AT_MS + WEEK_MS, new_id).await.unwrap(), 0);
    store.close().await;
}

#[tokio::test]
async fn many_who_are_due_are_all_forgotten_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let (people, store) = people_in(&Config::default(), dir.path()).await;
    let recalled = Arc::new(Queue::default());
    let count = ROUND_MAX + 1;
    for _ in 0..count {
        let account_id = asked(&people).await;
        recalled.0.lock().unwrap().push(account_id);
    }
    let memories = Arc::clone(&recalled);
    let notes = Notes::of(dir.path());
    let erasures = Erasures { people, vault: store.vault.clone(), memories, notes };
    let at_ms = || AT_MS + WEEK_MS;
    assert_eq!(erasures.rounds(at_ms, new_id, || true).await.unwrap(), ROUND_MAX, "stopped");
    assert_eq!(erasures.rounds(at_ms, new_id, || false).await.unwrap(), 1);
    store.close().await;
}

/// Knows who is due, and drops them when they are scrubbed, as read models do.
#[derive(Default)]
struct Queue(Mutex<Vec<AccountId>>);

#[async_trait]
impl Memories for Arc<Queue> {
    async fn due(&self, _: i64, limit: usize) -> anyhow::Result<Vec<AccountId>> {
        Ok(self.0.lock().unwrap().iter().copied().take(limit).collect())
    }

    async fn erased(&self, _: Option<AccountId>, _: usize) -> anyhow::Result<Vec<AccountId>> {
        Ok(vec![])
    }

    async fn scrub(&self, positions: &[Position]) -> anyhow::Result<()> {
        self.0.lock().unwrap().drain(..positions.len());
        Ok(())
    }
}

#[tokio::test]
async fn older_keys_that_are_put_back_bring_nobody_back() {
    let dir = tempfile::tempdir().unwrap();
    let keys = dir.path().join("keys/subjects.sqlite");
    let (people, store) = people_in(&Config::default(), dir.path()).await;
    let (account_id, other) = (asked(&people).await, asked(&people).await);
    store.close().await;
    let copy = fs::read(&keys).unwrap();
    let recalled = Recalled::default();
    let (people, store) = people_in(&Config::default(), dir.path()).await;
    recalled.due.lock().unwrap().push(account_id);
    let first = erasures((&people, &store), dir.path(), &recalled);
    assert_eq!(first.round(AT_MS + WEEK_MS, new_id).await.unwrap(), 1);
    assert_eq!(first.recall().await.unwrap(), 0);
    store.close().await;
    fs::write(&keys, copy).unwrap();
    recalled.due.lock().unwrap().clear();
    recalled.erased.lock().unwrap().push(account_id);
    let (people, store) = people_in(&Config::default(), dir.path()).await;
    assert_eq!(store.vault.not_erased(&[account_id.0, other.0]).await.unwrap().len(), 2);
    let second = erasures((&people, &store), dir.path(), &recalled);
    assert_eq!(second.recall().await.unwrap(), 1);
    assert_eq!(second.round(AT_MS + WEEK_MS, new_id).await.unwrap(), 1);
    assert_eq!(second.recall().await.unwrap(), 0);
    assert_eq!(store.vault.not_erased(&[account_id.0, other.0]).await.unwrap(), [other.0]);
    store.close().await;
}

#[tokio::test]
async fn mails_to_a_person_are_gone_when_they_are_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let (people, store) = people_in(&Config::default(), dir.path()).await;
    let (gone, stays) = (asked(&people).await, asked(&people).await);
    let mails = || fs::read_dir(dir.path().join("mail")).unwrap().count();
    assert_eq!(mails(), 2, "each was told that they will be forgotten");
    let recalled = Recalled::default();
    recalled.due.lock().unwrap().push(gone);
    let erasures = erasures((&people, &store), dir.path(), &recalled);
    assert_eq!(erasures.round(AT_MS + WEEK_MS, new_id).await.unwrap(), 1);
    assert_eq!(mails(), 1);
    assert!(address(&people, stays).await.unwrap().known().is_some());
    store.close().await;
}
