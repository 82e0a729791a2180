//! What the disk does alone, and how to make it forget.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use rustix::fs::{Advice, FallocateFlags, fadvise, fallocate, sync};

const SYNCS: u64 = 200;
const MIB: usize = 1 << 20;
const SEQUENTIAL_MIB: usize = 512;

/// What a file was before it is written to: it decides what a sync has to write besides the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    /// Empty: each sync writes the new length.
    Empty,
    /// Allocated with fallocate(2): each sync writes which blocks are in use now.
    Allocated,
    /// Full of zeroes: a sync writes nothing else.
    Written,
}

/// The mean time of a write of `bytes` and an fdatasync, one behind the other, in microseconds.
///
/// # Errors
/// The disk refused.
pub(crate) fn sync_us(dir: &Path, bytes: usize, before: Before) -> Result<f64> {
    let path = dir.join("fdatasync");
    let file = File::create(&path)?;
    let block = vec![1; bytes];
    match before {
        Before::Empty => {}
        Before::Allocated => {
            fallocate(&file, FallocateFlags::empty(), 0, SYNCS * bytes as u64)?;
        }
        Before::Written => {
            let zeroes = vec![0; bytes];
            (0..SYNCS).try_for_each(|nth| file.write_all_at(&zeroes, nth * bytes as u64))?;
        }
    }
    file.sync_all()?;
    let since = Instant::now();
    for nth in 0..SYNCS {
        file.write_all_at(&block, nth * bytes as u64)?;
        file.sync_data()?;
    }
    let elapsed = since.elapsed();
    fs::remove_file(path)?;
    Ok(elapsed.as_secs_f64() * 1e6 / SYNCS as f64)
}

/// How fast a file is written from its beginning to its end, with one fdatasync, in MB a second.
///
/// # Errors
/// The disk refused.
pub(crate) fn sequential_mb_per_s(dir: &Path) -> Result<f64> {
    let path = dir.join("sequential");
    let mut file = File::create(&path)?;
    let block = vec![1; MIB];
    let since = Instant::now();
    for _ in 0..SEQUENTIAL_MIB {
        file.write_all(&block)?;
    }
    file.sync_data()?;
    let elapsed = since.elapsed();
    fs::remove_file(path)?;
    Ok((SEQUENTIAL_MIB * MIB) as f64 / 1e6 / elapsed.as_secs_f64())
}

/// Lets everything that waits to be written be written, so that nobody pays for another.
pub(crate) fn settle() {
    sync();
}

/// Makes the kernel forget what it keeps of the files in a directory, or of all files if it may.
///
/// # Errors
/// A file could not be opened.
pub(crate) fn forget(dir: &Path) -> Result<()> {
    sync();
    let everything = OpenOptions::new().write(true).open("/proc/sys/vm/drop_caches");
    if everything.and_then(|mut file| file.write_all(b"3")).is_ok() {
        return Ok(());
    }
    forget_files(dir)
}

fn forget_files(dir: &Path) -> Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            forget_files(&entry.path())?;
        } else if kind.is_file() {
            fadvise(File::open(entry.path())?, 0, None, Advice::DontNeed)?;
        }
    }
    Ok(())
}

/// The bytes of all files in a directory, in MB.
///
/// # Errors
/// A directory could not be read.
pub(crate) fn size_mb(dir: &Path) -> Result<f64> {
    use std::os::unix::fs::MetadataExt as _;
    let mut size = 0.0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        // What is allocated, not how long it is: some stores make their files longer beforehand.
        let own = metadata.blocks() as f64 * 512.0 / 1e6;
        size += if metadata.is_dir() { size_mb(&entry.path())? } else { own };
    }
    Ok(size)
}
