//! What holds of every ring: balance, least movement, stability.

use playhead_eventlog::PartitionCount;
use playhead_eventlog::ring::{Placement, Plan, Ring, Rule, Shard, Share};
use proptest::prelude::*;

/// How many points a shard of the usual weight has.
#[derive(Clone, Copy)]
enum Points {
    OfTheRule,
    Many,
}

fn rule() -> impl Strategy<Value = Rule> {
    prop::sample::select(Rule::ALL.to_vec())
}

/// A ring of 1 to 8 shards of weights from 1 to 4 times the usual one, where there are weights.
fn ring(rule: impl Strategy<Value = Rule>, points: Points) -> impl Strategy<Value = Ring> {
    let shards = prop::collection::btree_map("[a-z0-9.-]{1,12}", 1u32..=4, 1..=8);
    (rule, shards).prop_map(move |(rule, shards)| {
        let shards = shards.into_iter().map(|(name, times)| shard(rule, &name, times));
        let vnodes = match points {
            Points::OfTheRule => rule.vnodes_default(),
            Points::Many => 1_024,
        };
        Ring::with_vnodes(rule, vnodes, shards).unwrap()
    })
}

fn shard(rule: Rule, name: &str, times: u32) -> Shard {
    let times = if rule.is_weighted() { times } else { 1 };
    Shard::new(name, times * rule.weight_usual()).unwrap()
}

/// A number of replicas that the ring has shards for.
fn some_replicas(ring: &Ring, wish: usize) -> usize {
    1 + wish % ring.shards().len().min(4)
}

/// Every shard's part of the keys over the part of its weight, in millionths.
fn parts_ppm(ring: &Ring) -> Vec<u64> {
    let weights: u32 = ring.shards().iter().map(Shard::weight).sum();
    let over = |(shard, part): (&Shard, Share)| {
        u64::from(part.ppm()) * u64::from(weights) / u64::from(shard.weight())
    };
    ring.shards().iter().zip(ring.parts()).map(over).collect()
}

/// The moves of a plan are few, agree with both placements, and follow from the exact part.
fn check(before: &Ring, after: &Ring, count: PartitionCount, replicas: usize) -> Plan {
    let plan = Plan::between(before, after, count, replicas).unwrap();
    let moved = u32::try_from(plan.moves.len()).unwrap();
    assert!(moved <= plan.moves_max, "{moved} > {}", plan.moves_max);
    for step in &plan.moves {
        let place = |ring| Placement::new(ring, count, replicas).unwrap();
        let holds = |placement: &Placement, name: &str| {
            placement.shards_of(step.partition).position(|shard| shard == name)
        };
        let (old, new) = (place(before), place(after));
        assert!(holds(&old, &step.from).is_some() && holds(&new, &step.from).is_none());
        assert!(holds(&old, &step.to).is_none());
        assert_eq!(holds(&new, &step.to), Some(step.replica));
    }
    plan
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_order_of_shards_does_not_matter(
        (ring, shuffled) in ring(rule(), Points::OfTheRule).prop_flat_map(|ring| {
            let shards = Just(ring.shards().to_vec()).prop_shuffle();
            (Just(ring), shards)
        }),
        key in ".{0,40}",
    ) {
        let mut shards = shuffled.into_iter();
        let mut grown = Ring::new(ring.rule(), shards.next()).unwrap();
        for shard in shards {
            grown = grown.add(shard).unwrap();
        }
        prop_assert_eq!(&grown, &ring);
        let all = ring.shards().len();
        prop_assert_eq!(grown.locate(&key, all).unwrap(), ring.locate(&key, all).unwrap());
    }

    #[test]
    fn replicas_are_different_and_more_of_them_begin_the_same(
        ring in ring(rule(), Points::OfTheRule),
        key in ".{0,40}",
    ) {
        let all = ring.locate(&key, ring.shards().len()).unwrap();
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        prop_assert_eq!(different.len(), ring.shards().len());
        for replicas in 1..=all.len() {
            prop_assert_eq!(&ring.locate(&key, replicas).unwrap(), &all[..replicas]);
        }
    }

    #[test]
    fn with_64_points_parts_are_within_two_fifths_and_twice_the_weight(
        ring in ring(Just(Rule::Sha256U64Weighted), Points::OfTheRule),
    ) {
        for part in parts_ppm(&ring) {
            prop_assert!((400_000..=2_000_000).contains(&part), "{part} of {ring:?}");
        }
    }

    #[test]
    fn with_1024_points_parts_are_within_a_fifth_and_a_quarter_of_the_weight(
        ring in ring(rule(), Points::Many),
    ) {
        for part in parts_ppm(&ring) {
            prop_assert!((800_000..=1_250_000).contains(&part), "{part} of {:?}", ring.shards());
        }
    }

    #[test]
    fn a_shard_that_joins_only_takes_and_one_that_leaves_only_gives(
        ring in ring(rule(), Points::OfTheRule),
        times in 1u32..=4,
        wish in 0usize..4,
    ) {
        let count = PartitionCount::DEFAULT;
        let replicas = some_replicas(&ring, wish);
        let with = ring.add(shard(ring.rule(), "NEW", times)).unwrap();
        let joining = check(&ring, &with, count, replicas);
        prop_assert!(joining.moves.iter().all(|step| step.to == "NEW"));
        prop_assert!(joining.handovers.is_empty(), "to join makes no other shard primary");
        prop_assert_eq!(u32::try_from(joining.moves.len()).unwrap(), joining.moves_max);
        let leaving = check(&with, &ring, count, replicas);
        prop_assert!(leaving.moves.iter().all(|step| step.from == "NEW"));
        prop_assert!(leaving.handovers.iter().all(|step| step.from == "NEW"));
        prop_assert_eq!(leaving.moves.len(), joining.moves.len());
        prop_assert_eq!(leaving.moves_max, joining.moves_max);
        prop_assert_eq!(leaving.moved_keys, joining.moved_keys);
    }

    #[test]
    fn parts_add_up_and_a_part_is_what_its_shard_gives_when_it_leaves(
        ring in ring(rule(), Points::OfTheRule),
    ) {
        let parts = ring.parts();
        let sum: u32 = parts.iter().map(|part| part.ppm()).sum();
        prop_assert!(sum.abs_diff(1_000_000) <= 8, "rounded {sum}");
        for (shard, part) in ring.shards().iter().zip(parts) {
            let Ok(without) = ring.remove(shard.name()) else { continue };
            let plan = Plan::between(&ring, &without, PartitionCount::DEFAULT, 1).unwrap();
            prop_assert_eq!(plan.moved_keys, part);
        }
    }

    #[test]
    fn another_weight_moves_in_one_direction_only(
        ring in ring(prop::sample::select(vec![Rule::ALL[0], Rule::ALL[2]]), Points::OfTheRule),
        (which, times, wish) in (any::<prop::sample::Index>(), 1u32..=6, 0usize..4),
    ) {
        let replicas = some_replicas(&ring, wish);
        let changed = which.get(ring.shards());
        let weight = times * ring.rule().weight_usual();
        let after = ring.reweight(changed.name(), weight).unwrap();
        let plan = check(&ring, &after, PartitionCount::DEFAULT, replicas);
        let gains = weight > changed.weight();
        for step in &plan.moves {
            prop_assert_eq!(if gains { &step.to } else { &step.from }, changed.name());
        }
        for step in &plan.handovers {
            prop_assert_eq!(if gains { &step.to } else { &step.from }, changed.name());
        }
        prop_assert_eq!(plan.changes.is_empty(), weight == changed.weight());
    }

    #[test]
    fn any_two_rings_keep_the_bound(
        (before, after) in rule().prop_flat_map(|rule| {
            (ring(Just(rule), Points::OfTheRule), ring(Just(rule), Points::OfTheRule), 0usize..8)
        }).prop_map(|(before, other, kept)| {
            // Some shards stay, with another weight or the same.
            let kept = before.shards().iter().take(kept).cloned();
            let mut shards: Vec<_> = kept.chain(other.shards().iter().cloned()).collect();
            shards.sort_by(|a, b| a.name().cmp(b.name()));
            shards.dedup_by(|a, b| a.name() == b.name());
            let after = Ring::new(before.rule(), shards).unwrap();
            (before, after)
        }),
        wish in 0usize..4,
    ) {
        let replicas = some_replicas(&before, wish).min(some_replicas(&after, wish));
        check(&before, &after, PartitionCount::DEFAULT, replicas);
    }

    #[test]
    fn the_exact_part_of_the_keys_foretells_how_many_partitions_move(
        ring in ring(rule(), Points::OfTheRule),
        times in 1u32..=4,
        wish in 0usize..4,
    ) {
        let count = PartitionCount::new(4_096).unwrap();
        let replicas = some_replicas(&ring, wish);
        let with = ring.add(shard(ring.rule(), "NEW", times)).unwrap();
        let plan = Plan::between(&ring, &with, count, replicas).unwrap();
        let moved = f64::from(u32::try_from(plan.moves.len()).unwrap());
        let expected = f64::from(plan.moved_keys.ppm()) / 1e6 * f64::from(plan.replicas);
        // Each partition moves one replica or none: six standard deviations, and rounding.
        prop_assert!((moved - expected).abs() <= 6.0 * expected.sqrt() + 2.0, "{moved} {expected}");
    }

    #[test]
    fn with_64_points_what_moves_is_at_most_twice_the_least(
        ring in ring(Just(Rule::Sha256U64Weighted), Points::OfTheRule),
        times in 1u32..=4,
    ) {
        let with = ring.add(shard(ring.rule(), "NEW", times)).unwrap();
        let plan = Plan::between(&ring, &with, PartitionCount::DEFAULT, 1).unwrap();
        prop_assert!(plan.moved_keys.ppm() <= 2 * plan.least.ppm());
    }
}
