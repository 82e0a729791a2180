//! The test of the tests: the engine with one mistake on purpose after the other, each of which
//! must be caught. Prints a table of what caught it, and how long it took.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use playhead_eventlog::embedded::Bug;

use crate::check::damage::{Damage, Flips};
use crate::check::snapshot::Snapshot;
use crate::disk::SimDisk;
use crate::disk::op::SyncEnd;
use crate::engine::Engine;
use crate::hunt::{self, Effort};
use crate::subject::Violation;
use crate::workload::run::Runner;
use crate::workload::{Settings, Step, Workload, faulty, fixed, many, random};

const SOUND_DISK: Effort = Effort { states: 40, stride: 1, behind_failure: false, only: None };
const FULL_DISK: Effort = Effort { states: 4, ..SOUND_DISK };
const FAILED_SYNC: Effort = Effort { states: 8, behind_failure: true, ..SOUND_DISK };

/// Seeds that are tried where the fixed workloads do not do.
const SEEDS: u64 = 40;

/// What caught a mistake.
struct Caught {
    by: String,
    /// Workloads run and crash states checked until then.
    runs: usize,
    states: usize,
}

/// One way to look for mistakes.
enum Way {
    /// Crash these workloads; what their disks do.
    Crash(&'static str, Effort, Vec<Workload>),
    Look,
    Rot,
}

/// Looks for a mistake in one way after the other.
fn catch(bug: Bug) -> Option<Caught> {
    let engine = Engine::with(bug);
    let (mut runs, mut states) = (0, 0);
    for way in ways() {
        let found = match way {
            Way::Crash(how, effort, workloads) => {
                let violation = crash(&engine, effort, workloads, &mut runs, &mut states);
                violation.map(|violation| format!("{}; {how}", violation.check))
            }
            Way::Look => {
                runs += 1;
                look_while_syncing(&engine).err().map(|violation| violation.check.to_owned())
            }
            Way::Rot => {
                runs += 1;
                rot(&engine).err().map(|violation| violation.check.to_owned())
            }
        };
        if let Some(by) = found {
            return Some(Caught { by, runs, states });
        }
    }
    None
}

fn crash(
    engine: &Engine,
    effort: Effort,
    workloads: Vec<Workload>,
    runs: &mut usize,
    states: &mut usize,
) -> Option<Violation> {
    for workload in workloads {
        *runs += 1;
        match hunt::crash_everywhere(engine, &workload, effort) {
            Ok(tally) => *states += tally.states,
            Err(finding) => {
                // That in which it was found counts, unless no crash was needed.
                *states += finding.before.states + usize::from(finding.place.is_some());
                return Some(finding.violation);
            }
        }
    }
    None
}

/// From the simplest on, and what takes long last.
fn ways() -> Vec<Way> {
    let mut failing = Vec::new();
    let mut full = vec![faulty::relieved()];
    for base in faulty::bases() {
        for behind in (3..60).step_by(4) {
            for end in [SyncEnd::FailedKeeping, SyncEnd::FailedDropping] {
                failing.push(faulty::failed_sync(&base, behind, end));
            }
        }
    }
    for nth in 0..12 {
        full.push(faulty::full(&faulty::byte_by_byte(), 100 + 137 * nth));
        full.push(faulty::short_quota(&faulty::byte_by_byte(), 100 + 137 * nth));
    }
    let mut first = fixed::all();
    let rest = first.split_off(5);
    vec![
        Way::Look,
        Way::Crash("a crash", SOUND_DISK, first),
        Way::Crash("a full disk", FULL_DISK, full),
        Way::Crash("a failed sync, then a crash", FAILED_SYNC, failing),
        Way::Rot,
        Way::Crash("a crash", SOUND_DISK, rest),
        Way::Crash("a crash", SOUND_DISK, (0..SEEDS).map(random::workload).collect()),
    ]
}

fn look_while_syncing(engine: &Engine) -> Result<(), Violation> {
    let mut runner = Runner::idle(engine, Settings::SMALL, &SimDisk::new());
    runner.reopen()?;
    (0..9).try_for_each(|nth| runner.look_while_syncing(&many(nth % 2, 2, 600)))
}

fn rot(engine: &Engine) -> Result<(), Violation> {
    let disk = SimDisk::new();
    let settings = Settings { segment_bytes: 64 << 10, ..Settings::SMALL };
    let mut runner = Runner::idle(engine, settings, &disk);
    runner.reopen()?;
    runner.steps(&[many(0, 3, 500), many(1, 2, 30)].map(Step::Append))?;
    let whole = &Snapshot::take(runner.log(), &BTreeSet::new())?;
    drop(runner);
    let tree = &disk.tree();
    let file = tree.names.keys().find(|path| path.extension().is_some_and(|it| it == "seg"));
    let Some(file) = file else { return Ok(()) };
    let damage = Damage { subject: engine, settings, tree, file, whole };
    damage.flip_all(Flips { every: 7, open_first: false, all_ways_every: 1 }).map(|_| ())
}

#[test]
fn every_seeded_bug_is_caught() {
    let next = AtomicUsize::new(0);
    let caught = Mutex::new(Vec::new());
    let work = || {
        while let Some(bug) = Bug::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
            let found = catch(*bug);
            caught.lock().expect("nobody panics here").push((*bug, found));
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(work);
        }
    });
    let mut caught = caught.into_inner().expect("nobody panicked");
    caught.sort_by_key(|(bug, _)| Bug::ALL.iter().position(|other| other == bug));
    println!("| bug | caught by | runs | states |\n| --- | --- | ---: | ---: |");
    for (bug, found) in &caught {
        match found {
            Some(Caught { by, runs, states }) => println!("| `{bug}` | {by} | {runs} | {states} |"),
            None => println!("| `{bug}` | nothing | | |"),
        }
    }
    let missed: Vec<&Bug> =
        caught.iter().filter(|(_, found)| found.is_none()).map(|(bug, _)| bug).collect();
    assert!(missed.is_empty(), "not caught: {missed:?}");
    assert!(caught.len() >= 12);
}
