//! Places computed by three other programs, one for each rule.

use std::collections::BTreeMap;

use playhead_eventlog::ring::{Ring, Rule, Shard};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    sha256_u64_weighted: Sha256,
    sha1_u32_unweighted: Sha1,
    md5_u32_weighted: Md5,
}

#[derive(Deserialize)]
struct Sha256 {
    shards: Vec<(String, u32)>,
    vnodes_per_weight: u32,
    locate_rf3: BTreeMap<String, Vec<String>>,
    primary_counts: BTreeMap<String, usize>,
}

#[derive(Deserialize)]
struct Sha1 {
    shards: Vec<String>,
    vnodes: u32,
    primary: Primaries,
    primary_after_removing_db_shard_01: Primaries,
}

#[derive(Deserialize)]
struct Md5 {
    shards: Vec<(String, u32)>,
    vnodes_per_100_weight: u32,
    primary: Primaries,
    vnode_counts: BTreeMap<String, u64>,
    #[serde(rename = "primary_after_adding_sa-east-1-shard-1_weight_70")]
    primary_after_adding: Primaries,
}

type Primaries = BTreeMap<String, String>;

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("vectors.json")).unwrap()
}

fn ring(rule: Rule, shards: &[(String, u32)]) -> Ring {
    Ring::new(rule, shards.iter().map(|(name, weight)| Shard::new(name, *weight).unwrap())).unwrap()
}

#[track_caller]
fn assert_primaries(ring: &Ring, expected: &Primaries) {
    assert_eq!(expected.len(), 69);
    for (key, shard) in expected {
        assert_eq!(ring.locate(key, 1).unwrap(), [shard], "{key:?}");
    }
}

#[test]
fn sha256_places_keys_and_replicas_where_others_do() {
    let expected = vectors().sha256_u64_weighted;
    let ring = ring(Rule::Sha256U64Weighted, &expected.shards);
    assert_eq!(ring.vnodes(), expected.vnodes_per_weight);
    assert_eq!(expected.locate_rf3.len(), 69);
    for (key, shards) in &expected.locate_rf3 {
        assert_eq!(ring.locate(key, 3).unwrap(), *shards, "{key:?}");
    }
    let mut counts = BTreeMap::new();
    for number in 0..expected.primary_counts.values().sum() {
        let primary = ring.locate(&format!("user:{number}"), 1).unwrap()[0].to_owned();
        *counts.entry(primary).or_insert(0) += 1;
    }
    assert_eq!(counts, expected.primary_counts);
}

#[test]
fn sha1_places_keys_where_others_do_also_without_a_shard() {
    let expected = vectors().sha1_u32_unweighted;
    let shards: Vec<_> = expected.shards.into_iter().map(|name| (name, 1)).collect();
    let ring = ring(Rule::Sha1U32Unweighted, &shards);
    assert_eq!(ring.vnodes(), expected.vnodes);
    assert_primaries(&ring, &expected.primary);
    let without = ring.remove("db_shard_01").unwrap();
    assert_primaries(&without, &expected.primary_after_removing_db_shard_01);
}

#[test]
fn md5_places_keys_where_others_do_also_with_another_shard() {
    let expected = vectors().md5_u32_weighted;
    let ring = ring(Rule::Md5U32Weighted, &expected.shards);
    assert_eq!(ring.vnodes(), expected.vnodes_per_100_weight);
    let counts = ring.shards().iter().map(|shard| (shard.name().to_owned(), ring.vnodes_of(shard)));
    assert_eq!(counts.collect::<BTreeMap<_, _>>(), expected.vnode_counts);
    assert_primaries(&ring, &expected.primary);
    let with = ring.add(Shard::new("sa-east-1-shard-1", 70).unwrap()).unwrap();
    assert_primaries(&with, &expected.primary_after_adding);
}
