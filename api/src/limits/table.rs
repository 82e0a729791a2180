//! The buckets of one limit, in memory that is bounded whoever calls.
//!
//! A table is an array of *sets* of [`WAYS`] slots, and a key belongs to one set. A key without a
//! slot takes one that is full again, which nobody can tell from a new one, or a free one. If there
//! is neither, it takes over the slot of the key that owes least *with what that key owes*. So the
//! least that is owed in a set never falls but by time, and a key that comes back after it lost its
//! slot finds at least what it owed: no limit is ever forgiven, and the error is always on the
//! strict side. This is the Space-Saving sketch (Metwally, Agrawal, El Abbadi, "Efficient
//! Computation of Frequent and Top-k Elements in Data Streams", 2005) over buckets.
//!
//! The price: while more than [`WAYS`] keys of one set owe something at the same time, newcomers
//! there begin with a debt, the smallest one. At half of the table's capacity 0.4 % of the sets are
//! in this state (Poisson with mean 8, above 16), and hardly any at a quarter.

use std::sync::{Mutex, PoisonError};

use super::pace::{Pace, Taken};

/// How many keys a set has room for.
pub(super) const WAYS: usize = 16;

/// The bucket of one key.
#[derive(Debug, Clone, Copy)]
struct Slot {
    /// Stands for the key. Two keys in 2⁶⁴ share one.
    tag: u64,
    full_at_ns: u64,
}

/// The buckets of one limit.
pub(super) struct Table {
    sets: Box<[Mutex<Vec<Slot>>]>,
}

impl Table {
    /// Room for so many keys, rounded up to whole sets.
    pub(super) fn new(keys_max: usize) -> Self {
        let sets = keys_max.div_ceil(WAYS).max(1);
        Self { sets: std::iter::repeat_with(Mutex::default).take(sets).collect() }
    }

    /// Takes a token for a key, and says how long to wait in nanoseconds if there is none.
    pub(super) fn take(&self, tag: u64, pace: Pace, now_ns: u64) -> Option<u64> {
        let sets = u64::try_from(self.sets.len()).unwrap_or(u64::MAX);
        let set = self.sets.get(usize::try_from(tag % sets).unwrap_or(0))?;
        let mut set = set.lock().unwrap_or_else(PoisonError::into_inner);
        take(&mut set, tag, pace, now_ns)
    }

    /// What the table takes in memory now, in bytes, without what the allocator adds.
    pub(super) fn bytes(&self) -> usize {
        let slots = |set: &Mutex<Vec<Slot>>| {
            let set = set.lock().unwrap_or_else(PoisonError::into_inner);
            set.capacity() * size_of::<Slot>()
        };
        self.sets.iter().map(slots).sum::<usize>() + size_of_val(&*self.sets)
    }
}

fn take(set: &mut Vec<Slot>, tag: u64, pace: Pace, now_ns: u64) -> Option<u64> {
    if let Some(slot) = set.iter_mut().find(|slot| slot.tag == tag) {
        let Taken { full_at_ns, wait_ns } = pace.take(slot.full_at_ns, now_ns);
        slot.full_at_ns = full_at_ns;
        return wait_ns;
    }
    let has_room = set.len() < WAYS;
    match set.iter_mut().min_by_key(|slot| slot.full_at_ns) {
        Some(least) if least.full_at_ns <= now_ns || !has_room => {
            let Taken { full_at_ns, wait_ns } = pace.take(least.full_at_ns, now_ns);
            least.full_at_ns = full_at_ns;
            // Who gets nothing needs no slot, and must not push out who has one.
            if wait_ns.is_none() {
                least.tag = tag;
            }
            wait_ns
        }
        _ => {
            let Taken { full_at_ns, wait_ns } = pace.take(0, now_ns);
            set.push(Slot { tag, full_at_ns });
            wait_ns
        }
    }
}

#[cfg(test)]
mod tests;
