//! How long requests take: a histogram of fixed size.

use std::time::Duration;

/// Values below this have a bucket each; above, each power of two is cut into as many.
const CUTS: u64 = 8;
const CUT_BITS: u32 = CUTS.ilog2();
/// Enough for the largest number of microseconds.
const BUCKETS: usize = 496;

/// Durations in microseconds. What it answers is at most an eighth too large.
#[derive(Debug, Clone)]
pub(super) struct Latencies {
    buckets: Vec<u64>,
    count: u64,
}

impl Default for Latencies {
    fn default() -> Self {
        Self { buckets: vec![0; BUCKETS], count: 0 }
    }
}

impl Latencies {
    /// Counts one.
    pub(super) fn add(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get_mut(bucket_of(micros)) {
            *bucket += 1;
            self.count += 1;
        }
    }

    /// The duration that so many of 100 requests did not exceed; `None` before the first one.
    pub(super) fn percentile(&self, percent: u64) -> Option<Duration> {
        let rank = (self.count * percent).div_ceil(100).max(1);
        let mut below = 0;
        let bucket = self.buckets.iter().position(|count| {
            below += count;
            below >= rank
        })?;
        Some(Duration::from_micros(last_of(bucket)))
    }
}

fn bucket_of(micros: u64) -> usize {
    let Some(exponent) = micros.checked_ilog2().filter(|exponent| *exponent >= CUT_BITS) else {
        return index(micros);
    };
    let shift = exponent - CUT_BITS;
    index(u64::from(shift) * CUTS + (micros >> shift))
}

/// The largest value in a bucket.
fn last_of(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    let shift = (bucket / CUTS).saturating_sub(1);
    let cut = bucket - shift * CUTS;
    (((u128::from(cut) + 1) << shift) - 1).try_into().unwrap_or(u64::MAX)
}

fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_in_a_bucket_that_ends_at_most_an_eighth_above_it() {
        for micros in (0..10_000).chain((13..64).map(|bits| (1 << bits) + 12_345)).chain([u64::MAX])
        {
            let bucket = bucket_of(micros);
            assert!(bucket < BUCKETS, "{micros}");
            let last = last_of(bucket);
            assert!(last >= micros && last - micros <= micros / 8, "{micros}: {last}");
        }
    }

    #[test]
    fn half_of_the_requests_are_not_slower_than_the_median() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.percentile(50), None);
        (1..=100).for_each(|ms| latencies.add(Duration::from_millis(ms)));
        let ms = |percent| latencies.percentile(percent).unwrap().as_millis();
        assert!((50..=56).contains(&ms(50)) && (99..=112).contains(&ms(99)));
    }
}
