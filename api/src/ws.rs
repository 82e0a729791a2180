//! Operations over a WebSocket: the protocol `graphql-transport-ws`
//! (github.com/enisdenjo/graphql-ws, PROTOCOL.md).
//!
//! One loop reads messages, polls all operations and writes their results. There is no queue: while
//! a result is being written, no operation is polled, so that a slow client slows down only itself;
//! one that takes nothing for [`SEND_TIMEOUT`] is dropped.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::WebSocketUpgrade;
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use axum::http::Response;
use axum::http::request::Parts;
use axum::response::IntoResponse;
use futures::stream::{self, BoxStream, StreamExt};
use playhead_domain::Territory;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout};
use tokio_stream::StreamMap;
use uuid::Uuid;

use crate::access::Identity;
use crate::caller::{self, Caller};
use crate::errors::{Code, Fault, GraphqlFault};
use crate::front::answer;
use crate::front::body::{self, GRAPHQL_BYTES_MAX};
use crate::limits::{Act, ClientIp};
use crate::routes::{Endpoint, plain_fault};
use crate::{place, sse};

/// The only protocol spoken.
const PROTOCOL: &str = "graphql-transport-ws";
/// The most operations of one socket at once.
const OPERATIONS_MAX: usize = 32;
/// The longest id of an operation, in bytes.
const ID_BYTES_MAX: usize = 200;
/// How long writing one message may take.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a silent client is asked whether it is there; after two questions without an answer it
/// is not.
const PING_INTERVAL: Duration = Duration::from_secs(25);

/// A message of the client.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Received {
    ConnectionInit { payload: Option<Value> },
    Ping { payload: Option<Value> },
    Pong {},
    Subscribe { id: String, payload: Value },
    Complete { id: String },
}

/// A result on its way to the client.
#[derive(Serialize)]
struct Next<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    payload: answer::Result<'a>,
}

/// What an operation has to say: a result, or that there are no more.
type Said = Option<async_graphql::Response>;

/// Why a socket is closed; the codes are the protocol's.
#[derive(Debug, PartialEq, Eq)]
struct Closing {
    code: u16,
    reason: String,
}

/// The connection is gone; there is nobody to tell.
struct Gone;

/// Why the loop ends.
enum End {
    Close(Closing),
    Gone,
}

impl From<Gone> for End {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

fn close(code: u16, reason: impl Into<String>) -> End {
    End::Close(Closing { code, reason: reason.into() })
}

/// Answers the handshake; the rest happens on the socket.
pub(crate) fn upgrade(
    upgrade: WebSocketUpgrade,
    endpoint: Arc<Endpoint>,
    correlation_id: Uuid,
    parts: &Parts,
) -> Response<Body> {
    let services = &endpoint.services;
    let address = caller::address(services, &parts.extensions, &parts.headers);
    let identity = match caller::identity(services, &parts.headers) {
        Ok(identity) => identity,
        Err(fault) => return plain_fault(&fault),
    };
    let device_country = match place::device_country(&parts.headers) {
        Ok(country) => country,
        Err(fault) => return plain_fault(&fault),
    };
    let Ok(permit) = Arc::clone(&endpoint.streams).try_acquire_owned() else {
        return plain_fault(&Fault::overloaded());
    };
    upgrade
        .protocols([PROTOCOL])
        .max_message_size(GRAPHQL_BYTES_MAX)
        .max_frame_size(GRAPHQL_BYTES_MAX)
        .on_upgrade(move |socket| {
            let connection = Connection {
                spoken: socket.protocol().is_some_and(|protocol| protocol == PROTOCOL),
                socket,
                endpoint,
                correlation_id,
                identity,
                address,
                device_country,
                operations: StreamMap::new(),
                _open: permit,
            };
            connection.run()
        })
        .into_response()
}

struct Connection {
    /// Whether the client speaks our protocol.
    spoken: bool,
    socket: WebSocket,
    endpoint: Arc<Endpoint>,
    correlation_id: Uuid,
    /// Who calls, by the header of the handshake or the payload of `connection_init`.
    identity: Option<Arc<Identity>>,
    /// Where it comes from.
    address: Option<ClientIp>,
    /// Where its device says that it is, by the header of the handshake.
    device_country: Option<Territory>,
    operations: StreamMap<String, BoxStream<'static, Said>>,
    _open: OwnedSemaphorePermit,
}

impl Connection {
    async fn run(mut self) {
        let end = match self.greet().await {
            Ok(()) => self.serve().await,
            Err(end) => end,
        };
        if let End::Close(Closing { code, reason }) = end {
            let frame = CloseFrame { code, reason: reason.into() };
            let _ = timeout(SEND_TIMEOUT, self.socket.send(Message::Close(Some(frame)))).await;
        }
    }

    /// Waits for `connection_init`, and acknowledges it.
    async fn greet(&mut self) -> Result<(), End> {
        if !self.spoken {
            return Err(close(4406, "Subprotocol not acceptable"));
        }
        let limit = self.endpoint.services.options.ws_init_timeout;
        let deadline = Instant::now() + limit;
        loop {
            let received = tokio::time::timeout_at(deadline, self.receive()).await;
            let received =
                received.map_err(|_| close(4408, "Connection initialisation timeout"))??;
            match received {
                None | Some(Received::Pong {}) => {}
                Some(Received::Ping { payload }) => self.pong(payload).await?,
                Some(Received::ConnectionInit { payload }) => {
                    self.identify(payload.as_ref())?;
                    self.send(&json!({ "type": "connection_ack" })).await?;
                    return Ok(());
                }
                Some(Received::Subscribe { .. } | Received::Complete { .. }) => {
                    return Err(close(4401, "Unauthorized"));
                }
            }
        }
    }

    fn identify(&mut self, payload: Option<&Value>) -> Result<(), End> {
        let authorization = payload.and_then(|payload| payload.get("authorization"));
        let Some(authorization) = authorization.filter(|value| !value.is_null()) else {
            return Ok(());
        };
        let identity = authorization
            .as_str()
            .and_then(|text| caller::bearer(&self.endpoint.services, text).ok());
        self.identity = Some(identity.ok_or_else(|| close(4403, "Forbidden"))?);
        Ok(())
    }

    async fn serve(&mut self) -> End {
        let mut expired = pin!(sse::expiry(&self.caller()));
        let mut pings = tokio::time::interval_at(Instant::now() + PING_INTERVAL, PING_INTERVAL);
        let mut unanswered = 0_u8;
        loop {
            let step = tokio::select! {
                () = &mut expired => Err(close(4403, "The access token is no longer valid")),
                _ = pings.tick() => {
                    unanswered = unanswered.saturating_add(1);
                    if unanswered > 2 { Err(End::Gone) } else { self.ping().await }
                }
                Some((id, said)) = self.operations.next() => self.tell(id, said).await,
                received = receive(&mut self.socket) => {
                    unanswered = 0;
                    match received {
                        Ok(Some(received)) => self.obey(received).await,
                        Ok(None) => Ok(()),
                        Err(end) => Err(end),
                    }
                }
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    async fn obey(&mut self, received: Received) -> Result<(), End> {
        match received {
            Received::ConnectionInit { .. } => Err(close(4429, "Too many initialisation requests")),
            Received::Ping { payload } => self.pong(payload).await,
            Received::Pong {} => Ok(()),
            Received::Complete { id } => {
                self.operations.remove(&id);
                Ok(())
            }
            Received::Subscribe { id, payload } => self.subscribe(id, payload).await,
        }
    }

    async fn subscribe(&mut self, id: String, payload: Value) -> Result<(), End> {
        if id.is_empty() || id.len() > ID_BYTES_MAX {
            return Err(close(4400, format!("An id has 1 to {ID_BYTES_MAX} bytes")));
        }
        if self.operations.contains_key(&id) {
            return Err(close(4409, "Subscriber for this id already exists"));
        }
        match self.begin(payload) {
            Ok(operation) => {
                self.operations.insert(id, operation);
                Ok(())
            }
            Err(fault) => {
                let errors = json!([GraphqlFault(&fault)]);
                self.send(&json!({ "id": id, "type": "error", "payload": errors })).await
            }
        }
    }

    fn begin(&self, payload: Value) -> Result<BoxStream<'static, Said>, Fault> {
        if self.operations.len() >= OPERATIONS_MAX {
            let message = format!("a socket runs at most {OPERATIONS_MAX} operations at once");
            return Err(Fault::new(Code::Overloaded, message));
        }
        let caller = self.caller();
        caller.count(Act::ApiCall)?;
        let ready = self.endpoint.prepare(body::from_value(payload)?, caller.clone())?;
        let results = self.endpoint.stream(ready, &caller).map(Some);
        Ok(results.chain(stream::once(async { None })).boxed())
    }

    async fn tell(&mut self, id: String, said: Said) -> Result<(), End> {
        match said {
            Some(result) if answer::ran(&result) => {
                let payload = answer::Result(&result);
                self.send(&Next { id: &id, kind: "next", payload }).await
            }
            Some(result) => {
                self.operations.remove(&id);
                let errors = json!(result.errors);
                self.send(&json!({ "id": id, "type": "error", "payload": errors })).await
            }
            None => {
                self.operations.remove(&id);
                self.send(&json!({ "id": id, "type": "complete" })).await
            }
        }
    }

    fn caller(&self) -> Caller {
        let services = &self.endpoint.services;
        let identity = self.identity.clone();
        let caller = Caller::new(services, identity, self.address, self.correlation_id);
        Caller { device_country: self.device_country, ..caller }
    }

    async fn ping(&mut self) -> Result<(), End> {
        self.send(&json!({ "type": "ping" })).await
    }

    async fn pong(&mut self, payload: Option<Value>) -> Result<(), End> {
        match payload {
            Some(payload) => self.send(&json!({ "type": "pong", "payload": payload })).await,
            None => self.send(&json!({ "type": "pong" })).await,
        }
    }

    async fn receive(&mut self) -> Result<Option<Received>, End> {
        receive(&mut self.socket).await
    }

    async fn send(&mut self, message: &impl Serialize) -> Result<(), End> {
        let Ok(text) = serde_json::to_string(message) else { return Err(Gone.into()) };
        let sending = self.socket.send(Message::Text(text.into()));
        match timeout(SEND_TIMEOUT, sending).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone.into()),
        }
    }
}

/// The next message; `None` for those of the WebSocket itself. May be cancelled at any time.
async fn receive(socket: &mut WebSocket) -> Result<Option<Received>, End> {
    match socket.recv().await {
        None | Some(Err(_) | Ok(Message::Close(_))) => Err(Gone.into()),
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
        Some(Ok(Message::Binary(_))) => Err(close(4400, "Messages are text")),
        Some(Ok(Message::Text(text))) => match serde_json::from_str(&text) {
            Ok(received) => Ok(Some(received)),
            Err(_) => Err(close(4400, "This is no message of graphql-transport-ws")),
        },
    }
}
