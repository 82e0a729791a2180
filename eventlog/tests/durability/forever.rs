//! A longer hunt, for `make crash`: over every workload there is, then over seeds, as long as it is
//! told to; or to one state of one workload, to see a finding again.

use std::env;
use std::time::{Duration, Instant};

use crate::disk::faults::Call;
use crate::disk::op::SyncEnd;
use crate::engine::Engine;
use crate::hunt::{self, Effort, Tally};
use crate::workload::{Workload, faulty, fixed, random};

/// How many workloads are crashed between two lines of progress.
const ROUND: usize = 8;

fn asked<T: std::str::FromStr>(name: &str) -> Option<T> {
    let text = env::var(name).ok().filter(|text| !text.is_empty())?;
    let value = text.parse().ok();
    assert!(value.is_some(), "{name}={text:?} makes no sense");
    value
}

/// The workload of a name that a finding told.
fn named(name: &str) -> Option<Workload> {
    if let Some(seed) = name.strip_prefix("seed ") {
        return seed.parse().ok().map(random::workload);
    }
    let Some((base, fault)) = name.split_once(", ") else {
        let mut all = fixed::all().into_iter().chain(faulty::bases());
        let mut small = [faulty::byte_by_byte(), faulty::handed_over()].into_iter();
        let called = |workload: &Workload| workload.name == name;
        return all.find(called).or_else(|| small.find(called));
    };
    let base = named(base)?;
    let mut words = fault.split(' ');
    let (kind, number) = (words.next()?, words.next()?.parse().ok()?);
    let more = words.next().unwrap_or_default();
    match kind {
        "sync" => {
            let ends = [SyncEnd::FailedKeeping, SyncEnd::FailedDropping];
            let end = ends.into_iter().find(|end| format!("{end:?}") == more)?;
            Some(faulty::failed_sync(&base, number, end))
        }
        "call" => {
            let calls = [Call::Read, Call::Write, Call::Resize, Call::Name];
            let call = calls.into_iter().find(|call| format!("{call:?}") == more)?;
            Some(faulty::failed_call(&base, call, number))
        }
        "room" => Some(faulty::full(&base, number)),
        "quota" => Some(faulty::short_quota(&base, number)),
        _ => None,
    }
}

#[test]
#[ignore = "make crash: takes as long as it is told to"]
fn a_hunt_of_any_length_finds_nothing() {
    let states = asked("STATES").unwrap_or(60);
    if let Some(name) = asked::<String>("WORKLOAD") {
        let workload = named(&name).unwrap_or_else(|| panic!("there is no workload {name:?}"));
        let only = asked("STEP").map(|step| (step, asked("STATE")));
        let effort = Effort { states, stride: 1, behind_failure: false, only };
        let tally = hunt::hunt(&Engine::SOUND, [workload].into_iter(), effort);
        println!("{:?}", tally.unwrap_or_else(|finding| panic!("{finding}")));
        return;
    }
    let effort = Effort { states, stride: 1, behind_failure: false, only: None };
    let due = Duration::from_secs(asked("SECONDS_MAX").unwrap_or(60));
    let first: u64 = asked("SEED").unwrap_or(1_000);
    let mut workloads = fixed::all().into_iter().chain((first..).map(random::workload));
    let begun = Instant::now();
    let mut total = Tally::default();
    while begun.elapsed() < due {
        let round: Vec<Workload> = workloads.by_ref().take(ROUND).collect();
        let last = round.last().map_or(String::new(), |workload| workload.name.clone());
        let left = due.saturating_sub(begun.elapsed());
        let tally = hunt::hunt_for(&Engine::SOUND, round.into_iter(), effort, Some(left));
        total += tally.unwrap_or_else(|finding| panic!("{finding}"));
        let Tally { workloads, states, .. } = total;
        let seconds = begun.elapsed().as_secs();
        println!("{seconds} s: {states} states of {workloads} workloads, up to {last:?}");
    }
}
