//! Keys, and how they follow from each other.

use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::error::VaultError;

/// How long a key is.
pub(crate) const KEY_BYTES: usize = 32;
/// How long a nonce is: 192 bits, so that random ones do not meet (draft-irtf-cfrg-xchacha-03).
pub(crate) const NONCE_BYTES: usize = 24;
/// How long the tag behind a ciphertext is (RFC 8439).
pub(crate) const TAG_BYTES: usize = 16;

/// A secret of 256 bits. It is overwritten when dropped and never shown.
#[derive(Clone)]
pub(crate) struct Key(Zeroizing<[u8; KEY_BYTES]>);

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Key(…)")
    }
}

impl Key {
    /// A new one, from the operating system.
    pub(crate) fn random() -> Result<Self, VaultError> {
        let mut key = Self::zero();
        getrandom::fill(key.0.as_mut_slice()).map_err(VaultError::Randomness)?;
        Ok(key)
    }

    /// The one with these bytes.
    pub(crate) fn from_bytes(bytes: &[u8; KEY_BYTES]) -> Self {
        let mut key = Self::zero();
        key.0.copy_from_slice(bytes);
        key
    }

    /// The one with these bytes; `None` if they are not 32.
    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_bytes)
    }

    fn zero() -> Self {
        Self(Zeroizing::new([0; KEY_BYTES]))
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// Another key that says nothing of this one: HKDF with SHA-256 (RFC 5869).
    pub(crate) fn derive(&self, salt: Option<&[u8]>, info: &[u8]) -> Self {
        Source::new(self, salt).derive(info)
    }

    /// Encrypts under XChaCha20-Poly1305: ciphertext, then tag. Answers `None` only beyond 256 GiB.
    pub(crate) fn encrypt(
        &self,
        nonce: [u8; NONCE_BYTES],
        plaintext: &[u8],
        associated: &[u8],
    ) -> Option<Vec<u8>> {
        let payload = Payload { msg: plaintext, aad: associated };
        self.cipher().encrypt(&XNonce::from(nonce), payload).ok()
    }

    /// Decrypts what [`encrypt`](Self::encrypt) made; `None` if anything about it was changed.
    pub(crate) fn decrypt(
        &self,
        nonce: [u8; NONCE_BYTES],
        ciphertext: &[u8],
        associated: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let payload = Payload { msg: ciphertext, aad: associated };
        self.cipher().decrypt(&XNonce::from(nonce), payload).ok().map(Zeroizing::new)
    }

    /// Says of a text what only a holder of the key can say: HMAC with SHA-256 (RFC 2104).
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    pub(crate) fn authenticate(&self, text: &[u8]) -> [u8; KEY_BYTES] {
        let hmac = Hmac::<Sha256>::new_from_slice(self.bytes()).expect("HMAC takes any key");
        hmac.chain_update(text).finalize().into_bytes().into()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.bytes().into())
    }
}

/// A key from which several others are derived: the extracted key of HKDF.
pub(crate) struct Source(Hkdf<Sha256>);

impl Source {
    pub(crate) fn new(key: &Key, salt: Option<&[u8]>) -> Self {
        Self(Hkdf::new(salt, key.bytes()))
    }

    /// The key of this label; other labels have other keys.
    #[expect(
        clippy::expect_used,
        reason = "one hash of the 255 that HKDF allows; a key of zeros \
        would be worse than a panic"
    )]
    pub(crate) fn derive(&self, info: &[u8]) -> Key {
        let mut derived = Key::zero();
        self.0.expand(info, derived.0.as_mut_slice()).expect("HKDF expands to 32 bytes");
        derived
    }
}

/// A new nonce, from the operating system.
pub(crate) fn random_nonce() -> Result<[u8; NONCE_BYTES], VaultError> {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce).map_err(VaultError::Randomness)?;
    Ok(nonce)
}

/// One byte string from several, from which each can be told apart: their number, then each with its
/// length before it, numbers as 8 bytes with the lowest first. This is the pre-authentication encoding
/// of PASETO (draft-paragon-paseto-rfc-01).
pub(crate) fn length_prefixed(pieces: &[&[u8]]) -> Vec<u8> {
    let length = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX).to_le_bytes();
    let mut encoded = length(pieces.len()).to_vec();
    for piece in pieces {
        encoded.extend_from_slice(&length(piece.len()));
        encoded.extend_from_slice(piece);
    }
    encoded
}
