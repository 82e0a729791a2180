//! Typed ids. Most are UUIDs (RFC 9562): version 7 when made at the edge, version 5 when derived
//! from the id that another catalogue gave, so that importing twice addresses the same thing.
//! Where a secret or a person must not be named, a key of 32 bytes stands for it: a hash made at the
//! edge, written in hexadecimal.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }
    };
}

id! {
    /// One household: what is subscribed, billed and limited.
    AccountId
}
id! {
    /// One viewer of a household.
    ProfileId
}
id! {
    /// One thing that can be watched, or a series of such things.
    TitleId
}
id! {
    /// One playing of one title on one device, from start to stop.
    SessionId
}
id! {
    /// One uploaded video file.
    VideoId
}
id! {
    /// One device of a household. An app that is installed anew is a new device.
    DeviceId
}
id! {
    /// One time that somebody signed in on one device, until it ends.
    SignInId
}

/// A text that is not the key it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a key is 64 lower-case hexadecimal digits")]
pub struct InvalidKey;

macro_rules! key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(pub [u8; 32]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl FromStr for $name {
            type Err = InvalidKey;

            fn from_str(text: &str) -> Result<Self, InvalidKey> {
                bytes_of(text).map(Self)
            }
        }

        impl From<$name> for String {
            fn from(key: $name) -> Self {
                key.to_string()
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidKey;

            fn try_from(text: String) -> Result<Self, InvalidKey> {
                text.parse()
            }
        }
    };
}

/// Lower case only: one key has one text, because streams are named by it.
fn bytes_of(text: &str) -> Result<[u8; 32], InvalidKey> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        _ => Err(InvalidKey),
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return Err(InvalidKey) };
    let bytes: Vec<_> = pairs
        .iter()
        .map(|[high, low]| Ok(digit(*high)? << 4 | digit(*low)?))
        .collect::<Result<_, _>>()?;
    bytes.try_into().map_err(|_| InvalidKey)
}

key! {
    /// Stands for an e-mail address: a keyed hash of its [canonical](crate::email::canonical)
    /// form, so that whoever reads the log cannot try addresses.
    EmailKey
}
key! {
    /// Stands for a person at an outside identity provider: a keyed hash of issuer and subject.
    SubjectKey
}
key! {
    /// Stands for a secret that was handed out, such as a code in a mail or a refresh token: a hash
    /// made at the edge. Keyed, unless the secret has 128 bits or more.
    SecretHash
}
key! {
    /// Stands for the device code of RFC 8628: a hash of it, which also names its stream.
    DeviceCodeKey
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "0197a3c4-5e10-7b21-9c0d-3f6a8e2b1d47";

    #[test]
    fn an_id_is_shown_as_it_is_read() {
        assert_eq!(TEXT.parse::<AccountId>().unwrap().to_string(), TEXT);
    }

    #[test]
    fn an_id_is_stored_as_its_text_alone() {
        let id: AccountId = TEXT.parse().unwrap();
        assert_eq!(serde_json::to_value(id).unwrap(), TEXT);
    }

    #[test]
    fn an_id_is_written_in_lower_case_with_hyphens_however_it_was_read() {
        let bare = TEXT.replace('-', "").to_uppercase();
        assert_eq!(bare.parse::<AccountId>().unwrap().to_string(), TEXT);
    }

    #[test]
    fn what_is_not_a_uuid_is_not_an_id() {
        for text in ["", "1", &TEXT[1..], "0197a3c4-5e10-7b21-9c0d-3f6a8e2b1d4g"] {
            assert!(text.parse::<AccountId>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_key_is_shown_and_stored_as_it_is_read() {
        let text = "00ff".repeat(16);
        let key: EmailKey = text.parse().unwrap();
        assert_eq!(key.to_string(), text);
        assert_eq!(serde_json::to_value(key).unwrap(), *text);
        assert_eq!(serde_json::from_value::<EmailKey>(text.into()).unwrap(), key);
    }

    #[test]
    fn a_key_has_one_text() {
        let good = "0123456789abcdef".repeat(4);
        assert!(good.parse::<SecretHash>().is_ok());
        let upper = good.to_uppercase();
        let long = format!("{good}00");
        for text in ["", &upper, &good[1..], &good[2..], &long, &good.replace('0', "g")] {
            assert_eq!(text.parse::<SecretHash>(), Err(InvalidKey), "{text:?}");
        }
    }
}
