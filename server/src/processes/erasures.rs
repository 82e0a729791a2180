//! Forgets people whose day has come.
//!
//! An erasure is recorded, the key of the person is destroyed, the read models drop their rows, and
//! the stores are scrubbed, so that no byte is left. Between the first and the last step the process
//! may die. So what was begun is noted as an empty file of the account's name before it begins, in
//! `DATA/erasing`, and removed when all is done; every round goes on with what is noted.
//!
//! A copy of the keys from before an erasure, put back, would bring the person back. So whom the log
//! knows to be erased and the keys do not is noted, too, when a server starts.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use async_trait::async_trait;
use playhead_commands::people::{People, PeopleError};
use playhead_commands::{Context, Position};
use playhead_domain::AccountId;
use playhead_domain::identity::Refusal;
use playhead_vault::Vault;
use uuid::Uuid;

/// How many accounts are forgotten in a round at most, besides those that were noted before.
pub const ROUND_MAX: usize = 100;
/// How many erased accounts are compared with the keys at once.
const PAGE: usize = 500;

/// Port: what else knows of people.
#[async_trait]
pub trait Memories: Send + Sync {
    /// Accounts that are to be forgotten by now, at most `limit`.
    ///
    /// # Errors
    /// They are not known.
    async fn due(&self, now_ms: i64, limit: usize) -> anyhow::Result<Vec<AccountId>>;

    /// Accounts that were ever erased, in the order of their ids: those behind `after`, or the first
    /// ones; at most `limit`.
    ///
    /// # Errors
    /// They are not known.
    async fn erased(
        &self,
        after: Option<AccountId>,
        limit: usize,
    ) -> anyhow::Result<Vec<AccountId>>;

    /// Returns when nothing is left on the disk of what was dropped by these positions.
    ///
    /// # Errors
    /// Something may be left; scrub again.
    async fn scrub(&self, positions: &[Position]) -> anyhow::Result<()>;
}

/// What was begun and is not done.
#[derive(Debug, Clone)]
pub struct Notes(PathBuf);

impl Notes {
    /// Those of a data directory.
    #[must_use]
    pub fn of(data: &Path) -> Self {
        Self(data.join("erasing"))
    }

    fn all(&self) -> io::Result<BTreeSet<AccountId>> {
        let entries = match fs::read_dir(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
            entries => entries?,
        };
        let mut noted = BTreeSet::new();
        for entry in entries {
            noted.extend(
                entry?.file_name().to_str().and_then(|name| name.parse::<AccountId>().ok()),
            );
        }
        Ok(noted)
    }

    /// Notes that an account is to be forgotten.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn add(&self, account_id: AccountId) -> io::Result<()> {
        fs::create_dir_all(&self.0)?;
        File::create(self.file(account_id))?.sync_all()?;
        self.sync()
    }

    fn remove(&self, account_id: AccountId) -> io::Result<()> {
        fs::remove_file(self.file(account_id))?;
        self.sync()
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.0)?.sync_all()
    }

    fn file(&self, account_id: AccountId) -> PathBuf {
        self.0.join(account_id.to_string())
    }
}

/// Forgets people whose day has come.
pub struct Erasures<M> {
    /// Runs the commands.
    pub people: People,
    /// The keys.
    pub vault: Vault,
    /// What else knows of people.
    pub memories: M,
    /// What was begun.
    pub notes: Notes,
}

impl<M: Memories> Erasures<M> {
    /// Notes whom the read models know to be erased and the keys do not, because older keys were put
    /// back; the next round forgets them again. Answers how many. To be asked when the read models
    /// have caught up with the log.
    ///
    /// # Errors
    /// Something could not be read or noted; ask again.
    pub async fn recall(&self) -> anyhow::Result<usize> {
        let (mut behind, mut noted) = (None, 0_usize);
        loop {
            let page = self.memories.erased(behind, PAGE).await?;
            let ids: Vec<Uuid> = page.iter().map(|account_id| account_id.0).collect();
            for id in self.vault.not_erased(&ids).await? {
                self.notes.add(AccountId(id)).context("noting an erasure failed")?;
                noted = noted.saturating_add(1);
            }
            behind = page.last().copied();
            if page.len() < PAGE {
                return Ok(noted);
            }
        }
    }

    /// Rounds as long as each forgets as many as a round can, at the time that it then is. `stopped`
    /// is asked between two; answers how many are forgotten for good.
    ///
    /// # Errors
    /// Those of [`round`](Self::round).
    pub async fn rounds(
        &self,
        now_ms: impl Fn() -> i64 + Send + Sync,
        new_id: impl Fn() -> Uuid + Send + Sync,
        stopped: impl Fn() -> bool + Send + Sync,
    ) -> anyhow::Result<usize> {
        let mut forgotten = 0_usize;
        loop {
            let erased = self.round(now_ms(), &new_id).await?;
            forgotten = forgotten.saturating_add(erased);
            if erased < ROUND_MAX || stopped() {
                return Ok(forgotten);
            }
        }
    }

    /// Forgets everybody whose day has come, and goes on with what was begun; answers how many are
    /// forgotten for good. What fails is logged and gone on with in the next round.
    ///
    /// # Errors
    /// Nobody could be looked up or noted, or the stores could not be scrubbed; the next round
    /// goes on.
    pub async fn round(
        &self,
        at_ms: i64,
        new_id: impl Fn() -> Uuid + Send,
    ) -> anyhow::Result<usize> {
        let mut accounts = self.notes.all().context("reading what was begun failed")?;
        accounts.extend(self.memories.due(at_ms, ROUND_MAX).await?);
        let (mut positions, mut erased) = (Vec::new(), Vec::new());
        for account_id in accounts {
            self.notes.add(account_id).context("noting an erasure failed")?;
            let command_id = new_id();
            let actor = "system:erasures".into();
            let context = Context { command_id, at_ms, actor, correlation_id: command_id };
            match self.people.erase_due(account_id, &context).await {
                Ok(position) => {
                    positions.extend(position);
                    erased.push(account_id);
                }
                Err(PeopleError::Identity(
                    Refusal::ErasureNotDue { .. } | Refusal::ErasureNotRequested,
                )) => {
                    // Taken back in the last moment.
                    self.notes.remove(account_id).context("noting an erasure failed")?;
                }
                Err(error) => {
                    tracing::error!(%account_id, %error, "somebody was not forgotten yet");
                }
            }
        }
        if erased.is_empty() {
            return Ok(0);
        }
        self.memories.scrub(&positions).await?;
        for account_id in &erased {
            self.notes.remove(*account_id).context("noting an erasure failed")?;
            tracing::info!(%account_id, "everything personal of an account is forgotten");
        }
        Ok(erased.len())
    }
}

#[cfg(test)]
mod tests;
