//! The fixed workloads on disks that fail.

use super::{Ask, Settings, Step, Want, Workload, many, one};
use crate::disk::faults::Call;
use crate::disk::op::SyncEnd;

/// Small workloads in which everything happens: sealing, merging, compressing, opening again.
pub(crate) fn bases() -> Vec<Workload> {
    let base = |name: &str, compress| {
        let settings = Settings { segment_bytes: 900, merge_runs: 2, compress, ..Settings::SMALL };
        let mut steps: Vec<Step> =
            (0..7).map(|nth| Step::Append(many(nth % 3, 1 + nth % 2, 60 + 80 * nth))).collect();
        steps.insert(4, Step::Reopen);
        steps.push(Step::Group(one(0, 10, Want::Tip), vec![many(1, 2, 300), Ask::Again(2)]));
        steps.extend([one(0, 300, Want::Tip), one(2, 10, Want::Stale)].map(Step::Append));
        Workload { name: name.to_owned(), settings, steps }
    };
    vec![base("a bit of all", false), base("a bit of all compressed", true)]
}

/// A workload on few bytes, which takes its room byte by byte.
pub(crate) fn byte_by_byte() -> Workload {
    let settings = Settings { allocate_bytes: 1, ..Settings::SMALL };
    let steps = vec![
        Step::Append(many(0, 2, 60)),
        Step::Group(one(1, 80, Want::Any), vec![one(0, 30, Want::Tip), one(2, 90, Want::Any)]),
        Step::Append(one(0, 200, Want::Tip)),
        Step::Append(Ask::Again(1)),
        Step::Append(one(1, 20, Want::Tip)),
    ];
    Workload { name: "byte by byte".to_owned(), settings, steps }
}

/// A large append that is synced by the second thread, and small ones that are decided on meanwhile:
/// a disk that has no room for the first may well have some for the others.
pub(crate) fn handed_over() -> Workload {
    large_and_small("handed over", Step::Group)
}

/// The same on a disk that is full for the large ones, and has room before the small ones are written.
pub(crate) fn relieved() -> Workload {
    let mut relieved = large_and_small("relieved", Step::Relieved);
    let groups = relieved.steps.into_iter().flat_map(|step| match step {
        group @ Step::Relieved(..) => vec![Step::Room(Some(400)), group],
        other => vec![other],
    });
    relieved.steps = groups.chain([Step::Reopen]).collect();
    relieved
}

fn large_and_small(name: &str, group: impl Fn(Ask, Vec<Ask>) -> Step) -> Workload {
    let settings = Settings { allocate_bytes: 1, alone_bytes: 300, ..Settings::SMALL };
    let others = || vec![one(0, 30, Want::Tip), one(1, 10, Want::Any), one(2, 40, Want::Any)];
    let steps = vec![
        Step::Append(one(0, 60, Want::Any)),
        group(one(1, 900, Want::Any), others()),
        Step::Append(Ask::Again(3)),
        Step::Append(one(2, 20, Want::Tip)),
        group(many(0, 2, 500), others()),
        Step::Append(one(0, 20, Want::Tip)),
    ];
    Workload { name: name.to_owned(), settings, steps }
}

/// The workload with a failing call: behind so many others of its kind.
pub(crate) fn failed_call(base: &Workload, call: Call, behind: usize) -> Workload {
    let name = format!("{}, call {behind} {call:?}", base.name);
    mended(base, name, vec![Step::Fail(call, behind)])
}

/// The workload with a failing sync: behind so many others.
pub(crate) fn failed_sync(base: &Workload, behind: usize, end: SyncEnd) -> Workload {
    let name = format!("{}, sync {behind} {end:?}", base.name);
    mended(base, name, vec![Step::FailSync(behind, end)])
}

/// The workload on a disk that has so much room, and gets more.
pub(crate) fn full(base: &Workload, room: usize) -> Workload {
    mended(base, format!("{}, room {room}", base.name), vec![Step::Room(Some(room))])
}

/// The workload on a disk that has room for so many bytes of writes, whatever was allocated before,
/// as with copies on write; later it has more.
pub(crate) fn short_quota(base: &Workload, bytes: usize) -> Workload {
    mended(base, format!("{}, quota {bytes}", base.name), vec![Step::Quota(Some(bytes))])
}

/// The workload behind a fault, and what shows that the log goes on once that is mended.
fn mended(base: &Workload, name: String, mut steps: Vec<Step>) -> Workload {
    steps.extend(base.steps.iter().cloned());
    steps.push(Step::Reopen);
    steps.extend([Step::Room(None), Step::Quota(None)]);
    steps.extend([many(0, 2, 30), one(1, 700, Want::Tip)].map(Step::Append));
    Workload { name, settings: base.settings, steps }
}
