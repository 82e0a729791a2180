//! `playhead log verify`: reads and checks every byte of the log.

use std::time::Instant;

use anyhow::anyhow;
use playhead_eventlog::embedded::{self, Damage, Examination};
use serde::Serialize;

use crate::config::Config;
use crate::failure::Advise;
use crate::output::{Output, count, counted, seconds};
use crate::{progress, store};

/// How to report.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  playhead log verify
  playhead log verify --json
  playhead --data /mnt/backup/playhead log verify      a backup

Exit status 1 if a byte is not what was written. Every damaged record is named, up to 100, with its
segment, its place in it, and the partition and stream of its event.")]
pub struct Args {
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    /// Always true; the counterpart of [`Flawed`].
    sound: bool,
    events: u64,
    appends: u64,
    bytes: u64,
    torn_tail_bytes: u64,
    elapsed_ms: u64,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: &'a [String],
}

#[derive(Serialize)]
struct Flawed<'a> {
    /// Always false.
    sound: bool,
    /// The journal position of the first bad record, in bytes.
    position: u64,
    /// What is wrong with it.
    reason: &'a str,
    /// All that is wrong, in the order of positions.
    damages: Vec<Line<'a>>,
    /// How many more there are.
    damages_left_off: u64,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: &'a [String],
}

/// One damaged place.
#[derive(Serialize)]
struct Line<'a> {
    segment: String,
    /// In bytes from the beginning of the segment.
    offset: u64,
    position: u64,
    partition: Option<u16>,
    stream: Option<&'a str>,
    /// Whether partition and stream are only known from the damaged bytes.
    guessed: bool,
    reason: &'a str,
}

impl<'a> Flawed<'a> {
    fn of(first: &'a Damage, damages: &'a [Damage], found: Option<&'a Examination>) -> Self {
        Self {
            sound: false,
            position: first.position,
            reason: &first.reason,
            damages: damages.iter().map(Line::of).collect(),
            damages_left_off: found.map_or(0, |found| found.damages_left_off),
            warnings: found.map_or(&[], |found| &found.warnings),
        }
    }
}

impl<'a> Line<'a> {
    fn of(damage: &'a Damage) -> Self {
        let name = damage.file.file_name().unwrap_or_default();
        Self {
            segment: name.to_string_lossy().into_owned(),
            offset: damage.offset,
            position: damage.position,
            partition: damage.partition.map(|partition| partition.0),
            stream: damage.stream.as_deref(),
            guessed: damage.guessed,
            reason: &damage.reason,
        }
    }
}

impl Report<'_> {
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
    let examined = tokio::task::spawn_blocking(move || {
        embedded::examine(&dir, |done, total| {
            shown.set_length(total);
            shown.set_position(done);
        })
    });
    let examined = examined.await?;
    bar.finish_and_clear();
    let elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let mut out = Output::stdout();
    if let (true, Err(embedded::OpenError::Corrupt(damage))) = (args.json, &examined) {
        out.json(&Flawed::of(damage, std::slice::from_ref(damage), None))?;
        out.flush()?;
    }
    let found = store::explain(&config.data, examined)?;
    print(&mut out, args.json, &found, elapsed_ms)?;
    out.flush()?;
    conclude(config, &found)
}

fn print(out: &mut Output, json: bool, found: &Examination, elapsed_ms: u64) -> anyhow::Result<()> {
    let report = Report {
        sound: true,
        events: found.report.events,
        appends: found.report.batches,
        bytes: found.report.bytes,
        torn_tail_bytes: found.report.torn_tail_bytes,
        elapsed_ms,
        warnings: &found.warnings,
    };
    match (json, found.damages.first()) {
        (true, None) => out.json(&report)?,
        (true, Some(first)) => out.json(&Flawed::of(first, &found.damages, Some(found)))?,
        (false, first) => {
            for damage in &found.damages {
                out.line(damage)?;
            }
            if found.damages_left_off > 0 {
                out.line(format_args!("and {} more", count(found.damages_left_off)))?;
            }
            for warning in &found.warnings {
                out.line(format_args!("warning: {warning}"))?;
            }
            if first.is_none() {
                out.line(report.line())?;
            }
        }
    }
    Ok(())
}

/// Fails if anything is damaged, and says which files to restore.
fn conclude(config: &Config, found: &Examination) -> anyhow::Result<()> {
    if found.damages.is_empty() {
        return Ok(());
    }
    let number = found.damages_left_off.saturating_add(found.damages.len().try_into()?);
    let mut files: Vec<_> = found.damages.iter().map(|damage| &damage.file).collect();
    files.dedup();
    let files: Vec<_> = files.iter().filter_map(|file| file.file_name()?.to_str()).collect();
    let damaged = anyhow!(
        "the log in {} is corrupt in {}",
        config.data.display(),
        if number == 1 { "one place".to_owned() } else { format!("{} places", count(number)) }
    );
    Err(damaged).advise(|| {
        format!(
            "stop the server, and copy {} from the directory journal of a backup over that in {}; \
             or restore the whole backup elsewhere with `playhead --data DIR log restore BACKUP`",
            files.join(", "),
            config.data.join("journal").display()
        )
    })
}

#[cfg(test)]
mod tests {
    use playhead_eventlog::Partition;

    use super::*;

    #[test]
    fn a_corrupt_log_is_told_to_programs_with_all_that_is_known() {
        let damage = Damage {
            position: 107,
            file: "data/journal/00000000000000000100.seg".into(),
            offset: 7,
            partition: Some(Partition(3)),
            stream: Some("title-x".to_owned()),
            guessed: false,
            reason: "checksum".to_owned(),
        };
        let flawed = Flawed::of(&damage, std::slice::from_ref(&damage), None);
        assert_eq!(
            serde_json::to_string(&flawed).unwrap(),
            r#"{"sound":false,"position":107,"reason":"checksum","damages":[{"segment":"00000000000000000100.seg","offset":7,"position":107,"partition":3,"stream":"title-x","guessed":false,"reason":"checksum"}],"damages_left_off":0}"#
        );
    }
}
