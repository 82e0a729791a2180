//! What an ID token says (OpenID Connect Core 1.0, sections 2, 3.1.3.7 and 5.1).

use serde_json::{Map, Value};

use super::settings::OutsideSettings;
use super::{CLOCK_SKEW_MS, OutsideError};

/// The longest subject (OpenID Connect Core 1.0, section 2).
const SUBJECT_BYTES_MAX: usize = 255;
/// The longest address (RFC 5321, section 4.5.3.1.3, less the brackets).
const EMAIL_BYTES_MAX: usize = 254;
const AUDIENCES_MAX: usize = 16;

/// Somebody whom an outside provider knows.
#[derive(Clone, PartialEq, Eq)]
pub struct OutsideIdentity {
    /// The provider.
    pub issuer: String,
    /// What the provider calls the person; never given to another.
    pub subject: String,
    /// The address that the provider has, if it tells.
    pub email: Option<String>,
    /// Whether the provider says that the address is the person's. An address alone proves nothing.
    pub email_verified: bool,
}

/// Who this is about is personal, so it is not shown.
impl std::fmt::Debug for OutsideIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutsideIdentity").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// Whom the claims of a token with a right signature are about.
pub(super) fn identity(
    claims: &Map<String, Value>,
    settings: &OutsideSettings,
    now_ms: i64,
) -> Result<OutsideIdentity, OutsideError> {
    let text = |name: &'static str| {
        claims.get(name).map(|value| value.as_str().ok_or(OutsideError::Claim(name))).transpose()
    };
    if text("iss")?.ok_or(OutsideError::Claim("iss"))? != settings.issuer {
        return Err(OutsideError::Issuer);
    }
    check_audience(claims, &settings.client_ids)?;
    check_times(claims, now_ms)?;
    // A logout token (OpenID Connect Back-Channel Logout 1.0, section 2.4) looks like an ID token.
    if claims.contains_key("events") {
        return Err(OutsideError::Type);
    }
    let fits = |subject: &&str| !subject.is_empty() && subject.len() <= SUBJECT_BYTES_MAX;
    let subject = text("sub")?.filter(fits).ok_or(OutsideError::Claim("sub"))?;
    let email = text("email")?;
    if email.is_some_and(|email| email.len() > EMAIL_BYTES_MAX) {
        return Err(OutsideError::Claim("email"));
    }
    let email_verified = match claims.get("email_verified") {
        None => false,
        Some(Value::Bool(verified)) => *verified,
        // Some providers write it as a text.
        Some(Value::String(verified)) => verified == "true",
        Some(_) => return Err(OutsideError::Claim("email_verified")),
    };
    Ok(OutsideIdentity {
        issuer: settings.issuer.clone(),
        subject: subject.to_owned(),
        email: email.map(str::to_owned),
        email_verified: email_verified && email.is_some(),
    })
}

/// The token must be for us; if it is for others too, or names the one that asked for it, that must
/// be us as well.
fn check_audience(claims: &Map<String, Value>, ours: &[String]) -> Result<(), OutsideError> {
    let is_ours = |name: &str| ours.iter().any(|our| our == name);
    let audiences: Vec<&str> = match claims.get("aud") {
        Some(Value::String(audience)) => vec![audience],
        Some(Value::Array(list)) if (1..=AUDIENCES_MAX).contains(&list.len()) => {
            let texts = list.iter().map(Value::as_str).collect::<Option<_>>();
            texts.ok_or(OutsideError::Claim("aud"))?
        }
        _ => return Err(OutsideError::Claim("aud")),
    };
    let asked = match claims.get("azp") {
        Some(Value::String(azp)) => is_ours(azp),
        Some(_) => return Err(OutsideError::Claim("azp")),
        None => audiences.len() == 1,
    };
    let named = audiences.iter().any(|audience| is_ours(audience));
    if named && asked { Ok(()) } else { Err(OutsideError::Audience) }
}

fn check_times(claims: &Map<String, Value>, now_ms: i64) -> Result<(), OutsideError> {
    let time_ms = |name: &'static str| {
        let seconds = claims.get(name).map(|value| value.as_i64().filter(|at| *at >= 0));
        let ms = seconds.map(|seconds| seconds.and_then(|seconds| seconds.checked_mul(1_000)));
        ms.map(|ms| ms.ok_or(OutsideError::Claim(name))).transpose()
    };
    let exp_ms = time_ms("exp")?.ok_or(OutsideError::Claim("exp"))?;
    let iat_ms = time_ms("iat")?.ok_or(OutsideError::Claim("iat"))?;
    let from_ms = time_ms("nbf")?.map_or(iat_ms, |nbf_ms| nbf_ms.max(iat_ms));
    if now_ms >= exp_ms {
        return Err(OutsideError::Expired);
    }
    if from_ms > now_ms.saturating_add(CLOCK_SKEW_MS) {
        return Err(OutsideError::NotYetValid);
    }
    Ok(())
}
