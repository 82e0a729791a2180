//! The system's speed, on this machine, now: `make bench`.
//!
//! Import, rebuild, heartbeats over HTTP beside a plain handler that stores nothing: medians of
//! [`ROUNDS`] rounds. Search, edits, home screens and bad input at one server with all films: each
//! request counted. `FILMS` and `MOVIELENS` name real data to use instead of what is made up here;
//! arguments name the parts to run, such as `search`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a benchmark prints, and stops at the first surprise"
)]

mod bad_input;
mod edits;
mod home;
mod latency;
mod load;
mod plain;
mod questions;
mod sample_data;
mod search;
mod site;
mod wire;

use std::path::{Path, PathBuf};
use std::time::Duration;

use playhead_tests::{Household, Server, film_ids, run};
use tempfile::TempDir;

use self::site::Site;

const ROUNDS: usize = 5;
const CONNECTIONS: usize = 64;
const ROUND: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() {
    if std::env::args().any(|arg| arg == "--plain-handler") {
        return plain::serve().await;
    }
    let dir = TempDir::new().unwrap();
    let films = given("FILMS").unwrap_or_else(|| sample_data::films(dir.path()));
    let movielens = given("MOVIELENS").unwrap_or_else(|| sample_data::movielens(dir.path()));
    println!("medians of {ROUNDS} rounds (lowest to highest)\n");
    if is_asked("imports") {
        imports(&films, &movielens);
    }
    if is_asked("rebuilds") {
        rebuilds(&movielens);
    }
    if is_asked("heartbeats") {
        heartbeats(&films).await;
    }
    if ["search", "edits", "home", "bad_input", "index"].into_iter().any(is_asked) {
        films_served(&films).await;
    }
}

/// Whether a part is named on the command line, as all are if none is.
fn is_asked(part: &str) -> bool {
    let mut named = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).peekable();
    named.peek().is_none() || named.any(|name| name == part)
}

/// What is asked of a server with all films, and how long its index takes.
async fn films_served(films: &Path) {
    println!();
    let mut site = Site::open(films).await;
    site.report_memory("after it");
    if is_asked("search") {
        search::measure(&mut site, films).await;
    }
    if is_asked("edits") {
        edits::measure(&mut site).await;
    }
    if is_asked("home") {
        home::measure(&mut site).await;
    }
    if is_asked("bad_input") {
        bad_input::measure(&site).await;
    }
    site.report_memory("at the end");
    let data = site.close();
    if is_asked("index") {
        let rounds = (0..ROUNDS).map(|_| {
            let report = run(data, &["replay", "rebuild", "search", "--json"]).ok().json();
            report["folded_ms"].as_f64().unwrap()
        });
        report("replay rebuild search, all films", "ms", rounds);
    }
}

fn given(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from)
}

fn imports(films: &Path, movielens: &Path) {
    for (what, path) in [("films", films), ("movielens", movielens)] {
        let rounds = (0..ROUNDS).map(|_| {
            let data = TempDir::new().unwrap();
            let args = ["import", what, "--json", path.to_str().unwrap()];
            run(data.path(), &args).ok().json()["events_per_second"].as_f64().unwrap()
        });
        report(&format!("import {what}, each event durable"), "events/s", rounds);
    }
}

fn rebuilds(movielens: &Path) {
    let data = TempDir::new().unwrap();
    run(data.path(), &["import", "movielens", movielens.to_str().unwrap()]).ok();
    for model in ["catalog", "continue_watching"] {
        let rounds = (0..ROUNDS).map(|_| {
            let report = run(data.path(), &["replay", "rebuild", model, "--json"]).ok().json();
            report["events_per_second"].as_f64().unwrap()
        });
        report(&format!("replay rebuild {model}"), "events/s", rounds);
    }
}

/// Ours and the plain handler take turns, each in a process of its own, under the same load.
async fn heartbeats(films: &Path) {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("playhead.toml"), "registrations_per_address = 0\n").unwrap();
    run(dir.path(), &["import", "films", films.to_str().unwrap()]).ok();
    let server = Server::serve(dir.path());
    let tokens = sessions(&server, dir.path()).await;
    let plain = plain::Process::start();
    let (mut ours, mut theirs) = (vec![], vec![]);
    for round in 0..ROUNDS {
        let first = u32::try_from(round).unwrap() * 1_000_000;
        ours.push(load::run(&server.url, &tokens, first, ROUND).await);
        theirs.push(load::run(&plain.url, &tokens, first, ROUND).await);
    }
    let ratio = median(&ours) / median(&theirs);
    report("heartbeats, each durable", "requests/s", ours.into_iter());
    report("plain axum handler, nothing stored", "requests/s", theirs.into_iter());
    println!("{:<46} {ratio:>12.2}", "heartbeats : plain handler");
}

/// A playing session for each connection.
async fn sessions(server: &Server, data: &Path) -> Vec<String> {
    let film = film_ids(&server.url, data).await.remove(0);
    let mut tokens = vec![];
    for _ in 0..CONNECTIONS {
        let mut home = Household::sign_up(&server.url, data, "BASIC").await;
        let started = home.start(&film, "Bench").await;
        tokens.push(started["playback"]["token"].as_str().unwrap().to_owned());
    }
    tokens
}

fn report(what: &str, unit: &str, rounds: impl Iterator<Item = f64>) {
    let mut rounds: Vec<f64> = rounds.collect();
    rounds.sort_by(f64::total_cmp);
    let (low, high) = (rounds[0], rounds[rounds.len() - 1]);
    println!("{what:<46} {:>12.0} {unit} ({low:.0} to {high:.0})", median(&rounds));
}

fn median(rounds: &[f64]) -> f64 {
    let mut rounds = rounds.to_vec();
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}
