//! Backups through the binary: taken under load, restored after a kill, served from.

use std::fs;
use std::path::Path;

use playhead_tests::{Household, Server, film_ids, run};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Small segments, so that some are sealed while the test runs.
const SETTINGS: &str = "segment_kib = 16\n";

fn write_film(path: &Path) {
    let film = json!([{"title": "Film", "year": 1950, "cast": [], "genres": ["Drama"],
                       "directors": [], "runtime_min": 100, "synopsis": "A film."}]);
    fs::write(path, film.to_string()).unwrap();
}

fn events_of(data: &Path) -> Vec<Value> {
    let read = run(data, &["log", "read", "--limit", "100000", "--json"]).ok();
    read.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_taken_under_load_is_served_after_the_server_is_killed() {
    let dir = TempDir::new().unwrap();
    let [data, copy, new] = ["data", "copy", "new"].map(|name| dir.path().join(name));
    let films = dir.path().join("film.json");
    write_film(&films);
    fs::create_dir(&data).unwrap();
    fs::write(data.join("playhead.toml"), SETTINGS).unwrap();
    run(&data, &["import", "films", films.to_str().unwrap()]).ok();
    let server = Server::serve(&data);
    let film = film_ids(&server.url, &data).await.remove(0);
    let mut home = Household::sign_up(&server.url, &data, "BASIC").await;
    let token = home.start(&film, "TV").await["playback"]["token"].as_str().unwrap().to_owned();
    let backup = ["log", "backup", copy.to_str().unwrap(), "--json"];
    let (mut sequence, mut reports) = (0_u32, Vec::new());
    for _ in 0..2 {
        let taken = tokio::task::spawn_blocking({
            let (data, backup) = (data.clone(), backup.map(str::to_owned));
            move || run(&data, &backup.each_ref().map(String::as_str)).ok().json()
        });
        let until = sequence + 150;
        while sequence < until || !taken.is_finished() {
            sequence += 1;
            home.beat(&token, sequence, u64::from(sequence) * 1_000).await;
        }
        reports.push(taken.await.unwrap());
    }
    let last = run(&data, &backup).ok().json();
    let grew = |field: &str| last[field].as_u64() > reports[0][field].as_u64();
    assert!(grew("position") && grew("events") && grew("segments"), "{reports:?} {last}");
    assert!(last["copied_segments"].as_u64() < last["segments"].as_u64(), "{last}");
    server.kill();
    let restored = run(&new, &["log", "restore", copy.to_str().unwrap(), "--json"]).ok().json();
    assert_eq!(restored["position"], last["position"]);
    assert_eq!(events_of(&new), events_of(&data), "the last one was taken when all was quiet");
    // Without the keys nobody is let in.
    let keys = new.join("keys");
    fs::create_dir(&keys).unwrap();
    for key in fs::read_dir(data.join("keys")).unwrap() {
        let key = key.unwrap();
        fs::copy(key.path(), keys.join(key.file_name())).unwrap();
    }
    let server = Server::serve(&new);
    home.client = home.client.moved_to(&server.url);
    let row = home.watched().await["continueWatching"]["nodes"][0].clone();
    assert_eq!(row["positionMs"], u64::from(sequence) * 1_000, "{row}");
}

#[test]
fn wrong_places_are_told_with_what_to_do() {
    let dir = TempDir::new().unwrap();
    let [data, copy, films] = ["data", "copy", "film.json"].map(|name| dir.path().join(name));
    write_film(&films);
    run(&data, &["import", "films", films.to_str().unwrap()]).ok();
    let copy = copy.to_str().unwrap();
    let inside = data.join("backup");
    let nested = run(&data, &["log", "backup", inside.to_str().unwrap()]);
    assert_eq!(nested.status, Some(2), "{nested:?}");
    let text = run(&data, &["log", "backup", copy]).ok().stdout;
    assert!(text.starts_with("backed up to position "), "{text}");
    let occupied = run(&data, &["log", "restore", copy]);
    assert_eq!(occupied.status, Some(1));
    assert!(occupied.stderr.contains("what to do: name a directory with --data"), "{occupied:?}");
    let none = run(&dir.path().join("new"), &["log", "restore", data.to_str().unwrap()]);
    assert!(none.stderr.contains("holds no backup"), "{none:?}");
}

#[test]
fn all_damage_is_told_to_people_and_programs() {
    let dir = TempDir::new().unwrap();
    let (data, films) = (dir.path().join("data"), dir.path().join("film.json"));
    write_film(&films);
    run(&data, &["import", "films", films.to_str().unwrap()]).ok();
    let segment = data.join("journal/00000000000000000000.seg");
    let mut bytes = fs::read(&segment).unwrap();
    bytes[32 + 150] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let told = run(&data, &["log", "verify"]);
    assert_eq!(told.status, Some(1));
    assert!(told.stdout.contains("is corrupt at byte 32 (position 32, partition "), "{told:?}");
    assert!(told.stdout.contains("stream title-"), "{told:?}");
    assert!(told.stderr.contains("copy 00000000000000000000.seg from"), "{told:?}");
    let found = run(&data, &["log", "verify", "--json"]).json();
    assert_eq!((&found["sound"], &found["position"]), (&json!(false), &json!(32)), "{found}");
    assert_eq!(found["damages"][0]["offset"], 32, "{found}");
}
