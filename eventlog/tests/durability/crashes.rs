//! The engine survives every crash.

use std::time::Instant;

use crate::engine::Engine;
use crate::hunt::{self, Effort};
use crate::workload::{fixed, random};

const EFFORT: Effort = Effort { states: 40, stride: 1, behind_failure: false, only: None };

#[test]
fn nothing_acknowledged_is_lost_in_any_crash() {
    let workloads = fixed::all().into_iter().chain((0..14).map(random::workload));
    let begun = Instant::now();
    let tally = hunt::hunt(&Engine::SOUND, workloads, EFFORT);
    let tally = tally.unwrap_or_else(|finding| panic!("{finding}"));
    println!("{tally:?} in {:?}", begun.elapsed());
    assert!(tally.states >= 20_000, "{tally:?}");
}
