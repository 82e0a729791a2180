//! The compact form of a signed token (RFC 7515, section 7.1), read strictly.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::strict_json;

/// Header names that would let a token choose its own key or demand rules that we do not know
/// (RFC 7515, sections 4.1.2 to 4.1.6 and 4.1.11; RFC 7797).
const FORBIDDEN_HEADERS: [&str; 6] = ["jku", "jwk", "x5u", "x5c", "crit", "b64"];

/// A token taken apart; nothing about it is proven yet.
pub(crate) struct Compact<'a> {
    pub(crate) header: Map<String, Value>,
    /// What the signature covers.
    pub(crate) message: &'a str,
    /// The signature in base64url, at least one character.
    pub(crate) signature: &'a str,
    payload: &'a str,
}

impl<'a> Compact<'a> {
    /// Takes a token apart: three parts in base64url without padding, the first a JSON object.
    pub(crate) fn split(token: &'a str, bytes_max: usize) -> Option<Self> {
        if token.len() > bytes_max {
            return None;
        }
        let (message, signature) = token.rsplit_once('.')?;
        let (header, payload) = message.split_once('.')?;
        if signature.is_empty() || payload.contains('.') {
            return None;
        }
        let header = strict_json::object(&URL_SAFE_NO_PAD.decode(header).ok()?)?;
        Some(Self { header, message, signature, payload })
    }

    /// A header that is there and a text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.header.get(name)?.as_str()
    }

    /// Whether the token brings a key of its own or asks for rules that we do not know.
    pub(crate) fn is_presumptuous(&self) -> bool {
        FORBIDDEN_HEADERS.iter().any(|name| self.header.contains_key(*name))
    }

    /// The claims. Only to be asked for once the signature is known to be right.
    pub(crate) fn claims(&self) -> Option<Map<String, Value>> {
        strict_json::object(&URL_SAFE_NO_PAD.decode(self.payload).ok()?)
    }
}
