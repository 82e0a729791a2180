//! The plain routes: heartbeats, health, the page, and what is nowhere.

use axum::body::Body;
use axum::http::Request;
use playhead_domain::identity::Ask;
use playhead_domain::{AccountId, Personal};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, TestApi, text};

const PATH: &str = "/v1/playback/heartbeat";

async fn playing(client: &mut Client<'_>) -> (String, String) {
    let profile = client.join("Ada").await;
    let film = client.film("Metropolis").await;
    client.mutate("subscribe", json!({ "plan": "BASIC" }), "account { id }").await;
    let token = text(&client.start(&profile, &film, "TV").await["playback"]["token"]);
    (profile, token)
}

async fn positions(client: &Client<'_>) -> Value {
    let query = "{ viewer { profile { history { nodes { positionMs } } } } }";
    client.ask(query).await["viewer"]["profile"]["history"]["nodes"].clone()
}

#[tokio::test]
async fn heartbeats_come_alone_or_together_and_count_once() {
    let api = TestApi::start().await;
    let mut client = api.client(1);
    let (_, token) = playing(&mut client).await;
    client.token = None;
    let beat = |sequence: u32| {
        json!({
            "token": token, "sequence": sequence, "positionMs": sequence * 1_000,
            "playedMs": sequence * 1_000, "durationMs": 6_000_000,
            "quality": { "height": 1080, "bitrateBps": 5_000_000, "bufferMs": 1, "rebuffers": 0 },
        })
    };
    let answer = client.heartbeat(beat(90)).await;
    assert_eq!((answer.status.as_u16(), &answer.body["accepted"]), (200, &json!(1)));
    let answer = client.heartbeat(json!([beat(91), beat(90), beat(92)])).await;
    assert_eq!((answer.status.as_u16(), &answer.body["accepted"]), (200, &json!(3)));
    let mut reader = api.client(1);
    reader.positions = client.positions.clone();
    assert_eq!(positions(&reader).await, json!([{ "positionMs": 92_000 }]));
}

#[tokio::test]
async fn one_bad_heartbeat_refuses_all_and_is_named() {
    let api = TestApi::start().await;
    let mut client = api.client(1);
    let (_, token) = playing(&mut client).await;
    let good = json!({ "token": token, "sequence": 90, "positionMs": 90_000 });
    let with = |field: &str, value: Value| {
        let mut beat = good.clone();
        beat[field] = value;
        beat
    };
    let access = client.token.clone().unwrap();
    let table = [
        (json!([good, with("token", json!("x"))]), 401, "PLAYBACK_TOKEN_INVALID", "[1].token"),
        (with("token", json!(access)), 401, "PLAYBACK_TOKEN_INVALID", "token"),
        (
            json!([good, with("positionMs", json!(4_000_000_000_u64))]),
            400,
            "INVALID_INPUT",
            "[1].positionMs",
        ),
        (with("sequence", json!(4_000_000_000_u64)), 400, "INVALID_INPUT", "sequence"),
        (with("quality", json!({ "height": 99_999 })), 400, "INVALID_INPUT", "quality.height"),
        (with("surprise", json!(1)), 400, "INVALID_INPUT", "surprise"),
        (with("sequence", json!(2_147_483_647)), 400, "INVALID_INPUT", "sequence"),
        (with("positionMs", json!(-1)), 400, "INVALID_INPUT", "positionMs"),
        (json!([good, with("positionMs", json!("1"))]), 400, "INVALID_INPUT", "[1].positionMs"),
        (
            json!([with("quality", json!({ "height": "tall" }))]),
            400,
            "INVALID_INPUT",
            "[0].quality.height",
        ),
        (json!([]), 400, "INVALID_INPUT", ""),
        (json!([{}]), 400, "INVALID_INPUT", "[0]"),
        (json!(null), 400, "INVALID_INPUT", ""),
    ];
    for (body, status, code, field) in table {
        let answer = client.heartbeat(body.clone()).await;
        let error = &answer.body["error"];
        assert_eq!((answer.status.as_u16(), &error["code"]), (status, &json!(code)), "{body}");
        assert_eq!(error["field"].as_str().unwrap_or(""), field, "{body}");
    }
    assert_eq!(positions(&client).await, json!([]));
    let negative = client.heartbeat(with("positionMs", json!(-1))).await.body;
    let rule = "positionMs must be a whole number of milliseconds, at least 0";
    assert_eq!(negative["error"]["message"], rule);
}

#[tokio::test]
async fn a_playback_token_expires_after_six_hours() {
    let api = TestApi::start().await;
    let mut client = api.client(1);
    let (_, token) = playing(&mut client).await;
    let beat = json!({ "token": token, "sequence": 1, "positionMs": 1 });
    api.clock.advance(6 * 3_600_000 - 1);
    assert_eq!(client.heartbeat(beat.clone()).await.status, 200);
    api.clock.advance(1);
    let answer = client.heartbeat(beat).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.body["error"]["code"], "PLAYBACK_TOKEN_EXPIRED");
}

#[tokio::test]
async fn a_playback_token_ends_with_its_device_or_its_account() {
    for case in ["device", "suspended", "erased"] {
        let api = TestApi::start().await;
        let mut client = api.client(1);
        let (_, token) = playing(&mut client).await;
        let beat = json!({ "token": token, "sequence": 1, "positionMs": 1 });
        assert_eq!(client.heartbeat(beat).await.status, 200);
        api.clock.advance(1);
        let account_id = AccountId(Uuid::from_u128(1));
        let reason = Personal::Known("fraud".to_owned());
        match case {
            "device" => {
                let devices = api.commands.devices.state(&account_id).await.unwrap();
                let id = devices.devices.keys().next().unwrap().to_string();
                client.mutate("removeDevice", json!({ "deviceId": id }), "deviceId").await;
                let state = api.commands.playbacks.state(&account_id).await.unwrap();
                assert_eq!(state.running.len(), 0, "what played on it has stopped");
            }
            "suspended" => api.identify(account_id, Ask::Suspend { reason }).await,
            _ => {
                let due_at_ms = api.clock_ms();
                api.identify(account_id, Ask::RequestErasure { due_at_ms }).await;
                api.identify(account_id, Ask::Erase).await;
            }
        }
        api.settled().await;
        let before = api.services.log.head();
        let beat = json!({ "token": token, "sequence": 2, "positionMs": 2 });
        let answer = client.heartbeat(beat).await;
        let code = &answer.body["error"]["code"];
        assert_eq!(
            (answer.status.as_u16(), code),
            (401, &json!("PLAYBACK_TOKEN_INVALID")),
            "{case}"
        );
        let input = json!({ "playbackToken": token, "positionMs": 3 });
        let stopped = api.nobody().mutate("stopPlayback", input, "sessionId").await;
        assert_eq!(stopped["errors"][0]["code"], "PLAYBACK_TOKEN_INVALID", "{case}");
        assert_eq!(api.services.log.head(), before, "nothing is recorded");
    }
}

#[tokio::test]
async fn heartbeats_of_another_form_are_refused() {
    let api = TestApi::start().await;
    let send = async |content_type: &str, body: String| {
        let request = Request::post(PATH).header("content-type", content_type);
        api.send(request.body(Body::from(body)).unwrap()).await
    };
    assert_eq!(send("text/plain", "{}".into()).await.status, 415);
    for broken in ["{", "[{]", "", "{} {}"] {
        let answer = send("application/json", broken.into()).await;
        let code = (answer.status.as_u16(), answer.body["error"]["code"].clone());
        assert!(code.0 == 400, "{broken}: {code:?}");
    }
    assert_eq!(send("application/json", "{".into()).await.body["error"]["code"], "BAD_REQUEST");
    let large = send("application/json", " ".repeat(64 * 1_024 + 1)).await;
    assert_eq!(
        (large.status.as_u16(), &large.body["error"]["code"]),
        (413, &json!("BODY_TOO_LARGE"))
    );
    let many = format!("[{}]", vec![r#"{"token":"","sequence":1,"positionMs":1}"#; 101].join(","));
    assert_eq!(send("application/json", many).await.status, 400);
    let get = api.send(Request::get(PATH).body(Body::empty()).unwrap()).await;
    assert_eq!(get.status, 405);
    assert_eq!(get.headers["allow"], "POST");
    assert_eq!(get.body["error"]["code"], "METHOD_NOT_ALLOWED");
}

#[tokio::test]
async fn readiness_tells_how_far_the_read_models_are() {
    let api = TestApi::start().await;
    let mut client = api.client(1);
    client.join("Ada").await;
    client.ask("{ __typename }").await;
    let ready = api.send(Request::get("/readyz").body(Body::empty()).unwrap()).await;
    assert_eq!((ready.status.as_u16(), &ready.body["status"]), (200, &json!("ready")));
    assert_eq!(ready.body["events"], 4);
    let projection = &ready.body["projections"][0];
    assert_eq!(projection["name"], "catalog");
    assert_eq!((&projection["lag_events"], &projection["error"]), (&json!(0), &Value::Null));
}

#[tokio::test]
async fn a_request_keeps_the_correlation_id_it_brings_if_it_is_one() {
    let api = TestApi::start().await;
    let send = async |id: &str| {
        let request = Request::get("/nowhere").header("playhead-correlation-id", id);
        let answer = api.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.body["error"]["code"], "NOT_FOUND");
        answer.headers["playhead-correlation-id"].to_str().unwrap().to_owned()
    };
    let mine = "0198c5a0-0000-7fff-bfff-ffffffffffff";
    assert_eq!(send(mine).await, mine);
    let made = send("forged\tid").await;
    assert_eq!(made.len(), 36);
}

#[tokio::test]
async fn the_page_runs_nothing_but_itself() {
    let api = TestApi::start().await;
    let page = api.send(Request::get("/").body(Body::empty()).unwrap()).await;
    let policy = page.headers["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
    let html = text(&page.body);
    for forbidden in ["http://", "https://", " src=", "onclick=", "style=\"", "@import", "url("] {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
    assert_eq!((html.matches("<script>").count(), html.matches("<style>").count()), (1, 1));
}

#[tokio::test]
async fn the_pages_that_mails_and_televisions_name_are_there_and_run_nothing_but_themselves() {
    let api = TestApi::start().await;
    for path in ["verify-email", "confirm-email", "reset-password", "forgot-password", "device"] {
        let page = api.send(Request::get(format!("/{path}")).body(Body::empty()).unwrap()).await;
        assert_eq!(page.status, 200, "{path}");
        assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
        let policy = page.headers["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(page.headers["referrer-policy"], "no-referrer");
        let html = text(&page.body);
        let forbidden = ["http://", "https://", " src=", "onclick=", "style=\"", "@import", "url("];
        for forbidden in forbidden {
            assert!(!html.contains(forbidden), "{path}: {forbidden}");
        }
        assert!(html.contains(&format!("data-page=\"{path}\"")), "{path}");
    }
}
