//! `playhead demo`: a server of its own, real films, and simulated households that use the API as
//! apps do.
//!
//! | module | does |
//! | --- | --- |
//! | `stage` | starts the server with a catalogue in it |
//! | `household`, `viewer` | who lives together; what a viewer does next, as a pure state machine |
//! | `player`, `shelf` | a session on a device; what a viewer remembers and so expects to be shown |
//! | `client`, `messages` | the API as apps see it: GraphQL and heartbeats over HTTP |
//! | `act`, `life` | carry out what viewers wish, beat by beat, and compare at the end |
//! | `board`, `happening`, `latency`, `rate` | what is told, counted and measured |
//! | `screen`, `show`, `verdict` | what people see, and whether it was as it should be |
//!
//! The server's clock is the real one. Speed only shortens the time between two heartbeats, each of
//! which still reports 30 s of play; so nothing is slower than real time, and no session falls
//! silent for the 90 s after which it would expire.

mod act;
mod badge;
mod board;
mod client;
mod film;
mod happening;
mod household;
mod latency;
mod life;
mod messages;
mod player;
mod rate;
mod screen;
mod shelf;
mod show;
mod stage;
mod verdict;
mod viewer;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use self::act::BEAT_MS;
use self::board::Board;
use self::client::{Client, ClientError};
use self::happening::What;
use self::life::Life;
use self::stage::Stage;
use crate::config::{self, Settings};
use crate::output::Output;
use crate::signals::Signals;

/// How often the server is asked about itself.
const ASK_EVERY: Duration = Duration::from_millis(500);
/// How soon it is asked again while it catches up.
const ASK_SOON: Duration = Duration::from_millis(20);
/// How long read models may take to catch up.
const CATCH_UP_MAX: Duration = Duration::from_secs(60);

/// What to show.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  playhead demo                                  until Ctrl-C; leaves nothing behind
  playhead demo --films films/*.json             a large catalogue instead of the bundled one
  playhead demo --data ./demo-data               keeps the data; run again to go on with it
  playhead demo --households 100 --speed 300     more people, faster
  playhead demo --duration 30                    ends by itself; exit status 1 if anything is amiss")]
pub struct Args {
    /// The address to listen on; if 127.0.0.1:8480 is in use, a free port is taken
    #[arg(long, value_name = "ADDR", value_parser = config::address)]
    pub listen: Option<String>,
    /// Films instead of the bundled ones: files or directories, as for `playhead import films`
    #[arg(long, num_args = 1.., value_name = "PATH")]
    pub films: Vec<PathBuf>,
    /// How many households live
    #[arg(long, default_value_t = 12, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub households: u32,
    /// How many times faster than real time they live
    #[arg(long, default_value_t = 60, value_name = "X", value_parser = clap::value_parser!(u32).range(1..=3_000))]
    pub speed: u32,
    /// End after so many seconds instead of at Ctrl-C
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub duration: Option<u64>,
    /// The same seed draws the same people with the same habits
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
}

/// Keeps log lines that tell of nothing bad off the screen, unless the user wants them.
pub fn hush(settings: &mut Settings) {
    if settings.is_default("log") {
        settings.config.log = "warn".to_owned();
    }
}

/// Shows it.
///
/// # Errors
/// The server could not be started, or did something else than it should.
pub async fn run(settings: Settings, args: Args) -> anyhow::Result<()> {
    let mut signals = Signals::listen().context("listening for signals failed")?;
    let stage = tokio::select! {
        stage = Stage::set(settings, &args.films) => stage?,
        () = signals.next() => return Ok(()),
    };
    let end = CancellationToken::new();
    let played = async {
        let complaint = play(&stage, &args, end.clone()).await;
        stage.clear().await?;
        match complaint? {
            Some(complaint) => bail!("the demo found {complaint}"),
            None => Ok(()),
        }
    };
    let asked = async {
        signals.next().await;
        end.cancel();
        signals.next().await;
    };
    tokio::select! {
        played = played => played,
        // Asked twice: at once.
        () = asked => std::process::exit(1),
    }
}

/// Lets households live until the end, says what came of it, and answers what is amiss.
async fn play(
    stage: &Stage,
    args: &Args,
    end: CancellationToken,
) -> anyhow::Result<Option<String>> {
    // Straight to the server, whatever proxy the environment names.
    let http = reqwest::Client::builder().no_proxy().build()?;
    let board = Arc::new(Board::default());
    let base = stage.base.clone();
    let (households, speed) = (args.households, args.speed);
    let heading = format!("{base}/ (to sign in: link above), {households} households at {speed} x");
    catch_up(&http, &base, &board).await?;
    let (stop, curtain) = (CancellationToken::new(), CancellationToken::new());
    let mut lives = begin(stage, args, &http, &board, &stop).await?;
    let asking = ask(http.clone(), base.clone(), Arc::clone(&board), curtain.clone());
    let asking = tokio::spawn(asking);
    let shown = show::show(Arc::clone(&board), base.clone(), heading, curtain.clone());
    let mut shown = tokio::spawn(shown);
    let duration = args.duration.map_or(Duration::MAX, Duration::from_secs);
    tokio::select! {
        () = end.cancelled() => {}
        () = sleep(duration) => {}
        // Nobody watches any more.
        _ = &mut shown => {}
    }
    stop.cancel();
    while let Some(lived) = lives.join_next().await {
        if let Err(error) = lived {
            board.tell("A household", What::Failed { reason: error.to_string() });
        }
    }
    catch_up(&http, &base, &board).await?;
    curtain.cancel();
    asking.await?;
    if !shown.is_finished() {
        shown.await??;
    }
    let contents = board.contents();
    let mut out = Output::stdout();
    for line in verdict::summary(&contents) {
        out.line(line)?;
    }
    out.flush()?;
    Ok(verdict::complaint(&contents))
}

/// Lets all households begin, spread over a beat.
async fn begin(
    stage: &Stage,
    args: &Args,
    http: &reqwest::Client,
    board: &Arc<Board>,
    stop: &CancellationToken,
) -> anyhow::Result<JoinSet<()>> {
    let beat = Duration::from_millis(BEAT_MS) / args.speed;
    let mut seeds = StdRng::seed_from_u64(args.seed);
    let mut lives = JoinSet::new();
    for number in 0..args.households {
        let (base, board) = (stage.base.clone(), Arc::clone(board));
        let badge = stage.admit().await?;
        let client = Client::new(http.clone(), base, badge, Arc::clone(&board));
        let life = Life::new(number, StdRng::from_rng(&mut seeds), client, board);
        lives.spawn(life.run(beat * number / args.households, beat, stop.clone()));
    }
    Ok(lives)
}

/// Waits until the read models have folded everything, for a bounded time.
async fn catch_up(http: &reqwest::Client, base: &str, board: &Board) -> Result<(), ClientError> {
    let caught_up = async {
        loop {
            let readiness = client::readiness(http, base).await?;
            let behind = readiness.projections.iter().any(|model| model.lag_events > 0);
            board.ready(readiness);
            if !behind {
                return Ok(());
            }
            sleep(ASK_SOON).await;
        }
    };
    // Models that are still behind then are shown so, and complained about at the end.
    timeout(CATCH_UP_MAX, caught_up).await.unwrap_or(Ok(()))
}

/// Asks the server about itself until told to stop.
async fn ask(http: reqwest::Client, base: String, board: Arc<Board>, stop: CancellationToken) {
    let mut ticks = interval(ASK_EVERY);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        match client::readiness(&http, &base).await {
            Ok(readiness) => board.ready(readiness),
            Err(error) => board.tell("The server", What::Failed { reason: error.to_string() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, Flags};

    #[test]
    fn only_what_nobody_set_is_set_otherwise_for_a_demo() {
        let none = config::load(&Flags::default(), &Environment::new()).unwrap();
        assert!(none.is_default("data") && none.is_default("listen") && none.is_default("log"));
        let given = Flags { data: Some("demo-data".into()), verbose: 1, ..Flags::default() };
        let mut given = config::load(&given, &Environment::new()).unwrap();
        assert!(!given.is_default("data") && given.is_default("listen"));
        hush(&mut given);
        assert_eq!(given.config.log, "debug");
    }
}
