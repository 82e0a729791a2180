//! Parts of a whole, exact.

use super::{Ring, Shard};

/// A part of a whole as a fraction, exact.
///
/// **Invariant:** the part is at most the whole, and the whole at least 1 and at most 2⁹⁶.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    part: u128,
    whole: u128,
}

impl Share {
    pub(super) const NOTHING: Self = Self { part: 0, whole: 1 };

    pub(super) fn of(part: impl Into<u128>, whole: impl Into<u128>) -> Self {
        let whole = whole.into().max(1);
        Self { part: part.into().min(whole), whole }
    }

    /// Millionths of the whole, rounded to the nearest.
    #[must_use]
    pub fn ppm(self) -> u32 {
        let ppm = (self.part * 1_000_000 + self.whole / 2) / self.whole;
        u32::try_from(ppm).unwrap_or(1_000_000)
    }

    /// Whether there is no part at all, which [`Self::ppm`] cannot tell from a very small one.
    #[must_use]
    pub fn is_nothing(self) -> bool {
        self.part == 0
    }

    /// This share in millionths of another, rounded to the nearest; 0 of nothing.
    #[must_use]
    pub fn ppm_of(self, other: Self) -> u64 {
        // Halved until the products fit: 2⁹⁶ · 2⁹⁶ would not.
        let (mut a, mut b) = (self, other);
        while a.whole.max(b.whole) > 1 << 52 {
            (a, b) = (a.coarser(), b.coarser());
        }
        let (part, whole) = (a.part * b.whole, a.whole * b.part);
        match whole {
            0 => 0,
            _ => u64::try_from((part * 1_000_000 + whole / 2) / whole).unwrap_or(u64::MAX),
        }
    }

    fn coarser(self) -> Self {
        match self.whole > 1 << 52 {
            true => Self { part: self.part >> 1, whole: self.whole >> 1 },
            false => self,
        }
    }
}

/// What each shard would keep of all replicas if weights were met exactly, in the order of the
/// shards. No shard keeps two replicas of one key, so a heavy one gets at most one of each and the
/// others share the rest by weight.
pub(super) fn fair(ring: &Ring, replicas: usize) -> Vec<Share> {
    let replicas = u128::try_from(replicas).unwrap_or(1);
    let weight = |shard: &Shard| u128::from(shard.weight());
    let mut left: Vec<&Shard> = ring.shards().iter().collect();
    let (mut places, mut weights) = (replicas, left.iter().copied().map(weight).sum::<u128>());
    loop {
        let before = left.len();
        left.retain(|shard| weight(shard) * places < weights);
        if left.len() == before {
            break;
        }
        places =
            replicas.saturating_sub(u128::try_from(ring.shards().len() - left.len()).unwrap_or(0));
        weights = left.iter().copied().map(weight).sum();
    }
    let is_left = |shard: &&Shard| left.iter().any(|other| other.name() == shard.name());
    let share = |shard: &Shard| match is_left(&shard) {
        true => Share::of(weight(shard) * places, weights * replicas),
        false => Share::of(1u32, replicas),
    };
    ring.shards().iter().map(share).collect()
}

/// How much must move, at least, from one way of sharing to another: what the shards gain that
/// gain. Both sides are in the same order, and a shard that one side lacks has nothing there.
pub(super) fn least_moved(pairs: impl Iterator<Item = (Share, Share)>) -> Share {
    // Weights are whole numbers below 2²⁰ together and replicas below 2⁵, so millionths of
    // millionths are finer than any share.
    const FINE: u128 = 1_000_000_000_000;
    let fine = |share: Share| share.part * FINE / share.whole;
    let gained =
        pairs.map(|(before, after)| fine(after).saturating_sub(fine(before))).sum::<u128>();
    Share::of(gained, FINE)
}
