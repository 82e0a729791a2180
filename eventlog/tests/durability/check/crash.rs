//! Recovers a log from a crash state and checks it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use playhead_eventlog::EventLog;

use super::judge::{judge, streams};
use super::snapshot::Snapshot;
use crate::dice::Dice;
use crate::disk::SimDisk;
use crate::disk::crash::Crashes;
use crate::disk::tree::Tree;
use crate::subject::{INDEX_DIR, Subject, Violation, claim};
use crate::workload::run::{End, Note, Run, Runner};
use crate::workload::{Ask, Settings, Step, Want, many, one};

/// How many states of a second crash are tried for one of the first.
const SECOND_CRASHES: usize = 3;

/// How many old appends are repeated after a recovery.
const REPEATED: usize = 4;

/// A crash to be checked.
pub(crate) struct Case<'a> {
    pub(crate) subject: &'a dyn Subject,
    pub(crate) settings: Settings,
    pub(crate) run: &'a Run,
    /// Behind how many operations the crash is.
    pub(crate) step: usize,
    /// Decides what is sampled.
    pub(crate) dice: Dice,
}

impl Case<'_> {
    /// Checks one state; a panic is a violation, too.
    pub(crate) fn check(mut self, tree: &Tree) -> Result<(), Violation> {
        let checked = catch_unwind(AssertUnwindSafe(|| self.check_all(tree)));
        checked.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Err(Violation::new("nothing panics", text.unwrap_or_default()))
        })
    }

    fn check_all(&mut self, tree: &Tree) -> Result<(), Violation> {
        let disk = SimDisk::from_tree(tree.clone());
        let log = self.open(&disk)?;
        let snapshot = self.read(log.as_ref())?;
        judge(&snapshot, &self.run.notes, self.step)?;
        let recovered = disk.step();
        if self.dice.one_in(2) {
            self.open_without_index(tree, &snapshot)?;
        }
        if self.dice.one_in(4) {
            self.open_read_only(tree, &snapshot)?;
        }
        if recovered > 0 && self.dice.one_in(4) {
            self.crash_again(&disk, recovered, &snapshot)?;
        }
        self.go_on(&disk, log, &snapshot)
    }

    fn open(&self, disk: &SimDisk) -> Result<Box<dyn EventLog>, Violation> {
        let log = self.subject.open(disk, &self.settings);
        log.map_err(|error| Violation::new("the log opens after a crash", error))
    }

    fn read(&self, log: &dyn EventLog) -> Result<Snapshot, Violation> {
        Snapshot::take(log, &streams(&self.run.notes))
    }

    fn open_without_index(&self, tree: &Tree, due: &Snapshot) -> Result<(), Violation> {
        let disk = SimDisk::from_tree(tree.clone());
        disk.forget(Path::new(INDEX_DIR));
        let log = self.open(&disk)?;
        self.read(log.as_ref())?.must_equal(due, "the index equals the log")
    }

    fn open_read_only(&self, tree: &Tree, due: &Snapshot) -> Result<(), Violation> {
        const CHECK: &str = "opening for reading shows the same and changes nothing";
        let disk = SimDisk::from_tree(tree.clone());
        match self.subject.open_read_only(&disk) {
            Ok(log) => self.read(log.as_ref())?.must_equal(due, CHECK)?,
            // Where nothing was ever acknowledged, there may be no log.
            Err(error) => claim!(due.len() == 0, CHECK, "{error}"),
        }
        claim!(disk.step() == 0, CHECK, "it did {} operations", disk.step());
        Ok(())
    }

    /// Crashes within the recovery, which ended behind `recovered` operations.
    fn crash_again(
        &mut self,
        disk: &SimDisk,
        recovered: usize,
        due: &Snapshot,
    ) -> Result<(), Violation> {
        let (start, ops) = disk.history();
        let mut crashes = Crashes::new(&start, &ops);
        let step = 1 + self.dice.below(recovered);
        for again in crashes.after(step, SECOND_CRASHES, self.dice.next()) {
            let log = self.open(&SimDisk::from_tree(again.tree))?;
            self.read(log.as_ref())?
                .must_equal(due, "a second crash during recovery changes nothing")?;
        }
        Ok(())
    }

    /// Repeats old appends, makes new ones, opens again, verifies.
    fn go_on(
        &mut self,
        disk: &SimDisk,
        log: Box<dyn EventLog>,
        snapshot: &Snapshot,
    ) -> Result<(), Violation> {
        let notes = self.notes_then();
        let steps = self.next_steps(&notes);
        let mut runner = Runner::resume(self.subject, self.settings, disk, log, snapshot, &notes);
        runner.steps(&steps)?;
        runner.reopen()?;
        let due = runner.count();
        drop(runner);
        let verified = self.subject.verify(disk);
        let found =
            verified.map_err(|error| Violation::new("verify finds nothing wrong", error))?;
        claim!(found == due, "verify finds nothing wrong", "it counted {found} events, not {due}");
        Ok(())
    }

    /// The notes as they were when the disk crashed.
    fn notes_then(&self) -> Vec<Note> {
        let known = self.run.notes.iter().filter(|note| note.submitted <= self.step);
        let then = known.map(|note| match note.answered <= self.step {
            true => note.clone(),
            false => Note { end: End::Unknown, unsure: true, ..note.clone() },
        });
        then.collect()
    }

    fn next_steps(&mut self, notes: &[Note]) -> Vec<Step> {
        let mut asks: Vec<Ask> = Vec::new();
        // Each repetition becomes the newest note itself; those before it are one further away.
        let last = notes.iter().rev().position(|note| matches!(note.end, End::Recorded(_)));
        asks.extend(last.map(Ask::Again));
        if !notes.is_empty() {
            for _ in 0..REPEATED {
                asks.push(Ask::Again(self.dice.below(notes.len())));
            }
        }
        let stream = self.dice.below(6);
        asks.extend([one(stream, 40, Want::Tip), many(stream + 1, 3, 200)]);
        asks.push(one(stream, 40, Want::Stale));
        asks.into_iter().map(Step::Append).collect()
    }
}
