//! What the API needs from outside.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use playhead_commands::Commands;
use playhead_commands::people::{People, PortError};
use playhead_commands::token::PlaybackTokens;
use playhead_domain::{AccountId, DeviceId, SignInId};
use playhead_eventlog::EventLog;
use playhead_projections::catalog::Catalog;
use playhead_projections::continue_watching::ContinueWatching;
use playhead_projections::progress_feed::ProgressFeed;
use playhead_projections::runtime::Projection;
use playhead_projections::trending::Trending;
use uuid::Uuid;

use crate::access::AccessCheck;
use crate::background::Background;
use crate::home::SharedLists;
use crate::limits::{Limits, Proxies};
use crate::page_cursor::CursorKey;
use crate::place::Places;

/// Where time and new ids come from.
pub trait Clock: Send + Sync + 'static {
    /// Now, in milliseconds since 1970-01-01 UTC.
    fn now_ms(&self) -> i64;

    /// A new UUIDv7.
    fn new_id(&self) -> Uuid;
}

/// A sign-in that has not ended, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSignIn {
    /// The sign-in.
    pub sign_in_id: SignInId,
    /// The device, which need not be registered yet.
    pub device_id: DeviceId,
    /// When it began, in milliseconds since 1970-01-01 UTC.
    pub began_at_ms: i64,
    /// When it was last refreshed, in milliseconds since 1970-01-01 UTC.
    pub refreshed_at_ms: i64,
}

/// Port: lists sign-ins.
#[async_trait]
pub trait SignInList: Send + Sync + 'static {
    /// The sign-ins of an account that have not ended, those that were refreshed last first, at most
    /// `limit`.
    ///
    /// # Errors
    /// A reason for operators.
    async fn running(
        &self,
        account_id: AccountId,
        limit: usize,
    ) -> Result<Vec<ListedSignIn>, PortError>;
}

/// Everything that requests are answered with.
pub struct Services {
    /// The log; only read here.
    pub log: Arc<dyn EventLog>,
    /// Runs commands.
    pub commands: Arc<Commands>,
    /// Signs and checks playback tokens.
    pub playback_tokens: Arc<PlaybackTokens>,
    /// Checks access tokens.
    pub access: AccessCheck,
    /// What people do with their accounts.
    pub people: People,
    /// Lists sign-ins.
    pub sign_ins: Arc<dyn SignInList>,
    /// What goes on behind answers.
    pub background: Background,
    /// How often somebody may do something.
    pub limits: Arc<Limits>,
    /// The titles.
    pub catalog: Arc<Catalog>,
    /// Continue watching, history and bookmarks.
    pub continue_watching: Arc<ContinueWatching>,
    /// What is watched much, and where.
    pub trending: Arc<Trending>,
    /// Lists that many viewers share, kept for some seconds.
    pub shared: SharedLists,
    /// Marks places in lists as this service's own.
    pub cursors: CursorKey,
    /// Every running read model: a position counts as read once all of them have passed it.
    pub projections: Vec<Projection>,
    /// Heartbeats as they are recorded.
    pub progress: ProgressFeed,
    /// Where requests come from.
    pub places: Arc<dyn Places>,
    /// The proxies that are believed when they say for whom they ask.
    pub proxies: Proxies,
    /// Time and ids.
    pub clock: Arc<dyn Clock>,
    /// Settings.
    pub options: ApiOptions,
}

/// Settings of the API.
#[derive(Debug, Clone)]
pub struct ApiOptions {
    /// Whether clients may ask for the schema. It is published as a file in any case.
    pub introspection: bool,
    /// How long a request may take before it is answered with `OVERLOADED`. Does not end streams
    /// that have begun.
    pub request_timeout: Duration,
    /// How long a query waits for read models to pass the positions it names.
    pub position_timeout: Duration,
    /// How many requests are worked on at once; more are answered with `OVERLOADED` right away.
    pub requests_max: usize,
    /// How many WebSockets and event streams are open at once; more are answered with
    /// `OVERLOADED`.
    pub streams_max: usize,
    /// How long a WebSocket may stay silent before its `connection_init`.
    pub ws_init_timeout: Duration,
}

impl Default for ApiOptions {
    fn default() -> Self {
        Self {
            introspection: true,
            request_timeout: Duration::from_secs(15),
            position_timeout: Duration::from_secs(2),
            requests_max: 4_096,
            streams_max: 10_000,
            ws_init_timeout: Duration::from_secs(10),
        }
    }
}
