//! Conditional appends by so many writers of so many events.

use anyhow::Result;

use super::base::Entrant;
use super::{Bench, failed, say};
use crate::disk;
use crate::driver::{self, Until};
use crate::table::Unit;

impl Bench {
    pub(super) async fn append(&mut self, entrants: &[Entrant]) -> Result<()> {
        let until = Until { elapsed: self.options.elapsed(), events: self.options.round_events };
        let (writers, batches) = (self.options.writers.clone(), self.options.batches.clone());
        for round in 1..=self.options.rounds {
            for &writers in &writers {
                for &events in &batches {
                    say(&format!("appends, round {round}: {writers} writers × {events} events"));
                    for entrant in entrants {
                        self.cell(entrant, (writers, events), until).await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn cell(
        &mut self,
        entrant: &Entrant,
        (writers, events): (usize, usize),
        until: Until,
    ) -> Result<()> {
        disk::settle();
        let streams = (&entrant.tips, entrant.live);
        let done = driver::drive(&entrant.log, streams, (writers, events), until).await;
        let done = failed(entrant, done)?;
        let rate = (done.appends * events as u64) as f64 / done.elapsed.as_secs_f64();
        let plural = |count, word| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
        let (by, of) = (plural(writers, "writer"), plural(events, "event"));
        let name = format!("append: {by} × {of}, events");
        self.table.add(&name, Unit::PerSecond, entrant.contestant, rate);
        Ok(())
    }
}
