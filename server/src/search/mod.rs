//! `playhead search`: how well titles are found.

mod catalogue;
mod eval;
mod gate;
mod report;

use clap::Subcommand;

/// What to do with searches.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub what: What,
}

/// What to do with searches.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Ask queries whose answers are known, and say how good and how fast what is found is
    Eval(eval::Args),
}

/// Does it.
///
/// # Errors
/// A file cannot be read or is broken, or what is found is not as good as was asked for.
pub fn run(args: &Args) -> anyhow::Result<()> {
    match &args.what {
        What::Eval(args) => eval::run(args),
    }
}
