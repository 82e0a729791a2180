//! What came of an import.

use std::collections::BTreeMap;

use serde::Serialize;

use super::flow::{Broken, Step};
use super::put::Put;
use super::run::{Report, Run};
use crate::output::{count, counted, per_second, seconds};

/// What came of an import of titles.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// True if nothing was to be written.
    pub dry_run: bool,
    /// Records read, whatever came of them.
    pub read: u64,
    /// Titles that were new.
    pub added: u64,
    /// Titles that were known otherwise.
    pub changed: u64,
    /// Titles that were known just so.
    pub already_there: u64,
    /// Titles of which something was changed by hand, and was kept against the import.
    pub kept_by_hand: u64,
    /// Records that an earlier import of the same files had dealt with; they are not in the other
    /// numbers.
    pub went_on_behind: u64,
    /// Records left out on purpose, by reason.
    pub skipped: BTreeMap<&'static str, u64>,
    /// Records that could not be imported.
    pub errors: u64,
    /// How many of the errors stand for a file, or the rest of one.
    #[serde(skip)]
    unreadable: u64,
    /// How many of the errors stand for a part of a record; the rest of it was imported.
    #[serde(skip)]
    parts: u64,
    /// Events recorded.
    pub events: u64,
    /// How long it took.
    pub elapsed_ms: u64,
    /// Events recorded per second.
    pub events_per_second: u64,
}

impl Report<Put> for Tally {
    fn count(&mut self, step: Step<Put>) {
        match step {
            Step::Done(put) => self.put(put),
            Step::Skipped(reason) => self.skip(reason),
            Step::Flawed(broken) => self.error(broken),
        }
    }

    fn finish(&mut self, run: Run) {
        self.dry_run = run.dry_run;
        self.went_on_behind = run.went_on_behind;
        self.elapsed_ms = run.elapsed_ms;
        self.events = if self.dry_run { 0 } else { self.added + self.changed };
        self.events_per_second = per_second(self.events, self.elapsed_ms);
    }

    fn line(&self) -> String {
        Self::line(self)
    }

    fn failure(&self) -> Option<String> {
        (self.errors > 0).then(|| Self::failure(self))
    }
}

impl Tally {
    fn put(&mut self, put: Put) {
        self.read += 1;
        match put {
            Put::Added => self.added += 1,
            Put::Changed { kept } => {
                self.changed += 1;
                self.kept_by_hand += u64::from(kept);
            }
            Put::AlreadyThere { kept } => {
                self.already_there += 1;
                self.kept_by_hand += u64::from(kept);
            }
            Put::Withdrawn => *self.skipped.entry("withdrawn here").or_default() += 1,
        }
    }

    fn skip(&mut self, reason: &'static str) {
        self.read += 1;
        *self.skipped.entry(reason).or_default() += 1;
    }

    fn error(&mut self, broken: Broken) {
        self.read += u64::from(broken == Broken::Record);
        self.unreadable += u64::from(broken == Broken::Rest);
        self.parts += u64::from(broken == Broken::Part);
        self.errors += 1;
    }

    /// What the import failed with, if there were errors.
    pub(super) fn failure(&self) -> String {
        let were = |number| if number == 1 { "was" } else { "were" };
        let records = self.errors.saturating_sub(self.unreadable + self.parts);
        let records = (records > 0)
            .then(|| format!("{} {} not imported", counted(records, "record"), were(records)));
        let files = self.unreadable;
        let files =
            (files > 0).then(|| format!("{} could not be read to the end", counted(files, "file")));
        let parts = (self.parts > 0).then(|| {
            format!("{} {} left out of titles", counted(self.parts, "record"), were(self.parts))
        });
        records.into_iter().chain(parts).chain(files).collect::<Vec<_>>().join(", and ")
    }

    /// One line for people.
    #[must_use]
    pub fn line(&self) -> String {
        let would = if self.dry_run { "dry run: " } else { "" };
        let mut line = format!(
            "{would}{} read, {} added, {} changed, {} already there, {}, {} in {}",
            count(self.read),
            count(self.added),
            count(self.changed),
            count(self.already_there),
            self.skips(),
            counted(self.errors, "error"),
            seconds(self.elapsed_ms),
        );
        if self.kept_by_hand > 0 {
            let kept = count(self.kept_by_hand);
            line.push_str(&format!(
                ", {kept} changed by hand and kept so (--overwrite changes them)"
            ));
        }
        if self.went_on_behind > 0 {
            line.push_str(&format!(", behind {} of before", count(self.went_on_behind)));
        }
        if self.events > 0 {
            line.push_str(&format!(" ({} events/s)", count(self.events_per_second)));
        } else if self.added + self.changed + self.errors == 0 {
            line.push_str(": nothing to do");
        }
        line
    }

    fn skips(&self) -> String {
        let total = count(self.skipped.values().sum());
        let reasons: Vec<_> = self
            .skipped
            .iter()
            .map(|(reason, number)| format!("{} {reason}", count(*number)))
            .collect();
        if reasons.is_empty() {
            format!("{total} skipped")
        } else {
            format!("{total} skipped ({})", reasons.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(mut tally: Tally, elapsed_ms: u64) -> Tally {
        Report::finish(&mut tally, Run { elapsed_ms, ..Run::default() });
        tally
    }

    #[test]
    fn an_import_that_adds_nothing_says_so() {
        let mut tally = Tally::default();
        tally.put(Put::AlreadyThere { kept: false });
        assert_eq!(
            finished(tally, 12).line(),
            "1 read, 0 added, 0 changed, 1 already there, 0 skipped, 0 errors in 0.0 s: nothing to \
             do"
        );
    }

    #[test]
    fn one_error_is_no_errors_and_an_unreadable_file_no_record() {
        let mut tally = Tally::default();
        tally.error(Broken::Record);
        assert_eq!(tally.failure(), "1 record was not imported");
        assert!(tally.line().contains("1 error in"), "{}", tally.line());
        tally.error(Broken::Rest);
        assert_eq!((tally.read, tally.errors), (1, 2));
        assert_eq!(
            tally.failure(),
            "1 record was not imported, and 1 file could not be read to the end"
        );
        tally.error(Broken::Part);
        assert_eq!(
            tally.failure(),
            "1 record was not imported, and 1 record was left out of titles, and 1 file could not be \
             read to the end"
        );
        assert_eq!((tally.read, tally.errors), (1, 3));
    }

    #[test]
    fn reasons_for_skipping_are_counted_one_by_one() {
        let mut tally = Tally::default();
        tally.skip("adult");
        tally.skip("videoGame");
        tally.put(Put::Added);
        assert_eq!(
            finished(tally, 500).line(),
            "3 read, 1 added, 0 changed, 0 already there, 2 skipped (1 adult, 1 videoGame), 0 \
             errors in 0.5 s (2 events/s)"
        );
    }
}
