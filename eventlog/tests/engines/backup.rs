//! Backups: a prefix of the log, taken beside its writer, and a log again when restored.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use playhead_eventlog::embedded::{
    self, BackupError, BackupReport, EmbeddedLog, RestoreReport, Tuning,
};
use playhead_eventlog::{PartitionCount, RecordedEvent};
use tempfile::TempDir;

use crate::fixture::{TIGHT, TINY, all_events, ids, open_tuned, record};

/// As [`TINY`], but a segment is sealed as soon as it is full.
const STEADY: Tuning = Tuning { inline_maintenance: true, ..TINY };

fn open(dir: &Path, tuning: Tuning) -> EmbeddedLog {
    open_tuned(dir, PartitionCount::new(4).unwrap(), tuning)
}

fn backup(from: &Path, to: &Path) -> BackupReport {
    embedded::backup(from, to, |_, _| {}).unwrap()
}

fn restore(from: &Path, to: &Path) -> RestoreReport {
    embedded::restore(from, to, |_, _| {}).unwrap()
}

async fn events_in(dir: &Path) -> Vec<RecordedEvent> {
    all_events(&EmbeddedLog::open_read_only(dir).unwrap()).await
}

/// Appends of one event each to seven streams.
async fn fill(log: &EmbeddedLog, numbers: std::ops::Range<u128>) {
    for id in numbers {
        record(log, &format!("title-{}", id % 7), id..id + 1).await;
    }
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir.join("journal")).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backups_beside_a_writer_are_prefixes_of_its_log() {
    for compress in [false, true] {
        let dir = TempDir::new().unwrap();
        let (data, copy) = (dir.path().join("data"), dir.path().join("copy"));
        let log = Arc::new(open(&data, Tuning { compress, segment_bytes: 20_000, ..TINY }));
        let writer = tokio::spawn({
            let log = Arc::clone(&log);
            async move { fill(&log, 0..3_000).await }
        });
        let (mut before, mut rounds) = (0, 0);
        while !writer.is_finished() || rounds == 0 {
            let known = all_events(&*log).await;
            let report = backup(&data, &copy);
            let restored = dir.path().join(format!("restored-{rounds}"));
            assert_eq!(restore(&copy, &restored).position, report.position);
            assert!(report.position >= before);
            let found = events_in(&restored).await;
            assert_eq!(found.len() as u64, report.events);
            assert!(found.len() >= known.len(), "what was answered before is in the backup");
            let whole = all_events(&*log).await;
            assert_eq!(found, whole[..found.len()], "round {rounds}");
            (before, rounds) = (report.position, rounds + 1);
        }
        writer.await.unwrap();
        log.close().await;
        backup(&data, &copy);
        assert_eq!(events_in(&copy).await, all_events(&*log).await);
        embedded::verify(&copy, |_, _| {}).unwrap();
    }
}

#[tokio::test]
async fn another_backup_copies_only_what_is_new() {
    let dir = TempDir::new().unwrap();
    let (data, copy) = (dir.path().join("data"), dir.path().join("copy"));
    let log = open(&data, STEADY);
    fill(&log, 0..100).await;
    log.close().await;
    drop(log);
    let first = backup(&data, &copy);
    assert_eq!(first.copied_segments, first.segments);
    assert_eq!(first.copied_bytes, first.bytes);
    let again = backup(&data, &copy);
    assert_eq!((again.copied_segments, again.copied_bytes), (0, 0), "nothing is new");
    assert_eq!((again.position, again.segments), (first.position, first.segments));
    let log = open(&data, STEADY);
    fill(&log, 100..101).await;
    let one_more = backup(&data, &copy);
    assert_eq!(one_more.copied_segments, 1, "only the last one");
    fill(&log, 101..130).await;
    log.close().await;
    let later = backup(&data, &copy);
    assert!(later.copied_segments <= later.segments - first.segments + 1, "{later:?}");
    assert_eq!(events_in(&copy).await, all_events(&log).await);
    let only = segments(&copy).iter().all(|path| path.extension().unwrap() == "seg");
    assert!(only, "nothing is left lying about");
}

#[tokio::test]
async fn a_segment_that_was_compressed_since_is_brought_again() {
    let dir = TempDir::new().unwrap();
    let (data, copy) = (dir.path().join("data"), dir.path().join("copy"));
    let log = open(&data, Tuning { compress: true, segment_bytes: 20_000, ..TIGHT });
    fill(&log, 0..30).await;
    assert_eq!(backup(&data, &copy).segments, 1);
    fill(&log, 30..200).await;
    log.close().await;
    drop(log);
    drop(open(&data, Tuning { compress: true, ..TIGHT }));
    let report = backup(&data, &copy);
    assert!(report.segments > 1 && report.copied_segments == report.segments, "{report:?}");
    assert_eq!(fs::read(&segments(&copy)[0]).unwrap(), fs::read(&segments(&data)[0]).unwrap());
    restore(&copy, &dir.path().join("restored"));
}

#[tokio::test]
async fn a_restored_log_goes_on_and_its_old_backup_with_it() {
    let dir = TempDir::new().unwrap();
    let (data, copy, new) =
        (dir.path().join("data"), dir.path().join("copy"), dir.path().join("new"));
    let log = open(&data, TINY);
    fill(&log, 0..50).await;
    backup(&data, &copy);
    let report = restore(&copy, &new);
    assert_eq!((report.events, ids(&events_in(&new).await).len()), (50, 50));
    let log = open(&new, TINY);
    fill(&log, 50..90).await;
    log.close().await;
    assert_eq!(backup(&new, &copy).events, 90);
    assert_eq!(events_in(&copy).await, all_events(&log).await);
}

#[tokio::test]
async fn the_backup_of_another_log_is_left_alone() {
    let dir = TempDir::new().unwrap();
    let (data, other, copy) =
        (dir.path().join("data"), dir.path().join("other"), dir.path().join("copy"));
    let log = open(&data, TINY);
    fill(&log, 0..50).await;
    backup(&data, &copy);
    let before: Vec<_> = segments(&copy).iter().map(|path| fs::read(path).unwrap()).collect();
    let stranger = open(&other, TINY);
    fill(&stranger, 1_000..1_100).await;
    // The same log, set back to an earlier point, after which other things happened.
    let set_back = dir.path().join("set-back");
    let twin = open(&set_back, TINY);
    fill(&twin, 0..48).await;
    fill(&twin, 2_000..2_050).await;
    for wrong in [&other, &set_back] {
        let error = embedded::backup(wrong, &copy, |_, _| {}).unwrap_err();
        assert!(matches!(error, BackupError::OtherLog { .. }), "{error}");
    }
    let after: Vec<_> = segments(&copy).iter().map(|path| fs::read(path).unwrap()).collect();
    assert_eq!(after, before);
}

#[tokio::test]
async fn what_is_no_place_for_a_backup_is_refused() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let log = open(&data, TINY);
    fill(&log, 0..5).await;
    for inside in [data.clone(), data.join("backup"), dir.path().to_owned()] {
        let error = embedded::backup(&data, &inside, |_, _| {}).unwrap_err();
        assert!(matches!(error, BackupError::Nested { .. }), "{error}");
    }
    let full = dir.path().join("full");
    fs::create_dir(&full).unwrap();
    fs::write(full.join("letter.txt"), "dear").unwrap();
    let error = embedded::backup(&data, &full, |_, _| {}).unwrap_err();
    assert!(matches!(error, BackupError::NotABackup { .. }), "{error}");
    let error = embedded::restore(&data, &dir.path().join("new"), |_, _| {}).unwrap_err();
    assert!(matches!(error, BackupError::NotABackup { .. }), "{error}");
    let copy = dir.path().join("copy");
    backup(&data, &copy);
    let error = embedded::restore(&copy, &full, |_, _| {}).unwrap_err();
    assert!(matches!(error, BackupError::NotEmpty { .. }), "{error}");
    let error = embedded::backup(&full, &copy, |_, _| {}).unwrap_err();
    assert!(matches!(error, BackupError::Log(_)), "{error}");
}

#[tokio::test]
async fn a_flipped_bit_of_a_backup_is_found_when_it_is_restored() {
    let dir = TempDir::new().unwrap();
    let (data, copy) = (dir.path().join("data"), dir.path().join("copy"));
    let log = open(&data, TINY);
    fill(&log, 0..20).await;
    backup(&data, &copy);
    let mut files = segments(&copy);
    files.push(copy.join("backup.json"));
    for file in files {
        let bytes = fs::read(&file).unwrap();
        for at in (0..bytes.len()).step_by(97).chain([bytes.len() - 1]) {
            let mut rotten = bytes.clone();
            rotten[at] ^= 4;
            fs::write(&file, rotten).unwrap();
            let target = TempDir::new_in(dir.path()).unwrap();
            let error = embedded::restore(&copy, target.path(), |_, _| {}).unwrap_err();
            let BackupError::Damaged { file: found, .. } = error else { panic!("{error}") };
            assert_eq!(found, file);
            assert!(EmbeddedLog::open_read_only(target.path()).is_err(), "nothing is half there");
        }
        fs::write(&file, bytes).unwrap();
    }
    restore(&copy, &dir.path().join("new"));
}

/// Whatever a killed backup leaves, the one before can be restored, and the next one succeeds.
#[tokio::test]
async fn a_killed_backup_harms_nothing() {
    let dir = TempDir::new().unwrap();
    let (data, copy) = (dir.path().join("data"), dir.path().join("copy"));
    let log = open(&data, STEADY);
    fill(&log, 0..12).await;
    let old = backup(&data, &copy);
    let keep = |name: &str| fs::read(copy.join(name)).unwrap();
    let manifest = keep("backup.json");
    let tail = segments(&copy).pop().unwrap();
    let old_tail = fs::read(&tail).unwrap();
    fill(&log, 12..40).await;
    let new = backup(&data, &copy);
    let (new_manifest, new_tail) = (keep("backup.json"), fs::read(&tail).unwrap());
    let waiting = tail.with_extension("seg.next");
    // Killed before its manifest counted, and behind that.
    for (manifest, due) in [(&manifest, old.events), (&new_manifest, new.events)] {
        fs::write(copy.join("backup.json"), manifest).unwrap();
        fs::write(&tail, &old_tail).unwrap();
        fs::write(&waiting, &new_tail).unwrap();
        fs::write(copy.join("journal/copying.new"), "half").unwrap();
        let restored = TempDir::new_in(dir.path()).unwrap();
        assert_eq!(restore(&copy, restored.path()).events, due);
        assert_eq!(backup(&data, &copy).position, new.position);
        assert!(!waiting.exists() && !copy.join("journal/copying.new").exists());
        assert_eq!(events_in(&copy).await, all_events(&log).await);
    }
    // Killed during the very first one.
    let begun = dir.path().join("begun");
    backup(&data, &begun);
    let text = "{\"format\":1,\"position\":0,\"events\":0,\"offsets\":[],\"segments\":[]}\n";
    let sum = format!("crc32c:{:08x}\n", crc32c::crc32c(text.as_bytes()));
    fs::write(begun.join("backup.json"), format!("{text}{sum}")).unwrap();
    let error = embedded::restore(&begun, &dir.path().join("none"), |_, _| {}).unwrap_err();
    assert!(matches!(error, BackupError::NotABackup { .. }), "{error}");
    assert_eq!(backup(&data, &begun).events, 40);
    restore(&begun, &dir.path().join("none"));
}

#[tokio::test]
async fn progress_grows_to_its_end() {
    let dir = TempDir::new().unwrap();
    let (data, copy) = (dir.path().join("data"), dir.path().join("copy"));
    let log = open(&data, TINY);
    fill(&log, 0..50).await;
    let mut steps = Vec::new();
    embedded::backup(&data, &copy, |done, total| steps.push((done, total))).unwrap();
    let mut back = Vec::new();
    let new = dir.path().join("new");
    embedded::restore(&copy, &new, |done, total| back.push((done, total))).unwrap();
    for steps in [steps, back] {
        assert!(steps.is_sorted(), "{steps:?}");
        assert!(steps.last().is_some_and(|(done, total)| done == total), "{steps:?}");
    }
}
