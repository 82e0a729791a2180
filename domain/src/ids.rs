//! Typed ids. All are UUIDs (RFC 9562): version 7 when made at the edge, version 5 when derived
//! from the id that another catalogue gave, so that importing twice addresses the same thing.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
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
}
