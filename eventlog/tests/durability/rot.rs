//! Bytes of the engine's files that rot, and files that are cut: found, and never served.
//!
//! Every single bit of a whole 64 KiB segment that is not sealed is flipped, one at a time, and must
//! be found by opening, which reads every record, or else by verifying. Of sealed segments, whose
//! records an opening does not read, it is every 29th bit (29 and 8 share no divisor, so all bits of
//! bytes have their turn), and all of them in a test that is not part of the usual run. After one
//! flip in many everything is tried: verify, open, read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::check::damage::{Damage, Flips};
use crate::check::snapshot::Snapshot;
use crate::disk::SimDisk;
use crate::disk::tree::Tree;
use crate::engine::Engine;
use crate::subject::Violation;
use crate::workload::run::Runner;
use crate::workload::{Settings, Step, many};

/// Where a segment ends. Its index comes on top.
const SEGMENT_BYTES: usize = 64 << 10;

const SETTINGS: Settings =
    Settings { segment_bytes: 64 << 10, allocate_bytes: 64 << 10, ..Settings::SMALL };

struct Rot {
    settings: Settings,
    tree: Tree,
    whole: Snapshot,
}

/// A log with events of so many bytes; closed.
fn log(settings: Settings, bytes: usize, events: usize) -> Result<Rot, Violation> {
    let disk = SimDisk::new();
    let mut runner = Runner::idle(&Engine::SOUND, settings, &disk);
    runner.reopen()?;
    (0..events).try_for_each(|nth| runner.step(&Step::Append(many(nth % 5, 1, bytes))))?;
    let whole = Snapshot::take(runner.log(), &BTreeSet::new())?;
    drop(runner);
    Ok(Rot { settings, tree: disk.tree(), whole })
}

impl Rot {
    /// The segments, in order.
    fn segments(&self) -> Vec<PathBuf> {
        let names = self.tree.names.keys();
        names.filter(|path| path.extension().is_some_and(|it| it == "seg")).cloned().collect()
    }

    fn of<'a>(&'a self, file: &'a Path) -> Damage<'a> {
        let Self { settings, tree, whole } = self;
        Damage { subject: &Engine::SOUND, settings: *settings, tree, file, whole }
    }

    /// Flips bits on all processors.
    fn flip(&self, file: &Path, flips: Flips) -> Result<usize, Violation> {
        let begun = Instant::now();
        let count = self.of(file).flip_all(flips)?;
        println!("{count} bits of {}: {:?}", file.display(), begun.elapsed());
        Ok(count)
    }
}

#[test]
fn every_flipped_bit_of_an_active_segment_is_found() -> Result<(), Violation> {
    let rot = log(SETTINGS, 1_500, 39)?;
    let segments = rot.segments();
    assert_eq!(segments.len(), 1);
    let flips = Flips { every: 1, open_first: true, all_ways_every: 211 };
    let flipped = rot.flip(&segments[0], flips)?;
    assert!((8 * 62_000..=8 * SEGMENT_BYTES).contains(&flipped), "{flipped}");
    Ok(())
}

/// A sealed segment of 64 KiB with its index, and a small compressed one.
fn flip_sealed(every: usize) -> Result<usize, Violation> {
    let flips = Flips { every, open_first: false, all_ways_every: 31 };
    let plain = log(SETTINGS, 1_500, 45)?;
    let packed = log(Settings { segment_bytes: 4_096, compress: true, ..SETTINGS }, 300, 16)?;
    Ok(plain.flip(&plain.segments()[0], flips)? + packed.flip(&packed.segments()[0], flips)?)
}

#[test]
fn flipped_bits_of_sealed_segments_and_their_indexes_are_found() -> Result<(), Violation> {
    let flipped = flip_sealed(29)?;
    assert!(flipped > 8 * SEGMENT_BYTES / 29, "{flipped}");
    Ok(())
}

#[test]
#[ignore = "make crash: takes minutes; what it flips is sampled above"]
fn every_flipped_bit_of_sealed_segments_is_found() -> Result<(), Violation> {
    let flipped = flip_sealed(1)?;
    assert!(flipped > 8 * SEGMENT_BYTES, "{flipped}");
    Ok(())
}

#[test]
fn a_segment_cut_anywhere_is_recovered_or_reported() -> Result<(), Violation> {
    let small = Settings { segment_bytes: 4_096, allocate_bytes: 1_000, ..SETTINGS };
    for settings in [small, Settings { compress: true, ..small }] {
        let rot = log(settings, 300, 20)?;
        let segments = rot.segments();
        for (nth, file) in segments.iter().enumerate() {
            let is_last = nth + 1 == segments.len();
            let cut = rot.of(file).cut_each(|len| is_last || len % 7 == 0)?;
            println!("{cut} cuts of {}", file.display());
        }
    }
    Ok(())
}
