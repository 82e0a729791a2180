//! Importing films, and finding them again.

use std::fs;
use std::path::{Path, PathBuf};

use playhead_tests::{Client, Server, run};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Films as a catalogue file: two are alike to the letter, one has no cast.
fn write_films(dir: &Path, count: usize) -> PathBuf {
    let film = |number: usize| {
        json!({
            "title": format!("Film {number:05}"),
            "year": 1920 + number % 100,
            "cast": ["Brigitte Helm", "Gustav Fröhlich"],
            "genres": if number.is_multiple_of(3) { json!(["Drama", "Silent"]) } else { json!(["Comedy"]) },
            "href": format!("Film_{number}"),
            "extract": "A film.",
        })
    };
    let mut films: Vec<Value> = (0..count).map(film).collect();
    films.push(films[0].clone());
    films.push(json!({"title": "Sweetgrass", "year": 2010, "cast": [], "genres": ["Documentary"]}));
    let path = dir.join("movies-test.json");
    fs::write(&path, serde_json::to_string_pretty(&films).unwrap()).unwrap();
    path
}

fn import(data: &Path, args: &[&str]) -> Value {
    run(data, &[&["import", "films", "--json"], args].concat()).ok().json()
}

#[tokio::test(flavor = "multi_thread")]
async fn imported_films_are_found_by_genre_year_and_type() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let films = write_films(dir.path(), 600);
    let report = import(&data, &[films.to_str().unwrap()]);
    assert_eq!((&report["read"], &report["added"]), (&json!(602), &json!(602)));

    let server = Server::serve(&data);
    let client = Client::minted(&server.url, &data, &["--role", "content_admin"]);
    let query = "query($filter: TitleFilter, $after: String) {
        titles(first: 100, filter: $filter, after: $after) {
            totalCount nodes { id name year type genres cast } pageInfo { hasNextPage endCursor }
        }
    }";
    let ask = async |filter: Value, after: Value| {
        let answer = client.ask(query, json!({"filter": filter, "after": after})).await;
        assert!(answer.get("errors").is_none(), "{answer:#}");
        answer["data"]["titles"].clone()
    };
    let drama = ask(json!({"genre": "drama"}), Value::Null).await;
    assert_eq!(drama["totalCount"], 201);
    let of_1920 = ask(json!({"year": 1920, "type": "MOVIE"}), Value::Null).await;
    assert_eq!(of_1920["totalCount"], 7, "0, 100, … 500, and the twin of 0");
    let documentary = ask(json!({"genre": "Documentary", "year": 2010}), Value::Null).await;
    assert_eq!(documentary["nodes"][0]["name"], "Sweetgrass");
    assert_eq!(ask(json!({"type": "SERIES"}), Value::Null).await["totalCount"], 0);

    let mut names = vec![];
    let mut after = Value::Null;
    loop {
        let page = ask(Value::Null, after).await;
        let nodes = page["nodes"].as_array().unwrap().clone();
        names.extend(nodes.iter().map(|node| node["name"].as_str().unwrap().to_owned()));
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(names.len(), 602);
    assert!(names.is_sorted());

    let id = documentary["nodes"][0]["id"].clone();
    let query = "query($id: ID!) { title(id: $id) { name year } node(id: $id) { id __typename } }";
    let found = client.ask(query, json!({"id": id})).await;
    assert_eq!(found["data"]["title"], json!({"name": "Sweetgrass", "year": 2010}));
    assert_eq!(found["data"]["node"], json!({"id": id, "__typename": "Title"}));
}

#[test]
fn the_same_import_again_adds_nothing_and_says_so() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let films = write_films(dir.path(), 50);
    let films = films.to_str().unwrap();
    import(&data, &[films]);
    let again = import(&data, &[films]);
    assert_eq!((&again["added"], &again["already_there"]), (&json!(0), &json!(52)));
    let told = run(&data, &["import", "films", films]).ok();
    let told = told.stdout + &told.stderr;
    assert!(told.contains("0 added"), "{told}");
}

#[test]
fn a_broken_film_names_file_line_and_field() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let path = dir.path().join("movies-broken.json");
    let broken = r#"[
  {"title": "Sunrise", "year": 1927, "cast": [], "genres": []},
  {
    "title": "Nosferatu",
    "year": "long ago", "cast": [], "genres": []
  },
  {"title": "", "year": 1920, "cast": [], "genres": []},
  {"title": "Metropolis", "year": 1927, "cast": [], "genres": []}
]"#;
    fs::write(&path, broken).unwrap();
    let path = path.to_str().unwrap();

    let stopped = run(&data, &["import", "films", path]);
    assert_eq!(stopped.status, Some(1));
    assert!(stopped.stderr.contains("movies-broken.json:5"), "{}", stopped.stderr);
    assert!(stopped.stderr.contains("year"), "{}", stopped.stderr);

    let rest = run(&data, &["import", "films", "--keep-going", "--json", path]);
    assert_eq!(rest.status, Some(1), "errors are failures, however many films were imported");
    let report = rest.json();
    assert_eq!(report["errors"], 2, "{report}");
    let listed = run(&data, &["log", "read", "--type", "TitleAdded", "--json"]).ok();
    assert_eq!(listed.stdout.lines().count(), 2, "{}", listed.stdout);
}

#[test]
fn a_missing_file_is_a_failure_and_a_missing_argument_wrong_usage() {
    let dir = TempDir::new().unwrap();
    let missing = run(dir.path(), &["import", "films", "no-such-file.json"]);
    assert_eq!(missing.status, Some(1));
    assert!(missing.stderr.contains("no-such-file.json"), "{}", missing.stderr);
    assert_eq!(run(dir.path(), &["import", "films"]).status, Some(2));
    assert_eq!(run(dir.path(), &["play", "films"]).status, Some(2));
}
