//! Places in lists as clients hold them: opaque, and good for one list only.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::errors::{Code, Fault};

/// The form of every cursor; another form would get another number.
const VERSION: u8 = 1;
/// The longest cursor that is looked at: the longest name has 500 characters.
const CHARS_MAX: usize = 4_096;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cursor<K> {
    v: u8,
    /// The list.
    l: String,
    /// The key in it.
    k: K,
}

/// One list: its name and everything that selects what is on it.
pub(crate) struct List {
    mark: String,
}

impl List {
    /// The list of this name with this selection.
    pub(crate) fn new(name: &str, selection: &impl std::fmt::Debug) -> Self {
        let digest = Sha256::digest(format!("{name}:{selection:?}").as_bytes());
        let mark = digest.first_chunk::<6>().copied().unwrap_or_default();
        Self { mark: URL_SAFE_NO_PAD.encode(mark) }
    }

    /// The cursor of a key of this list.
    ///
    /// # Errors
    /// The key cannot be written.
    pub(crate) fn encode(&self, key: impl Serialize) -> Result<String, serde_json::Error> {
        let cursor = Cursor { v: VERSION, l: self.mark.clone(), k: key };
        Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(&cursor)?))
    }

    /// The key that a cursor of this list holds.
    ///
    /// # Errors
    /// It is no cursor, or one of another list.
    pub(crate) fn decode<K: DeserializeOwned>(&self, cursor: &str) -> Result<K, Fault> {
        self.parse(cursor).ok_or_else(|| {
            Fault::new(Code::BadCursor, "the cursor is not one of this list with this filter")
        })
    }

    fn parse<K: DeserializeOwned>(&self, cursor: &str) -> Option<K> {
        if cursor.len() > CHARS_MAX {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let cursor: Cursor<K> = serde_json::from_slice(&bytes).ok()?;
        (cursor.v == VERSION && cursor.l == self.mark).then_some(cursor.k)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Key = (String, i64);

    fn refused(list: &List, cursor: &str) -> bool {
        matches!(list.decode::<Key>(cursor), Err(Fault { code: Code::BadCursor, .. }))
    }

    #[test]
    fn a_cursor_leads_back_to_its_key() {
        let list = List::new("titles", &Some("Drama"));
        let key = ("der untergang".to_owned(), -5);
        assert_eq!(list.decode::<Key>(&list.encode(&key).unwrap()).unwrap(), key);
    }

    #[test]
    fn a_cursor_of_another_list_or_filter_is_refused() {
        let list = List::new("titles", &Some("Drama"));
        let cursor = list.encode(("a", 1)).unwrap();
        assert!(refused(&List::new("titles", &Some("Comedy")), &cursor));
        assert!(refused(&List::new("history", &Some("Drama")), &cursor));
    }

    #[test]
    fn an_altered_cursor_is_refused() {
        let list = List::new("titles", &1);
        let cursor = list.encode(("a", 1)).unwrap();
        let json = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        for altered in [
            String::new(),
            "%%%".to_owned(),
            cursor[1..].to_owned(),
            format!("{cursor}="),
            "A".repeat(1_000_000),
            json(serde_json::json!({ "v": 2, "l": list.mark, "k": ["a", 1] })),
            json(serde_json::json!({ "v": 1, "l": list.mark, "k": "a" })),
            json(serde_json::json!({ "v": 1, "l": list.mark, "k": ["a", 1], "x": 1 })),
        ] {
            assert!(refused(&list, &altered), "{altered:.80}");
        }
    }
}
