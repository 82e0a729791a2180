//! `GET /.well-known/jwks.json`: the public keys of access tokens (RFC 7517), for services that
//! check them on their own.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, Response, StatusCode};

use crate::routes::{Endpoint, plain};

/// For how long an answer may be kept. A new key signs at once, so whoever meets a token of a key
/// that they do not know asks again.
const KEPT_FOR: &str = "public, max-age=300";

/// The keys that verify now.
pub(crate) async fn serve(State(endpoint): State<Arc<Endpoint>>) -> Response<Body> {
    let services = &endpoint.services;
    let keys = services.access.public_keys(services.clock.now_ms());
    let mut response = plain(StatusCode::OK, &keys);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(KEPT_FOR));
    // RFC 7517, section 8.5.1.
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json"));
    response
}
