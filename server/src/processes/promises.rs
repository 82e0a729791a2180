//! Keeps what was promised and not done, because the process died or a mail server did not answer.
//!
//! Each promise is a file in `DATA/promised`, named by the id of its command, locked with the vault and
//! durable before the answer that promises it. It is removed when it is kept, or a day later: then the
//! code that it would mail is void.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use playhead_api::Promises;
use playhead_commands::Context;
use playhead_commands::people::{People, PortError, Promise};
use playhead_domain::identity::VERIFICATION_MAX_MS;
use playhead_vault::Vault;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How many promises may wait; more are not given.
const WAITING_MAX: usize = 10_000;
/// What the vault locks them under.
const LABEL: &str = "promise";

/// Promises of a data directory. Clones share everything.
#[derive(Clone)]
pub struct Promised {
    dir: PathBuf,
    vault: Vault,
    /// Which are being kept by somebody.
    kept: Arc<Mutex<BTreeSet<Uuid>>>,
}

#[derive(Serialize, Deserialize)]
struct Written {
    promise: Promise,
    command_id: Uuid,
    at_ms: i64,
    actor: String,
    correlation_id: Uuid,
}

impl Promised {
    /// Those of a data directory.
    #[must_use]
    pub fn of(data: &Path, vault: Vault) -> Self {
        Self { dir: data.join("promised"), vault, kept: Arc::default() }
    }

    /// Keeps what nobody is keeping. What fails is logged, and stays for the next round if that can
    /// help; answers how many are settled.
    ///
    /// # Errors
    /// They cannot be read or removed.
    pub async fn round(&self, people: &People, now_ms: i64) -> io::Result<usize> {
        let mut settled = 0_usize;
        for id in self.waiting()? {
            if !self.kept().insert(id) {
                continue;
            }
            let kept = self.keep(people, id, now_ms).await;
            self.end(id, kept).await?;
            settled = settled.saturating_add(usize::from(kept));
        }
        Ok(settled)
    }

    /// Whether nothing is left to do.
    async fn keep(&self, people: &People, id: Uuid, now_ms: i64) -> bool {
        let Some(Written { promise, command_id, at_ms, actor, correlation_id }) = self.read(id)
        else {
            tracing::error!(%id, "what was promised cannot be read, and is dropped");
            return true;
        };
        let what = promise.name();
        if now_ms.saturating_sub(at_ms) >= VERIFICATION_MAX_MS {
            tracing::error!(%correlation_id, "{what} came to nothing for a day, and is dropped");
            return true;
        }
        let context = Context { command_id, at_ms, actor: actor.into(), correlation_id };
        match Box::pin(people.keep(promise, &context)).await {
            Ok(()) => {
                tracing::info!(%correlation_id, "{what} was made up for");
                true
            }
            Err(error) => {
                tracing::error!(%correlation_id, %error, "{what} failed again");
                !error.retryable()
            }
        }
    }

    fn read(&self, id: Uuid) -> Option<Written> {
        let text = self.vault.unlock(LABEL, &fs::read(self.file(id)).ok()?)?;
        serde_json::from_slice(&text).ok()
    }

    /// What is written down; drafts, which nobody was promised, do not count.
    fn waiting(&self) -> io::Result<BTreeSet<Uuid>> {
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
            entries => entries?,
        };
        let mut waiting = BTreeSet::new();
        for entry in entries {
            let name = entry?.file_name();
            waiting.extend(name.to_str().and_then(|name| Uuid::parse_str(name).ok()));
        }
        Ok(waiting)
    }

    async fn end(&self, id: Uuid, kept: bool) -> io::Result<()> {
        let (file, dir) = (self.file(id), self.dir.clone());
        let removed = match kept {
            true => tokio::task::spawn_blocking(move || remove(&file, &dir)).await?,
            false => Ok(()),
        };
        self.kept().remove(&id);
        removed
    }

    fn file(&self, id: Uuid) -> PathBuf {
        self.dir.join(id.to_string())
    }

    /// Nothing panics while it holds the lock, so a poisoned set is still a whole one.
    fn kept(&self) -> MutexGuard<'_, BTreeSet<Uuid>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write(dir: &Path, file: &Path, text: &[u8]) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    if fs::read_dir(dir)?.count() >= WAITING_MAX {
        return Err(io::Error::other("10,000 promises wait already"));
    }
    let draft = file.with_extension("draft");
    let mut options = OpenOptions::new();
    let mut made = options.write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    made.write_all(text)?;
    made.sync_all()?;
    fs::rename(&draft, file)?;
    File::open(dir)?.sync_all()
}

fn remove(file: &Path, dir: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.and_then(|()| File::open(dir)?.sync_all()),
    }
}

#[async_trait]
impl Promises for Promised {
    async fn write_down(&self, promise: &Promise, context: &Context) -> Result<(), PortError> {
        let id = context.command_id;
        let written = Written {
            promise: promise.clone(),
            command_id: id,
            at_ms: context.at_ms,
            actor: context.actor.to_string(),
            correlation_id: context.correlation_id,
        };
        let text = serde_json::to_vec(&written)?;
        let locked = self.vault.lock(LABEL, &text)?;
        self.kept().insert(id);
        let (dir, file) = (self.dir.clone(), self.file(id));
        let wrote = tokio::task::spawn_blocking(move || write(&dir, &file, &locked)).await;
        let wrote = wrote.map_err(io::Error::other).flatten();
        wrote.map_err(|error| {
            self.kept().remove(&id);
            error.into()
        })
    }

    async fn settle(&self, command_id: Uuid, kept: bool) {
        if let Err(error) = self.end(command_id, kept).await {
            tracing::error!(%command_id, %error, "a promise that was kept is still written down");
        }
    }
}

#[cfg(test)]
mod tests {
    use playhead_commands::people::Register;
    use playhead_domain::AccountId;

    use super::*;
    use crate::clock::new_id;
    use crate::config::Config;
    use crate::people::testing::people_in;

    const AT_MS: i64 = 1_800_000_000_000;

    fn registration() -> (Promise, Context) {
        let wish = Register {
            account_id: AccountId(new_id()),
            email: "canary@example.org".to_owned(),
            password: "a lighthouse keeper".to_owned(),
            consents: vec![],
        };
        let command_id = new_id();
        let actor = "anonymous".into();
        let context = Context { command_id, at_ms: AT_MS, actor, correlation_id: command_id };
        (Promise::Register(wish), context)
    }

    fn mails(data: &Path) -> Vec<String> {
        let entries = fs::read_dir(data.join("mail")).unwrap();
        let text = |entry: io::Result<fs::DirEntry>| fs::read_to_string(entry.unwrap().path());
        entries.map(|entry| text(entry).unwrap().replace("=\r\n", "")).collect()
    }

    fn link(mail: &str) -> String {
        let link = mail.split_whitespace().find(|word| word.contains("/verify-email#"));
        link.unwrap().to_owned()
    }

    #[tokio::test]
    async fn what_was_answered_before_a_crash_is_done_after_it() {
        let dir = tempfile::tempdir().unwrap();
        let (people, store) = people_in(&Config::default(), dir.path()).await;
        let promised = Promised::of(dir.path(), store.vault.clone());
        let (promise, context) = registration();
        promised.write_down(&promise, &context).await.unwrap();
        let file = fs::read(promised.file(context.command_id)).unwrap();
        for secret in [b"canary".as_slice(), b"lighthouse"] {
            assert!(!file.windows(secret.len()).any(|window| window == secret));
        }
        assert_eq!(promised.round(&people, AT_MS).await.unwrap(), 0, "somebody is keeping it");
        assert!(mails(dir.path()).is_empty());
        store.close().await;
        drop((people, promised));

        let (people, store) = people_in(&Config::default(), dir.path()).await;
        let promised = Promised::of(dir.path(), store.vault.clone());
        assert_eq!(promised.round(&people, AT_MS + 5_000).await.unwrap(), 1);
        assert!(promised.waiting().unwrap().is_empty());
        assert_eq!(promised.round(&people, AT_MS + 5_000).await.unwrap(), 0);
        let first = mails(dir.path());
        assert_eq!(first.len(), 1);

        // The crash may have come between the mail and the end.
        promised.write_down(&promise, &context).await.unwrap();
        store.close().await;
        let (people, store) = people_in(&Config::default(), dir.path()).await;
        let promised = Promised::of(dir.path(), store.vault.clone());
        assert_eq!(promised.round(&people, AT_MS + 9_000).await.unwrap(), 1);
        let both = mails(dir.path());
        assert_eq!(both.len(), 2);
        assert_eq!(link(&both[0]), link(&both[1]));
        store.close().await;
    }

    #[tokio::test]
    async fn what_is_a_day_old_or_cannot_be_read_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let (people, store) = people_in(&Config::default(), dir.path()).await;
        let promised = Promised::of(dir.path(), store.vault.clone());
        let (promise, context) = registration();
        promised.write_down(&promise, &context).await.unwrap();
        promised.settle(context.command_id, false).await;
        assert_eq!(promised.waiting().unwrap(), [context.command_id].into());
        fs::write(promised.file(new_id()), "damaged").unwrap();
        assert_eq!(promised.round(&people, AT_MS + VERIFICATION_MAX_MS).await.unwrap(), 2);
        assert!(promised.waiting().unwrap().is_empty() && mails(dir.path()).is_empty());
        store.close().await;
    }
}
