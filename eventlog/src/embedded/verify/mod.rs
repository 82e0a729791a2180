//! Checks a whole log: every byte of every record, and that each index says what the records say.
//!
//! Sealed segments are checked beside each other, each for itself: what it takes from the segments
//! before it, its own index says. Whether the indexes agree with one another is found out by
//! merging them all, which also shows whether the runs are right. The segments that are not sealed
//! are read as an opening reads them.
//!
//! Memory: for each processor the index of one segment (about 150 bytes an event), and together
//! 64 MiB for merging.

mod across;
mod as_written;
mod sealed;
mod survey;
mod unsealed;
mod whose;

use std::path::Path;
use std::sync::Arc;

use self::survey::Survey;
use super::damage::Damage;
use super::disk::{Access, Disk, RealDisk};
use super::error::OpenError;
use super::journal::Journal;

/// So many damaged places are told; the others are counted.
pub const DAMAGES_MAX: usize = 100;

/// What a full check of a log found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifyReport {
    /// The number of segments.
    pub segments: u64,
    /// The number of events.
    pub events: u64,
    /// The number of appends that they came in.
    pub batches: u64,
    /// The position behind the last whole append, in bytes.
    pub bytes: u64,
    /// How many bytes follow it: left of appends that were never answered, or just being written.
    pub torn_tail_bytes: u64,
}

/// All that a full check of a log found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examination {
    /// What there is; of damaged segments, what they claim to hold.
    pub report: VerifyReport,
    /// What is not as it was written, in the order of positions; at most [`DAMAGES_MAX`].
    pub damages: Vec<Damage>,
    /// How many more there are.
    pub damages_left_off: u64,
    /// What is wrong and endangers nothing.
    pub warnings: Vec<String>,
}

/// Reads and checks the whole log in `dir` and changes nothing.
///
/// `progress` is called now and then with the bytes done and the bytes in total. Blocks as
/// [`super::EmbeddedLog::open`] does.
///
/// # Errors
/// See [`OpenError`]; damage is [`OpenError::Corrupt`], and names the first place.
pub fn verify(dir: &Path, progress: impl FnMut(u64, u64)) -> Result<VerifyReport, OpenError> {
    verify_on(Arc::new(RealDisk), dir, progress)
}

/// As [`verify`], on any disk.
///
/// # Errors
/// See [`OpenError`].
pub fn verify_on(
    disk: Arc<dyn Disk>,
    dir: &Path,
    progress: impl FnMut(u64, u64),
) -> Result<VerifyReport, OpenError> {
    let Examination { report, damages, .. } = examine_on(disk, dir, progress)?;
    damages.into_iter().next().map_or(Ok(report), |damage| Err(damage.into()))
}

/// As [`verify`], but goes on behind damage, and tells all of it.
///
/// # Errors
/// There is no log, it is too new, or the operating system refuses; and
/// [`OpenError::NotAJournal`] or [`OpenError::Corrupt`] if not even the first segment can be opened.
pub fn examine(dir: &Path, progress: impl FnMut(u64, u64)) -> Result<Examination, OpenError> {
    examine_on(Arc::new(RealDisk), dir, progress)
}

/// As [`examine`], on any disk.
///
/// # Errors
/// As [`examine`].
pub fn examine_on(
    disk: Arc<dyn Disk>,
    dir: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<Examination, OpenError> {
    let journal = Journal::find(disk, dir, Access::Read)?;
    let journal = Arc::new(journal.ok_or_else(|| OpenError::NotFound { dir: dir.to_owned() })?);
    let mut survey = Survey::take(journal)?;
    let total = survey.weight();
    let mut done: u64 = 0;
    let mut step = |bytes: u64| {
        done = total.min(done.saturating_add(bytes));
        progress(done, total);
    };
    sealed::check_all(&mut survey, &mut step)?;
    across::check(&mut survey, &mut step)?;
    unsealed::check(&mut survey, &mut step)?;
    progress(total, total);
    let Survey { report, mut flaws, warnings, .. } = survey;
    flaws.damages.sort_by_key(|damage| damage.position);
    let (damages, damages_left_off) = (flaws.damages, flaws.left_off);
    Ok(Examination { report, damages, damages_left_off, warnings })
}

/// Damaged places, up to a limit.
#[derive(Debug, Default)]
struct Flaws {
    damages: Vec<Damage>,
    left_off: u64,
}

impl Flaws {
    fn push(&mut self, damage: Damage) {
        if self.damages.len() < DAMAGES_MAX {
            self.damages.push(damage);
        } else {
            self.left_off += 1;
        }
    }

    fn extend(&mut self, other: Self) {
        other.damages.into_iter().for_each(|damage| self.push(damage));
        self.left_off += other.left_off;
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
