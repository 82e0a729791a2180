//! Which shards keep which partitions.

use super::{Overfull, Ring, RingError, Shard, Share, share};
use crate::stream::{Partition, PartitionCount};

/// The text by which a partition is placed on a ring: `partition:17`. It never changes, because
/// with it every partition would move.
#[must_use]
pub fn partition_key(partition: Partition) -> String {
    format!("partition:{partition}")
}

/// Every partition of a log with the shards that keep it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    partitions: PartitionCount,
    /// Of one partition.
    replicas: usize,
    shards: Vec<Shard>,
    fair: Vec<Share>,
    /// `replicas` shards by number for every partition, primary first.
    owners: Vec<u16>,
}

/// What falls to one shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// The shard.
    pub shard: Shard,
    /// Of how many partitions it is the primary.
    pub primaries: u32,
    /// How many partitions it keeps, as primary or other replica.
    pub held: u32,
    /// Which part that is of all replicas of all partitions.
    pub share: Share,
    /// Which part its weight entitles it to; no shard keeps two replicas of one partition.
    pub fair: Share,
}

impl Load {
    /// How far the share strays from the fair one, in millionths of the fair one; negative if it
    /// holds less.
    #[must_use]
    pub fn deviation_ppm(&self) -> i64 {
        i64::try_from(self.share.ppm_of(self.fair)).unwrap_or(i64::MAX).saturating_sub(1_000_000)
    }
}

impl Placement {
    /// Places every partition on as many shards as there are replicas.
    ///
    /// # Errors
    /// More replicas than shards, or more than a shard can take.
    pub fn new(ring: &Ring, count: PartitionCount, replicas: usize) -> Result<Self, RingError> {
        let placement = Self::regardless_of_capacity(ring, count, replicas)?;
        placement.check_capacity()?;
        Ok(placement)
    }

    /// The same, also if a shard cannot take what falls to it: to see by how much, or to plan the
    /// way out.
    ///
    /// # Errors
    /// More replicas than shards.
    pub fn regardless_of_capacity(
        ring: &Ring,
        count: PartitionCount,
        replicas: usize,
    ) -> Result<Self, RingError> {
        ring.check_replicas(replicas)?;
        let owners =
            |partition| ring.owners(ring.rule().position(&partition_key(partition)), replicas);
        Ok(Self {
            partitions: count,
            replicas,
            shards: ring.shards().to_vec(),
            fair: share::fair(ring, replicas),
            owners: count.all().flat_map(owners).collect(),
        })
    }

    /// Whether every shard can take what falls to it.
    ///
    /// # Errors
    /// [`RingError::CapacityExceeded`] with every shard that cannot.
    pub fn check_capacity(&self) -> Result<(), RingError> {
        let full = |load: Load| match load.shard.capacity() {
            Some(capacity) if capacity < load.held => {
                Some(Overfull { shard: load.shard.name().to_owned(), capacity, demand: load.held })
            }
            _ => None,
        };
        let full: Vec<Overfull> = self.loads().into_iter().filter_map(full).collect();
        if full.is_empty() { Ok(()) } else { Err(RingError::CapacityExceeded(full)) }
    }

    /// How many partitions were placed.
    #[must_use]
    pub fn partitions(&self) -> PartitionCount {
        self.partitions
    }

    /// How many shards keep each partition, its primary included.
    #[must_use]
    pub fn replicas(&self) -> usize {
        self.replicas
    }

    /// The shards that keep a partition, primary first; none if the log has no such partition.
    pub fn shards_of(&self, partition: Partition) -> impl Iterator<Item = &str> {
        let owners = self.owners_of(partition).iter();
        owners.filter_map(|number| self.shards.get(usize::from(*number))).map(Shard::name)
    }

    /// What a shard keeps, in order of partitions; 0 marks those of which it is the primary, a
    /// higher number its place among the replicas.
    #[must_use]
    pub fn held_by(&self, shard: &str) -> Vec<(Partition, usize)> {
        let place = |partition| self.shards_of(partition).position(|name| name == shard);
        self.partitions.all().filter_map(|partition| Some((partition, place(partition)?))).collect()
    }

    /// What falls to each shard, by name.
    #[must_use]
    pub fn loads(&self) -> Vec<Load> {
        let mut counts = vec![(0u32, 0u32); self.shards.len()];
        for owners in self.owners.chunks(self.replicas) {
            for (place, owner) in owners.iter().enumerate() {
                if let Some((primaries, held)) = counts.get_mut(usize::from(*owner)) {
                    *primaries += u32::from(place == 0);
                    *held += 1;
                }
            }
        }
        let all = u32::try_from(self.owners.len()).unwrap_or(u32::MAX);
        let shards = self.shards.iter().zip(&self.fair).zip(counts);
        let load = |((shard, fair), (primaries, held)): ((&Shard, &Share), (u32, u32))| Load {
            shard: shard.clone(),
            primaries,
            held,
            share: Share::of(held, all),
            fair: *fair,
        };
        shards.map(load).collect()
    }

    /// How much the fullest shard holds, in millionths of its fair share. Between shards of one
    /// weight that is the highest load over the mean.
    #[must_use]
    pub fn peak_ppm(&self) -> u64 {
        self.loads().iter().map(|load| load.share.ppm_of(load.fair)).max().unwrap_or(0)
    }

    fn owners_of(&self, partition: Partition) -> &[u16] {
        let from = usize::from(partition.0) * self.replicas;
        self.owners.get(from..from + self.replicas).unwrap_or_default()
    }
}
