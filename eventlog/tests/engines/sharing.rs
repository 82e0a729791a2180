//! One process appends, others may look; and the end of a log.

use playhead_eventlog::embedded::{self, EmbeddedLog, OpenError, Options, Tuning};
use playhead_eventlog::{AppendError, EventLog, Expected, PartitionCount};
use tempfile::TempDir;

use crate::fixture::{all_events, append, ids, open, open_tuned, open_with, record, try_open};

#[tokio::test]
async fn a_second_opening_learns_who_holds_the_log() {
    let dir = TempDir::new().unwrap();
    let log = EmbeddedLog::open(
        dir.path(),
        Options {
            partitions: PartitionCount::DEFAULT,
            holder: "playhead serve".to_owned(),
            tuning: embedded::Tuning::DEFAULT,
        },
    )
    .unwrap();
    record(&log, "title-x", 0..1).await;
    let error = try_open(dir.path()).unwrap_err();
    let text = error.to_string();
    let OpenError::Locked { pid, holder, .. } = error else { panic!("{error}") };
    assert_eq!((pid, holder.as_str()), (std::process::id(), "playhead serve"));
    assert!(text.contains(&format!("process {pid} (playhead serve)")), "{text}");
    record(&log, "title-x", 1..2).await;
}

#[tokio::test]
async fn the_lock_ends_with_the_writer() {
    let dir = TempDir::new().unwrap();
    let closed = open(dir.path());
    closed.close().await;
    drop(open(dir.path()));
    open(dir.path());
}

#[tokio::test]
async fn a_reader_beside_the_writer_sees_what_was_there_when_it_came() {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path());
    record(&log, "title-x", 0..3).await;
    let reader = EmbeddedLog::open_read_only(dir.path()).unwrap();
    record(&log, "title-x", 3..5).await;
    assert_eq!(ids(&all_events(&reader).await), [0, 1, 2]);
    let later = EmbeddedLog::open_read_only(dir.path()).unwrap();
    assert_eq!(ids(&all_events(&later).await), [0, 1, 2, 3, 4]);
    let refused = later.append(append("title-x", Expected::Any, [9])).await;
    assert_eq!(refused, Err(AppendError::Closed));
}

/// Whatever the writer is just doing, no reader takes it for damage.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_may_come_while_the_writer_writes() {
    let small = Tuning { segment_bytes: 300_000, merge_width: 3, ..Tuning::DEFAULT };
    for tuning in [Tuning::DEFAULT, small, Tuning { compress: true, ..small }] {
        let dir = TempDir::new().unwrap();
        let log = open_tuned(dir.path(), PartitionCount::DEFAULT, tuning);
        let writer = tokio::spawn(async move {
            for id in (0..100).map(|nth| 500 * nth) {
                record(&log, "title-x", id..id + 500).await;
            }
            log.close().await;
        });
        let mut seen = 0;
        while !writer.is_finished() {
            let report = embedded::verify(dir.path(), |_, _| {}).unwrap();
            assert!(report.events >= seen && report.events % 500 == 0, "{report:?}");
            seen = report.events;
            let reader = EmbeddedLog::open_read_only(dir.path()).unwrap();
            let total = reader.head().total();
            assert!(total >= seen && total.is_multiple_of(500), "{total}");
        }
        writer.await.unwrap();
    }
}

#[tokio::test]
async fn after_closing_appends_are_refused_and_reads_go_on() {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path());
    record(&log, "title-x", 0..3).await;
    log.close().await;
    log.close().await;
    let refused = log.append(append("title-x", Expected::Any, [9])).await;
    assert_eq!(refused, Err(AppendError::Closed));
    assert_eq!(ids(&all_events(&log).await), [0, 1, 2]);
}

#[tokio::test]
async fn closing_waits_for_the_appends_before_it() {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path());
    let writes = async {
        let (first, second) = tokio::join!(
            log.append(append("title-x", Expected::Any, [0])),
            log.append(append("title-y", Expected::Any, [1])),
        );
        (first.unwrap(), second.unwrap())
    };
    tokio::join!(biased; writes, log.close());
    drop(log);
    assert_eq!(ids(&all_events(&open(dir.path())).await), [0, 1]);
}

#[test]
fn a_log_keeps_the_partition_count_that_it_was_created_with() {
    let dir = TempDir::new().unwrap();
    let deep = dir.path().join("a/b/c");
    drop(open_with(&deep, PartitionCount::new(8).unwrap()));
    assert_eq!(open_with(&deep, PartitionCount::DEFAULT).partitions().get(), 8);
}

#[test]
fn where_there_is_no_log_there_is_none_to_read() {
    let dir = TempDir::new().unwrap();
    let errors = [
        EmbeddedLog::open_read_only(dir.path()).unwrap_err(),
        embedded::verify(dir.path(), |_, _| {}).unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, OpenError::NotFound { .. }), "{error}");
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn checking_a_log_tells_its_progress() {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path());
    for id in (0..5).map(|nth| 1_000 * nth) {
        record(&log, "title-x", id..id + 1_000).await;
    }
    let mut steps = Vec::new();
    let report = embedded::verify(dir.path(), |done, total| steps.push((done, total))).unwrap();
    assert_eq!((report.events, report.batches), (5_000, 5));
    assert!(steps.is_sorted(), "{steps:?}");
    assert_eq!(steps.last(), Some(&(report.bytes, report.bytes)));
}
