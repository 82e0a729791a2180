//! `playhead replay`: builds read models anew from the log.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use playhead_eventlog::EventLog;
use playhead_replay::{Model, Phase, RebuildReport};
use serde::Serialize;

use crate::config::Config;
use crate::failure::Advise;
use crate::output::{count, per_second, seconds, table};
use crate::store::Store;
use crate::{output, progress, read_models, store};

/// What to build.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub what: What,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Build a read model from the start of the log, compare it row by row, and switch to it
    Rebuild(RebuildArgs),
}

/// Which read model.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  playhead replay rebuild continue_watching
  playhead replay rebuild catalog --json | jq .equal

Needs the data directory for itself: stop the server first. Exit status 1 if the rebuilt read model
differs from the live one; the live one then stays, and both are kept.")]
pub struct RebuildArgs {
    /// The read model
    #[arg(value_name = "MODEL", value_parser = model())]
    pub model: Model,
    /// Switch to the rebuilt read model even if it differs
    #[arg(long)]
    pub force: bool,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

/// Understands the names of read models, and lists them in the help.
fn model() -> impl TypedValueParser<Value = Model> {
    PossibleValuesParser::new(Model::ALL.map(Model::as_str)).try_map(|name| name.parse::<Model>())
}

#[derive(Serialize)]
struct Report {
    model: &'static str,
    #[serde(flatten)]
    rebuilt: RebuildReport,
    /// How long folding took, without bringing the live one up and comparing.
    folded_ms: u64,
    /// How long all of it took.
    elapsed_ms: u64,
    /// Over the time of folding.
    events_per_second: u64,
}

/// Rebuilds and reports.
///
/// # Errors
/// The log or a store cannot be read or written, or the read models differ.
pub async fn run(config: &Config, args: Args) -> anyhow::Result<()> {
    let What::Rebuild(args) = args.what;
    let model = args.model;
    // Opening for reading first: a directory without a log is an error here, not a new log.
    drop(store::open_read_only(config).await?);
    let store = Store::open(config, "playhead replay rebuild").await?;
    let rebuilt = rebuild(config, Arc::clone(&store.log), model, args.force).await;
    store.close().await;
    let report = rebuilt?;
    output::print(args.json, &report, || text(&report))?;
    let RebuildReport { compared, equal, switched, .. } = report.rebuilt;
    if compared && !equal {
        let kept = if switched { "switched to the rebuilt one" } else { "the live one stays" };
        let differs: anyhow::Result<()> =
            Err(anyhow::anyhow!("the rebuilt {model} differs from the live one; {kept}"));
        return differs.advise(|| {
            "look at the differences above; --force switches to the rebuilt read model".to_owned()
        });
    }
    if !switched {
        bail!("the rebuilt {model} did not become the live one");
    }
    Ok(())
}

async fn rebuild(
    config: &Config,
    log: Arc<dyn EventLog>,
    model: Model,
    force: bool,
) -> anyhow::Result<Report> {
    let began = Instant::now();
    let bar = progress::bar(log.head().total(), "events");
    let dir = read_models::directory(&config.data);
    let mut folding = None;
    let mut folded_ms = 0;
    let rebuilt = playhead_replay::rebuild(log, &dir, model, force, |phase, events| {
        bar.set_position(events);
        match phase {
            Phase::BringingUp => bar.set_message("bringing the live one up"),
            Phase::Folding => {
                folding.get_or_insert_with(Instant::now);
                bar.set_message("folding");
            }
            Phase::Comparing => {
                folded_ms = ms(folding.map_or(Duration::ZERO, |began: Instant| began.elapsed()));
                bar.set_message("comparing row by row");
            }
        }
    });
    let rebuilt = rebuilt.await;
    bar.finish_and_clear();
    let rebuilt = rebuilt.with_context(|| format!("rebuilding {model} failed"))?;
    let events_per_second = per_second(rebuilt.events, folded_ms);
    let elapsed_ms = ms(began.elapsed());
    Ok(Report { model: model.as_str(), rebuilt, folded_ms, elapsed_ms, events_per_second })
}

fn ms(spent: Duration) -> u64 {
    u64::try_from(spent.as_millis()).unwrap_or(u64::MAX)
}

fn text(report: &Report) -> String {
    let rebuilt = &report.rebuilt;
    let rows: Vec<_> = rebuilt
        .tables
        .iter()
        .map(|table| vec![table.name.clone(), count(table.rows), count(table.differing)])
        .collect();
    let verdict = match (rebuilt.compared, rebuilt.equal) {
        (false, _) => "the live one is of another version or another log, and was not compared",
        (true, true) => "equal to the live one, row by row",
        (true, false) => "DIFFERENT from the live one",
    };
    let differences = rebuilt.tables.iter().flat_map(|table| {
        table.differences.iter().map(|difference| {
            let side = |row: &Option<String>| row.clone().unwrap_or_else(|| "no row".to_owned());
            format!(
                "\n  {}: live {} rebuilt {}",
                table.name,
                side(&difference.left),
                side(&difference.right)
            )
        })
    });
    format!(
        "{}: {} events folded into {} rows in {} ({} events/s), {} with the comparison; \
         {verdict}\n\n{}\n{}\ngeneration {}\n\
         SHA-256    {}",
        report.model,
        count(rebuilt.events),
        count(rebuilt.rows),
        seconds(report.folded_ms),
        count(report.events_per_second),
        seconds(report.elapsed_ms),
        table(&["table", "rows", "differing"], &rows),
        differences.collect::<String>(),
        rebuilt.generation.display(),
        rebuilt.hash,
    )
}
