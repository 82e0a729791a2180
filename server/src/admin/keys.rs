//! `playhead admin keys`: shows and replaces keys.

use std::path::PathBuf;

use clap::Subcommand;
use serde::Serialize;

use crate::clock::rfc3339;
use crate::config::Config;
use crate::keys::signing::Shown;
use crate::keys::{people, signing};
use crate::output::{self, counted, table};

/// What to do with the keys.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub what: What,
}

/// What to do with the keys.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Show the keys that sign access tokens, without their secrets
    List(JsonArgs),
    /// Let a new key sign access tokens
    Rotate(JsonArgs),
    /// Lock the keys of all people with a new master key
    Rewrap(RewrapArgs),
    /// Make the key file of people for a log that never had one
    #[command(after_help = MAKE_HELP)]
    Make,
}

const MAKE_HELP: &str = "\
Examples:
  playhead admin keys make

A server makes the key file itself when it makes a log. This is for a log of an older playhead, which had
none. A log in which something is sealed had one; then this is refused: put the lost file back from its
copy, since a new one opens nothing.";

/// How to show it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  playhead admin keys list
  playhead admin keys rotate --json | jq '.[0].kid'

A running server notices a rotation within a second. The key before verifies for an hour more, which is
longer than any token lives, so nobody has to sign in again.")]
pub struct JsonArgs {
    /// One JSON array: [{kid, madeAt, verifiesUntil}], the key that signs first
    #[arg(long)]
    pub json: bool,
}

/// Where the new master key is.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  playhead admin keys rewrap                       a new DIR/keys/master.key
  playhead admin keys rewrap --to /mnt/hsm/master  the key in that file, which is made if need be

Stop the server first. Nothing in the log changes. Run it again if it was interrupted; it goes on. Then
destroy the old master key and every copy of it.")]
pub struct RewrapArgs {
    /// The file of the new master key, 64 hexadecimal digits; made if it is not there
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    kid: String,
    made_at: String,
    verifies_until: Option<String>,
}

impl From<Shown> for Row {
    fn from(key: Shown) -> Self {
        Self {
            kid: key.kid,
            made_at: rfc3339(key.made_at_ms),
            verifies_until: key.verifies_until_ms.map(rfc3339),
        }
    }
}

/// Does it and says what came of it.
pub(super) async fn run(config: &Config, args: &Args) -> anyhow::Result<()> {
    match &args.what {
        What::List(args) => show(args, &signing::open(&config.data)?),
        What::Rotate(args) => show(args, &signing::rotate(&config.data)?),
        What::Rewrap(args) => {
            let (moved, place) = people::rewrap(config, args.to.as_deref()).await?;
            let line = || {
                let moved = counted(moved, "key");
                format!("{moved} locked with the new master key in {}", place.display())
            };
            Ok(output::print(false, &(), line)?)
        }
        What::Make => {
            people::make_for_an_old_log(config).await?.close().await;
            let file = people::file(&config.data);
            Ok(output::print(false, &(), || format!("{} is there", file.display()))?)
        }
    }
}

fn show(args: &JsonArgs, ring: &playhead_identity::keys::KeyRing) -> anyhow::Result<()> {
    let keys: Vec<Row> = signing::shown(ring)?.into_iter().map(Row::from).collect();
    Ok(output::print(args.json, &keys, || as_table(&keys))?)
}

fn as_table(keys: &[Row]) -> String {
    let rows: Vec<_> = keys
        .iter()
        .map(|key| {
            let until = key.verifies_until.clone();
            let use_of_it =
                until.map_or("signs".to_owned(), |until| format!("verifies until {until}"));
            vec![key.kid.clone(), key.made_at.clone(), use_of_it]
        })
        .collect();
    table(&["key", "made", "use"], &rows)
}
