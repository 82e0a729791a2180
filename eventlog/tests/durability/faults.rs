//! The engine on disks that fail, run full, or take back the room that they gave.

use crate::disk::SimDisk;
use crate::disk::faults::Call;
use crate::disk::op::SyncEnd;
use crate::engine::Engine;
use crate::hunt::{self, Effort, Tally};
use crate::subject::Violation;
use crate::workload::run::Runner;
use crate::workload::{Settings, Step, Want, Workload, faulty, fixed, many, one};

fn found(tally: Result<Tally, Box<hunt::Finding>>) -> Tally {
    tally.unwrap_or_else(|finding| panic!("{finding}"))
}

/// How many calls of a kind a workload makes on a sound disk.
fn calls(workload: &Workload, call: Call) -> usize {
    let (_, disk) = hunt::run_on(&Engine::SOUND, workload).unwrap_or_else(|v| panic!("{v}"));
    disk.with_faults(|faults| faults.count(call))
}

/// How many bytes a workload takes on a sound disk.
fn room(workload: &Workload) -> usize {
    let (_, disk) = hunt::run_on(&Engine::SOUND, workload).unwrap_or_else(|v| panic!("{v}"));
    disk.used()
}

#[test]
fn every_failed_sync_ends_the_appends_and_loses_nothing_acknowledged() {
    let effort = Effort { states: 3, stride: 11, behind_failure: true, only: None };
    let mut workloads = Vec::new();
    for base in faulty::bases() {
        for behind in 0..calls(&base, Call::Sync) {
            for end in [SyncEnd::FailedKeeping, SyncEnd::FailedDropping] {
                workloads.push(faulty::failed_sync(&base, behind, end));
            }
        }
    }
    let tally = found(hunt::hunt(&Engine::SOUND, workloads.into_iter(), effort));
    println!("failed syncs: {tally:?}");
    assert!(tally.workloads > 250 && tally.states > 3_000, "{tally:?}");
}

/// Runs workloads without crashing them.
fn run_all(workloads: impl Iterator<Item = Workload> + Send) -> Tally {
    let effort = Effort { states: 0, stride: 1, behind_failure: false, only: None };
    found(hunt::hunt(&Engine::SOUND, workloads, effort))
}

#[test]
fn every_other_call_may_fail() {
    let mut workloads = Vec::new();
    for base in faulty::bases() {
        for call in [Call::Read, Call::Write, Call::Resize, Call::Name] {
            let count = calls(&base, call);
            workloads.extend((0..count).map(|behind| faulty::failed_call(&base, call, behind)));
        }
    }
    let tally = run_all(workloads.into_iter());
    println!("failed calls: {tally:?}");
    assert!(tally.workloads > 500, "{tally:?}");
}

/// Room is taken in steps of one byte here, so that each byte is a boundary.
#[test]
fn a_disk_that_is_full_at_any_byte_refuses_cleanly_and_goes_on_once_there_is_room() {
    let base = faulty::byte_by_byte();
    let all = room(&base);
    let tally = run_all((0..all).map(|room| faulty::full(&base, room)));
    println!("full disks: {tally:?}");
    assert_eq!(tally.workloads, all);
    let bases = faulty::bases();
    let tally =
        run_all(bases.iter().flat_map(|base| {
            (0..room(base)).step_by(211).map(move |room| faulty::full(base, room))
        }));
    println!("full disks, where much is sealed: {tally:?}");
}

/// What was decided on while a large group was being written goes with it.
#[test]
fn a_disk_that_is_full_for_a_large_group_refuses_what_was_decided_against_it() {
    let base = faulty::handed_over();
    let tally = run_all((0..room(&base)).step_by(7).map(|room| faulty::full(&base, room)));
    println!("full disks, with a second thread that syncs: {tally:?}");
    assert!(tally.workloads > 300, "{tally:?}");
}

/// The small appends would fit by then, but count from where the refused one would have ended.
#[test]
fn what_was_decided_against_a_refused_group_is_refused_although_there_is_room_again()
-> Result<(), Violation> {
    let Workload { settings, steps, .. } = faulty::relieved();
    let mut runner = Runner::idle(&Engine::SOUND, settings, &SimDisk::new());
    runner.reopen()?;
    runner.steps(&steps)?;
    assert_eq!(runner.refused(), 8, "two groups of four");
    runner.finish()?;
    Ok(())
}

#[test]
fn a_quota_that_ends_at_any_byte_of_a_write_refuses_cleanly() {
    let base = faulty::byte_by_byte();
    let all = room(&base) * 2;
    let tally = run_all((0..all).step_by(7).map(|bytes| faulty::short_quota(&base, bytes)));
    println!("quotas: {tally:?}");
    let few = Effort { states: 3, stride: 1, behind_failure: false, only: None };
    let some = (100..all).step_by(977).map(|bytes| faulty::short_quota(&base, bytes));
    println!("quotas, crashed: {:?}", found(hunt::hunt(&Engine::SOUND, some, few)));
}

#[test]
fn nobody_sees_what_is_not_durable() -> Result<(), Violation> {
    let mut runner = Runner::idle(&Engine::SOUND, Settings::SMALL, &SimDisk::new());
    runner.reopen()?;
    (0..9).try_for_each(|nth| runner.look_while_syncing(&many(nth % 2, 2, 600)))
}

#[test]
fn a_full_log_that_gets_room_goes_on_without_being_opened_again() -> Result<(), Violation> {
    for limit in [Step::Room(Some(0)), Step::Quota(Some(100))] {
        let mut runner = Runner::idle(&Engine::SOUND, Settings::SMALL, &SimDisk::new());
        runner.reopen()?;
        runner.steps(&[many(0, 2, 30), many(1, 3, 90)].map(Step::Append))?;
        runner.step(&limit)?;
        runner.steps(&[many(0, 9, 900), one(1, 800, Want::Tip)].map(Step::Append))?;
        assert!(runner.refused() > 0, "{limit:?}");
        runner.steps(&[Step::Room(None), Step::Quota(None)])?;
        let before = runner.refused();
        runner.steps(&[many(0, 9, 900), one(1, 800, Want::Tip)].map(Step::Append))?;
        assert_eq!(runner.refused(), before);
        runner.finish()?;
    }
    Ok(())
}

#[test]
fn the_fixed_workloads_have_names_of_their_own() {
    let names: Vec<String> = fixed::all().into_iter().map(|workload| workload.name).collect();
    let mut distinct = names.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), names.len());
}
