//! Answers of the OAuth endpoints.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, PRAGMA, RETRY_AFTER};
use axum::http::{HeaderValue, Response, StatusCode};
use playhead_commands::people::PeopleError;
use serde::Serialize;
use uuid::Uuid;

use crate::errors::{Fault, of_people};
use crate::front::answer;
use crate::routes::plain;

/// Why a client gets no tokens (RFC 6749, section 5.2, and RFC 8628, section 3.5).
#[derive(Debug, Serialize)]
pub(super) struct OauthError {
    error: &'static str,
    error_description: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<Uuid>,
    #[serde(skip)]
    status: StatusCode,
    #[serde(skip)]
    retry_after_s: Option<u64>,
}

impl OauthError {
    fn new(error: &'static str, description: impl Into<Cow<'static, str>>) -> Self {
        Self {
            error,
            error_description: description.into(),
            correlation_id: None,
            status: StatusCode::BAD_REQUEST,
            retry_after_s: None,
        }
    }

    pub(super) fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new("invalid_request", description)
    }

    pub(super) fn invalid_client() -> Self {
        Self::new("invalid_client", "client_id must be the id of the device, a UUID")
    }

    pub(super) fn unsupported_grant_type() -> Self {
        Self::new("unsupported_grant_type", "grant_type must be a device code or refresh_token")
    }

    /// What went wrong with the request, or with the service. The RFCs know no code for the latter,
    /// so those of the authorization endpoint are used (RFC 6749, section 4.1.2.1).
    pub(super) fn of_fault(fault: &Fault) -> Self {
        let status = fault.code.status();
        let error = match status {
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                "temporarily_unavailable"
            }
            status if status.is_server_error() => "server_error",
            _ => "invalid_request",
        };
        Self {
            correlation_id: fault.correlation_id,
            status,
            retry_after_s: fault.refused.map(|refused| refused.retry_after_seconds()),
            ..Self::new(error, fault.message.clone())
        }
    }

    /// Why a grant came to nothing. Which account it is about is not told.
    pub(super) fn of_people(error: PeopleError, correlation_id: Uuid) -> Self {
        if let PeopleError::DeviceCode(refusal) = &error {
            return Self::new(refusal.oauth_error(), refusal.to_string());
        }
        if error.is_refusal() {
            let description = error.to_string();
            return Self::new("invalid_grant", description);
        }
        match of_people(error, correlation_id) {
            Ok(_) => Self::new("invalid_grant", "the grant is not accepted"),
            Err(fault) => Self::of_fault(&fault),
        }
    }

    pub(super) fn into_response(self) -> Response<Body> {
        let mut response = not_kept(plain(self.status, &self));
        answer::say_how_to_go_on(self.status, response.headers_mut());
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// An answer with secrets in it, which nobody may keep (RFC 6749, section 5.1).
pub(super) fn of_secrets(body: &impl Serialize) -> Response<Body> {
    not_kept(plain(StatusCode::OK, body))
}

fn not_kept(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}
