//! `playhead import imdb`: IMDb's files (<https://developer.imdb.com/non-commercial-datasets/>).
//!
//! All files are in the order of the titles' keys, so they are read side by side, a few lines of each
//! at a time. Only the names of people are asked for in another order; they are copied into a file
//! for the time of the import.

mod akas;
mod basics;
mod credits;
mod join;
mod names;
mod regions;
mod side;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::bail;
use indicatif::ProgressBar;

use self::join::Joined;
use super::flow::Emitter;
use super::put::{Found, Titles};
use super::run::{self, Import};
use super::{Options, Overwriting, Tally};
use crate::config::Config;
use crate::failure::Advise;
use crate::progress;

/// The catalogue name.
const IMDB: &str = "imdb";

/// The file without which there are no titles.
const BASICS: &str = "title.basics";

/// The other files, and what is missing without them.
const OTHERS: [(&str, &str); 6] = [
    ("title.akas", "names in other languages"),
    ("title.crew", "directors and writers"),
    ("title.principals", "the cast"),
    ("title.ratings", "ratings and votes"),
    ("title.episode", "which series an episode is of"),
    ("name.basics", "people's names, and so all credits"),
];

/// The types of titles that can be imported.
const TYPES: [&str; 9] = [
    "movie",
    "tvMovie",
    "video",
    "short",
    "tvShort",
    "tvSeries",
    "tvMiniSeries",
    "tvEpisode",
    "tvSpecial",
];

/// Which of IMDb's titles to import.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  playhead import imdb imdb
  playhead import imdb --types movie,tvSeries,tvEpisode --min-votes 100 imdb
  playhead import imdb --dry-run --keep-going --errors errors.jsonl imdb

DIR holds the files as IMDb offers them, packed (.tsv.gz) or not (.tsv): title.basics, and of
title.akas, title.crew, title.principals, title.ratings, title.episode and name.basics what there is.
What a missing file would say stays as it is; without name.basics there are no credits. All must be
ordered by their first column, as they are there.

  movie, tvMovie, video      a movie; a documentary if its genre says so
  short, tvShort             a short
  tvSeries, tvMiniSeries     a series
  tvEpisode                  an episode; without season or number, both are 0
  tvSpecial                  a special; a documentary if its genre says so

Left out: tvPilot, videoGame, working titles, names that are only transliterated or translated
literally, what has more than 400 credits or 100 languages. The original title, if it is another than
the primary one, stands beside the names in other languages, as of an undetermined one (und).

Importing again adds nothing, and changes what the files say otherwise, but no field that somebody
changed by hand, unless with --overwrite. After a kill it goes on where it stood.")]
pub struct Args {
    /// The directory with IMDb's files
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// Only titles of these types
    #[arg(long, value_delimiter = ',', value_parser = TYPES, value_name = "TYPE,…")]
    pub types: Vec<String>,
    /// Only titles that so many have rated
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub min_votes: u32,
    /// Also titles for adults only
    #[arg(long)]
    pub adult: bool,
    /// What is done about titles changed by hand.
    #[command(flatten)]
    pub overwriting: Overwriting,
    /// What can be said about every import.
    #[command(flatten)]
    pub options: Options,
}

/// Which titles are wanted.
#[derive(Debug, Default)]
struct Filter {
    /// All, if it is empty.
    types: BTreeSet<String>,
    min_votes: u32,
    adult: bool,
}

impl Filter {
    fn takes(&self, title_type: &str) -> bool {
        self.types.is_empty() || self.types.contains(title_type)
    }
}

/// Where the files are.
struct Paths {
    basics: PathBuf,
    others: BTreeMap<&'static str, PathBuf>,
}

impl Paths {
    /// Looks for the files in a directory.
    fn find(dir: &Path) -> anyhow::Result<Self> {
        let Some(basics) = packed_or_not(dir, BASICS)? else {
            let what = format!("there is no {BASICS}.tsv or {BASICS}.tsv.gz in {}", dir.display());
            return Err(anyhow::Error::msg(what)).advise(|| {
                "name the directory with IMDb's files; nothing was imported".to_owned()
            });
        };
        let mut others = BTreeMap::new();
        for (name, _) in OTHERS {
            if let Some(path) = packed_or_not(dir, name)? {
                others.insert(name, path);
            }
        }
        Ok(Self { basics, others })
    }

    fn basics(&self) -> &Path {
        &self.basics
    }

    fn of(&self, name: &str) -> Option<&Path> {
        self.others.get(name).map(PathBuf::as_path)
    }

    fn all(&self) -> Vec<&Path> {
        [&self.basics].into_iter().chain(self.others.values()).map(PathBuf::as_path).collect()
    }
}

fn packed_or_not(dir: &Path, name: &str) -> anyhow::Result<Option<PathBuf>> {
    let paths = ["tsv", "tsv.gz"].map(|ending| dir.join(format!("{name}.{ending}")));
    match paths.clone().map(|path| path.is_file()) {
        [true, true] => {
            let [plain, packed] = paths.map(|path| path.display().to_string());
            bail!("there are both {plain} and {packed}; remove one of them")
        }
        [true, false] | [false, true] => Ok(paths.into_iter().find(|path| path.is_file())),
        [false, false] => Ok(None),
    }
}

/// Imports IMDb and says what came of it.
///
/// # Errors
/// A file cannot be read, is broken or not in order, or the log cannot be written.
pub(super) async fn run(config: &Config, args: Args) -> anyhow::Result<()> {
    let paths = Paths::find(&args.dir)?;
    let Args { types, min_votes, adult, options, overwriting, .. } = args;
    let filter = Filter { types: types.into_iter().collect(), min_votes, adult };
    if min_votes > 0 && paths.of("title.ratings").is_none() {
        bail!("--min-votes needs title.ratings.tsv, which is not there");
    }
    let asked = format!("{filter:?} {overwriting:?}");
    let dir = (!options.dry_run).then(|| config.data.join("imports"));
    let files = paths.all().into_iter().map(Path::to_owned).collect::<Vec<_>>();
    let import = Import {
        kind: IMDB,
        files: files.iter().map(PathBuf::as_path).collect(),
        asked,
        options: &options,
        overwrite: overwriting.overwrite,
    };
    let read = move |bar: &ProgressBar, emitter: &mut Emitter<Found>| {
        for (name, what) in OTHERS {
            if paths.of(name).is_none() {
                progress::say(bar, format_args!("note: without {name}.tsv, {what} are missing"));
            }
        }
        Joined::open(&paths, filter, bar)?.read(dir.as_deref(), emitter)
    };
    run::run(config, import, Tally::default(), read, Titles::putting).await
}
