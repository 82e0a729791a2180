//! Workloads out of seeds.

use super::{Ask, Settings, Step, Want, Workload};
use crate::dice::Dice;
use crate::disk::faults::Call;
use crate::disk::op::SyncEnd;

/// The workload of a seed, for ever the same.
pub(crate) fn workload(seed: u64) -> Workload {
    let mut dice = Dice::of(0x0a11, seed);
    let settings = Settings {
        partitions: *dice.pick(&[1, 2, 4, 8]),
        segment_bytes: *dice.pick(&[1, 1024, 1536, 2048, 4096, 8192]),
        allocate_bytes: *dice.pick(&[1, 512, 1000, 4096, 65_536]),
        alone_bytes: *dice.pick(&[0, 300, 1_000, usize::MAX]),
        tips_max: *dice.pick(&[1, 2, 3, 6, 64]),
        merge_runs: *dice.pick(&[2, 2, 3, 4]),
        compress: dice.one_in(3),
    };
    let streams = *dice.pick(&[2, 5, 9, 20]);
    let size = *dice.pick(&[40, 150, 400, 900]);
    let steps = 10 + dice.below(30);
    let mut random = Random { dice, streams, size };
    let mut steps: Vec<Step> = (0..steps).map(|_| random.step()).collect();
    if random.dice.one_in(3) {
        random.add_fault(&mut steps);
    }
    Workload { name: format!("seed {seed}"), settings, steps }
}

struct Random {
    dice: Dice,
    streams: usize,
    /// The usual size of a payload, at most.
    size: usize,
}

impl Random {
    /// Lets something fail somewhere, and the log be opened again some time later.
    fn add_fault(&mut self, steps: &mut Vec<Step>) {
        let end = *self.dice.pick(&[SyncEnd::FailedKeeping, SyncEnd::FailedDropping]);
        let fault = match self.dice.below(4) {
            0 => Step::Fail(Call::Write, self.dice.below(30)),
            1 => Step::Room(Some(self.dice.below(6_000))),
            _ => Step::FailSync(self.dice.below(30), end),
        };
        let from = self.dice.below(steps.len());
        let behind = from + self.dice.below(steps.len() - from);
        steps.splice(behind..behind, [Step::Reopen, Step::Room(None)]);
        steps.insert(from, fault);
    }

    fn step(&mut self) -> Step {
        match self.dice.below(12) {
            0 => Step::Reopen,
            1..4 => {
                let first = Ask::New {
                    stream: self.dice.below(self.streams),
                    count: 1,
                    size: self.dice.below(self.size),
                    want: Want::Any,
                };
                let others = 1 + self.dice.below(7);
                Step::Group(first, (0..others).map(|_| self.ask()).collect())
            }
            _ => Step::Append(self.ask()),
        }
    }

    fn ask(&mut self) -> Ask {
        if self.dice.one_in(7) {
            return Ask::Again(self.dice.below(40));
        }
        let (count, size) = match self.dice.below(20) {
            0 => (1 + self.dice.below(30), self.dice.below(200)),
            1 => (1, self.dice.below(10_000)),
            2..6 => (1 + self.dice.below(4), self.dice.below(self.size)),
            _ => (1, self.dice.below(self.size)),
        };
        let want = *self.dice.pick(&[
            Want::Any,
            Want::Any,
            Want::Tip,
            Want::Tip,
            Want::Tip,
            Want::NoStream,
            Want::Stale,
            Want::Ahead,
        ]);
        Ask::New { stream: self.dice.below(self.streams), count, size, want }
    }
}
