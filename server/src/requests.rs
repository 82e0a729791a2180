//! A log line for each request, at level debug: failures of ours are logged where they happen, and
//! a line at info for every heartbeat would be most of the log.

use std::time::Instant;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;

/// Logs method, path, status, time and correlation id.
pub async fn log(request: Request, next: Next) -> Response {
    if !tracing::enabled!(tracing::Level::DEBUG) {
        return next.run(request).await;
    }
    let began = Instant::now();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    let id = response.headers().get("playhead-correlation-id");
    tracing::debug!(
        %method,
        path,
        status = response.status().as_u16(),
        elapsed = ?began.elapsed(),
        correlation_id = id.and_then(|id| id.to_str().ok()),
        "answered"
    );
    response
}
