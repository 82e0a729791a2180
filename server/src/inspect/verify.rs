//! `playhead log verify`: reads and checks every byte of the log.

use std::time::Instant;

use playhead_eventlog::embedded::{self, OpenError};
use serde::Serialize;

use crate::config::Config;
use crate::output::{count, counted, seconds};
use crate::{output, progress, store};

/// How to report.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  playhead log verify
  playhead log verify --json

Exit status 1 if a byte is not what was written; the first bad position is named.")]
pub struct Args {
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Report {
    /// Always true; the counterpart of [`Flawed`].
    sound: bool,
    events: u64,
    appends: u64,
    bytes: u64,
    torn_tail_bytes: u64,
    elapsed_ms: u64,
}

#[derive(Serialize)]
struct Flawed<'a> {
    /// Always false.
    sound: bool,
    /// The journal position of the first bad record, in bytes.
    position: u64,
    reason: &'a str,
}

impl Report {
    fn line(&self) -> String {
        let mut line = format!(
            "sound: {} in {}, {} bytes, read in {}",
            counted(self.events, "event"),
            counted(self.appends, "append"),
            count(self.bytes),
            seconds(self.elapsed_ms)
        );
        if self.torn_tail_bytes > 0 {
            line.push_str(&format!(
                "; {} bytes behind the end belong to appends that were never answered or are \
                 being written",
                count(self.torn_tail_bytes)
            ));
        }
        line
    }
}

/// Checks the log and prints what was found.
pub(super) async fn run(config: &Config, args: &Args) -> anyhow::Result<()> {
    let began = Instant::now();
    let dir = config.data.clone();
    let bar = progress::bar(0, "bytes");
    let shown = bar.clone();
    let verified = tokio::task::spawn_blocking(move || {
        embedded::verify(&dir, |done, total| {
            shown.set_length(total);
            shown.set_position(done);
        })
    });
    let verified = verified.await?;
    bar.finish_and_clear();
    if let (true, Err(OpenError::Corrupt(damage))) = (args.json, &verified) {
        let flawed = Flawed { sound: false, position: damage.position, reason: &damage.reason };
        output::print(true, &flawed, String::new)?;
    }
    let found = store::explain(&config.data, verified)?;
    let report = Report {
        sound: true,
        events: found.events,
        appends: found.batches,
        bytes: found.bytes,
        torn_tail_bytes: found.torn_tail_bytes,
        elapsed_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    Ok(output::print(args.json, &report, || report.line())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corrupt_log_is_told_to_programs_with_its_position() {
        let flawed = Flawed { sound: false, position: 7, reason: "checksum" };
        assert_eq!(
            serde_json::to_string(&flawed).unwrap(),
            r#"{"sound":false,"position":7,"reason":"checksum"}"#
        );
    }
}
