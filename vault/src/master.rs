//! The master key, and how it wraps the others.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::error::VaultError;
use crate::secret::{KEY_BYTES, Key, NONCE_BYTES, length_prefixed, random_nonce};

/// How long the name of a master key is.
pub(crate) const ID_BYTES: usize = 16;

/// The key that wraps all others: 32 random bytes that are kept apart from the key file. It is
/// overwritten when dropped and never shown.
#[derive(Clone)]
pub struct MasterKey(Key);

impl fmt::Debug for MasterKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MasterKey(…)")
    }
}

impl MasterKey {
    /// The key with these bytes. They must be random: nothing here makes a password hard to guess.
    #[must_use]
    pub fn from_bytes(mut bytes: [u8; 32]) -> Self {
        let key = Key::from_bytes(&bytes);
        bytes.zeroize();
        Self(key)
    }

    /// The key written as 64 hexadecimal digits, in either case, with blank space around them.
    ///
    /// # Errors
    /// [`VaultError::NotAMasterKey`] for any other text.
    pub fn from_hex(text: &str) -> Result<Self, VaultError> {
        let digits = text.trim().as_bytes();
        if digits.len() != 2 * KEY_BYTES {
            return Err(VaultError::NotAMasterKey);
        }
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = pair
                .iter()
                .try_fold(0, |high, digit| Some(high << 4 | nibble(*digit)?))
                .ok_or(VaultError::NotAMasterKey)?;
        }
        Ok(Self(Key::from_bytes(&bytes)))
    }
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// A master key at work.
#[derive(Debug, Clone)]
pub(crate) struct Master {
    key: Key,
    wrapping: Key,
    check: [u8; KEY_BYTES],
}

impl Master {
    pub(crate) fn new(key: &MasterKey) -> Self {
        let MasterKey(key) = key;
        let check = *key.derive(None, b"playhead vault v1 master key check").bytes();
        let wrapping = key.derive(None, b"playhead vault v1 wrapping");
        Self { key: key.clone(), wrapping, check }
    }

    /// What is kept in the key file to tell a wrong master key. It says nothing of the key.
    pub(crate) fn check(&self) -> &[u8] {
        &self.check
    }

    /// The first bytes of the check: by it a wrapped key names the master key that opens it.
    pub(crate) fn id(&self) -> &[u8] {
        self.check.get(..ID_BYTES).unwrap_or_default()
    }

    /// Whether this is the master key of a check.
    pub(crate) fn fits(&self, check: &[u8]) -> bool {
        self.check.ct_eq(check).into()
    }

    /// Wraps a key for its owner.
    pub(crate) fn wrap(&self, owner: Owner<'_>, key: &Key) -> Result<Vec<u8>, VaultError> {
        self.wrap_with(random_nonce()?, owner, key)
    }

    fn wrap_with(
        &self,
        nonce: [u8; NONCE_BYTES],
        owner: Owner<'_>,
        key: &Key,
    ) -> Result<Vec<u8>, VaultError> {
        let encrypted = self.wrapping.encrypt(nonce, key.bytes(), &owner.associated());
        let encrypted = encrypted.ok_or_else(|| owner.damaged())?;
        Ok([&nonce, encrypted.as_slice()].concat())
    }

    /// Unwraps what [`wrap`](Self::wrap) made for the same owner.
    ///
    /// # Errors
    /// [`VaultError::DamagedKey`] for anything else.
    pub(crate) fn unwrap(&self, owner: Owner<'_>, wrapped: &[u8]) -> Result<Key, VaultError> {
        let (nonce, encrypted) = wrapped.split_first_chunk().ok_or_else(|| owner.damaged())?;
        let key = self.wrapping.decrypt(*nonce, encrypted, &owner.associated());
        key.and_then(|key| Key::from_slice(&key)).ok_or_else(|| owner.damaged())
    }

    /// Wraps the master key that this one replaces.
    pub(crate) fn wrap_previous(&self, previous: &Self) -> Result<Vec<u8>, VaultError> {
        self.wrap(Owner::PreviousMaster, &previous.key)
    }

    /// The master key that this one replaces.
    pub(crate) fn unwrap_previous(&self, wrapped: &[u8]) -> Result<Self, VaultError> {
        Ok(Self::new(&MasterKey(self.unwrap(Owner::PreviousMaster, wrapped)?)))
    }
}

/// Whose a wrapped key is. It is bound to it as associated data.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Owner<'a> {
    /// A person: what their fields are sealed under.
    Subject(&'a uuid::Uuid),
    /// All persons: what blind indexes are made under.
    Index,
    /// The vault: the master key before the present one.
    PreviousMaster,
}

impl Owner<'_> {
    fn associated(self) -> Vec<u8> {
        match self {
            Self::Subject(id) => length_prefixed(&[b"playhead vault v1 data key", id.as_bytes()]),
            Self::Index => length_prefixed(&[b"playhead vault v1 index key"]),
            Self::PreviousMaster => length_prefixed(&[b"playhead vault v1 previous master key"]),
        }
    }

    fn damaged(self) -> VaultError {
        let owner = match self {
            Self::Subject(id) => id.to_string(),
            Self::Index => "the blind index".to_owned(),
            Self::PreviousMaster => "the previous master key".to_owned(),
        };
        VaultError::DamagedKey { owner }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{hex, subject};

    // Made with PyNaCl 1.6 (libsodium's crypto_aead_xchacha20poly1305_ietf_encrypt) and HKDF of
    // Python's cryptography 48; numbers of the encoding by struct.pack('<Q', …).
    #[test]
    fn wrapping_is_what_others_compute() {
        let master = Master::new(&MasterKey::from_bytes([7; 32]));
        let check = "a8b9d7046534b2ea259e7ae2c64b8312c0ecd9d69d78f69d52fff3331b6ee874";
        assert_eq!(hex(master.check()), check);
        let nonce: [u8; 24] = std::array::from_fn(|place| 100 + u8::try_from(place).unwrap());
        let key = Key::from_bytes(&std::array::from_fn(|place| u8::try_from(place).unwrap()));
        let owner = subject(0xaa);
        let wrapped = master.wrap_with(nonce, Owner::Subject(&owner), &key).unwrap();
        let expected = "6465666768696a6b6c6d6e6f707172737475767778797a7b\
                        807e9d37742506a79f87e3120e6bb76aafbda4684c887f4b70a02e23c781c9e2\
                        7b4ffea333d433d4949eb073b9ac1a9f";
        assert_eq!(hex(&wrapped), expected);
        assert_eq!(wrapped.len(), 72, "as schema.sql says");
    }

    #[test]
    fn a_wrapped_key_opens_for_its_owner_and_master_only() {
        let master = Master::new(&MasterKey::from_bytes([7; 32]));
        let other = Master::new(&MasterKey::from_bytes([8; 32]));
        let key = Key::random().unwrap();
        let wrapped = master.wrap(Owner::Subject(&subject(1)), &key).unwrap();
        let opened = master.unwrap(Owner::Subject(&subject(1)), &wrapped).unwrap();
        assert_eq!(opened.bytes(), key.bytes());
        assert!(master.unwrap(Owner::Subject(&subject(2)), &wrapped).is_err());
        assert!(master.unwrap(Owner::Index, &wrapped).is_err());
        assert!(other.unwrap(Owner::Subject(&subject(1)), &wrapped).is_err());
        assert!(master.unwrap(Owner::Subject(&subject(1)), &wrapped[..20]).is_err());
    }

    #[test]
    fn a_master_key_is_read_from_hexadecimal_digits() {
        let key = MasterKey::from_hex(&format!(" {}\n", "0aF".repeat(21) + "7")).unwrap();
        assert_eq!(hex(key.0.bytes()), "0af".repeat(21) + "7");
        for text in ["", "00", &"0g".repeat(32), &"0".repeat(63), &"0".repeat(66), &"é".repeat(32)]
        {
            assert!(MasterKey::from_hex(text).is_err(), "{text}");
        }
    }

    #[test]
    fn no_key_is_shown_by_debug() {
        let shown = format!("{:?}", MasterKey::from_bytes([0xab; 32]));
        assert_eq!(shown, "MasterKey(…)");
        let shown = format!("{:?}", Master::new(&MasterKey::from_bytes([0xab; 32])));
        assert!(!shown.contains("171, 171"), "{shown}");
    }
}
