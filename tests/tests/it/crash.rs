//! kill -9, a second process, a clean end.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use playhead_tests::{Client, Household, Server, binary, film_ids, run};
use serde_json::{Value, json};
use tempfile::TempDir;

fn write_films(path: &Path, count: usize) {
    let film = |number: usize| {
        json!({"title": format!("Film {number:05}"), "year": 1950, "cast": [], "genres": ["Drama"],
               "directors": [], "runtime_min": 100, "synopsis": "A film."})
    };
    let films: Vec<Value> = (0..count).map(film).collect();
    fs::write(path, serde_json::to_string(&films).unwrap()).unwrap();
}

fn titles_in(data: &Path) -> usize {
    let read = ["log", "read", "--type", "TitleAdded", "--limit", "100000", "--json"];
    run(data, &read).ok().stdout.lines().count()
}

/// The log is followed while the import writes it; once it has grown to a certain size, the import
/// is killed.
#[test]
fn an_import_killed_at_any_moment_resumes() {
    let dir = TempDir::new().unwrap();
    let (data, films) = (dir.path().join("data"), dir.path().join("films.json"));
    write_films(&films, 3_000);
    let films = films.to_str().unwrap();
    let mut before = 0;
    for kept in [1, 40_000, 400_000, 900_000] {
        let mut import = Command::new(binary());
        import.arg("--data").arg(&data).args(["import", "films", films]);
        let mut import = import.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let journal = data.join("journal/00000000000000000000.seg");
        while fs::metadata(&journal).map_or(0, |file| file.len()) < kept {
            if import.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::yield_now();
        }
        import.kill().unwrap();
        import.wait().unwrap();
        let now = titles_in(&data);
        assert!(now >= before, "{now} titles are left of {before}");
        before = now;
    }
    run(&data, &["import", "films", films]).ok();
    assert_eq!(titles_in(&data), 3_000);
    run(&data, &["log", "verify"]).ok();
}

/// Every heartbeat that was answered before the kill is there after it, and the read model goes on.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_before_a_kill_is_there_after_it() {
    let dir = TempDir::new().unwrap();
    let (data, films) = (dir.path().join("data"), dir.path().join("films.json"));
    write_films(&films, 1);
    run(&data, &["import", "films", films.to_str().unwrap()]).ok();
    let server = Server::serve(&data);
    let film = film_ids(&server.url, &data).await.remove(0);
    let mut home = Household::sign_up(&server.url, &data, "BASIC").await;
    let token = home.start(&film, "TV").await["playback"]["token"].as_str().unwrap().to_owned();
    let mut server = server;
    for round in 1..=5_u32 {
        for beat in 0..20 {
            let sequence = round * 20 + beat;
            home.beat(&token, sequence, u64::from(sequence) * 30_000).await;
        }
        server.kill();
        server = Server::serve(&data);
        home.client = home.client.moved_to(&server.url);
        let row = home.watched().await["continueWatching"]["nodes"].clone();
        assert_eq!(row[0]["positionMs"], u64::from(round * 20 + 19) * 30_000, "round {round}");
    }
    drop(server);
    let read = ["log", "read", "--type", "Progressed", "--limit", "1000", "--json"];
    assert_eq!(run(&data, &read).ok().stdout.lines().count(), 100);
    let rebuilt = run(&data, &["replay", "rebuild", "continue_watching", "--json"]).ok().json();
    assert_eq!(rebuilt["equal"], true, "{rebuilt:#}");
}

#[test]
fn a_second_process_learns_who_holds_the_directory() {
    let server = Server::start();
    let films = server.dir().join("films.json");
    write_films(&films, 1);
    let refused = run(server.dir(), &["import", "films", films.to_str().unwrap()]);
    assert_eq!(refused.status, Some(1));
    assert!(refused.stderr.contains(&server.pid().to_string()), "{}", refused.stderr);
    assert!(refused.stderr.contains("serve"), "{}", refused.stderr);
    run(server.dir(), &["log", "ls"]).ok();
    run(server.dir(), &["admin", "token"]).ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_a_server_cleanly() {
    let mut server = Server::start();
    let client = Client::anonymous(&server.url);
    assert_eq!(client.get("/healthz").await.0, 200);
    assert_eq!(client.get("/readyz").await.0, 200);
    assert_eq!(server.terminate().code(), Some(0));
}

#[test]
fn a_closed_pipe_ends_a_listing_quietly() {
    let dir = TempDir::new().unwrap();
    let (data, films) = (dir.path().join("data"), dir.path().join("films.json"));
    write_films(&films, 2_000);
    run(&data, &["import", "films", films.to_str().unwrap()]).ok();
    let mut read = Command::new(binary());
    read.arg("--data").arg(&data).args(["log", "read", "--limit", "100000", "--json"]);
    let mut read = read.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(read.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let event: Value = serde_json::from_str(&first).unwrap();
    assert_eq!((&event["version"], &event["type"]), (&json!(0), &json!("TitleAdded")));
    let ended = read.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    assert!(ended.status.success());
}
