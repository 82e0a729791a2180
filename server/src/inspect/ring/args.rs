//! How rings and their changes are typed.

use std::str::FromStr;

use clap::ValueEnum;
use playhead_eventlog::PartitionCount;
use playhead_eventlog::ring::{REPLICAS_MAX, Ring, RingError, Rule, Shard};

/// The shards, and what should change.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  playhead log ring --shard a:2 --shard b --shard c
  playhead log ring --shard a --shard b --shard c:1:capacity=40 --replicas 2
  playhead log ring --shard a --shard b --add c:2        what moves to a new shard
  playhead log ring --shard a --shard b --remove b       what moves from one that leaves
  playhead log ring --shard a --shard b --reweight a:3 --json | jq .plan.moves

A shard is NAME, NAME:WEIGHT, NAME:capacity=N or NAME:WEIGHT:capacity=N; the weight is 1 unless
given, or 100 with --rule md5. Exit status 1 if more falls to a shard than its capacity.")]
pub struct Args {
    /// A shard: a:2 has weight 2, a:2:capacity=40 takes at most 40 partitions; may be given again
    #[arg(long = "shard", value_name = "SHARD", required = true)]
    pub shards: Vec<ShardArg>,
    /// How many shards keep each partition, its primary included
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = replicas)]
    pub replicas: usize,
    /// How many partitions; a power of two [default: those of the log in --data]
    #[arg(long, value_name = "N", value_parser = partitions)]
    pub partitions: Option<PartitionCount>,
    /// How shards and partitions are hashed
    #[arg(long, value_enum, default_value_t = RuleArg::Sha256)]
    pub rule: RuleArg,
    /// Points of a shard of the usual weight; more are more even [default: those of the rule]
    #[arg(long, value_name = "N")]
    pub vnodes: Option<u32>,
    /// Plan: this shard joins; may be given again
    #[arg(long, value_name = "SHARD")]
    pub add: Vec<ShardArg>,
    /// Plan: this shard leaves; may be given again
    #[arg(long, value_name = "NAME")]
    pub remove: Vec<String>,
    /// Plan: this shard gets another weight; may be given again
    #[arg(long, value_name = "NAME:WEIGHT")]
    pub reweight: Vec<Reweight>,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

impl Args {
    /// The ring as it is.
    pub(super) fn ring(&self) -> Result<Ring, RingError> {
        let rule = Rule::from(self.rule);
        let vnodes = self.vnodes.unwrap_or_else(|| rule.vnodes_default());
        let shards: Result<Vec<_>, _> = self.shards.iter().map(|shard| shard.of(rule)).collect();
        Ring::with_vnodes(rule, vnodes, shards?)
    }

    /// The ring as it should become; `None` if nothing should change.
    pub(super) fn changed(&self, ring: &Ring) -> Result<Option<Ring>, RingError> {
        if self.add.is_empty() && self.remove.is_empty() && self.reweight.is_empty() {
            return Ok(None);
        }
        let mut changed = ring.clone();
        // Added first, so that the last shard can be replaced.
        for shard in &self.add {
            changed = changed.add(shard.of(ring.rule())?)?;
        }
        for Reweight { name, weight } in &self.reweight {
            changed = changed.reweight(name, *weight)?;
        }
        for name in &self.remove {
            changed = changed.remove(name)?;
        }
        Ok(Some(changed))
    }
}

/// A shard as typed: `NAME[:WEIGHT][:capacity=N]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardArg {
    name: String,
    weight: Option<u32>,
    capacity: Option<u32>,
}

impl ShardArg {
    fn of(&self, rule: Rule) -> Result<Shard, RingError> {
        let shard = Shard::new(&self.name, self.weight.unwrap_or_else(|| rule.weight_usual()))?;
        match self.capacity {
            Some(capacity) => shard.with_capacity(capacity),
            None => Ok(shard),
        }
    }
}

impl FromStr for ShardArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut fields = text.split(':').peekable();
        let name = fields.next().unwrap_or_default().to_owned();
        let weight = fields.next_if(|field| !field.starts_with("capacity="));
        let capacity = fields.next().map(|field| {
            let number = field.strip_prefix("capacity=");
            number.ok_or_else(|| format!("{field:?} is not of the form capacity=N"))
        });
        if let Some(field) = fields.next() {
            return Err(format!("there is nothing behind the capacity, but {field:?} was given"));
        }
        Ok(Self {
            name,
            weight: weight.map(|field| number("weight", field)).transpose()?,
            capacity: capacity.transpose()?.map(|field| number("capacity", field)).transpose()?,
        })
    }
}

/// Another weight as typed: `NAME:WEIGHT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reweight {
    name: String,
    weight: u32,
}

impl FromStr for Reweight {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, weight) = text
            .split_once(':')
            .ok_or_else(|| format!("{text:?} is not of the form NAME:WEIGHT"))?;
        Ok(Self { name: name.to_owned(), weight: number("weight", weight)? })
    }
}

/// Which rule, as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RuleArg {
    /// SHA-256, 64 bits, 64 points per weight
    Sha256,
    /// SHA-1, 32 bits, 3 points and no weights
    Sha1,
    /// MD5, 32 bits, 200 points per weight of 100
    Md5,
}

impl From<RuleArg> for Rule {
    fn from(rule: RuleArg) -> Self {
        match rule {
            RuleArg::Sha256 => Self::Sha256U64Weighted,
            RuleArg::Sha1 => Self::Sha1U32Unweighted,
            RuleArg::Md5 => Self::Md5U32Weighted,
        }
    }
}

fn number(what: &str, text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("the {what} {text:?} is not a whole number below 2^32"))
}

fn replicas(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=REPLICAS_MAX).contains(number));
    number.ok_or_else(|| format!("it must be from 1 to {REPLICAS_MAX}"))
}

fn partitions(text: &str) -> Result<PartitionCount, String> {
    let count = text.parse().ok().and_then(PartitionCount::new);
    count.ok_or_else(|| "it must be a power of two from 1 to 32768".to_owned())
}
