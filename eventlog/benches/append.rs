//! How fast the embedded engine appends, reads and opens, beside what the disk alone can do.
//!
//! `cargo bench -p playhead-eventlog` prints a table; every figure is the median of five rounds,
//! with the lowest and the highest beside it. Each appended event is durable when it is counted.

#![expect(clippy::print_stdout, reason = "the table is what the program is for")]
#![expect(clippy::cast_precision_loss, reason = "figures for reading, of three digits")]

use std::error::Error;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use playhead_eventlog::embedded::{EmbeddedLog, Options, Tuning};
use playhead_eventlog::{Append, Cursor, EventLog, Expected, NewEvent, PartitionCount, StreamName};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use uuid::Uuid;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const ROUNDS: usize = 5;
/// With the names below, an event has 250 bytes.
const PAYLOAD_BYTES: usize = 200;
const SCAN_EVENTS: u64 = 500_000;

fn main() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    println!("{:<44}{:>12}{:>12}{:>12}", "", "median", "lowest", "highest");
    let fdatasync = rounds(|| fdatasync_us(TempDir::new()?.path()))?;
    row("fdatasync after 4 KiB, alone (us)", &fdatasync);
    for (writers, events, appends) in [(64, 64, 100), (64, 1, 400), (1, 1, 400)] {
        let figures = rounds(|| runtime.block_on(append(writers, events, appends)))?;
        row(&format!("append, {writers} writers x {events} events (events/s)"), &figures);
    }
    let figures = rounds(|| runtime.block_on(follower_lag_us()))?;
    row("a follower behind the answer, p99 of 1,000 (us)", &figures);
    let dir = TempDir::new()?;
    runtime.block_on(fill(dir.path(), SCAN_EVENTS))?;
    let figures = rounds(|| open_ms(dir.path()))?;
    row(&format!("open {SCAN_EVENTS} events (ms)"), &figures);
    let log = EmbeddedLog::open_read_only(dir.path())?;
    for (name, every) in [("all partitions", 1), ("every 8th partition", 8)] {
        let figures = rounds(|| scan(&runtime, &log, every))?;
        row(&format!("read {name} (events/s)"), &figures);
    }
    Ok(())
}

fn rounds(mut measure: impl FnMut() -> Outcome<f64>) -> Outcome<Vec<f64>> {
    let mut figures = (0..ROUNDS).map(|_| measure()).collect::<Outcome<Vec<_>>>()?;
    figures.sort_by(f64::total_cmp);
    Ok(figures)
}

fn row(name: &str, sorted: &[f64]) {
    let [lowest, .., highest] = sorted else { return };
    let median = sorted.get(sorted.len() / 2).unwrap_or(lowest);
    println!("{name:<44}{median:>12.0}{lowest:>12.0}{highest:>12.0}");
}

/// What one sync of a growing file costs, in microseconds.
fn fdatasync_us(dir: &Path) -> Outcome<f64> {
    const SYNCS: u64 = 200;
    let file = File::create(dir.join("file"))?;
    let start = Instant::now();
    for nth in 0..SYNCS {
        file.write_all_at(&[1; 4_096], nth * 4_096)?;
        file.sync_data()?;
    }
    Ok(start.elapsed().as_secs_f64() * 1e6 / SYNCS as f64)
}

/// Durable events a second: every writer has a stream of its own and waits for each answer.
async fn append(writers: u64, events: u64, appends: u64) -> Outcome<f64> {
    let dir = TempDir::new()?;
    let log = Arc::new(open(dir.path())?);
    let mut work = Vec::new();
    for writer in 0..writers {
        work.push(appends_of(writer, events, appends)?);
    }
    let start = Instant::now();
    let writers: Vec<_> = work
        .into_iter()
        .map(|appends| {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                for append in appends {
                    log.append(append).await?;
                }
                Outcome::Ok(())
            })
        })
        .collect();
    for writer in writers {
        writer.await??;
    }
    Ok(log.head().total() as f64 / start.elapsed().as_secs_f64())
}

/// How long after the answer to an append a follower has read it, at most, but for one in a
/// hundred. A follower often has it before the answer has arrived: that counts as 0.
async fn follower_lag_us() -> Outcome<f64> {
    const APPENDS: u64 = 1_000;
    let dir = TempDir::new()?;
    let log = Arc::new(open(dir.path())?);
    let (answered, mut answers) = tokio::sync::mpsc::unbounded_channel();
    let writer = {
        let log = Arc::clone(&log);
        tokio::spawn(async move {
            for append in appends_of(0, 1, APPENDS)? {
                log.append(append).await?;
                answered.send(Instant::now())?;
            }
            Outcome::Ok(())
        })
    };
    let mut cursor = Cursor::start(log.partitions());
    let mut seen = Vec::new();
    while (seen.len() as u64) < APPENDS {
        log.wait(&cursor).await;
        let batch = log.read(&cursor, 16_384).await?;
        seen.extend(batch.events.iter().map(|_| Instant::now()));
        cursor = batch.next;
    }
    writer.await??;
    let mut lags = Vec::new();
    for seen in seen {
        let answered = answers.recv().await.ok_or("an answer is missing")?;
        lags.push(seen.saturating_duration_since(answered).as_secs_f64() * 1e6);
    }
    lags.sort_by(f64::total_cmp);
    lags.get(lags.len() * 99 / 100).copied().ok_or_else(|| "nothing was measured".into())
}

async fn fill(dir: &Path, events: u64) -> Outcome<()> {
    let log = open(dir)?;
    for writer in 0..events / 1_000 {
        for append in appends_of(writer, 10, 100)? {
            log.append(append).await?;
        }
    }
    log.close().await;
    Ok(())
}

fn open_ms(dir: &Path) -> Outcome<f64> {
    let start = Instant::now();
    let log = EmbeddedLog::open_read_only(dir)?;
    let elapsed = start.elapsed().as_secs_f64() * 1e3;
    assert_eq!(log.head().total(), SCAN_EVENTS);
    Ok(elapsed)
}

/// Events read and decoded a second, in one pass over some of the partitions.
fn scan(runtime: &Runtime, log: &EmbeddedLog, every: u16) -> Outcome<f64> {
    let partitions = log.partitions().all().filter(|partition| partition.0.is_multiple_of(every));
    let mut cursor: Cursor = partitions.map(|partition| (partition, 0)).collect();
    let start = Instant::now();
    let mut events = 0;
    loop {
        let batch = runtime.block_on(log.read(&cursor, 16_384))?;
        if batch.events.is_empty() {
            return Ok(events as f64 / start.elapsed().as_secs_f64());
        }
        events += batch.events.len();
        cursor = batch.next;
    }
}

fn open(dir: &Path) -> Outcome<EmbeddedLog> {
    let options = Options {
        partitions: PartitionCount::DEFAULT,
        holder: "the append bench".to_owned(),
        tuning: Tuning::DEFAULT,
    };
    Ok(EmbeddedLog::open(dir, options)?)
}

/// Appends for one stream, each expecting the one before it.
fn appends_of(writer: u64, events: u64, appends: u64) -> Outcome<Vec<Append>> {
    let stream = StreamName::new("playback", &format!("account{writer:08}"))?;
    let actor: Arc<str> = format!("account:{writer:08}").into();
    let event_type: Arc<str> = "PlaybackProgressed".into();
    let payload = Bytes::from(vec![b'x'; PAYLOAD_BYTES]);
    let append = |first: u64| Append {
        stream: stream.clone(),
        expected: first.checked_sub(1).map_or(Expected::NoStream, Expected::Exact),
        events: (first..first + events)
            .map(|version| NewEvent {
                id: Uuid::from_u64_pair(writer, version),
                event_type: Arc::clone(&event_type),
                schema_version: 1,
                recorded_at_ms: 1_700_000_000_000,
                actor: Arc::clone(&actor),
                correlation_id: Uuid::from_u64_pair(writer, version),
                causation_id: Uuid::nil(),
                payload: payload.clone(),
                metadata: Bytes::from_static(b"{\"a\":1}"),
            })
            .collect(),
    };
    Ok((0..appends).map(|nth| append(nth * events)).collect())
}
