//! `playhead serve`.

use anyhow::Context;

use crate::app::App;
use crate::config::{self, Config};
use crate::output::Output;
use crate::signals::Signals;

/// Where to listen.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  playhead serve
  playhead serve --listen 0.0.0.0:8480
  playhead serve --listen 127.0.0.1:0        any free port; the line on standard output names it
  playhead --log-format json -v serve

SIGTERM or Ctrl-C stops accepting, finishes the requests that run and exits with 0; a second one
exits at once with 1.")]
pub struct Args {
    /// The address to listen on [env: PLAYHEAD_LISTEN] [default: 127.0.0.1:8480]
    #[arg(long, value_name = "ADDR", value_parser = config::address)]
    pub listen: Option<String>,
}

/// Serves until the process is asked to stop.
///
/// # Errors
/// The server cannot start.
pub async fn run(config: Config) -> anyhow::Result<()> {
    let mut signals = Signals::listen().context("listening for signals failed")?;
    let app = tokio::select! {
        app = App::start(&config, "playhead serve") => app?,
        () = signals.next() => return Ok(()),
    };
    let mut out = Output::stdout();
    out.line(format_args!("Playhead listens on http://{}", app.addr()))?;
    out.flush()?;
    signals.next().await;
    tracing::info!("stopping; once more to stop at once");
    tokio::select! {
        stopped = app.shutdown() => stopped?,
        () = signals.next() => std::process::exit(1),
    }
    tracing::info!("stopped");
    Ok(())
}
