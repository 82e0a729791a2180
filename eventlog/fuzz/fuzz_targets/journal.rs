//! A log in whose files bytes were changed at will: opening, reading and verifying never panic, and
//! every event that is read is one that was written, in its place.
//!
//! The first byte of the input chooses the log and what happens to it; with a new last segment the
//! rest of the input is what stands behind its header, otherwise each four bytes are a change: which
//! file, where (two bytes, from either end), and what to flip. Changed footers may get checksums
//! that fit them: then only panics count.
#![no_main]

mod disk;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use libfuzzer_sys::fuzz_target;
use playhead_eventlog::embedded::{EmbeddedLog, Options, Tuning, verify_on};
use playhead_eventlog::{
    Append, Cursor, EventLog, Expected, NewEvent, PartitionCount, RecordedEvent, StreamName,
};
use tokio::runtime::{Builder, Runtime};

use self::disk::Files;

const ROOT: &str = "/log";
/// The header of a segment.
const HEADER: usize = 32;
/// How many streams there are.
const STREAMS: usize = 5;

/// A log as it was written.
struct Written {
    files: BTreeMap<PathBuf, Vec<u8>>,
    events: Vec<RecordedEvent>,
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Builder::new_current_thread().build().unwrap())
}

fn event(number: u32, length: u32) -> NewEvent {
    let id = |number: u32| format!("{number:032x}").parse().unwrap();
    NewEvent {
        id: id(number),
        event_type: "Tested".into(),
        schema_version: 1,
        actor: "system:fuzz".into(),
        recorded_at_ms: i64::from(number),
        correlation_id: id(number),
        causation_id: id(0),
        payload: vec![b'0'; length as usize].into(),
        metadata: Vec::new().into(),
    }
}

/// Some sealed segments, a merged index and an active segment.
async fn write(compress: bool) -> Written {
    let dir = tempfile::tempdir().unwrap();
    let tuning = Tuning {
        segment_bytes: 2_048,
        allocate_bytes: 512,
        merge_width: 2,
        inline_maintenance: true,
        compress,
        ..Tuning::DEFAULT
    };
    let partitions = PartitionCount::new(4).unwrap();
    let options = Options { partitions, holder: "fuzz".to_owned(), tuning };
    let log = EmbeddedLog::open(dir.path(), options).unwrap();
    for number in 0..24 {
        let stream = StreamName::parse(&format!("a-{}", number as usize % STREAMS)).unwrap();
        let events = vec![event(2 * number + 1, number * 7), event(2 * number + 2, 3)];
        log.append(Append { stream, expected: Expected::Any, events }).await.unwrap();
    }
    let events = read(&log).await;
    assert_eq!(events.len(), 48);
    log.close().await;
    let mut files = BTreeMap::new();
    for part in ["journal", "index"] {
        for file in fs::read_dir(dir.path().join(part)).unwrap() {
            let file = file.unwrap();
            let path = Path::new(ROOT).join(part).join(file.file_name());
            files.insert(path, fs::read(file.path()).unwrap());
        }
    }
    Written { files, events }
}

/// The events, up to the first that cannot be read.
async fn read(log: &EmbeddedLog) -> Vec<RecordedEvent> {
    let mut events = Vec::new();
    let mut cursor = Cursor::start(log.partitions());
    while let Ok(batch) = log.read(&cursor, 10).await {
        if batch.events.is_empty() {
            break;
        }
        events.extend(batch.events);
        cursor = batch.next;
    }
    events
}

fn written(compress: bool) -> &'static Written {
    static LOGS: OnceLock<[Written; 2]> = OnceLock::new();
    let logs =
        LOGS.get_or_init(|| runtime().block_on(async { [write(false).await, write(true).await] }));
    &logs[usize::from(compress)]
}

/// The file of the active segment.
fn last(files: &mut BTreeMap<PathBuf, Vec<u8>>) -> &mut Vec<u8> {
    let segments = files.iter_mut().filter(|(path, _)| path.extension().unwrap() == "seg");
    segments.last().unwrap().1
}

fn flip(files: &mut BTreeMap<PathBuf, Vec<u8>>, changes: &[u8]) {
    for change in changes.chunks_exact(4) {
        let count = files.len();
        let file = files.values_mut().nth(usize::from(change[0]) % count).unwrap();
        let at = usize::from(u16::from_le_bytes([change[1], change[2]]) >> 1) % file.len();
        let at = if change[1] & 1 == 0 { at } else { file.len() - 1 - at };
        file[at] ^= change[3];
    }
}

/// Gives every footer the checksum of what it says now.
fn forge(files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for file in files.values_mut().filter(|file| file.ends_with(b"PLAYSEAL")) {
        let crc = file.len() - 12;
        let length = u32::from_le_bytes(file[crc - 4..crc].try_into().unwrap());
        if let Some(start) = (crc - 4).checked_sub(length as usize) {
            let sum = crc32c::crc32c(&file[start..crc]).to_le_bytes();
            file[crc..crc + 4].copy_from_slice(&sum);
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, rest)) = bytes.split_first() else { return };
    let log = written(choice & 1 == 1);
    let mut files = log.files.clone();
    // With its checksum right, anything may be what was written.
    let anything = choice & 6 != 0;
    if choice & 2 == 2 {
        let last = last(&mut files);
        last.truncate(HEADER);
        last.extend(rest);
    } else {
        flip(&mut files, rest);
    }
    if choice & 4 == 4 {
        forge(&mut files);
    }
    let root = Path::new(ROOT);
    let disk = Arc::new(Files::new(files));
    if choice & 8 == 8 {
        // Errors are what damage should lead to.
        let _found = verify_on(disk.clone(), root, |_, _| {});
    }
    let Ok(opened) = EmbeddedLog::open_read_only_on(disk, root) else { return };
    runtime().block_on(async {
        for event in read(&opened).await {
            assert!(anything || log.events.contains(&event), "nobody wrote {event:?}");
        }
        // The last events, two of each stream.
        for event in log.events.iter().rev().step_by(2).take(STREAMS) {
            let Ok(found) = opened.read_stream(&event.stream, 0, 100).await else { continue };
            let mut due = log.events.iter().filter(|due| due.stream == event.stream);
            let all_due = found.iter().all(|found| due.next() == Some(found));
            assert!(anything || all_due, "{found:?}");
        }
    });
});
