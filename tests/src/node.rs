//! Programs in JavaScript, as client apps are.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A program of `tests/people` that runs; killed when dropped.
#[derive(Debug)]
pub struct Node {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Node {
    /// Begins a program. What it says on standard error is shown.
    pub fn run(script: &str, args: &[&str]) -> Self {
        let folder = folder();
        assert!(folder.join("node_modules").is_dir(), "run `make test`, which installs packages");
        // A package like the others, because distributions have older ones than these need.
        let mut node = Command::new(folder.join("node_modules/.bin/node"));
        node.arg(script).args(args).current_dir(folder);
        node.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = node.spawn().expect("node runs");
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, input, output }
    }

    /// Its next line.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Tells it something.
    pub fn tell(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    /// What it says until it ends, which it must do with status 0.
    #[track_caller]
    pub fn end(mut self) -> String {
        let mut told = String::new();
        self.output.read_to_string(&mut told).unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}\n{told}");
        told
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("people")
}
