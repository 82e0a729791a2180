//! Takes over titles and ratings of other catalogues.
//!
//! Everything goes through the same rules as the commands of clients. Ids follow from the other
//! catalogue's keys ([`crate::ids`]), so importing twice adds nothing, and an import that was
//! killed goes on where it stood: `run` is the course that all of them take.

mod by_hand;
mod checkpoint;
mod errors;
mod files;
pub mod films;
mod flaw;
mod flow;
pub mod imdb;
pub mod movielens;
mod options;
mod put;
mod run;
mod tally;

use clap::Subcommand;
use playhead_commands::Context;

pub use self::flaw::Flaw;
pub use self::options::{Options, Overwriting};
pub use self::tally::Tally;
use crate::clock;
use crate::config::Config;

/// Who all that is imported comes from, in the log.
const ACTOR: &str = "system:import";

/// What to import.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// From what kind of catalogue.
    #[command(subcommand)]
    pub from: From,
}

/// Kinds of catalogues.
#[derive(Debug, Subcommand)]
pub enum From {
    /// Films from JSON arrays
    Films(films::Args),
    /// IMDb: titles with their names everywhere, people, ratings and episodes
    Imdb(imdb::Args),
    /// MovieLens: films, and each rating as a play at its real time
    Movielens(movielens::Args),
}

/// Imports.
///
/// # Errors
/// A file cannot be read or is broken, or the log cannot be written.
pub async fn run(config: Config, args: Args) -> anyhow::Result<()> {
    match args.from {
        From::Films(args) => films::run(&config, args).await,
        From::Imdb(args) => imdb::run(&config, args).await,
        From::Movielens(args) => movielens::run(&config, args).await,
    }
}

/// The context of an import that begins now. Commands get their own ids.
#[must_use]
pub fn context() -> Context {
    let run_id = clock::new_id();
    Context {
        command_id: run_id,
        at_ms: clock::now_ms(),
        actor: ACTOR.into(),
        correlation_id: run_id,
    }
}
