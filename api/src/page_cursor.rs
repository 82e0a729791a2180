//! Places in lists as clients hold them: opaque, and good for one list of this service only.
//!
//! A cursor is, in base64url without padding (RFC 4648):
//!
//! | bytes | |
//! | --- | --- |
//! | 1 | the form, 2 |
//! | 16 | the first half of an HMAC with SHA-256 (RFC 2104) over everything else, and over the name of the list and the hash of what selects its entries |
//! | 8 | when the walk along the list began: its snapshot, in milliseconds since 1970-01-01 UTC, the highest byte first |
//! | the rest | the key of the entry in the list, as JSON |
//!
//! So a cursor that was altered, made up, or given out for another list, another filter, another
//! profile or by another service is refused before anything of it is believed. What the mark is
//! taken over need not be in the cursor: the list is known again from the request.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::caller::Caller;
use crate::errors::{Code, Fault};

/// The form of every cursor; another form would get another number.
const VERSION: u8 = 2;
/// How much of the HMAC is kept. Half of it is as much as RFC 2104 allows to leave out, and more
/// than anybody can guess.
const MARK_BYTES: usize = 16;
/// The longest cursor that is looked at: the longest name has 500 characters.
const CHARS_MAX: usize = 4_096;
/// What keeps this key apart from others of the same secret.
const PURPOSE: &[u8] = b"playhead page cursors 2";

/// What marks the cursors of a service as its own. The same for all processes of a data directory.
#[derive(Clone)]
pub struct CursorKey(Hmac<Sha256>);

impl CursorKey {
    /// The key that follows from a secret of the service (HKDF, RFC 5869). Whoever knows it learns
    /// nothing of the secret.
    #[must_use]
    #[expect(clippy::expect_used, reason = "HKDF expands to 32 bytes, and HMAC takes any key")]
    pub fn derive(secret: &[u8]) -> Self {
        let mut key = [0; 32];
        Hkdf::<Sha256>::new(None, secret).expand(PURPOSE, &mut key).expect("32 bytes");
        Self(Hmac::new_from_slice(&key).expect("any key"))
    }

    /// The list of this name with this selection, as it is walked along from a moment on.
    pub(crate) fn list(&self, name: &str, selection: &impl std::fmt::Debug, now_ms: i64) -> List {
        let selection = Sha256::digest(format!("{selection:?}").as_bytes());
        // Hashes have one length, so no two pairs of list and selection come to the same bytes.
        let hmac = self.0.clone().chain_update([VERSION]).chain_update(Sha256::digest(name));
        List { hmac: hmac.chain_update(selection), snapshot_ms: now_ms }
    }
}

impl std::fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CursorKey(..)")
    }
}

impl Caller {
    /// The list of this name with everything that selects what is on it.
    pub(crate) fn list(&self, name: &str, selection: &impl std::fmt::Debug) -> List {
        self.services.cursors.list(name, selection, self.now_ms)
    }
}

/// One list, walked along by one client.
#[derive(Clone)]
pub(crate) struct List {
    /// Over everything but snapshot and key.
    hmac: Hmac<Sha256>,
    snapshot_ms: i64,
}

impl List {
    /// When the walk began, in milliseconds since 1970-01-01 UTC: of the first page the moment of
    /// the request, of later ones what their cursor says. What joined the list later is no part of
    /// the walk where it would disturb it.
    pub(crate) fn snapshot_ms(&self) -> i64 {
        self.snapshot_ms
    }

    /// The cursor of a key of this list.
    ///
    /// # Errors
    /// The key cannot be written.
    pub(crate) fn encode(&self, key: impl Serialize) -> Result<String, serde_json::Error> {
        let key = serde_json::to_vec(&key)?;
        let snapshot = self.snapshot_ms.to_be_bytes();
        let mark = self.marked(&snapshot, &key).finalize().into_bytes();
        let mut cursor = vec![VERSION];
        cursor.extend(mark.iter().take(MARK_BYTES));
        cursor.extend(snapshot);
        cursor.extend(key);
        Ok(URL_SAFE_NO_PAD.encode(cursor))
    }

    /// The key that a cursor of this list holds. The walk goes on from it.
    ///
    /// # Errors
    /// It is no cursor, or one of another list.
    pub(crate) fn go_on<K: DeserializeOwned>(&mut self, cursor: &str) -> Result<K, Fault> {
        let (snapshot_ms, key) = self.parse(cursor).ok_or_else(|| {
            let message = "the cursor is not one of this list with this filter";
            Fault::new(Code::BadCursor, message).at("after")
        })?;
        self.snapshot_ms = snapshot_ms;
        Ok(key)
    }

    fn parse<K: DeserializeOwned>(&self, cursor: &str) -> Option<(i64, K)> {
        if cursor.len() > CHARS_MAX {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (version, rest) = bytes.split_first()?;
        let (mark, rest) = rest.split_first_chunk::<MARK_BYTES>()?;
        let (snapshot, key) = rest.split_first_chunk::<8>()?;
        if *version != VERSION {
            return None;
        }
        // Takes as long wherever the first difference is.
        self.marked(snapshot, key).verify_truncated_left(mark).ok()?;
        Some((i64::from_be_bytes(*snapshot), serde_json::from_slice(key).ok()?))
    }

    fn marked(&self, snapshot: &[u8; 8], key: &[u8]) -> Hmac<Sha256> {
        self.hmac.clone().chain_update(snapshot).chain_update(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Key = (String, i64);

    const NOW: i64 = 1_800_000_000_000;

    fn list(name: &str, selection: Option<&str>) -> List {
        CursorKey::derive(&[7; 32]).list(name, &selection, NOW)
    }

    fn refused(list: &List, cursor: &str) -> bool {
        matches!(list.clone().go_on::<Key>(cursor), Err(Fault { code: Code::BadCursor, .. }))
    }

    #[test]
    fn a_cursor_leads_back_to_its_key() {
        let list = list("titles", Some("Drama"));
        let key = ("der untergang".to_owned(), -5);
        assert_eq!(list.clone().go_on::<Key>(&list.encode(&key).unwrap()).unwrap(), key);
    }

    #[test]
    fn a_walk_keeps_the_moment_at_which_it_began() {
        let key = CursorKey::derive(&[7; 32]);
        let cursor = key.list("titles", &(), NOW).encode(("a", 1)).unwrap();
        let mut later = key.list("titles", &(), NOW + 60_000);
        assert_eq!(later.snapshot_ms(), NOW + 60_000);
        later.go_on::<Key>(&cursor).unwrap();
        assert_eq!(later.snapshot_ms(), NOW);
        let next = later.encode(("b", 2)).unwrap();
        let mut last = key.list("titles", &(), NOW + 90_000);
        last.go_on::<Key>(&next).unwrap();
        assert_eq!(last.snapshot_ms(), NOW);
    }

    #[test]
    fn a_cursor_of_another_list_filter_or_service_is_refused() {
        let cursor = list("titles", Some("Drama")).encode(("a", 1)).unwrap();
        assert!(refused(&list("titles", Some("Comedy")), &cursor));
        assert!(refused(&list("titles", None), &cursor));
        assert!(refused(&list("history", Some("Drama")), &cursor));
        let elsewhere = CursorKey::derive(&[8; 32]).list("titles", &Some("Drama"), NOW);
        assert!(refused(&elsewhere, &cursor));
    }

    #[test]
    fn a_cursor_with_any_bit_altered_is_refused() {
        let list = list("titles", None);
        let cursor = URL_SAFE_NO_PAD.decode(list.encode(("a", 1)).unwrap()).unwrap();
        for bit in 0..cursor.len() * 8 {
            let mut altered = cursor.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(refused(&list, &URL_SAFE_NO_PAD.encode(altered)), "bit {bit}");
        }
        for len in 0..cursor.len() {
            assert!(refused(&list, &URL_SAFE_NO_PAD.encode(&cursor[..len])), "{len} bytes");
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        let list = list("titles", None);
        let cursor = list.encode(("a", 1)).unwrap();
        let old = URL_SAFE_NO_PAD.encode(r#"{"v":1,"l":"AAAAAAAA","k":["a",1]}"#);
        let long = list.encode(("a".repeat(CHARS_MAX), 1)).unwrap();
        for other in ["", "%%%", &cursor[1..], &format!("{cursor}="), &old, &long] {
            assert!(refused(&list, other), "{other:.80}");
        }
        assert!(refused(&list, &"A".repeat(1_000_000)));
        assert!(list.clone().go_on::<i64>(&cursor).is_err(), "a key of another type");
    }
}
