//! GraphQL answers as HTTP answers.

use async_graphql::{Response as Executed, Value};
use axum::body::Body;
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, VARY, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::json;

use crate::errors::{Code, Fault, GraphqlFault};
use crate::front::negotiation::Media;
use crate::limits::RATE_LIMITED;

/// How long a client should wait after `OVERLOADED`, in seconds.
const RETRY_AFTER_SECONDS: &str = "2";

/// The answer to a request that HTTP itself is wrong with: always with the fault's status.
pub(crate) fn refusal(fault: &Fault, media: Media) -> Response<Body> {
    if let Some(refused) = fault.refused {
        let content_type = media.in_one_piece().content_type();
        return refused.graphql_response(HeaderValue::from_static(content_type));
    }
    let body = json!({ "errors": [GraphqlFault(fault)] });
    response(fault.code.status(), media.in_one_piece(), &body, fault.code)
}

/// The answer to a document that cannot be run: the status depends on the form of the answer.
pub(crate) fn not_run(fault: &Fault, media: Media) -> Response<Body> {
    match media {
        Media::Json if fault.code.status().is_client_error() => {
            let body = json!({ "errors": [GraphqlFault(fault)] });
            response(StatusCode::OK, media, &body, fault.code)
        }
        Media::Json | Media::GraphqlResponse | Media::EventStream => refusal(fault, media),
    }
}

/// The answer of the library: its `data` is left out if nothing was run.
pub(crate) fn executed(executed: &Executed, media: Media) -> Response<Body> {
    if ran(executed) {
        // What was done stays done, so an answer with data is no refusal.
        let wait = retry_after(executed).filter(|_| is_empty(&executed.data));
        let status = if wait.is_some() { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::OK };
        let mut response = response(status, media, executed, Code::Internal);
        if let Some(seconds) = wait {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        return response;
    }
    let status = if media == Media::Json { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    response(status, media, &Result(executed), Code::BadRequest)
}

/// Whether nothing came of any field that was asked for.
fn is_empty(data: &Value) -> bool {
    match data {
        Value::Null => true,
        Value::Object(fields) => fields.values().all(|value| *value == Value::Null),
        _ => false,
    }
}

/// How many seconds to wait if a limit was met.
fn retry_after(executed: &Executed) -> Option<u64> {
    let waits = executed.errors.iter().filter_map(|error| {
        let extensions = error.extensions.as_ref()?;
        match (extensions.get("code")?, extensions.get("retryAfterMs")?) {
            (Value::String(code), Value::Number(wait_ms)) if code == RATE_LIMITED => {
                wait_ms.as_u64().map(|wait_ms| wait_ms.div_ceil(1_000))
            }
            _ => None,
        }
    });
    waits.max()
}

/// What a client reads of the library's answer, fields in the order in which it asked for them.
pub(crate) struct Result<'a>(pub(crate) &'a Executed);

impl Serialize for Result<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        if ran(self.0) {
            return self.0.serialize(serializer);
        }
        let mut body = serializer.serialize_map(Some(1))?;
        body.serialize_entry("errors", &self.0.errors)?;
        body.end()
    }
}

/// Whether anything was run: errors of resolvers have a path, errors of validation have none.
pub(crate) fn ran(executed: &Executed) -> bool {
    executed.data != async_graphql::Value::Null
        || executed.errors.iter().any(|error| !error.path.is_empty())
}

impl Media {
    /// The form of a single answer: a refusal is no stream.
    fn in_one_piece(self) -> Self {
        match self {
            Self::EventStream => Self::GraphqlResponse,
            Self::Json | Self::GraphqlResponse => self,
        }
    }
}

fn response(status: StatusCode, media: Media, body: &impl Serialize, code: Code) -> Response<Body> {
    let (status, bytes) = match serde_json::to_vec(body) {
        Ok(bytes) => (status, bytes),
        Err(error) => {
            tracing::error!(%error, "an answer cannot be written as JSON");
            (StatusCode::INTERNAL_SERVER_ERROR, Vec::new())
        }
    };
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media.content_type()));
    headers.insert(VARY, HeaderValue::from_static("accept, authorization"));
    if code == Code::MethodNotAllowed {
        headers.insert(ALLOW, HeaderValue::from_static("GET, POST"));
    }
    say_how_to_go_on(status, headers);
    response
}

/// Adds what a client needs to do better: when to come back, what proof is wanted. The methods that
/// are allowed are known to the route.
pub(crate) fn say_how_to_go_on(status: StatusCode, headers: &mut HeaderMap) {
    let value = HeaderValue::from_static;
    match status {
        StatusCode::SERVICE_UNAVAILABLE => {
            headers.insert(RETRY_AFTER, value(RETRY_AFTER_SECONDS));
        }
        StatusCode::UNAUTHORIZED => {
            headers.insert(WWW_AUTHENTICATE, value("Bearer error=\"invalid_token\""));
        }
        _ => {}
    }
}
