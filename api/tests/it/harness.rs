//! A running API without a network, and what clients send it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use http_body_util::BodyExt;
use playhead_api::{AccessClaims, AccessKey, ApiOptions, Clock, Role, Services, router};
use playhead_commands::Commands;
use playhead_commands::token::PlaybackTokens;
use playhead_domain::AccountId;
use playhead_eventlog::memory::MemoryLog;
use playhead_eventlog::{EventLog, PartitionCount};
use playhead_projections::{Catalog, ContinueWatching, ProgressFeed, ReadModel, spawn};
use serde_json::{Value, json};
use tower::ServiceExt;
use uuid::{Timestamp, Uuid};

/// When every test begins.
pub(crate) const BEGIN_MS: i64 = 1_800_000_000_000;

/// A clock that stands still until it is told otherwise.
pub(crate) struct TestClock {
    now_ms: AtomicI64,
    ids: AtomicU64,
}

impl TestClock {
    pub(crate) fn advance(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::Relaxed)
    }

    fn new_id(&self) -> Uuid {
        let nth = self.ids.fetch_add(1, Ordering::Relaxed);
        let now_ms = u64::try_from(self.now_ms()).unwrap();
        let stamp = Timestamp::from_unix_time(now_ms / 1_000, 0, u128::from(nth), 62);
        Uuid::new_v7(stamp)
    }
}

/// The API, its clock, and who may call it.
pub(crate) struct TestApi {
    pub(crate) router: Router,
    pub(crate) clock: Arc<TestClock>,
    key: AccessKey,
    _directory: tempfile::TempDir,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// `data`, if nothing went wrong.
    #[track_caller]
    pub(crate) fn data(self) -> Value {
        assert!(self.body.get("errors").is_none(), "{}", self.body);
        self.body["data"].clone()
    }

    /// The code of the first error.
    pub(crate) fn code(&self) -> &str {
        self.body["errors"][0]["extensions"]["code"].as_str().unwrap_or("none")
    }
}

impl TestApi {
    pub(crate) async fn start() -> Self {
        Self::start_with(ApiOptions::default()).await
    }

    pub(crate) async fn start_with(options: ApiOptions) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let log: Arc<dyn EventLog> = Arc::new(MemoryLog::new(PartitionCount::DEFAULT));
        let catalog = Catalog::open(&directory.path().join("catalog.db")).await.unwrap();
        let watching = ContinueWatching::open(&directory.path().join("watching.db")).await.unwrap();
        let models: [Arc<dyn ReadModel>; 2] =
            [Arc::new(catalog.clone()), Arc::new(watching.clone())];
        let key = SigningKey::from_bytes(&[1; 32]).to_pkcs8_pem(Default::default()).unwrap();
        let key = AccessKey::from_pkcs8_pem(&key).unwrap();
        let clock =
            Arc::new(TestClock { now_ms: AtomicI64::new(BEGIN_MS), ids: AtomicU64::new(1) });
        let services = Services {
            commands: Arc::new(Commands::new(Arc::clone(&log))),
            playback_tokens: Arc::new(PlaybackTokens::new(&[7; 32])),
            access_tokens: Arc::new(key.tokens().unwrap()),
            catalog: Arc::new(catalog),
            continue_watching: Arc::new(watching),
            projections: models.map(|model| spawn(Arc::clone(&log), model)).into(),
            progress: ProgressFeed::spawn(Arc::clone(&log)),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            options,
            log,
        };
        Self { router: router(Arc::new(services)), clock, key, _directory: directory }
    }

    /// A token of an account with these roles, valid for an hour.
    pub(crate) fn token(&self, account: u128, roles: &[Role]) -> String {
        let account_id = AccountId(Uuid::from_u128(account));
        let claims = AccessClaims::new(account_id, roles.to_vec(), self.clock.now_ms(), 3_600_000);
        self.key.sign(&claims).unwrap()
    }

    pub(crate) fn client(&self, account: u128) -> Client<'_> {
        let token = self.token(account, &[Role::Viewer, Role::ContentAdmin]);
        Client { api: self, token: Some(token), positions: vec![] }
    }

    pub(crate) fn nobody(&self) -> Client<'_> {
        Client { api: self, token: None, positions: vec![] }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

/// Somebody who calls, and reads their own writes.
#[derive(Clone)]
pub(crate) struct Client<'a> {
    pub(crate) api: &'a TestApi,
    pub(crate) token: Option<String>,
    pub(crate) positions: Vec<String>,
}

impl Client<'_> {
    pub(crate) fn request(&self, path: &str) -> axum::http::request::Builder {
        let mut request = Request::post(path)
            .header("content-type", "application/json")
            .header("accept", "application/graphql-response+json");
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if !self.positions.is_empty() {
            request = request.header("playhead-position", self.positions.join(", "));
        }
        request
    }

    pub(crate) async fn run(&self, query: &str, variables: Value) -> Answer {
        let body = json!({ "query": query, "variables": variables }).to_string();
        self.api.send(self.request("/graphql").body(Body::from(body)).unwrap()).await
    }

    #[track_caller]
    pub(crate) fn ask(&self, query: &str) -> impl Future<Output = Value> {
        let answer = self.run(query, json!({}));
        async move { answer.await.data() }
    }

    /// Runs a mutation of one field with one input and answers its payload; later queries wait for
    /// what it wrote.
    pub(crate) async fn mutate(&mut self, mutation: &str, input: Value, fields: &str) -> Value {
        let name = format!("{}{}", mutation[..1].to_uppercase(), &mutation[1..]);
        let optional = ["openAccount", "cancelSubscription"].contains(&mutation);
        let required = if optional { "" } else { "!" };
        let query = format!(
            "mutation($input: {name}Input{required}) {{ {mutation}(input: $input) {{ {fields} \
             position errors {{ __typename code message ... on TooManyStreams {{ limit playing {{ \
             device title {{ name }} profile {{ name }} }} }} ... on InvalidInput {{ field rule \
             }} }} }} }}"
        );
        let payload = self.run(&query, json!({ "input": input })).await.data()[mutation].clone();
        if let Some(position) = payload["position"].as_str() {
            self.positions = vec![position.to_owned()];
        }
        payload
    }

    pub(crate) async fn heartbeat(&mut self, body: Value) -> Answer {
        let request = self.request("/v1/playback/heartbeat");
        let answer = self.api.send(request.body(Body::from(body.to_string())).unwrap()).await;
        if let Some(position) = answer.body["position"].as_str() {
            self.positions = vec![position.to_owned()];
        }
        answer
    }

    /// Opens the account with one profile; answers the profile's id.
    pub(crate) async fn join(&mut self, name: &str) -> String {
        self.mutate("openAccount", json!({}), "account { id }").await;
        let payload = self.mutate("addProfile", json!({ "name": name }), "profile { id }").await;
        text(&payload["profile"]["id"])
    }

    /// Adds a film of 100 minutes; answers its id.
    pub(crate) async fn film(&mut self, name: &str) -> String {
        let input = json!({
            "name": name, "type": "MOVIE", "runtimeMs": 6_000_000, "year": 1999,
            "genres": ["Drama"],
        });
        let payload = self.mutate("addTitle", input, "title { id }").await;
        text(&payload["title"]["id"])
    }

    pub(crate) async fn start(&mut self, profile: &str, title: &str, device: &str) -> Value {
        let input = json!({ "profileId": profile, "titleId": title, "device": device });
        let fields = "playback { sessionId token expiresAt heartbeatIntervalMs resumeMs startedAt \
                      title { id name } }";
        self.mutate("startPlayback", input, fields).await
    }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}")).to_owned()
}
