//! A private PostgreSQL instance, started from the programs that are installed.

use std::env;
use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, getuid, kill_process};

use crate::processes::{alive, children};

/// The database's superuser, whoever runs the server.
pub(super) const USER: &str = "rivals";
/// PostgreSQL refuses to run as root; this is `nobody` (and `nogroup`) on Debian.
const NOBODY: u32 = 65_534;
const START_TIMEOUT: Duration = Duration::from_secs(120);
const SETTINGS: [&str; 16] = [
    "listen_addresses=",
    "fsync=on",
    "synchronous_commit=on",
    "full_page_writes=on",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_connections=100",
    "shared_buffers=1GB",
    "wal_buffers=64MB",
    "min_wal_size=4GB",
    "max_wal_size=16GB",
    "checkpoint_timeout=1d",
    "autovacuum=off",
    "jit=off",
    "log_min_messages=fatal",
    "log_min_error_statement=panic",
];

/// A running instance.
#[derive(Debug)]
pub(super) struct Server {
    process: Child,
    socket_dir: PathBuf,
}

impl Server {
    /// Starts the instance whose data is in `dir/data`, and creates it if there is none.
    pub(super) fn start(dir: &Path) -> Result<Self> {
        fs::create_dir_all(dir)?;
        if getuid().is_root() {
            chown(dir, Some(NOBODY), Some(NOBODY)).with_context(|| format!("chown {dir:?}"))?;
        }
        let data = dir.join("data");
        if !data.join("PG_VERSION").exists() {
            let args = ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--username"];
            let mut initdb = command("initdb")?;
            initdb.args(args).arg(USER).arg("--pgdata").arg(&data).current_dir(dir);
            let made = initdb.stdout(Stdio::null()).status().context("initdb")?;
            ensure!(made.success(), "initdb ended with {made}");
        }
        let mut postgres = command("postgres")?;
        postgres.arg("-D").arg(&data).arg("-k").arg(dir).current_dir(dir);
        for setting in SETTINGS {
            postgres.args(["-c", setting]);
        }
        let process = postgres.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self { process: process.spawn().context("postgres")?, socket_dir: dir.to_owned() })
    }

    pub(super) fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Tries to connect until the server answers.
    pub(super) async fn connected<T, F>(&self, mut connect: impl FnMut() -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let since = Instant::now();
        loop {
            match connect().await {
                Ok(connected) => return Ok(connected),
                Err(error) if since.elapsed() > START_TIMEOUT => return Err(error),
                Err(_) => tokio::time::sleep(Duration::from_millis(2)).await,
            }
        }
    }

    /// Fast shutdown: a checkpoint, then the end.
    pub(super) fn stop(mut self) -> Result<()> {
        signal(self.pid(), Signal::INT)?;
        let ended = self.process.wait()?;
        ensure!(ended.success(), "postgres ended with {ended}");
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGQUIT ends it at once. It may have ended already.
        if let Ok(None) = self.process.try_wait() {
            let _ended = signal(self.pid(), Signal::QUIT).and_then(|()| Ok(self.process.wait()?));
        }
    }
}

/// Kills the server of the instance in `dir`, and waits until its other processes noticed.
///
/// # Errors
/// There is none, or it does not die.
pub(crate) fn kill(dir: &Path) -> Result<()> {
    let lock = fs::read_to_string(dir.join("data/postmaster.pid"))?;
    let pid: u32 = lock.lines().next().context("an empty postmaster.pid")?.trim().parse()?;
    let mut processes = children(pid);
    processes.push(pid);
    signal(pid, Signal::KILL)?;
    let since = Instant::now();
    while processes.iter().any(|process| alive(*process)) {
        ensure!(since.elapsed() < START_TIMEOUT, "processes of a killed server go on");
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn signal(pid: u32, signal: Signal) -> Result<()> {
    let pid = Pid::from_raw(i32::try_from(pid)?).context("process 0")?;
    Ok(kill_process(pid, signal)?)
}

/// The name and version of what is installed.
pub(crate) fn version() -> Result<String> {
    let told = Command::new(program("postgres")?).arg("--version").output()?;
    let told = String::from_utf8(told.stdout)?;
    let version = told.split_whitespace().nth(2).context("no version")?;
    Ok(format!("PostgreSQL {version}"))
}

/// The program, as a user that PostgreSQL accepts.
fn command(name: &str) -> Result<Command> {
    let program = program(name)?;
    if !getuid().is_root() {
        return Ok(Command::new(program));
    }
    let mut command = Command::new("setpriv");
    let id = NOBODY.to_string();
    command.args(["--reuid", &id, "--regid", &id, "--clear-groups"]).arg(program);
    Ok(command)
}

fn program(name: &str) -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut dirs: Vec<PathBuf> = env::split_paths(&path).collect();
    if let Ok(versions) = fs::read_dir("/usr/lib/postgresql") {
        let mut versions: Vec<PathBuf> = versions.flatten().map(|entry| entry.path()).collect();
        versions.sort();
        dirs.extend(versions.into_iter().rev().map(|version| version.join("bin")));
    }
    // Only where both programs are: the wrapper of one alone would mix versions.
    let both = |dir: &PathBuf| dir.join("initdb").exists() && dir.join("postgres").exists();
    match dirs.into_iter().find(both) {
        Some(dir) => Ok(dir.join(name)),
        None => bail!("no PostgreSQL: neither in PATH nor in /usr/lib/postgresql"),
    }
}
