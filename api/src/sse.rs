//! Results as server-sent events: the distinct connections mode of the GraphQL over SSE protocol
//! (github.com/enisdenjo/graphql-sse, PROTOCOL.md), one operation for each connection.

use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream::{self, StreamExt};

use crate::caller::Caller;
use crate::errors::Fault;
use crate::front::answer;
use crate::graphql::Ready;
use crate::routes::Endpoint;

/// How often a comment is sent to a silent stream: proxies close silent connections, commonly after
/// 30 to 60 s.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How often it is asked whether the sign-in of an open stream has ended.
const STANDING_INTERVAL: Duration = Duration::from_secs(1);

/// Begins the stream of an operation's results. It ends with the operation, or with the access
/// token.
///
/// # Errors
/// Too many streams are open.
pub(crate) fn respond(
    endpoint: &Endpoint,
    ready: Ready,
    caller: &Caller,
) -> Result<Response<Body>, Fault> {
    let permit = endpoint.streams.clone().try_acquire_owned().map_err(|_| Fault::overloaded())?;
    let results = endpoint.stream(ready, caller);
    let next =
        results.map(|result| Event::default().event("next").json_data(answer::Result(&result)));
    // With data, though it says nothing: browsers pass no event without.
    let complete = stream::once(async { Event::default().event("complete").json_data("") });
    let events = next.take_until(expiry(caller)).chain(complete).map(move |event| {
        let _open = &permit;
        event
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

/// Returns when the caller's access token has expired, or soon after its sign-in has ended; never
/// without one.
pub(crate) fn expiry(caller: &Caller) -> impl Future<Output = ()> + Send + use<> {
    let caller = caller.clone();
    async move {
        let Some(identity) = &caller.identity else { return std::future::pending().await };
        let left_ms = u64::try_from(identity.expires_at_ms - caller.now_ms).unwrap_or(0);
        let expired = tokio::time::sleep(Duration::from_millis(left_ms));
        let ended = async {
            while caller.services.access.still_stands(identity) {
                tokio::time::sleep(STANDING_INTERVAL).await;
            }
        };
        tokio::select! { () = expired => {}, () = ended => {} }
    }
}
