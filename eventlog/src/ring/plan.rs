//! What moves when a ring changes, and how much at most.

use std::collections::BTreeMap;

use super::{Load, Placement, Ring, RingError, Shard, Share, share, sweep};
use crate::stream::{Partition, PartitionCount};

/// The way from one placement to another.
///
/// Only what must move does. Where a shard was added or raised, everything moves *to* it; where one
/// was removed or lowered, everything moves *away from* it; if it is the only change, exactly
/// [`Plan::moves_max`] replicas move when it was added or removed, and fewer when its weight
/// changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The shards that differ, by name.
    pub changes: Vec<Change>,
    /// What has to be copied, in order of partitions.
    pub moves: Vec<Move>,
    /// Where another shard becomes the primary that kept the partition before; nothing is copied.
    pub handovers: Vec<Handover>,
    /// The bound of the moves: what the shards that gain hold afterwards, and what those that lose
    /// held before, but never more than all replicas there are.
    ///
    /// Why it holds: take from both rings the points that the other has not. Between that ring and
    /// either one a partition's shards differ only by shards that have more points there.
    pub moves_max: u32,
    /// How many replicas of partitions there are.
    pub replicas: u32,
    /// Which part of all possible keys moves, counted in replicas: the arcs of the circle with
    /// other shards, over the whole. This is exact for keys, and what to expect of partitions:
    /// n replicas move about n times this, give or take the square root of that.
    pub moved_keys: Share,
    /// The part that would have to move even if both rings met their weights exactly: for a shard
    /// of weight w that joins W others without replicas, w / (W + w).
    pub least: Share,
}

/// A shard that differs between two rings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The shard.
    pub shard: String,
    /// Its weight before; `None` if it joins.
    pub weight_before: Option<u32>,
    /// Its weight afterwards; `None` if it leaves.
    pub weight_after: Option<u32>,
}

/// A replica of a partition that has to be copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// Which partition.
    pub partition: Partition,
    /// Its place among the replicas afterwards; 0 is the primary.
    pub replica: usize,
    /// The shard that keeps it no longer.
    pub from: String,
    /// The shard that did not keep it before.
    pub to: String,
}

/// A partition whose new primary has kept it before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handover {
    /// Which partition.
    pub partition: Partition,
    /// The primary before.
    pub from: String,
    /// The primary afterwards.
    pub to: String,
}

impl Plan {
    /// What moves between two rings. That `before` is too full is no error: a plan may be the way
    /// out.
    ///
    /// # Errors
    /// The rings have different rules or points, fewer shards than replicas, or a shard could not
    /// take what falls to it afterwards.
    pub fn between(
        before: &Ring,
        after: &Ring,
        count: PartitionCount,
        replicas: usize,
    ) -> Result<Self, RingError> {
        let kind = |ring: &Ring| format!("{} of {} points", ring.rule(), ring.vnodes());
        if (before.rule(), before.vnodes()) != (after.rule(), after.vnodes()) {
            return Err(RingError::RulesDiffer { before: kind(before), after: kind(after) });
        }
        let old = Placement::regardless_of_capacity(before, count, replicas)?;
        let new = Placement::new(after, count, replicas)?;
        let changes = changes(before, after);
        let (mut moves, mut handovers) = (Vec::new(), Vec::new());
        for partition in count.all() {
            let old: Vec<&str> = old.shards_of(partition).collect();
            let new: Vec<&str> = new.shards_of(partition).collect();
            let left = old.iter().filter(|shard| !new.contains(shard));
            let joined = new.iter().enumerate().filter(|(_, shard)| !old.contains(shard));
            moves.extend(left.zip(joined).map(|(from, (replica, to))| Move {
                partition,
                replica,
                from: (*from).to_owned(),
                to: (*to).to_owned(),
            }));
            if let (Some(from), Some(to)) = (old.first(), new.first())
                && from != to
                && old.contains(to)
            {
                handovers.push(Handover { partition, from: (*from).into(), to: (*to).into() });
            }
        }
        let all: u32 = new.loads().iter().map(|load| load.held).sum();
        Ok(Self {
            moves_max: bound(&changes, &old.loads(), &new.loads()).min(all),
            changes,
            moves,
            handovers,
            replicas: all,
            moved_keys: sweep::moved_keys(before, after, replicas),
            least: least(before, after, replicas),
        })
    }
}

impl Change {
    /// Whether the shard joins or gets a higher weight.
    #[must_use]
    pub fn gains(&self) -> bool {
        self.weight_after > self.weight_before
    }
}

/// Every name of the two rings with the shard on either side, in order.
pub(super) fn side_by_side<'a>(
    before: &'a Ring,
    after: &'a Ring,
) -> BTreeMap<&'a str, (Option<&'a Shard>, Option<&'a Shard>)> {
    let names = before.shards().iter().chain(after.shards()).map(Shard::name);
    names.map(|name| (name, (before.shard(name), after.shard(name)))).collect()
}

fn changes(before: &Ring, after: &Ring) -> Vec<Change> {
    let change = |(name, (old, new)): (&str, (Option<&Shard>, Option<&Shard>))| Change {
        shard: name.to_owned(),
        weight_before: old.map(Shard::weight),
        weight_after: new.map(Shard::weight),
    };
    let all = side_by_side(before, after).into_iter().map(change);
    all.filter(|change| change.weight_before != change.weight_after).collect()
}

fn bound(changes: &[Change], old: &[Load], new: &[Load]) -> u32 {
    let held = |change: &Change| {
        let loads = if change.gains() { new } else { old };
        let load = loads.iter().find(|load| load.shard.name() == change.shard);
        load.map_or(0, |load| load.held)
    };
    changes.iter().map(held).sum()
}

fn least(before: &Ring, after: &Ring, replicas: usize) -> Share {
    let shares = |ring: &Ring| -> BTreeMap<String, Share> {
        let names = ring.shards().iter().map(|shard| shard.name().to_owned());
        names.zip(share::fair(ring, replicas)).collect()
    };
    let (old, new) = (shares(before), shares(after));
    let share =
        |of: &BTreeMap<String, Share>, name| of.get(name).copied().unwrap_or(Share::NOTHING);
    let names = side_by_side(before, after);
    share::least_moved(names.keys().map(|name| (share(&old, *name), share(&new, *name))))
}
