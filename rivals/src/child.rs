//! Jobs that need a process of their own: to be killed, traced, or looked at from outside.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use clap::{Args, Subcommand};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::contestants::Contestant;
use crate::driver::{self, REGION_STREAMS, Tips, Until};
use crate::log::Log;
use crate::processes;

/// What stands before the answer of a child: some stores print to the same place.
const ANSWER: &str = "RIVALS ";
const FOREVER: Duration = Duration::from_secs(86_400);

/// Where a job works.
#[derive(Debug, Clone, Args)]
pub(crate) struct Place {
    /// Whose store.
    #[arg(long)]
    pub contestant: Contestant,
    /// The directory of the store.
    #[arg(long)]
    pub dir: PathBuf,
    /// The region of new streams, one that no job had before.
    #[arg(long)]
    pub region: u64,
}

/// What a child process does.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Job {
    /// Begins streams, and closes the store: answers [`Filled`].
    Fill {
        /// Where.
        #[command(flatten)]
        place: Place,
        /// How many at most.
        #[arg(long)]
        streams: u64,
        /// In which time at most, in seconds.
        #[arg(long)]
        seconds: u64,
    },
    /// Opens the store, reads a stream, appends a little, closes: answers [`Opened`].
    Open {
        /// Where.
        #[command(flatten)]
        place: Place,
    },
    /// Appends one event at a time with 64 writers until it is killed; answers once it has begun.
    Churn {
        /// Where.
        #[command(flatten)]
        place: Place,
    },
    /// Appends this often with 64 writers, and closes: answers how often it did.
    Load {
        /// Where.
        #[command(flatten)]
        place: Place,
        /// How many appends.
        #[arg(long)]
        appends: u64,
        /// How many events in each.
        #[arg(long)]
        events: usize,
    },
}

/// How many streams there are now.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Filled {
    /// How many were begun.
    pub streams: u64,
    /// In how many seconds.
    pub seconds: f64,
}

/// How an opening went.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Opened {
    /// Until the first stream was read, in milliseconds.
    pub ready_ms: f64,
    /// Resident memory right after it, in MB.
    pub resident_mb: f64,
    /// The most resident memory so far, in MB; nothing for a server of several processes.
    pub peak_mb: Option<f64>,
    /// Resident memory after [`APPENDS`] more appends, in MB.
    pub appended_mb: f64,
}

/// How many appends an [`Job::Open`] makes.
const APPENDS: u64 = 20_000;

/// Does the job, and prints the answer.
///
/// # Errors
/// The store failed.
pub(crate) async fn run(job: Job) -> Result<()> {
    match job {
        Job::Fill { place, streams, seconds } => {
            let log = place.contestant.open(&place.dir).await?;
            let since = Instant::now();
            let within = Duration::from_secs(seconds);
            let streams =
                driver::fill(&log, &Arc::new(Tips::new(streams)), streams, within).await?;
            let seconds = since.elapsed().as_secs_f64();
            log.close().await?;
            answer(&Filled { streams, seconds })
        }
        Job::Open { place } => answer(&open(&place).await?),
        Job::Churn { place } => {
            let log = place.contestant.open(&place.dir).await?;
            answer(&())?;
            append(&log, &place, u64::MAX, 1).await?;
            Ok(())
        }
        Job::Load { place, appends, events } => {
            let log = place.contestant.open(&place.dir).await?;
            let done = append(&log, &place, appends, events).await?;
            log.close().await?;
            answer(&done)
        }
    }
}

/// Appends with 64 writers to new streams, and answers how often.
async fn append(log: &Arc<dyn Log>, place: &Place, appends: u64, events: usize) -> Result<u64> {
    let tips = Arc::new(Tips::region(place.region));
    let until = Until { elapsed: FOREVER, events: appends.saturating_mul(events as u64) };
    let done = driver::drive(log, (&tips, REGION_STREAMS), (64, events), until).await?;
    Ok(done.appends)
}

async fn open(place: &Place) -> Result<Opened> {
    let since = Instant::now();
    let log = place.contestant.open(&place.dir).await?;
    let seen = log.read(0).await?;
    let ready_ms = since.elapsed().as_secs_f64() * 1e3;
    ensure!(seen.events > 0, "the first stream is empty");
    let server = log.server();
    let (resident_mb, peak_mb) = (processes::resident_mb(server)?, processes::peak_mb()?);
    append(&log, place, APPENDS, 1).await?;
    let appended_mb = processes::resident_mb(server)?;
    log.close().await?;
    let peak_mb = server.is_none().then_some(peak_mb);
    Ok(Opened { ready_ms, resident_mb, peak_mb, appended_mb })
}

fn answer<T: Serialize>(answer: &T) -> Result<()> {
    let mut out = io::stdout().lock();
    // On a line of its own, whatever a store printed before.
    writeln!(out, "\n{ANSWER}{}", serde_json::to_string(answer)?)?;
    Ok(out.flush()?)
}

/// A job as the arguments of this program.
#[must_use]
pub(crate) fn command(job: &str, place: &Place, more: &[(&str, u64)]) -> Vec<String> {
    let mut args = vec!["child".to_owned(), job.to_owned()];
    args.extend(["--contestant".to_owned(), place.contestant.name()]);
    args.extend(["--dir".to_owned(), place.dir.display().to_string()]);
    args.extend(["--region".to_owned(), place.region.to_string()]);
    for (option, value) in more {
        args.extend([format!("--{option}"), value.to_string()]);
    }
    args
}

/// This program with these arguments, behind `before` (a tracer and its options).
///
/// # Errors
/// Nobody knows where this program is.
pub(crate) fn program(before: &[&str], args: &[String]) -> Result<Command> {
    let own = std::env::current_exe()?.display().to_string();
    let mut words = before.iter().copied().chain([own.as_str()]);
    let mut command = Command::new(words.next().context("no program")?);
    command.args(words).args(args).stdin(Stdio::null()).stdout(Stdio::piped());
    Ok(command)
}

/// The next answer of a child that goes on.
///
/// # Errors
/// It ended without one.
pub(crate) fn answered<T: DeserializeOwned>(child: &mut Child) -> Result<T> {
    let out = child.stdout.as_mut().context("no output")?;
    for line in BufReader::new(out).lines() {
        if let Some(answer) = line?.strip_prefix(ANSWER) {
            return Ok(serde_json::from_str(answer)?);
        }
    }
    bail!("a child ended without an answer")
}

/// Lets a child do its job, and answers what it answered.
///
/// # Errors
/// The job failed; the child said why on its standard error.
pub(crate) fn done<T: DeserializeOwned>(before: &[&str], args: &[String]) -> Result<T> {
    let mut child = program(before, args)?.spawn()?;
    let answer = answered(&mut child);
    let ended = child.wait()?;
    ensure!(ended.success(), "{args:?} ended with {ended}");
    answer
}
