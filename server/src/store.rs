//! Opens the log of a data directory, and the keys of the people in it.

use std::io;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use playhead_eventlog::EventLog;
use playhead_eventlog::embedded::{EmbeddedLog, OpenError, Options};

use playhead_vault::{SealedLog, Vault};

use crate::config::Config;
use crate::failure::Advise;
use crate::keys;

/// A log that seals what is personal, and the keys for that.
#[derive(Clone)]
pub struct Store {
    /// The log as everybody uses it: what is personal goes in and comes out in clear.
    pub log: Arc<dyn EventLog>,
    /// The keys.
    pub vault: Vault,
    /// What is on the disk.
    engine: Arc<EmbeddedLog>,
}

impl Store {
    /// Opens the log for appending, and its keys; makes both where there is no log. `holder` is what
    /// others are told who find it locked.
    ///
    /// # Errors
    /// Another process holds it, it cannot be read, or there is a log but no keys.
    pub async fn open(config: &Config, holder: &str) -> anyhow::Result<Self> {
        Self::with_keys(config, open(config, holder).await?).await
    }

    /// Opens a log that exists as it is now, and its keys, which no other process may use.
    ///
    /// # Errors
    /// There is none, it cannot be read, or the keys are missing or in use.
    pub async fn open_read_only(config: &Config) -> anyhow::Result<Self> {
        Self::with_keys(config, open_read_only(config).await?).await
    }

    async fn with_keys(config: &Config, engine: Arc<EmbeddedLog>) -> anyhow::Result<Self> {
        match keys::people::open(config, &*engine).await {
            Ok(vault) => {
                let log = Arc::new(SealedLog::new(engine.clone(), vault.clone()));
                Ok(Self { log, vault, engine })
            }
            Err(error) => {
                engine.close().await;
                Err(error)
            }
        }
    }

    /// Closes the log, then the keys; whatever needs them fails afterwards.
    pub async fn close(&self) {
        self.engine.close().await;
        self.vault.close().await;
    }
}

/// Opens the log for appending, without the keys.
async fn open(config: &Config, holder: &str) -> anyhow::Result<Arc<EmbeddedLog>> {
    let dir = config.data.clone();
    let options = Options {
        partitions: config.partition_count(),
        holder: holder.to_owned(),
        tuning: config.tuning(),
    };
    let opened = tokio::task::spawn_blocking(move || EmbeddedLog::open(&dir, options)).await?;
    explain(&config.data, opened).map(Arc::new)
}

/// Opens the log as it is now, also while another process appends. What is personal comes out sealed.
///
/// # Errors
/// There is none, or it cannot be read.
pub async fn open_read_only(config: &Config) -> anyhow::Result<Arc<EmbeddedLog>> {
    let dir = config.data.clone();
    let opened = tokio::task::spawn_blocking(move || EmbeddedLog::open_read_only(&dir)).await?;
    explain(&config.data, opened).map(Arc::new)
}

/// Refuses a data directory without a log, such as one that was misspelt.
///
/// # Errors
/// There is none.
pub fn require(dir: &Path) -> anyhow::Result<()> {
    let found = match dir.join("journal").is_dir() {
        true => Ok(()),
        false => Err(OpenError::NotFound { dir: dir.to_owned() }),
    };
    explain(dir, found)
}

/// Adds to a refusal what the user can do about it.
///
/// # Errors
/// The given one, with advice.
pub fn explain<T>(dir: &Path, opened: Result<T, OpenError>) -> anyhow::Result<T> {
    opened.or_else(|error| {
        let advice = advice(dir, &error);
        let failed = Err(in_our_words(error))
            .with_context(|| format!("opening the log in {} failed", dir.display()));
        match advice {
            Some(advice) => failed.advise(|| advice),
            None => failed,
        }
    })
}

/// The log advises whoever calls it; what users can do is another thing, and told apart.
fn in_our_words(error: OpenError) -> anyhow::Error {
    match error {
        OpenError::Locked { pid: 0, .. } => anyhow!("another process has it open"),
        OpenError::Locked { pid, holder, .. } => {
            anyhow!("it is in use by process {pid} ({holder})")
        }
        OpenError::Corrupt(damage) => anyhow!("{damage}"),
        other => other.into(),
    }
}

fn advice(dir: &Path, error: &OpenError) -> Option<String> {
    match error {
        OpenError::Locked { pid, .. } => {
            let kill = if *pid == 0 { String::new() } else { format!(" (kill {pid})") };
            Some(format!(
                "stop that process{kill}, or name another directory with --data; `playhead log …` \
                 works meanwhile"
            ))
        }
        OpenError::NotFound { .. } => Some(
            "name the data directory with --data or PLAYHEAD_DATA; `playhead serve` and `playhead \
             import` make a new one"
                .to_owned(),
        ),
        OpenError::TooNew { .. } => Some("use a newer playhead".to_owned()),
        OpenError::Corrupt(damage) => Some(format!(
            "restore {} from a backup; nothing was changed, and the read models notice another \
             log and rebuild themselves",
            damage.file.display()
        )),
        OpenError::NotAJournal { .. } => {
            Some("move the file away, or name another directory with --data".to_owned())
        }
        OpenError::Io { source, .. } => directory_advice(dir, source),
    }
}

/// What to do if the operating system refuses to work in a data directory.
#[must_use]
pub fn directory_advice(dir: &Path, error: &io::Error) -> Option<String> {
    use io::ErrorKind::{
        AlreadyExists, NotADirectory, PermissionDenied, ReadOnlyFilesystem, StorageFull,
    };
    let shown = dir.display();
    match error.kind() {
        AlreadyExists | NotADirectory => {
            Some(format!("name a directory with --data; {shown} is none, or lies below a file"))
        }
        PermissionDenied => Some(format!(
            "let this user read and write {shown}, or name another directory with --data"
        )),
        ReadOnlyFilesystem => {
            Some("name a directory with --data that can be written to".to_owned())
        }
        StorageFull => Some("make room on the disk, or name a directory on another one".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use playhead_eventlog::Partition;
    use playhead_eventlog::embedded::Damage;

    use super::*;
    use crate::failure::describe;

    fn told(error: OpenError) -> String {
        describe(&explain::<()>(Path::new("data"), Err(error)).unwrap_err())
    }

    #[test]
    fn a_locked_log_names_the_process_and_what_works_meanwhile() {
        let holder = "playhead serve".to_owned();
        let told = told(OpenError::Locked { dir: "data".into(), pid: 12, holder });
        assert_eq!(
            told,
            "error: opening the log in data failed\n  because: it is in use by process 12 \
             (playhead serve)\n  what to do: stop that process (kill 12), or name another \
             directory with --data; `playhead log …` works meanwhile"
        );
    }

    #[test]
    fn a_corrupt_log_is_to_be_restored_and_not_verified_again() {
        let told = told(OpenError::Corrupt(Box::new(Damage {
            position: 1_007,
            file: "data/journal/1000.seg".into(),
            offset: 7,
            partition: Some(Partition(3)),
            stream: Some("title-x".to_owned()),
            guessed: false,
            reason: "checksum".to_owned(),
        })));
        let what = "data/journal/1000.seg is corrupt at byte 7 (position 1007, partition 3, stream \
                    title-x): checksum\n";
        assert!(told.contains(what), "{told}");
        assert!(told.contains("restore data/journal/1000.seg from a backup"), "{told}");
        assert!(!told.contains("log verify"), "{told}");
    }

    #[tokio::test]
    async fn a_file_in_the_place_of_the_data_directory_is_told_with_advice() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let config = Config { data: file.path().to_owned(), ..Config::default() };
        let error = Store::open(&config, "test").await.err().unwrap();
        assert!(describe(&error).contains("what to do: name a directory with --data"), "{error:?}");
        let error = crate::keys::signing::open(file.path()).err().unwrap();
        assert!(describe(&error).contains("what to do: name a directory with --data"), "{error:?}");
    }
}
