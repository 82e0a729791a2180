use clap::Parser;
use playhead_eventlog::PartitionCount;

use super::*;
use crate::failure::{describe, report};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: Args,
}

fn args(line: &str) -> Args {
    let words = ["ring"].into_iter().chain(line.split(' '));
    Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}")).args
}

fn told(line: &str) -> Result<String, RingError> {
    let count = PartitionCount::new(16).unwrap();
    Ok(text::of(&answer(&args(line), count)?))
}

#[test]
fn a_ring_is_told_as_spread_and_placement() {
    let text = told("--shard a:2 --shard b --shard c:1:capacity=9").unwrap();
    let expected = "\
16 partitions on 3 shards, 1 replica of each, by sha256_u64_weighted with 64 points

shard  weight  points  capacity  primary of  keeps    keys   share    fair    off by
a           2     128                    10     10   51.4%   62.5%   50.0%    +25.0%
b           1      64                     5      5   23.3%   31.3%   25.0%    +25.0%
c           1      64         9           1      1   25.3%    6.3%   25.0%    -75.0%
The fullest, b, keeps 1.25 times its fair share.

shard  as       partitions
a      primary  1-6 10-11 14-15
b      primary  0 7-9 13
c      primary  12";
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn a_plan_is_told_with_its_bound_its_steps_and_what_comes_of_it() {
    let text = told("--shard a --shard b --shard c --replicas 2 --remove b").unwrap();
    let (_, plan) = text.split_once("\n\nPlan: ").unwrap();
    let expected = "\
b leaves
11 of 32 replicas move; such a change moves at most 11.
33.5% of all replicas of all keys move; 33.3% would have to if weights were met exactly.
5 partitions get a primary that has kept it before; nothing is copied for that.

from  to  as          number  partitions
b     a   replica          6  0 2-3 9 13 15
b     a   takes over       2  7-8
b     c   replica          5  4 6-8 10
b     c   takes over       3  0 9 13

Afterwards

shard  weight  points  capacity  primary of  keeps    keys   share    fair    off by
a           1      64                     7     16   50.6%   50.0%   50.0%     +0.0%
c           1      64                     9     16   49.4%   50.0%   50.0%     +0.0%
The fullest, c, keeps 1.00 times its fair share.

shard  as       partitions
a      primary  1 4 6-8 10-11
       replica  0 2-3 5 9 12-15
c      primary  0 2-3 5 9 12-15
       replica  1 4 6-8 10-11";
    assert_eq!(plan, expected, "\n{text}");
}

#[test]
fn a_plan_can_add_reweight_and_remove_at_once() {
    let line = "--shard a --shard b --add c:2 --remove a --reweight b:3";
    let text = told(line).unwrap();
    let plan = "\nPlan: a leaves, b from weight 1 to 3, c joins with weight 2\n";
    assert!(text.contains(plan), "{text}");
    let replaced = told("--shard a --add b --remove a").unwrap();
    assert!(replaced.contains("16 of 16 replicas move; such a change moves at most 16."));
    let same = told("--shard a --shard b --reweight b:1").unwrap();
    assert!(same.contains("Plan: nothing\n0 of 16 replicas move"), "{same}");
}

#[test]
fn a_shard_that_is_too_full_fails_and_anything_mistyped_is_wrong_usage() {
    let failure = |line| tell(told(line).unwrap_err()).unwrap_err();
    let full = failure("--shard a:capacity=3 --shard b");
    assert_eq!(
        describe(&full),
        "error: shard a has a capacity of 3, but 8 fall to it\n  what to do: add a shard, lower the \
         weight of a full one, keep fewer replicas, or raise its capacity"
    );
    assert_eq!(report(&full), std::process::ExitCode::FAILURE);
    for (line, rule) in [
        ("--shard a --shard a", "there are two shards a; a name is given once"),
        ("--shard a:0", "must be from 1 to 1000"),
        ("--shard a:2 --rule sha1", "sha1_u32_unweighted knows no weights but 1"),
        ("--shard a --replicas 2", "2 replicas need as many shards, but there are only 1"),
        ("--shard a --remove b", "there is no shard b"),
        ("--shard a --remove a", "a ring needs at least one shard"),
        ("--shard a --vnodes 0", "too low for a single point"),
    ] {
        let failure = failure(line);
        assert!(describe(&failure).contains(rule), "{line}: {failure:?}");
        assert_eq!(report(&failure), std::process::ExitCode::from(2), "{line}");
    }
}

#[test]
fn the_usual_weight_is_that_of_the_rule() {
    let weights = |line| args(line).ring().unwrap().shards()[0].weight();
    assert_eq!(weights("--shard a"), 1);
    assert_eq!(weights("--shard a --rule md5"), 100);
    assert_eq!(weights("--shard a:7:capacity=2"), 7);
}

#[tokio::test]
async fn without_a_log_there_are_as_many_partitions_as_a_new_one_gets() {
    let dir = tempfile::TempDir::new().unwrap();
    let mut config = Config { data: dir.path().join("none"), ..Config::default() };
    assert_eq!(partitions_of_log(&config).await.unwrap().get(), 64);
    config.partitions = 8;
    assert_eq!(partitions_of_log(&config).await.unwrap().get(), 8);
    assert!(!config.data.exists(), "looking creates nothing");
    store::Store::open(&config, "test").await.unwrap().close().await;
    config.partitions = 64;
    assert_eq!(partitions_of_log(&config).await.unwrap().get(), 8, "a log keeps its own");
}
