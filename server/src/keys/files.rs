//! Secrets in files of the directory `DATA/keys`, readable by their owner only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;
use rand::TryRngCore;
use rand::rngs::OsRng;

use crate::failure::Advise;
use crate::store;

/// The directory of the keys of a data directory; made if it is not there.
///
/// # Errors
/// It cannot be made.
pub fn directory(data: &Path) -> anyhow::Result<PathBuf> {
    let dir = data.join("keys");
    let made = fs::create_dir_all(data)
        .and_then(|()| fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir));
    let advice = made.as_ref().err().and_then(|error| store::directory_advice(data, error));
    let made = made.with_context(|| format!("creating {} failed", dir.display()));
    match advice {
        Some(advice) => made.advise(|| advice)?,
        None => made?,
    }
    Ok(dir)
}

/// The text of a file; `None` if there is none.
pub(super) fn read(file: &Path) -> anyhow::Result<Option<String>> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| context("reading", file)),
    }
}

/// The text of a file. If there is none, it is made whole or not at all, and if two processes do so
/// at the same time, both get the same one.
pub(super) fn read_or_make(
    file: &Path,
    make: impl FnOnce() -> anyhow::Result<String>,
) -> anyhow::Result<String> {
    if let Some(text) = read(file)? {
        return Ok(text);
    }
    let draft = draft(file);
    let text = make()?;
    write_durably(&draft, &text).with_context(|| context("making", file))?;
    let linked = fs::hard_link(&draft, file);
    fs::remove_file(&draft).with_context(|| context("making", file))?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        other => other.with_context(|| context("making", file))?,
    }
    sync_directory(file)?;
    fs::read_to_string(file).with_context(|| context("reading", file))
}

/// Puts another text into the place of a file, whole or not at all.
pub(super) fn replace(file: &Path, text: &str) -> anyhow::Result<()> {
    let draft = draft(file);
    write_durably(&draft, text).with_context(|| context("writing", file))?;
    rename(&draft, file)
}

/// Moves a file, durably.
pub(super) fn rename(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::rename(from, to).with_context(|| context("replacing", to))?;
    sync_directory(to)
}

/// Makes a change of names durable.
pub(super) fn sync_directory(file: &Path) -> anyhow::Result<()> {
    let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(dir).and_then(|dir| dir.sync_all()).with_context(|| context("syncing", dir))
}

fn draft(file: &Path) -> PathBuf {
    file.with_extension(format!("new-{}", std::process::id()))
}

fn context(what: &str, file: &Path) -> String {
    format!("{what} {} failed", file.display())
}

fn write_durably(file: &Path, text: &str) -> io::Result<()> {
    let mut made =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file)?;
    made.write_all(text.as_bytes())?;
    made.sync_all()
}

/// 32 random bytes in hexadecimal digits, and the end of the line.
pub(super) fn random_line() -> anyhow::Result<String> {
    let mut bytes = [0; 32];
    OsRng.try_fill_bytes(&mut bytes).context("the operating system gave no random bytes")?;
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(digits + "\n")
}
