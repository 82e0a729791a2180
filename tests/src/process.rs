//! The binary as a process.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// How long a server may take until it listens, on a machine under load.
const START_MAX: Duration = Duration::from_secs(120);

/// The `playhead` binary of this build; built first if it is not there or is old. The environment's
/// `BINARY` names another, such as one of before a change.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(given) = std::env::var_os("BINARY") {
            return PathBuf::from(given);
        }
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--package", "playhead-server", "--bin", "playhead"]);
        cargo.args(["--message-format", "json"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        let output = cargo.output().expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let messages = String::from_utf8(output.stdout).unwrap();
        let artifact = |line: &str| -> Option<PathBuf> {
            let message: Value = serde_json::from_str(line).ok()?;
            message["executable"].as_str().map(PathBuf::from)
        };
        messages.lines().find_map(artifact).expect("cargo names the binary")
    })
}

/// What a finished process left.
#[derive(Debug)]
pub struct Done {
    /// 0, 1 or 2; `None` if it was killed.
    pub status: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Done {
    /// Itself, if the status is 0.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.status, Some(0), "{}{}", self.stdout, self.stderr);
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A command of the binary on a data directory, with nothing of the environment's `PLAYHEAD_…`.
fn command(data: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(binary());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PLAYHEAD_") {
            command.env_remove(name);
        }
    }
    command.arg("--data").arg(data).args(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command of the binary to its end.
pub fn run(data: &Path, args: &[&str]) -> Done {
    let output = command(data, args).output().expect("the binary runs");
    Done {
        status: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A running `playhead serve` (or `demo`) on a free port; killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    own_dir: Option<TempDir>,
}

impl Server {
    /// Serves an empty data directory of its own.
    pub fn start() -> Self {
        let dir = TempDir::new().unwrap();
        let mut server = Self::serve(dir.path());
        server.own_dir = Some(dir);
        server
    }

    /// Serves a data directory.
    pub fn serve(data: &Path) -> Self {
        Self::spawn(data, &["serve", "--listen", "127.0.0.1:0"])
    }

    /// Runs any command that prints the URL it listens on.
    pub fn spawn(data: &Path, args: &[&str]) -> Self {
        let mut child = command(data, args).spawn().expect("the binary runs");
        let (tell, told) = mpsc::channel();
        let streams: [Box<dyn std::io::Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for stream in streams {
            let tell = tell.clone();
            // Reads to the end, so that the process never waits for a full pipe.
            thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let _nobody_waits = tell.send(line);
                }
            });
        }
        drop(tell);
        let mut seen = String::new();
        let url = loop {
            match told.recv_timeout(START_MAX) {
                Ok(line) => match url_in(&line) {
                    Some(url) => break url,
                    None => seen += &(line + "\n"),
                },
                Err(error) => {
                    child.kill().unwrap();
                    panic!("the server does not listen ({error}):\n{seen}");
                }
            }
        };
        Self { child, url, own_dir: None }
    }

    /// The data directory, if it is the server's own.
    pub fn dir(&self) -> &Path {
        self.own_dir.as_ref().expect("the directory belongs to the test").path()
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL: no farewell.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and how it ended.
    pub fn terminate(&mut self) -> ExitStatus {
        let pid = self.pid().to_string();
        let kill = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        assert!(kill.success());
        self.child.wait().unwrap()
    }

    /// Waits for the process to end by itself.
    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// The address in a line such as `listening on http://127.0.0.1:8480`.
fn url_in(line: &str) -> Option<String> {
    let from = line.find("http://")?;
    let rest = line.get(from..)?;
    let end = rest.rfind(|c: char| c.is_ascii_digit())?;
    let address: String = rest
        .get(..=end)?
        .chars()
        .enumerate()
        .take_while(|(at, c)| *at < 7 || c.is_ascii_digit() || ".:".contains(*c))
        .map(|(_, c)| c)
        .collect();
    Some(address)
}
