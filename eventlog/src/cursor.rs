//! A place in many partitions at once, and what lies behind it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::event::RecordedEvent;
use crate::stream::{Partition, PartitionCount};

/// The next offset to read, for each partition of a set.
///
/// A partition that the cursor does not name is not read. Used as a checkpoint it says: everything
/// before these offsets is done.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(BTreeMap<Partition, u64>);

impl Cursor {
    /// The beginning of every partition.
    #[must_use]
    pub fn start(count: PartitionCount) -> Self {
        count.all().map(|partition| (partition, 0)).collect()
    }

    /// The next offset of one partition; `None` if the cursor does not read it.
    #[must_use]
    pub fn get(&self, partition: Partition) -> Option<u64> {
        self.0.get(&partition).copied()
    }

    /// Sets the next offset of one partition.
    pub fn set(&mut self, partition: Partition, next: u64) {
        self.0.insert(partition, next);
    }

    /// Moves past an event; never moves back.
    pub fn advance(&mut self, event: &RecordedEvent) {
        let next = self.0.entry(event.partition).or_insert(0);
        *next = (*next).max(event.offset + 1);
    }

    /// Partitions and their next offsets, in partition order.
    pub fn iter(&self) -> impl Iterator<Item = (Partition, u64)> + '_ {
        self.0.iter().map(|(partition, next)| (*partition, *next))
    }

    /// How many events lie between this cursor and `head`, over the partitions of this cursor.
    #[must_use]
    pub fn behind(&self, head: &Self) -> u64 {
        self.iter()
            .map(|(partition, next)| head.get(partition).unwrap_or(0).saturating_sub(next))
            .sum()
    }

    /// Whether everything up to and including `offset` of `partition` lies before this cursor.
    #[must_use]
    pub fn has_passed(&self, partition: Partition, offset: u64) -> bool {
        self.get(partition).is_some_and(|next| next > offset)
    }

    /// The number of events before this cursor.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }
}

impl FromIterator<(Partition, u64)> for Cursor {
    fn from_iter<I: IntoIterator<Item = (Partition, u64)>>(iter: I) -> Self {
        Self(iter.into_iter().collect())
    }
}

/// Events behind a cursor, and the cursor behind them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// In the order of each partition; empty means that the cursor is at the head.
    pub events: Vec<RecordedEvent>,
    /// Where to go on. Equal to the cursor given if there was nothing to read.
    pub next: Cursor,
}
