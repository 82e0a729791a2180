//! `playhead import films`: titles from JSON arrays.

mod array;
mod json;
mod paths;
mod records;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use indicatif::ProgressBar;
use playhead_commands::Commands;
use playhead_eventlog::EventLog;

pub use self::records::{Record, records};
use super::checkpoint::Checkpoint;
use super::errors::Errors;
use super::flow::{Content, Emitter, Flow};
use super::put::{Found, Titles};
use super::run::{self, Import, Report as _, Run};
use super::{Options, Overwriting, Tally, files};
use crate::config::Config;

/// Which films to import.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  playhead import films films/*.json
  playhead import films films                movies-*.json and movies-*.json.gz in it
  playhead import films --dry-run --json films/*.json
  playhead import films --keep-going --errors errors.jsonl broken.json

Files may be packed with gzip. Importing the same again adds nothing. What changed in the file is
changed in the catalogue, but no field that somebody changed by hand, unless with --overwrite. After a
kill it goes on where it stood.")]
pub struct Args {
    /// Files or directories with JSON arrays of films
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// What is done about titles changed by hand.
    #[command(flatten)]
    pub overwriting: Overwriting,
    /// What can be said about every import.
    #[command(flatten)]
    pub options: Options,
}

/// Where films come from.
#[derive(Debug, Clone)]
pub enum Origin {
    /// A file with a JSON array.
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
type Item = Content<Found>;

/// Imports films and says what came of it.
///
/// # Errors
/// A file cannot be read or is broken, or the log cannot be written.
pub(super) async fn run(config: &Config, args: Args) -> anyhow::Result<()> {
    let files = paths::expand(&args.paths)?;
    let origins: Vec<_> = files.iter().cloned().map(Origin::File).collect();
    let import = Import {
        kind: "films",
        files: files.iter().map(PathBuf::as_path).collect(),
        asked: format!("{:?}", args.overwriting),
        options: &args.options,
        overwrite: args.overwriting.overwrite,
    };
    let read =
        move |bar: &ProgressBar, emitter: &mut Emitter<Found>| read_all(origins, bar, emitter);
    run::run(config, import, Tally::default(), read, Titles::putting).await
}

/// The files that paths stand for, and how many bytes they hold.
///
/// # Errors
/// A path does not exist, or there is nothing to import in a directory.
pub fn origins(paths: &[PathBuf]) -> anyhow::Result<(Vec<Origin>, u64)> {
    let found = paths::expand(paths)?;
    let bytes = files::bytes(found.iter().map(PathBuf::as_path));
    Ok((found.into_iter().map(Origin::File).collect(), bytes))
}

/// Imports films, up to the first that is broken. `bar` is moved by the bytes read of files.
///
/// # Errors
/// A file cannot be read, a film is broken, or the log cannot be written.
pub async fn import(
    log: Arc<dyn EventLog>,
    commands: Arc<Commands>,
    origins: Vec<Origin>,
    bar: ProgressBar,
) -> anyhow::Result<Tally> {
    let began = std::time::Instant::now();
    let titles = Titles::new(Arc::clone(&log), commands);
    let (errors, checkpoint) = (Errors::shown(Some(0), &bar), Checkpoint::nowhere());
    let flow = Flow { log: &*log, errors, checkpoint, bar: &bar };
    let mut tally = Tally::default();
    let moved = bar.clone();
    let read = move |emitter: &mut Emitter<Found>| read_all(origins, &moved, emitter);
    let ended = flow.run(read, titles.putting(), |step| tally.count(step)).await?;
    let elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    tally.finish(Run { elapsed_ms, ..Run::default() });
    match ended.stopped_by {
        Some(flaw) => Err(flaw.into()),
        None => Ok(tally),
    }
}

/// Reads all files, one after the other, until nobody listens any more.
fn read_all(
    origins: Vec<Origin>,
    bar: &ProgressBar,
    emitter: &mut Emitter<Found>,
) -> anyhow::Result<()> {
    let mut wanted = true;
    for origin in origins {
        let mut emit = |item: Item| {
            wanted = emitter.emit(item);
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
    let read = json::read(files::open(path, bar)?, &name, emit);
    read.with_context(|| format!("reading {name} failed"))
}
