//! Puts titles of other catalogues into ours.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Context as _;
use futures::future::{BoxFuture, FutureExt as _};
use playhead_commands::{Commands, Context, ExecuteError};
use playhead_domain::title::{By, Command, Metadata, Refusal, Title};
use playhead_domain::{Decider, TitleId};
use playhead_eventlog::EventLog;

use super::by_hand::{self, Merged};
use super::{Flaw, context};
use crate::ids;

/// A title of another catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Derived from the catalogue's key.
    pub(super) title_id: TitleId,
    /// What the catalogue knows of it.
    pub(super) metadata: Metadata,
    /// The fields of which nothing is known this time; a title that is there keeps its own.
    pub(super) unknown: BTreeSet<&'static str>,
    /// The file it stands in.
    pub(super) file: Arc<str>,
    /// The line it begins at, counted from 1.
    pub(super) line: u64,
}

/// What came of putting one title into the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    /// It was new.
    Added,
    /// It was known otherwise.
    Changed {
        /// Whether some of what was changed by hand was kept against the import.
        kept: bool,
    },
    /// It was known just so.
    AlreadyThere {
        /// Whether what was changed by hand was kept against the import.
        kept: bool,
    },
    /// It was withdrawn here, and stays so.
    Withdrawn,
}

/// Puts titles into the catalogue, or finds out what would come of it.
#[derive(Clone)]
pub(super) struct Titles {
    /// Where they are recorded.
    pub(super) log: Arc<dyn EventLog>,
    /// Runs the commands.
    pub(super) commands: Arc<Commands>,
    /// The import.
    pub(super) context: Context,
    /// Only find out.
    pub(super) dry_run: bool,
    /// Change also what was changed by hand.
    pub(super) overwrite: bool,
}

impl Titles {
    /// Puts titles into a log, as one import that begins now.
    pub(super) fn new(log: Arc<dyn EventLog>, commands: Arc<Commands>) -> Self {
        Self { log, commands, context: context(), dry_run: false, overwrite: false }
    }

    /// What puts any number of titles.
    pub(super) fn putting(self) -> impl Fn(Found) -> BoxFuture<'static, Outcome> {
        move |found| {
            let titles = self.clone();
            async move { titles.put(found).await }.boxed()
        }
    }

    /// Puts one title into the catalogue. The inner error is about the title.
    ///
    /// # Errors
    /// The log cannot be read or written.
    pub(super) async fn put(&self, found: Found) -> Outcome {
        let (title_id, file, line) = (found.title_id, Arc::clone(&found.file), found.line);
        let put = self.add_or_edit(found).await;
        // Each title comes once, and what is kept in memory of it can be much.
        self.commands.titles.forget(&title_id);
        match put {
            Ok(put) => Ok(Ok(put)),
            Err(Failure::Refused(Refusal::Withdrawn)) => Ok(Ok(Put::Withdrawn)),
            Err(Failure::Refused(refusal)) => {
                let problem = refusal.to_string();
                Ok(Err(Flaw { file, line, column: None, field: None, problem }))
            }
            Err(Failure::Log(error)) => {
                Err(error).with_context(|| format!("{file}:{line} was not recorded"))
            }
        }
    }

    async fn add_or_edit(&self, found: Found) -> Result<Put, Failure> {
        let Found { title_id, metadata, unknown, .. } = found;
        let at_ms = self.context.at_ms;
        let (owner, draft) = (None, false);
        let add = Command::Add { title_id, metadata: metadata.clone(), owner, draft, at_ms };
        match self.run(title_id, &add, ids::command(title_id.0, "add")).await {
            Ok(true) => return Ok(Put::Added),
            Ok(false) => return Ok(Put::AlreadyThere { kept: false }),
            Err(Failure::Refused(Refusal::AlreadyAdded)) => {}
            Err(failure) => return Err(failure),
        }
        let Merged { metadata, kept } = self.merged(title_id, &metadata, &unknown).await?;
        // Named by the run, because a title may be edited back to what it once was.
        let id = ids::command(self.context.correlation_id, &title_id.to_string());
        let edit = Command::Edit { title_id, metadata, by: By::Catalogue, at_ms };
        let changed = self.run(title_id, &edit, id).await?;
        Ok(if changed { Put::Changed { kept } } else { Put::AlreadyThere { kept } })
    }

    /// What a title that is there becomes.
    async fn merged(
        &self,
        title_id: TitleId,
        imported: &Metadata,
        unknown: &BTreeSet<&'static str>,
    ) -> Result<Merged, Failure> {
        let state = self.commands.titles.state(&title_id).await?;
        let Some(listing) = state.listing_or_draft() else {
            return Ok(Merged { metadata: imported.clone(), kept: false });
        };
        let by_hand = if self.overwrite {
            BTreeSet::new()
        } else {
            by_hand::fields(&*self.log, title_id).await.map_err(Failure::Log)?
        };
        by_hand::merge(&listing.metadata, imported, unknown, &by_hand).map_err(Failure::Log)
    }

    /// Whether the command changes something.
    async fn run(
        &self,
        title_id: TitleId,
        command: &Command,
        command_id: uuid::Uuid,
    ) -> Result<bool, Failure> {
        if self.dry_run {
            let state = self.commands.titles.state(&title_id).await?;
            let events = Title::decide(&state, command).map_err(Failure::Refused)?;
            return Ok(!events.is_empty());
        }
        let context = self.context.with_command_id(command_id);
        let executed = self.commands.titles.execute(&title_id, command, &context).await?;
        Ok(!executed.changed_nothing())
    }
}

/// What came of a title, or what is wrong with it, or with the log.
pub(super) type Outcome = anyhow::Result<Result<Put, Flaw>>;

/// Why a title was not put into the catalogue.
enum Failure {
    /// The rules forbid it.
    Refused(Refusal),
    /// The log cannot be read or written.
    Log(anyhow::Error),
}

impl From<ExecuteError<Refusal>> for Failure {
    fn from(error: ExecuteError<Refusal>) -> Self {
        match error {
            ExecuteError::Refused(refusal) => Self::Refused(refusal),
            other => Self::Log(other.into()),
        }
    }
}

#[cfg(test)]
mod tests;
