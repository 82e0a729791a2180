//! The key file, the master key, and what happens without them.

use std::fs;
use std::sync::Arc;

use playhead_eventlog::memory::MemoryLog;
use playhead_eventlog::{Append, Expected, NewEvent, PartitionCount, StreamName};
use playhead_vault::Envelope;
use uuid::Uuid;

use super::*;
use crate::failure::describe;

const SUBJECT: Uuid = Uuid::from_u128(7);
const ENVELOPE: Envelope<'static> =
    Envelope { stream: "x-7", event_type: "X", schema_version: 1, event_id: SUBJECT };
const PAYLOAD: &[u8] = br#"{"name":{"$personal":"Ada"}}"#;

fn config(data: &Path) -> Config {
    Config { data: data.to_owned(), ..Config::default() }
}

fn empty_log() -> Arc<dyn EventLog> {
    Arc::new(MemoryLog::new(PartitionCount::new(4).unwrap()))
}

async fn log_with_an_event() -> Arc<dyn EventLog> {
    let log = empty_log();
    log.append(append(b"{}".to_vec())).await.unwrap();
    log
}

fn append(payload: Vec<u8>) -> Append {
    let event = NewEvent {
        id: Uuid::from_u128(1),
        event_type: "X".into(),
        schema_version: 1,
        recorded_at_ms: 0,
        actor: "system:test".into(),
        correlation_id: Uuid::nil(),
        causation_id: Uuid::nil(),
        payload: payload.into(),
        metadata: Vec::new().into(),
    };
    let stream = StreamName::parse("x-7").unwrap();
    Append { stream, expected: Expected::Any, events: vec![event] }
}

/// A data directory with a person in its key file, and what was sealed for them.
async fn with_a_person(config: &Config) -> Vec<u8> {
    let vault = open(config, &*empty_log()).await.unwrap();
    let sealed = vault.seal(SUBJECT, &ENVELOPE, PAYLOAD).await.unwrap().into_owned();
    vault.close().await;
    sealed
}

async fn reads(config: &Config, sealed: &[u8]) -> bool {
    let Ok(vault) = open(config, &*log_with_an_event().await).await else { return false };
    let unsealed = vault.unseal(SUBJECT, &ENVELOPE, sealed).await.unwrap().into_owned();
    vault.close().await;
    unsealed == PAYLOAD
}

#[tokio::test]
async fn a_log_with_events_and_no_key_file_is_refused_with_advice() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    let error = describe(&open(&config, &*log_with_an_event().await).await.unwrap_err());
    assert!(error.contains("subjects.sqlite is missing"), "{error}");
    assert!(error.contains("put the directory keys back"), "{error}");
    assert!(error.contains("playhead admin keys make"), "{error}");
    assert!(!file(dir.path()).exists());
    make(&config).await.unwrap().close().await;
    open(&config, &*log_with_an_event().await).await.unwrap().close().await;
}

#[tokio::test]
async fn a_key_file_without_its_master_key_is_refused_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    let sealed = with_a_person(&config).await;
    let master = dir.path().join("keys/master.key");
    let kept = fs::read(&master).unwrap();
    fs::remove_file(&master).unwrap();
    for _ in 0..2 {
        let error = describe(&open(&config, &*empty_log()).await.unwrap_err());
        assert!(error.contains("master.key is missing"), "{error}");
        assert!(make(&config).await.is_err());
    }
    fs::write(&master, "ab".repeat(32)).unwrap();
    let error = describe(&open(&config, &*empty_log()).await.unwrap_err());
    assert!(error.contains("another master key"), "{error}");
    fs::write(&master, kept).unwrap();
    assert!(reads(&config, &sealed).await);
}

#[tokio::test]
async fn a_new_master_key_takes_the_place_of_the_old_one() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    let sealed = with_a_person(&config).await;
    let master = dir.path().join("keys/master.key");
    let before = fs::read_to_string(&master).unwrap();
    let (moved, place) = rewrap(&config, None).await.unwrap();
    assert!(moved >= 1);
    assert_eq!(place, master);
    assert_ne!(fs::read_to_string(&master).unwrap(), before);
    assert!(reads(&config, &sealed).await);
    let old = Config { master_key: before.trim().into(), ..config.clone() };
    assert!(open_existing(&old).await.is_err());
}

#[tokio::test]
async fn moving_to_a_new_master_key_goes_on_after_a_crash_before_the_old_file_was_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    let sealed = with_a_person(&config).await;
    let master = dir.path().join("keys/master.key");
    let before = fs::read(&master).unwrap();
    rewrap(&config, None).await.unwrap();
    let next = dir.path().join("keys/master.next");
    fs::rename(&master, &next).unwrap();
    fs::write(&master, before).unwrap();
    assert!(!reads(&config, &sealed).await);
    rewrap(&config, None).await.unwrap();
    assert!(!next.exists());
    assert!(reads(&config, &sealed).await);
}

#[tokio::test]
async fn a_master_key_that_is_elsewhere_moves_to_a_named_file() {
    let dir = tempfile::tempdir().unwrap();
    let set = Config { master_key: (&*"ab".repeat(32)).into(), ..config(dir.path()) };
    let sealed = with_a_person(&set).await;
    assert!(describe(&rewrap(&set, None).await.unwrap_err()).contains("--to"));
    let target = dir.path().join("new-master");
    rewrap(&set, Some(&target)).await.unwrap();
    assert!(!reads(&set, &sealed).await);
    let moved = Config { master_key_file: target, ..config(dir.path()) };
    assert!(reads(&moved, &sealed).await);
}

/// A log on the disk with one event of this payload.
async fn log_on_disk(data: &Path, payload: Vec<u8>) {
    let options = playhead_eventlog::embedded::Options {
        partitions: PartitionCount::new(4).unwrap(),
        holder: "test".to_owned(),
        tuning: playhead_eventlog::embedded::Tuning::DEFAULT,
    };
    let log = EmbeddedLog::open(data, options).unwrap();
    log.append(append(payload)).await.unwrap();
    log.close().await;
}

#[tokio::test]
async fn no_new_keys_are_made_for_a_log_that_holds_sealed_data() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    let sealed = with_a_person(&config).await;
    log_on_disk(dir.path(), sealed).await;
    fs::remove_dir_all(dir.path().join("keys")).unwrap();
    let error = describe(&make_for_an_old_log(&config).await.unwrap_err());
    assert!(error.contains("holds sealed data, such as in x-7"), "{error}");
    assert!(error.contains("what to do: put the directory keys back"), "{error}");
    assert!(!dir.path().join("keys").exists());
}

#[tokio::test]
async fn a_log_in_which_nothing_is_sealed_gets_its_key_file() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    log_on_disk(dir.path(), br#"{"name":"$sealed"}"#.to_vec()).await;
    for _ in 0..2 {
        make_for_an_old_log(&config).await.unwrap().close().await;
    }
    assert!(file(dir.path()).exists());
}

#[tokio::test]
async fn a_refused_move_to_a_new_master_key_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    let names = || {
        let entries = fs::read_dir(dir.path().join("keys")).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let vault = make(&config).await.unwrap();
    let before = names();
    let target = dir.path().join("keys/elsewhere");
    for target in [None, Some(&*target)] {
        let error = describe(&rewrap(&config, target).await.unwrap_err());
        assert!(error.contains("in use"), "{error}");
        assert_eq!(names(), before);
    }
    vault.close().await;
}

#[tokio::test]
async fn a_key_file_that_is_in_use_is_told_with_advice() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    let vault = make(&config).await.unwrap();
    let error = describe(&open_existing(&config).await.unwrap_err());
    assert!(error.contains("in use") && error.contains("stop the server"), "{error}");
    vault.close().await;
}
