//! `playhead admin`: tasks of operators.

mod keys;
mod token;

use clap::Subcommand;

use crate::config::Config;
use crate::store;

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub task: Task,
}

/// Tasks of operators.
#[derive(Debug, Subcommand)]
pub enum Task {
    /// Make an access token for the API
    Token(token::TokenArgs),
    /// Show and replace keys
    Keys(keys::Args),
}

/// Does it.
///
/// # Errors
/// There is no log whose keys they could be, or keys can neither be read nor made.
pub async fn run(config: &Config, args: Args) -> anyhow::Result<()> {
    store::require(&config.data)?;
    match args.task {
        Task::Token(args) => token::run(config, &args),
        Task::Keys(args) => keys::run(config, &args).await,
    }
}
