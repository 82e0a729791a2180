//! One sealed field: its bytes, and what they are bound to.
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | the version of this table: 1 |
//! | 32 | the commitment to the key |
//! | 24 | the nonce, random |
//! | as many as the plaintext | the ciphertext |
//! | 16 | the tag |
//!
//! Written as base64url without padding (RFC 4648, section 5); other spellings of the same bytes are
//! refused. The plaintext is the JSON text of the value, byte for byte.
//!
//! *Keys.* HKDF-SHA-256 (RFC 5869) with the nonce as salt turns the person's data key into two: with the
//! label `playhead vault v1 encryption key` the one of XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03;
//! ChaCha20-Poly1305 is RFC 8439), with `playhead vault v1 key commitment` the commitment. So each field
//! has a key of its own, and a ciphertext that was made to open under two data keys would need two that
//! have one commitment, a collision of 256 bits. It is checked first, and tells a wrong key from a
//! changed ciphertext. This is how Albertini et al. mend such ciphers in general ("How to Abuse and Fix
//! Authenticated Encryption Without Key Commitment", USENIX Security 2022), and the UtC of Bellare and
//! Hoang ("Efficient Schemes for Committing Authenticated Encryption", EUROCRYPT 2022). It commits to
//! the key, not to the associated data: whoever knows the key can still make one ciphertext for two
//! places.
//!
//! *Associated data:* the label `playhead vault v1 field`, stream, event type, schema version (2 bytes,
//! the highest first), event id (16 bytes) and the JSON pointer (RFC 6901) of the object that holds the
//! value, each with its length before it. A payload is unsealed as it was recorded, before any upcast.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::error::VaultError;
use crate::secret::{KEY_BYTES, Key, NONCE_BYTES, Source, TAG_BYTES, length_prefixed};

const VERSION: u8 = 1;

/// The event that a payload belongs to, as it is recorded. Sealed fields are bound to all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The name of the stream, such as `identity-0198…`.
    pub stream: &'a str,
    /// The event type, such as `Registered`.
    pub event_type: &'a str,
    /// The version of the payload's schema, before any upcast.
    pub schema_version: u16,
    /// The event's id.
    pub event_id: Uuid,
}

impl Envelope<'_> {
    fn associated(&self, pointer: &str) -> Vec<u8> {
        length_prefixed(&[
            b"playhead vault v1 field",
            self.stream.as_bytes(),
            self.event_type.as_bytes(),
            &self.schema_version.to_be_bytes(),
            self.event_id.as_bytes(),
            pointer.as_bytes(),
        ])
    }
}

struct FieldKeys {
    commitment: Key,
    encryption: Key,
}

impl FieldKeys {
    fn new(key: &Key, nonce: &[u8; NONCE_BYTES]) -> Self {
        let source = Source::new(key, Some(nonce));
        Self {
            commitment: source.derive(b"playhead vault v1 key commitment"),
            encryption: source.derive(b"playhead vault v1 encryption key"),
        }
    }
}

/// Seals the text of a value. The nonce must be used once.
pub(crate) fn seal(
    key: &Key,
    nonce: [u8; NONCE_BYTES],
    envelope: &Envelope<'_>,
    pointer: &str,
    plaintext: &str,
) -> Result<String, VaultError> {
    let keys = FieldKeys::new(key, &nonce);
    let associated = envelope.associated(pointer);
    let ciphertext = keys
        .encryption
        .encrypt(nonce, plaintext.as_bytes(), &associated)
        .ok_or(VaultError::TooLarge { limit: crate::PAYLOAD_BYTES_MAX, unit: "bytes" })?;
    let sealed = [&[VERSION], keys.commitment.bytes().as_slice(), &nonce, &ciphertext].concat();
    Ok(URL_SAFE_NO_PAD.encode(sealed))
}

/// Opens what [`seal`] made for the same key, envelope and pointer.
///
/// # Errors
/// [`VaultError::NotSealed`], [`VaultError::OtherKey`] or [`VaultError::Tampered`].
pub(crate) fn open(
    key: &Key,
    envelope: &Envelope<'_>,
    pointer: &str,
    sealed: &str,
) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let refused = |reason| VaultError::NotSealed { pointer: pointer.to_owned(), reason };
    let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| refused("it is not base64url"))?;
    let (version, rest) = bytes.split_first().ok_or_else(|| refused("it is empty"))?;
    if *version != VERSION {
        return Err(refused("its version is unknown"));
    }
    let (commitment, rest) =
        rest.split_first_chunk::<KEY_BYTES>().ok_or_else(|| refused("it is too short"))?;
    let (nonce, ciphertext) =
        rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(|| refused("it is too short"))?;
    if ciphertext.len() < TAG_BYTES {
        return Err(refused("it is too short"));
    }
    let keys = FieldKeys::new(key, nonce);
    if !bool::from(keys.commitment.bytes().ct_eq(commitment)) {
        return Err(VaultError::OtherKey { pointer: pointer.to_owned() });
    }
    keys.encryption
        .decrypt(*nonce, ciphertext, &envelope.associated(pointer))
        .ok_or_else(|| VaultError::Tampered { pointer: pointer.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{hex, subject};

    const PLAINTEXT: &str = "\"ada@example.org\"";

    fn envelope() -> Envelope<'static> {
        let (stream, event_type) = ("identity-0192", "Registered");
        Envelope { stream, event_type, schema_version: 1, event_id: subject(1) }
    }

    fn counting<const N: usize>(from: u8) -> [u8; N] {
        std::array::from_fn(|place| from + u8::try_from(place).unwrap())
    }

    // Made with PyNaCl 1.6 (libsodium's crypto_aead_xchacha20poly1305_ietf_encrypt) and HKDF of
    // Python's cryptography 48; the associated data by struct.pack('<Q', length) + bytes.
    #[test]
    fn sealing_is_what_others_compute() {
        let (key, nonce) = (Key::from_bytes(&counting(0)), counting(100));
        let keys = FieldKeys::new(&key, &nonce);
        let commitment = "c9de9285851790f9b9c6386350e33f8845bfd0fa3c616b8f70c2c7699c30bd8a";
        assert_eq!(hex(keys.commitment.bytes()), commitment);
        let encryption = "b19b884da8b506177efc72f72ac81d957a5a9c171ed56ec7ad9cb24935878130";
        assert_eq!(hex(keys.encryption.bytes()), encryption);
        let associated = "06000000000000001700000000000000706c617968656164207661756c74207631206669\
            656c640d000000000000006964656e746974792d303139320a00000000000000526567697374657265640200\
            000000000000000110000000000000000192000000007000800000000000000106000000000000002f656d61\
            696c";
        assert_eq!(hex(&envelope().associated("/email")), associated);
        let sealed = seal(&key, nonce, &envelope(), "/email", PLAINTEXT).unwrap();
        let expected = "AcnekoWFF5D5ucY4Y1DjP4hFv9D6PGFrj3DCx2mcML2KZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7\
            8AWzkHRhP7GGDojny8l_v0WJncKnMSPrC3cb-QAtJoND";
        assert_eq!(sealed, expected);
        let opened = open(&key, &envelope(), "/email", expected).unwrap();
        assert_eq!(opened.as_slice(), PLAINTEXT.as_bytes());
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_refused() {
        let key = Key::from_bytes(&counting(0));
        let sealed = seal(&key, counting(100), &envelope(), "/email", PLAINTEXT).unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut bytes = sealed.clone().into_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let Ok(text) = String::from_utf8(bytes) else { continue };
            assert!(open(&key, &envelope(), "/email", &text).is_err(), "bit {bit}");
        }
        let bytes = URL_SAFE_NO_PAD.decode(&sealed).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let text = URL_SAFE_NO_PAD.encode(bytes);
            assert!(open(&key, &envelope(), "/email", &text).is_err(), "decoded bit {bit}");
        }
        for length in 0..bytes.len() {
            let text = URL_SAFE_NO_PAD.encode(&bytes[..length]);
            assert!(open(&key, &envelope(), "/email", &text).is_err(), "cut at {length}");
        }
        for text in [format!("{sealed}="), format!("{sealed}A"), format!(" {sealed}")] {
            assert!(open(&key, &envelope(), "/email", &text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_sealed_value_opens_in_its_own_place_only() {
        let key = Key::random().unwrap();
        let sealed = seal(&key, counting(0), &envelope(), "/email", PLAINTEXT).unwrap();
        let home = envelope();
        let elsewhere = [
            (Envelope { stream: "identity-0193", ..home }, "/email"),
            (Envelope { event_type: "EmailChanged", ..home }, "/email"),
            (Envelope { schema_version: 2, ..home }, "/email"),
            (Envelope { event_id: subject(2), ..home }, "/email"),
            (Envelope { stream: "identity-0192R", event_type: "egistered", ..home }, "/email"),
            (home, "/name"),
            (home, ""),
        ];
        for (envelope, pointer) in elsewhere {
            let refused = open(&key, &envelope, pointer, &sealed);
            assert!(matches!(refused, Err(VaultError::Tampered { .. })), "{envelope:?} {pointer}");
        }
        let refused = open(&Key::random().unwrap(), &home, "/email", &sealed);
        assert!(matches!(refused, Err(VaultError::OtherKey { .. })));
    }
}
