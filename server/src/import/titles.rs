//! Puts titles of other catalogues into ours.

use std::sync::Arc;

use anyhow::Context as _;
use playhead_commands::{Commands, Context, ExecuteError};
use playhead_domain::title::{By, Command, Metadata, Refusal, Title};
use playhead_domain::{Decider, TitleId};

use super::Flaw;
use crate::ids;

/// A title of another catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Derived from the catalogue's key.
    pub(super) title_id: TitleId,
    /// What the catalogue knows of it.
    pub(super) metadata: Metadata,
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
    Changed,
    /// It was known just so.
    AlreadyThere,
    /// It was withdrawn here, and stays so.
    Withdrawn,
}

/// Puts titles into the catalogue, or finds out what would come of it.
#[derive(Clone)]
pub(super) struct Titles {
    /// Runs the commands.
    pub(super) commands: Arc<Commands>,
    /// The import.
    pub(super) context: Context,
    /// Only find out.
    pub(super) dry_run: bool,
}

impl Titles {
    /// Puts one title into the catalogue. The inner error is about the title.
    ///
    /// # Errors
    /// The log cannot be read or written.
    pub(super) async fn put(&self, found: Found) -> anyhow::Result<Result<Put, Flaw>> {
        let Found { title_id, metadata, file, line } = found;
        let at_ms = self.context.at_ms;
        let (owner, draft) = (None, false);
        let add = Command::Add { title_id, metadata: metadata.clone(), owner, draft, at_ms };
        let id = ids::command(title_id.0, "add");
        let outcome = match self.run(title_id, &add, id).await {
            Ok(true) => Ok(Put::Added),
            Ok(false) => Ok(Put::AlreadyThere),
            Err(ExecuteError::Refused(Refusal::AlreadyAdded)) => {
                // Named by the run, because a title may be edited back to what it once was.
                let id = ids::command(self.context.correlation_id, &title_id.to_string());
                let edit = Command::Edit { title_id, metadata, by: By::Catalogue, at_ms };
                let changed = self.run(title_id, &edit, id).await;
                changed.map(|changed| if changed { Put::Changed } else { Put::AlreadyThere })
            }
            Err(error) => Err(error),
        };
        match outcome {
            Ok(put) => Ok(Ok(put)),
            Err(ExecuteError::Refused(Refusal::Withdrawn)) => Ok(Ok(Put::Withdrawn)),
            Err(ExecuteError::Refused(refusal)) => {
                let problem = refusal.to_string();
                Ok(Err(Flaw { file, line, column: None, field: None, problem }))
            }
            Err(error) => Err(error).with_context(|| format!("{file}:{line} was not recorded")),
        }
    }

    /// Whether the command changes something.
    async fn run(
        &self,
        title_id: TitleId,
        command: &Command,
        command_id: uuid::Uuid,
    ) -> Result<bool, ExecuteError<Refusal>> {
        if self.dry_run {
            let state = self.commands.titles.state(&title_id).await?;
            let events = Title::decide(&state, command).map_err(ExecuteError::Refused)?;
            return Ok(!events.is_empty());
        }
        let context = self.context.with_command_id(command_id);
        let executed = self.commands.titles.execute(&title_id, command, &context).await?;
        Ok(!executed.changed_nothing())
    }
}
