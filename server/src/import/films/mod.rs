//! `playhead import films`: titles from JSON arrays and from IMDb's `title.basics.tsv`.

mod array;
mod imdb;
mod json;
mod paths;

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use futures::stream::{self, StreamExt};
use indicatif::ProgressBar;
use playhead_commands::Commands;
use playhead_eventlog::EventLog;
use playhead_eventlog::embedded::{EmbeddedLog, OpenError};
use playhead_eventlog::memory::MemoryLog;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::titles::{Found, Put, Titles};
use super::{Flaw, Tally};
use crate::config::Config;
use crate::failure::Advise;
use crate::store::{self, Store};
use crate::{output, progress};

/// How many titles are on their way into the log at once; one fsync serves all that wait.
const IN_FLIGHT: usize = 512;
/// How many records are read ahead.
const READ_AHEAD: usize = 1_024;
/// How many errors are shown; the others are counted.
const ERRORS_SHOWN: u64 = 20;

/// Which films to import.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  playhead import films films/*.json
  playhead import films films                movies-*.json and *.tsv in it
  playhead import films title.basics.tsv     IMDb, non-commercial use
  playhead import films --dry-run --json films/*.json
  playhead import films --keep-going broken.json

Importing the same again adds nothing. What changed in the file is changed in the catalogue.")]
pub struct Args {
    /// Files or directories: JSON arrays of films, or title.basics.tsv of IMDb by its ending .tsv
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    /// Leave out broken records instead of stopping at the first; the exit status is 1 all the same
    #[arg(long)]
    pub keep_going: bool,
    /// The summary as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Where films come from.
#[derive(Debug, Clone)]
pub enum Origin {
    /// A file; `.tsv` is IMDb's table, everything else JSON.
    File(PathBuf),
    /// A JSON array in memory.
    Text {
        /// What errors call it.
        name: &'static str,
        /// The array.
        text: &'static str,
    },
}

/// What was found at one place of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Title(Box<Found>),
    /// Left out on purpose, and why.
    Skipped(&'static str),
    Flaw(Flaw),
    /// From here on, nothing in the file can be read.
    Unreadable(Flaw),
    /// Something the user should know.
    Note(String),
}

/// Imports films and says what came of it.
///
/// # Errors
/// A file cannot be read or is broken, or the log cannot be written.
pub(super) async fn run(config: &Config, args: &Args) -> anyhow::Result<()> {
    let (origins, total) = origins(&args.paths)?;
    let (log, store) = open(config, args.dry_run).await?;
    let commands = Arc::new(Commands::new(log));
    let bar = progress::bar(total, "bytes");
    let titles = Titles { commands, context: super::context(), dry_run: args.dry_run };
    let import = Import { titles, keep_going: args.keep_going, bar: bar.clone() };
    let imported = import.run(origins).await;
    bar.finish_and_clear();
    if let Some(store) = store {
        store.close().await;
    }
    let Imported { tally, stopped_by } = imported?;
    output::print(args.json, &tally, || tally.line())?;
    if let Some(flaw) = stopped_by {
        return Err(flaw).advise(|| {
            "mend the record, or give --keep-going to import the others; what was imported so far \
             stays"
                .to_owned()
        });
    }
    if tally.errors > 0 {
        anyhow::bail!(tally.failure());
    }
    Ok(())
}

/// The log, and what has to be closed. A dry run locks nothing and creates nothing, and looks only at
/// titles, in which nothing is sealed.
async fn open(
    config: &Config,
    dry_run: bool,
) -> anyhow::Result<(Arc<dyn EventLog>, Option<Store>)> {
    if !dry_run {
        let store = Store::open(config, "playhead import").await?;
        return Ok((Arc::clone(&store.log), Some(store)));
    }
    match EmbeddedLog::open_read_only(&config.data) {
        Err(OpenError::NotFound { .. }) => {
            Ok((Arc::new(MemoryLog::new(config.partition_count())), None))
        }
        opened => Ok((Arc::new(store::explain(&config.data, opened)?), None)),
    }
}

/// The files that paths stand for, and how many bytes they hold.
///
/// # Errors
/// A path does not exist, or there is nothing to import in a directory.
pub fn origins(paths: &[PathBuf]) -> anyhow::Result<(Vec<Origin>, u64)> {
    let files = paths::expand(paths)?;
    let bytes = files.iter().filter_map(|file| file.metadata().ok()).map(|found| found.len()).sum();
    Ok((files.into_iter().map(Origin::File).collect(), bytes))
}

/// Imports films. `bar` is moved by the bytes read of files.
///
/// # Errors
/// A file cannot be read, or the log cannot be written.
pub async fn import(
    commands: Arc<Commands>,
    origins: Vec<Origin>,
    keep_going: bool,
    bar: ProgressBar,
) -> anyhow::Result<Tally> {
    let titles = Titles { commands, context: super::context(), dry_run: false };
    let import = Import { titles, keep_going, bar };
    let imported = import.run(origins).await?;
    match imported.stopped_by {
        Some(flaw) => Err(flaw.into()),
        None => Ok(imported.tally),
    }
}

struct Import {
    titles: Titles,
    keep_going: bool,
    bar: ProgressBar,
}

struct Imported {
    tally: Tally,
    stopped_by: Option<Flaw>,
}

impl Import {
    async fn run(&self, origins: Vec<Origin>) -> anyhow::Result<Imported> {
        let began = Instant::now();
        let mut tally = Tally { dry_run: self.titles.dry_run, ..Tally::default() };
        let mut stopped_by = None;
        let (sender, receiver) = mpsc::channel(READ_AHEAD);
        let bar = self.bar.clone();
        let reader = tokio::task::spawn_blocking(move || read_all(origins, &bar, &sender));
        let enough = CancellationToken::new();
        let items = stream::unfold(receiver, async |mut receiver| {
            receiver.recv().await.map(|item| (item, receiver))
        });
        let items = items.take_until(enough.clone().cancelled_owned());
        let mut done = items.map(|item| self.handle(item)).buffer_unordered(IN_FLIGHT).boxed();
        while let Some(outcome) = done.next().await {
            match outcome? {
                Handled::Put(put) => tally.put(put),
                Handled::Skipped(reason) => tally.skip(reason),
                Handled::Nothing => {}
                Handled::Flaw { flaw, record } => {
                    tally.error(record);
                    if self.keep_going {
                        self.show(&flaw, tally.errors);
                    } else if stopped_by.is_none() {
                        stopped_by = Some(flaw);
                        enough.cancel();
                    }
                }
            }
        }
        // Lets go of the receiver, so that a reader who has more to say ends, too.
        drop(done);
        reader.await??;
        tally.finish(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX));
        Ok(Imported { tally, stopped_by })
    }

    async fn handle(&self, item: Item) -> anyhow::Result<Handled> {
        match item {
            Item::Title(found) => Ok(match self.titles.put(*found).await? {
                Ok(put) => Handled::Put(put),
                Err(flaw) => Handled::Flaw { flaw, record: true },
            }),
            Item::Skipped(reason) => Ok(Handled::Skipped(reason)),
            Item::Flaw(flaw) => Ok(Handled::Flaw { flaw, record: true }),
            Item::Unreadable(flaw) => Ok(Handled::Flaw { flaw, record: false }),
            Item::Note(note) => {
                progress::say(&self.bar, format_args!("note: {note}"));
                Ok(Handled::Nothing)
            }
        }
    }

    fn show(&self, flaw: &Flaw, number: u64) {
        if number <= ERRORS_SHOWN {
            progress::say(&self.bar, format_args!("error: {flaw}"));
        } else if number == ERRORS_SHOWN + 1 {
            progress::say(&self.bar, "more errors are only counted");
        }
    }
}

enum Handled {
    Put(Put),
    Skipped(&'static str),
    /// `record` is false if it stands for the rest of a file.
    Flaw {
        flaw: Flaw,
        record: bool,
    },
    Nothing,
}

/// Reads all files, one after the other, until nobody listens any more.
fn read_all(
    origins: Vec<Origin>,
    bar: &ProgressBar,
    sender: &mpsc::Sender<Item>,
) -> anyhow::Result<()> {
    let mut wanted = true;
    for origin in origins {
        let mut emit = |item| {
            wanted = sender.blocking_send(item).is_ok();
            wanted
        };
        match origin {
            Origin::File(path) => read_file(&path, bar, &mut emit)?,
            Origin::Text { name, text } => json::read(text.as_bytes(), &name.into(), &mut emit)?,
        }
        if !wanted {
            break;
        }
    }
    Ok(())
}

fn read_file(
    path: &Path,
    bar: &ProgressBar,
    emit: &mut dyn FnMut(Item) -> bool,
) -> anyhow::Result<()> {
    let name: Arc<str> = path.to_string_lossy().into();
    let file = File::open(path).with_context(|| format!("opening {name} failed"))?;
    let file = BufReader::with_capacity(256 << 10, Counted { file, bar: bar.clone() });
    let read = if paths::is_table(path) {
        imdb::read(file, &name, emit)
    } else {
        json::read(file, &name, emit)
    };
    read.with_context(|| format!("reading {name} failed"))
}

/// A file that moves a progress bar as it is read.
struct Counted {
    file: File,
    bar: ProgressBar,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.bar.inc(u64::try_from(read).unwrap_or(0));
        Ok(read)
    }
}
