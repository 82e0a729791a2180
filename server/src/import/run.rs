//! The course of every import: open, go on where an earlier one was killed, read, record, report.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use indicatif::ProgressBar;
use playhead_commands::Commands;
use playhead_eventlog::EventLog;
use playhead_eventlog::embedded::{EmbeddedLog, OpenError};
use playhead_eventlog::memory::MemoryLog;
use serde::Serialize;

use super::checkpoint::{self, Checkpoint};
use super::errors::Errors;
use super::flow::{Emitter, Ended, Flow, Step};
use super::put::Titles;
use super::{Flaw, Options, files};
use crate::config::Config;
use crate::failure::Advise;
use crate::output::count;
use crate::store::{self, Store};
use crate::{output, progress};

/// What is imported.
pub(super) struct Import<'a> {
    /// The kind of catalogue: one place is noted for each.
    pub(super) kind: &'static str,
    /// All files that are read.
    pub(super) files: Vec<&'a Path>,
    /// What else changes what comes of them.
    pub(super) asked: String,
    pub(super) options: &'a Options,
    pub(super) overwrite: bool,
}

/// What came of an import, told at its end.
pub(super) trait Report<R>: Serialize {
    /// Counts what came of a record.
    fn count(&mut self, step: Step<R>);

    /// All is counted.
    fn finish(&mut self, run: Run);

    /// One line for people.
    fn line(&self) -> String;

    /// What the import failed with, if there were errors.
    fn failure(&self) -> Option<String>;
}

/// How a run went.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Run {
    pub(super) dry_run: bool,
    /// How many entries an earlier run had dealt with.
    pub(super) went_on_behind: u64,
    pub(super) elapsed_ms: u64,
}

/// The log, and what has to be closed.
struct Opened {
    log: Arc<dyn EventLog>,
    store: Option<Store>,
}

/// A dry run locks nothing and creates nothing. What is sealed it sees sealed.
async fn open(config: &Config, dry_run: bool) -> anyhow::Result<Opened> {
    if !dry_run {
        let store = Store::open(config, "playhead import").await?;
        return Ok(Opened { log: Arc::clone(&store.log), store: Some(store) });
    }
    let log: Arc<dyn EventLog> = match EmbeddedLog::open_read_only(&config.data) {
        Err(OpenError::NotFound { .. }) => Arc::new(MemoryLog::new(config.partition_count())),
        opened => Arc::new(store::explain(&config.data, opened)?),
    };
    Ok(Opened { log, store: None })
}

/// Imports and prints what came of it. `read` gets the bar that it moves by the bytes it reads;
/// `work` makes of how titles are put what deals with one thing that was found.
///
/// # Errors
/// A file cannot be read, is broken, or the log cannot be written.
pub(super) async fn run<T, R, W, F>(
    config: &Config,
    import: Import<'_>,
    mut report: impl Report<R>,
    read: impl FnOnce(&ProgressBar, &mut Emitter<T>) -> anyhow::Result<()> + Send + 'static,
    work: impl FnOnce(Titles) -> F,
) -> anyhow::Result<()>
where
    T: Send + 'static,
    R: Send + 'static,
    W: Future<Output = anyhow::Result<Result<R, Flaw>>> + Send + 'static,
    F: Fn(T) -> W,
{
    let options = import.options;
    let began = Instant::now();
    let opened = open(config, options.dry_run).await?;
    let bar = progress::bar(files::bytes(import.files.iter().copied()), "bytes");
    let ended = go(config, &import, &opened.log, &bar, &mut report, read, work).await;
    bar.finish_and_clear();
    if let Some(store) = opened.store {
        store.close().await;
    }
    let Ended { stopped_by, went_on_behind } =
        ended.advise(|| "mend the cause and import again: it goes on where it stood".to_owned())?;
    let elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    report.finish(Run { dry_run: options.dry_run, went_on_behind, elapsed_ms });
    output::print(options.json, &report, || report.line())?;
    if let Some(flaw) = stopped_by {
        return Err(flaw).advise(|| {
            "mend the record, or give --keep-going to import the others; what was imported so far \
             stays"
                .to_owned()
        });
    }
    report.failure().map_or(Ok(()), |failure| Err(anyhow::Error::msg(failure)))
}

async fn go<T, R, W, F>(
    config: &Config,
    import: &Import<'_>,
    log: &Arc<dyn EventLog>,
    bar: &ProgressBar,
    report: &mut impl Report<R>,
    read: impl FnOnce(&ProgressBar, &mut Emitter<T>) -> anyhow::Result<()> + Send + 'static,
    work: impl FnOnce(Titles) -> F,
) -> anyhow::Result<Ended>
where
    T: Send + 'static,
    R: Send + 'static,
    W: Future<Output = anyhow::Result<Result<R, Flaw>>> + Send + 'static,
    F: Fn(T) -> W,
{
    let options = import.options;
    let name = checkpoint::name(import.files.iter().copied(), &import.asked);
    let events = log.head().total();
    let checkpoint = Checkpoint::find(&config.data, import.kind, name, options, events);
    if checkpoint.entries() > 0 {
        let entries = count(checkpoint.entries());
        progress::say(bar, format_args!("going on behind {entries} entries of an earlier import"));
    }
    let errors = Errors::begin(options, checkpoint.errors_bytes(), bar)?;
    let titles = Titles {
        dry_run: options.dry_run,
        overwrite: import.overwrite,
        ..Titles::new(Arc::clone(log), Arc::new(Commands::new(Arc::clone(log))))
    };
    let flow = Flow { log: &**log, errors, checkpoint, bar };
    let moved = bar.clone();
    flow.run(move |emitter| read(&moved, emitter), work(titles), |step| report.count(step)).await
}
