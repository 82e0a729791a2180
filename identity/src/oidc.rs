//! Tokens of outside identity providers (OpenID Connect Core 1.0).
//!
//! Somebody who has signed in elsewhere shows an ID token; [`OutsideIssuer::verify`] says who that
//! is. The keys come from the provider: its discovery document names them (OpenID Connect Discovery
//! 1.0), and both are fetched when they are needed, within limits of time, size and frequency.
//! Whoever shows tokens can thereby make this service ask its provider once in thirty seconds, and
//! never anybody else.
//!
//! It is for the caller to bind a token to a request (`nonce`), if that request was its own.

mod claims;
mod fetch;
mod key_set;
mod settings;

use std::sync::{Arc, PoisonError, RwLock};

use thiserror::Error;
use tokio::sync::Mutex;

use crate::compact::Compact;
pub use claims::OutsideIdentity;
use fetch::Fetcher;
use key_set::KeySet;
pub use settings::{InvalidIssuer, OutsideAlgorithm, OutsideSettings};

/// The longest token that is looked at.
pub const TOKEN_BYTES_MAX: usize = 16_384;
/// The most keys of a provider.
pub const KEYS_MAX: usize = 32;
/// The longest document of a provider.
pub const DOCUMENT_BYTES_MAX: usize = 262_144;
/// The least time between two questions to a provider.
pub const ASKED_EVERY_MS: i64 = 30_000;
/// How far in the future a token may have been issued or begin to be valid.
pub const CLOCK_SKEW_MS: i64 = 60_000;

/// Why an outside token is not accepted.
#[derive(Debug, Error)]
pub enum OutsideError {
    /// It is not a signed token at all, too long, or says something twice.
    #[error("the token is malformed")]
    Malformed,
    /// It brings a key of its own or asks for rules that this program does not know.
    #[error("the token has a header that is not accepted")]
    Header,
    /// Its algorithm is not among those agreed upon with the provider.
    #[error("the token's algorithm is not accepted")]
    Algorithm,
    /// It is a token of another kind.
    #[error("the token is not an ID token")]
    Type,
    /// The provider has no such key for this algorithm.
    #[error("the token is signed with an unknown key")]
    UnknownKey,
    /// The signature is wrong.
    #[error("the token is not genuine")]
    Signature,
    /// Somebody else issued it.
    #[error("the token is of another issuer")]
    Issuer,
    /// It is for somebody else.
    #[error("the token is for another audience")]
    Audience,
    /// A claim is missing or makes no sense.
    #[error("the token's claim {0} is missing or malformed")]
    Claim(&'static str),
    /// Its time has not come.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// The provider's keys are not known, and it was not asked just now or gave none.
    #[error("the identity provider's keys are not known: {0}")]
    Unavailable(#[from] FetchError),
}

impl OutsideError {
    /// Whether the same token may be accepted later: the fault lies with the provider.
    #[must_use]
    pub fn retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

/// Why a provider gave no keys. For those who run the service, not for clients.
#[derive(Debug, Error)]
pub enum FetchError {
    /// It was asked less than [`ASKED_EVERY_MS`] ago.
    #[error("it was asked a moment ago")]
    AskedJustNow,
    /// It did not answer, or not in time.
    #[error("{what} could not be fetched")]
    Http {
        /// Which document.
        what: &'static str,
        /// What happened.
        #[source]
        source: reqwest::Error,
    },
    /// It did not answer with 200.
    #[error("{what} was answered with status {status}")]
    Status {
        /// Which document.
        what: &'static str,
        /// The answer.
        status: u16,
    },
    /// The document is not what it should be.
    #[error("{what} {problem}")]
    Document {
        /// Which document.
        what: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// What is known of the provider's keys.
#[derive(Clone, Default)]
struct Known {
    keys: Arc<KeySet>,
    /// When they came; `None` as long as there are none.
    fetched_at_ms: Option<i64>,
    /// When the provider was asked last, with or without success.
    asked_at_ms: Option<i64>,
}

/// One provider, with what is known of its keys.
pub struct OutsideIssuer {
    settings: OutsideSettings,
    fetcher: Fetcher,
    known: RwLock<Known>,
    /// Held by the one that asks the provider.
    asking: Mutex<()>,
}

impl OutsideIssuer {
    /// Does not ask the provider yet, so a service starts without it.
    ///
    /// # Errors
    /// The settings break a rule, or there can be no connections at all.
    pub fn new(settings: OutsideSettings) -> Result<Self, InvalidIssuer> {
        settings.check()?;
        let fetcher = Fetcher::new(&settings)?;
        Ok(Self { settings, fetcher, known: RwLock::default(), asking: Mutex::new(()) })
    }

    /// The provider's name, as it stands in its tokens.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// Who has signed in with the provider. May ask the provider, which takes up to twice the
    /// time-out.
    ///
    /// # Errors
    /// The token is not accepted, or the provider's keys are not known.
    pub async fn verify(&self, token: &str, now_ms: i64) -> Result<OutsideIdentity, OutsideError> {
        let token = Compact::split(token, TOKEN_BYTES_MAX).ok_or(OutsideError::Malformed)?;
        if token.is_presumptuous() {
            return Err(OutsideError::Header);
        }
        let algorithm = token.text("alg").and_then(OutsideAlgorithm::named);
        let algorithm = algorithm.filter(|named| self.settings.algorithms.contains(named));
        let algorithm = algorithm.ok_or(OutsideError::Algorithm)?;
        check_type(&token)?;
        let kid = token.header.get("kid").map(|kid| kid.as_str().ok_or(OutsideError::Malformed));
        let kid = kid.transpose()?;
        let mut keys = self.keys(now_ms).await?;
        if keys.find(kid, algorithm).is_none() {
            // A key that is not known may be new. If the provider was asked just now, it is not.
            match self.ask(now_ms, &keys).await {
                Ok(newer) => keys = newer,
                Err(error) => tracing::debug!(%error, issuer = self.issuer(), "no newer keys"),
            }
        }
        let key = keys.find(kid, algorithm).ok_or(OutsideError::UnknownKey)?;
        if !key.verifies(&token, algorithm) {
            return Err(OutsideError::Signature);
        }
        let claims = token.claims().ok_or(OutsideError::Malformed)?;
        claims::identity(&claims, &self.settings, now_ms)
    }

    /// The keys to look in: fresh ones, or, when the provider gives none, those known before.
    async fn keys(&self, now_ms: i64) -> Result<Arc<KeySet>, FetchError> {
        let known = self.known();
        let younger_than = |age_ms: i64| {
            known.fetched_at_ms.is_some_and(|at_ms| now_ms.saturating_sub(at_ms) < age_ms)
        };
        if younger_than(self.settings.keys_fresh_ms) {
            return Ok(known.keys);
        }
        match self.ask(now_ms, &known.keys).await {
            Err(error) if younger_than(self.settings.keys_kept_ms) => {
                tracing::debug!(%error, issuer = self.issuer(), "going on with the keys of before");
                Ok(known.keys)
            }
            asked => asked,
        }
    }

    /// Asks the provider for newer keys than those that were `seen`, unless it was asked just now.
    /// Of several that want to, one asks, and the others take what it got.
    async fn ask(&self, now_ms: i64, seen: &Arc<KeySet>) -> Result<Arc<KeySet>, FetchError> {
        let _asking = self.asking.lock().await;
        let known = self.known();
        if !Arc::ptr_eq(seen, &known.keys) {
            return Ok(known.keys);
        }
        // Those that waited may have come earlier than the one that asked.
        let just_now = |at_ms: i64| now_ms.abs_diff(at_ms) < ASKED_EVERY_MS.unsigned_abs();
        if known.asked_at_ms.is_some_and(just_now) {
            return Err(FetchError::AskedJustNow);
        }
        // Noted before it is done: a request that is given up half-way has asked, too.
        self.note(Known { asked_at_ms: Some(now_ms), ..known });
        let keys = match self.fetcher.keys().await {
            Ok(keys) => Arc::new(keys),
            Err(error) => {
                tracing::warn!(%error, issuer = self.issuer(), "the identity provider gave no keys");
                return Err(error);
            }
        };
        let at_ms = Some(now_ms);
        self.note(Known { keys: Arc::clone(&keys), fetched_at_ms: at_ms, asked_at_ms: at_ms });
        Ok(keys)
    }

    fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, known: Known) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
    }
}

impl std::fmt::Debug for OutsideIssuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutsideIssuer").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// An ID token says `JWT` or nothing. Access tokens and logout tokens of the same provider may name
/// the same person, and prove something else (RFC 8725, section 3.11).
fn check_type(token: &Compact<'_>) -> Result<(), OutsideError> {
    let Some(named) = token.header.get("typ") else { return Ok(()) };
    let is_jwt = named.as_str().is_some_and(|named| named.eq_ignore_ascii_case("JWT"));
    if is_jwt { Ok(()) } else { Err(OutsideError::Type) }
}
