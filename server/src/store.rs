//! Opens the log of a data directory.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use playhead_eventlog::embedded::{EmbeddedLog, OpenError, Options};

use crate::config::Config;
use crate::failure::Advise;

/// Opens the log for appending; `holder` is what others are told who find it locked.
///
/// # Errors
/// Another process holds it, or it cannot be read.
pub async fn open(config: &Config, holder: &str) -> anyhow::Result<Arc<EmbeddedLog>> {
    let dir = config.data.clone();
    let options = Options { partitions: config.partition_count(), holder: holder.to_owned() };
    let opened = tokio::task::spawn_blocking(move || EmbeddedLog::open(&dir, options)).await?;
    explain(&config.data, opened).map(Arc::new)
}

/// Opens the log as it is now, also while another process appends.
///
/// # Errors
/// There is none, or it cannot be read.
pub async fn open_read_only(config: &Config) -> anyhow::Result<Arc<EmbeddedLog>> {
    let dir = config.data.clone();
    let opened = tokio::task::spawn_blocking(move || EmbeddedLog::open_read_only(&dir)).await?;
    explain(&config.data, opened).map(Arc::new)
}

/// Adds to a refusal what the user can do about it.
///
/// # Errors
/// The given one, with advice.
pub fn explain<T>(dir: &Path, opened: Result<T, OpenError>) -> anyhow::Result<T> {
    let advice = match &opened {
        Ok(_) => None,
        Err(OpenError::Locked { pid, .. }) => Some(format!(
            "stop process {pid} (kill {pid}), or give another directory with --data; `playhead log` \
             works beside it"
        )),
        Err(OpenError::NotFound { .. }) => Some(
            "name the data directory with --data or PLAYHEAD_DATA; `playhead serve` and `playhead \
             import` make a new one"
                .to_owned(),
        ),
        Err(OpenError::TooNew { .. }) => Some("use a newer playhead".to_owned()),
        Err(OpenError::Corrupt { .. }) => Some(
            "restore the file from a backup; `playhead log verify` shows the first bad position"
                .to_owned(),
        ),
        Err(_) => None,
    };
    let failed = opened.with_context(|| format!("opening the log in {} failed", dir.display()));
    match advice {
        Some(advice) => failed.advise(|| advice),
        None => failed,
    }
}
