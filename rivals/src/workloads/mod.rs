//! The workloads, each in rounds: everybody's first round, then everybody's second.

mod append;
mod base;
mod read;
mod report;
mod startup;
mod syncs;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::ValueEnum;

use self::base::Entrant;
use crate::Options;
use crate::child::Place;
use crate::contestants::Contestant;
use crate::disk::{self, Before};
use crate::table::Table;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Workload {
    /// Everything in order, decoded.
    Scan,
    /// One stream of 50 events among all streams, warm and cold.
    Read,
    /// Conditional appends to live streams.
    Append,
    /// Opening after a clean close, after kill -9 and with a cold page cache; resident memory.
    Startup,
    /// How many syncs there are, as strace counts them.
    Syncs,
}

/// A run.
#[derive(Debug)]
pub(crate) struct Bench {
    options: Options,
    dir: PathBuf,
    table: Table,
    /// The disk alone: name, unit and figures.
    disk: Vec<(&'static str, &'static str, Vec<f64>)>,
    notes: Vec<String>,
    regions: u64,
}

impl Bench {
    /// Nothing measured yet; the stores go below `dir`.
    #[must_use]
    pub(crate) fn new(options: Options, dir: &Path) -> Self {
        let disk = vec![
            ("4 KiB behind the end of a file and fdatasync", "µs", Vec::new()),
            ("4 KiB into an allocated file and fdatasync", "µs", Vec::new()),
            ("4 KiB into a file of zeroes and fdatasync", "µs", Vec::new()),
            ("1 MiB behind the end of a file and fdatasync", "µs", Vec::new()),
            ("512 MiB in order and one fdatasync", "MB/s", Vec::new()),
        ];
        let (table, notes) = (Table::default(), Vec::new());
        Self { options, dir: dir.to_owned(), table, disk, notes, regions: 0 }
    }

    /// Measures everything that was asked for.
    ///
    /// # Errors
    /// A store failed, or answered something wrong.
    pub(crate) async fn run(&mut self) -> Result<()> {
        let wanted = |workload| self.options.workloads.contains(&workload);
        let (scan, read, append) =
            (wanted(Workload::Scan), wanted(Workload::Read), wanted(Workload::Append));
        let (startup, syncs) = (wanted(Workload::Startup), wanted(Workload::Syncs));
        self.disk_alone()?;
        if scan || read || append {
            let mut entrants = self.entrants().await?;
            if scan {
                self.scan(&entrants).await?;
            }
            if read {
                self.read(&mut entrants).await?;
            }
            if append {
                self.append(&entrants).await?;
            }
            self.leave(entrants).await?;
        }
        if startup {
            self.startup()?;
        }
        if syncs {
            self.syncs()?;
        }
        self.disk_alone()
    }

    fn disk_alone(&mut self) -> Result<()> {
        say("the disk alone");
        disk::settle();
        let dir = &self.dir;
        let measured = [
            disk::sync_us(dir, 4_096, Before::Empty)?,
            disk::sync_us(dir, 4_096, Before::Allocated)?,
            disk::sync_us(dir, 4_096, Before::Written)?,
            disk::sync_us(dir, 1 << 20, Before::Empty)?,
            disk::sequential_mb_per_s(dir)?,
        ];
        for ((_, _, figures), figure) in self.disk.iter_mut().zip(measured) {
            figures.push(figure);
        }
        Ok(())
    }

    /// A place in the contestant's directory, with streams that nobody wrote to.
    fn place(&mut self, contestant: Contestant, dir: &Path) -> Place {
        self.regions += 1;
        Place { contestant, dir: dir.to_owned(), region: self.regions }
    }

    fn note(&mut self, note: String) {
        say(&note);
        self.notes.push(note);
    }
}

/// Tells those who wait.
fn say(what: &str) {
    eprintln!("rivals: {what}");
}

/// The entrant of a contestant's name, for messages.
fn failed<T>(entrant: &Entrant, result: Result<T>) -> Result<T> {
    result.with_context(|| entrant.contestant.title())
}
