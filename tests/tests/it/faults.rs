//! Disks that fail or are full, under the unmodified binary.

use std::fs;
use std::io::Write;
use std::path::Path;

use playhead_tests::{Client, Crew, Fault, Server, SmallDisk, Tracer, film, run, skipped};
use serde_json::{Value, json};
use tempfile::TempDir;

const WRITER: &str = "eventlog-writer";
const KEEPER: &str = "eventlog-keeper";

/// A crew of a data directory with small segments.
async fn sign_up(data: &Path) -> Crew {
    film(data);
    let settings = "segment_kib = 16\nlog = \"off\"\nregistrations_per_address = 0\n";
    fs::write(data.join("playhead.toml"), settings).unwrap();
    let server = Server::serve(data);
    Crew::sign_up(&server, data).await
}

async fn readiness(server: &Server) -> (u16, Value) {
    let (status, body) = Client::anonymous(&server.url).get("/readyz").await;
    (status, serde_json::from_str(&body).unwrap())
}

/// After an error that leaves unknown what is on the disk, the server takes no more writes, says
/// so and goes on reading; a restart mends it.
async fn stops_at(test: &str, faults: &[Fault<'_>]) {
    if let Some(reason) = Tracer::missing() {
        return skipped(test, reason);
    }
    let dir = TempDir::new().unwrap();
    let data = dir.path();
    let mut crew = sign_up(data).await;
    for (number, fault) in faults.iter().enumerate() {
        let mut server = Server::serve(data);
        let tracer = Tracer::attach(&server, data, *fault);
        let mut shift = crew.work(&server);
        // Everybody's refusal, twice: it does not go on by itself.
        shift.until(|tally| tally.refused >= 24).await.unwrap();
        crew = shift.end().await;
        let (status, readiness) = readiness(&server).await;
        assert_eq!((status, &readiness["status"]), (503, &json!("read_only")), "{fault:?}");
        let reason = readiness["log_stopped"].as_str().unwrap();
        assert!(reason.contains("Input/output error"), "{fault:?}: {reason}");
        crew.check_acknowledged(&server).await;
        if number % 2 == 0 {
            server.kill()
        } else {
            assert!(server.terminate().success())
        }
        let injected = tracer.calls().iter().filter(|call| call.contains("(INJECTED)")).count();
        assert_eq!(injected, 1, "{fault:?}");
        let server = Server::serve(data);
        crew.check_log().await;
        crew.check_screens(&server).await;
        let mut shift = crew.work(&server);
        shift.until(|tally| tally.acknowledged >= 60).await.unwrap();
        crew = shift.end().await;
        assert_eq!(readiness_status(&server).await, 200);
        server.kill();
    }
    crew.check_log().await;
    crew.check_whole_log().await;
    run(data, &["log", "verify"]).ok();
}

async fn readiness_status(server: &Server) -> u16 {
    readiness(server).await.0
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_error_of_the_disk_writing_stops_and_reading_goes_on() {
    let eio = |thread, calls, path, what| Fault { thread, calls, path, what };
    let faults = [
        eio(WRITER, "fdatasync", "", "error=EIO:when=7"),
        eio(WRITER, "pwrite64", "", "error=EIO:when=7"),
        eio(WRITER, "fallocate", "", "error=EIO:when=2"),
        eio(WRITER, "fsync", "journal", "error=EIO:when=1"),
        eio(KEEPER, "fdatasync", "", "error=EIO:when=1"),
        eio(KEEPER, "fdatasync", "", "error=EIO:when=2"),
        eio(KEEPER, "fsync", "index", "error=EIO:when=1"),
    ];
    stops_at("EIO", &faults).await;
}

/// While there is no room the server refuses; then it goes on, without a restart.
#[tokio::test(flavor = "multi_thread")]
async fn writing_goes_on_when_calls_find_room_again() {
    if let Some(reason) = Tracer::missing() {
        return skipped("ENOSPC", reason);
    }
    let enospc = |thread, calls, path, what| Fault { thread, calls, path, what };
    let faults = [
        (true, enospc(WRITER, "fallocate", "", "error=ENOSPC:when=2..9")),
        (true, enospc(WRITER, "pwrite64", "", "error=ENOSPC:when=7..10")),
        (true, enospc(WRITER, "pwrite64", "journal/beginning.new", "error=ENOSPC:when=1..3")),
        (false, enospc(KEEPER, "pwrite64", "", "error=ENOSPC:when=1..3")),
        (false, enospc(KEEPER, "pwrite64", "index/merging.new", "error=ENOSPC:when=1")),
    ];
    let dir = TempDir::new().unwrap();
    let data = dir.path();
    let mut crew = sign_up(data).await;
    for (refuses, fault) in faults {
        let server = Server::serve(data);
        let tracer = Tracer::attach(&server, data, fault);
        let mut shift = crew.work(&server);
        if refuses {
            shift.until(|tally| tally.refused > 0).await.unwrap();
        }
        let before = shift.tally().acknowledged;
        shift.until(|tally| tally.acknowledged >= before + 120).await.unwrap();
        assert_eq!(shift.tally().refused > 0, refuses, "{fault:?}");
        crew = shift.end().await;
        assert_eq!(readiness_status(&server).await, 200);
        server.kill();
        let calls = tracer.calls();
        assert!(calls.iter().any(|call| call.contains("(INJECTED)")), "{fault:?}");
        crew.check_log().await;
    }
    crew.check_whole_log().await;
    run(data, &["log", "verify"]).ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_really_full_stops_nobody_for_good() {
    let disk = match SmallDisk::mount("24m") {
        Ok(disk) => disk,
        Err(reason) => return skipped("a full disk", &reason),
    };
    let data = disk.path().join("data");
    let mut crew = sign_up(&data).await;
    // Read models cannot catch up on a full disk; the server answers all the same.
    let mut settings = fs::OpenOptions::new().append(true).open(data.join("playhead.toml"));
    writeln!(settings.as_mut().unwrap(), "startup_wait_ms = 0").unwrap();
    let mut server = Server::serve(&data);
    for _ in 0..3 {
        let mut shift = crew.work(&server);
        shift.until(|tally| tally.acknowledged >= 60).await.unwrap();
        disk.fill();
        shift.until(|tally| tally.refused >= 24).await.unwrap();
        assert_eq!(readiness_status(&server).await, 503);
        disk.make_room();
        let before = shift.tally().acknowledged;
        shift.until(|tally| tally.acknowledged >= before + 60).await.unwrap();
        crew = shift.end().await;
        crew.check_log().await;
        crew.check_screens(&server).await;
        disk.fill();
        let mut shift = crew.work(&server);
        shift.until(|tally| tally.refused >= 24).await.unwrap();
        server.kill();
        crew = shift.until_gone().await;
        crew.check_log().await;
        // It starts without room, and finds it when there is some.
        server = Server::serve(&data);
        crew.check_log().await;
        disk.make_room();
    }
    server.kill();
    crew.check_whole_log().await;
    run(&data, &["log", "verify"]).ok();
}
