//! The playback token: proof that a session was allowed, which a heartbeat carries.
//!
//! A JSON Web Token (RFC 7519), signed with HMAC-SHA-256 under a key that only the server knows. It
//! holds everything that a heartbeat needs, so that checking one takes no look at the log.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use playhead_domain::{AccountId, DeviceId, ProfileId, SessionId, TitleId};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How long a token is valid (6 hours: longer than nearly every title).
pub const LIFETIME_MS: i64 = 6 * 3_600_000;

/// The longest token that is looked at; ours have about 600 bytes.
const TOKEN_BYTES_MAX: usize = 2_048;

/// Keeps tokens of other kinds out.
const AUDIENCE: &str = "playhead:playback";
const TOKEN_TYPE: &str = "playback+jwt";

/// What a playback token allows: heartbeats of one session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaybackGrant {
    /// The account.
    pub account_id: AccountId,
    /// Who watches.
    pub profile_id: ProfileId,
    /// What is watched.
    pub title_id: TitleId,
    /// The session.
    pub session_id: SessionId,
    /// The device; absent in tokens that were issued before it was in them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<DeviceId>,
    /// When the session began, in milliseconds since 1970-01-01 UTC. The token is valid for
    /// [`LIFETIME_MS`] from then on.
    pub started_at_ms: i64,
    /// Where in the title it began.
    pub from_ms: u64,
    /// How long the title is, if the catalogue knows.
    pub duration_ms: Option<u64>,
    /// Where the credits begin, if the catalogue knows.
    pub credits_start_ms: Option<u64>,
}

impl PlaybackGrant {
    /// The first moment at which the token is no longer valid, in milliseconds since 1970-01-01
    /// UTC.
    #[must_use]
    pub fn expires_at_ms(&self) -> i64 {
        self.started_at_ms.saturating_add(LIFETIME_MS)
    }
}

#[derive(Serialize, Deserialize)]
struct Claims {
    aud: String,
    exp: i64,
    #[serde(flatten)]
    grant: PlaybackGrant,
}

/// Why a token is not accepted. The client must start playback anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TokenError {
    /// It is not a playback token of this server, or was altered.
    #[error("the playback token is not genuine")]
    Forged,
    /// Its time is over.
    #[error("the playback token has expired")]
    Expired,
    /// Its device was removed, or its account was suspended, closed or erased, since it was issued.
    #[error("the device or the account of the playback token may not play any more")]
    Ended,
}

/// Signs playback tokens and checks them.
pub struct PlaybackTokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

impl PlaybackTokens {
    /// Tokens under a secret of at least 32 random bytes.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[AUDIENCE]);
        // The time is checked in `verify`, against the time that the caller brings.
        validation.validate_exp = false;
        Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            validation,
        }
    }

    /// A token for a grant.
    ///
    /// # Errors
    /// The signature could not be made.
    pub fn sign(&self, grant: PlaybackGrant) -> Result<String, jsonwebtoken::errors::Error> {
        let header = Header { typ: Some(TOKEN_TYPE.to_owned()), ..Header::new(Algorithm::HS256) };
        let exp = grant.expires_at_ms() / 1_000;
        let claims = Claims { aud: AUDIENCE.to_owned(), exp, grant };
        jsonwebtoken::encode(&header, &claims, &self.encoding)
    }

    /// What a token allows.
    ///
    /// # Errors
    /// The token is not ours or no longer valid.
    pub fn verify(&self, token: &str, at_ms: i64) -> Result<PlaybackGrant, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Forged);
        }
        let token = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation)
            .map_err(|_| TokenError::Forged)?;
        if token.header.typ.as_deref() != Some(TOKEN_TYPE) {
            return Err(TokenError::Forged);
        }
        let grant = token.claims.grant;
        if at_ms >= grant.expires_at_ms() { Err(TokenError::Expired) } else { Ok(grant) }
    }
}
