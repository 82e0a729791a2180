//! What is agreed upon with a provider.

use std::net::IpAddr;
use std::time::Duration;

use jsonwebtoken::Algorithm;
use reqwest::Url;
use thiserror::Error;

/// The algorithms that tokens may be signed with: all have public keys, so no secret is shared and
/// no public key can be taken for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutsideAlgorithm {
    /// RSA with PKCS #1 v1.5 and SHA-256.
    Rs256,
    /// RSA with PSS and SHA-256.
    Ps256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl OutsideAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 4] = [Self::Rs256, Self::Ps256, Self::Es256, Self::EdDsa];

    /// The name in tokens (RFC 7518, section 3.1; RFC 8037, section 3.1).
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The algorithm of this name, capitals and all.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }

    pub(super) fn implementation(self) -> Algorithm {
        match self {
            Self::Rs256 => Algorithm::RS256,
            Self::Ps256 => Algorithm::PS256,
            Self::Es256 => Algorithm::ES256,
            Self::EdDsa => Algorithm::EdDSA,
        }
    }
}

/// A provider, and what its tokens must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutsideSettings {
    /// The provider's name: an `https` URL without query and fragment, or an `http` one on this
    /// machine. Tokens and the discovery document must have it byte by byte.
    pub issuer: String,
    /// The names that the provider knows this service by, at least one.
    pub client_ids: Vec<String>,
    /// The algorithms that tokens may be signed with, at least one.
    pub algorithms: Vec<OutsideAlgorithm>,
    /// How old keys may be before the provider is asked for newer ones.
    pub keys_fresh_ms: i64,
    /// How old keys may be while the provider gives no newer ones.
    pub keys_kept_ms: i64,
    /// How long a document may take.
    pub timeout: Duration,
}

impl OutsideSettings {
    /// All algorithms, keys that are fresh for an hour and kept for a day, 5 s for a document.
    #[must_use]
    pub fn new(issuer: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            client_ids: vec![client_id.into()],
            algorithms: OutsideAlgorithm::ALL.to_vec(),
            keys_fresh_ms: 3_600_000,
            keys_kept_ms: 86_400_000,
            timeout: Duration::from_secs(5),
        }
    }

    pub(super) fn check(&self) -> Result<(), InvalidIssuer> {
        let url = private_url(&self.issuer).ok_or(InvalidIssuer::Url)?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(InvalidIssuer::Url);
        }
        if self.client_ids.is_empty() || self.client_ids.iter().any(String::is_empty) {
            return Err(InvalidIssuer::ClientIds);
        }
        if self.algorithms.is_empty() {
            return Err(InvalidIssuer::Algorithms);
        }
        let kept = self.keys_fresh_ms > 0 && self.keys_kept_ms >= self.keys_fresh_ms;
        if kept { Ok(()) } else { Err(InvalidIssuer::Ages) }
    }
}

/// Why a provider cannot be set up. Change the configuration.
#[derive(Debug, Error)]
pub enum InvalidIssuer {
    /// The name is not such a URL.
    #[error("the issuer must be an https URL without query, or http on this machine")]
    Url,
    /// Nothing could be the audience.
    #[error("an outside issuer must have client ids")]
    ClientIds,
    /// No token could be signed.
    #[error("an outside issuer must have algorithms")]
    Algorithms,
    /// Keys could not be kept.
    #[error("keys must be kept at least as long as they are fresh")]
    Ages,
    /// There can be no encrypted connections.
    #[error("connections to identity providers cannot be set up: {0}")]
    Client(#[from] reqwest::Error),
    /// There can be no encrypted connections.
    #[error("connections to identity providers cannot be encrypted: {0}")]
    Tls(#[from] rustls::Error),
}

/// A URL over which nobody on the way can give us other keys: `https`, or `http` on this machine;
/// without a name and password.
pub(super) fn private_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let host = url.host_str()?;
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let here = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    let private = url.scheme() == "https" || url.scheme() == "http" && here;
    let anonymous = url.username().is_empty() && url.password().is_none();
    (private && anonymous).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_a_url_that_nobody_on_the_way_can_answer() {
        let good =
            ["https://id.example", "http://localhost:1/a", "http://127.0.0.1:1", "http://[::1]"];
        for issuer in good {
            assert!(OutsideSettings::new(issuer, "us").check().is_ok(), "{issuer}");
        }
        for issuer in [
            "",
            "id.example",
            "http://id.example",
            "http://localhost.id.example",
            "http://127.0.0.1.id.example",
            "https://u:p@id.example",
            "https://id.example?a=b",
            "https://id.example#a",
            "file:///etc/passwd",
        ] {
            let refused = OutsideSettings::new(issuer, "us").check();
            assert!(matches!(refused, Err(InvalidIssuer::Url)), "{issuer}");
        }
    }

    #[test]
    fn settings_that_would_accept_nothing_are_refused() {
        let good = OutsideSettings::new("https://id.example", "us");
        for bad in [
            OutsideSettings { client_ids: vec![], ..good.clone() },
            OutsideSettings { client_ids: vec![String::new()], ..good.clone() },
            OutsideSettings { algorithms: vec![], ..good.clone() },
            OutsideSettings { keys_fresh_ms: 0, ..good.clone() },
            OutsideSettings { keys_kept_ms: 1, ..good.clone() },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn no_algorithm_shares_a_secret() {
        for name in ["HS256", "HS384", "HS512", "none", "None", "", "rs256", "RS512"] {
            assert_eq!(OutsideAlgorithm::named(name), None, "{name}");
        }
        for algorithm in OutsideAlgorithm::ALL {
            assert_eq!(OutsideAlgorithm::named(algorithm.as_str()), Some(algorithm));
        }
    }
}
