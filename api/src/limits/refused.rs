//! A refusal as clients get it: status 429 (RFC 6585, section 4) with `Retry-After`.

use async_graphql::{ErrorExtensions, ServerError};
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, VARY};
use axum::http::{HeaderValue, Response, StatusCode};
use serde::Serialize;
use serde_json::json;

use super::Limit;

/// The code of every refusal by a limit, in GraphQL and in plain HTTP.
pub const RATE_LIMITED: &str = "RATE_LIMITED";

/// Somebody did something too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// Which limit they met.
    pub limit: Limit,
    /// When a token will be there if nothing more is taken, in milliseconds from now; above 0.
    pub retry_after_ms: u64,
}

impl Refused {
    /// The value of `Retry-After` (RFC 9110, section 10.2.3): whole seconds, rounded up, so that
    /// who comes back then is not too early.
    #[must_use]
    pub fn retry_after_seconds(&self) -> u64 {
        self.retry_after_ms.div_ceil(1_000)
    }

    /// For people.
    #[must_use]
    pub fn message(&self) -> String {
        let what = self.limit.name().replace('_', " ");
        format!("too many {what}; try again in {} s", self.retry_after_seconds())
    }

    /// The answer of a plain HTTP route.
    #[must_use]
    pub fn plain_response(&self) -> Response<Body> {
        let error = json!({
            "code": RATE_LIMITED,
            "message": self.message(),
            "limit": self.limit.name(),
            "retryAfterMs": self.retry_after_ms,
        });
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        self.response(&json!({ "error": error }), json)
    }

    /// The answer of the GraphQL endpoint in a JSON media type. It is no stream, even if the client
    /// asked for one.
    #[must_use]
    pub fn graphql_response(&self, content_type: HeaderValue) -> Response<Body> {
        let mut response =
            self.response(&json!({ "errors": [ServerError::from(*self)] }), content_type);
        let vary = HeaderValue::from_static("accept, authorization");
        response.headers_mut().insert(VARY, vary);
        response
    }

    fn response(&self, body: &impl Serialize, content_type: HeaderValue) -> Response<Body> {
        // Text and numbers only: it cannot fail to be written.
        let bytes = serde_json::to_vec(body).unwrap_or_default();
        let mut response = Response::new(Body::from(bytes));
        *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, content_type);
        headers.insert(RETRY_AFTER, HeaderValue::from(self.retry_after_seconds()));
        response
    }
}

impl From<Refused> for async_graphql::Error {
    fn from(refused: Refused) -> Self {
        Self::new(refused.message()).extend_with(|_, extensions| {
            extensions.set("code", RATE_LIMITED);
            extensions.set("limit", refused.limit.name());
            extensions.set("retryAfterMs", refused.retry_after_ms);
        })
    }
}

impl From<Refused> for ServerError {
    fn from(refused: Refused) -> Self {
        let error = async_graphql::Error::from(refused);
        let mut server_error = Self::new(error.message, None);
        server_error.extensions = error.extensions;
        server_error
    }
}
