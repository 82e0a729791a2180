//! Workloads with a purpose each.

use super::{Ask, Settings, Step, Want, Workload, many, one};

/// All of them.
pub(crate) fn all() -> Vec<Workload> {
    vec![
        first_steps(),
        conditions(),
        repetitions(),
        groups(),
        rolling(),
        segment_each(),
        boundaries(),
        large_batches(),
        many_streams(),
        openings(),
        compressed(),
    ]
}

fn workload(name: &str, settings: Settings, steps: Vec<Step>) -> Workload {
    Workload { name: name.to_owned(), settings, steps }
}

fn appends(asks: impl IntoIterator<Item = Ask>) -> Vec<Step> {
    asks.into_iter().map(Step::Append).collect()
}

/// An empty log and its first few events.
fn first_steps() -> Workload {
    let mut steps = vec![Step::Reopen];
    steps.extend(appends([one(0, 20, Want::NoStream), many(1, 3, 60), one(0, 500, Want::Tip)]));
    steps.push(Step::Reopen);
    steps.extend(appends([one(2, 0, Want::Any), one(0, 20, Want::Tip)]));
    workload("first steps", Settings::SMALL, steps)
}

/// Every condition, right and wrong, alone and within a group.
fn conditions() -> Workload {
    let mut steps = Vec::new();
    for stream in [0, 1, 0, 2, 1] {
        for want in [Want::NoStream, Want::Tip, Want::Stale, Want::Ahead, Want::Tip] {
            steps.push(Step::Append(one(stream, 30, want)));
        }
        let tips = vec![one(stream, 10, Want::Tip), one(stream, 10, Want::Tip)];
        steps.push(Step::Group(one(stream + 1, 10, Want::Any), tips));
    }
    workload("conditions", Settings::SMALL, steps)
}

/// The same again: at once, later, in one group, after a roll, after opening.
fn repetitions() -> Workload {
    let mut steps = appends([many(0, 2, 50), Ask::Again(0), one(1, 300, Want::Tip), Ask::Again(2)]);
    steps.push(Step::Group(one(2, 20, Want::Any), vec![many(0, 3, 30), one(1, 30, Want::Any)]));
    steps.push(Step::Group(Ask::Again(1), vec![Ask::Again(1), Ask::Again(1), Ask::Again(3)]));
    steps.push(Step::Group(many(0, 4, 900), vec![many(3, 1, 10), Ask::Again(0), Ask::Again(4)]));
    steps.extend(appends([many(1, 4, 900), Ask::Again(1), Ask::Again(8), Ask::Again(12)]));
    steps.push(Step::Reopen);
    steps.extend(appends([Ask::Again(0), Ask::Again(5), Ask::Again(15), one(0, 10, Want::Tip)]));
    workload("repetitions", Settings::SMALL, steps)
}

/// Concurrent appends: many small ones, some of which must be refused.
fn groups() -> Workload {
    let mut steps = Vec::new();
    for round in 0..5 {
        let others = (0..8).map(|nth| match (nth + round) % 4 {
            0 => one(nth, 40 * nth, Want::Tip),
            1 => many(round, 2, 100),
            2 => one(nth, 10, Want::Stale),
            _ => one(0, 10, Want::Tip),
        });
        steps.push(Step::Group(many(round, 1, 20), others.collect()));
    }
    workload("groups", Settings::SMALL, steps)
}

/// Segment after segment, and their indexes merged.
fn rolling() -> Workload {
    let settings = Settings { segment_bytes: 1536, merge_runs: 2, ..Settings::SMALL };
    let steps = (0..40).map(|nth| match nth % 5 {
        4 => {
            Step::Group(one(nth % 7, 100, Want::Any), vec![many(1, 3, 150), one(2, 90, Want::Tip)])
        }
        _ => Step::Append(many(nth % 6, 1 + nth % 3, 120 + 17 * nth)),
    });
    workload("rolling", settings, steps.collect())
}

/// A new segment for every append.
fn segment_each() -> Workload {
    let settings = Settings {
        segment_bytes: 1,
        allocate_bytes: 1,
        tips_max: 1,
        merge_runs: 2,
        ..Settings::SMALL
    };
    let mut steps = appends((0..6).map(|nth| many(nth % 4, 1 + nth % 2, 90 * nth)));
    steps.push(Step::Group(one(1, 10, Want::Tip), vec![one(0, 10, Want::Tip), Ask::Again(4)]));
    steps.push(Step::Reopen);
    steps.extend(appends([one(3, 10, Want::Tip), Ask::Again(8), one(0, 10, Want::Tip)]));
    workload("a segment each", settings, steps)
}

/// Appends of every size around a segment's end.
fn boundaries() -> Workload {
    let settings = Settings { segment_bytes: 2048, allocate_bytes: 1, ..Settings::SMALL };
    let steps = (0..30).map(|nth| Step::Append(one(nth % 3, 560 - 8 * nth, Want::Tip)));
    workload("boundaries", settings, steps.collect())
}

/// Batches of many sectors, and larger than a segment.
fn large_batches() -> Workload {
    let mut steps = appends([one(0, 10, Want::Any), many(1, 12, 300), many(2, 30, 200)]);
    steps.push(Step::Group(one(0, 5_000, Want::Any), vec![many(1, 5, 700), many(3, 9, 10)]));
    steps.extend(appends([one(1, 9_000, Want::Tip), one(0, 10, Want::Tip)]));
    let settings = Settings { allocate_bytes: 64 << 10, ..Settings::SMALL };
    workload("large batches", settings, steps)
}

/// More streams than fit into memory, each looked at again under a condition.
fn many_streams() -> Workload {
    let settings = Settings { tips_max: 3, merge_runs: 2, ..Settings::SMALL };
    let mut steps = appends((0..14).map(|stream| one(stream, 90, Want::NoStream)));
    steps.extend(appends((0..14).map(|stream| one(stream, 200, Want::Tip))));
    steps.extend(appends((0..14).map(|stream| one(stream, 10, Want::Stale))));
    steps.push(Step::Group(
        one(20, 10, Want::Any),
        (0..14).map(|stream| one(13 - stream, 30, Want::Tip)).collect(),
    ));
    steps.extend(appends([Ask::Again(50), Ask::Again(40), Ask::Again(20), one(5, 10, Want::Tip)]));
    workload("many streams", settings, steps)
}

/// Opened and closed again and again, with little between.
fn openings() -> Workload {
    let settings = Settings { segment_bytes: 1024, merge_runs: 2, ..Settings::SMALL };
    let mut steps = Vec::new();
    for nth in 0..9 {
        steps.push(Step::Append(many(nth % 4, 1 + nth % 2, 100 * nth)));
        steps.push(Step::Reopen);
        if nth % 3 == 0 {
            steps.push(Step::Reopen);
        }
        steps.push(Step::Append(one(nth % 4, 30, Want::Tip)));
    }
    workload("openings", settings, steps)
}

/// Sealed segments are compressed.
fn compressed() -> Workload {
    let settings =
        Settings { segment_bytes: 2048, compress: true, merge_runs: 2, ..Settings::SMALL };
    let mut steps: Vec<Step> =
        (0..24).map(|nth| Step::Append(many(nth % 5, 2, 150 + 11 * nth))).collect();
    steps.push(Step::Reopen);
    steps.extend(appends((0..6).map(|nth| Ask::Again(3 * nth))));
    steps.extend(appends((0..6).map(|nth| one(nth, 400, Want::Tip))));
    workload("compressed", settings, steps)
}
