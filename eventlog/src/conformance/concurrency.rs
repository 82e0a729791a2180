//! Many writers at once.

use std::collections::HashSet;

use super::Subject;
use super::example::{all_events, append, assert_dense, events_of, ids, record};
use crate::append::{AppendError, Appended, Expected};

/// Everyone wants to be next, and reads where it stands after losing.
pub async fn of_concurrent_writers_to_one_version_one_wins(subject: impl Subject) {
    const WRITERS: u128 = 16;
    const WINS: u128 = 8;
    let log = subject.log();
    record(&*log, "title-x", 0..1).await;
    let writers = (1..=WRITERS).map(|writer| {
        let log = subject.log();
        tokio::spawn(async move {
            let mut last = 0;
            let mut won = Vec::new();
            for id in (0..WINS).map(|nth| 1_000 * writer + nth) {
                loop {
                    let append = append("title-x", Expected::Exact(last), id..id + 1);
                    match log.append(append).await {
                        Ok(appended) => {
                            assert_eq!(appended.first_version, last + 1);
                            last = appended.last_version;
                            won.push((last, id));
                            break;
                        }
                        Err(AppendError::Conflict { len, .. }) => last = len - 1,
                        Err(error) => panic!("{error}"),
                    }
                }
            }
            won
        })
    });
    let mut won = vec![(0, 0)];
    for writer in writers.collect::<Vec<_>>() {
        won.extend(writer.await.expect("the writer came through"));
    }
    won.sort_unstable();
    let events = events_of(&*log, "title-x").await;
    let recorded: Vec<_> =
        events.iter().map(|event| (event.version, event.event.id.as_u128())).collect();
    assert_eq!(won, recorded);
    assert_dense(&events);
}

/// Every event is there once, and counted.
pub async fn concurrent_writers_to_many_streams_leave_no_gap(subject: impl Subject) {
    const WRITERS: u128 = 32;
    const APPENDS: u128 = 10;
    let log = subject.log();
    let writers = (0..WRITERS).map(|writer| {
        let log = subject.log();
        tokio::spawn(async move {
            for id in (0..APPENDS).map(|nth| 1_000 * writer + 3 * nth) {
                record(&*log, &format!("title-{}", (id / 3) % 40), id..id + 3).await;
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("the writer came through");
    }
    let events = all_events(&*log).await;
    assert_dense(&events);
    let distinct: HashSet<_> = ids(&events).into_iter().collect();
    assert_eq!(u128::try_from(distinct.len()), Ok(WRITERS * APPENDS * 3));
    assert_eq!(u64::try_from(events.len()), Ok(log.head().total()));
}

/// All senders learn the same place, and one of them that it was the first.
pub async fn one_append_sent_many_times_at_once_is_recorded_once(subject: impl Subject) {
    let log = subject.log();
    let senders = (0..16).map(|_| {
        let log = subject.log();
        tokio::spawn(async move {
            let append = append("title-x", Expected::NoStream, 0..4);
            log.append(append).await.expect("it is new, or a replay")
        })
    });
    let mut answers = Vec::new();
    for sender in senders.collect::<Vec<_>>() {
        answers.push(sender.await.expect("the sender came through"));
    }
    assert_eq!(answers.iter().filter(|answer| !answer.replayed).count(), 1);
    let first = Appended { replayed: true, ..answers[0] };
    assert!(answers.iter().all(|answer| Appended { replayed: true, ..*answer } == first));
    assert_eq!(ids(&all_events(&*log).await), [0, 1, 2, 3]);
}
