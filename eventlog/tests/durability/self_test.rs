//! The checks find what is wrong with a simple log, and nothing where nothing is.

use std::collections::BTreeSet;
use std::path::Path;

use crate::check::damage::Damage;
use crate::check::snapshot::Snapshot;
use crate::disk::SimDisk;
use crate::disk::op::SyncEnd;
use crate::hunt::{self, Effort, Finding, Tally};
use crate::subject::Violation;
use crate::toy::{Toy, ToyBug};
use crate::workload::run::Runner;
use crate::workload::{Settings, Step, Workload, faulty, fixed, many, random};

const EFFORT: Effort = Effort { states: 30, stride: 1, behind_failure: false, only: None };

/// The toy compresses nothing and forgets nothing: workloads for that would only take time.
fn workloads() -> impl Iterator<Item = Workload> + Send {
    fixed::all().into_iter().take(4).chain((0..3).map(random::workload))
}

fn repetitions() -> Workload {
    fixed::all().swap_remove(2)
}

/// A workload with some syncs failing in turn, in both ways.
fn failing() -> impl Iterator<Item = Workload> + Send {
    (0..16).step_by(2).flat_map(move |behind| {
        let ends = [SyncEnd::FailedKeeping, SyncEnd::FailedDropping];
        ends.into_iter().map(move |end| faulty::failed_sync(&repetitions(), behind + 1, end))
    })
}

/// A workload on disks that are too small, by more and more.
fn too_small() -> impl Iterator<Item = Workload> + Send {
    (0..8).map(|nth| faulty::full(&repetitions(), 300 + 501 * nth))
}

fn find(bug: Option<ToyBug>) -> Result<Tally, Box<Finding>> {
    hunt::hunt(&Toy(bug), workloads(), EFFORT)
}

#[test]
fn a_sound_log_passes() {
    let tally = find(None).unwrap_or_else(|finding| panic!("{finding}"));
    assert!(tally.states > 700, "{tally:?}");
}

#[test]
fn a_sound_log_passes_on_disks_that_fail_or_are_full() {
    let few = Effort { states: 3, ..EFFORT };
    let efforts = [Effort { behind_failure: true, ..few }, few];
    let workloads = [failing().collect::<Vec<_>>(), too_small().collect()];
    for (workloads, effort) in workloads.into_iter().zip(efforts) {
        let tally = hunt::hunt(&Toy(None), workloads.into_iter(), effort);
        let tally = tally.unwrap_or_else(|finding| panic!("{finding}"));
        assert!(tally.states > 200, "{tally:?}");
    }
}

#[test]
fn every_bug_of_the_toy_is_found() {
    for bug in ToyBug::ALL {
        let found = find(Some(bug));
        assert!(found.is_err(), "{bug:?} was not found");
    }
}

#[test]
fn every_bug_of_the_toy_on_a_failing_disk_is_found() {
    let find = |bug, workloads: Vec<Workload>| {
        let found = hunt::hunt(&Toy(Some(bug)), workloads.into_iter(), EFFORT);
        assert!(found.is_err(), "{bug:?} was not found");
    };
    find(ToyBug::GoOnAfterFailedSync, failing().collect());
    find(ToyBug::TrustWhatCanBeRead, failing().collect());
    find(ToyBug::HoleBehindFullDisk, too_small().collect());
}

#[test]
fn nobody_sees_what_is_not_durable() {
    let look = |bug| {
        let toy = Toy(bug);
        let mut runner = Runner::idle(&toy, Settings::SMALL, &SimDisk::new());
        runner.reopen()?;
        (0..9).try_for_each(|nth| runner.look_while_syncing(&many(nth % 2, 2, 600)))
    };
    assert_eq!(look(None), Ok(()));
    assert!(look(Some(ToyBug::AcknowledgeBeforeSync)).is_err());
}

/// The toy cannot tell damage from a torn tail, so it is its first file that is damaged.
#[test]
fn damage_is_found_and_never_served() {
    let damage = |bug| {
        let disk = SimDisk::new();
        let mut runner = Runner::idle(&Toy(None), Settings::SMALL, &disk);
        runner.reopen()?;
        runner.steps(&[many(0, 3, 1500), many(1, 2, 30)].map(Step::Append))?;
        let whole = &Snapshot::take(runner.log(), &BTreeSet::new())?;
        drop(runner);
        let (tree, subject, settings) = (&disk.tree(), &Toy(bug), Settings::SMALL);
        let file = Path::new("/log/journal/000000.seg");
        let damage = Damage { subject, settings, tree, file, whole };
        Ok(damage.flip_each(|bit| bit % 97 == 0)? + damage.cut_each(|len| len % 13 == 0)?)
    };
    assert!(damage(None).is_ok_and(|count| count > 500));
    let due = "every flipped bit is found";
    let found: Result<usize, Violation> = damage(Some(ToyBug::NoChecksum));
    assert_eq!(found.map_err(|violation| violation.check), Err(due));
}

#[test]
fn a_workload_does_the_same_operations_every_time() {
    for workload in workloads() {
        let [first, second] =
            [(); 2].map(|()| hunt::run(&Toy(None), &workload).unwrap_or_else(|v| panic!("{v}")));
        for (at, (a, b)) in first.ops.iter().zip(&second.ops).enumerate() {
            assert_eq!(a, b, "operation {at} of {}", workload.name);
        }
        assert_eq!(first.ops.len(), second.ops.len());
    }
}
