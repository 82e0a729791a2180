//! `playhead log backup` and `playhead log restore`.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use indicatif::ProgressBar;
use playhead_eventlog::embedded::{self, BackupError};
use serde::Serialize;

use crate::config::Config;
use crate::failure::{Advise, Misuse};
use crate::output::{self, count, counted, seconds};
use crate::{progress, store};

/// Where the backup goes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  playhead log backup /mnt/backup/playhead
  playhead --data /srv/playhead log backup /mnt/backup/playhead --json

Works while a server appends. What is in TARGET is everything up to a position of the log, and the
position is printed. Run it again with the same TARGET, and only what is new is copied: segments that
were added, and the last one, whole, if anything was appended to it. TARGET is laid out as a data
directory: `playhead --data TARGET log verify` checks it.

The keys in DIR/keys are not part of it: keep them elsewhere. Read models are not, either: they are
made anew from the log.")]
pub struct BackupArgs {
    /// The directory of the backup; made if it is not there
    #[arg(value_name = "TARGET")]
    pub target: PathBuf,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

/// Which backup is restored; to where, --data says.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  playhead --data /srv/new log restore /mnt/backup/playhead
  playhead --data /srv/new log restore /mnt/backup/playhead --json

The data directory must be empty or not be there. Every file is compared with its checksum, then every
byte of the log is checked. Put the keys back before you start a server; it makes the read models anew.")]
pub struct RestoreArgs {
    /// The directory of the backup
    #[arg(value_name = "BACKUP")]
    pub backup: PathBuf,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Taken {
    position: u64,
    events: u64,
    segments: u64,
    bytes: u64,
    copied_segments: u64,
    copied_bytes: u64,
    elapsed_ms: u64,
}

#[derive(Serialize)]
struct Restored {
    position: u64,
    events: u64,
    segments: u64,
    bytes: u64,
    elapsed_ms: u64,
}

/// Takes a backup and prints what it holds.
pub(super) async fn backup(config: &Config, args: &BackupArgs) -> anyhow::Result<()> {
    let (source, target) = (config.data.clone(), args.target.clone());
    let (done, elapsed_ms) =
        shown(move |progress| embedded::backup(&source, &target, progress)).await?;
    let found = explain(&args.target, &config.data, done)
        .with_context(|| format!("taking a backup into {} failed", args.target.display()))?;
    let taken = Taken {
        position: found.position,
        events: found.events,
        segments: found.segments,
        bytes: found.bytes,
        copied_segments: found.copied_segments,
        copied_bytes: found.copied_bytes,
        elapsed_ms,
    };
    let text = || {
        format!(
            "backed up to position {}: {} in {}; {} copied ({} bytes) in {}",
            taken.position,
            counted(taken.events, "event"),
            counted(taken.segments, "segment"),
            count(taken.copied_segments),
            count(taken.copied_bytes),
            seconds(elapsed_ms)
        )
    };
    Ok(output::print(args.json, &taken, text)?)
}

/// Restores a backup into the data directory and prints what it holds.
pub(super) async fn restore(config: &Config, args: &RestoreArgs) -> anyhow::Result<()> {
    let (backup, target) = (args.backup.clone(), config.data.clone());
    let (done, elapsed_ms) =
        shown(move |progress| embedded::restore(&backup, &target, progress)).await?;
    let found = explain(&args.backup, &config.data, done)
        .with_context(|| format!("restoring {} failed", args.backup.display()))?;
    let restored = Restored {
        position: found.position,
        events: found.events,
        segments: found.segments,
        bytes: found.bytes,
        elapsed_ms,
    };
    let text = || {
        format!(
            "restored into {} up to position {}: {} in {}, {} bytes, every one checked, in {}",
            config.data.display(),
            restored.position,
            counted(restored.events, "event"),
            counted(restored.segments, "segment"),
            count(restored.bytes),
            seconds(elapsed_ms)
        )
    };
    Ok(output::print(args.json, &restored, text)?)
}

/// Works with a bar; answers also how many milliseconds it took.
async fn shown<T: Send + 'static>(
    work: impl FnOnce(&mut dyn FnMut(u64, u64)) -> T + Send + 'static,
) -> anyhow::Result<(T, u64)> {
    let began = Instant::now();
    let bar: ProgressBar = progress::bar(0, "bytes");
    let shown = bar.clone();
    let worked = tokio::task::spawn_blocking(move || {
        work(&mut |done, total| {
            shown.set_length(total);
            shown.set_position(done);
        })
    });
    let worked = worked.await?;
    bar.finish_and_clear();
    Ok((worked, u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)))
}

/// Adds to a failure what the user can do about it.
fn explain<T>(backup: &Path, data: &Path, outcome: Result<T, BackupError>) -> anyhow::Result<T> {
    let error = match outcome {
        Ok(done) => return Ok(done),
        Err(BackupError::Log(error)) => return store::explain(data, Err(error)),
        Err(error) => error,
    };
    let advice = match &error {
        BackupError::Log(_) => return Err(error.into()),
        BackupError::NotABackup { .. } => "name a directory that holds a backup, or is empty or \
                                           not there if one is to be taken"
            .to_owned(),
        BackupError::OtherLog { .. } => {
            "name another directory; if this log was set back, its old backup stays as it is"
                .to_owned()
        }
        BackupError::Nested { .. } => {
            let nested = Misuse(error.to_string());
            return Err(nested).advise(|| "name a directory elsewhere".to_owned());
        }
        BackupError::Busy { .. } => "wait until that one is done".to_owned(),
        BackupError::NotEmpty { .. } => {
            "name a directory with --data that is empty or not there".to_owned()
        }
        BackupError::Damaged { .. } => format!(
            "restore another backup, and remove {}; `playhead --data {} log verify` says which \
             records are damaged",
            data.display(),
            backup.display()
        ),
        BackupError::TooNew { .. } => "use a newer playhead".to_owned(),
    };
    Err(error).advise(|| advice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::describe;

    fn told(error: BackupError) -> String {
        let told = explain::<()>(Path::new("backup"), Path::new("data"), Err(error));
        describe(&told.unwrap_err())
    }

    #[test]
    fn every_failure_says_what_to_do() {
        let (dir, reason) = (PathBuf::from("d"), "why".to_owned());
        let errors = [
            BackupError::NotABackup { dir: dir.clone(), reason: reason.clone() },
            BackupError::OtherLog { dir: dir.clone(), reason: reason.clone() },
            BackupError::Nested { source_dir: dir.clone(), target: dir.clone() },
            BackupError::Busy { dir: dir.clone() },
            BackupError::NotEmpty { dir: dir.clone() },
            BackupError::Damaged { file: dir.clone(), reason },
            BackupError::TooNew { file: dir.clone(), found: 2, known: 1 },
            BackupError::Log(embedded::OpenError::NotFound { dir }),
        ];
        for error in errors {
            let told = told(error);
            assert!(told.contains("what to do: "), "{told}");
        }
    }
}
