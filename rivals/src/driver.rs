//! Writers that append to live streams, each waiting for its answer before it goes on.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use futures_util::future::try_join_all;

use crate::event;
use crate::log::{Append, Log, Outcome};

/// The streams of 50 events stand behind the others.
pub(crate) const LONG_STREAMS: u64 = 32;
/// How long these are.
pub(crate) const LONG_EVENTS: u64 = 50;
/// How many streams a region has.
pub(crate) const REGION_STREAMS: u64 = 20_000;
/// Behind the most streams that are filled.
const REGIONS_FIRST: u64 = 20_000_000;
/// How many appends wait at once while a log is filled.
const FILL_APPENDS: usize = 4_096;
/// How many streams are begun before the clock is looked at.
const FILL_STREAMS: u64 = 20_000;

/// What each stream's next append has to name; 0 for a stream without events.
#[derive(Debug)]
pub(crate) struct Tips {
    first: u64,
    tips: Vec<AtomicU64>,
}

impl Tips {
    /// So many streams without events, and the long ones behind them.
    #[must_use]
    pub(crate) fn new(streams: u64) -> Self {
        Self::between(0, streams + LONG_STREAMS)
    }

    /// Streams that no other region has, and none that was filled either.
    #[must_use]
    pub(crate) fn region(region: u64) -> Self {
        Self::between(REGIONS_FIRST + region * REGION_STREAMS, REGION_STREAMS)
    }

    fn between(first: u64, streams: u64) -> Self {
        Self { first, tips: (0..streams).map(|_| AtomicU64::new(0)).collect() }
    }

    /// The tip of a stream.
    ///
    /// # Errors
    /// There is no such stream.
    pub(crate) fn of(&self, stream: u64) -> Result<&AtomicU64> {
        let nth = stream.checked_sub(self.first).context("a stream before the first")?;
        self.tips.get(usize::try_from(nth)?).context("a stream beyond the last")
    }
}

/// Appends to one stream, as its tip demands, and moves the tip on.
///
/// # Errors
/// A conflict as well: nobody else appends to the stream.
pub(crate) async fn append_to(
    log: &dyn Log,
    tips: &Tips,
    (writer, stream, events): (usize, u64, usize),
) -> Result<()> {
    let tip = tips.of(stream)?;
    let append = Append { writer, stream, tip: tip.load(Ordering::Relaxed), events };
    match log.append(append).await? {
        Outcome::Done(next) => tip.store(next, Ordering::Relaxed),
        Outcome::Conflict => bail!("a conflict in stream {stream}, to which nobody else appends"),
    }
    Ok(())
}

/// When the writers of a cell stop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Until {
    /// After this time.
    pub elapsed: Duration,
    /// Or after so many events.
    pub events: u64,
}

/// How many appends were answered, and in which time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Done {
    /// Durable appends.
    pub appends: u64,
    /// From the first request to the last answer.
    pub elapsed: Duration,
}

/// Lets `writers` append `events` at a time to random ones of the first `live` streams of `tips`.
///
/// # Errors
/// The first error of a writer.
pub(crate) async fn drive(
    log: &Arc<dyn Log>,
    (tips, live): (&Arc<Tips>, u64),
    (writers, events): (usize, usize),
    until: Until,
) -> Result<Done> {
    let started = Arc::new(AtomicU64::new(0));
    let appends_max = until.events / events as u64;
    let since = Instant::now();
    let write = |writer: usize| {
        let (log, tips, started) = (Arc::clone(log), Arc::clone(tips), Arc::clone(&started));
        let mut chance = event::mixed(event::now_ms() ^ writer as u64);
        // A writer has streams of its own, so that no two meet in one.
        let own = (live / writers as u64).max(1);
        tokio::spawn(async move {
            let mut appends = 0;
            while since.elapsed() < until.elapsed
                && started.fetch_add(1, Ordering::Relaxed) < appends_max
            {
                chance = event::mixed(chance);
                let stream = tips.first + chance % own * writers as u64 + writer as u64;
                append_to(&*log, &tips, (writer, stream, events)).await?;
                appends += 1;
            }
            anyhow::Ok(appends)
        })
    };
    let mut appends = 0;
    for ended in try_join_all((0..writers).map(write)).await? {
        appends += ended?;
    }
    Ok(Done { appends, elapsed: since.elapsed() })
}

/// Begins streams with one event each until the time is over, and answers how many; writes the
/// long streams in between, so that their events lie all over the log.
///
/// # Errors
/// The first error of an append.
pub(crate) async fn fill(
    log: &Arc<dyn Log>,
    tips: &Arc<Tips>,
    streams: u64,
    within: Duration,
) -> Result<u64> {
    let since = Instant::now();
    let mut filled = 0;
    for nth in 1..=LONG_EVENTS {
        // A slow store still gets its long streams, however few streams it begins.
        while filled < streams * nth / LONG_EVENTS && since.elapsed() < within {
            let end = (filled + FILL_STREAMS).min(streams * nth / LONG_EVENTS);
            begin(log, tips, filled..end).await?;
            filled = end;
        }
        let long = streams..streams + LONG_STREAMS;
        try_join_all(long.map(|stream| append_to(&**log, tips, (0, stream, 1)))).await?;
    }
    Ok(filled)
}

async fn begin(log: &Arc<dyn Log>, tips: &Arc<Tips>, streams: Range<u64>) -> Result<()> {
    if let Some(begun) = log.fill(streams.clone()).await? {
        for (stream, tip) in streams.zip(begun) {
            tips.of(stream)?.store(tip, Ordering::Relaxed);
        }
        return Ok(());
    }
    let next = Arc::new(AtomicU64::new(streams.start));
    let write = |writer: usize| {
        let (log, tips, next, end) = (Arc::clone(log), Arc::clone(tips), next.clone(), streams.end);
        tokio::spawn(async move {
            loop {
                let stream = next.fetch_add(1, Ordering::Relaxed);
                if stream >= end {
                    return Ok(());
                }
                append_to(&*log, &tips, (writer, stream, 1)).await?;
            }
        })
    };
    try_join_all((0..FILL_APPENDS).map(write)).await?.into_iter().collect()
}
