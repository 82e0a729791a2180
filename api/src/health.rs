//! Whether the process is alive, and whether it shows what was recorded.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use playhead_projections::Projection;
use serde_json::{Value, json};

use crate::routes::{Endpoint, plain};

/// A read model is ready while it lags behind by at most so many events: a few milliseconds of
/// folding.
const LAG_EVENTS_MAX: u64 = 1_000;

/// `/healthz`: the process answers.
pub(crate) async fn alive() -> Response<Body> {
    plain(StatusCode::OK, &json!({ "status": "ok" }))
}

/// `/readyz`: the log takes writes, and every read model follows it closely.
pub(crate) async fn ready(State(endpoint): State<Arc<Endpoint>>) -> Response<Body> {
    let services = &endpoint.services;
    let projections: Vec<_> = services.projections.iter().map(projection).collect();
    let caught_up = projections.iter().all(|(ready, _)| *ready);
    let stopped = services.log.stopped();
    let (ready, status) = match (&stopped, caught_up) {
        (Some(_), _) => (false, "read_only"),
        (None, false) => (false, "catching_up"),
        (None, true) => (true, "ready"),
    };
    let projections: Vec<_> = projections.into_iter().map(|(_, status)| status).collect();
    let body = json!({
        "status": status,
        "events": services.log.head().total(),
        "log_stopped": stopped,
        "projections": projections,
    });
    plain(if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, &body)
}

fn projection(projection: &Projection) -> (bool, Value) {
    let status = projection.status();
    let ready = status.lag_events <= LAG_EVENTS_MAX && status.error.is_none();
    let body = json!({
        "name": projection.name(),
        "lag_events": status.lag_events,
        "parked_events": status.parked_events,
        "applied_events": status.applied_events,
        "error": status.error,
    });
    (ready, body)
}
