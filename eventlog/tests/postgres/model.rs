//! The PostgreSQL engine does what the memory engine does, whatever is asked, in groups of any size.

use std::sync::Arc;

use futures::future::join_all;
use playhead_eventlog::memory::MemoryLog;
use playhead_eventlog::{Append, EventLog, Expected, RecordedEvent, StreamName};
use proptest::prelude::*;

use crate::fixture::{all_events, append, open, two_partitions};
use crate::server::Server;

/// Few streams and few ids, so that conflicts and repetitions are common.
const STREAMS: [&str; 4] = ["playback-a", "viewing-a.p", "playback-b", "title-c"];
const IDS: u128 = 40;

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

/// Appends that are sent at once, in this order, are committed in few groups; the memory engine
/// takes one after the other.
async fn run(rounds: Vec<Vec<Append>>) {
    let address = Server::shared().database().await;
    let model = MemoryLog::new(two_partitions());
    let mut log = Arc::new(open(&address, two_partitions()).await);
    for (round, appends) in rounds.into_iter().enumerate() {
        let answers = join_all(appends.iter().map(|append| log.append(append.clone()))).await;
        for (append, answer) in appends.into_iter().zip(answers) {
            assert_eq!(answer, model.append(append).await);
        }
        assert_eq!(log.head(), model.head());
        if round % 4 == 3 {
            log.close().await;
            log = Arc::new(open(&address, two_partitions()).await);
        }
    }
    assert_same(&*log, &model).await;
}

async fn assert_same(log: &dyn EventLog, model: &MemoryLog) {
    let in_order = |mut events: Vec<RecordedEvent>| {
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
        cases: 12,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn both_engines_answer_the_same(
        rounds in prop::collection::vec(prop::collection::vec(any_append(), 1..12), 1..10),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(rounds));
    }
}
