//! The access token: who is calling, and as what.
//!
//! A JSON Web Token in the profile of RFC 9068, signed with Ed25519 (RFC 8037). It is valid for ten
//! minutes and nothing can take it back, so whoever accepts one also asks whether its sign-in has
//! ended.
//!
//! Reading one is stricter than the RFCs ask (RFC 8725 says why): one algorithm, keys of the ring
//! only, one audience, whole numbers as times, and no name twice.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer};
use playhead_domain::identity::Role;
use playhead_domain::{AccountId, DeviceId, SignInId};
use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::compact::Compact;
use crate::keys::KeyRing;
use crate::random::{self, RandomError};

/// How long a token is valid.
pub const LIFETIME_MS: i64 = 10 * 60_000;

/// The longest life of a token, for tools that ask for another one than [`LIFETIME_MS`]. Keys that
/// no longer sign verify for so long.
pub const LIFETIME_MAX_MS: i64 = 60 * 60_000;

/// The longest token that is looked at; ours have about 700 bytes.
pub const TOKEN_BYTES_MAX: usize = 2_048;

/// How far in the future a token may have been issued: clocks differ a little.
pub const CLOCK_SKEW_MS: i64 = 60_000;

/// The media type of an access token (RFC 9068, section 2.1).
const TYPE: &str = "at+jwt";
const ALGORITHM: &str = "EdDSA";
const ROLES_MAX: usize = 16;

/// Who is calling, as a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account.
    pub account_id: AccountId,
    /// The sign-in that the token belongs to; when it ends, so should the token.
    pub sign_in_id: SignInId,
    /// The device that signed in.
    pub device_id: DeviceId,
    /// When somebody last proved to be the account's owner.
    pub authenticated_at_ms: i64,
    /// What the caller may do. Roles that this program does not know are left out.
    pub roles: BTreeSet<Role>,
}

/// A token that was made.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedToken {
    /// The token, for the answer to its device and nothing else.
    pub text: String,
    /// The first moment at which it is no longer valid.
    pub expires_at_ms: i64,
}

/// A token that was found to be genuine and valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedToken {
    /// Who is calling.
    pub caller: Caller,
    /// What tells this token from all others (`jti`).
    pub token_id: String,
    /// When it was issued, in whole seconds.
    pub issued_at_ms: i64,
    /// The first moment at which it is no longer valid.
    pub expires_at_ms: i64,
}

/// Why a token is not accepted. Clients need only know whether it is [`Self::Expired`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AccessTokenError {
    /// It is not a signed token at all, too long, or says something twice.
    #[error("the access token is malformed")]
    Malformed,
    /// It brings a key of its own or asks for rules that this program does not know.
    #[error("the access token has a header that is not accepted")]
    Header,
    /// It is not signed with Ed25519.
    #[error("the access token is signed with another algorithm than EdDSA")]
    Algorithm,
    /// It is a token of another kind.
    #[error("the token is not an access token")]
    Type,
    /// No key of the ring is called so, or it no longer verifies.
    #[error("the access token is signed with an unknown key")]
    UnknownKey,
    /// The signature is wrong.
    #[error("the access token is not genuine")]
    Signature,
    /// Somebody else issued it.
    #[error("the access token is of another issuer")]
    Issuer,
    /// It is for somebody else.
    #[error("the access token is for another audience")]
    Audience,
    /// A claim is missing or makes no sense.
    #[error("the access token's claim {0} is missing or malformed")]
    Claim(&'static str),
    /// Its time has not come.
    #[error("the access token is not valid yet")]
    NotYetValid,
    /// Its time is over. Get a new one.
    #[error("the access token has expired")]
    Expired,
}

/// Makes and reads the access tokens of one service.
#[derive(Debug, Clone)]
pub struct AccessTokens {
    issuer: String,
    audience: String,
}

impl AccessTokens {
    /// Tokens that an issuer makes for an audience; both are compared byte by byte.
    #[must_use]
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self { issuer: issuer.into(), audience: audience.into() }
    }

    /// A token that is valid for [`LIFETIME_MS`].
    ///
    /// # Errors
    /// There are no random bytes.
    pub fn issue(
        &self,
        ring: &KeyRing,
        caller: &Caller,
        now_ms: i64,
    ) -> Result<IssuedToken, RandomError> {
        self.issue_for(ring, caller, now_ms, LIFETIME_MS)
    }

    /// A token that is valid for a time of at most [`LIFETIME_MAX_MS`]; longer ones are cut.
    ///
    /// # Errors
    /// There are no random bytes.
    pub fn issue_for(
        &self,
        ring: &KeyRing,
        caller: &Caller,
        now_ms: i64,
        lifetime_ms: i64,
    ) -> Result<IssuedToken, RandomError> {
        let iat = now_ms.div_euclid(1_000);
        let exp = iat.saturating_add(lifetime_ms.min(LIFETIME_MAX_MS).div_euclid(1_000));
        // RFC 9068, section 2.2; times are in seconds. `auth_time_ms` is `auth_time` exactly: a
        // sign-in must be told from a sign-out of the same second.
        let claims = json!({
            "iss": self.issuer,
            "aud": self.audience,
            "sub": caller.account_id.to_string(),
            "sid": caller.sign_in_id.to_string(),
            "did": caller.device_id.to_string(),
            "auth_time": caller.authenticated_at_ms.div_euclid(1_000),
            "auth_time_ms": caller.authenticated_at_ms,
            "iat": iat,
            "nbf": iat,
            "exp": exp,
            "jti": URL_SAFE_NO_PAD.encode(random::bytes::<16>()?),
            "roles": caller.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>(),
        });
        let header = json!({ "alg": ALGORITHM, "typ": TYPE, "kid": ring.kid() });
        let part = |part: Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let signature = ring.signing_key().sign(message.as_bytes()).to_bytes();
        let text = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
        Ok(IssuedToken { text, expires_at_ms: exp.saturating_mul(1_000) })
    }

    /// Who calls with this token.
    ///
    /// # Errors
    /// The token is not ours or not valid now.
    pub fn verify(
        &self,
        ring: &KeyRing,
        token: &str,
        now_ms: i64,
    ) -> Result<VerifiedToken, AccessTokenError> {
        let token = Compact::split(token, TOKEN_BYTES_MAX).ok_or(AccessTokenError::Malformed)?;
        check_signature(ring, &token, now_ms)?;
        // What follows was said by a holder of our key.
        let claims = token.claims().ok_or(AccessTokenError::Malformed)?;
        if text(&claims, "iss")? != self.issuer {
            return Err(AccessTokenError::Issuer);
        }
        if claims.get("aud").and_then(Value::as_str) != Some(&self.audience) {
            return Err(AccessTokenError::Audience);
        }
        let (issued_at_ms, expires_at_ms) = check_times(&claims, now_ms)?;
        Ok(VerifiedToken {
            caller: caller(&claims)?,
            token_id: text(&claims, "jti")?.to_owned(),
            issued_at_ms,
            expires_at_ms,
        })
    }
}

fn check_signature(
    ring: &KeyRing,
    token: &Compact<'_>,
    now_ms: i64,
) -> Result<(), AccessTokenError> {
    if token.is_presumptuous() {
        return Err(AccessTokenError::Header);
    }
    if token.text("alg") != Some(ALGORITHM) {
        return Err(AccessTokenError::Algorithm);
    }
    if token.text("typ") != Some(TYPE) {
        return Err(AccessTokenError::Type);
    }
    let kid = token.text("kid").ok_or(AccessTokenError::UnknownKey)?;
    let key = ring.verifying_key(kid, now_ms).ok_or(AccessTokenError::UnknownKey)?;
    let signature =
        URL_SAFE_NO_PAD.decode(token.signature).map_err(|_| AccessTokenError::Malformed)?;
    let signature = Signature::from_slice(&signature).map_err(|_| AccessTokenError::Signature)?;
    key.verify_strict(token.message.as_bytes(), &signature).map_err(|_| AccessTokenError::Signature)
}

/// When the token was issued and when it ends, in milliseconds.
fn check_times(claims: &Map<String, Value>, now_ms: i64) -> Result<(i64, i64), AccessTokenError> {
    let exp_ms = time_ms(claims, "exp")?;
    let iat_ms = time_ms(claims, "iat")?;
    let nbf_ms = time_ms(claims, "nbf")?;
    if exp_ms.saturating_sub(iat_ms) > LIFETIME_MAX_MS {
        return Err(AccessTokenError::Claim("exp"));
    }
    if now_ms >= exp_ms {
        return Err(AccessTokenError::Expired);
    }
    if iat_ms.max(nbf_ms) > now_ms.saturating_add(CLOCK_SKEW_MS) {
        return Err(AccessTokenError::NotYetValid);
    }
    Ok((iat_ms, exp_ms))
}

fn caller(claims: &Map<String, Value>) -> Result<Caller, AccessTokenError> {
    let roles = claims.get("roles").and_then(Value::as_array);
    let roles = roles.filter(|roles| roles.len() <= ROLES_MAX);
    let names = roles.and_then(|roles| roles.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
    let names = names.ok_or(AccessTokenError::Claim("roles"))?;
    let authenticated_at_ms = whole(claims, "auth_time_ms")?;
    if whole(claims, "auth_time")? != authenticated_at_ms.div_euclid(1_000) {
        return Err(AccessTokenError::Claim("auth_time"));
    }
    Ok(Caller {
        account_id: id(claims, "sub")?,
        sign_in_id: id(claims, "sid")?,
        device_id: id(claims, "did")?,
        authenticated_at_ms,
        roles: names.into_iter().filter_map(role_named).collect(),
    })
}

/// The role of this name; `None` for one that this program does not know, which allows nothing.
fn role_named(name: &str) -> Option<Role> {
    Role::ALL.iter().copied().find(|role| role.as_str() == name)
}

fn text<'a>(
    claims: &'a Map<String, Value>,
    name: &'static str,
) -> Result<&'a str, AccessTokenError> {
    claims.get(name).and_then(Value::as_str).ok_or(AccessTokenError::Claim(name))
}

fn id<T: std::str::FromStr>(
    claims: &Map<String, Value>,
    name: &'static str,
) -> Result<T, AccessTokenError> {
    text(claims, name)?.parse().map_err(|_| AccessTokenError::Claim(name))
}

fn whole(claims: &Map<String, Value>, name: &'static str) -> Result<i64, AccessTokenError> {
    claims.get(name).and_then(Value::as_i64).ok_or(AccessTokenError::Claim(name))
}

/// A time that can be told in milliseconds and is not before 1970.
fn time_ms(claims: &Map<String, Value>, name: &'static str) -> Result<i64, AccessTokenError> {
    let seconds = Some(whole(claims, name)?).filter(|seconds| *seconds >= 0);
    seconds.and_then(|seconds| seconds.checked_mul(1_000)).ok_or(AccessTokenError::Claim(name))
}
