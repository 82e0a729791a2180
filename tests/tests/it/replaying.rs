//! Ratings become plays, and read models come out the same again.

use std::fs;

use playhead_tests::run;
use serde_json::json;
use tempfile::TempDir;

#[test]
fn movielens_becomes_plays_once_and_rebuilds_equal() {
    let dir = TempDir::new().unwrap();
    let (data, movielens) = (dir.path().join("data"), dir.path().join("movielens"));
    fs::create_dir(&movielens).unwrap();
    let movies = "movieId,title,genres\n1,Toy Story (1995),Adventure|Animation\n2,\"American President, The (1995)\",Comedy\n3,Nowhere,(no genres listed)\n";
    fs::write(movielens.join("movies.csv"), movies).unwrap();
    let mut ratings = String::from("userId,movieId,rating,timestamp\n");
    for user in 1..=40 {
        for (movie, rating) in [(1, "5.0"), (2, "2.5"), (3, "0.5")] {
            ratings += &format!("{user},{movie},{rating},{}\n", 900_000_000 + user * 10 + movie);
        }
    }
    fs::write(movielens.join("ratings.csv"), ratings).unwrap();
    let import = ["import", "movielens", "--json", movielens.to_str().unwrap()];
    run(&data, &import).ok();
    let events = || {
        let read = ["log", "read", "--limit", "100000", "--json"];
        run(&data, &read).ok().stdout.lines().count()
    };
    let recorded = events();
    assert_eq!(recorded, 3 + 40 * 3 + 120 * 3, "titles, households, plays");
    run(&data, &import).ok();
    assert_eq!(events(), recorded, "again adds nothing");

    for model in ["catalog", "continue_watching"] {
        let rebuilt = run(&data, &["replay", "rebuild", model, "--json"]).ok().json();
        assert_eq!(rebuilt["equal"], json!(true), "{rebuilt:#}");
        assert_eq!(rebuilt["events"], recorded);
    }
    let unknown = run(&data, &["replay", "rebuild", "everything"]);
    assert_ne!(unknown.status, Some(0));
    assert!(unknown.stderr.contains("continue_watching"), "{}", unknown.stderr);
}
