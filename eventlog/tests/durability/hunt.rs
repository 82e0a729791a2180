//! Crashes workloads behind every operation, on all processors, and says how to see a finding again.

use std::collections::HashSet;
use std::fmt;
use std::num::NonZero;
use std::ops::AddAssign;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::check::crash::Case;
use crate::dice::Dice;
use crate::disk::SimDisk;
use crate::disk::crash::Crashes;
use crate::disk::op::Op;
use crate::subject::{Subject, Violation};
use crate::workload::Workload;
use crate::workload::run::{Run, Runner};

/// How many states are tried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    /// The most states of one step; 0 to crash nothing.
    pub(crate) states: usize,
    /// Only every so many steps are tried.
    pub(crate) stride: usize,
    /// Whether to begin behind the first failed sync: what comes before is as it is without.
    pub(crate) behind_failure: bool,
    /// One step and one state of it, to see a finding again.
    pub(crate) only: Option<(usize, Option<usize>)>,
}

/// How many states were checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) workloads: usize,
    /// Operations of the disk.
    pub(crate) steps: usize,
    /// Disks that differ in content, or in what had been answered.
    pub(crate) states: usize,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, more: Self) {
        self.workloads += more.workloads;
        self.steps += more.steps;
        self.states += more.states;
    }
}

/// A state in which something does not hold.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) workload: String,
    /// Where the crash was; `None` if none was needed.
    pub(crate) place: Option<Place>,
    pub(crate) violation: Violation,
    /// The most states of one step, of which the numbers of states depend.
    states: usize,
    /// How many states were checked before, by whoever found it.
    pub(crate) before: Tally,
}

/// A crash.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) step: usize,
    pub(crate) state: usize,
    /// The last operations before it, and what became of those that were not durable.
    story: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.violation)?;
        match &self.place {
            None => {
                writeln!(f, "in workload {:?}, without a crash", self.workload)?;
                write!(f, "see it again: make crash WORKLOAD={:?}", self.workload)
            }
            Some(Place { step, state, story }) => {
                writeln!(f, "in workload {:?}, step {step}, state {state}", self.workload)?;
                writeln!(f, "{story}")?;
                let (workload, states) = (&self.workload, self.states);
                write!(
                    f,
                    "see it again: make crash WORKLOAD={workload:?} STATES={states} STEP={step} \
                     STATE={state}"
                )
            }
        }
    }
}

/// Runs a workload on a new disk.
pub(crate) fn run(subject: &dyn Subject, workload: &Workload) -> Result<Run, Violation> {
    run_on(subject, workload).map(|(run, _)| run)
}

/// As [`run`], and answers the disk, too. Faults that come first meet the first opening, too.
pub(crate) fn run_on(
    subject: &dyn Subject,
    workload: &Workload,
) -> Result<(Run, SimDisk), Violation> {
    let disk = SimDisk::new();
    let mut runner = Runner::idle(subject, workload.settings, &disk);
    let faults = workload.steps.iter().take_while(|step| step.is_failure()).count();
    let (faults, steps) = workload.steps.split_at(faults);
    runner.steps(faults)?;
    runner.reopen()?;
    runner.steps(steps)?;
    Ok((runner.finish()?, disk))
}

/// Runs a workload and crashes it behind each operation.
pub(crate) fn crash_everywhere(
    subject: &dyn Subject,
    workload: &Workload,
    effort: Effort,
) -> Result<Tally, Box<Finding>> {
    let mut tally = Tally { workloads: 1, ..Tally::default() };
    let finding = |violation, place, before| {
        let (workload, states) = (workload.name.clone(), effort.states);
        Box::new(Finding { workload, place, violation, states, before })
    };
    let run = run(subject, workload).map_err(|violation| finding(violation, None, tally))?;
    let seed = u64::from(crc32c::crc32c(workload.name.as_bytes()));
    let mut crashes = Crashes::new(&run.start, &run.ops);
    let mut seen = HashSet::new();
    let first = match effort.behind_failure {
        true => run.ops.iter().position(Op::is_failed_sync).unwrap_or(run.ops.len()),
        false => 0,
    };
    let steps = if effort.states == 0 { 0..0 } else { first..run.ops.len() + 1 };
    for step in steps.step_by(effort.stride) {
        if effort.only.is_some_and(|(only, _)| only != step) {
            continue;
        }
        tally.steps += 1;
        let answered = run.notes.iter().filter(|note| note.answered <= step).count();
        for state in crashes.after(step, effort.states, seed) {
            if effort.only.is_some_and(|(_, only)| only.is_some_and(|only| only != state.number))
                || !seen.insert((state.tree.print(), answered))
            {
                continue;
            }
            let dice = Dice::of(seed, ((step as u64) << 32) | state.number as u64);
            let settings = workload.settings;
            let case = Case { subject, settings, run: &run, step, dice };
            if let Err(violation) = case.check(&state.tree) {
                let story = story(&run.ops[..step], &state.story);
                let place = Place { step, state: state.number, story };
                return Err(finding(violation, Some(place), tally));
            }
            tally.states += 1;
        }
    }
    Ok(tally)
}

fn story(ops: &[Op], outcomes: &[(usize, crate::disk::outcome::Outcome)]) -> String {
    let first = outcomes.first().map_or(ops.len(), |(at, _)| *at).min(ops.len().saturating_sub(5));
    let lines = ops.iter().enumerate().skip(first).map(|(at, op)| {
        let outcome = outcomes.iter().find(|(changed, _)| *changed == at);
        let outcome = outcome.map_or(String::new(), |(_, outcome)| format!(": {outcome:?}"));
        format!("  {at} {op:?}{outcome}")
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Crashes one workload after the other, on all processors, up to the first finding.
pub(crate) fn hunt(
    subject: &dyn Subject,
    workloads: impl Iterator<Item = Workload> + Send,
    effort: Effort,
) -> Result<Tally, Box<Finding>> {
    hunt_for(subject, workloads, effort, None)
}

/// As [`hunt`], but begins no workload after some time.
pub(crate) fn hunt_for(
    subject: &dyn Subject,
    workloads: impl Iterator<Item = Workload> + Send,
    effort: Effort,
    time: Option<Duration>,
) -> Result<Tally, Box<Finding>> {
    let begun = Instant::now();
    let workloads = Mutex::new(workloads);
    let total = Mutex::new(Ok(Tally::default()));
    let work = || {
        loop {
            let workload = locked(&workloads).next();
            let goes_on = locked(&total).is_ok() && time.is_none_or(|time| begun.elapsed() < time);
            let Some(workload) = workload.filter(|_| goes_on) else { return };
            let found = crash_everywhere(subject, &workload, effort);
            let mut total = locked(&total);
            match (&mut *total, found) {
                (Ok(total), Ok(tally)) => *total += tally,
                (Ok(tally), Err(mut finding)) => {
                    finding.before += *tally;
                    *total = Err(finding);
                }
                (Err(_), _) => {}
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(work);
        }
    });
    total.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
