//! What can be typed.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};

use crate::config::{Flags, LogFormat};
use crate::{account, admin, demo, import, inspect, replay, search, serve, show_config};

const EXAMPLES: &str = "\
Examples:
  playhead import films films/*.json         fill the catalogue
  playhead serve                             answer on http://127.0.0.1:8480
  TOKEN=$(playhead admin token)              a token for the API
  playhead demo                              see it all at work
  playhead log read --limit 5                what happened first
  playhead config                            every setting, and where it comes from

Exit status: 0 done, 1 failed, 2 wrong usage.";

/// The event-sourced backend of a video-streaming service.
#[derive(Debug, Parser)]
#[command(name = "playhead", version, after_help = EXAMPLES, propagate_version = true)]
pub struct Cli {
    /// Settings of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Settings of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Where everything is kept [env: PLAYHEAD_DATA] [default: ./playhead-data]
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The configuration file [env: PLAYHEAD_CONFIG] [default: DIR/playhead.toml if it exists]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How log lines look on standard error [env: PLAYHEAD_LOG_FORMAT]
    #[arg(long, global = true, value_enum, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
    /// Log more; twice for everything
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Answer clients until SIGTERM or Ctrl-C
    Serve(serve::Args),
    /// Take over films or ratings of another catalogue
    Import(import::Args),
    /// Show and check the event log; also while a server runs
    Log(inspect::Args),
    /// Build read models anew from the log
    Replay(replay::Args),
    /// Measure how well titles are found
    Search(search::Args),
    /// Serve a catalogue and watch simulated households use it
    Demo(demo::Args),
    /// Add, export or forget an account; needs the data directory for itself
    Account(account::Args),
    /// Tasks of operators
    Admin(admin::Args),
    /// Show every setting, its value and where it comes from
    Config(show_config::Args),
}

impl Cli {
    /// The settings that were given as flags.
    #[must_use]
    pub fn flags(&self) -> Flags {
        let listen = match &self.command {
            Command::Serve(args) => args.listen.clone(),
            Command::Demo(args) => args.listen.clone(),
            _ => None,
        };
        Flags {
            file: self.global.config.clone(),
            data: self.global.data.clone(),
            listen,
            log_format: self.global.log_format,
            verbose: self.global.verbose,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_examples() {
        fn leaves(command: &clap::Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            let mut below = command.get_subcommands().peekable();
            if below.peek().is_none() {
                let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains("playhead"), "{path} shows no example");
            }
            below.for_each(|command| leaves(command, &path));
        }
        leaves(&Cli::command(), "");
    }

    #[test]
    fn wrong_usage_is_told_with_the_rule() {
        let wrong = [
            ("serve --listen nope", "must be an address with a port"),
            ("demo --listen 127.0.0.1:99999", "must be an address with a port"),
            ("replay rebuild nope", "catalog, continue_watching"),
            ("log read --from 3", "--stream <NAME>|--partition <P>"),
            ("log read --stream nope", "nope"),
            ("log read --stream title-1 --partition 2", "cannot be used with"),
            ("log ring", "--shard <SHARD>"),
            ("log ring --shard a:x", "the weight \"x\" is not a whole number"),
            ("log ring --shard a:1:max=4", "is not of the form capacity=N"),
            ("log ring --shard a --partitions 3", "must be a power of two"),
            ("log ring --shard a --replicas 17", "must be from 1 to 16"),
            ("log ring --shard a --reweight a", "is not of the form NAME:WEIGHT"),
        ];
        for (line, rule) in wrong {
            let line = format!("playhead {line}");
            let error = Cli::try_parse_from(line.split(' ')).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line}");
            assert!(error.to_string().contains(rule), "{line}: {error}");
        }
        let right = "playhead log read --stream title-1 --from 3";
        assert!(Cli::try_parse_from(right.split(' ')).is_ok());
    }

    #[test]
    fn global_options_stand_before_and_behind_the_command() {
        for line in ["playhead --data d serve", "playhead serve --data d"] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            assert_eq!(cli.flags().data, Some("d".into()), "{line}");
        }
    }
}
