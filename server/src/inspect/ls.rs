//! `playhead log ls`: how many events of which kind there are.

use std::collections::BTreeMap;

use playhead_eventlog::{Cursor, EventLog, RecordedEvent};
use serde::Serialize;

use crate::clock::rfc3339;
use crate::config::Config;
use crate::output::{Output, count, counted, table};
use crate::{progress, store};

/// How many events are read at once.
const PAGE_EVENTS: usize = 4_096;

/// What to count.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  playhead log ls
  playhead log ls --category title
  playhead log ls --partitions
  playhead log ls --json | jq .categories.title.events")]
pub struct Args {
    /// Only streams of this category, such as title
    #[arg(long, value_name = "NAME")]
    pub category: Option<String>,
    /// By partition instead of by category
    #[arg(long)]
    pub partitions: bool,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Default, Serialize)]
struct Summary {
    events: u64,
    streams: u64,
    partition_count: u16,
    categories: BTreeMap<String, Group>,
    partitions: BTreeMap<u16, Group>,
}

/// What is known of the events of a category or partition.
#[derive(Debug, Default, Serialize)]
struct Group {
    events: u64,
    streams: u64,
    /// When the first was recorded, RFC 3339; by time, not by place.
    first_recorded_at: Option<String>,
    last_recorded_at: Option<String>,
    types: BTreeMap<String, u64>,
    #[serde(skip)]
    span: Option<(i64, i64)>,
}

impl Group {
    fn add(&mut self, event: &RecordedEvent, new_stream: bool) {
        self.events += 1;
        self.streams += u64::from(new_stream);
        let at_ms = event.event.recorded_at_ms;
        let (first, last) = self.span.unwrap_or((at_ms, at_ms));
        self.span = Some((first.min(at_ms), last.max(at_ms)));
        match self.types.get_mut(&*event.event.event_type) {
            Some(number) => *number += 1,
            None => {
                self.types.insert(event.event.event_type.to_string(), 1);
            }
        }
    }

    fn finish(&mut self) {
        self.first_recorded_at = self.span.map(|(first, _)| rfc3339(first));
        self.last_recorded_at = self.span.map(|(_, last)| rfc3339(last));
    }
}

impl Summary {
    fn add(&mut self, event: &RecordedEvent, new_stream: bool) {
        self.events += 1;
        self.streams += u64::from(new_stream);
        let category = event.stream.category();
        if !self.categories.contains_key(category) {
            self.categories.insert(category.to_owned(), Group::default());
        }
        if let Some(group) = self.categories.get_mut(category) {
            group.add(event, new_stream);
        }
        self.partitions.entry(event.partition.0).or_default().add(event, new_stream);
    }
}

/// Counts the log and prints the numbers.
pub(super) async fn run(config: &Config, args: &Args) -> anyhow::Result<()> {
    let log = store::open_read_only(config).await?;
    let summary = summarize(&*log, args.category.as_deref()).await?;
    let mut out = Output::stdout();
    if args.json {
        out.json(&summary)?;
    } else {
        let of = args.category.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
        out.line(format_args!(
            "{}{of} in {}, {}",
            counted(summary.events, "event"),
            counted(summary.streams, "stream"),
            counted(summary.partition_count.into(), "partition")
        ))?;
        if summary.events > 0 {
            out.line("")?;
            out.line(if args.partitions { by_partition(&summary) } else { by_category(&summary) })?;
        }
    }
    Ok(out.flush()?)
}

async fn summarize(log: &dyn EventLog, category: Option<&str>) -> anyhow::Result<Summary> {
    let mut summary = Summary { partition_count: log.partitions().get(), ..Summary::default() };
    let mut cursor = Cursor::start(log.partitions());
    let bar = progress::bar(log.head().total(), "events");
    loop {
        let batch = log.read(&cursor, PAGE_EVENTS).await?;
        if batch.events.is_empty() {
            break;
        }
        bar.inc(u64::try_from(batch.events.len()).unwrap_or(0));
        for event in &batch.events {
            if category.is_none_or(|category| category == event.stream.category()) {
                // The first event of a stream has version 0, so nothing has to be remembered.
                summary.add(event, event.version == 0);
            }
        }
        cursor = batch.next;
    }
    bar.finish_and_clear();
    let groups = summary.categories.values_mut().chain(summary.partitions.values_mut());
    groups.for_each(Group::finish);
    Ok(summary)
}

fn by_category(summary: &Summary) -> String {
    let mut rows = Vec::new();
    for (category, group) in &summary.categories {
        rows.push(row(category.clone(), group));
        for (event_type, number) in &group.types {
            rows.push(vec![format!("  {event_type}"), count(*number)]);
        }
    }
    table(&["category", "events", "streams", "first recorded", "last recorded"], &rows)
}

fn by_partition(summary: &Summary) -> String {
    let rows: Vec<_> = summary
        .partitions
        .iter()
        .map(|(partition, group)| row(partition.to_string(), group))
        .collect();
    table(&["partition", "events", "streams", "first recorded", "last recorded"], &rows)
}

fn row(name: String, group: &Group) -> Vec<String> {
    vec![
        name,
        count(group.events),
        count(group.streams),
        group.first_recorded_at.clone().unwrap_or_default(),
        group.last_recorded_at.clone().unwrap_or_default(),
    ]
}
