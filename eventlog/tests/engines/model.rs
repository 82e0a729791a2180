//! The embedded engine does what the memory engine does, whatever is asked, over restarts.

use playhead_eventlog::embedded::Tuning;
use playhead_eventlog::memory::MemoryLog;
use playhead_eventlog::{Append, EventLog, Expected, PartitionCount, StreamName};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::fixture::{TIGHT, TINY, all_events, append, open_tuned};

/// Few streams and few ids, so that conflicts and repetitions are common.
const STREAMS: [&str; 4] = ["playback-a", "viewing-a.p", "playback-b", "title-c"];
const IDS: u128 = 40;

const TUNINGS: [Tuning; 4] = [
    TIGHT,
    TINY,
    Tuning { compress: true, inline_maintenance: true, ..TINY },
    Tuning { segment_bytes: 1, tips_max: 1, merge_width: 2, ..TINY },
];

#[derive(Debug, Clone)]
enum Step {
    Append(Append),
    /// The same again.
    Repeat(prop::sample::Index),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => any_append().prop_map(Step::Append),
        2 => any::<prop::sample::Index>().prop_map(Step::Repeat),
        1 => Just(Step::Reopen),
    ]
}

fn any_append() -> impl Strategy<Value = Append> {
    let expected = prop_oneof![
        4 => Just(Expected::Any),
        1 => Just(Expected::NoStream),
        3 => (0..8u64).prop_map(Expected::Exact),
    ];
    let numbers = (0..IDS, 0..4u128).prop_map(|(first, count)| first..first + count);
    (prop::sample::select(&STREAMS[..]), expected, numbers)
        .prop_map(|(name, expected, numbers)| append(name, expected, numbers))
}

async fn run(steps: Vec<Step>, tuning: Tuning) {
    let partitions = PartitionCount::new(2).unwrap();
    let dir = TempDir::new().unwrap();
    let model = MemoryLog::new(partitions);
    let mut log = open_tuned(dir.path(), partitions, tuning);
    let mut sent: Vec<Append> = Vec::new();
    for step in steps {
        let append = match step {
            Step::Append(append) => append,
            Step::Repeat(_) if sent.is_empty() => continue,
            Step::Repeat(which) => which.get(&sent).clone(),
            Step::Reopen => {
                drop(log);
                log = open_tuned(dir.path(), partitions, tuning);
                continue;
            }
        };
        sent.push(append.clone());
        assert_eq!(log.append(append.clone()).await, model.append(append).await);
        assert_eq!(log.head(), model.head());
    }
    assert_same(&log, &model).await;
    drop(log);
    assert_same(&open_tuned(dir.path(), partitions, tuning), &model).await;
}

async fn assert_same(log: &dyn EventLog, model: &MemoryLog) {
    let in_order = |mut events: Vec<playhead_eventlog::RecordedEvent>| {
        events.sort_by_key(|event| (event.partition, event.offset));
        events
    };
    assert_eq!(in_order(all_events(log).await), in_order(all_events(model).await));
    for name in STREAMS {
        let stream = StreamName::parse(name).unwrap();
        for from in [0, 1, 5] {
            let read = log.read_stream(&stream, from, 7).await;
            assert_eq!(read, model.read_stream(&stream, from, 7).await);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn both_engines_answer_the_same(
        steps in prop::collection::vec(step(), 1..40),
        tuning in prop::sample::select(&TUNINGS[..]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(run(steps, tuning));
    }
}
