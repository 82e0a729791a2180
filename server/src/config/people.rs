//! Types of settings about people.

use std::fmt;

use playhead_identity::oidc::OutsideAlgorithm;
use serde::{Deserialize, Serialize, Serializer};

/// What is shown in the place of a secret.
const SET: &str = "(set)";

/// A text that is never shown. Empty means not set.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself. Must not be shown.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.is_empty() { "Secret()" } else { "Secret(…)" })
    }
}

/// As it is shown; what is set is not written back.
impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if self.is_empty() { "" } else { SET })
    }
}

/// The header in which proxies say whom they forward for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ForwardHeader {
    /// What most proxies write.
    #[serde(rename = "x-forwarded-for")]
    XForwardedFor,
    /// That of RFC 7239.
    #[serde(rename = "forwarded")]
    Forwarded,
}

/// A provider of identities (OpenID Connect Core 1.0) with whose tokens people may sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutsideProvider {
    /// Its name, a URL.
    pub issuer: String,
    /// The names that it knows this service by.
    pub client_ids: Vec<String>,
    /// The names of the algorithms that its tokens may be signed with (RFC 7518, section 3.1).
    #[serde(default = "every_algorithm")]
    pub algorithms: Vec<String>,
}

fn every_algorithm() -> Vec<String> {
    OutsideAlgorithm::ALL.iter().map(|algorithm| algorithm.as_str().to_owned()).collect()
}
