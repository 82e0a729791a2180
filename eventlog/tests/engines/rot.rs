//! A log that rots: all of it is found, and it is told whose it was.

use std::fs;
use std::path::{Path, PathBuf};

use playhead_eventlog::embedded::{self, DAMAGES_MAX, EmbeddedLog, Examination, Tuning};
use playhead_eventlog::{EventLog, Expected, PartitionCount, ReadError, StreamName};
use tempfile::TempDir;

use crate::fixture::{TINY, append, ids, open_tuned, record};

const LARGER: Tuning = Tuning { segment_bytes: 8_000, ..TINY };

/// A closed log of several segments, all sealed but the last: events 0 to 119, in turn of five streams.
async fn closed(tuning: Tuning) -> TempDir {
    let tuning = Tuning { inline_maintenance: true, ..tuning };
    let dir = TempDir::new().unwrap();
    let log = open_tuned(dir.path(), PartitionCount::new(4).unwrap(), tuning);
    for id in 0..120 {
        record(&log, &format!("title-{}", id % 5), id..id + 1).await;
    }
    log.close().await;
    dir
}

fn examine(dir: &Path) -> Examination {
    embedded::examine(dir, |_, _| {}).unwrap()
}

fn files(dir: &Path, below: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir.join(below)).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// Where in the file the event with this payload begins, and how long its payload is.
fn place_of(bytes: &[u8], id: u128) -> (usize, usize) {
    let payload = format!("{{\"number\":{id}}}");
    let end = bytes.windows(payload.len()).position(|found| found == payload.as_bytes()).unwrap();
    (end - "title-0".len() - "Happened".len() - "system:test".len() - 96, end)
}

#[tokio::test]
async fn every_flipped_bit_of_every_segment_is_found() {
    for compress in [false, true] {
        let dir = closed(Tuning { compress, ..LARGER }).await;
        let segments = files(dir.path(), "journal");
        assert!(segments.len() > 2);
        assert_eq!(examine(dir.path()).damages, []);
        for file in &segments {
            let bytes = fs::read(file).unwrap();
            let last = bytes.len() * 8;
            let near = (0..256).step_by(9).chain((last.saturating_sub(2_400)..last).step_by(11));
            for bit in (0..last).step_by(331).chain(near) {
                let mut rotten = bytes.clone();
                rotten[bit / 8] ^= 1 << (bit % 8);
                fs::write(file, rotten).unwrap();
                let found = embedded::verify(dir.path(), |_, _| {});
                assert!(found.is_err(), "bit {bit} of {}", file.display());
            }
            fs::write(file, bytes).unwrap();
        }
        assert_eq!(examine(dir.path()).damages, []);
    }
}

#[tokio::test]
async fn all_damage_is_told_with_its_segment_its_place_and_whose_it_was() {
    let dir = closed(LARGER).await;
    let segments = files(dir.path(), "journal");
    let mut due = Vec::new();
    for (file, id) in [(0, 3), (0, 9), (1, 60)] {
        let path = &segments[file];
        let mut bytes = fs::read(path).unwrap();
        let (place, payload) = place_of(&bytes, id);
        bytes[payload + 2] ^= 1;
        fs::write(path, bytes).unwrap();
        due.push((path.clone(), place as u64, Some(format!("title-{}", id % 5)), false));
    }
    // The name is not readable any more: other events of the stream know it.
    let mut bytes = fs::read(&segments[0]).unwrap();
    let (place, _) = place_of(&bytes, 11);
    bytes[place + 96..place + 102].fill(0xff);
    fs::write(&segments[0], bytes).unwrap();
    due.insert(2, (segments[0].clone(), place as u64, Some("title-1".to_owned()), false));
    let found = examine(dir.path());
    let damages: Vec<_> = found
        .damages
        .iter()
        .map(|damage| (damage.file.clone(), damage.offset, damage.stream.clone(), damage.guessed))
        .collect();
    assert_eq!(damages, due);
    let partition = |stream: &str| {
        let name = StreamName::parse(stream).unwrap();
        PartitionCount::new(4).unwrap().partition_of(name.shard_key())
    };
    for damage in &found.damages {
        assert_eq!(damage.partition, damage.stream.as_deref().map(partition));
        let text = damage.to_string();
        assert!(text.contains(damage.stream.as_deref().unwrap()), "{text}");
    }
    assert_eq!((found.report.events, found.damages_left_off), (120, 0));
}

#[tokio::test]
async fn in_a_segment_that_is_not_sealed_whose_it_was_is_guessed() {
    let dir = TempDir::new().unwrap();
    let log = open_tuned(dir.path(), PartitionCount::new(4).unwrap(), LARGER);
    record(&log, "title-1", 0..1).await;
    record(&log, "title-2", 1..2).await;
    let file = &files(dir.path(), "journal")[0];
    let mut bytes = fs::read(file).unwrap();
    let (place, payload) = place_of(&bytes, 0);
    bytes[payload + 2] ^= 1;
    fs::write(file, bytes).unwrap();
    let found = examine(dir.path());
    let [damage] = &found.damages[..] else { panic!("{found:?}") };
    assert_eq!((damage.offset, damage.stream.as_deref()), (place as u64, Some("title-1")));
    assert!(damage.guessed && damage.to_string().contains("as far as it can be read"));
    let error = log.read_stream(&StreamName::parse("title-1").unwrap(), 0, 9).await.unwrap_err();
    let ReadError::Corrupt { reason, .. } = error else { panic!("{error}") };
    assert!(reason.contains("stream title-1"), "{reason}");
}

#[tokio::test]
async fn more_damage_than_can_be_told_is_counted() {
    let larger = Tuning { inline_maintenance: true, segment_bytes: 40_000, ..TINY };
    let dir = closed(larger).await;
    let log = open_tuned(dir.path(), PartitionCount::new(4).unwrap(), larger);
    for id in 120..1_000 {
        record(&log, &format!("title-{}", id % 5), id..id + 1).await;
    }
    log.close().await;
    drop(log);
    let mut rotten = 0;
    for file in files(dir.path(), "journal").iter().rev().skip(1) {
        let mut bytes = fs::read(file).unwrap();
        for id in 0..1_000 {
            let payload = format!("{{\"number\":{id}}}");
            let at = bytes.windows(payload.len()).position(|found| found == payload.as_bytes());
            if let Some(at) = at {
                bytes[at] ^= 1;
                rotten += 1;
            }
        }
        fs::write(file, bytes).unwrap();
    }
    let found = examine(dir.path());
    assert_eq!(found.damages.len(), DAMAGES_MAX);
    assert_eq!(found.damages_left_off + DAMAGES_MAX as u64, rotten);
}

#[tokio::test]
async fn a_missing_segment_and_a_lost_footer_are_told() {
    let dir = closed(TINY).await;
    let segments = files(dir.path(), "journal");
    let second = fs::read(&segments[1]).unwrap();
    fs::remove_file(&segments[1]).unwrap();
    let found = examine(dir.path());
    assert_eq!(found.damages[0].file, segments[2]);
    assert!(found.damages[0].reason.contains("one is missing"), "{found:?}");
    let mut lost = second.clone();
    let len = lost.len();
    lost[len - 100..].fill(0);
    fs::write(&segments[1], lost).unwrap();
    let found = examine(dir.path());
    assert_eq!(found.damages[0].file, segments[1]);
    assert!(found.damages[0].reason.contains("footer"), "{found:?}");
    fs::write(&segments[1], second).unwrap();
    assert_eq!(examine(dir.path()).damages, []);
}

/// A run only repeats what the segments say.
#[tokio::test]
async fn a_rotten_run_is_a_warning() {
    let dir = closed(TINY).await;
    let runs = files(dir.path(), "index");
    assert!(!runs.is_empty());
    for run in &runs {
        let bytes = fs::read(run).unwrap();
        for at in (0..bytes.len()).step_by(331).chain([bytes.len() - 1]) {
            let mut rotten = bytes.clone();
            rotten[at] ^= 8;
            fs::write(run, rotten).unwrap();
            let found = examine(dir.path());
            assert_eq!(found.damages, []);
            assert_eq!(found.warnings.len(), 1, "byte {at} of {}", run.display());
            assert!(found.warnings[0].contains("delete it"), "{found:?}");
        }
        fs::write(run, bytes).unwrap();
    }
    assert_eq!(examine(dir.path()).warnings, [""; 0]);
    // As the warning says.
    runs.iter().for_each(|run| fs::remove_file(run).unwrap());
    let log = EmbeddedLog::open_read_only(dir.path()).unwrap();
    assert_eq!(log.head().total(), 120);
}

/// Neither by those who read streams nor by those who repeat an append.
#[tokio::test]
async fn what_a_rotten_run_cannot_say_the_segments_say() {
    let dir = closed(TINY).await;
    let runs = files(dir.path(), "index");
    let sound: Vec<Vec<u8>> = runs.iter().map(|run| fs::read(run).unwrap()).collect();
    for step in [97, 331] {
        for (run, bytes) in runs.iter().zip(&sound) {
            let mut rotten = bytes.clone();
            // All its blocks, but not what is read when it is opened.
            (0..bytes.len() / 2).step_by(step).for_each(|at| rotten[at] ^= 8);
            fs::write(run, rotten).unwrap();
        }
        let log = EmbeddedLog::open_read_only(dir.path()).unwrap();
        assert_all_streams(&log).await;
    }
    let log = open_tuned(dir.path(), PartitionCount::new(4).unwrap(), TINY);
    for id in 0..120 {
        let again = append(&format!("title-{}", id % 5), Expected::NoStream, id..id + 1);
        let again = log.append(again).await.unwrap();
        assert!(again.replayed && u128::from(again.first_version) == id / 5, "{again:?}");
    }
    assert_all_streams(&log).await;
}

/// One entry block of a run after the other.
#[tokio::test]
async fn a_run_with_one_rotten_block_is_not_believed() {
    let dir = closed(TINY).await;
    for run in files(dir.path(), "index") {
        let bytes = fs::read(&run).unwrap();
        for block in 0..bytes.len() / 4_096 {
            let mut rotten = bytes.clone();
            rotten[block * 4_096 + 7] ^= 1;
            fs::write(&run, rotten).unwrap();
            let log = EmbeddedLog::open_read_only(dir.path()).unwrap();
            assert_all_streams(&log).await;
            assert_eq!(examine(dir.path()).warnings.len(), 1);
        }
        fs::write(&run, bytes).unwrap();
    }
}

async fn assert_all_streams(log: &EmbeddedLog) {
    for stream in 0..5 {
        let name = StreamName::parse(&format!("title-{stream}")).unwrap();
        let events = log.read_stream(&name, 0, 100).await.unwrap();
        assert_eq!(ids(&events), (stream..120).step_by(5).collect::<Vec<_>>());
    }
}

/// Numbers that no writer wrote, under a checksum that fits: whoever reads them may refuse, but
/// neither overflow nor ask for more memory than there is.
#[tokio::test]
async fn a_footer_with_a_forged_number_is_refused_whatever_it_claims() {
    const FOOTER_BYTES: usize = 272;
    for compress in [false, true] {
        let dir = closed(Tuning { compress, ..LARGER }).await;
        let file = &files(dir.path(), "journal")[0];
        let bytes = fs::read(file).unwrap();
        let footer = bytes.len() - FOOTER_BYTES;
        for at in (0..FOOTER_BYTES - 16).step_by(8) {
            let field = footer + at..footer + at + 8;
            let sound = u64::from_le_bytes(bytes[field.clone()].try_into().unwrap());
            for forged in [0, 1, sound + 1, 1 << 20, 1 << 31, 1 << 40, u64::MAX / 2, u64::MAX] {
                if forged == sound {
                    continue;
                }
                let mut rotten = bytes.clone();
                rotten[field.clone()].copy_from_slice(&forged.to_le_bytes());
                let end = bytes.len() - 12;
                let crc = crc32c::crc32c(&rotten[footer..end]);
                rotten[end..end + 4].copy_from_slice(&crc.to_le_bytes());
                fs::write(file, rotten).unwrap();
                let what = format!("{forged} at {at} of the footer, compressed: {compress}");
                assert!(embedded::verify(dir.path(), |_, _| {}).is_err(), "{what}");
                let Ok(log) = EmbeddedLog::open_read_only(dir.path()) else { continue };
                for stream in 0..5 {
                    let name = StreamName::parse(&format!("title-{stream}")).unwrap();
                    let read = log.read_stream(&name, 0, 100).await.unwrap_or_default();
                    let due: Vec<u128> = (stream..120).step_by(5).take(read.len()).collect();
                    assert_eq!(ids(&read), due, "{what}");
                }
            }
        }
    }
}
