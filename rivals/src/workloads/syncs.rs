//! How many syncs an append costs, counted by strace from outside.

use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use super::{Bench, say};
use crate::child;
use crate::contestants::Contestant;
use crate::table::Unit;

const CALLS: &str = "trace=fsync,fdatasync,sync_file_range,msync,io_uring_enter";
/// Of 64 writers, each with 16 appends.
const APPENDS: u64 = 1_024;

impl Bench {
    pub(super) fn syncs(&mut self) -> Result<()> {
        let strace = Command::new("strace").arg("-V").stdout(Stdio::null()).status();
        if !strace.is_ok_and(|told| told.success()) {
            self.note("Syncs were not counted: strace is not installed.".to_owned());
            return Ok(());
        }
        for contestant in self.options.contestants.clone() {
            say(&format!("{}: counting syncs", contestant.title()));
            for events in [1, 64] {
                let counted = self.counted(contestant, events);
                let (idle, loaded) = counted.with_context(|| contestant.title())?;
                let syncs = loaded.saturating_sub(idle) as f64 / APPENDS as f64;
                let name = format!("syncs: 64 writers × {events}");
                self.table.add(&name, Unit::PerAppend, contestant, syncs);
            }
        }
        Ok(())
    }

    /// The syncs of opening and closing alone, and with the appends in between.
    fn counted(&mut self, contestant: Contestant, events: u64) -> Result<(u64, u64)> {
        let dir = self.dir.join(format!("{}-traced", contestant.name()));
        let mut counts = Vec::new();
        // The first makes the store.
        for appends in [0, 0, APPENDS] {
            let place = self.place(contestant, &dir);
            let summary = self.dir.join("strace.txt");
            let path = summary.display().to_string();
            let before = ["strace", "-f", "-c", "-e", CALLS, "-o", &path];
            let more = [("appends", appends), ("events", events)];
            let _appends: u64 = child::done(&before, &child::command("load", &place, &more))?;
            counts.push(calls(&fs::read_to_string(&summary)?));
        }
        fs::remove_dir_all(&dir)?;
        match counts[..] {
            [_, idle, loaded] => Ok((idle, loaded)),
            _ => Ok((0, 0)),
        }
    }
}

/// The sum of the calls in a summary of strace: the fourth column of each row.
fn calls(summary: &str) -> u64 {
    let rows = summary.lines().filter(|row| !row.ends_with("total"));
    rows.filter_map(|row| row.split_whitespace().nth(3)?.parse::<u64>().ok()).sum()
}
