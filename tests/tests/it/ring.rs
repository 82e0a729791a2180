//! Partitions are placed on shards, and a plan says what moves.

use playhead_tests::run;
use serde_json::json;
use tempfile::TempDir;

#[test]
fn a_new_shard_takes_what_the_plan_says_and_a_full_one_refuses() {
    let dir = TempDir::new().unwrap();
    let shards = ["log", "ring", "--shard", "a:2", "--shard", "b", "--partitions", "256"];
    let with = |more: &[&str]| run(dir.path(), &[&shards, more].concat());

    let told = with(&["--add", "c"]).ok().stdout;
    assert!(told.starts_with("256 partitions on 2 shards, 1 replica of each"), "{told}");
    assert!(told.contains("\nPlan: c joins with weight 1\n"), "{told}");

    let plan = with(&["--add", "c", "--json"]).ok().json()["plan"].take();
    let moves = plan["moves"].as_array().unwrap();
    assert!(moves.iter().all(|step| step["to"] == "c"), "{plan:#}");
    assert_eq!(json!(moves.len()), plan["moves_max"]);
    assert_eq!(plan["afterwards"][2]["held"], plan["moves_max"]);
    assert_eq!(plan["least_ppm"], 250_000);

    let full = with(&["--add", "c:1:capacity=1"]);
    assert_eq!(full.status, Some(1));
    assert!(full.stderr.contains("shard c has a capacity of 1, but"), "{}", full.stderr);
    let unknown = with(&["--remove", "c"]);
    assert_eq!(unknown.status, Some(2));
    assert!(unknown.stderr.contains("there is no shard c"), "{}", unknown.stderr);
    assert!(dir.path().read_dir().unwrap().next().is_none(), "a ring needs no log and makes none");
}
