//! Faults in the unmodified binary: system calls that fail or kill, and disks that are full.

use std::fs;
use std::io::{BufRead, BufReader, Write, stderr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::Server;

/// Says that a test was skipped, past the capture of the test runner.
pub fn skipped(test: &str, reason: &str) {
    let _nobody_reads = writeln!(stderr(), "skipped: {test}: {reason}");
}

/// What is to go wrong.
#[derive(Debug, Clone, Copy)]
pub struct Fault<'a> {
    /// The thread that it happens in: `eventlog-writer` or `eventlog-keeper`.
    pub thread: &'a str,
    /// The system calls, as strace names sets of them, such as `/^rename`.
    pub calls: &'a str,
    /// Only calls on this path, relative to the data directory, are counted; empty = all.
    pub path: &'a str,
    /// `signal=SIGKILL` or `error=EIO`, and `:when=` which of the calls.
    pub what: &'a str,
}

/// A fault in a running server, injected by strace(1).
#[derive(Debug)]
pub struct Tracer {
    strace: Child,
    log: PathBuf,
    _dir: TempDir,
}

impl Tracer {
    /// Why there can be none on this machine, if so.
    pub fn missing() -> Option<&'static str> {
        static MISSING: OnceLock<Option<String>> = OnceLock::new();
        let missing = MISSING.get_or_init(|| {
            let mut strace = Command::new("strace");
            // An injection in a child says whether strace is there, is allowed, and can do it.
            strace.args(["-qq", "-o", "/dev/null", "-e", "inject=fdatasync:error=EIO", "true"]);
            match strace.output() {
                Err(error) => Some(format!("strace does not run: {error}")),
                Ok(done) if done.status.success() => None,
                Ok(done) => Some(String::from_utf8_lossy(&done.stderr).trim().to_owned()),
            }
        });
        missing.as_deref()
    }

    /// Arms a fault in a server; from now on the calls count.
    pub fn attach(server: &Server, data: &Path, fault: Fault<'_>) -> Self {
        let dir = TempDir::new().unwrap();
        let log = dir.path().join("trace");
        let mut strace = Command::new("strace");
        strace.arg("-y").arg("-o").arg(&log);
        strace.args(["-e", &format!("trace={}", fault.calls)]);
        strace.args(["-e", &format!("inject={}:{}", fault.calls, fault.what)]);
        if !fault.path.is_empty() {
            strace.arg("-P").arg(data.join(fault.path));
        }
        strace.args(["-p", &thread_of(server, fault.thread)]);
        let mut strace = strace.stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(strace.stderr.take().unwrap()).lines();
        let attached = said.any(|line| line.unwrap().ends_with(" attached"));
        assert!(attached, "strace does not attach to {fault:?}");
        Self { strace, log, _dir: dir }
    }

    /// The calls that were made, a line each, once the server has ended.
    pub fn calls(mut self) -> Vec<String> {
        self.strace.wait().unwrap();
        fs::read_to_string(&self.log).unwrap().lines().map(str::to_owned).collect()
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.strace.kill();
        let _reaped = self.strace.wait();
    }
}

/// The id of the one thread of this name.
fn thread_of(server: &Server, name: &str) -> String {
    let tasks = fs::read_dir(format!("/proc/{}/task", server.pid())).unwrap();
    let named = |task: &PathBuf| {
        fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim_end() == name)
    };
    let thread = tasks.map(|task| task.unwrap().path()).find(named);
    let thread = thread.unwrap_or_else(|| panic!("the server has no thread {name}"));
    thread.file_name().unwrap().to_str().unwrap().to_owned()
}

/// A file system of its own, in memory, that is quickly full.
#[derive(Debug)]
pub struct SmallDisk {
    dir: TempDir,
}

impl SmallDisk {
    /// Mounts one.
    ///
    /// # Errors
    /// Why this machine does not allow it.
    pub fn mount(size: &str) -> Result<Self, String> {
        let dir = TempDir::new().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "playhead-test"]);
        match mount.arg(dir.path()).output() {
            Err(error) => Err(format!("mount does not run: {error}")),
            Ok(done) if done.status.success() => Ok(Self { dir }),
            Ok(done) => Err(String::from_utf8_lossy(&done.stderr).trim().to_owned()),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Takes all room that is left.
    pub fn fill(&self) {
        let mut ballast = fs::OpenOptions::new();
        let ballast = ballast.append(true).create(true).open(self.ballast());
        let mut ballast = ballast.unwrap();
        for size in [1 << 16, 1 << 12, 1] {
            while ballast.write(&vec![1; size]).is_ok_and(|written| written > 0) {}
        }
    }

    /// Gives it back.
    pub fn make_room(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, because somebody may still look at it.
        let _gone = Command::new("umount").arg("-l").arg(self.dir.path()).status();
    }
}
