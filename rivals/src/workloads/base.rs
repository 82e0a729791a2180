//! The stores with the live streams, and proof that they do what is asked of them.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::{Bench, say};
use crate::contestants::Contestant;
use crate::disk;
use crate::driver::{self, LONG_EVENTS, Tips};
use crate::event::EVENT_BYTES;
use crate::log::{Append, Log, Outcome};
use crate::table::{Unit, number};

/// A contestant with an open store.
pub(super) struct Entrant {
    pub(super) contestant: Contestant,
    pub(super) dir: PathBuf,
    pub(super) log: Arc<dyn Log>,
    pub(super) tips: Arc<Tips>,
    /// How many streams it was filled with.
    pub(super) live: u64,
}

impl Bench {
    /// Opens and fills everybody's store.
    pub(super) async fn entrants(&mut self) -> Result<Vec<Entrant>> {
        let mut entrants = Vec::new();
        for contestant in self.options.contestants.clone() {
            let entrant = self.entrant(contestant).await;
            entrants.push(entrant.with_context(|| contestant.title())?);
        }
        Ok(entrants)
    }

    async fn entrant(&mut self, contestant: Contestant) -> Result<Entrant> {
        let streams = self.options.streams;
        say(&format!("{}: filling {streams} streams", contestant.title()));
        let dir = self.dir.join(contestant.name());
        let log = contestant.open(&dir).await?;
        let tips = Arc::new(Tips::new(streams));
        let within = Duration::from_secs(self.options.fill_seconds);
        let since = Instant::now();
        let live = driver::fill(&log, &tips, streams, within).await?;
        let seconds = since.elapsed().as_secs_f64();
        disk::settle();
        self.note(format!(
            "{}: filled with {} live streams in {seconds:.1} s, {} bytes of disk per event",
            contestant.title(),
            number(live as f64),
            number(disk::size_mb(&dir)? * 1e6 / live as f64),
        ));
        let entrant = Entrant { contestant, dir, log, tips, live };
        entrant.check(streams).await?;
        Ok(entrant)
    }

    /// Closes everybody's store, and takes it away.
    pub(super) async fn leave(&mut self, entrants: Vec<Entrant>) -> Result<()> {
        for entrant in entrants {
            let size_mb = disk::size_mb(&entrant.dir)?;
            self.table.add("disk after all appends", Unit::Megabytes, entrant.contestant, size_mb);
            entrant.log.close().await?;
            drop(entrant.log);
            fs::remove_dir_all(&entrant.dir)?;
        }
        Ok(())
    }
}

impl Entrant {
    /// Streams hold what was written, and conditions are conditions.
    async fn check(&self, streams: u64) -> Result<()> {
        let long = self.log.read(streams).await?;
        ensure!(long.events == LONG_EVENTS, "{long:?} instead of {LONG_EVENTS} events");
        ensure!(
            long.bytes.abs_diff(LONG_EVENTS * EVENT_BYTES as u64) <= LONG_EVENTS * 5,
            "{long:?} instead of {EVENT_BYTES} bytes an event"
        );
        let stale = Append { writer: 0, stream: 0, tip: 0, events: 2 };
        ensure!(self.log.append(stale).await? == Outcome::Conflict, "a stale append was taken");
        driver::append_to(&*self.log, &self.tips, (0, 0, 2)).await?;
        let before = Append { tip: self.tips.of(0)?.load(Ordering::Relaxed) - 1, ..stale };
        ensure!(self.log.append(before).await? == Outcome::Conflict, "a late append was taken");
        let read = self.log.read(0).await?;
        ensure!(read.events == 3, "{read:?} after three events");
        Ok(())
    }
}
