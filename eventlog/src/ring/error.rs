//! Why there is no such ring, placement or plan.

use thiserror::Error;

use super::{NAME_BYTES_MAX, REPLICAS_MAX, Rule, SHARDS_MAX, VNODES_MAX, WEIGHT_MAX};

/// The rule that a ring, a placement or a plan would break.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RingError {
    /// A shard without a name.
    #[error("the name of a shard is empty")]
    NameEmpty,
    /// The name is longer than [`NAME_BYTES_MAX`].
    #[error("the name of a shard has {bytes} bytes; at most {NAME_BYTES_MAX} are allowed")]
    NameTooLong {
        /// The length of the name as given.
        bytes: usize,
    },
    /// The name has a character outside printable ASCII, or a space.
    #[error("the name of shard {name:?} has a character that is not printable ASCII, or a space")]
    NameNotPrintable {
        /// The name as given.
        name: String,
    },
    /// Two shards of the same name.
    #[error("there are two shards {shard}; a name is given once")]
    NameTwice {
        /// The name.
        shard: String,
    },
    /// The weight is 0, or above [`WEIGHT_MAX`].
    #[error("the weight of shard {shard} is {weight}; it must be from 1 to {WEIGHT_MAX}")]
    WeightOutOfRange {
        /// The shard.
        shard: String,
        /// Its weight as given.
        weight: u32,
    },
    /// A weight where the rule knows none.
    #[error("the weight of shard {shard} is {weight}, but {rule} knows no weights but 1")]
    WeightWithoutMeaning {
        /// The shard.
        shard: String,
        /// Its weight as given.
        weight: u32,
        /// The rule.
        rule: Rule,
    },
    /// The weight is so low that the shard gets no point and would never hold anything.
    #[error("the weight of shard {shard} is {weight}, too low for a single point by {rule}")]
    NoVnode {
        /// The shard.
        shard: String,
        /// Its weight as given.
        weight: u32,
        /// The rule.
        rule: Rule,
    },
    /// The shard could hold nothing.
    #[error("the capacity of shard {shard} is 0; it must be at least 1")]
    CapacityZero {
        /// The shard.
        shard: String,
    },
    /// A ring needs a shard, so the last one stays.
    #[error("a ring needs at least one shard")]
    NoShard,
    /// More than [`SHARDS_MAX`].
    #[error("there are {shards} shards; at most {SHARDS_MAX} are allowed")]
    TooManyShards {
        /// How many were given.
        shards: usize,
    },
    /// More points than [`VNODES_MAX`]: too many shards of too high weights.
    #[error("the shards would have {vnodes} points; at most {VNODES_MAX} are allowed")]
    TooManyVnodes {
        /// How many there would be.
        vnodes: u64,
    },
    /// The ring has no such shard.
    #[error("there is no shard {shard}")]
    NoSuchShard {
        /// The name as given.
        shard: String,
    },
    /// Each key is kept at least once and at most [`REPLICAS_MAX`] times.
    #[error("{replicas} replicas were asked for; it must be from 1 to {REPLICAS_MAX}")]
    ReplicasOutOfRange {
        /// How many were asked for.
        replicas: usize,
    },
    /// Replicas are kept on different shards, and there are not so many.
    #[error("{replicas} replicas need as many shards, but there are only {shards}")]
    TooFewShards {
        /// How many replicas were asked for.
        replicas: usize,
        /// How many shards there are.
        shards: usize,
    },
    /// More falls to a shard than it can take. Nothing is placed elsewhere instead.
    #[error("{}", full(.0))]
    CapacityExceeded(Vec<Overfull>),
    /// Between rings of different rules or points nearly everything would move, so there is no
    /// plan.
    #[error("a plan needs two rings of the same rule and points: {before} is not {after}")]
    RulesDiffer {
        /// Rule and points before.
        before: String,
        /// Rule and points after.
        after: String,
    },
}

/// A shard to which more falls than it can take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overfull {
    /// The shard.
    pub shard: String,
    /// How many replicas it takes at most.
    pub capacity: u32,
    /// How many fall to it.
    pub demand: u32,
}

fn full(shards: &[Overfull]) -> String {
    let one = |Overfull { shard, capacity, demand }: &Overfull| {
        format!("shard {shard} has a capacity of {capacity}, but {demand} fall to it")
    };
    shards.iter().map(one).collect::<Vec<_>>().join("; ")
}
