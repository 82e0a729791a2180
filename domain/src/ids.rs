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
