//! The access token: who is calling, and as what.
//!
//! A JSON Web Token (RFC 7519, in the profile of RFC 9068), signed with Ed25519 (RFC 8037). Whoever
//! issues tokens holds the [`AccessKey`]; this API only holds its public half.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use playhead_domain::AccountId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// Who issues access tokens.
pub const ISSUER: &str = "playhead";
/// Keeps tokens of other kinds out.
pub const AUDIENCE: &str = "playhead:api";
/// The media type of an access token (RFC 9068, section 2.1).
const TOKEN_TYPE: &str = "at+jwt";

/// The longest token that is looked at; ours have about 500 bytes.
const TOKEN_BYTES_MAX: usize = 2_048;

/// How far in the future a token may have been issued: clocks differ a little.
const CLOCK_SKEW_MS: i64 = 60_000;

/// What a caller may do beyond what every caller may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Watches, and manages the own account.
    Viewer,
    /// Adds, edits and withdraws titles.
    ContentAdmin,
    /// Runs the service.
    Operator,
    /// A role that this program does not know; allows nothing.
    #[serde(other)]
    Unknown,
}

/// What an access token says (RFC 7519, section 4.1); times are in seconds since 1970-01-01 UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// [`ISSUER`].
    pub iss: String,
    /// [`AUDIENCE`].
    pub aud: String,
    /// The account.
    pub sub: AccountId,
    /// What the caller may do.
    pub roles: Vec<Role>,
    /// When it was issued.
    pub iat: i64,
    /// The first moment at which it is no longer valid.
    pub exp: i64,
}

impl AccessClaims {
    /// Claims of an account, valid from now on for a time.
    #[must_use]
    pub fn new(account_id: AccountId, roles: Vec<Role>, now_ms: i64, lifetime_ms: i64) -> Self {
        Self {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: account_id,
            roles,
            iat: now_ms.div_euclid(1_000),
            exp: now_ms.saturating_add(lifetime_ms).div_euclid(1_000),
        }
    }
}

/// Who is calling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account.
    pub account_id: AccountId,
    /// What the caller may do.
    pub roles: BTreeSet<Role>,
    /// The first moment at which the proof is no longer valid, in milliseconds since 1970-01-01
    /// UTC.
    pub expires_at_ms: i64,
}

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AccessError {
    /// It is not an access token of this service, or was altered.
    #[error("the access token is not genuine")]
    Forged,
    /// Its time is over. Get a new one.
    #[error("the access token has expired")]
    Expired,
}

/// Why a key or a signature could not be made.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The text is not an Ed25519 private key in PKCS#8 PEM (RFC 8410).
    #[error("the access key is not an Ed25519 key in PKCS#8 PEM: {0}")]
    Pem(#[from] ed25519_dalek::pkcs8::Error),
    /// The public half is not accepted, or a signature could not be made.
    #[error("the access key cannot be used: {0}")]
    Use(#[from] jsonwebtoken::errors::Error),
}

/// The private key that signs access tokens.
pub struct AccessKey {
    encoding: EncodingKey,
    /// The public half, base64url, as in a JSON Web Key (RFC 8037).
    public: String,
    kid: String,
}

impl AccessKey {
    /// Reads an Ed25519 private key in PKCS#8 PEM (RFC 8410).
    ///
    /// # Errors
    /// The text is something else.
    pub fn from_pkcs8_pem(pem: &str) -> Result<Self, KeyError> {
        let key = SigningKey::from_pkcs8_pem(pem)?;
        let public = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
        let kid = thumbprint(&public);
        let encoding = EncodingKey::from_ed_der(key.to_pkcs8_der()?.as_bytes());
        Ok(Self { encoding, public, kid })
    }

    /// A token with these claims.
    ///
    /// # Errors
    /// The signature could not be made.
    pub fn sign(&self, claims: &AccessClaims) -> Result<String, KeyError> {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TOKEN_TYPE.to_owned());
        header.kid = Some(self.kid.clone());
        Ok(jsonwebtoken::encode(&header, claims, &self.encoding)?)
    }

    /// What checks the tokens of this key.
    ///
    /// # Errors
    /// The public half is not accepted.
    pub fn tokens(&self) -> Result<AccessTokens, KeyError> {
        let decoding = DecodingKey::from_ed_components(&self.public)?;
        Ok(AccessTokens::new(decoding, self.kid.clone()))
    }
}

/// What tokens call a key: its thumbprint (RFC 7638, RFC 8037 appendix A.3).
fn thumbprint(public: &str) -> String {
    let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{public}"}}"#);
    URL_SAFE_NO_PAD.encode(Sha256::digest(canonical.as_bytes()))
}

/// Checks access tokens.
pub struct AccessTokens {
    decoding: DecodingKey,
    kid: String,
    validation: Validation,
}

impl AccessTokens {
    fn new(decoding: DecodingKey, kid: String) -> Self {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        // The time is checked in `verify`, against the time that the caller brings.
        validation.validate_exp = false;
        Self { decoding, kid, validation }
    }

    /// Who calls with this token.
    ///
    /// # Errors
    /// The token is not ours or no longer valid.
    pub fn verify(&self, token: &str, now_ms: i64) -> Result<Identity, AccessError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(AccessError::Forged);
        }
        let token = jsonwebtoken::decode::<AccessClaims>(token, &self.decoding, &self.validation)
            .map_err(|_| AccessError::Forged)?;
        let ours = token.header.typ.as_deref() == Some(TOKEN_TYPE)
            && token.header.kid.as_deref() == Some(&self.kid);
        let claims = token.claims;
        if !ours || claims.iat.saturating_mul(1_000) > now_ms.saturating_add(CLOCK_SKEW_MS) {
            return Err(AccessError::Forged);
        }
        let expires_at_ms = claims.exp.saturating_mul(1_000);
        if now_ms >= expires_at_ms {
            return Err(AccessError::Expired);
        }
        let roles = claims.roles.into_iter().collect();
        Ok(Identity { account_id: claims.sub, roles, expires_at_ms })
    }
}

#[cfg(test)]
mod tests;
