//! Bytes of the engine's files that rot, and files that are cut: found, and never served.
//!
//! Every single bit of three files of 64 KiB is flipped, one at a time: of a segment that is not
//! sealed, of a sealed one with its index, and of a compressed one. Each must be found, and a log
//! that is open meanwhile must not serve it. The first may be found by opening, which reads every
//! record of it, or else by verifying; the others by verifying. After one flip in many everything is
//! tried: verify, open for appending, read in all ways.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::check::damage::{Damage, Flips};
use crate::check::snapshot::Snapshot;
use crate::disk::SimDisk;
use crate::disk::content::Content;
use crate::disk::tree::Tree;
use crate::engine::Engine;
use crate::subject::Violation;
use crate::workload::run::Runner;
use crate::workload::{Settings, Step, many};

/// The least size of each of the files.
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

/// Flips every bit of the first segment of a log.
fn flip_first(rot: &Rot, flips: Flips) -> Result<(), Violation> {
    let file = &rot.segments()[0];
    let len = rot.tree.at(file).map_or(0, Content::len);
    assert!((SEGMENT_BYTES..SEGMENT_BYTES + 8_192).contains(&len), "{len}");
    assert_eq!(rot.flip(file, flips)?, 8 * len);
    Ok(())
}

const EVERY_BIT: Flips = Flips { every: 1, open_first: false, all_ways_every: 503 };

#[test]
fn every_flipped_bit_of_an_unsealed_segment_is_found_and_not_served() -> Result<(), Violation> {
    let larger = Settings { segment_bytes: 68 << 10, ..SETTINGS };
    let rot = log(larger, 4_000, 16)?;
    assert_eq!(rot.segments().len(), 1);
    flip_first(&rot, Flips { open_first: true, ..EVERY_BIT })
}

#[test]
fn every_flipped_bit_of_a_sealed_segment_is_found_and_not_served() -> Result<(), Violation> {
    let rot = log(Settings { segment_bytes: 30 << 10, ..SETTINGS }, 3_500, 9)?;
    assert_eq!(rot.segments().len(), 2);
    flip_first(&rot, EVERY_BIT)
}

#[test]
fn every_flipped_bit_of_a_compressed_segment_is_found_and_not_served() -> Result<(), Violation> {
    let rot = log(Settings { segment_bytes: 76 << 10, compress: true, ..SETTINGS }, 18_000, 5)?;
    assert_eq!(rot.segments().len(), 2);
    flip_first(&rot, EVERY_BIT)
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
