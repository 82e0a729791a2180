//! The whole log in order, and one stream of 50 events that lie all over it.

use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use rustix::time::{ClockId, clock_gettime};

use super::base::Entrant;
use super::{Bench, failed, say};
use crate::contestants::Contestant;
use crate::disk;
use crate::driver::{LONG_EVENTS, LONG_STREAMS};
use crate::log::Closed;
use crate::table::Unit;

/// How often the long streams are read in a warm round.
const WARM_READS: u64 = 320;
/// How many different streams are read in a cold round.
const COLD_READS: u64 = 3;

impl Bench {
    pub(super) async fn scan(&mut self, entrants: &[Entrant]) -> Result<()> {
        for round in 1..=self.options.rounds {
            say(&format!("full scan, round {round}"));
            for entrant in entrants {
                let (since, cpu) = (Instant::now(), cpu_time());
                let seen = failed(entrant, entrant.log.scan().await)?;
                let (elapsed, cpu) = (since.elapsed(), cpu_time().saturating_sub(cpu));
                ensure!(seen.events >= entrant.live, "a scan of {seen:?}");
                let rate = |time: Duration| seen.events as f64 / time.as_secs_f64();
                let contestant = entrant.contestant;
                let name = "full scan, decoded, one reader, events";
                self.table.add(name, Unit::PerSecond, contestant, rate(elapsed));
                // The processor time of a server is not ours to see.
                if contestant != Contestant::Postgres {
                    let name = "full scan, events per second of processor time";
                    self.table.add(name, Unit::PerSecond, contestant, rate(cpu));
                }
            }
        }
        Ok(())
    }

    pub(super) async fn read(&mut self, entrants: &mut [Entrant]) -> Result<()> {
        let streams = self.options.streams;
        for round in 0..self.options.rounds as u64 {
            say(&format!("one stream of 50 events, round {}", round + 1));
            for entrant in &mut *entrants {
                let mut warm = Duration::ZERO;
                for nth in 0..WARM_READS + LONG_STREAMS {
                    let took = one(entrant, streams + nth % LONG_STREAMS).await?;
                    // The first pass warms up.
                    warm += if nth < LONG_STREAMS { Duration::ZERO } else { took };
                }
                let warm_us = warm.as_secs_f64() * 1e6 / WARM_READS as f64;
                let name = "one stream of 50 events, warm";
                self.table.add(name, Unit::Microseconds, entrant.contestant, warm_us);
                let mut cold = Duration::ZERO;
                for nth in 0..COLD_READS {
                    reopen(entrant).await?;
                    disk::forget(&entrant.dir)?;
                    cold +=
                        one(entrant, streams + (round * COLD_READS + nth) % LONG_STREAMS).await?;
                }
                let cold_ms = cold.as_secs_f64() * 1e3 / COLD_READS as f64;
                let name = "one stream of 50 events, nothing in the page cache";
                self.table.add(name, Unit::Milliseconds, entrant.contestant, cold_ms);
            }
        }
        Ok(())
    }
}

async fn one(entrant: &Entrant, stream: u64) -> Result<Duration> {
    let since = Instant::now();
    let seen = failed(entrant, entrant.log.read(stream).await)?;
    let took = since.elapsed();
    ensure!(seen.events == LONG_EVENTS, "{seen:?} instead of {LONG_EVENTS} events");
    Ok(took)
}

/// Empties the caches that the store itself has.
async fn reopen(entrant: &mut Entrant) -> Result<()> {
    failed(entrant, entrant.log.close().await)?;
    // Its files have to be closed before they are opened again.
    drop(mem::replace(&mut entrant.log, Arc::new(Closed)));
    let opened = entrant.contestant.open(&entrant.dir).await;
    entrant.log = failed(entrant, opened)?;
    Ok(())
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}
