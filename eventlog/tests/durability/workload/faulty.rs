//! The fixed workloads on disks that fail.

use super::{Step, Want, Workload, many, one};
use crate::disk::op::SyncEnd;

/// The workload with a failing sync: behind so many others.
pub(crate) fn failed_sync(base: &Workload, behind: usize, end: SyncEnd) -> Workload {
    let name = format!("{}, sync {behind} {end:?}", base.name);
    mended(base, name, vec![Step::FailSync(behind, end)])
}

/// The workload on a disk that has so much room, and gets more.
pub(crate) fn full(base: &Workload, room: usize) -> Workload {
    mended(base, format!("{}, room {room}", base.name), vec![Step::Room(Some(room))])
}

/// The workload behind a fault, and what shows that the log goes on once that is mended.
fn mended(base: &Workload, name: String, mut steps: Vec<Step>) -> Workload {
    steps.extend(base.steps.iter().cloned());
    steps.push(Step::Reopen);
    steps.push(Step::Room(None));
    steps.extend([many(0, 2, 30), one(1, 700, Want::Tip)].map(Step::Append));
    Workload { name, settings: base.settings, steps }
}
