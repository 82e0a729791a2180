//! `playhead log`: shows, checks and backs up the event log. Locks and changes nothing, so it works
//! while a server runs; only `restore` makes a log, where there is none.

mod backup;
mod ls;
mod read;
mod ring;
mod verify;

use clap::Subcommand;

use crate::config::Config;

/// What to do with the log.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do with the log.
    #[command(subcommand)]
    pub what: What,
}

/// What to do with the log.
#[derive(Debug, Subcommand)]
pub enum What {
    /// How many events of which kind there are
    Ls(ls::Args),
    /// Copy it, or what is new, to another directory
    Backup(backup::BackupArgs),
    /// The events, one a line
    Read(read::Args),
    /// Which shards would keep which partitions, and what moves on a change
    Ring(ring::Args),
    /// Make a log of a backup, in an empty data directory
    Restore(backup::RestoreArgs),
    /// Read and check every byte
    Verify(verify::Args),
}

/// Shows, checks, backs up or restores the log.
///
/// # Errors
/// There is no log, or it cannot be read.
pub async fn run(config: &Config, args: Args) -> anyhow::Result<()> {
    match args.what {
        What::Ls(args) => ls::run(config, &args).await,
        What::Backup(args) => backup::backup(config, &args).await,
        What::Read(args) => read::run(config, &args).await,
        What::Ring(args) => ring::run(config, &args).await,
        What::Restore(args) => backup::restore(config, &args).await,
        What::Verify(args) => verify::run(config, &args).await,
    }
}
