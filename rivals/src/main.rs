//! The event log of Playhead beside other event stores: one run, one box, rounds in turn.
//!
//! `make rivals` measures everything; `--help` says how to measure less. Every figure is the median
//! of all rounds, and every appended event is durable when it is counted.

mod child;
mod contestants;
mod disk;
mod driver;
mod event;
mod log;
mod processes;
mod table;
mod workloads;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand, ValueEnum};
use tempfile::TempDir;

use crate::contestants::Contestant;
use crate::workloads::{Bench, Workload};

/// As in the program that the log is part of.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Debug, Parser)]
#[command(about, version)]
struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Option<Hidden>,
}

#[derive(Debug, Subcommand)]
enum Hidden {
    /// What this program starts itself for.
    #[command(hide = true)]
    Child {
        #[command(subcommand)]
        job: child::Job,
    },
}

/// What to measure.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Who takes part.
    #[arg(long, value_delimiter = ',', default_values_t = every::<Contestant>(), value_enum)]
    pub contestants: Vec<Contestant>,
    /// What they do.
    #[arg(long, value_delimiter = ',', default_values_t = every::<Workload>(), value_enum)]
    pub workloads: Vec<Workload>,
    /// How often each workload is measured.
    #[arg(long, default_value_t = 5)]
    pub rounds: usize,
    /// How many live streams there are when appends are measured.
    #[arg(long, default_value_t = 1_000_000)]
    pub streams: u64,
    /// How many events, each in a stream of its own, there are when start-up and memory are.
    #[arg(long, default_value_t = 10_000_000)]
    pub events: u64,
    /// How many writers append at once.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64])]
    pub writers: Vec<usize>,
    /// How many events each of their appends has.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 64, 512])]
    pub batches: Vec<usize>,
    /// How long each round of appends takes, in seconds.
    #[arg(long, default_value_t = 2.0)]
    pub seconds: f64,
    /// The most events of a round of appends, so that the disk does not fill up.
    #[arg(long, default_value_t = 2_000_000)]
    pub round_events: u64,
    /// How long a store may take to be filled with the streams, in seconds; it gets ten times as
    /// long for start-up. What it managed by then is what it is measured with.
    #[arg(long, default_value_t = 60)]
    pub fill_seconds: u64,
    /// Where the stores are; a directory for temporary files if it is not given.
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// A file for the table, in Markdown.
    #[arg(long)]
    pub markdown: Option<PathBuf>,
    /// A look at everything in about two minutes: two short rounds, few streams.
    #[arg(long)]
    pub quick: bool,
}

impl Options {
    fn settled(mut self) -> Self {
        if self.quick {
            (self.rounds, self.seconds, self.fill_seconds) = (2, 0.5, 10);
            (self.streams, self.events) = (50_000, 200_000);
        }
        // Ours first: the others are compared with it.
        self.contestants.sort_unstable();
        self.contestants.dedup();
        self
    }

    /// How long a round of appends takes.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }
}

fn every<T: ValueEnum + Clone>() -> Vec<T> {
    T::value_variants().to_vec()
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match cli.command {
        Some(Hidden::Child { job }) => runtime.block_on(child::run(job)),
        None => runtime.block_on(bench(cli.options.settled())),
    }
}

async fn bench(options: Options) -> Result<()> {
    let dir = match &options.dir {
        Some(parent) => TempDir::with_prefix_in("rivals-", parent),
        None => TempDir::with_prefix("rivals-"),
    };
    let dir = dir.context("a directory for the stores")?;
    // PostgreSQL runs as somebody else, who has to get to his own directory.
    fs::set_permissions(dir.path(), Permissions::from_mode(0o711))?;
    let markdown = options.markdown.clone();
    let mut bench = Bench::new(options, dir.path());
    bench.run().await?;
    let report = bench.report();
    if let Some(path) = markdown {
        fs::write(&path, &report).with_context(|| path.display().to_string())?;
    }
    println!("{report}");
    Ok(())
}
