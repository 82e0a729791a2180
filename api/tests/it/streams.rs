//! Subscriptions: over WebSockets and as event streams, on a real socket.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use futures::{SinkExt, StreamExt};
use http_body_util::BodyExt;
use playhead_api::{ApiOptions, Role};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::harness::{Client, TestApi, text};

const PROGRESS: &str = "subscription($id: ID!) { progress(profileId: $id) { sequence positionMs \
                        title { name } } }";

struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    async fn open(api: &TestApi, protocol: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = api.router.clone();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut request = format!("ws://{address}/graphql").into_client_request().unwrap();
        if !protocol.is_empty() {
            let headers = request.headers_mut();
            headers.insert("sec-websocket-protocol", protocol.parse().unwrap());
        }
        Self(connect_async(request).await.unwrap().0)
    }

    /// A socket that is acknowledged.
    async fn greeted(api: &TestApi, payload: Value) -> Self {
        let mut socket = Self::open(api, "graphql-transport-ws").await;
        socket.send(json!({ "type": "connection_init", "payload": payload })).await;
        assert_eq!(socket.next().await, json!({ "type": "connection_ack" }));
        socket
    }

    async fn send(&mut self, message: Value) {
        self.0.send(Message::Text(message.to_string().into())).await.unwrap();
    }

    async fn subscribe(&mut self, id: &str, query: &str, variables: Value) {
        let payload = json!({ "query": query, "variables": variables });
        self.send(json!({ "id": id, "type": "subscribe", "payload": payload })).await;
    }

    async fn next(&mut self) -> Value {
        match self.0.next().await.unwrap().unwrap() {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    async fn closed(&mut self) -> u16 {
        loop {
            if let Message::Close(Some(frame)) = self.0.next().await.unwrap().unwrap() {
                return frame.code.into();
            }
        }
    }
}

/// A profile that plays, and its playback token.
async fn playing(client: &mut Client<'_>) -> (String, String) {
    let profile = client.join("Ada").await;
    let film = client.film("Metropolis").await;
    client.mutate("subscribe", json!({ "plan": "BASIC" }), "account { id }").await;
    let token = text(&client.start(&profile, &film, "TV").await["playback"]["token"]);
    client.ask("{ __typename }").await;
    (profile, token)
}

fn authorization(api: &TestApi, account: u128) -> Value {
    json!({ "authorization": format!("Bearer {}", api.token(account, &[Role::Viewer])) })
}

/// Waits until the server has begun the operations sent before, by an answer that comes after.
async fn settled(socket: &mut Socket) {
    socket.send(json!({ "type": "ping", "payload": { "x": 1 } })).await;
    assert_eq!(socket.next().await, json!({ "type": "pong", "payload": { "x": 1 } }));
}

#[tokio::test]
async fn heartbeats_reach_those_who_watch_the_profile() {
    let api = TestApi::start().await;
    let mut client = api.client(1);
    let (profile, token) = playing(&mut client).await;
    let mut socket = Socket::greeted(&api, authorization(&api, 1)).await;
    socket.subscribe("a", PROGRESS, json!({ "id": profile })).await;
    settled(&mut socket).await;
    for sequence in [1, 2] {
        let beat = json!({ "token": token, "sequence": sequence, "positionMs": sequence * 1_000 });
        client.heartbeat(beat).await;
        let progress = json!({
            "sequence": sequence, "positionMs": sequence * 1_000, "title": { "name": "Metropolis" },
        });
        let payload = json!({ "data": { "progress": progress } });
        assert_eq!(socket.next().await, json!({ "id": "a", "type": "next", "payload": payload }));
    }
    socket.send(json!({ "id": "a", "type": "complete" })).await;
    settled(&mut socket).await;
    client.heartbeat(json!({ "token": token, "sequence": 3, "positionMs": 3_000 })).await;
    settled(&mut socket).await;
}

#[tokio::test]
async fn queries_and_mutations_run_over_a_socket_behind_the_same_guards() {
    let api = TestApi::start().await;
    let mut socket = Socket::greeted(&api, authorization(&api, 1)).await;
    socket.subscribe("q", "{ __typename }", json!({})).await;
    assert_eq!(socket.next().await["payload"], json!({ "data": { "__typename": "Query" } }));
    assert_eq!(socket.next().await, json!({ "id": "q", "type": "complete" }));
    let open = "mutation { openAccount { errors { code } } }";
    socket.subscribe("q", open, json!({})).await;
    let opened = json!({ "data": { "openAccount": { "errors": [] } } });
    assert_eq!(socket.next().await["payload"], opened);
    assert_eq!(socket.next().await["type"], "complete");
    for (query, code) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nowhere }", "GRAPHQL_VALIDATION_FAILED"),
        (
            "mutation { openAccount { position } openAccount { position } }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (&"[".repeat(2_000), "QUERY_TOO_COMPLEX"),
    ] {
        socket.subscribe("e", query, json!({})).await;
        let error = socket.next().await;
        assert_eq!((&error["id"], &error["type"]), (&json!("e"), &json!("error")));
        assert_eq!(error["payload"][0]["extensions"]["code"], code);
    }
}

#[tokio::test]
async fn somebody_elses_profile_cannot_be_watched() {
    let api = TestApi::start().await;
    let (profile, _) = playing(&mut api.client(1)).await;
    for (payload, code) in [(authorization(&api, 2), "NOT_FOUND"), (json!(null), "UNAUTHENTICATED")]
    {
        let mut socket = Socket::greeted(&api, payload).await;
        socket.subscribe("a", PROGRESS, json!({ "id": profile })).await;
        let answer = socket.next().await;
        let text = answer.to_string();
        assert!(text.contains(code), "{text}");
    }
}

#[tokio::test]
async fn each_breach_of_the_protocol_has_its_close_code() {
    let api = TestApi::start().await;
    let mut socket = Socket::open(&api, "").await;
    assert_eq!(socket.closed().await, 4406);

    let mut socket = Socket::open(&api, "graphql-transport-ws").await;
    socket.subscribe("a", "{ __typename }", json!({})).await;
    assert_eq!(socket.closed().await, 4401);

    let mut socket = Socket::open(&api, "graphql-transport-ws").await;
    let forged = json!({ "authorization": "Bearer x" });
    socket.send(json!({ "type": "connection_init", "payload": forged })).await;
    assert_eq!(socket.closed().await, 4403);

    let mut socket = Socket::greeted(&api, json!({})).await;
    socket.send(json!({ "type": "connection_init" })).await;
    assert_eq!(socket.closed().await, 4429);

    for message in ["nonsense", "[]", r#"{"type":"start","id":"a"}"#, r#"{"type":"subscribe"}"#] {
        let mut socket = Socket::greeted(&api, json!({})).await;
        socket.0.send(Message::Text(message.into())).await.unwrap();
        assert_eq!(socket.closed().await, 4400, "{message}");
    }
    let mut socket = Socket::greeted(&api, json!({})).await;
    socket.0.send(Message::Binary(vec![1].into())).await.unwrap();
    assert_eq!(socket.closed().await, 4400);
}

#[tokio::test]
async fn who_never_introduces_himself_is_sent_away() {
    let options =
        ApiOptions { ws_init_timeout: Duration::from_millis(20), ..ApiOptions::default() };
    let api = TestApi::start_with(options).await;
    let mut socket = Socket::open(&api, "graphql-transport-ws").await;
    assert_eq!(socket.closed().await, 4408);
}

#[tokio::test]
async fn an_id_names_one_operation_and_a_socket_runs_32() {
    let api = TestApi::start().await;
    let (profile, _) = playing(&mut api.client(1)).await;
    let mut socket = Socket::greeted(&api, authorization(&api, 1)).await;
    for n in 0..32 {
        socket.subscribe(&n.to_string(), PROGRESS, json!({ "id": profile })).await;
    }
    socket.subscribe("one more", PROGRESS, json!({ "id": profile })).await;
    let error = socket.next().await;
    assert_eq!((&error["id"], &error["type"]), (&json!("one more"), &json!("error")));
    assert_eq!(error["payload"][0]["extensions"]["code"], "OVERLOADED");
    socket.subscribe("7", PROGRESS, json!({ "id": profile })).await;
    assert_eq!(socket.closed().await, 4409);
}

#[tokio::test]
async fn a_subscription_is_an_event_stream() {
    let api = TestApi::start().await;
    let mut client = api.client(1);
    let (profile, token) = playing(&mut client).await;
    let send = async |query: &str| {
        let body = json!({ "query": query, "variables": { "id": profile } }).to_string();
        let request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("accept", "text/event-stream")
            .header("authorization", format!("Bearer {}", client.token.clone().unwrap()));
        let request = request.body(Body::from(body)).unwrap();
        tower::ServiceExt::oneshot(api.router.clone(), request).await.unwrap()
    };
    let response = send(PROGRESS).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body();
    // The first poll of the stream subscribes.
    let first = tokio::spawn(async move { body.frame().await.unwrap().unwrap().into_data() });
    let mut beats = client.clone();
    let mut sequence = 0;
    while !first.is_finished() {
        sequence += 1;
        beats.heartbeat(json!({ "token": token, "sequence": sequence, "positionMs": 1 })).await;
        tokio::task::yield_now().await;
    }
    let frame = String::from_utf8(first.await.unwrap().unwrap().to_vec()).unwrap();
    assert!(
        frame.starts_with("event: next\ndata: {\"data\":{\"progress\":{\"sequence\":"),
        "{frame}"
    );

    let response = send("query($id: ID) { __typename viewer { profile(id: $id) { name } } }").await;
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let (next, complete) = text.split_once("\n\n").unwrap();
    assert!(next.starts_with("event: next\ndata: {\"data\":{\"__typename\":\"Query\""), "{text}");
    assert_eq!(complete.trim_end(), "event: complete\ndata: \"\"");

    let refused = send("{").await;
    assert_eq!(refused.status(), 400);
}

const ENDED: &str = "subscription($token: String!) { playbackEnded(playbackToken: $token) { \
                     sessionId reason at bySessionId byDeviceId byDevice } }";

/// The end that a socket is told of, after which the operation is complete.
async fn end(socket: &mut Socket, id: &str) -> Value {
    let told = socket.next().await;
    assert_eq!((&told["id"], &told["type"]), (&json!(id), &json!("next")), "{told}");
    assert_eq!(socket.next().await, json!({ "id": id, "type": "complete" }));
    told["payload"]["data"]["playbackEnded"].clone()
}

#[tokio::test]
async fn the_old_device_is_told_who_took_its_session_over() {
    let api = TestApi::start().await;
    let mut client = api.client(1);
    let profile = client.join("Ada").await;
    let film = client.film("Metropolis").await;
    client.mutate("subscribe", json!({ "plan": "BASIC" }), "account { id }").await;
    let old = client.start(&profile, &film, "TV").await["playback"].clone();
    let mut socket = Socket::greeted(&api, authorization(&api, 1)).await;
    socket.subscribe("tv", ENDED, json!({ "token": old["token"] })).await;
    settled(&mut socket).await;
    let take = json!({
        "profileId": profile, "titleId": film, "device": "Phone", "takeOver": old["sessionId"],
    });
    let new = client.mutate("startPlayback", take, "playback { sessionId token }").await;
    let devices = client.ask("{ me { devices(limit: 9) { id name } } }").await;
    let devices = devices["me"]["devices"].as_array().unwrap().clone();
    let phone = devices.iter().find(|device| device["name"] == "Phone").unwrap();
    let told = json!({
        "sessionId": old["sessionId"], "reason": "TAKEN_OVER", "at": "2027-01-15T08:00:00.000Z",
        "bySessionId": new["playback"]["sessionId"], "byDeviceId": phone["id"], "byDevice": "Phone",
    });
    assert_eq!(end(&mut socket, "tv").await, told);
    // Whoever comes too late hears the same.
    socket.subscribe("late", ENDED, json!({ "token": old["token"] })).await;
    assert_eq!(end(&mut socket, "late").await, told);
    // The new session plays.
    socket.subscribe("phone", ENDED, json!({ "token": new["playback"]["token"] })).await;
    settled(&mut socket).await;
    let stop = json!({ "playbackToken": new["playback"]["token"] });
    client.mutate("stopPlayback", stop, "sessionId").await;
    let stopped = end(&mut socket, "phone").await;
    assert_eq!(stopped["sessionId"], new["playback"]["sessionId"]);
    assert_eq!((&stopped["reason"], &stopped["byDevice"]), (&json!("STOPPED"), &Value::Null));
}

#[tokio::test]
async fn a_device_that_fell_silent_is_told_when_its_room_was_needed() {
    let api = TestApi::start().await;
    let mut client = api.client(1);
    let profile = client.join("Ada").await;
    let film = client.film("Metropolis").await;
    client.mutate("subscribe", json!({ "plan": "BASIC" }), "account { id }").await;
    let silent = client.start(&profile, &film, "TV").await["playback"].clone();
    api.clock.advance(90_000);
    let mut socket = Socket::greeted(&api, authorization(&api, 1)).await;
    socket.subscribe("tv", ENDED, json!({ "token": silent["token"] })).await;
    settled(&mut socket).await;
    client.start(&profile, &film, "Phone").await;
    assert_eq!(end(&mut socket, "tv").await["reason"], "EXPIRED");
    // As an event stream it is the same.
    let body = json!({ "query": ENDED, "variables": { "token": silent["token"] } }).to_string();
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("accept", "text/event-stream")
        .header("authorization", format!("Bearer {}", client.token.clone().unwrap()));
    let answer = api.send(request.body(Body::from(body)).unwrap()).await;
    let events = text(&answer.body);
    assert!(events.contains("EXPIRED") && events.contains("event: complete"), "{events}");
    assert_eq!(events.matches("event: next").count(), 1, "{events}");
}

#[tokio::test]
async fn the_end_of_somebody_elses_session_is_not_told() {
    let api = TestApi::start().await;
    let (_, token) = playing(&mut api.client(1)).await;
    let answer = async |payload: Value, token: &str| {
        let mut socket = Socket::greeted(&api, payload).await;
        socket.subscribe("a", ENDED, json!({ "token": token })).await;
        socket.next().await.to_string()
    };
    let theirs = answer(authorization(&api, 2), &token).await;
    assert!(theirs.contains("PLAYBACK_TOKEN_INVALID"), "{theirs}");
    assert_eq!(answer(authorization(&api, 2), "x").await, theirs);
    let nobodys = answer(json!(null), &token).await;
    assert!(nobodys.contains("UNAUTHENTICATED"), "{nobodys}");
}
