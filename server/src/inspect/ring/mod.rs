//! `playhead log ring`: which shards would keep which partitions, and what moves on a change.

mod args;
mod text;

use playhead_eventlog::embedded::OpenError;
use playhead_eventlog::ring::{Change, Load, Placement, Plan, Ring, RingError, Share};
use playhead_eventlog::{EventLog, Partition, PartitionCount};
use serde::Serialize;

pub(super) use self::args::Args;
use crate::config::Config;
use crate::failure::{Advise, Misuse};
use crate::{output, store};

/// Everything there is to say; what `--json` prints.
#[derive(Debug, Serialize)]
struct Answer {
    rule: &'static str,
    /// Points of a shard of the usual weight.
    vnodes: u32,
    partition_count: u16,
    /// How many shards keep each partition, its primary included.
    replicas: usize,
    now: Vec<Row>,
    plan: Option<Changed>,
}

/// A shard and what falls to it.
#[derive(Debug, Serialize)]
struct Row {
    shard: String,
    weight: u32,
    vnodes: u64,
    capacity: Option<u32>,
    /// The part of all possible keys of which it is the primary.
    keys_ppm: u32,
    /// How many partitions it keeps.
    held: u32,
    /// The part of all replicas of all partitions.
    share_ppm: u32,
    /// The part that its weight entitles it to.
    fair_ppm: u32,
    /// By how much its share is more than the fair one, in millionths of the fair one.
    deviation_ppm: i64,
    /// The partitions of which it is the primary.
    primary_of: Vec<u16>,
    /// The other partitions that it keeps.
    replica_of: Vec<u16>,
}

/// What moves, and how it looks afterwards.
#[derive(Debug, Serialize)]
struct Changed {
    changes: Vec<Reweighted>,
    moves: Vec<Moved>,
    handovers: Vec<HandedOver>,
    /// The most moves that such a change can take.
    moves_max: u32,
    /// How many replicas of partitions there are.
    replicas: u32,
    moved_keys_ppm: u32,
    least_ppm: u32,
    afterwards: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Reweighted {
    shard: String,
    weight_before: Option<u32>,
    weight_after: Option<u32>,
}

#[derive(Debug, Serialize)]
struct Moved {
    partition: u16,
    /// Its place among the replicas afterwards; 0 is the primary.
    replica: usize,
    from: String,
    to: String,
}

#[derive(Debug, Serialize)]
struct HandedOver {
    partition: u16,
    from: String,
    to: String,
}

/// Computes the ring and prints it.
pub(super) async fn run(config: &Config, args: &Args) -> anyhow::Result<()> {
    let count = match args.partitions {
        Some(count) => count,
        None => partitions_of_log(config).await?,
    };
    let answer = answer(args, count).or_else(tell)?;
    Ok(output::print(args.json, &answer, || text::of(&answer))?)
}

/// Those of the log in the data directory, or of the one that would be created there.
async fn partitions_of_log(config: &Config) -> anyhow::Result<PartitionCount> {
    match store::open_read_only(config).await {
        Ok(log) => Ok(log.partitions()),
        Err(error) if error.chain().any(is_not_found) => Ok(config.partition_count()),
        Err(error) => Err(error),
    }
}

fn is_not_found(cause: &(dyn std::error::Error + 'static)) -> bool {
    matches!(cause.downcast_ref(), Some(OpenError::NotFound { .. }))
}

/// A shard that is too full is an answer; everything else was mistyped.
fn tell(error: RingError) -> anyhow::Result<Answer> {
    match error {
        RingError::CapacityExceeded(_) => Err(error).advise(|| {
            "add a shard, lower the weight of a full one, keep fewer replicas, or raise its \
             capacity"
                .to_owned()
        }),
        error => Err(Misuse(error.to_string()))
            .advise(|| "see `playhead log ring --help` for the rules and examples".to_owned()),
    }
}

fn answer(args: &Args, count: PartitionCount) -> Result<Answer, RingError> {
    let before = args.ring()?;
    let after = args.changed(&before)?;
    let replicas = args.replicas;
    let placed = match &after {
        // A plan may be the way out of a ring that is too full.
        Some(_) => Placement::regardless_of_capacity(&before, count, replicas)?,
        None => Placement::new(&before, count, replicas)?,
    };
    let plan = after.map(|after| changed(&before, &after, count, replicas)).transpose()?;
    Ok(Answer {
        rule: before.rule().name(),
        vnodes: before.vnodes(),
        partition_count: count.get(),
        replicas,
        now: rows(&before, &placed),
        plan,
    })
}

fn changed(
    before: &Ring,
    after: &Ring,
    count: PartitionCount,
    replicas: usize,
) -> Result<Changed, RingError> {
    let plan = Plan::between(before, after, count, replicas)?;
    let placed = Placement::new(after, count, replicas)?;
    let reweighted = |Change { shard, weight_before, weight_after }| Reweighted {
        shard,
        weight_before,
        weight_after,
    };
    let moves = plan.moves.into_iter().map(|step| Moved {
        partition: step.partition.0,
        replica: step.replica,
        from: step.from,
        to: step.to,
    });
    let handovers = plan.handovers.into_iter().map(|step| HandedOver {
        partition: step.partition.0,
        from: step.from,
        to: step.to,
    });
    Ok(Changed {
        changes: plan.changes.into_iter().map(reweighted).collect(),
        moves: moves.collect(),
        handovers: handovers.collect(),
        moves_max: plan.moves_max,
        replicas: plan.replicas,
        moved_keys_ppm: plan.moved_keys.ppm(),
        least_ppm: plan.least.ppm(),
        afterwards: rows(after, &placed),
    })
}

fn rows(ring: &Ring, placed: &Placement) -> Vec<Row> {
    let row = |(load, keys): (Load, Share)| {
        let shard = &load.shard;
        let (primary, other): (Vec<_>, Vec<_>) =
            placed.held_by(shard.name()).into_iter().partition(|(_, replica)| *replica == 0);
        let numbers = |held: Vec<(Partition, usize)>| {
            held.into_iter().map(|(partition, _)| partition.0).collect()
        };
        Row {
            shard: shard.name().to_owned(),
            weight: shard.weight(),
            vnodes: ring.vnodes_of(shard),
            capacity: shard.capacity(),
            keys_ppm: keys.ppm(),
            held: load.held,
            share_ppm: load.share.ppm(),
            fair_ppm: load.fair.ppm(),
            deviation_ppm: load.deviation_ppm(),
            primary_of: numbers(primary),
            replica_of: numbers(other),
        }
    };
    placed.loads().into_iter().zip(ring.parts()).map(row).collect()
}

#[cfg(test)]
mod tests;
