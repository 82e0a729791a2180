//! What a journal says after cuts, flipped bits and rubbish.

use std::path::Path;

use playhead_eventlog::embedded::{self, EmbeddedLog, OpenError, VerifyReport};
use playhead_eventlog::{EventLog, Expected, ReadError};
use tempfile::TempDir;

use crate::fixture::{
    all_events, append, ids, journal, open, record, segment, try_open, with_journal,
};

/// Bytes of a journal with three batches, as they are while the log is still open, and where each
/// batch begins: events 0 and 1, 2 and 3, 4. Each was a group of its own.
async fn three_batches() -> (Vec<u8>, [usize; 4]) {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path());
    let mut ends = [journal(dir.path()).len(); 4];
    for (end, numbers) in [0..2, 2..4, 4..5].into_iter().enumerate() {
        record(&log, "title-x", numbers).await;
        ends[end + 1] = journal(dir.path()).len();
    }
    (journal(dir.path()), ends)
}

async fn ids_in(dir: &Path) -> Vec<u128> {
    ids(&all_events(&open(dir)).await)
}

fn assert_refused(bytes: &[u8], position: usize) {
    let dir = with_journal(bytes);
    let errors = [
        try_open(dir.path()).unwrap_err(),
        EmbeddedLog::open_read_only(dir.path()).unwrap_err(),
        embedded::verify(dir.path(), |_, _| {}).unwrap_err(),
    ];
    for error in errors {
        let OpenError::Corrupt(damage) = error else { panic!("{error}") };
        assert_eq!(usize::try_from(damage.position), Ok(position));
        assert_eq!(damage.file, segment(dir.path()));
    }
    assert_eq!(journal(dir.path()), bytes, "a refused journal is not changed");
}

#[tokio::test]
async fn a_cut_at_any_byte_leaves_whole_batches() {
    let (bytes, [_, first, second, third]) = three_batches().await;
    for cut in first..=third {
        let dir = with_journal(&bytes[..cut]);
        let whole = match cut {
            _ if cut == third => 5,
            _ if cut >= second => 4,
            _ => 2,
        };
        let report = embedded::verify(dir.path(), |_, _| {}).unwrap();
        let written = bytes[..cut].iter().rposition(|byte| *byte != 0).unwrap() + 1;
        let end = usize::try_from(report.bytes).unwrap().max(written);
        assert_eq!(usize::try_from(report.bytes + report.torn_tail_bytes), Ok(end));
        assert_eq!(report.events, whole);
        let read_only = EmbeddedLog::open_read_only(dir.path()).unwrap();
        let expected: Vec<_> = (0..u128::from(whole)).collect();
        assert_eq!(ids(&all_events(&read_only).await), expected, "cut at {cut}, read only");
        assert_eq!(journal(dir.path()).len(), cut);
        assert_eq!(ids_in(dir.path()).await, expected, "cut at {cut}");
    }
}

#[tokio::test]
async fn after_a_cut_the_log_goes_on() {
    let (bytes, [_, _, second, _]) = three_batches().await;
    let dir = with_journal(&bytes[..second + 40]);
    let log = open(dir.path());
    record(&log, "title-x", 4..6).await;
    log.close().await;
    drop(log);
    assert_eq!(ids_in(dir.path()).await, [0, 1, 2, 3, 4, 5]);
    let report = embedded::verify(dir.path(), |_, _| {}).unwrap();
    assert_eq!((report.events, report.batches, report.torn_tail_bytes), (6, 3, 0));
}

/// The batch behind it vouches for it.
#[tokio::test]
async fn a_flipped_byte_in_a_synced_batch_is_refused_with_its_position() {
    let (bytes, [start, _, second, _]) = three_batches().await;
    let mut record = start;
    while record < second {
        let length = u32::from_le_bytes(bytes[record..record + 4].try_into().unwrap());
        let next = record + 8 + length as usize;
        for byte in record..next {
            let mut bytes = bytes.clone();
            bytes[byte] ^= 0x10;
            assert_refused(&bytes, record);
        }
        record = next;
    }
}

/// Nothing tells it from a write that a crash has torn.
#[tokio::test]
async fn a_flipped_byte_in_the_last_group_is_cut() {
    let (bytes, [_, _, second, third]) = three_batches().await;
    for byte in second..third {
        let mut bytes = bytes.clone();
        bytes[byte] ^= 0x10;
        let dir = with_journal(&bytes);
        assert_eq!(ids_in(dir.path()).await, [0, 1, 2, 3], "byte {byte}");
    }
}

/// The closing marker vouches for the last group, too.
#[tokio::test]
async fn after_a_clean_close_a_flipped_byte_is_refused_everywhere() {
    let (bytes, [_, _, second, third]) = three_batches().await;
    let dir = with_journal(&bytes);
    open(dir.path()).close().await;
    // No batch is new, so opening alone does not prove that the last group was durable once.
    let log = open(dir.path());
    record(&log, "title-x", 5..6).await;
    log.close().await;
    let closed = journal(dir.path());
    for byte in [second, third - 1, third + 5, closed.len() - 33] {
        let mut bytes = closed.clone();
        bytes[byte] ^= 0x10;
        let dir = with_journal(&bytes);
        let error = try_open(dir.path()).unwrap_err();
        assert!(matches!(error, OpenError::Corrupt { .. }), "byte {byte}: {error}");
    }
}

#[tokio::test]
async fn rubbish_at_the_end_is_cut() {
    let (bytes, _) = three_batches().await;
    let noise: Vec<u8> =
        (0..5_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for tail in [vec![0; 1], vec![0; 4_096], vec![0xff; 100], noise, bytes[32..200].to_vec()] {
        let dir = with_journal(&[bytes.as_slice(), &tail].concat());
        let report = embedded::verify(dir.path(), |_, _| {}).unwrap();
        let expected = VerifyReport {
            segments: 1,
            events: 5,
            batches: 3,
            bytes: bytes.len() as u64,
            // Zeros are room taken ahead.
            torn_tail_bytes: tail.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1) as u64,
        };
        assert_eq!(report, expected);
        assert_eq!(ids_in(dir.path()).await, [0, 1, 2, 3, 4]);
        let report = embedded::verify(dir.path(), |_, _| {}).unwrap();
        assert_eq!(report.torn_tail_bytes, 0);
    }
}

/// A sound record where another is due is no accident of writing.
#[tokio::test]
async fn a_batch_that_stands_twice_or_is_missing_is_refused() {
    let (bytes, [start, first, second, third]) = three_batches().await;
    assert_refused(&[&bytes[..third], &bytes[second..third]].concat(), third);
    assert_refused(&[&bytes[..first], &bytes[second..]].concat(), first);
    assert_refused(&[&bytes[..start], &bytes[first..second]].concat(), start);
}

#[tokio::test]
async fn a_damaged_header_is_refused() {
    let (bytes, _) = three_batches().await;
    for byte in 0..32 {
        let mut bytes = bytes.clone();
        bytes[byte] ^= 0x10;
        let dir = with_journal(&bytes);
        let error = try_open(dir.path()).unwrap_err();
        match byte {
            0..8 => assert!(matches!(error, OpenError::NotAJournal { .. }), "{error}"),
            _ => {
                let OpenError::Corrupt(damage) = error else { panic!("{error}") };
                assert_eq!(damage.position, 0);
            }
        }
        assert_eq!(journal(dir.path()), bytes);
    }
    for cut in 0..32 {
        let dir = with_journal(&bytes[..cut]);
        let error = try_open(dir.path()).unwrap_err();
        assert!(matches!(error, OpenError::NotAJournal { .. }), "{error}");
    }
}

/// The directory is copied while the log is open, as if the process were killed then.
#[tokio::test]
async fn everything_answered_survives_a_kill() {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path());
    for id in 0..30 {
        log.append(append(&format!("title-{}", id % 4), Expected::Any, [id])).await.unwrap();
        let copy = with_journal(&journal(dir.path()));
        let expected: Vec<_> = (0..=id).collect();
        assert_eq!(ids_in(copy.path()).await, expected);
    }
}

#[tokio::test]
async fn a_record_that_rots_while_the_log_is_open_is_never_served() {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path());
    record(&log, "title-x", 0..3).await;
    let mut bytes = journal(dir.path());
    let position = 32;
    bytes[position + 100] ^= 1;
    std::fs::write(segment(dir.path()), bytes).unwrap();
    let stream = "title-x".to_owned().try_into().unwrap();
    let error = log.read_stream(&stream, 0, 10).await.unwrap_err();
    assert!(matches!(error, ReadError::Corrupt { position: 32, .. }), "{error}");
    assert_eq!(ids(&log.read_stream(&stream, 1, 10).await.unwrap()), [1, 2]);
}

#[tokio::test]
async fn opening_and_closing_again_changes_nothing() {
    let (bytes, _) = three_batches().await;
    let dir = with_journal(&bytes);
    open(dir.path()).close().await;
    let closed = journal(dir.path());
    for _ in 0..3 {
        open(dir.path()).close().await;
        assert_eq!(journal(dir.path()), closed);
    }
}
