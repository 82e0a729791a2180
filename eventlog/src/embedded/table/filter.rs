//! Which keys may be in a table: a blocked Bloom filter.
//!
//! After Putze, Sanders and Singler, "Cache-, Hash- and Space-Efficient Bloom Filters" (2007): every
//! key sets six bits within one block of 512, so that a look-up costs one cache miss. With the ten
//! bits a key that [`Filter::sized_for`] takes, 0.95 % to 1.00 % of the keys that are not there pass
//! (measured by a test with 100,000 keys of five kinds). With more keys than that it passes more, and is still right.
//!
//! This layout is stored for ever: an array of 64-byte entries, each a block. Bit `i` of a block is
//! bit `i mod 8` (0 = the lowest) of its byte `⌊i / 8⌋`. All arithmetic is modulo 2⁶⁴:
//!
//! ```text
//! mix(z)  = the finalizer of splitmix64 (Steele, Lea and Flood, 2014):
//!           z ^= z >> 30; z *= 0xbf58476d1ce4e5b9; z ^= z >> 27; z *= 0x94d049bb133111eb; z ^= z >> 31
//! g       = 0x9e3779b97f4a7c15
//! a       = mix((low 64 bits of the key) ^ mix((high 64 bits of the key) + g))
//! block   = ⌊a × (number of blocks) / 2⁶⁴⌋, the product having 128 bits
//! b       = mix(a + g)
//! bits    = (b >> 9 × i) mod 512 for i in 0..6
//! ```
//!
//! The halves of a key are mixed one after the other because the ids of events are UUIDv7
//! (RFC 9562, section 5.7), whose high half is mostly the time. Who chooses ids can choose such that
//! pass: that makes look-ups slower by the reading of one block, and never wrong.

use std::io;

use super::array::{Array, ArrayMeta, ArrayWriter};
use super::{SectionWriter, TableError, count, index};

const BITS_PER_KEY: u64 = 10;
const BITS_PER_BLOCK: u64 = 512;
const BITS_SET: u32 = 6;
const BIT_BITS: u32 = 9;
/// 4 GiB: enough for 3,400 million keys.
const BLOCKS_MAX: u64 = 1 << 26;
const LOW: u128 = u64::MAX as u128;
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The size of a block.
pub(super) const FILTER_BLOCK_BYTES: usize = 64;

/// Knows of every key that was added, and of some others, that it may be there.
#[derive(Debug)]
pub(super) struct Filter(Vec<FilterBlock>);

/// One cache line.
#[derive(Debug, Clone)]
#[repr(align(64))]
struct FilterBlock([u8; FILTER_BLOCK_BYTES]);

impl Filter {
    /// A filter of no keys, with room for so many.
    pub(super) fn sized_for(keys: u64) -> Self {
        let bits = keys.saturating_mul(BITS_PER_KEY);
        let blocks = bits.div_ceil(BITS_PER_BLOCK).clamp(1, BLOCKS_MAX);
        Self(vec![FilterBlock([0; FILTER_BLOCK_BYTES]); index(blocks)])
    }

    pub(super) fn insert(&mut self, key: u128) {
        let (block, bits) = self.place(key);
        if let Some(FilterBlock(block)) = self.0.get_mut(block) {
            for (byte, mask) in bits {
                if let Some(byte) = block.get_mut(byte) {
                    *byte |= mask;
                }
            }
        }
    }

    /// False: the key was never added. True: it was, or else it is one of the unlucky.
    pub(super) fn may_contain(&self, key: u128) -> bool {
        let (block, mut bits) = self.place(key);
        self.0.get(block).is_none_or(|FilterBlock(block)| {
            bits.all(|(byte, mask)| block.get(byte).is_none_or(|byte| byte & mask != 0))
        })
    }

    /// The block of a key, and its bits there: byte and mask.
    fn place(&self, key: u128) -> (usize, impl Iterator<Item = (usize, u8)> + use<>) {
        let [low, high] = [key, key >> 64].map(|half| u64::try_from(half & LOW).unwrap_or(0));
        let a = mix(low ^ mix(high.wrapping_add(GOLDEN)));
        let block = (u128::from(a) * u128::from(count(self.0.len()))) >> 64;
        let b = mix(a.wrapping_add(GOLDEN));
        let bits = (0..BITS_SET).map(move |nth| {
            let bit = (b >> (BIT_BITS * nth)) % BITS_PER_BLOCK;
            (index(bit / 8), 1 << (bit % 8))
        });
        (usize::try_from(block).unwrap_or(usize::MAX), bits)
    }

    pub(super) fn write(&self, out: &mut SectionWriter) -> io::Result<ArrayMeta> {
        let mut writer = ArrayWriter::new();
        for FilterBlock(block) in &self.0 {
            writer.push(out, block)?;
        }
        writer.finish(out)
    }

    pub(super) fn read(array: &Array<FILTER_BLOCK_BYTES>) -> Result<Self, TableError> {
        let mut blocks = Vec::with_capacity(array.room()?);
        array.visit(0..array.len(), |block| blocks.push(FilterBlock(*block)))?;
        Ok(Self(blocks))
    }

    #[cfg(test)]
    pub(super) fn memory_bytes(&self) -> u64 {
        count(self.0.len() * FILTER_BLOCK_BYTES)
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    const KEYS: u64 = 100_000;

    type Keys = fn(u64) -> u128;

    fn hashed(nth: u64) -> u128 {
        let digest = Sha256::digest(nth.to_le_bytes());
        u128::from_be_bytes(*digest.first_chunk().unwrap())
    }

    /// The ids of events recorded one a millisecond, by a generator that counts in the low half.
    fn uuid_v7(nth: u64) -> u128 {
        (u128::from(1_700_000_000_000 + nth) << 80) | (0x7000_8000 << 48) | u128::from(nth)
    }

    /// As a generator does that counts on within one millisecond.
    fn uuid_v7_of_one_ms(nth: u64) -> u128 {
        let random = u128::from(mix(nth)) >> 2;
        (1_700_000_000_000 << 80) | (7 << 76) | (2 << 62) | random
    }

    fn time_only(nth: u64) -> u128 {
        u128::from(1_700_000_000_000 + nth) << 80
    }

    fn passing(key: Keys) -> usize {
        let mut filter = Filter::sized_for(KEYS);
        (0..KEYS).for_each(|nth| filter.insert(key(nth)));
        assert!((0..KEYS).all(|nth| filter.may_contain(key(nth))), "a key is lost");
        (KEYS..2 * KEYS).filter(|nth| filter.may_contain(key(*nth))).count()
    }

    #[test]
    fn less_than_two_keys_in_a_hundred_pass_that_are_not_there() {
        let kinds: [(&str, Keys); 5] = [
            ("the first half of a SHA-256", hashed),
            ("UUIDv7", uuid_v7),
            ("UUIDv7 of one millisecond", uuid_v7_of_one_ms),
            ("the time alone", time_only),
            ("small numbers", u128::from),
        ];
        for (kind, key) in kinds {
            let passed = passing(key);
            println!("{kind}: {passed} of {KEYS} pass");
            assert!((500..2_000).contains(&passed), "{kind}: {passed} of {KEYS} pass");
        }
    }

    #[test]
    fn a_filter_that_is_too_small_loses_no_key() {
        let mut filter = Filter::sized_for(0);
        (0..1_000).for_each(|nth| filter.insert(hashed(nth)));
        assert!((0..1_000).all(|nth| filter.may_contain(hashed(nth))));
    }

    #[test]
    fn the_bits_of_a_key_are_those_of_all_times() {
        let key = 0x0190_a1b2_c3d4_7e5f_8a6b_7c8d_9e0f_1a2b;
        let (block, bits) = Filter::sized_for(1_000_000).place(key);
        assert_eq!(block, 8_444);
        let expected = [(53, 16), (46, 4), (12, 128), (4, 2), (17, 4), (40, 16)];
        assert!(bits.eq(expected), "computed from the documentation by another program");
    }
}
