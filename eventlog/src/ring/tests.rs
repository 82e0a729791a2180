use super::*;
use crate::stream::{Partition, PartitionCount};

fn shard(name: &str, weight: u32) -> Shard {
    Shard::new(name, weight).unwrap()
}

fn ring(shards: &[(&str, u32)]) -> Ring {
    Ring::new(Rule::DEFAULT, shards.iter().map(|(name, weight)| shard(name, *weight))).unwrap()
}

const COUNT: PartitionCount = PartitionCount::DEFAULT;

#[test]
fn each_broken_rule_of_a_shard_names_the_field_and_the_rule() {
    let name = |name: &str| Shard::new(name, 1).unwrap_err().to_string();
    assert_eq!(name(""), "the name of a shard is empty");
    assert_eq!(
        name(&"x".repeat(101)),
        "the name of a shard has 101 bytes; at most 100 are allowed"
    );
    for bad in ["a b", "é", "a\n"] {
        assert!(name(bad).contains("not printable ASCII, or a space"), "{bad:?}");
    }
    for weight in [0, 1_001, u32::MAX] {
        assert_eq!(
            Shard::new("a", weight).unwrap_err().to_string(),
            format!("the weight of shard a is {weight}; it must be from 1 to 1000")
        );
    }
    let zero = shard("a", 1).with_capacity(0).unwrap_err();
    assert_eq!(zero.to_string(), "the capacity of shard a is 0; it must be at least 1");
}

#[test]
fn each_broken_rule_of_a_ring_has_its_own_error() {
    let of = |rule, shards: &[Shard]| Ring::new(rule, shards.iter().cloned()).unwrap_err();
    assert_eq!(of(Rule::DEFAULT, &[]), RingError::NoShard);
    let twice = of(Rule::DEFAULT, &[shard("a", 1), shard("b", 1), shard("a", 2)]);
    assert_eq!(twice, RingError::NameTwice { shard: "a".to_owned() });
    let weighted = of(Rule::Sha1U32Unweighted, &[shard("a", 2)]).to_string();
    assert_eq!(
        weighted,
        "the weight of shard a is 2, but sha1_u32_unweighted knows no weights but 1"
    );
    let light = Ring::with_vnodes(Rule::Md5U32Weighted, 50, [shard("a", 1)]).unwrap_err();
    assert!(matches!(light, RingError::NoVnode { weight: 1, .. }), "{light}");
    let many: Vec<_> = (0..=SHARDS_MAX).map(|number| shard(&number.to_string(), 1)).collect();
    assert_eq!(of(Rule::DEFAULT, &many), RingError::TooManyShards { shards: 1_025 });
    let heavy: Vec<_> = (0..5).map(|number| shard(&number.to_string(), WEIGHT_MAX)).collect();
    assert_eq!(of(Rule::DEFAULT, &heavy), RingError::TooManyVnodes { vnodes: 320_000 });
    let dense = Ring::with_vnodes(Rule::DEFAULT, u32::MAX, heavy).unwrap_err();
    assert!(matches!(dense, RingError::TooManyVnodes { .. }), "{dense}");
}

#[test]
fn a_shard_that_is_unknown_or_the_last_cannot_be_removed() {
    let one = ring(&[("a", 1)]);
    let unknown = RingError::NoSuchShard { shard: "b".to_owned() };
    assert_eq!(one.remove("b").unwrap_err(), unknown);
    assert_eq!(one.reweight("b", 2).unwrap_err(), unknown);
    assert_eq!(one.remove("a").unwrap_err().to_string(), "a ring needs at least one shard");
    assert!(matches!(one.add(shard("a", 2)), Err(RingError::NameTwice { .. })));
    assert!(matches!(one.reweight("a", 0), Err(RingError::WeightOutOfRange { .. })));
}

#[test]
fn replicas_are_from_one_to_as_many_as_there_are_shards() {
    let two = ring(&[("a", 1), ("b", 1)]);
    for replicas in [0, 17] {
        let error = two.locate("key", replicas).unwrap_err();
        assert_eq!(error, RingError::ReplicasOutOfRange { replicas });
    }
    assert_eq!(
        two.locate("key", 3).unwrap_err().to_string(),
        "3 replicas need as many shards, but there are only 2"
    );
    assert_eq!(two.locate("key", 2).unwrap().len(), 2);
}

#[test]
fn a_key_belongs_to_the_point_at_its_position_and_above_the_last_to_the_first() {
    let point = |position, shard, index| Point { position, shard, index };
    let shards = vec![shard("a", 1), shard("b", 1), shard("c", 1)];
    let points = vec![point(10, 2, 0), point(20, 0, 0), point(20, 1, 0), point(30, 2, 1)];
    let ring = Ring { rule: Rule::DEFAULT, vnodes: 1, shards, points };
    let expected = [(0, [2, 0, 1]), (10, [2, 0, 1]), (11, [0, 1, 2]), (20, [0, 1, 2])];
    for (position, owners) in expected.into_iter().chain([(21, [2, 0, 1]), (31, [2, 0, 1])]) {
        assert_eq!(ring.owners(position, 3), owners, "{position}");
    }
}

/// Two points of 32 bits that fall together, found by trying names in order.
#[test]
fn points_at_one_position_are_ordered_by_their_keys() {
    let rule = Rule::Md5U32Weighted;
    let mut seen = std::collections::HashMap::new();
    let (a, b) = (0..400_000u32)
        .map(|number| format!("s{number}"))
        .find_map(|name| {
            let position = rule.position(&rule.vnode_key(&name, 0));
            seen.insert(position, name.clone()).map(|other| (other, name))
        })
        .expect("of so many names two collide");
    let of = |names: [&str; 2]| Ring::with_vnodes(rule, 1, names.map(|name| shard(name, 100)));
    let (one, other) = (of([&a, &b]).unwrap(), of([&b, &a]).unwrap());
    assert_eq!(one, other);
    assert_eq!(one.points[0].position, one.points[1].position);
    let first = if rule.vnode_key(&a, 0) < rule.vnode_key(&b, 0) { &a } else { &b };
    assert_eq!(one.locate("key", 1).unwrap(), [first]);
}

/// Computed with a Python program of a dozen lines.
#[test]
fn the_places_of_partitions_never_change() {
    let placement = Placement::new(&ring(&[("a", 2), ("b", 1), ("c", 1)]), COUNT, 2).unwrap();
    let of = |partition| placement.shards_of(Partition(partition)).collect::<Vec<_>>();
    let expected = [["b", "c"], ["a", "c"], ["b", "a"], ["c", "a"]];
    assert_eq!([of(0), of(1), of(17), of(63)], expected);
    assert!(of(64).is_empty(), "there is no such partition");
}

#[test]
fn a_full_shard_refuses_and_says_what_falls_to_it() {
    let tight = |capacity| {
        let c = shard("c", 1).with_capacity(capacity).unwrap();
        ring(&[("a", 2), ("b", 1)]).add(c).unwrap()
    };
    let held = Placement::new(&tight(64), COUNT, 2).unwrap().loads()[2].held;
    assert!(Placement::new(&tight(held), COUNT, 2).is_ok(), "exactly full is not too full");
    assert_eq!(
        Placement::new(&tight(held - 1), COUNT, 2).unwrap_err().to_string(),
        format!("shard c has a capacity of {}, but {held} fall to it", held - 1)
    );
    let full = tight(1);
    assert!(Placement::regardless_of_capacity(&full, COUNT, 2).is_ok());
    assert!(Plan::between(&full, &full.remove("c").unwrap(), COUNT, 2).is_ok(), "the way out");
    assert!(Plan::between(&full.remove("c").unwrap(), &full, COUNT, 2).is_err());
}

#[test]
fn fair_shares_follow_weights_until_a_shard_keeps_everything() {
    let ppm = |shards, replicas| -> Vec<u32> {
        share::fair(&ring(shards), replicas).into_iter().map(Share::ppm).collect()
    };
    assert_eq!(ppm(&[("a", 2), ("b", 1), ("c", 1)], 1), [500_000, 250_000, 250_000]);
    assert_eq!(ppm(&[("a", 8), ("b", 1), ("c", 1)], 2), [500_000, 250_000, 250_000]);
    assert_eq!(ppm(&[("a", 8), ("b", 1), ("c", 1)], 3), [333_333; 3]);
}

#[test]
fn loads_add_up_and_tell_how_far_they_stray() {
    let placement = Placement::new(&ring(&[("a", 2), ("b", 1), ("c", 1)]), COUNT, 2).unwrap();
    let loads = placement.loads();
    assert_eq!(loads.iter().map(|load| load.primaries).sum::<u32>(), 64);
    assert_eq!(loads.iter().map(|load| load.held).sum::<u32>(), 128);
    for load in &loads {
        let held = placement.held_by(load.shard.name());
        assert_eq!(held.len(), usize::try_from(load.held).unwrap());
        let primaries = held.iter().filter(|(_, replica)| *replica == 0).count();
        assert_eq!(primaries, usize::try_from(load.primaries).unwrap());
        let by_hand = i64::from(load.share.ppm()) * 1_000_000 / i64::from(load.fair.ppm());
        assert!((load.deviation_ppm() + 1_000_000 - by_hand).abs() < 10, "{load:?}");
    }
    let worst = loads.iter().map(Load::deviation_ppm).max().unwrap();
    assert_eq!(i64::try_from(placement.peak_ppm()).unwrap(), worst + 1_000_000);
}

#[test]
fn rings_of_different_rules_or_points_have_no_plan() {
    let one = ring(&[("a", 1)]);
    for other in [
        Ring::new(Rule::Sha1U32Unweighted, [shard("a", 1)]).unwrap(),
        Ring::with_vnodes(Rule::DEFAULT, 65, [shard("a", 1)]).unwrap(),
    ] {
        let refused = Plan::between(&one, &other, COUNT, 1).unwrap_err();
        assert!(matches!(refused, RingError::RulesDiffer { .. }), "{refused}");
    }
    let same = Plan::between(&one, &one, COUNT, 1).unwrap();
    assert!(same.moves.is_empty() && same.changes.is_empty() && same.moved_keys.is_nothing());
}

#[test]
fn the_least_movement_is_what_the_weights_gain() {
    let before = ring(&[("a", 1), ("b", 1), ("c", 2)]);
    let least = |after: Ring| Plan::between(&before, &after, COUNT, 1).unwrap().least.ppm();
    assert_eq!(least(before.add(shard("d", 1)).unwrap()), 200_000);
    assert_eq!(least(before.remove("c").unwrap()), 500_000);
    assert_eq!(least(before.reweight("a", 5).unwrap()), 375_000);
}
