//! Golden events: payloads that were once written, and must be read for ever.

use playhead_domain::codec::event_types;
use sha2::{Digest, Sha256};

use crate::codecs::round_trip;
use crate::files::{LOCK, golden_names, goldens, read, versions};

#[test]
fn every_version_has_at_least_two_goldens() {
    for version in versions() {
        assert!(goldens(&version).len() >= 2, "{version:?}");
    }
}

#[test]
fn a_golden_of_any_version_is_read() {
    for version in versions() {
        for golden in goldens(&version) {
            let read = round_trip(&version.0, version.1, &golden);
            assert!(read.is_ok(), "{version:?} {golden}: {read:?}");
        }
    }
}

#[test]
fn a_golden_of_the_current_version_is_written_as_it_was_read() {
    for of in event_types() {
        for golden in goldens(&(of.name.to_owned(), of.version)) {
            assert_eq!(round_trip(of.name, of.version, &golden).unwrap(), golden, "{of:?}");
        }
    }
}

/// The lock file: the name of each golden file and its SHA-256 in hexadecimal, in the order of the
/// lines.
fn lock() -> Vec<(String, String)> {
    let text = String::from_utf8(read(LOCK)).unwrap();
    let line = |line: &str| {
        let (hash, name) = line.split_once("  ").unwrap_or_else(|| panic!("{LOCK}: {line:?}"));
        (name.to_owned(), hash.to_owned())
    };
    text.lines().map(line).collect()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_golden_never_changes_or_vanishes() {
    let there = golden_names();
    for (name, hash) in lock() {
        assert!(
            there.contains(&name),
            "{name} vanished. Events like it are in logs for ever: bring the file back."
        );
        assert_eq!(
            sha256(&read(&name)),
            hash,
            "{name} changed. Golden events are never regenerated: restore the file, raise the \
             type's version, write an upcast, and add a golden file of the new version."
        );
    }
}

#[test]
fn every_golden_is_locked() {
    let locked: Vec<_> = lock().into_iter().map(|(name, _)| name).collect();
    for name in golden_names() {
        let line = format!("{}  {name}", sha256(&read(&name)));
        assert!(locked.contains(&name), "add the new golden file to {LOCK}, sorted:\n{line}");
    }
}

#[test]
fn the_lock_is_sorted_and_names_each_file_once() {
    let names: Vec<_> = lock().into_iter().map(|(name, _)| name).collect();
    assert!(names.is_sorted_by(|one, next| one < next), "{names:?}");
}
