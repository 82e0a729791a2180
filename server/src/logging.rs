//! Log lines on standard error, as text or JSON.

use std::io::{self, IsTerminal};

use anyhow::Context;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt, registry};

use crate::config::{Config, LogFormat};

/// Starts logging. The second call of a process changes nothing.
///
/// # Errors
/// The filter is not one.
pub fn init(config: &Config) -> anyhow::Result<()> {
    let filter: Targets = config.log.parse().context("log is no filter")?;
    let lines = fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    let lines = match config.log_format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    // An error means that a test has its own subscriber already.
    let _own = registry().with(lines.with_filter(filter)).try_init();
    Ok(())
}
