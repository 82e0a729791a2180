//! The search of Playhead beside other engines: one catalogue, one list of queries, one box.
//!
//! `make search-rivals` measures everything; `--help` says how to measure less. Every contestant
//! builds and answers in processes of its own, and all answers are scored by the same code.

mod bench;
mod child;
mod contestants;
#[path = "../../../rivals/src/disk.rs"]
#[expect(dead_code, reason = "of the bench of the log, only the size of a directory is needed")]
mod disk;
mod films;
mod made_up;
#[path = "../../../rivals/src/processes.rs"]
#[expect(dead_code, reason = "of the bench of the log, only resident memory is needed")]
mod processes;
mod report;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::bench::Bench;
use crate::contestants::Contestant;

/// As in the program that the search is part of.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures the search of Playhead beside SQLite FTS5, PostgreSQL and the engine of Meilisearch.
#[derive(Debug, Parser)]
#[command(
    version,
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  search-rivals                                      a made-up catalogue and queries for it
  search-rivals --queries dev.tsv --catalogue films --popularity popularity.tsv
  search-rivals --contestants playhead,milli --kinds typo1,typo2 --limit 50 --rounds 1
  search-rivals --markdown search.md --json search.json

A catalogue is a directory with files movies-*.json, each an array of films with title, year, cast,
genres and extract; films are numbered from 1 through the files in the order of their names. A list
of queries has the columns stratum, kind, query, target and relevant, with tabs between them, the
last with the numbers of right answers; popularity has the columns film and ratings."
)]
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
#[derive(Debug, Clone, Args)]
pub(crate) struct Options {
    /// Who takes part
    #[arg(long, value_delimiter = ',', default_values_t = Contestant::value_variants().to_vec(), value_enum)]
    pub contestants: Vec<Contestant>,
    /// The queries; made-up ones for a made-up catalogue if not given
    #[arg(long, value_name = "FILE", requires = "catalogue")]
    pub queries: Option<PathBuf>,
    /// The directory with the films
    #[arg(long, value_name = "DIR", requires = "queries")]
    pub catalogue: Option<PathBuf>,
    /// How popular films are [default: popularity.tsv beside the queries, if it is there]
    #[arg(long, value_name = "FILE", requires = "queries")]
    pub popularity: Option<PathBuf>,
    /// Only queries of these kinds
    #[arg(long, value_delimiter = ',', value_name = "KIND")]
    pub kinds: Vec<String>,
    /// At most this many queries of each kind and stratum
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// How often everything is built and asked, in turn; figures are medians
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    pub rounds: u32,
    /// Where the indexes are; a directory for temporary files if not given
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// A file for the tables, in Markdown
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// A file for everything that was measured, in JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    match cli.command {
        Some(Hidden::Child { job }) => child::run(&job),
        None => bench(cli.options),
    }
}

fn bench(mut options: Options) -> Result<()> {
    // Ours first: the others are compared with it.
    options.contestants.sort_unstable();
    options.contestants.dedup();
    let (markdown, json) = (options.markdown.clone(), options.json.clone());
    let report = Bench::new(options)?.run()?;
    if let Some(path) = json {
        let text = serde_json::to_string_pretty(&report)?;
        fs::write(&path, text).with_context(|| path.display().to_string())?;
    }
    let text = report.markdown();
    if let Some(path) = markdown {
        fs::write(&path, &text).with_context(|| path.display().to_string())?;
    }
    println!("{text}");
    Ok(())
}
