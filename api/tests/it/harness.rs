//! A running API without a network, and what clients send it.

use std::hash::RandomState;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use base64::Engine;
use http_body_util::BodyExt;
use playhead_api::access::{AccessCheck, without_sign_in};
use playhead_api::limits::{LimitSettings, Limits, Proxies};
use playhead_api::{
    ApiOptions, Background, Clock, CursorKey, Place, PlaceClues, Places, Role, Services,
    SharedLists, TokenStates, router,
};
use playhead_commands::people::{DeviceCodes, Parts, People, Settings, SignIns, SigningKeys};
use playhead_commands::token::PlaybackTokens;
use playhead_commands::{Commands, Context};
use playhead_domain::identity::{self, Ask, Registration, Status};
use playhead_domain::sign_in::{self, Begin, Method, SignInKey};
use playhead_domain::{
    AccountId, DeviceId, EmailKey, Personal, ProfileId, SecretHash, SignInId, Territory,
};
use playhead_eventlog::memory::MemoryLog;
use playhead_eventlog::{Append, EventLog, Expected, NewEvent, PartitionCount, StreamName};
use playhead_identity::access_token::AccessTokens;
use playhead_identity::keys::KeyRing;
use playhead_identity::mail::{EmlMailer, Sender};
use playhead_identity::oidc::OutsideIssuer;
use playhead_identity::password::{PasswordLimits, Passwords};
use playhead_projections::access::Access;
use playhead_projections::{Catalog, ContinueWatching, ProgressFeed, ReadModel, Trending, spawn};
use playhead_search::index::Options;
use playhead_search::projection::Search;
use playhead_vault::{MasterKey, SealedLog, Vault};
use serde_json::{Value, json};
use tower::ServiceExt;
use uuid::{Timestamp, Uuid};

use crate::lookups::Lookups;

/// Mutations that need no input.
const OPTIONAL: [&str; 6] = [
    "openAccount",
    "cancelSubscription",
    "signOut",
    "signOutEverywhere",
    "eraseMe",
    "withdrawErasure",
];

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

/// Where everybody is, until a test says otherwise.
#[derive(Default)]
pub(crate) struct TestPlaces(Mutex<Place>);

impl TestPlaces {
    pub(crate) fn move_to(&self, territory: Option<&str>, vpn: bool) {
        let territory = territory.map(|code| code.parse::<Territory>().unwrap());
        *self.0.lock().unwrap() = Place { territory, vpn };
    }
}

impl Places for TestPlaces {
    fn place_of(&self, clues: &PlaceClues) -> Place {
        let place = *self.0.lock().unwrap();
        Place { territory: clues.billing.or(clues.device).or(place.territory), ..place }
    }
}

/// What a test may choose. Nothing is limited unless it says so.
pub(crate) struct Setup {
    pub(crate) options: ApiOptions,
    pub(crate) limits: LimitSettings,
    pub(crate) issuers: Vec<OutsideIssuer>,
}

impl Default for Setup {
    fn default() -> Self {
        Self { options: ApiOptions::default(), limits: unlimited(), issuers: vec![] }
    }
}

/// The API, its clock, and who may call it.
pub(crate) struct TestApi {
    pub(crate) router: Router,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) places: Arc<TestPlaces>,
    pub(crate) commands: Arc<Commands>,
    pub(crate) services: Arc<Services>,
    tokens: AccessTokens,
    keys: Arc<SigningKeys>,
    pub(crate) background: Background,
    pub(crate) directory: tempfile::TempDir,
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
        Self::start_as(Setup { options, ..Setup::default() }).await
    }

    pub(crate) async fn start_as(setup: Setup) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let vault = Vault::open(&path("keys.db"), MasterKey::from_bytes([7; 32])).await.unwrap();
        let log = Arc::new(MemoryLog::new(PartitionCount::DEFAULT));
        let log: Arc<dyn EventLog> = Arc::new(SealedLog::new(log, vault.clone()));
        let catalog = Catalog::open(&path("catalog.db")).await.unwrap();
        let watching = ContinueWatching::open(&path("watching.db")).await.unwrap();
        let access = Access::open(&path("access.db"), BEGIN_MS).await.unwrap();
        let trending = Trending::open(&path("trending.db")).await.unwrap();
        let search = Search::in_memory(Options { writer_bytes: 15_000_000 }).unwrap();
        let models: [Arc<dyn ReadModel>; 5] = [
            Arc::new(catalog.clone()),
            Arc::new(watching.clone()),
            Arc::new(access.clone()),
            Arc::new(trending.clone()),
            Arc::new(search.clone()),
        ];
        let clock =
            Arc::new(TestClock { now_ms: AtomicI64::new(BEGIN_MS), ids: AtomicU64::new(1) });
        let lookups = Arc::new(Lookups { access, clock: Arc::clone(&clock) as Arc<dyn Clock> });
        let keys = Arc::new(SigningKeys::new(KeyRing::generate(BEGIN_MS).unwrap()));
        let tokens = AccessTokens::new("https://playhead.example", "playhead:api");
        let commands = Arc::new(Commands::new(Arc::clone(&log)));
        let sender = Sender::new("Playhead", "no-reply@playhead.example").unwrap();
        let people = People::new(Parts {
            log: Arc::clone(&log),
            commands: Arc::clone(&commands),
            vault,
            passwords: Passwords::new(PasswordLimits::default()).unwrap(),
            mailer: Arc::new(EmlMailer::new(path("mail"), sender).unwrap()),
            access_tokens: tokens.clone(),
            signing_keys: Arc::clone(&keys),
            outside_issuers: setup.issuers,
            device_codes: Arc::clone(&lookups) as Arc<dyn DeviceCodes>,
            sign_ins: Arc::clone(&lookups) as Arc<dyn SignIns>,
            settings: Settings::new("https://play.example"),
        });
        let (places, background) = (Arc::new(TestPlaces::default()), Background::default());
        let services = Services {
            commands: Arc::clone(&commands),
            playback_tokens: Arc::new(PlaybackTokens::new(&[7; 32])),
            access: AccessCheck::new(
                tokens.clone(),
                Arc::clone(&keys),
                Arc::clone(&lookups) as Arc<dyn TokenStates>,
            ),
            people,
            sign_ins: lookups,
            background: background.clone(),
            limits: Arc::new(Limits::new(&setup.limits, RandomState::new())),
            catalog: Arc::new(catalog),
            continue_watching: Arc::new(watching),
            trending: Arc::new(trending),
            search,
            shared: SharedLists::default(),
            cursors: CursorKey::derive(&[7; 32]),
            projections: models.map(|model| spawn(Arc::clone(&log), model)).into(),
            progress: ProgressFeed::spawn(Arc::clone(&log)),
            places: Arc::clone(&places) as Arc<dyn Places>,
            proxies: Proxies::default(),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            options: setup.options,
            log,
        };
        let services = Arc::new(services);
        let router = router(Arc::clone(&services));
        Self { router, clock, places, commands, services, tokens, keys, background, directory }
    }

    /// Waits until every read model has passed everything that is in the log.
    pub(crate) async fn settled(&self) {
        for projection in &self.services.projections {
            for (partition, next) in self.services.log.head().iter().filter(|(_, next)| *next > 0) {
                projection.passed(partition, next - 1).await;
            }
        }
    }

    /// Waits until everything in the log is found, suggested and alike.
    pub(crate) async fn searchable(&self) {
        self.settled().await;
        self.services.search.prepare().await.unwrap();
    }

    /// Puts an event into the log as it is.
    pub(crate) async fn record(
        &self,
        stream: &str,
        event_type: &str,
        version: u16,
        payload: Vec<u8>,
    ) {
        let event = NewEvent {
            id: self.clock_id(),
            event_type: event_type.into(),
            schema_version: version,
            recorded_at_ms: BEGIN_MS,
            actor: "test:log".into(),
            correlation_id: Uuid::nil(),
            causation_id: Uuid::nil(),
            payload: payload.into(),
            metadata: Vec::new().into(),
        };
        let stream = StreamName::parse(stream).unwrap();
        let append = Append { stream, expected: Expected::Any, events: vec![event] };
        self.services.log.append(append).await.unwrap();
    }

    pub(crate) fn clock_id(&self) -> Uuid {
        self.clock.new_id()
    }

    pub(crate) fn clock_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// A token of an account with these roles, valid for an hour, made without a sign-in.
    pub(crate) fn token(&self, account: u128, roles: &[Role]) -> String {
        let account_id = AccountId(Uuid::from_u128(account));
        let roles = roles.iter().copied().collect();
        let caller = without_sign_in(account_id, roles, self.clock.now_ms());
        let (ring, now_ms) = (self.keys.current(), self.clock.now_ms());
        self.tokens.issue_for(&ring, &caller, now_ms, 3_600_000).unwrap().text
    }

    /// A token of somebody who signed in by password on a device some time ago.
    pub(crate) async fn signed_in(&self, account: u128, device: u128, ago_ms: i64) -> Client<'_> {
        let now_ms = self.clock.now_ms();
        let caller = playhead_identity::access_token::Caller {
            account_id: AccountId(Uuid::from_u128(account)),
            sign_in_id: SignInId(Uuid::from_u128(device << 64)),
            device_id: DeviceId(Uuid::from_u128(device)),
            authenticated_at_ms: now_ms - ago_ms,
            roles: [Role::Viewer].into(),
        };
        let begin = sign_in::Command::Begin(Begin {
            account_id: caller.account_id,
            sign_in_id: caller.sign_in_id,
            device_id: caller.device_id,
            method: Method::Password,
            refresh_hash: SecretHash([2; 32]),
            status: Status::Active,
            device_known: true,
            at_ms: caller.authenticated_at_ms,
        });
        let key = SignInKey { account_id: caller.account_id, sign_in_id: caller.sign_in_id };
        self.commands.sign_ins.execute(&key, &begin, &self.context()).await.unwrap();
        let token = self.tokens.issue(&self.keys.current(), &caller, now_ms).unwrap().text;
        Client { api: self, token: Some(token), positions: vec![] }
    }

    pub(crate) fn client(&self, account: u128) -> Client<'_> {
        self.client_as(account, &[Role::Viewer, Role::ContentAdmin])
    }

    pub(crate) fn client_as(&self, account: u128, roles: &[Role]) -> Client<'_> {
        Client { api: self, token: Some(self.token(account, roles)), positions: vec![] }
    }

    /// Registers an account with a verified address, unless it is.
    pub(crate) async fn verify(&self, account: u128) {
        let account_id = AccountId(Uuid::from_u128(account));
        let (email_key, code) = (EmailKey([0; 32]), SecretHash([1; 32]));
        let registration = Registration {
            email: Personal::Known(format!("{account}@example.org")),
            email_key,
            password_hash: None,
            verification_hash: code,
            verification_expires_at_ms: self.clock.now_ms() + 1,
        };
        self.identify(account_id, Ask::Register(registration)).await;
        self.identify(account_id, Ask::VerifyEmail { code_hash: code }).await;
    }

    /// A new command, now.
    pub(crate) fn context(&self) -> Context {
        let (command_id, at_ms) = (self.clock.new_id(), self.clock.now_ms());
        Context { command_id, at_ms, actor: Arc::from("test:api"), correlation_id: command_id }
    }

    pub(crate) async fn identify(&self, account_id: AccountId, ask: Ask) {
        let context = self.context();
        let command = identity::Command { account_id, at_ms: context.at_ms, ask };
        self.commands.identities.execute(&account_id, &command, &context).await.unwrap();
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
        let optional = OPTIONAL.contains(&mutation);
        let required = if optional { "" } else { "!" };
        let query = format!(
            "mutation($input: {name}Input{required}) {{ {mutation}(input: $input) {{ {fields} \
             position errors {{ __typename code message ... on TooManyStreams {{ limit playing {{ \
             device title {{ name }} profile {{ name }} }} }} ... on InvalidInput {{ field rule \
             }} ... on WrongPin {{ triesLeft }} ... on PinLocked {{ until }} ... on TooMature {{ \
             maturityLimit: limit rating }} ... on NotYetAvailable {{ from }} ... on \
             TooManyDevices {{ limit devices {{ id name kind }} }} }} }} }}"
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
        let opened = self.mutate("openAccount", json!({}), "account { id }").await;
        let account = text(&opened["account"]["id"]);
        self.api.verify(account_of(&account)).await;
        let payload = self.mutate("addProfile", json!({ "name": name }), "profile { id }").await;
        text(&payload["profile"]["id"])
    }

    /// Adds a film of 100 minutes; answers its id.
    pub(crate) async fn film(&mut self, name: &str) -> String {
        let input = json!({
            "name": name, "type": "MOVIE", "runtimeMs": 6_000_000, "year": 1999,
            "genres": ["Drama"], "maturity": "ALL",
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

/// As often as tests like.
fn unlimited() -> LimitSettings {
    LimitSettings {
        api_calls_per_device: None,
        api_calls_per_user: None,
        playback_starts_per_user: None,
        searches_per_address: None,
        searches_per_user: None,
        registrations_per_address: None,
        logins_per_address: None,
        tokens_per_sign_in: None,
        tokens_per_address: None,
        ..LimitSettings::default()
    }
}

/// A global id of a text.
pub(crate) fn global(text: &str) -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}

/// The profile that a global id names.
pub(crate) fn key_of(global_id: &str) -> ProfileId {
    let text = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(global_id).unwrap();
    let text = String::from_utf8(text).unwrap();
    text.rsplit_once('.').unwrap().1.parse().unwrap()
}

/// The number of the account that a global id names.
fn account_of(global_id: &str) -> u128 {
    let text = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(global_id).unwrap();
    let text = String::from_utf8(text).unwrap();
    text.strip_prefix("Account:").unwrap().parse::<Uuid>().unwrap().as_u128()
}
