//! What `/proc` says of processes (proc_pid_stat(5), proc_pid_smaps(5)).

use std::fs;

use anyhow::{Context as _, Result};

/// The processes whose parent this is.
#[must_use]
pub(crate) fn children(parent: u32) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| stat(*pid).is_some_and(|(_, of)| of == parent)).collect()
}

/// Whether the process runs; one that only waits to be reaped does not.
#[must_use]
pub(crate) fn alive(pid: u32) -> bool {
    stat(pid).is_some_and(|(state, _)| !matches!(state, 'Z' | 'X'))
}

/// The state and the parent of a process.
fn stat(pid: u32) -> Option<(char, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before the last bracket may hold anything.
    let (_, behind_name) = stat.rsplit_once(')')?;
    let mut fields = behind_name.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

/// The resident memory of this process, or of that server and its processes, in MB (10^6 bytes);
/// memory that several processes share counts once.
///
/// # Errors
/// There is no such process.
pub(crate) fn resident_mb(server: Option<u32>) -> Result<f64> {
    let Some(server) = server else { return kib("/proc/self/status", "VmRSS:") };
    let mut all = kib(&format!("/proc/{server}/smaps_rollup"), "Pss:")?;
    for child in children(server) {
        // One that ended just now holds nothing.
        all += kib(&format!("/proc/{child}/smaps_rollup"), "Pss:").unwrap_or_default();
    }
    Ok(all)
}

/// The most memory that this process ever had, in MB.
///
/// # Errors
/// `/proc` is not there.
pub(crate) fn peak_mb() -> Result<f64> {
    kib("/proc/self/status", "VmHWM:")
}

/// A field that is given in KiB, in MB.
fn kib(path: &str, field: &str) -> Result<f64> {
    let text = fs::read_to_string(path).with_context(|| path.to_owned())?;
    let value = text.lines().find_map(|line| line.strip_prefix(field));
    let value = value.and_then(|value| value.trim().strip_suffix("kB"));
    let kib: f64 = value.with_context(|| format!("no {field} in {path}"))?.trim().parse()?;
    Ok(kib * 1_024.0 / 1e6)
}
