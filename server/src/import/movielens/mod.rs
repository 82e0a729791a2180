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
use std::time::Instant;

use anyhow::Context as _;
use futures::stream::{self, StreamExt};
use indicatif::ProgressBar;
use playhead_commands::Commands;
use playhead_eventlog::EventLog;
use serde::Serialize;
use tokio::sync::mpsc;

use self::accounts::{Accounts, Recorded};
use self::movies::Movies;
use self::ratings::UserRatings;
use super::titles::Titles;
use super::{Flaw, Tally};
use crate::config::Config;
use crate::failure::Advise;
use crate::output::{count, per_second, seconds};
use crate::store::Store;
use crate::{output, progress};

/// The catalogue of the films and the service of the users.
const MOVIELENS: &str = "movielens";
/// How many accounts are worked on at once.
const ACCOUNTS_IN_FLIGHT: usize = 64;
/// How many titles are on their way into the log at once.
const TITLES_IN_FLIGHT: usize = 512;
/// How many users are read ahead.
const READ_AHEAD: usize = 64;

/// Which MovieLens to import.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  playhead import movielens ml-latest-small
  playhead import movielens --json ml-25m

DIR holds movies.csv and ratings.csv as GroupLens ships them, ratings ordered by user. MovieLens
knows no running times: each film is taken to run 100 minutes; 3 stars or more means watched to the
end, fewer means left at stars / 3 of it. Importing again adds nothing; after a kill it goes on.")]
pub struct Args {
    /// The directory with movies.csv and ratings.csv
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// The summary as one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Default, Serialize)]
struct Report {
    titles: Tally,
    ratings: u64,
    accounts_opened: u64,
    plays_added: u64,
    plays_already_there: u64,
    events: u64,
    elapsed_ms: u64,
    events_per_second: u64,
}

impl Report {
    fn recorded(&mut self, recorded: Recorded) {
        self.accounts_opened += u64::from(recorded.opened);
        self.plays_added += recorded.plays_added;
        self.plays_already_there += recorded.plays_already_there;
        self.events += recorded.events;
        self.ratings += recorded.plays_added + recorded.plays_already_there;
    }

    fn finish(&mut self, began: Instant) {
        self.events += self.titles.events;
        self.elapsed_ms = elapsed_ms(began);
        self.events_per_second = per_second(self.events, self.elapsed_ms);
    }

    fn line(&self) -> String {
        let mut line = format!(
            "{} ratings read, {} plays added, {} already there, {} accounts opened, {} titles \
             added, {} changed, in {}",
            count(self.ratings),
            count(self.plays_added),
            count(self.plays_already_there),
            count(self.accounts_opened),
            count(self.titles.added),
            count(self.titles.changed),
            seconds(self.elapsed_ms),
        );
        if self.events > 0 {
            let rate = count(self.events_per_second);
            line.push_str(&format!(" ({} events, {rate} events/s)", count(self.events)));
        } else {
            line.push_str(": nothing to do");
        }
        line
    }
}

fn elapsed_ms(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Imports MovieLens and says what came of it.
///
/// # Errors
/// A file cannot be read or is broken, or the log cannot be written.
pub(super) async fn run(config: &Config, args: &Args) -> anyhow::Result<()> {
    let began = Instant::now();
    let [movies, ratings] = ["movies.csv", "ratings.csv"].map(|name| args.dir.join(name));
    let movies = movies::read(&movies).advise(|| not_movielens(&args.dir))?;
    let ratings = ratings::open(&ratings).advise(|| not_movielens(&args.dir))?;
    let store = Store::open(config, "playhead import").await?;
    let imported = import(Arc::clone(&store.log), movies, ratings).await;
    store.close().await;
    let mut report = imported
        .context("importing MovieLens stopped")
        .advise(|| "mend the cause and import again: it goes on where it stood".to_owned())?;
    report.finish(began);
    Ok(output::print(args.json, &report, || report.line())?)
}

fn not_movielens(dir: &Path) -> String {
    format!("{} must hold movies.csv and ratings.csv as GroupLens ships them", dir.display())
}

async fn import(
    log: Arc<dyn EventLog>,
    movies: Movies,
    ratings: ratings::Reader,
) -> anyhow::Result<Report> {
    let commands = Arc::new(Commands::new(Arc::clone(&log)));
    let context = super::context();
    let titles =
        Titles { commands: Arc::clone(&commands), context: context.clone(), dry_run: false };
    let mut report = Report { titles: put_titles(&titles, &movies).await?, ..Report::default() };
    let bar = progress::counter("ratings");
    let accounts = Arc::new(Accounts { log, commands, context });
    let played = play_all(&accounts, movies, ratings, &mut report, &bar).await;
    bar.finish_and_clear();
    played.map(|()| report)
}

async fn put_titles(titles: &Titles, movies: &Movies) -> anyhow::Result<Tally> {
    let began = Instant::now();
    let mut tally = Tally::default();
    let found = stream::iter(movies.titles().cloned());
    let mut put = found.map(|found| titles.put(found)).buffer_unordered(TITLES_IN_FLIGHT).boxed();
    while let Some(outcome) = put.next().await {
        tally.put(outcome??);
    }
    tally.finish(elapsed_ms(began));
    Ok(tally)
}

async fn play_all(
    accounts: &Arc<Accounts>,
    movies: Movies,
    ratings: ratings::Reader,
    report: &mut Report,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    let (sender, receiver) = mpsc::channel::<UserRatings>(READ_AHEAD);
    let reader = tokio::task::spawn_blocking(move || -> Result<(), Flaw> {
        for user in ratings.users(&movies) {
            if sender.blocking_send(user?).is_err() {
                break;
            }
        }
        Ok(())
    });
    let users = stream::unfold(receiver, async |mut receiver| {
        receiver.recv().await.map(|user| (user, receiver))
    });
    let tasks = users.map(|user| {
        let accounts = Arc::clone(accounts);
        let task = tokio::spawn(async move { accounts.record(user).await });
        async move { task.await? }
    });
    let mut recorded = tasks.buffer_unordered(ACCOUNTS_IN_FLIGHT).boxed();
    while let Some(outcome) = recorded.next().await {
        let recorded = outcome?;
        bar.inc(recorded.plays_added + recorded.plays_already_there);
        report.recorded(recorded);
    }
    drop(recorded);
    Ok(reader.await??)
}
