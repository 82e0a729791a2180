//! The one program: command line, configuration, wiring.
//!
//! The only crate that reads the command line, the environment, configuration files, the clock and
//! randomness; all others get what they need from here.
//!
//! | module | does |
//! | --- | --- |
//! | [`cli`] | what can be typed |
//! | [`config`] | settings and where they come from |
//! | [`app`] | the running server, also for tests |
//! | [`import`] | films and ratings of other catalogues become events |
//! | [`inspect`] | shows and checks the log |
//! | [`search`] | measures how well titles are found |
//! | [`demo`] | simulated households that use the API |
//!
//! Exit status: 0 done, 1 failed, 2 wrong usage. Results go to standard output, everything else to
//! standard error.

pub mod account;
pub mod admin;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod failure;
pub mod ids;
pub mod import;
pub mod inspect;
pub mod keys;
pub mod logging;
pub mod lookups;
pub mod mail;
pub mod output;
pub mod people;
pub mod places;
pub mod processes;
pub mod progress;
pub mod read_models;
pub mod replay;
pub mod requests;
pub mod search;
pub mod serve;
pub mod show_config;
pub mod signals;
pub mod store;
pub mod territory;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};

/// Runs the program with the command line and the environment of this process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    // Most of what is written is about people: it is for its owner only.
    let _before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    // Clients for HTTP ask for it, even if they will not encrypt. Somebody who came first is as good.
    let _first = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failure::report(&anyhow::Error::new(error)),
    };
    match runtime.block_on(run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::report(&error),
    }
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    let environment = config::environment();
    let mut settings = config::load(&cli.flags(), &environment)?;
    if matches!(cli.command, Command::Demo(_)) {
        demo::hush(&mut settings);
    }
    logging::init(&settings.config)?;
    for variable in &settings.ignored {
        tracing::warn!("{variable} names no setting and is ignored; see `playhead config`");
    }
    match cli.command {
        Command::Serve(_) => serve::run(settings.config).await,
        Command::Import(args) => import::run(settings.config, args).await,
        Command::Log(args) => inspect::run(&settings.config, args).await,
        Command::Replay(args) => replay::run(&settings.config, args).await,
        Command::Search(args) => search::run(&args),
        Command::Demo(args) => demo::run(settings, args).await,
        Command::Account(args) => account::run(&settings.config, args).await,
        Command::Admin(args) => admin::run(&settings.config, args).await,
        Command::Config(args) => show_config::run(&settings, &args),
    }
}
