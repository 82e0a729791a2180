//! Playing, pausing and resuming through the real server.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use playhead_tests::{Household, Server, film_ids, run};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Barrier;

/// A data directory with films of two hours, and their global ids in order of name.
async fn serve_films(dir: &TempDir, count: usize) -> (Server, Vec<String>) {
    let data = dir.path().join("data");
    let film = |number: usize| {
        json!({"title": format!("Film {number:03}"), "year": 1927, "directors": ["Fritz Lang"],
               "cast": [], "genres": ["Drama"], "runtime_min": 120, "synopsis": "A film."})
    };
    let films: Vec<Value> = (0..count).map(film).collect();
    let path = dir.path().join("films.json");
    fs::write(&path, serde_json::to_string(&films).unwrap()).unwrap();
    run(&data, &["import", "films", path.to_str().unwrap()]).ok();
    let server = Server::serve(&data);
    let ids = film_ids(&server.url, &data).await;
    (server, ids)
}

fn data(dir: &TempDir) -> std::path::PathBuf {
    dir.path().join("data")
}

async fn home(server: &Server, data: &Path, plan: &str) -> Household {
    Household::sign_up(&server.url, data, plan).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_is_resumed_where_it_was_left_on_another_device() {
    let dir = TempDir::new().unwrap();
    let (server, films) = serve_films(&dir, 2).await;
    let mut home = home(&server, &data(&dir), "STANDARD").await;

    let started = home.start(&films[0], "TV").await;
    let token = started["playback"]["token"].as_str().unwrap().to_owned();
    assert_eq!(started["playback"]["resumeMs"], 0);
    home.beat(&token, 1, 600_000).await;
    home.beat(&token, 3, 1_800_000).await;
    home.beat(&token, 2, 1_200_000).await;
    home.stop(&token, None).await;

    let watched = home.watched().await;
    let row = &watched["continueWatching"]["nodes"];
    assert_eq!(row.as_array().unwrap().len(), 1);
    assert_eq!(row[0]["title"]["id"], films[0]);
    assert_eq!(row[0]["positionMs"], 1_800_000, "a late heartbeat moves nothing back");
    assert_eq!(row[0]["reason"], "IN_PROGRESS");
    assert!(watched["history"]["nodes"][0]["endedAt"].is_string());

    let resumed = home.start(&films[0], "Phone").await;
    assert_eq!(resumed["playback"]["resumeMs"], 1_800_000);
    let phone = resumed["playback"]["token"].as_str().unwrap().to_owned();
    home.beat(&phone, 1, 1_900_000).await;
    home.beat(&token, 9, 300_000).await;
    let row = home.watched().await["continueWatching"]["nodes"].clone();
    assert_eq!(row[0]["positionMs"], 1_900_000, "an older session moves nothing back");

    home.stop(&phone, Some(7_150_000)).await;
    let watched = home.watched().await;
    assert_eq!(watched["continueWatching"]["nodes"], json!([]), "watched to the end");
    let finished: Vec<_> = watched["history"]["nodes"].as_array().unwrap().iter().collect();
    assert_eq!(finished.len(), 2);
    assert_eq!(finished[0]["finished"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_racing_starts_exactly_two_win_on_a_plan_of_two() {
    let dir = TempDir::new().unwrap();
    let (server, films) = serve_films(&dir, 1).await;
    let home = home(&server, &data(&dir), "STANDARD").await;
    let gate = Arc::new(Barrier::new(100));
    let races: Vec<_> = (0..100)
        .map(|number| {
            let (mut home, film, gate) = (home.clone(), films[0].clone(), Arc::clone(&gate));
            tokio::spawn(async move {
                gate.wait().await;
                // As many devices as the plan allows.
                home.start(&film, &format!("Device {}", number % 5)).await
            })
        })
        .collect();
    let mut won = 0;
    for race in races {
        let answer = race.await.unwrap();
        if answer["playback"].is_object() {
            won += 1;
            continue;
        }
        let error = &answer["errors"][0];
        assert_eq!(error["code"], "TOO_MANY_STREAMS", "{answer:#}");
        assert_eq!(error["limit"], 2);
        let playing = error["playing"].as_array().unwrap();
        assert_eq!(playing.len(), 2);
        assert!(playing.iter().all(|one| one["title"]["name"] == "Film 000"));
        assert!(playing.iter().all(|one| one["device"].as_str().unwrap().starts_with("Device")));
    }
    assert_eq!(won, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_heartbeat_without_a_genuine_token_is_refused_and_writes_nothing() {
    let dir = TempDir::new().unwrap();
    let (server, films) = serve_films(&dir, 1).await;
    let mut home = home(&server, &data(&dir), "BASIC").await;
    let started = home.start(&films[0], "TV").await;
    let token = started["playback"]["token"].as_str().unwrap().to_owned();
    let other = TempDir::new().unwrap();
    let (elsewhere, films) = serve_films(&other, 1).await;
    let mut stranger = Household::sign_up(&elsewhere.url, &data(&other), "BASIC").await;
    let foreign = stranger.start(&films[0], "TV").await["playback"]["token"].clone();
    let access = run(&data(&dir), &["admin", "token"]).ok().stdout;

    let beat = |token: &Value| json!({"token": token, "sequence": 1, "positionMs": 600_000});
    let mut forged = token.clone();
    forged.replace_range(forged.len() - 4.., "AAAA");
    for bad in [json!(forged), foreign, json!(access.trim()), json!(""), json!("x.y.z")] {
        let (status, answer) = home.client.heartbeat(&beat(&bad)).await;
        assert_eq!((status, &answer["error"]["code"]), (401, &json!("PLAYBACK_TOKEN_INVALID")));
        let mixed = json!([beat(&json!(token)), beat(&bad)]);
        assert_eq!(home.client.heartbeat(&mixed).await.0, 401);
    }
    assert_eq!(home.watched().await["history"]["nodes"], json!([]), "nothing was written");

    let unknown = json!({"token": token, "sequence": 1, "positionMs": 1, "speed": 2});
    assert_eq!(home.client.heartbeat(&unknown).await.0, 400);
    let large = json!({"token": "x".repeat(100_000), "sequence": 1, "positionMs": 1});
    let (status, answer) = home.client.heartbeat(&large).await;
    assert_eq!((status, &answer["error"]["code"]), (413, &json!("BODY_TOO_LARGE")));
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_fields_and_foreign_objects_give_nothing_away() {
    let dir = TempDir::new().unwrap();
    let (server, _) = serve_films(&dir, 1).await;
    let ada = home(&server, &data(&dir), "BASIC").await;
    let bob = home(&server, &data(&dir), "BASIC").await;
    let unknown = ada.client.ask("{ viewer { password } }", json!({})).await;
    assert!(unknown.get("data").is_none(), "{unknown}");
    assert!(unknown["errors"][0]["extensions"]["code"].is_string(), "{unknown}");
    let query = "query($id: ID!) { node(id: $id) { id } viewer { profile(id: $id) { name } } }";
    let foreign = bob.client.ask(query, json!({"id": ada.profile})).await;
    assert_eq!(foreign["data"], json!({"node": null, "viewer": {"profile": null}}), "{foreign}");
}
