//! `playhead config`: every setting, its value and where it comes from.

use serde_json::{Map, Value, json};

use crate::config::{Settings, schema};
use crate::output;

/// How to show the settings.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  playhead config                            as a table
  playhead config --json | jq .listen.source
  PLAYHEAD_LISTEN=0.0.0.0:80 playhead config
  playhead config --schema                   the JSON Schema of the file, for editors")]
pub struct Args {
    /// One JSON object: {key: {value, source}}
    #[arg(long)]
    pub json: bool,
    /// The JSON Schema of the configuration file instead
    #[arg(long)]
    pub schema: bool,
}

/// Prints the settings.
///
/// # Errors
/// Nobody reads any more.
pub fn run(settings: &Settings, args: &Args) -> anyhow::Result<()> {
    if args.schema {
        return Ok(output::print(false, &(), || format!("{:#}", schema()))?);
    }
    let all = settings.sources.iter().map(|(key, source)| {
        let value = key.value(&settings.config);
        (key.name.to_owned(), json!({ "value": value, "source": source }))
    });
    let all: Map<String, Value> = all.collect();
    Ok(output::print(args.json, &all, || as_table(settings))?)
}

fn as_table(settings: &Settings) -> String {
    let rows: Vec<_> = settings
        .sources
        .iter()
        .map(|(key, source)| {
            let value = match key.value(&settings.config) {
                Value::String(text) => text,
                other => other.to_string(),
            };
            vec![key.name.to_owned(), value, source.clone()]
        })
        .collect();
    output::table(&["key", "value", "source"], &rows)
}
