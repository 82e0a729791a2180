//! The routes, and what every request passes on its way in and out.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use axum::middleware::{self, Next};
use axum::routing::{MethodRouter, any, get, post};
use futures::FutureExt;
use serde::Serialize;
use tokio::sync::Semaphore;
use tracing::Instrument;
use uuid::Uuid;

use crate::errors::{Code, Fault, HttpFault};
use crate::front::answer;
use crate::permissions::{Access, Class};
use crate::schema::{self, Api};
use crate::services::Services;
use crate::{explorer, export, graphql, health, heartbeat, jwks, oauth, pages};

/// The header by which clients name a request, and are told how it is named.
const CORRELATION: &str = "playhead-correlation-id";

/// Under which id a request is logged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Correlation(pub(crate) Uuid);

/// What all requests share.
pub(crate) struct Endpoint {
    /// What they are answered with.
    pub(crate) services: Arc<Services>,
    /// The GraphQL schema.
    pub(crate) schema: Api,
    /// Requests that are worked on.
    requests: Semaphore,
    /// WebSockets and event streams that are open.
    pub(crate) streams: Arc<Semaphore>,
}

/// All routes of the API.
pub fn router(services: Arc<Services>) -> Router {
    let options = &services.options;
    let permits = |max: usize| Semaphore::new(max.min(Semaphore::MAX_PERMITS));
    let endpoint = Arc::new(Endpoint {
        schema: schema::build(options.introspection),
        requests: permits(options.requests_max),
        streams: Arc::new(permits(options.streams_max)),
        services,
    });
    let add = |router: Router<Arc<Endpoint>>, route: Route| router.route(route.path, route.handler);
    let (bounded_routes, free) = routes().into_iter().partition::<Vec<_>, _>(|it| it.bounded);
    let router = bounded_routes
        .into_iter()
        .fold(Router::new(), add)
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .route_layer(middleware::from_fn_with_state(Arc::clone(&endpoint), bounded));
    // Behind the bound, so that an overloaded process still says that it is alive.
    free.into_iter()
        .fold(router, add)
        .layer(middleware::from_fn_with_state(Arc::clone(&endpoint), guarded))
        .with_state(endpoint)
}

/// A route, and who may use it.
struct Route {
    path: &'static str,
    access: Access,
    /// Whether it counts as one of the requests that are worked on at once.
    bounded: bool,
    handler: MethodRouter<Arc<Endpoint>>,
}

impl Route {
    fn new(path: &'static str, access: Access, handler: MethodRouter<Arc<Endpoint>>) -> Self {
        Self { path, access, bounded: true, handler }
    }

    fn unbounded(self) -> Self {
        Self { bounded: false, ..self }
    }
}

/// Every route. A path that is not here does not exist.
fn routes() -> Vec<Route> {
    let page = |path| Route::new(path, Access::Public, get(pages::serve));
    let mut routes: Vec<Route> = pages::PATHS.into_iter().map(page).collect();
    routes.extend([
        // Each field has a class of its own.
        Route::new("/graphql", Access::Public, any(graphql::serve)),
        Route::new("/v1/playback/heartbeat", Access::Proof, post(heartbeat::serve)),
        Route::new("/oauth/device_authorization", Access::Public, post(oauth::authorize_device)),
        Route::new("/oauth/token", Access::Proof, post(oauth::token)),
        Route::new("/.well-known/jwks.json", Access::Public, get(jwks::serve)),
        Route::new("/me/export", Access::Own, get(export::serve)),
        Route::new("/", Access::Public, get(explorer::serve)),
        Route::new("/healthz", Access::Public, get(health::alive)).unbounded(),
        Route::new("/readyz", Access::Public, get(health::ready)).unbounded(),
    ]);
    routes
}

/// Every path that is served, and who may use it.
#[must_use]
pub fn route_classes() -> Vec<Class> {
    routes().into_iter().map(|route| (route.path, route.access)).collect()
}

async fn not_found() -> Response<Body> {
    plain_fault(&Fault::new(Code::NotFound, "there is no such resource"))
}

async fn method_not_allowed(method: Method) -> Response<Body> {
    let message = format!("the resource does not know the method {method}");
    plain_fault(&Fault::new(Code::MethodNotAllowed, message))
}

/// Works on so many requests at once, and not for ever. What has become a stream is no longer
/// counted here.
async fn bounded(
    State(endpoint): State<Arc<Endpoint>>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let Ok(_permit) = endpoint.requests.try_acquire() else {
        return plain_fault(&Fault::overloaded());
    };
    let timeout = endpoint.services.options.request_timeout;
    match tokio::time::timeout(timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            tracing::warn!(?timeout, "a request took too long");
            plain_fault(&Fault::overloaded())
        }
    }
}

/// Names the request, and survives its panics.
async fn guarded(
    State(endpoint): State<Arc<Endpoint>>,
    mut request: Request,
    next: Next,
) -> Response<Body> {
    let id = named(request.headers()).unwrap_or_else(|| endpoint.services.clock.new_id());
    request.extensions_mut().insert(Correlation(id));
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let span = tracing::info_span!("request", correlation_id = %id, %method, %path);
    let answered = AssertUnwindSafe(next.run(request).instrument(span)).catch_unwind().await;
    let mut response = match answered {
        Ok(response) => response,
        Err(panic) => plain_fault(&panicked(id, panic.as_ref())),
    };
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(CORRELATION, value);
    }
    response
}

fn named(headers: &HeaderMap) -> Option<Uuid> {
    Uuid::parse_str(headers.get(CORRELATION)?.to_str().ok()?).ok()
}

/// A defect of ours, as the client sees it.
pub(crate) fn panicked(correlation_id: Uuid, panic: &(dyn Any + Send)) -> Fault {
    let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
    let cause = std::io::Error::other(said.unwrap_or_default());
    Fault::internal(correlation_id, "a request panicked", &cause)
}

/// An answer in JSON.
pub(crate) fn plain(status: StatusCode, body: &impl Serialize) -> Response<Body> {
    let bytes = serde_json::to_vec(body).unwrap_or_default();
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

/// A fault as the answer of a plain route.
pub(crate) fn plain_fault(fault: &Fault) -> Response<Body> {
    if let Some(refused) = fault.refused {
        return refused.plain_response();
    }
    let status = fault.code.status();
    let mut response = plain(status, &HttpFault(fault));
    answer::say_how_to_go_on(status, response.headers_mut());
    response
}
