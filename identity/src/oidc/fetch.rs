//! Asking a provider for its keys.

use std::sync::Arc;

use reqwest::{Client, Url, redirect};
use rustls::{ClientConfig, RootCertStore, crypto};
use serde_json::{Map, Value};

use super::key_set::KeySet;
use super::settings::{InvalidIssuer, OutsideSettings, private_url};
use super::{DOCUMENT_BYTES_MAX, FetchError};
use crate::strict_json;

const DISCOVERY: &str = "the discovery document";
const KEYS: &str = "the key set";

pub(super) struct Fetcher {
    client: Client,
    issuer: String,
}

impl Fetcher {
    /// Connections over TLS trust what the operating system trusts, and redirections are not
    /// followed: whom we ask is settled by the configuration and the discovery document alone.
    pub(super) fn new(settings: &OutsideSettings) -> Result<Self, InvalidIssuer> {
        let mut roots = RootCertStore::empty();
        // Without any, connections over TLS fail later, and say so.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(redirect::Policy::none())
            .timeout(settings.timeout)
            .build()?;
        Ok(Self { client, issuer: settings.issuer.clone() })
    }

    /// The keys that the provider has now.
    pub(super) async fn keys(&self) -> Result<KeySet, FetchError> {
        // OpenID Connect Discovery 1.0, section 4.1.
        let place = self.issuer.strip_suffix('/').unwrap_or(&self.issuer);
        let place = format!("{place}/.well-known/openid-configuration");
        let place = private_url(&place).ok_or(problem(DISCOVERY, "has no usable address"))?;
        let encrypted = place.scheme() == "https";
        let discovery = self.document(place, DISCOVERY).await?;
        // Section 4.3: otherwise one provider could pass off another's keys as its own.
        if discovery.get("issuer").and_then(Value::as_str) != Some(&self.issuer) {
            return Err(problem(DISCOVERY, "names another issuer"));
        }
        let place = discovery.get("jwks_uri").and_then(Value::as_str).and_then(private_url);
        let place = place.filter(|place| place.scheme() == "https" || !encrypted);
        let place = place.ok_or(problem(DISCOVERY, "has no usable jwks_uri"))?;
        let keys = self.document(place, KEYS).await?;
        KeySet::read(&keys).map_err(|what| problem(KEYS, what))
    }

    async fn document(
        &self,
        url: Url,
        what: &'static str,
    ) -> Result<Map<String, Value>, FetchError> {
        let failed = |source: reqwest::Error| FetchError::Http { what, source };
        let mut answer = self.client.get(url).send().await.map_err(failed)?;
        if answer.status() != reqwest::StatusCode::OK {
            return Err(FetchError::Status { what, status: answer.status().as_u16() });
        }
        let mut body = vec![];
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > DOCUMENT_BYTES_MAX {
                return Err(problem(what, "is too long"));
            }
            body.extend_from_slice(&chunk);
        }
        strict_json::object(&body).ok_or(problem(what, "is not a JSON object without repetition"))
    }
}

fn problem(what: &'static str, problem: &'static str) -> FetchError {
    FetchError::Document { what, problem }
}
