//! kill -9 of the real binary under twelve writers: at any moment, and at the ones that matter.
//!
//! Segments are as small as they can be, so that they begin, are sealed and have their indexes
//! merged all the time; in half of the rounds they are compressed.

use std::fs;
use std::path::Path;
use std::thread;

use playhead_tests::{Crew, Fault, Server, Tracer, film, run, skipped};
use tempfile::TempDir;

/// Each costs about half a second of computing.
const KILLS: usize = 100;

/// A data directory with a film, and a crew.
async fn household_street() -> (TempDir, Crew) {
    let dir = TempDir::new().unwrap();
    film(dir.path());
    configure(dir.path(), false);
    let server = Server::serve(dir.path());
    let crew = Crew::sign_up(&server, dir.path()).await;
    (dir, crew)
}

fn configure(data: &Path, compress: bool) {
    let settings = format!(
        "segment_kib = 16\ncompress = {compress}\nlog = \"error\"\nregistrations_per_address = 0\n"
    );
    fs::write(data.join("playhead.toml"), settings).unwrap();
}

/// What must hold at the end, whatever happened.
async fn settle(data: &Path, crew: &Crew) {
    crew.check_whole_log().await;
    run(data, &["log", "verify"]).ok();
    let rebuilt = run(data, &["replay", "rebuild", "continue_watching", "--json"]).ok().json();
    assert_eq!(rebuilt["equal"], true, "{rebuilt:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_kills_under_twelve_writers_lose_nothing_acknowledged() {
    let (dir, mut crew) = household_street().await;
    let data = dir.path();
    for round in 0..KILLS {
        configure(data, round % 2 == 1);
        let server = Server::serve(data);
        crew.check_log().await;
        crew.check_screens(&server).await;
        let mut shift = crew.work(&server);
        // Other moments in every round; where exactly is up to the scheduler.
        let enough = 1 + round * 37 % 61;
        shift.until(|tally| tally.acknowledged >= enough).await.unwrap();
        (0..round * 7_919 % 1_009).for_each(|_| thread::yield_now());
        server.kill();
        crew = shift.until_gone().await;
        crew.check_log().await;
    }
    settle(data, &crew).await;
}

/// A system call that the process dies at, before it takes effect.
struct Moment {
    thread: &'static str,
    call: &'static str,
    path: &'static str,
    when: usize,
    compress: bool,
}

const WRITER: &str = "eventlog-writer";
const KEEPER: &str = "eventlog-keeper";

const fn at(thread: &'static str, call: &'static str, path: &'static str, when: usize) -> Moment {
    Moment { thread, call, path, when, compress: false }
}

const fn packing(call: &'static str, path: &'static str, when: usize) -> Moment {
    Moment { thread: KEEPER, call, path, when, compress: true }
}

/// The next segment begins.
const ROLLOVER: &[Moment] = &[
    at(WRITER, "openat", "journal/beginning.new", 1),
    at(WRITER, "pwrite64", "journal/beginning.new", 1),
    at(WRITER, "fdatasync", "journal/beginning.new", 1),
    at(WRITER, "/^rename", "journal/beginning.new", 1),
    at(WRITER, "fsync", "journal", 1),
    at(WRITER, "fallocate", "", 2),
];

/// A full segment gets its index, in place or with all of it written anew.
const SEALING: &[Moment] = &[
    at(KEEPER, "pwrite64", "", 1),
    at(KEEPER, "pwrite64", "", 2),
    at(KEEPER, "ftruncate", "", 1),
    at(KEEPER, "fdatasync", "", 1),
    at(KEEPER, "fdatasync", "", 2),
    packing("openat", "journal/sealing.new", 1),
    packing("pwrite64", "journal/sealing.new", 1),
    packing("fdatasync", "journal/sealing.new", 1),
    packing("/^rename", "journal/sealing.new", 1),
    packing("fsync", "journal", 1),
];

/// The indexes of several segments become one.
const MERGING: &[Moment] = &[
    at(KEEPER, "openat", "index/merging.new", 1),
    at(KEEPER, "pwrite64", "index/merging.new", 1),
    at(KEEPER, "fdatasync", "index/merging.new", 1),
    at(KEEPER, "/^rename", "index/merging.new", 1),
    at(KEEPER, "fsync", "index", 1),
    at(KEEPER, "/^unlink", "", 1),
];

/// Lets the server die at each of the moments, and proves by its trace that it did.
async fn die_at(test: &str, moments: &[Moment]) {
    if let Some(reason) = Tracer::missing() {
        return skipped(test, reason);
    }
    let (dir, mut crew) = household_street().await;
    let data = dir.path();
    for Moment { thread, call, path, when, compress } in moments {
        configure(data, *compress);
        let mut server = Server::serve(data);
        let what = format!("signal=SIGKILL:when={when}");
        let fault = Fault { thread, calls: call, path, what: &what };
        let tracer = Tracer::attach(&server, data, fault);
        let shift = crew.work(&server);
        assert_eq!(server.wait().code(), None, "{fault:?}");
        crew = shift.until_gone().await;
        let calls = tracer.calls();
        let (end, last) = (calls.last().unwrap(), calls.iter().rev().nth(1).unwrap());
        // The trace ends in a call that never returned: this one.
        assert_eq!(end, "+++ killed by SIGKILL +++", "{fault:?}");
        let name = call.trim_start_matches("/^");
        assert!(last.starts_with(name) && last.ends_with("= ?"), "{fault:?}: {last}");
        assert!(last.contains(path), "{fault:?}: {last}");
        crew.check_log().await;
        let server = Server::serve(data);
        crew.check_log().await;
        crew.check_screens(&server).await;
    }
    settle(data, &crew).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_step_of_a_rollover_loses_nothing_acknowledged() {
    die_at("a kill during rollover", ROLLOVER).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_step_of_sealing_loses_nothing_acknowledged() {
    die_at("a kill during sealing", SEALING).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_step_of_an_index_checkpoint_loses_nothing_acknowledged() {
    die_at("a kill during an index checkpoint", MERGING).await;
}
