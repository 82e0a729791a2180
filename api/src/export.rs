//! `GET /me/export`: everything that is known of the caller, as one JSON document to keep (GDPR,
//! articles 15 and 20).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response, StatusCode};

use crate::caller::Caller;
use crate::errors::Fault;
use crate::limits::Act;
use crate::routes::{Correlation, Endpoint, plain, plain_fault};

/// The document of the account that the access token names.
pub(crate) async fn serve(
    State(endpoint): State<Arc<Endpoint>>,
    Extension(Correlation(correlation_id)): Extension<Correlation>,
    parts: Parts,
) -> Response<Body> {
    let caller = Caller::of_request(&endpoint.services, &parts, correlation_id);
    match export(caller).await {
        Ok(response) => response,
        Err(fault) => plain_fault(&fault),
    }
}

async fn export(caller: Result<Caller, Fault>) -> Result<Response<Body>, Fault> {
    let caller = caller?;
    let account_id = caller.account_id()?;
    caller.count(Act::ApiCall)?;
    let exported = caller.services.people.export(account_id).await;
    let document = exported.map_err(|error| caller.fault(error))?;
    let mut response = plain(StatusCode::OK, &document);
    let headers = response.headers_mut();
    let name = HeaderValue::from_static("attachment; filename=\"playhead-export.json\"");
    headers.insert(CONTENT_DISPOSITION, name);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
