//! `playhead import movielens`: films, and each rating as a play (<https://grouplens.org/datasets/movielens/>).
//!
//! MovieLens knows when somebody rated a film, and neither how long the film is nor how much of it
//! they saw. So every film is taken to run `plays::RUNTIME_MS`, and a rating of 3 or more means
//! that it was watched to the end, one below that it was left at `rating / 3` of it. The play ends
//! at the time of the rating and began as much earlier as was watched. Users become accounts with
//! one profile and a standard plan, opened when their first play began.
//!
//! The times *in* the events are those real ones; `recorded_at_ms`, the time of recording, is that
//! of the import. The plays of an account are in the order of their ratings, each stopped before the
//! next begins: many users rated dozens of films within minutes, which no limit of streams allows.

mod accounts;
mod movies;
mod plays;
mod ratings;
mod table;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use futures::future::{BoxFuture, FutureExt as _};
use indicatif::ProgressBar;
use serde::Serialize;

use self::accounts::{Accounts, Recorded};
use self::ratings::{Reader, UserRatings};
use super::flow::{Broken, Content, Emitter, Entry, Step};
use super::put::{Found, Put, Titles};
use super::run::{self, Import, Run};
use super::{Flaw, Options, Overwriting, Tally};
use crate::config::Config;
use crate::failure::Advise;
use crate::output::{count, counted, per_second, seconds};

/// The catalogue of the films and the service of the users.
const MOVIELENS: &str = "movielens";

/// Which MovieLens to import.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  playhead import movielens ml-latest-small
  playhead import movielens --json ml-25m

DIR holds movies.csv and ratings.csv as GroupLens ships them, ratings ordered by user. MovieLens
knows no running times: each film is taken to run 100 minutes; 3 stars or more means watched to the
end, fewer means left at stars / 3 of it. Importing again adds nothing; after a kill it goes on where
it stood. Fields of films that somebody changed by hand stay so, unless with --overwrite.")]
pub struct Args {
    /// The directory with movies.csv and ratings.csv
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// What is done about titles changed by hand.
    #[command(flatten)]
    pub overwriting: Overwriting,
    /// What can be said about every import.
    #[command(flatten)]
    pub options: Options,
}

/// What is found: first all films, then the ratings of one user after the other.
enum Work {
    Film(Box<Found>),
    Plays(UserRatings),
}

/// What came of it.
enum Outcome {
    Film(Put),
    Plays(Recorded),
}

#[derive(Debug, Default, Serialize)]
struct Report {
    dry_run: bool,
    went_on_behind: u64,
    titles: Tally,
    ratings: u64,
    ratings_left_out: u64,
    accounts_opened: u64,
    plays_added: u64,
    plays_already_there: u64,
    errors: u64,
    events: u64,
    elapsed_ms: u64,
    events_per_second: u64,
}

impl run::Report<Outcome> for Report {
    fn count(&mut self, step: Step<Outcome>) {
        match step {
            Step::Done(Outcome::Film(put)) => run::Report::count(&mut self.titles, Step::Done(put)),
            Step::Done(Outcome::Plays(recorded)) => self.recorded(recorded),
            Step::Skipped(reason) => run::Report::count(&mut self.titles, Step::Skipped(reason)),
            Step::Flawed(broken) => {
                self.errors += 1;
                // The parts are ratings.
                if broken != Broken::Part {
                    run::Report::count(&mut self.titles, Step::Flawed(broken));
                }
            }
        }
    }

    fn finish(&mut self, run: Run) {
        run::Report::finish(&mut self.titles, run);
        self.dry_run = run.dry_run;
        self.went_on_behind = run.went_on_behind;
        self.events += self.titles.events;
        self.elapsed_ms = run.elapsed_ms;
        self.events_per_second = per_second(self.events, self.elapsed_ms);
    }

    fn line(&self) -> String {
        let mut line = format!(
            "{}{} ratings read, {} plays added, {} already there, {} accounts opened, {} titles \
             added, {} changed, {}, in {}",
            if self.dry_run { "dry run: " } else { "" },
            count(self.ratings),
            count(self.plays_added),
            count(self.plays_already_there),
            count(self.accounts_opened),
            count(self.titles.added),
            count(self.titles.changed),
            counted(self.errors, "error"),
            seconds(self.elapsed_ms),
        );
        if self.went_on_behind > 0 {
            line.push_str(&format!(", behind {} films and users of before", self.went_on_behind));
        }
        if self.events > 0 {
            let rate = count(self.events_per_second);
            line.push_str(&format!(" ({} events, {rate} events/s)", count(self.events)));
        } else if self.plays_added + self.titles.added + self.titles.changed + self.errors == 0 {
            line.push_str(": nothing to do");
        }
        line
    }

    fn failure(&self) -> Option<String> {
        let errors = counted(self.errors, "record");
        (self.errors > 0).then(|| format!("not imported: {errors}"))
    }
}

impl Report {
    fn recorded(&mut self, recorded: Recorded) {
        self.accounts_opened += u64::from(recorded.opened);
        self.plays_added += recorded.plays_added;
        self.plays_already_there += recorded.plays_already_there;
        self.events += recorded.events;
        self.ratings_left_out += recorded.left_out;
        self.ratings += recorded.plays_added + recorded.plays_already_there + recorded.left_out;
    }
}

/// Imports MovieLens and says what came of it.
///
/// # Errors
/// A file cannot be read or is broken, or the log cannot be written.
pub(super) async fn run(config: &Config, args: Args) -> anyhow::Result<()> {
    let files = ["movies.csv", "ratings.csv"].map(|name| args.dir.join(name));
    for file in &files {
        std::fs::File::open(file)
            .with_context(|| format!("opening {} failed", file.display()))
            .advise(|| not_movielens(&args.dir))?;
    }
    let import = Import {
        kind: MOVIELENS,
        files: files.iter().map(PathBuf::as_path).collect(),
        asked: format!("{:?}", args.overwriting),
        options: &args.options,
        overwrite: args.overwriting.overwrite,
    };
    let [movies, ratings] = files.clone();
    let read = move |bar: &ProgressBar, emitter: &mut Emitter<Work>| {
        read_all(&movies, &ratings, bar, emitter).advise(|| not_movielens(&args.dir))
    };
    run::run(config, import, Report::default(), read, working).await
}

fn not_movielens(dir: &Path) -> String {
    format!("{} must hold movies.csv and ratings.csv as GroupLens ships them", dir.display())
}

/// Emits films, then users.
fn read_all(
    movies: &Path,
    ratings: &Path,
    bar: &ProgressBar,
    emitter: &mut Emitter<Work>,
) -> anyhow::Result<()> {
    let mut wanted = true;
    let movies = movies::read(movies, bar, &mut |found| {
        wanted = emitter.emit(match found {
            Ok(found) => Content::Found(Work::Film(Box::new(found))),
            Err(flaw) => Content::Flaw(flaw),
        });
        wanted
    })?;
    let mut reader = Reader::open(ratings, &movies, bar)?;
    while wanted {
        let mut parts = vec![];
        let Some(user) = reader.user(&mut parts)? else {
            parts.into_iter().all(|flaw| emitter.emit(Content::Flaw(flaw)));
            break;
        };
        wanted = emitter.emit(Entry { content: Content::Found(Work::Plays(user)), parts });
    }
    Ok(())
}

type Worked = anyhow::Result<Result<Outcome, Flaw>>;

/// What records films and plays.
fn working(titles: Titles) -> impl Fn(Work) -> BoxFuture<'static, Worked> {
    let accounts = Arc::new(Accounts {
        log: Arc::clone(&titles.log),
        commands: Arc::clone(&titles.commands),
        context: titles.context.clone(),
        dry_run: titles.dry_run,
    });
    move |work| match work {
        Work::Film(found) => {
            let titles = titles.clone();
            async move { Ok(titles.put(*found).await?.map(Outcome::Film)) }.boxed()
        }
        Work::Plays(user) => {
            let accounts = Arc::clone(&accounts);
            async move { Ok(Ok(Outcome::Plays(accounts.record(user).await?))) }.boxed()
        }
    }
}
