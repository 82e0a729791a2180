//! `playhead log read`: the events, one a line.

use std::time::{Duration, Instant, SystemTime};

use anyhow::Context;
use playhead_eventlog::{Cursor, EventLog, Partition, RecordedEvent, StreamName};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::clock::rfc3339;
use crate::config::Config;
use crate::failure::{Advise, Misuse};
use crate::output::Output;
use crate::signals::Signals;
use crate::store::{self, Store};

/// How many events are read at once.
const PAGE_EVENTS: usize = 1_024;
/// How long a follower rests before it looks again, at least.
const REST_MIN: Duration = Duration::from_millis(300);
/// Looking again reads the log anew; a follower rests this many times as long as that took.
const REST_FACTOR: u32 = 4;

/// Which events to show.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  playhead log read --limit 10
  playhead log read --stream title-0b5c… --json | jq .payload
  playhead log read --partition 7 --from 100
  playhead log read --type PlaybackStarted --follow
  playhead log read --stream identity-0198… --unsealed --json | jq .payload

What is personal is shown as it is stored: sealed. --unsealed shows it in clear; it needs the keys, which
one process at a time can use, so stop the server first.")]
pub struct Args {
    /// Only this stream, by version
    #[arg(long, value_name = "NAME", value_parser = StreamName::parse, group = "place")]
    pub stream: Option<StreamName>,
    /// Only this partition, by offset
    #[arg(long, value_name = "P", group = "place")]
    pub partition: Option<u16>,
    /// From this version of the stream, or this offset of the partition, on
    #[arg(long, value_name = "N", requires = "place")]
    pub from: Option<u64>,
    /// Only events of this type; may be given again
    #[arg(long = "type", value_name = "T")]
    pub types: Vec<String>,
    /// At most so many
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Go on with what is recorded from now on, until Ctrl-C
    #[arg(long)]
    pub follow: bool,
    /// Show what is personal in clear
    #[arg(long, conflicts_with = "follow")]
    pub unsealed: bool,
    /// One JSON object a line: the whole envelope
    #[arg(long)]
    pub json: bool,
}

/// Where to read on.
enum Place {
    Stream(StreamName, u64),
    Partitions(Cursor),
}

impl Place {
    fn of(args: &Args, log: &dyn EventLog) -> anyhow::Result<Self> {
        let from = args.from.unwrap_or(0);
        if let Some(name) = &args.stream {
            return Ok(Self::Stream(name.clone(), from));
        }
        let count = log.partitions();
        let Some(partition) = args.partition else {
            return Ok(Self::Partitions(Cursor::start(count)));
        };
        if partition >= count.get() {
            let number = count.get();
            return Err(Misuse(format!(
                "there is no partition {partition}: the log has {number} partitions, 0 to {}",
                number - 1
            ))
            .into());
        }
        let partition = Partition(partition);
        let head = log.head().get(partition).unwrap_or(0);
        let from = if args.follow { from } else { from.min(head) };
        Ok(Self::Partitions([(partition, from)].into_iter().collect()))
    }

    /// The next events, and moves behind them.
    async fn next_page(&mut self, log: &dyn EventLog) -> anyhow::Result<Vec<RecordedEvent>> {
        match self {
            Self::Stream(name, from) => {
                let page = log.read_stream(name, *from, PAGE_EVENTS).await?;
                *from += u64::try_from(page.len())?;
                Ok(page)
            }
            Self::Partitions(cursor) => {
                let batch = log.read(cursor, PAGE_EVENTS).await?;
                *cursor = batch.next;
                Ok(batch.events)
            }
        }
    }
}

/// Prints events until the limit, the end, or Ctrl-C.
pub(super) async fn run(config: &Config, args: &Args) -> anyhow::Result<()> {
    let mut printer = Printer { out: Output::stdout(), json: args.json, left: args.limit };
    let mut signals = Signals::listen()?;
    if args.unsealed {
        let store = Store::open_read_only(config).await?;
        let shown = tokio::select! {
            shown = show_unsealed(&*store.log, args, &mut printer) => shown,
            () = signals.next() => Ok(()),
        };
        store.close().await;
        return shown;
    }
    let shown = async {
        let mut seen = last_change(config)?;
        let mut log = store::open_read_only(config).await?;
        let mut place = Place::of(args, &*log).advise(|| "see `playhead log ls`".to_owned())?;
        while show(&*log, &mut place, args, &mut printer).await? == End::Head && args.follow {
            seen = next_change(config, seen).await?;
            let began = Instant::now();
            log = store::open_read_only(config).await?;
            tokio::time::sleep(REST_MIN.max(began.elapsed() * REST_FACTOR)).await;
        }
        anyhow::Ok(())
    };
    tokio::select! {
        shown = shown => shown,
        () = signals.next() => Ok(()),
    }
}

async fn show_unsealed(
    log: &dyn EventLog,
    args: &Args,
    printer: &mut Printer,
) -> anyhow::Result<()> {
    let mut place = Place::of(args, log).advise(|| "see `playhead log ls`".to_owned())?;
    show(log, &mut place, args, printer).await?;
    Ok(())
}

#[derive(PartialEq, Eq)]
enum End {
    Limit,
    Head,
}

async fn show(
    log: &dyn EventLog,
    place: &mut Place,
    args: &Args,
    printer: &mut Printer,
) -> anyhow::Result<End> {
    loop {
        let page = place.next_page(log).await?;
        if page.is_empty() {
            printer.out.flush()?;
            return Ok(End::Head);
        }
        for event in page {
            let wanted = args.types.is_empty()
                || args.types.iter().any(|name| **name == *event.event.event_type);
            if wanted && !printer.print(&event)? {
                printer.out.flush()?;
                return Ok(End::Limit);
            }
        }
    }
}

/// When each file of the journal was last written, and its size.
type Change = Vec<(SystemTime, u64)>;

/// When the journal was last written; empty if there is none.
fn last_change(config: &Config) -> anyhow::Result<Change> {
    let dir = config.data.join("journal");
    let mut files = Vec::new();
    let Ok(entries) = std::fs::read_dir(&dir) else { return Ok(files) };
    for entry in entries {
        let found = entry.and_then(|entry| entry.metadata());
        let found = found.with_context(|| format!("looking at {} failed", dir.display()))?;
        files.push((found.modified()?, found.len()));
    }
    files.sort();
    Ok(files)
}

/// Returns when the journal was written since.
async fn next_change(config: &Config, seen: Change) -> anyhow::Result<Change> {
    loop {
        let now = last_change(config)?;
        if now != seen {
            return Ok(now);
        }
        tokio::time::sleep(REST_MIN).await;
    }
}

struct Printer {
    out: Output,
    json: bool,
    /// How many more may be printed; `None` means all.
    left: Option<u64>,
}

impl Printer {
    /// False if the limit was reached before.
    fn print(&mut self, event: &RecordedEvent) -> anyhow::Result<bool> {
        if self.left == Some(0) {
            return Ok(false);
        }
        if self.json {
            self.out.json(&Line::of(event))?;
        } else {
            self.out.line(format_args!(
                "{:>5}/{:<8} {} {}@{} {} {}",
                event.partition.0,
                event.offset,
                rfc3339(event.event.recorded_at_ms),
                event.stream,
                event.version,
                event.event.event_type,
                String::from_utf8_lossy(&event.event.payload)
            ))?;
        }
        self.left = self.left.map(|left| left - 1);
        Ok(self.left != Some(0))
    }
}

/// The whole envelope.
#[derive(Serialize)]
struct Line<'a> {
    partition: u16,
    offset: u64,
    stream: &'a str,
    version: u64,
    id: uuid::Uuid,
    #[serde(rename = "type")]
    event_type: &'a str,
    schema_version: u16,
    recorded_at: String,
    recorded_at_ms: i64,
    actor: &'a str,
    correlation_id: uuid::Uuid,
    causation_id: uuid::Uuid,
    payload: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a RawValue>,
}

impl<'a> Line<'a> {
    fn of(recorded: &'a RecordedEvent) -> Self {
        let event = &recorded.event;
        Self {
            partition: recorded.partition.0,
            offset: recorded.offset,
            stream: recorded.stream.as_str(),
            version: recorded.version,
            id: event.id,
            event_type: &event.event_type,
            schema_version: event.schema_version,
            recorded_at: rfc3339(event.recorded_at_ms),
            recorded_at_ms: event.recorded_at_ms,
            actor: &event.actor,
            correlation_id: event.correlation_id,
            causation_id: event.causation_id,
            payload: serde_json::from_slice(&event.payload).ok(),
            metadata: serde_json::from_slice(&event.metadata).ok(),
        }
    }
}
