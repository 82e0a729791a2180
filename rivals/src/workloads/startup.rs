//! Opening a large log in a fresh process, after good and bad ends, and what it holds in memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::{Bench, say};
use crate::child::{self, Filled, Opened};
use crate::contestants::{self, Contestant};
use crate::disk;
use crate::table::{Unit, number};

/// How long a store is written to before it is killed.
const CHURN: Duration = Duration::from_secs(1);

impl Bench {
    pub(super) fn startup(&mut self) -> Result<()> {
        let mut places = Vec::new();
        for contestant in self.options.contestants.clone() {
            places.push((contestant, self.filled(contestant)?));
        }
        for round in 1..=self.options.rounds {
            say(&format!("start-up, round {round}"));
            for (contestant, dir) in &places {
                self.openings(*contestant, dir).with_context(|| contestant.title())?;
            }
        }
        places.iter().try_for_each(|(_, dir)| Ok(fs::remove_dir_all(dir)?))
    }

    fn filled(&mut self, contestant: Contestant) -> Result<PathBuf> {
        let (events, seconds) = (self.options.events, self.options.fill_seconds * 10);
        say(&format!("{}: filling {events} streams of one event", contestant.title()));
        let dir = self.dir.join(format!("{}-large", contestant.name()));
        let place = self.place(contestant, &dir);
        let more = [("streams", events), ("seconds", seconds)];
        let filled: Filled = child::done(&[], &child::command("fill", &place, &more))?;
        disk::settle();
        self.note(format!(
            "{}: {} events in as many streams in {:.0} s, for start-up and memory",
            contestant.title(),
            number(filled.streams as f64),
            filled.seconds,
        ));
        Ok(dir)
    }

    fn openings(&mut self, contestant: Contestant, dir: &Path) -> Result<()> {
        let clean = self.opened(contestant, dir)?;
        let mut add = |name: &str, unit, figure| self.table.add(name, unit, contestant, figure);
        add("open after a clean close", Unit::Milliseconds, clean.ready_ms);
        add("resident memory after opening", Unit::Megabytes, clean.resident_mb);
        add("resident memory after 20,000 appends", Unit::Megabytes, clean.appended_mb);
        if let Some(peak_mb) = clean.peak_mb {
            add("most resident memory while opening", Unit::Megabytes, peak_mb);
        }
        self.killed(contestant, dir)?;
        let killed = self.opened(contestant, dir)?;
        let name = "open after kill -9 under load";
        self.table.add(name, Unit::Milliseconds, contestant, killed.ready_ms);
        disk::forget(dir)?;
        let cold = self.opened(contestant, dir)?;
        let name = "open after a clean close, nothing in the page cache";
        self.table.add(name, Unit::Milliseconds, contestant, cold.ready_ms);
        Ok(())
    }

    fn opened(&mut self, contestant: Contestant, dir: &Path) -> Result<Opened> {
        let place = self.place(contestant, dir);
        disk::settle();
        child::done(&[], &child::command("open", &place, &[]))
    }

    fn killed(&mut self, contestant: Contestant, dir: &Path) -> Result<()> {
        let place = self.place(contestant, dir);
        let mut churning = child::program(&[], &child::command("churn", &place, &[]))?;
        // A client whose server is killed complains.
        let mut churning = churning.stderr(Stdio::null()).spawn()?;
        let begun: Result<()> = child::answered(&mut churning);
        thread::sleep(CHURN);
        if contestant == Contestant::Postgres {
            contestants::kill_postgres(dir)?;
        }
        churning.kill()?;
        churning.wait()?;
        begun
    }
}
