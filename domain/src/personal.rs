//! Values about a person, which can be erased from a log that is never rewritten.
//!
//! The domain knows no cryptography. It marks what is personal, and the edge seals every marked
//! value under a key of the person before it is stored, and opens it again when it is read. Once
//! the key is destroyed, what is read is [`Personal::Erased`].

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The key of a value that is there: `{"$personal": x}`.
const KNOWN: &str = "$personal";
/// The key of a value that is gone: `{"$erased": true}`.
const ERASED: &str = "$erased";

/// A value about a person. Neither `Debug` nor an error of reading it shows the value.
#[derive(Clone, PartialEq, Eq)]
pub enum Personal<T> {
    /// The value.
    Known(T),
    /// The key that sealed the value was destroyed.
    Erased,
}

impl<T> Personal<T> {
    /// The value, unless it was erased.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Erased => None,
        }
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Known(_) => "Known(…)",
            Self::Erased => "Erased",
        })
    }
}

impl<T: Serialize> Serialize for Personal<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(value) => serializer.serialize_newtype_variant("Personal", 0, KNOWN, value),
            Self::Erased => serializer.serialize_newtype_variant("Personal", 1, ERASED, &true),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Personal<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Marked(PhantomData))
    }
}

/// Reads one object with one key.
struct Marked<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Marked<T> {
    type Value = Personal<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with $personal, or with $erased")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Personal<T>, A::Error> {
        let key: Option<String> = map.next_key()?;
        let read = match key.as_deref() {
            // The error is not passed on: it may quote the value.
            Some(KNOWN) => match map.next_value() {
                Ok(value) => Personal::Known(value),
                Err(_) => return Err(A::Error::custom("the personal value does not fit its type")),
            },
            Some(ERASED) if map.next_value::<bool>()? => Personal::Erased,
            _ => return Err(A::Error::custom("expected $personal, or $erased that is true")),
        };
        match map.next_key::<String>()? {
            None => Ok(read),
            Some(_) => Err(A::Error::custom("a personal value has one key")),
        }
    }

    // What is no object may be the value itself, which an error must not quote.
    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<Personal<T>, E> {
        Err(E::custom("a personal value is not marked"))
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<Personal<T>, E> {
        self.visit_str("")
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<Personal<T>, E> {
        self.visit_str("")
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Personal<T>, E> {
        self.visit_str("")
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Personal<T>, E> {
        self.visit_str("")
    }
}

#[cfg(test)]
mod tests;
