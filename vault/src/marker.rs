//! Where the markers of a payload are.
//!
//! The payload is never written anew: what lies between two markers is copied as it was, so numbers,
//! blank space and the order of keys stay as the producer wrote them.

use std::fmt;
use std::fmt::Write as _;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::VaultError;

/// How many bytes a payload with markers has at most, sealed or not: as many as an append to the log.
pub const PAYLOAD_BYTES_MAX: usize = 1 << 20;
/// How many fields of a payload can be personal. An event of ours has fewer than ten.
pub const FIELDS_MAX: usize = 256;
/// How many objects and arrays may be around a marker, its own included. Bounds the stack, and the work:
/// each level is read once more.
pub const DEPTH_MAX: usize = 32;

/// What an object with one key stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A value in clear.
    Personal,
    /// A sealed value.
    Sealed,
    /// A value that is gone.
    Erased,
}

impl Kind {
    /// The key.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Personal => "$personal",
            Self::Sealed => "$sealed",
            Self::Erased => "$erased",
        }
    }

    fn of(key: &str) -> Option<Self> {
        [Self::Personal, Self::Sealed, Self::Erased].into_iter().find(|kind| kind.key() == key)
    }
}

/// One marker of a payload.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Marker<'p> {
    pub(crate) kind: Kind,
    /// Where its object is (RFC 6901).
    pub(crate) pointer: String,
    /// The bytes of its object.
    pub(crate) span: Range<usize>,
    /// The text of its value.
    pub(crate) value: &'p str,
}

impl Marker<'_> {
    /// The refusal of a marker that must not be here.
    pub(crate) fn misplaced(&self, reason: &'static str) -> VaultError {
        VaultError::Misplaced { marker: self.kind.key(), pointer: self.pointer.clone(), reason }
    }
}

/// Whether a payload has to be looked at more closely: a string in it begins with `$`, or is written
/// with numeric escapes, behind which a `$` could hide. If not, sealing and unsealing pass it on.
///
/// A search for two bytes, far below a microsecond for an event of a few hundred bytes.
#[must_use]
pub fn may_hold_marker(payload: &[u8]) -> bool {
    memchr::memchr2_iter(b'$', b'\\', payload).any(|place| match payload.get(place) {
        Some(b'$') => place.checked_sub(1).and_then(|before| payload.get(before)) == Some(&b'"'),
        _ => payload.get(place.saturating_add(1)) == Some(&b'u'),
    })
}

/// Whether something in a payload is sealed, or may be: what cannot be understood counts.
#[must_use]
pub fn holds_sealed(payload: &[u8]) -> bool {
    find(payload).map_or(true, |markers| markers.iter().any(|it| it.kind == Kind::Sealed))
}

/// All markers of a payload, in their order. One that may hold none is not parsed.
///
/// # Errors
/// The payload may hold a marker and is not JSON or exceeds a limit; a marker is inside another's
/// value or beside other keys.
pub(crate) fn find(payload: &[u8]) -> Result<Vec<Marker<'_>>, VaultError> {
    if !may_hold_marker(payload) {
        return Ok(Vec::new());
    }
    if payload.len() > PAYLOAD_BYTES_MAX {
        return Err(VaultError::TooLarge { limit: PAYLOAD_BYTES_MAX, unit: "bytes" });
    }
    let text: &RawValue = serde_json::from_slice(payload).map_err(not_json)?;
    let mut walk = Walk { start: payload.as_ptr().addr(), pointer: String::new(), found: vec![] };
    walk.visit(text.get(), 0)?;
    Ok(walk.found)
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
fn not_json(error: serde_json::Error) -> VaultError {
    VaultError::NotJson { line: error.line(), column: error.column() }
}

struct Walk<'p> {
    /// The address of the payload, of which all texts are parts.
    start: usize,
    pointer: String,
    found: Vec<Marker<'p>>,
}

impl<'p> Walk<'p> {
    fn visit(&mut self, text: &'p str, depth: usize) -> Result<(), VaultError> {
        let is_object = match text.as_bytes().first() {
            Some(b'{') => true,
            Some(b'[') => false,
            _ => return Ok(()),
        };
        if !may_hold_marker(text.as_bytes()) {
            return Ok(());
        }
        if depth >= DEPTH_MAX {
            return Err(VaultError::TooLarge { limit: DEPTH_MAX, unit: "levels" });
        }
        if is_object { self.visit_object(text, depth) } else { self.visit_array(text, depth) }
    }

    fn visit_array(&mut self, text: &'p str, depth: usize) -> Result<(), VaultError> {
        let items: Vec<&'p RawValue> = serde_json::from_str(text).map_err(not_json)?;
        for (place, item) in items.into_iter().enumerate() {
            self.visit_inside(&place.to_string(), item.get(), depth)?;
        }
        Ok(())
    }

    fn visit_object(&mut self, text: &'p str, depth: usize) -> Result<(), VaultError> {
        let Entries(entries) = serde_json::from_str(text).map_err(not_json)?;
        let marker = entries.iter().find_map(|(key, value)| Some((Kind::of(key)?, *value)));
        let Some((kind, value)) = marker else {
            for (key, value) in entries {
                self.visit_inside(&key, value.get(), depth)?;
            }
            return Ok(());
        };
        let begin = text.as_ptr().addr().saturating_sub(self.start);
        let marker = Marker {
            kind,
            pointer: self.pointer.clone(),
            span: begin..begin.saturating_add(text.len()),
            value: value.get(),
        };
        if entries.len() != 1 {
            return Err(marker.misplaced("stands beside other keys"));
        }
        let before = self.found.len();
        self.visit_inside(kind.key(), value.get(), depth)?;
        if let Some(inner) = self.found.get(before) {
            return Err(inner.misplaced("is inside another"));
        }
        if before >= FIELDS_MAX {
            return Err(VaultError::TooLarge { limit: FIELDS_MAX, unit: "personal fields" });
        }
        self.found.push(marker);
        Ok(())
    }

    fn visit_inside(&mut self, key: &str, text: &'p str, depth: usize) -> Result<(), VaultError> {
        let length = self.pointer.len();
        let key = key.replace('~', "~0").replace('/', "~1");
        let written = write!(self.pointer, "/{key}");
        debug_assert!(written.is_ok(), "a string takes all that is written");
        self.visit(text, depth.saturating_add(1))?;
        self.pointer.truncate(length);
        Ok(())
    }
}

/// The keys and values of an object as they are written, repeated keys included.
struct Entries<'p>(Vec<(String, &'p RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Entries(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(payload: &str) -> Vec<(Kind, String, &str, &str)> {
        let markers = find(payload.as_bytes()).unwrap();
        let text = |marker: &Marker<'_>| &payload[marker.span.clone()];
        markers.iter().map(|m| (m.kind, m.pointer.clone(), text(m), m.value)).collect()
    }

    #[test]
    fn markers_are_found_at_any_depth() {
        let payload = r#" {"a/b": [1, {"$personal" : "x"}], "c~": { "$sealed": "y" }, "$d": {}} "#;
        let expected = vec![
            (Kind::Personal, "/a~1b/1".to_owned(), r#"{"$personal" : "x"}"#, r#""x""#),
            (Kind::Sealed, "/c~0".to_owned(), r#"{ "$sealed": "y" }"#, r#""y""#),
        ];
        assert_eq!(found(payload), expected);
        let whole = r#"{"$personal":{"a":[1e400, 1.0]}}"#;
        assert_eq!(found(whole), [(Kind::Personal, String::new(), whole, r#"{"a":[1e400, 1.0]}"#)]);
    }

    #[test]
    fn a_marker_cannot_hide_behind_escapes() {
        let payload = r#"{"a":{"\u0024personal":1}}"#;
        assert_eq!(found(payload)[0].0, Kind::Personal);
        assert_eq!(found(r#"{"a":{"$pers\u006fnal":1}}"#)[0].0, Kind::Personal);
    }

    #[test]
    fn values_and_other_keys_are_no_markers() {
        assert_eq!(found(r#"{"a":"$personal","$other":1,"b":["$sealed"],"c":"\u0024"}"#), []);
        assert!(!may_hold_marker(br#"{"price":"5$","path":"a\\b","quote":"\"x\""}"#));
    }

    #[test]
    fn only_a_sealed_value_counts_as_sealed() {
        for payload in [r#"{"a":{"$sealed":"x"}}"#, r#"[{"\u0024sealed":"x"}]"#, r#"{"$sealed":"#] {
            assert!(holds_sealed(payload.as_bytes()), "{payload}");
        }
        for payload in [r#"{"a":{"$personal":1}}"#, r#"{"a":"$sealed"}"#, "{}", "no JSON"] {
            assert!(!holds_sealed(payload.as_bytes()), "{payload}");
        }
    }

    #[test]
    fn what_cannot_hold_a_marker_is_not_parsed() {
        assert_eq!(find(b"no JSON {").unwrap(), []);
        assert_eq!(find(b"").unwrap(), []);
        assert!(matches!(find(br#"{"$personal": }"#), Err(VaultError::NotJson { line: 1, .. })));
        assert!(matches!(find(b"{\"$personal\":\"\xff\"}"), Err(VaultError::NotJson { .. })));
        assert!(matches!(find(br#"{"$personal":1} 2"#), Err(VaultError::NotJson { .. })));
    }

    #[test]
    fn a_marker_stands_alone_and_holds_no_other() {
        let misplaced = [
            r#"{"$personal":1,"a":2}"#,
            r#"{"a":1,"$sealed":2}"#,
            r#"{"$personal":1,"$personal":2}"#,
            r#"{"$personal":[{"$personal":1}]}"#,
            r#"{"$personal":{"a":{"$erased":true}}}"#,
        ];
        for payload in misplaced {
            let refused = find(payload.as_bytes());
            assert!(matches!(refused, Err(VaultError::Misplaced { .. })), "{payload}");
        }
    }

    #[test]
    fn limits_are_kept_exactly() {
        let nested =
            |depth: usize| format!("{}{{\"$personal\":1}}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(find(nested(DEPTH_MAX - 1).as_bytes()).unwrap().len(), 1);
        let levels = VaultError::TooLarge { limit: DEPTH_MAX, unit: "levels" }.to_string();
        assert_eq!(find(nested(DEPTH_MAX).as_bytes()).unwrap_err().to_string(), levels);
        assert_eq!(find(nested(100_000).as_bytes()).unwrap_err().to_string(), levels);
        let many = |count| format!("[{}]", vec![r#"{"$personal":1}"#; count].join(","));
        assert_eq!(find(many(FIELDS_MAX).as_bytes()).unwrap().len(), FIELDS_MAX);
        assert!(find(many(FIELDS_MAX + 1).as_bytes()).is_err());
        let long = |bytes: usize| format!(r#"{{"$personal":"{}"}}"#, "x".repeat(bytes - 16));
        assert_eq!(find(long(PAYLOAD_BYTES_MAX).as_bytes()).unwrap().len(), 1);
        assert!(find(long(PAYLOAD_BYTES_MAX + 1).as_bytes()).is_err());
    }
}
