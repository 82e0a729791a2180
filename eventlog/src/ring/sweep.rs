//! Goes around two circles at once and measures where they differ.

use std::collections::BTreeMap;

use super::plan::side_by_side;
use super::{Point, Ring, Share};

/// Which part of all replicas of all possible keys is on another shard: exact.
pub(super) fn moved_keys(before: &Ring, after: &Ring, replicas: usize) -> Share {
    let numbers = |ring: &Ring| -> Vec<u16> {
        let everyone = side_by_side(before, after).into_keys();
        let everyone: BTreeMap<&str, u16> = everyone.zip(0u16..).collect();
        ring.shards().iter().filter_map(|shard| everyone.get(shard.name()).copied()).collect()
    };
    let (mut old, mut new) =
        (Walk::start(before, numbers(before)), Walk::start(after, numbers(after)));
    let positions = before.rule().positions();
    // What lies above every point belongs to the first point: the circle closes there.
    let (mut moved, mut above) = (0u128, positions);
    loop {
        let joined = u128::try_from(joined(&old, &new, replicas)).unwrap_or(0);
        let Some(next) = old.next().max(new.next()) else {
            moved += above * joined;
            break;
        };
        let next_above = u128::from(next) + 1;
        moved += (above - next_above) * joined;
        above = next_above;
        old.pass(next);
        new.pass(next);
    }
    Share::of(moved, positions * u128::try_from(replicas).unwrap_or(1))
}

/// Which part of all possible keys each shard is the primary of: exact.
pub(super) fn parts(ring: &Ring) -> Vec<Share> {
    let positions = ring.rule().positions();
    let mut owned = vec![0u128; ring.shards().len()];
    let mut own = |shard: u16, arc: u128| {
        if let Some(owned) = owned.get_mut(usize::from(shard)) {
            *owned += arc;
        }
    };
    let mut below = 0u128;
    for point in &ring.points {
        let end = u128::from(point.position) + 1;
        own(point.shard, end - below);
        below = end;
    }
    if let Some(first) = ring.points.first() {
        own(first.shard, positions - below);
    }
    owned.into_iter().map(|owned| Share::of(owned, positions)).collect()
}

/// How many of a key's shards did not keep it before.
fn joined(old: &Walk<'_>, new: &Walk<'_>, replicas: usize) -> usize {
    let old = old.order.get(..replicas).unwrap_or(&old.order);
    let new = new.order.get(..replicas).unwrap_or(&new.order);
    if old == new { 0 } else { new.iter().filter(|shard| !old.contains(shard)).count() }
}

/// A walk down the circle that knows which shards come next when one looks up: passing a point
/// puts its shard to the front.
struct Walk<'a> {
    points: std::iter::Peekable<std::iter::Rev<std::slice::Iter<'a, Point>>>,
    /// What both walks call the shards of this ring.
    numbers: Vec<u16>,
    /// Every shard, the first that comes at the front.
    order: Vec<u16>,
}

impl<'a> Walk<'a> {
    /// Above the highest point, where the lowest comes next.
    fn start(ring: &'a Ring, numbers: Vec<u16>) -> Self {
        let around = ring.points.iter().rev().peekable();
        let mut walk = Self { points: around.clone(), order: numbers.clone(), numbers };
        walk.pass(0);
        walk.points = around;
        walk
    }

    /// The position of the next point below.
    fn next(&mut self) -> Option<u64> {
        self.points.peek().map(|point| point.position)
    }

    /// Goes below every point down to this position.
    fn pass(&mut self, position: u64) {
        while let Some(point) = self.points.next_if(|point| point.position >= position) {
            let Some(shard) = self.numbers.get(usize::from(point.shard)) else { continue };
            let place = self.order.iter().position(|other| other == shard);
            if let Some(front) = place.and_then(|place| self.order.get_mut(..=place)) {
                front.rotate_right(1);
            }
        }
    }
}
