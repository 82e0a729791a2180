//! Runs GraphQL operations, whichever way they came in.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_graphql::parser::parse_query;
use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response, ServerError};
use axum::body::Body;
use axum::extract::{Extension, FromRequestParts, State, WebSocketUpgrade};
use axum::http::header::{ALLOW, UPGRADE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Response as HttpResponse};
use futures::stream::{BoxStream, StreamExt};

use crate::caller::Caller;
use crate::errors::{Code, Fault};
use crate::front::body::{self, GRAPHQL_BYTES_MAX, Parameters};
use crate::front::negotiation::{self, Media};
use crate::front::{answer, document, omitted, scan};
use crate::limits::Act;
use crate::position;
use crate::routes::{Correlation, Endpoint};
use crate::schema::titles_loader;
use crate::{sse, ws};

/// How many errors of validation are answered.
const VALIDATION_ERRORS_MAX: usize = 10;
/// How many characters of a library's message are answered: it repeats parts of the document.
const MESSAGE_CHARS_MAX: usize = 500;

/// A request that passed the front.
pub(crate) struct Ready {
    /// Query, mutation or subscription.
    pub(crate) kind: OperationType,
    request: Request,
}

impl Endpoint {
    /// Bounds, parses and bounds again.
    ///
    /// # Errors
    /// The document cannot be run.
    pub(crate) fn prepare(&self, mut wanted: Parameters, caller: Caller) -> Result<Ready, Fault> {
        scan::scan(&wanted.query)?;
        let document = parse_query(&wanted.query)
            .map_err(|error| Fault::new(Code::GraphqlParseFailed, shorten(error.to_string())))?;
        let kind = document::check(&document, wanted.operation_name.as_deref(), &wanted.variables)?;
        omitted::fill(&document, &mut wanted.variables);
        let mut request = Request::new(wanted.query)
            .variables(wanted.variables)
            .data(titles_loader(&caller))
            .data(caller);
        request.operation_name = wanted.operation_name;
        request.set_parsed_query(document);
        Ok(Ready { kind, request })
    }

    /// Runs a query or a mutation.
    pub(crate) async fn execute(&self, ready: Ready) -> Response {
        tidy(self.schema.execute(ready.request).await)
    }

    /// Runs anything, result by result. A panic ends the stream with an error.
    pub(crate) fn stream(&self, ready: Ready, caller: &Caller) -> BoxStream<'static, Response> {
        let correlation_id = caller.correlation_id;
        let results = AssertUnwindSafe(self.schema.execute_stream(ready.request)).catch_unwind();
        results
            .map(move |result| match result {
                Ok(response) => tidy(response),
                Err(panic) => {
                    let fault = crate::routes::panicked(correlation_id, panic.as_ref());
                    Response::from_errors(vec![ServerError::from(fault)])
                }
            })
            .boxed()
    }
}

/// Bounds the library's errors and gives each a code.
fn tidy(mut response: Response) -> Response {
    let ran = response.errors.iter().any(|error| !error.path.is_empty());
    if !ran {
        response.errors.truncate(VALIDATION_ERRORS_MAX);
    }
    for error in &mut response.errors {
        let code = code_of(error);
        let extensions = error.extensions.get_or_insert_default();
        if extensions.get("code").is_none() {
            extensions.set("code", code.as_str());
            error.message = shorten(std::mem::take(&mut error.message));
        }
    }
    response
}

/// The code of an error that the library made: all of ours have one.
fn code_of(error: &ServerError) -> Code {
    match (error.path.is_empty(), error.message.as_str()) {
        (true, "Query is too complex.") => Code::QueryTooComplex,
        (true, _) => Code::GraphqlValidationFailed,
        // An argument that the library could not read.
        (false, _) => Code::BadRequest,
    }
}

fn shorten(message: String) -> String {
    match message.char_indices().nth(MESSAGE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", message.get(..end).unwrap_or_default()),
        None => message,
    }
}

/// What a request was refused for.
enum Refused {
    /// HTTP: the status is always the fault's.
    Http(Fault),
    /// The document, which old clients want to see answered with status 200.
    Document(Fault),
    /// A mutation by GET.
    MutationByGet,
}

/// `/graphql`: queries by GET and POST, mutations by POST, subscriptions as event streams, and
/// everything over WebSockets.
pub(crate) async fn serve(
    State(endpoint): State<Arc<Endpoint>>,
    Extension(Correlation(correlation_id)): Extension<Correlation>,
    request: axum::extract::Request,
) -> HttpResponse<Body> {
    let (mut parts, body) = request.into_parts();
    if parts.headers.contains_key(UPGRADE) && parts.method == Method::GET {
        return match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
            Ok(upgrade) => ws::upgrade(upgrade, endpoint, correlation_id, &parts),
            Err(_) => {
                let fault = Fault::new(Code::BadRequest, "this is no WebSocket handshake");
                answer::refusal(&fault, Media::Json)
            }
        };
    }
    let media = match negotiation::accepted(&parts.headers) {
        Ok(media) => media,
        Err(fault) => return answer::refusal(&fault, Media::Json),
    };
    match answer_to(&endpoint, correlation_id, media, &parts, body).await {
        Ok(response) => response,
        Err(Refused::Http(fault)) => answer::refusal(&fault, media),
        Err(Refused::Document(fault)) => answer::not_run(&fault, media),
        Err(Refused::MutationByGet) => {
            let fault = Fault::new(Code::MethodNotAllowed, "mutations are taken by POST only");
            let mut response = answer::refusal(&fault, media);
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            response
        }
    }
}

async fn answer_to(
    endpoint: &Endpoint,
    correlation_id: uuid::Uuid,
    media: Media,
    parts: &Parts,
    body: Body,
) -> Result<HttpResponse<Body>, Refused> {
    let wanted = parameters(parts, body).await.map_err(Refused::Http)?;
    let services = &endpoint.services;
    let caller = Caller::of_request(services, parts, correlation_id).map_err(Refused::Http)?;
    caller.count(Act::ApiCall).map_err(Refused::Http)?;
    let ready = endpoint.prepare(wanted, caller.clone()).map_err(Refused::Document)?;
    if ready.kind == OperationType::Mutation && parts.method == Method::GET {
        return Err(Refused::MutationByGet);
    }
    if ready.kind == OperationType::Subscription && media != Media::EventStream {
        let message = "subscriptions are answered as text/event-stream, or over a WebSocket";
        return Err(Refused::Http(Fault::new(Code::NotAcceptable, message)));
    }
    wait_for_positions(endpoint, parts).await?;
    if media == Media::EventStream {
        return sse::respond(endpoint, ready, &caller).map_err(Refused::Http);
    }
    Ok(answer::executed(&endpoint.execute(ready).await, media))
}

async fn parameters(parts: &Parts, body: Body) -> Result<Parameters, Fault> {
    match parts.method {
        Method::GET => body::from_uri(&parts.uri),
        Method::POST => {
            negotiation::require_json(&parts.headers)?;
            body::from_json(&body::read(body, &parts.headers, GRAPHQL_BYTES_MAX).await?)
        }
        _ => Err(Fault::new(Code::MethodNotAllowed, "GraphQL is spoken by GET and POST")),
    }
}

/// Waits until the read models show what the client has written before.
async fn wait_for_positions(endpoint: &Endpoint, parts: &Parts) -> Result<(), Refused> {
    let values = parts.headers.get_all(position::HEADER);
    // A value that is no text becomes one that is no position.
    let values = values.iter().map(|value| value.to_str().unwrap_or("?"));
    let Some(positions) = position::decode_all(values) else {
        let message = "the header Playhead-Position must be 1 to 8 positions as this service answered \
                       them, separated by commas";
        return Err(Refused::Http(Fault::new(Code::BadRequest, message)));
    };
    let services = &endpoint.services;
    let timeout = services.options.position_timeout;
    if position::passed(&positions, &services.projections, timeout).await {
        return Ok(());
    }
    let message = "the read models did not pass the positions in time; ask again";
    Err(Refused::Document(Fault::new(Code::PositionTimeout, message)))
}
