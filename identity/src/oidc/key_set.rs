//! A provider's keys (RFC 7517).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, crypto};
use serde_json::{Map, Value};

use super::KEYS_MAX;
use super::settings::OutsideAlgorithm;
use crate::compact::Compact;

/// The shortest RSA modulus (RFC 7518, section 3.3), and the longest that is not a burden.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=512;
/// The longest public exponent; nearly all are 65,537.
const RSA_EXPONENT_BYTES_MAX: usize = 4;
const P256_BYTES: usize = 32;
const ED25519_BYTES: usize = 32;

#[derive(Default)]
pub(super) struct KeySet {
    keys: Vec<Key>,
}

pub(super) struct Key {
    kid: Option<String>,
    algorithms: Vec<OutsideAlgorithm>,
    decoding: DecodingKey,
}

impl KeySet {
    /// Reads a key set. Keys of kinds that are not known are left out (RFC 7517, section 5).
    pub(super) fn read(document: &Map<String, Value>) -> Result<Self, &'static str> {
        let listed = document.get("keys").and_then(Value::as_array).ok_or("has no keys")?;
        if listed.len() > KEYS_MAX {
            return Err("has too many keys");
        }
        let keys: Vec<Key> = listed.iter().filter_map(|key| Key::read(key.as_object()?)).collect();
        if keys.is_empty() { Err("has no key that can be used") } else { Ok(Self { keys }) }
    }

    /// The key that a token means. One that names none means the only one there is for its algorithm
    /// (OpenID Connect Core 1.0, section 10.1); a name that two keys have means neither.
    pub(super) fn find(&self, kid: Option<&str>, algorithm: OutsideAlgorithm) -> Option<&Key> {
        let means = |key: &&Key| {
            key.algorithms.contains(&algorithm)
                && kid.is_none_or(|kid| key.kid.as_deref() == Some(kid))
        };
        let mut meant = self.keys.iter().filter(means);
        let key = meant.next()?;
        meant.next().is_none().then_some(key)
    }
}

impl Key {
    fn read(key: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| key.get(name).and_then(Value::as_str);
        if text("use").is_some_and(|usage| usage != "sig") {
            return None;
        }
        let part = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
        let (mut algorithms, decoding) = match (text("kty")?, text("crv")) {
            ("RSA", _) => {
                let (n, e) = (part("n")?, part("e")?);
                let usable = RSA_BYTES.contains(&n.len()) && n.first() != Some(&0);
                if !usable || e.is_empty() || e.len() > RSA_EXPONENT_BYTES_MAX {
                    return None;
                }
                let algorithms = vec![OutsideAlgorithm::Rs256, OutsideAlgorithm::Ps256];
                (algorithms, DecodingKey::from_rsa_raw_components(&n, &e))
            }
            ("EC", Some("P-256")) => {
                let (x, y) = (part("x")?, part("y")?);
                if (x.len(), y.len()) != (P256_BYTES, P256_BYTES) {
                    return None;
                }
                let decoding = DecodingKey::from_ec_components(text("x")?, text("y")?).ok()?;
                (vec![OutsideAlgorithm::Es256], decoding)
            }
            ("OKP", Some("Ed25519")) => {
                let x = part("x").filter(|x| x.len() == ED25519_BYTES)?;
                (vec![OutsideAlgorithm::EdDsa], DecodingKey::from_ed_der(&x))
            }
            _ => return None,
        };
        if let Some(only) = text("alg") {
            algorithms.retain(|algorithm| algorithm.as_str() == only);
        }
        Some(Self { kid: text("kid").map(str::to_owned), algorithms, decoding })
    }

    /// Whether the token's signature is by this key.
    pub(super) fn verifies(&self, token: &Compact<'_>, algorithm: OutsideAlgorithm) -> bool {
        let message = token.message.as_bytes();
        let implementation = algorithm.implementation();
        crypto::verify(token.signature, message, &self.decoding, implementation).unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(keys: Value) -> Result<KeySet, &'static str> {
        KeySet::read(json!({ "keys": keys }).as_object().unwrap())
    }

    fn ed25519(kid: &str) -> Value {
        // RFC 8037, appendix A.2.
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" })
    }

    #[test]
    fn a_set_without_usable_keys_or_with_too_many_is_refused() {
        assert_eq!(KeySet::read(&Map::new()).err(), Some("has no keys"));
        assert_eq!(read(json!([])).err(), Some("has no key that can be used"));
        let many = |count: usize| (0..count).map(|kid| ed25519(&kid.to_string())).collect();
        assert!(read(Value::Array(many(32))).is_ok());
        assert_eq!(read(Value::Array(many(33))).err(), Some("has too many keys"));
    }

    #[test]
    fn keys_that_are_weak_broken_or_for_something_else_are_left_out() {
        let short = URL_SAFE_NO_PAD.encode([0xff; 128]);
        let padded = URL_SAFE_NO_PAD.encode([[0; 255].as_slice(), &[1]].concat());
        let huge = URL_SAFE_NO_PAD.encode([0xff; 1_024]);
        let good = URL_SAFE_NO_PAD.encode([0xff; 256]);
        let mut encrypting = ed25519("a");
        encrypting["use"] = json!("enc");
        for key in [
            json!({ "kty": "RSA", "n": short, "e": "AQAB" }),
            json!({ "kty": "RSA", "n": padded, "e": "AQAB" }),
            json!({ "kty": "RSA", "n": huge, "e": "AQAB" }),
            json!({ "kty": "RSA", "n": good, "e": "AQABAQAB" }),
            json!({ "kty": "RSA", "n": good }),
            json!({ "kty": "oct", "k": good }),
            json!({ "kty": "OKP", "crv": "X25519", "x": good }),
            json!({ "kty": "OKP", "crv": "Ed25519", "x": "AAAA" }),
            json!({ "kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA" }),
            json!({ "kty": "EC", "crv": "P-521", "x": good, "y": good }),
            json!("no object"),
            encrypting,
        ] {
            assert!(read(json!([key])).is_err(), "{key:.60}");
            assert!(read(json!([key, ed25519("b")])).is_ok(), "others are still of use");
        }
    }

    #[test]
    fn a_key_is_found_by_its_name_or_as_the_only_one() {
        let set = read(json!([ed25519("a"), ed25519("b"), ed25519("b")])).unwrap();
        assert!(set.find(Some("a"), OutsideAlgorithm::EdDsa).is_some());
        assert!(set.find(Some("a"), OutsideAlgorithm::Rs256).is_none(), "by kind of key, too");
        assert!(set.find(Some("b"), OutsideAlgorithm::EdDsa).is_none(), "which one?");
        assert!(set.find(None, OutsideAlgorithm::EdDsa).is_none(), "which one?");
        let set = read(json!([ed25519("a")])).unwrap();
        assert!(set.find(None, OutsideAlgorithm::EdDsa).is_some());
        let mut other = ed25519("a");
        other["alg"] = json!("ES256");
        let set = read(json!([other])).unwrap();
        assert!(set.find(Some("a"), OutsideAlgorithm::EdDsa).is_none(), "its algorithm is named");
    }
}
