//! What is stored of a secret that has been handed out.

use std::fmt::Write;

use playhead_domain::ids::SecretHash;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The SHA-256 of a secret. A plain hash is enough for secrets of 32 random bytes, which nobody can
/// try out; passwords need [`crate::password`].
pub(crate) fn hash_of(secret: &str) -> SecretHash {
    SecretHash(Sha256::digest(secret.as_bytes()).into())
}

/// Whether two hashes are equal; takes the same time wherever the first difference is.
pub(crate) fn equal(left: SecretHash, right: SecretHash) -> bool {
    left.0.ct_eq(&right.0).into()
}

/// Random bytes in lower-case hexadecimal digits, for names that nobody can guess.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_the_sha_256() {
        // FIPS 180-2, appendix B.1.
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash_of("abc").to_string(), text);
        assert_eq!(hex(&hash_of("abc").0), text);
    }

    #[test]
    fn hashes_are_equal_in_every_bit_or_not_at_all() {
        let hash = hash_of("abc");
        assert!(equal(hash, hash));
        for index in 0..32 {
            for bit in 0..8 {
                let mut other = hash;
                other.0[index] ^= 1 << bit;
                assert!(!equal(hash, other));
            }
        }
    }
}
