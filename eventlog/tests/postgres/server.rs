//! A PostgreSQL server of the tests' own.
//!
//! It lives in a temporary directory, listens on a socket there and on no network address (so its
//! port is free whatever runs beside it), and ends with the test process: a shell waits for the end
//! of its input, which comes when that process ends in whatever way, then stops the server and
//! removes the directory.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};

/// Only part of the socket's name.
pub(crate) const PORT: u16 = 5432;

/// What the shell does. `$1` is where the programs are, `$2` the directory.
const GUARD: &str = r#"
trap '' HUP INT PIPE TERM
"$1/initdb" --pgdata "$2/data" --username playhead --auth trust --encoding UTF8 --locale C \
    >"$2/initdb.log" 2>&1 || { cat "$2/initdb.log"; exit 1; }
cat >>"$2/data/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$2'
max_connections = 500
shared_buffers = 64MB
fsync = on
CONF
"$1/pg_ctl" --pgdata "$2/data" --log "$2/server.log" --wait start >"$2/start.log" 2>&1 \
    || { cat "$2/start.log" "$2/server.log"; exit 1; }
echo started
read -r _
"$1/pg_ctl" --pgdata "$2/data" --mode immediate stop >"$2/stop.log" 2>&1
rm -rf "$2"
"#;

pub(crate) struct Server {
    programs: PathBuf,
    dir: PathBuf,
    databases: AtomicU32,
    /// The shell, which ends the server when this handle, and with it the shell's input, is closed.
    guard: Child,
}

impl Server {
    /// The one that all tests share which do not harm it.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    pub(crate) fn start() -> Self {
        let programs = programs();
        let dir = tempfile::Builder::new().prefix("playhead-postgres-").tempdir().unwrap().keep();
        // Whoever gets to the socket is let in, so nobody else may.
        fs::set_permissions(&dir, Permissions::from_mode(0o700)).unwrap();
        let mut guard = as_ordinary_user(&dir, "sh")
            .args(["-c", GUARD, "guard"])
            .args([&programs, &dir])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell starts");
        let mut said = BufReader::new(guard.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        if line != "started\n" {
            said.read_to_string(&mut line).unwrap();
            panic!("PostgreSQL did not start:\n{line}");
        }
        Self { programs, dir, databases: AtomicU32::new(0), guard }
    }

    /// The address of a new, empty database.
    pub(crate) async fn database(&self) -> String {
        self.database_as("ENCODING 'UTF8'").await
    }

    pub(crate) async fn database_as(&self, options: &str) -> String {
        let name = format!("log_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let create = format!("CREATE DATABASE {name} {options} TEMPLATE template0");
        let mut connection = connect(&self.address("postgres")).await;
        connection.execute(AssertSqlSafe(create)).await.expect("the database is new");
        self.address(&name)
    }

    pub(crate) fn address(&self, database: &str) -> String {
        let socket = self.dir.display();
        format!("postgres:///{database}?host={socket}&port={PORT}&user=playhead")
    }

    /// The directory of its socket.
    pub(crate) fn socket(&self) -> &Path {
        &self.dir
    }

    /// As after a power cut: nothing is flushed, every connection breaks.
    pub(crate) fn crash_and_restart(&self) {
        let data = self.dir.join("data");
        let log = self.dir.join("server.log");
        let restarted = as_ordinary_user(&self.dir, self.programs.join("pg_ctl"))
            .args(["--mode", "immediate", "--wait", "restart", "--pgdata"])
            .arg(data)
            .arg("--log")
            .arg(log)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status();
        assert!(restarted.expect("pg_ctl runs").success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ended = self.guard.wait();
    }
}

pub(crate) async fn connect(address: &str) -> PgConnection {
    PgConnection::connect(address).await.expect("the server runs")
}

/// Where `initdb` and `pg_ctl` are: on the path, or where Debian puts them.
fn programs() -> PathBuf {
    let of_path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&of_path).collect();
    if let Ok(versions) = fs::read_dir("/usr/lib/postgresql") {
        places.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    let whole = |place: &PathBuf| {
        ["initdb", "pg_ctl", "postgres"].iter().all(|program| place.join(program).is_file())
    };
    places.into_iter().find(whole).expect(
        "these tests need PostgreSQL, and there is no initdb on the path or under \
         /usr/lib/postgresql; `make test` installs it",
    )
}

/// A command that may use the directory and is not run by root, which PostgreSQL refuses.
fn as_ordinary_user(dir: &Path, program: impl AsRef<std::ffi::OsStr>) -> Command {
    // Who made the directory is who we are, or who it was given to below.
    let id = |which| {
        let output = Command::new("id").args([which, "nobody"]).output().expect("id runs");
        let text = String::from_utf8(output.stdout).unwrap();
        text.trim().parse::<u32>().expect("there is a user called nobody")
    };
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let mut command = if is_root {
        let (user, group) = (id("-u"), id("-g"));
        chown(dir, Some(user), Some(group)).unwrap();
        let mut command = Command::new("setpriv");
        command.arg(format!("--reuid={user}")).arg(format!("--regid={group}"));
        command.arg("--clear-groups").arg(program);
        command
    } else {
        Command::new(program)
    };
    // The directory that the tests run in may be closed to that user.
    command.current_dir(dir).env_remove("PGDATA").env_remove("PGOPTIONS");
    command
}
