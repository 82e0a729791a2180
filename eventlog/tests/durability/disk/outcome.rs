//! What a crash can make of one change that was not synced.

use super::op::Op;
use super::tree::Tree;

/// What a disk writes whole or not at all, in bytes.
pub(crate) const SECTOR_BYTES: usize = 512;

/// A write is torn at every sector up to this many; longer ones at some.
const SECTORS_MAX: usize = 24;

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Kept,
    Lost,
    /// The file has its new size, but not the bytes: they are zero, or what was there before.
    SizeOnly,
    /// The bytes are there, as far as the old size reaches.
    SizeLost,
    /// Only the first sectors of a write are there, and the new size.
    First(usize),
    /// Only the first sectors are there, and the file ends behind them if it grew.
    FirstAndCut(usize),
    /// All but the first sectors are there.
    ButFirst(usize),
    /// Every other sector is there, beginning with the first.
    Even,
    /// Every other sector is there, beginning with the second.
    Odd,
}

/// Everything that can become of a change: kept first, lost second.
pub(crate) fn outcomes(op: &Op) -> Vec<Outcome> {
    let mut all = vec![Outcome::Kept, Outcome::Lost];
    match op {
        Op::Write { offset, bytes, len_before, .. } => {
            let end = offset + bytes.len();
            let grows = end > *len_before;
            if grows {
                all.push(Outcome::SizeOnly);
                if offset < len_before {
                    all.push(Outcome::SizeLost);
                }
            }
            if bytes.iter().all(|byte| *byte == 0) {
                // Nobody writes zeros but over zeros: torn is as kept or lost.
                return all;
            }
            let sectors = end.div_ceil(SECTOR_BYTES) - offset / SECTOR_BYTES;
            for cut in cuts(sectors) {
                all.extend([Outcome::First(cut), Outcome::ButFirst(cut)]);
                if grows {
                    all.push(Outcome::FirstAndCut(cut));
                }
            }
            if sectors > 2 {
                all.extend([Outcome::Even, Outcome::Odd]);
            }
        }
        Op::Allocate { .. } => all.push(Outcome::SizeOnly),
        _ => {}
    }
    all
}

/// Where to tear: everywhere, or near both ends and at even distances between.
fn cuts(sectors: usize) -> Vec<usize> {
    if sectors <= SECTORS_MAX {
        return (1..sectors).collect();
    }
    let step = sectors / (SECTORS_MAX / 2);
    (1..sectors).filter(|cut| *cut < 6 || cut + 6 > sectors || cut % step == 0).collect()
}

/// Puts into the tree what became of the change.
pub(crate) fn apply(tree: &mut Tree, op: &Op, outcome: Outcome) {
    if outcome == Outcome::Lost {
        return;
    }
    match op {
        Op::Create { path, inode } => {
            tree.names.insert(path.clone(), *inode);
            tree.file(*inode);
        }
        Op::Rename { from, to, inode } => {
            tree.names.remove(from);
            tree.names.insert(to.clone(), *inode);
            tree.file(*inode);
        }
        Op::Remove { path, .. } => {
            tree.names.remove(path);
        }
        Op::CreateDir { path } => {
            tree.dirs.insert(path.clone());
        }
        Op::Write { inode, offset, bytes, .. } => {
            write(tree, *inode, bytes, *offset, outcome);
        }
        Op::Allocate { inode, len, .. } => match outcome {
            Outcome::SizeOnly => tree.file(*inode).grow(*len),
            _ => tree.file(*inode).allocate(*len),
        },
        Op::SetLen { inode, len, .. } => {
            tree.file(*inode).cut(*len);
            tree.file(*inode).grow(*len);
        }
        Op::Sync { .. } | Op::SyncDir { .. } => {}
    }
}

fn write(tree: &mut Tree, inode: u64, bytes: &[u8], offset: usize, outcome: Outcome) {
    let end = offset + bytes.len();
    let file = tree.file(inode);
    let first = offset / SECTOR_BYTES;
    let kept = |nth: usize| match outcome {
        Outcome::First(cut) | Outcome::FirstAndCut(cut) => nth < cut,
        Outcome::ButFirst(cut) => nth >= cut,
        Outcome::Even => nth.is_multiple_of(2),
        Outcome::Odd => !nth.is_multiple_of(2),
        Outcome::SizeOnly => false,
        Outcome::Kept | Outcome::SizeLost | Outcome::Lost => true,
    };
    let size = match outcome {
        Outcome::SizeLost => file.len(),
        Outcome::FirstAndCut(cut) => file.len().max(end.min((first + cut) * SECTOR_BYTES)),
        _ => file.len().max(end),
    };
    file.grow(size);
    if outcome == Outcome::Kept {
        return file.write(bytes, offset);
    }
    for (nth, sector) in (first..end.div_ceil(SECTOR_BYTES)).enumerate() {
        let from = offset.max(sector * SECTOR_BYTES);
        let to = end.min((sector + 1) * SECTOR_BYTES).min(size);
        if kept(nth) && from < to {
            file.write(&bytes[from - offset..to - offset], from);
        }
    }
}
