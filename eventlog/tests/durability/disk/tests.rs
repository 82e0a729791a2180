//! The simulated disk forgets exactly what it may.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use playhead_eventlog::embedded::disk::{Access, Disk, DiskFile};

use super::SimDisk;
use super::crash::Crashes;
use super::faults::Call;
use super::op::SyncEnd;
use super::tree::Tree;

const FILE: &str = "/file";

fn path() -> &'static Path {
    Path::new(FILE)
}

/// A disk with one durable, empty file.
fn with_file() -> (SimDisk, Arc<dyn DiskFile>) {
    let disk = SimDisk::new();
    let file = disk.create(path()).unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
    (disk, file)
}

/// Every state that a crash now can leave.
fn states(disk: &SimDisk) -> Vec<Tree> {
    let (start, ops) = disk.history();
    let mut crashes = Crashes::new(&start, &ops);
    crashes.after(ops.len(), 100_000, 0).map(|state| state.tree).collect()
}

/// What can be in the file then; `None` if it can be missing.
fn contents(disk: &SimDisk) -> BTreeSet<Option<Vec<u8>>> {
    states(disk).iter().map(|tree| tree.at(path()).map(super::content::Content::bytes)).collect()
}

fn only(bytes: &[u8]) -> BTreeSet<Option<Vec<u8>>> {
    BTreeSet::from([Some(bytes.to_vec())])
}

fn read(file: &dyn DiskFile) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
    file.read_at(&mut bytes, 0).unwrap();
    bytes
}

#[test]
fn what_was_synced_stays() {
    let (disk, file) = with_file();
    file.write_at(b"abc", 0).unwrap();
    file.sync().unwrap();
    assert_eq!(contents(&disk), only(b"abc"));
}

#[test]
fn a_small_write_is_kept_lost_or_leaves_its_size() {
    let (disk, file) = with_file();
    file.write_at(b"abc", 0).unwrap();
    let due = [&b""[..], b"\0\0\0", b"abc"].map(|bytes| Some(bytes.to_vec()));
    assert_eq!(contents(&disk), BTreeSet::from(due));
}

#[test]
fn a_write_within_the_file_changes_whole_sectors_or_nothing() {
    let (disk, file) = with_file();
    file.write_at(&[1; 1536], 0).unwrap();
    file.sync().unwrap();
    file.write_at(&[2; 1024], 256).unwrap();
    for content in contents(&disk) {
        let content = content.unwrap();
        assert_eq!((content.len(), content[0], content[1535]), (1536, 1, 1));
        for sector in [&content[256..512], &content[512..1024], &content[1024..1280]] {
            assert!(sector.iter().all(|byte| *byte == sector[0]), "{sector:?}");
        }
    }
    // Three sectors, each old or new.
    assert_eq!(contents(&disk).len(), 8);
}

#[test]
fn writes_that_were_not_synced_may_change_their_order() {
    let (disk, file) = with_file();
    file.allocate(1024).unwrap();
    file.sync().unwrap();
    file.write_at(&[1], 0).unwrap();
    file.write_at(&[2], 512).unwrap();
    let found: BTreeSet<_> =
        contents(&disk).into_iter().flatten().map(|bytes| (bytes[0], bytes[512])).collect();
    assert_eq!(found, BTreeSet::from([(0, 0), (0, 2), (1, 0), (1, 2)]));
}

#[test]
fn a_name_is_durable_once_its_directory_was_synced() {
    let disk = SimDisk::new();
    let file = disk.create(path()).unwrap();
    file.write_at(b"abc", 0).unwrap();
    file.sync().unwrap();
    assert_eq!(contents(&disk), BTreeSet::from([None, Some(b"abc".to_vec())]));
    disk.sync_dir(Path::new("/")).unwrap();
    assert_eq!(contents(&disk), only(b"abc"));
    disk.remove(path()).unwrap();
    assert_eq!(contents(&disk), BTreeSet::from([None, Some(b"abc".to_vec())]));
}

#[test]
fn a_rename_happens_whole_or_not_at_all() {
    let (disk, file) = with_file();
    file.write_at(b"old", 0).unwrap();
    file.sync().unwrap();
    let other = Path::new("/other");
    let new = disk.create(other).unwrap();
    new.write_at(b"new", 0).unwrap();
    new.sync().unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
    disk.rename(other, path()).unwrap();
    let found: BTreeSet<_> = states(&disk)
        .iter()
        .map(|tree| (tree.at(path()).unwrap().bytes(), tree.at(other).is_some()))
        .collect();
    assert_eq!(found, BTreeSet::from([(b"old".to_vec(), true), (b"new".to_vec(), false)]));
}

#[test]
fn what_is_in_a_lost_directory_is_lost() {
    let disk = SimDisk::new();
    let dir = Path::new("/dir");
    disk.create_dir(dir).unwrap();
    disk.create(&dir.join("file")).unwrap();
    disk.sync_dir(dir).unwrap();
    let found: BTreeSet<_> =
        states(&disk).iter().map(|tree| (tree.dirs.len(), tree.names.len())).collect();
    assert_eq!(found, BTreeSet::from([(1, 0), (2, 1)]));
}

#[test]
fn a_cut_file_does_not_get_its_old_bytes_back_by_growing() {
    let (disk, file) = with_file();
    file.write_at(&[7; 5000], 0).unwrap();
    file.set_len(10).unwrap();
    file.set_len(6000).unwrap();
    let bytes = read(&*file);
    assert!(bytes[..10].iter().all(|byte| *byte == 7) && bytes[10..].iter().all(|b| *b == 0));
    file.sync().unwrap();
    assert_eq!(contents(&disk), only(&bytes));
}

#[test]
fn a_failed_sync_leaves_what_no_later_sync_makes_durable() {
    let (disk, file) = with_file();
    file.write_at(b"abc", 0).unwrap();
    disk.with_faults(|faults| faults.fail_sync(0, SyncEnd::FailedKeeping));
    file.sync().unwrap_err();
    assert_eq!(read(&*file), b"abc");
    file.sync().unwrap();
    assert!(contents(&disk).len() > 1);
    file.write_at(b"abc", 0).unwrap();
    file.sync().unwrap();
    assert_eq!(contents(&disk), only(b"abc"));
}

#[test]
fn a_failed_sync_may_drop_what_was_written() {
    let (disk, file) = with_file();
    file.write_at(b"abc", 0).unwrap();
    file.sync().unwrap();
    file.write_at(b"xyz", 0).unwrap();
    disk.with_faults(|faults| faults.fail_sync(0, SyncEnd::FailedDropping));
    file.sync().unwrap_err();
    assert_eq!(read(&*file), b"abc");
    assert_eq!(contents(&disk), only(b"abc"));
}

#[test]
fn a_full_disk_takes_what_it_has_room_for() {
    let (disk, file) = with_file();
    file.allocate(10).unwrap();
    disk.with_faults(|faults| faults.capacity = Some(15));
    file.write_at(&[1; 10], 0).unwrap();
    let full = file.write_at(&[2; 10], 10).unwrap_err();
    assert_eq!((full.kind(), read(&*file).len()), (ErrorKind::StorageFull, 15));
    assert_eq!(disk.create(Path::new("/more")).unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(file.allocate(20).unwrap_err().kind(), ErrorKind::StorageFull);
    file.set_len(5).unwrap();
    assert_eq!(disk.used(), 5);
    disk.create(Path::new("/more")).unwrap();
}

#[test]
fn one_call_fails_and_the_next_does_not() {
    let (disk, file) = with_file();
    disk.with_faults(|faults| faults.fail(Call::Write, 1));
    file.write_at(b"a", 0).unwrap();
    file.write_at(b"bbbb", 1).unwrap_err();
    assert_eq!(read(&*file), b"abb");
    file.write_at(b"c", 3).unwrap();
    disk.with_faults(|faults| faults.fail(Call::Read, 0));
    file.read_at(&mut [0], 0).unwrap_err();
    file.read_at(&mut [0], 0).unwrap();
}

#[test]
fn bytes_rot_without_a_trace() {
    let (disk, file) = with_file();
    file.write_at(b"abc", 0).unwrap();
    let step = disk.step();
    disk.flip(path(), 1, 1);
    assert_eq!((read(&*file), disk.step()), (b"acc".to_vec(), step));
}

#[test]
fn a_killed_process_leaves_what_it_wrote_and_no_lock() {
    let (disk, file) = with_file();
    file.write_at(b"abc", 0).unwrap();
    assert!(file.try_lock().unwrap());
    let left = disk.killed();
    let file = left.open(path(), Access::Write).unwrap();
    assert!(file.try_lock().unwrap());
    assert_eq!(read(&*file), b"abc");
}

#[test]
fn a_lock_ends_with_its_opening() {
    let (disk, file) = with_file();
    assert!(file.try_lock().unwrap() && file.try_lock().unwrap());
    let other = disk.open(path(), Access::Write).unwrap();
    assert!(!other.try_lock().unwrap());
    drop(file);
    assert!(other.try_lock().unwrap());
}

#[test]
fn a_call_waits_at_a_gate() {
    let (disk, file) = with_file();
    let gate = disk.hold_behind(Call::Write, 1);
    let writer = thread::spawn(move || {
        file.write_at(b"a", 0).unwrap();
        file.write_at(b"b", 1).unwrap();
    });
    gate.reached(|| false);
    assert_eq!(disk.tree().at(path()).unwrap().bytes(), b"a");
    drop(gate);
    writer.join().unwrap();
    assert_eq!(disk.tree().at(path()).unwrap().bytes(), b"ab");
}
