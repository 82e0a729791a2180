//! The keys that sign access tokens.
//!
//! A [`KeyRing`] holds one Ed25519 key that signs (RFC 8032) and those that signed before it, which
//! verify until every token they signed has expired. Its stored form is a JSON text with private
//! keys in it: whoever reads it can be anybody, so it belongs into a file that only the server can
//! read. Its public form is a JSON Web Key Set (RFC 7517, RFC 8037).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{self, DecodePrivateKey, EncodePrivateKey};
use ed25519_dalek::{SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::access_token::LIFETIME_MAX_MS;
use crate::random::{self, RandomError};

/// How many keys a ring holds.
pub const KEYS_MAX: usize = 16;

/// How long a key verifies after the last moment at which it signed.
pub const VERIFIES_FOR_MS: i64 = LIFETIME_MAX_MS;

/// The version of the stored form.
const FORMAT: u32 = 1;

/// Why keys could not be made or read.
#[derive(Debug, Error)]
pub enum KeyError {
    /// There are no random bytes; try again later.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The text is not an Ed25519 private key in PKCS#8 PEM (RFC 8410). Restore it.
    #[error("the signing key is not an Ed25519 key in PKCS#8 PEM: {0}")]
    Pem(#[from] pkcs8::Error),
    /// The text is not the stored form of a ring. Restore it.
    #[error("the key ring is not readable: {0}")]
    Json(#[from] serde_json::Error),
    /// The ring breaks a rule. Restore it.
    #[error("the key ring is damaged: {0}")]
    Damaged(&'static str),
    /// So many keys still verify. Rotate again when the first of them have expired.
    #[error("the ring is full: {KEYS_MAX} keys still verify")]
    Full,
}

struct RingKey {
    kid: String,
    signing: SigningKey,
    verifying: VerifyingKey,
    made_at_ms: i64,
    /// The first moment at which it no longer verifies; `None` for the key that signs.
    verifies_until_ms: Option<i64>,
}

impl RingKey {
    fn new(signing: SigningKey, made_at_ms: i64, verifies_until_ms: Option<i64>) -> Self {
        let verifying = signing.verifying_key();
        Self { kid: thumbprint(&verifying), signing, verifying, made_at_ms, verifies_until_ms }
    }

    fn verifies(&self, now_ms: i64) -> bool {
        self.verifies_until_ms.is_none_or(|until_ms| now_ms < until_ms)
    }
}

/// The key that signs, and those that still verify.
///
/// **Invariant:** at most [`KEYS_MAX`] keys, no two equal.
pub struct KeyRing {
    signing: RingKey,
    older: Vec<RingKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredRing {
    format: u32,
    keys: Vec<StoredKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredKey {
    kid: String,
    made_at_ms: i64,
    verifies_until_ms: Option<i64>,
    pkcs8_pem: String,
}

impl KeyRing {
    /// A ring with one new key.
    ///
    /// # Errors
    /// There are no random bytes.
    pub fn generate(now_ms: i64) -> Result<Self, KeyError> {
        Ok(Self { signing: new_key(now_ms)?, older: vec![] })
    }

    /// A ring with one key that exists already, an Ed25519 private key in PKCS#8 PEM (RFC 8410).
    ///
    /// # Errors
    /// The text is something else.
    pub fn from_pkcs8_pem(pem: &str, made_at_ms: i64) -> Result<Self, KeyError> {
        let key = SigningKey::from_pkcs8_pem(pem)?;
        Ok(Self { signing: RingKey::new(key, made_at_ms, None), older: vec![] })
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// The text is something else, or breaks the invariant.
    pub fn from_json(text: &str) -> Result<Self, KeyError> {
        let stored: StoredRing = serde_json::from_str(text)?;
        if stored.format != FORMAT {
            return Err(KeyError::Damaged("its format is of another version of this program"));
        }
        if stored.keys.len() > KEYS_MAX {
            return Err(KeyError::Damaged("it has too many keys"));
        }
        let mut keys: Vec<RingKey> = vec![];
        for stored in stored.keys {
            let key = SigningKey::from_pkcs8_pem(&stored.pkcs8_pem)?;
            let key = RingKey::new(key, stored.made_at_ms, stored.verifies_until_ms);
            if key.kid != stored.kid {
                return Err(KeyError::Damaged("a key id is not the thumbprint of its key"));
            }
            if keys.iter().any(|other| other.kid == key.kid) {
                return Err(KeyError::Damaged("a key stands in it twice"));
            }
            keys.push(key);
        }
        let is_signing = |key: &RingKey| key.verifies_until_ms.is_none();
        let (mut signing, older): (Vec<_>, Vec<_>) = keys.into_iter().partition(is_signing);
        match (signing.pop(), signing.is_empty()) {
            (Some(signing), true) => Ok(Self { signing, older }),
            _ => Err(KeyError::Damaged("not exactly one key signs")),
        }
    }

    /// The stored form, with the private keys.
    ///
    /// # Errors
    /// A key cannot be written as PKCS#8.
    pub fn to_json(&self) -> Result<String, KeyError> {
        let keys = self.keys().map(|key| {
            Ok(StoredKey {
                kid: key.kid.clone(),
                made_at_ms: key.made_at_ms,
                verifies_until_ms: key.verifies_until_ms,
                pkcs8_pem: key.signing.to_pkcs8_pem(LineEnding::LF)?.to_string(),
            })
        });
        let keys = keys.collect::<Result<_, KeyError>>()?;
        Ok(serde_json::to_string_pretty(&StoredRing { format: FORMAT, keys })?)
    }

    /// Lets a new key sign. The one that signed verifies for [`VERIFIES_FOR_MS`] more, and those
    /// that no longer verify are forgotten. Store the ring before anything is signed.
    ///
    /// # Errors
    /// There are no random bytes, or the ring is full; nothing has changed then.
    pub fn rotate(&mut self, now_ms: i64) -> Result<(), KeyError> {
        let still_verify = self.older.iter().filter(|key| key.verifies(now_ms)).count();
        if still_verify + 2 > KEYS_MAX {
            return Err(KeyError::Full);
        }
        let mut before = std::mem::replace(&mut self.signing, new_key(now_ms)?);
        before.verifies_until_ms = Some(now_ms.saturating_add(VERIFIES_FOR_MS));
        self.older.retain(|key| key.verifies(now_ms));
        self.older.insert(0, before);
        Ok(())
    }

    /// What tokens call the key that signs: its thumbprint (RFC 7638).
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.signing.kid
    }

    /// When the key that signs was made.
    #[must_use]
    pub fn made_at_ms(&self) -> i64 {
        self.signing.made_at_ms
    }

    /// The public keys that verify now, as a JSON Web Key Set; the one that signs comes first.
    #[must_use]
    pub fn jwks(&self, now_ms: i64) -> Jwks {
        let keys = self.keys().filter(|key| key.verifies(now_ms));
        Jwks { keys: keys.map(Jwk::of).collect() }
    }

    pub(crate) fn signing_key(&self) -> &SigningKey {
        &self.signing.signing
    }

    /// The public key that tokens call so, if it verifies now.
    pub(crate) fn verifying_key(&self, kid: &str, now_ms: i64) -> Option<&VerifyingKey> {
        let key = self.keys().find(|key| key.kid == kid)?;
        key.verifies(now_ms).then_some(&key.verifying)
    }

    fn keys(&self) -> impl Iterator<Item = &RingKey> {
        std::iter::once(&self.signing).chain(&self.older)
    }
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.keys().map(|key| &key.kid)).finish()
    }
}

/// Public keys (RFC 7517, section 5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Jwks {
    /// The keys.
    pub keys: Vec<Jwk>,
}

/// A public Ed25519 key (RFC 8037, section 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Jwk {
    /// The kind of key, `OKP`.
    pub kty: &'static str,
    /// The curve, `Ed25519`.
    pub crv: &'static str,
    /// The key in base64url.
    pub x: String,
    /// What tokens call it.
    pub kid: String,
    /// What it is for, `sig`.
    #[serde(rename = "use")]
    pub usage: &'static str,
    /// With which algorithm, `EdDSA`.
    pub alg: &'static str,
}

impl Jwk {
    fn of(key: &RingKey) -> Self {
        Self {
            kty: "OKP",
            crv: "Ed25519",
            x: URL_SAFE_NO_PAD.encode(key.verifying.as_bytes()),
            kid: key.kid.clone(),
            usage: "sig",
            alg: "EdDSA",
        }
    }
}

fn new_key(now_ms: i64) -> Result<RingKey, RandomError> {
    Ok(RingKey::new(SigningKey::from_bytes(&random::bytes()?), now_ms, None))
}

/// The thumbprint of a public key (RFC 7638, RFC 8037 appendix A.3).
fn thumbprint(key: &VerifyingKey) -> String {
    let x = URL_SAFE_NO_PAD.encode(key.as_bytes());
    let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    URL_SAFE_NO_PAD.encode(Sha256::digest(canonical.as_bytes()))
}

#[cfg(test)]
mod tests;
