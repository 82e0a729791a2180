//! What is measured in a process of its own: building an index, and asking it.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use clap::{Args, Subcommand};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::contestants::Contestant;
use crate::films::Film;
use crate::{disk, processes};

/// What stands before what a child tells: some engines print to the same place.
const TOLD: &str = "RIVALS ";
/// How many queries are asked before the first that counts.
const WARM_UP: usize = 200;
/// How many queries there are between two tellings of how far it is.
const TELL_EVERY: usize = 25;

/// Where a job works.
#[derive(Debug, Clone, Args)]
pub(crate) struct Place {
    /// Whose index.
    #[arg(long)]
    pub contestant: Contestant,
    /// The directory of the index.
    #[arg(long)]
    pub dir: PathBuf,
    /// The films or the texts of the queries, as a JSON array.
    #[arg(long)]
    pub input: PathBuf,
}

/// What a child process does.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Job {
    /// Builds an index of films: tells [`Built`].
    Build(Place),
    /// Opens the index and asks it all queries: tells [`Asked`].
    Ask(Place),
}

/// What a child tells.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Told {
    /// How many queries were asked so far.
    Progress(u64),
    Built(Built),
    Asked(Asked),
}

/// How a build went.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Built {
    /// From the films in memory to an index that is durable, in seconds.
    pub seconds: f64,
    /// The processor time of that, in seconds.
    pub cpu_seconds: f64,
    /// What the index takes on disk, in MB (10^6 bytes).
    pub disk_mb: f64,
}

/// How the asking went.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// Until the index was open, in milliseconds.
    pub open_ms: f64,
    /// The processor time per query, of a server too, in microseconds.
    pub cpu_us: f64,
    /// Resident memory after all queries, of a server too, in MB.
    pub resident_mb: f64,
    /// What was found, in the order of the queries.
    pub answers: Vec<Found>,
}

/// The answer to a query.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Found {
    /// The numbers of films, best first; at most ten.
    pub films: Vec<u32>,
    /// How long it took, in nanoseconds.
    pub nanos: u64,
}

/// Does the job, and tells what came of it.
///
/// # Errors
/// The engine failed.
pub(crate) fn run(job: &Job) -> Result<()> {
    match job {
        Job::Build(place) => tell(&Told::Built(build(place)?)),
        Job::Ask(place) => tell(&Told::Asked(ask(place)?)),
    }
}

fn build(place: &Place) -> Result<Built> {
    let films: Vec<Film> = serde_json::from_str(&fs::read_to_string(&place.input)?)?;
    let (since, cpu) = (Instant::now(), cpu_seconds()?);
    let elsewhere = place.contestant.build(&place.dir, &films)?;
    let seconds = since.elapsed().as_secs_f64();
    let cpu_seconds = cpu_seconds()? - cpu + elsewhere.cpu_seconds;
    let disk_mb = match elsewhere.disk_mb {
        Some(own) => own,
        None => disk::size_mb(&place.dir)?,
    };
    Ok(Built { seconds: seconds - elsewhere.not_counted, cpu_seconds, disk_mb })
}

fn ask(place: &Place) -> Result<Asked> {
    let queries: Vec<String> = serde_json::from_str(&fs::read_to_string(&place.input)?)?;
    let since = Instant::now();
    let mut engine = place.contestant.open(&place.dir)?;
    let open_ms = since.elapsed().as_secs_f64() * 1e3;
    for query in queries.iter().take(WARM_UP) {
        engine.find(query)?;
    }
    let cpu = cpu_seconds()? + engine.server_cpu_seconds()?;
    let mut answers = Vec::with_capacity(queries.len());
    for (nth, query) in queries.iter().enumerate() {
        let since = Instant::now();
        let films = engine.find(query).with_context(|| format!("{query:?}"))?;
        let nanos = u64::try_from(since.elapsed().as_nanos())?;
        answers.push(Found { films, nanos });
        if nth % TELL_EVERY == 0 {
            tell(&Told::Progress(nth as u64))?;
        }
    }
    let cpu = cpu_seconds()? + engine.server_cpu_seconds()? - cpu;
    let resident_mb = processes::resident_mb(engine.server())?;
    Ok(Asked { open_ms, cpu_us: cpu * 1e6 / queries.len() as f64, resident_mb, answers })
}

/// The processor time of this process so far.
fn cpu_seconds() -> Result<f64> {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Ok(time.tv_sec as f64 + time.tv_nsec as f64 / 1e9)
}

fn tell(told: &Told) -> Result<()> {
    let mut out = io::stdout().lock();
    // On a line of its own, whatever an engine printed before.
    writeln!(out, "\n{TOLD}{}", serde_json::to_string(told)?)?;
    Ok(out.flush()?)
}

/// Lets a child build an index.
///
/// # Errors
/// It failed; it said why on its standard error.
pub(crate) fn built(contestant: Contestant, dir: &Path, films: &Path) -> Result<Built> {
    let mut built = None;
    start("build", (contestant, dir, films), |told| {
        if let Told::Built(told) = told {
            built = Some(told);
        }
    })?;
    built.context("a child told nothing")
}

/// Lets a child ask an index, and hears how far it is.
///
/// # Errors
/// It failed; it said why on its standard error.
pub(crate) fn asked(
    contestant: Contestant,
    dir: &Path,
    queries: &Path,
    mut progress: impl FnMut(u64),
) -> Result<Asked> {
    let mut asked = None;
    start("ask", (contestant, dir, queries), |told| match told {
        Told::Progress(done) => progress(done),
        Told::Asked(told) => asked = Some(told),
        Told::Built(_) => {}
    })?;
    asked.context("a child told nothing")
}

fn start(
    job: &str,
    (contestant, dir, input): (Contestant, &Path, &Path),
    mut hear: impl FnMut(Told),
) -> Result<()> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["child", job, "--contestant", &contestant.name(), "--dir"]).arg(dir);
    command.arg("--input").arg(input).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let out = child.stdout.take().context("no output")?;
    for line in BufReader::new(out).lines() {
        if let Some(told) = line?.strip_prefix(TOLD) {
            hear(serde_json::from_str(told)?);
        }
    }
    let ended = child.wait()?;
    ensure!(ended.success(), "{} could not {job}: {ended}", contestant.title());
    Ok(())
}
