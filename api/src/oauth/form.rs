//! The parameters of a request (RFC 6749, appendix B).

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;

use super::answer::OauthError;
use crate::front::body;

/// The largest body: ours have a few hundred bytes.
const BODY_BYTES_MAX: usize = 8 * 1_024;

const FORM: &str = "application/x-www-form-urlencoded";

/// The parameters of a request. One without a value counts as not sent; unknown ones are ignored.
pub(super) struct Form(BTreeMap<String, String>);

impl Form {
    /// Reads a body.
    ///
    /// # Errors
    /// It is no form, too large, or has a parameter twice.
    pub(super) async fn read(body: Body, headers: &HeaderMap) -> Result<Self, OauthError> {
        let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media = media.and_then(|value| value.split(';').next()).map(str::trim);
        if !media.is_some_and(|media| media.eq_ignore_ascii_case(FORM)) {
            return Err(OauthError::invalid_request("the body must be a form, urlencoded"));
        }
        let bytes = body::read(body, headers, BODY_BYTES_MAX).await?;
        let mut pairs = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(&bytes).into_owned() {
            if value.is_empty() {
                continue;
            }
            if pairs.insert(name, value).is_some() {
                return Err(OauthError::invalid_request("a parameter is there twice"));
            }
        }
        Ok(Self(pairs))
    }

    /// A parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A parameter that must be there.
    ///
    /// # Errors
    /// It is not.
    pub(super) fn required(&self, name: &'static str) -> Result<&str, OauthError> {
        let missing = || OauthError::invalid_request(format!("{name} is missing"));
        self.get(name).ok_or_else(missing)
    }
}
