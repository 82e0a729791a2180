//! The rules: how names and keys become positions, and how many points a shard gets.

use std::fmt;

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// How shards and keys are put on the ring. Two programs agree on every place if they agree on the
/// rule, the points per unit and the shards.
///
/// **Invariant:** the points of two shards have different keys, because what follows the last
/// separator of a key is the number of the point; so [ties](super) have one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// The first 8 bytes of SHA-256, big-endian, on a ring of 2⁶⁴ positions. A shard of weight w
    /// has 64 · w points, keyed `shard::vnode::0`, `shard::vnode::1`, …
    Sha256U64Weighted,
    /// SHA-1 as an integer, its low 32 bits. Every shard has 3 points, keyed `shard-0`, `shard-1`,
    /// `shard-2`, and the weight 1. So few points spread badly; the rule is for placing things
    /// where others who use it have placed them.
    Sha1U32Unweighted,
    /// The first 32 bits of MD5, big-endian. The usual weight is 100, and a shard of weight w has
    /// 200 · w / 100 points, rounded down, keyed `shard#virtual_0`, `shard#virtual_1`, …
    ///
    /// The number of points is computed in integers. Programs that compute `w / 100 * 200` in
    /// floating point and cut get one point less for some weights, such as 29.
    Md5U32Weighted,
}

impl Rule {
    /// What the log's partitions are placed by.
    pub const DEFAULT: Self = Self::Sha256U64Weighted;

    /// Every rule.
    pub const ALL: [Self; 3] =
        [Self::Sha256U64Weighted, Self::Sha1U32Unweighted, Self::Md5U32Weighted];

    /// The full name, for example `sha256_u64_weighted`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256U64Weighted => "sha256_u64_weighted",
            Self::Sha1U32Unweighted => "sha1_u32_unweighted",
            Self::Md5U32Weighted => "md5_u32_weighted",
        }
    }

    /// Where a text is on the ring; texts are hashed as their UTF-8 bytes.
    #[must_use]
    pub fn position(self, text: &str) -> u64 {
        match self {
            Self::Sha256U64Weighted => {
                let digest = Sha256::digest(text.as_bytes());
                digest.first_chunk::<8>().copied().map_or(0, u64::from_be_bytes)
            }
            Self::Sha1U32Unweighted => {
                let digest = Sha1::digest(text.as_bytes());
                digest.last_chunk::<4>().copied().map_or(0, u32::from_be_bytes).into()
            }
            Self::Md5U32Weighted => {
                let digest = <Md5 as md5::Digest>::digest(text.as_bytes());
                digest.first_chunk::<4>().copied().map_or(0, u32::from_be_bytes).into()
            }
        }
    }

    /// How many positions the ring has.
    #[must_use]
    pub fn positions(self) -> u128 {
        match self {
            Self::Sha256U64Weighted => 1 << 64,
            Self::Sha1U32Unweighted | Self::Md5U32Weighted => 1 << 32,
        }
    }

    /// The key of a shard's point; its position is that of this text.
    #[must_use]
    pub fn vnode_key(self, shard: &str, index: u32) -> String {
        match self {
            Self::Sha256U64Weighted => format!("{shard}::vnode::{index}"),
            Self::Sha1U32Unweighted => format!("{shard}-{index}"),
            Self::Md5U32Weighted => format!("{shard}#virtual_{index}"),
        }
    }

    /// How many points a shard of the usual weight has unless told otherwise: 64, 3 and 200.
    #[must_use]
    pub fn vnodes_default(self) -> u32 {
        match self {
            Self::Sha256U64Weighted => 64,
            Self::Sha1U32Unweighted => 3,
            Self::Md5U32Weighted => 200,
        }
    }

    /// The weight of an ordinary shard: 1, or 100 by [`Self::Md5U32Weighted`].
    #[must_use]
    pub fn weight_usual(self) -> u32 {
        match self {
            Self::Sha256U64Weighted | Self::Sha1U32Unweighted => 1,
            Self::Md5U32Weighted => 100,
        }
    }

    /// Whether shards can have another weight than the usual one.
    #[must_use]
    pub fn is_weighted(self) -> bool {
        self != Self::Sha1U32Unweighted
    }

    /// How many points a shard of this weight has, if one of the usual weight has `vnodes`.
    pub(super) fn vnodes_of(self, weight: u32, vnodes: u32) -> u64 {
        u64::from(weight) * u64::from(vnodes) / u64::from(self.weight_usual())
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with Python's hashlib.
    #[test]
    fn the_hashes_never_change() {
        let positions = Rule::ALL.map(|rule| rule.position("user:0"));
        assert_eq!(positions, POSITIONS);
    }

    const POSITIONS: [u64; 3] = [3_006_746_966_777_050_670, 2_897_367_034, 4_126_259_432];

    #[test]
    fn points_are_counted_in_integers() {
        assert_eq!(Rule::Md5U32Weighted.vnodes_of(29, 200), 58);
        assert_eq!(Rule::Md5U32Weighted.vnodes_of(1, 150), 1);
        assert_eq!(Rule::Sha256U64Weighted.vnodes_of(2, 64), 128);
    }
}
