//! A server with all films, which tells how long it takes over each request.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use playhead_tests::{Client, Household, binary, film_ids, run};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::latency::Latencies;

/// No limits on how often one asks, a territory for everybody, and a log line for each request.
const SETTINGS: &str = r#"
log = "warn,playhead_server::requests=debug"
log_format = "json"
default_territory = "AT"
api_calls_per_device = 0
api_calls_per_user = 0
playback_starts_per_user = 0
registrations_per_address = 0
searches_per_address = 0
searches_per_user = 0
"#;
/// How far into a film the viewers are: far enough to go on with it.
const POSITION_MS: u64 = 600_000;
const POLL: Duration = Duration::from_millis(1);

/// A running server, killed when dropped.
pub(crate) struct Site {
    child: Child,
    pub(crate) url: String,
    pub(crate) data: TempDir,
    /// Sees everything; whoever is no adult sees no film that is not rated.
    pub(crate) admin: Client,
    /// The films that viewers begin.
    films: Vec<String>,
    log: BufReader<File>,
}

/// Somebody with a profile.
#[derive(Clone)]
pub(crate) struct Viewer {
    pub(crate) token: String,
    pub(crate) profile: String,
}

impl Site {
    /// Imports films, starts a server and waits until they are listed, found and suggested; prints
    /// how long that took.
    pub(crate) async fn open(films: &Path) -> Self {
        let data = TempDir::new().unwrap();
        fs::write(data.path().join("playhead.toml"), SETTINGS).unwrap();
        run(data.path(), &["import", "films", films.to_str().unwrap()]).ok();
        let began = Instant::now();
        let log = data.path().join("requests.log");
        let mut child = Command::new(binary())
            .arg("--data")
            .arg(data.path())
            .args(["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().rsplit(' ').next().unwrap().to_owned();
        let admin = Client::minted(&url, data.path(), &["--role", "content_admin"]);
        let log = BufReader::new(File::open(log).unwrap());
        let mut site = Self { child, url, data, admin, films: vec![], log };
        site.wait_for_films(began).await;
        site
    }

    async fn wait_for_films(&mut self, began: Instant) {
        while !self.has_caught_up().await {
            tokio::time::sleep(POLL).await;
        }
        println!(
            "{:<46} {:>7.2} s",
            "serve: listed and found after",
            began.elapsed().as_secs_f64()
        );
        let suggest = "{ suggest(input: \"the\") { text } }";
        while self.admin.data(suggest, json!({})).await["suggest"] == json!([]) {
            tokio::time::sleep(POLL).await;
        }
        println!("{:<46} {:>7.2} s", "serve: suggested after", began.elapsed().as_secs_f64());
        self.films = film_ids(&self.url, self.data.path()).await;
    }

    /// Whether every read model shows everything.
    async fn has_caught_up(&self) -> bool {
        let (_, body) = self.admin.get("/readyz").await;
        let body: Value = serde_json::from_str(&body).unwrap();
        let projections = body["projections"].as_array().unwrap();
        projections.iter().all(|projection| projection["lag_events"] == 0)
    }

    /// Signs somebody up who begins some films.
    pub(crate) async fn sign_up(&self, number: usize, begun: usize) -> Viewer {
        let mut home = Household::sign_up(&self.url, self.data.path(), "BASIC").await;
        for nth in 0..begun {
            let film = &self.films[(number * 7 + nth * 13) % self.films.len()];
            let started = home.start(film, "TV").await;
            let token = started["playback"]["token"].as_str().unwrap().to_owned();
            home.beat(&token, 0, POSITION_MS).await;
            home.stop(&token, Some(POSITION_MS)).await;
        }
        Viewer { token: home.client.token().unwrap().to_owned(), profile: home.profile }
    }

    /// How long the server took over each GraphQL request since it was last asked: from the head of
    /// the request to the whole answer, without the network.
    pub(crate) fn latencies(&mut self) -> Latencies {
        let lines = self.log.by_ref().lines().map(Result::unwrap);
        let lines = lines.map(|line| serde_json::from_str::<Value>(&line).unwrap());
        let asked = lines.filter(|line| line["path"] == "/graphql");
        asked.map(|line| duration(line["elapsed"].as_str().unwrap())).collect()
    }

    /// Prints how much memory the server holds and ever held.
    pub(crate) fn report_memory(&self, when: &str) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let mb = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() * 1_024.0 / 1e6
        };
        let (now, most) = (mb("VmRSS:"), mb("VmHWM:"));
        println!("{:<46} {now:>7.0} MB, at most {most:.0} MB", format!("memory {when}"));
    }

    /// Ends the server properly, and leaves what it wrote.
    pub(crate) fn close(&mut self) -> &Path {
        let kill = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(kill.unwrap().success() && self.child.wait().unwrap().success());
        self.data.path()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// What the log says, such as `1.5ms`.
fn duration(text: &str) -> Duration {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let seconds = match unit {
        "ns" => 1e-9,
        "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        _ => panic!("{text}"),
    };
    Duration::from_secs_f64(text.trim_end_matches(unit).parse::<f64>().unwrap() * seconds)
}
