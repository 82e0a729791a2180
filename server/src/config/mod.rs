//! Settings, and where each comes from: default < file < environment < flags.
//!
//! The file is TOML: the one that `--config` or `PLAYHEAD_CONFIG` names, else `playhead.toml` in
//! the data directory if it exists. A key that no setting has is refused. A variable `PLAYHEAD_…`
//! that names no setting is only reported, because Kubernetes sets such variables on its own for a
//! service called playhead (`PLAYHEAD_SERVICE_HOST`).

mod error;
mod keys;
mod limits;
mod load;
mod people;
mod rules;
mod schema;
mod table;

use std::path::PathBuf;

use clap::ValueEnum;
use playhead_eventlog::PartitionCount;
use playhead_eventlog::embedded::Tuning;
use serde::{Deserialize, Serialize};

pub use self::error::ConfigError;
pub use self::keys::{Key, Kind};
pub use self::load::{Environment, environment, load};
pub use self::people::{ForwardHeader, OutsideProvider, Secret};
pub(crate) use self::rules::MAIL_NAME;
pub use self::rules::address;
pub use self::schema::schema;
pub use self::table::KEYS;

/// Every setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where everything is kept.
    pub data: PathBuf,
    /// The address to listen on; port 0 means any free one.
    pub listen: String,
    /// The partition count of a log that is created now; an existing log keeps its own.
    pub partitions: u16,
    /// When a segment of the log has this size, in KiB, the next one begins.
    pub segment_kib: u64,
    /// Whether full segments of the log are compressed.
    pub compress: bool,
    /// What is logged, in the syntax of `tracing_subscriber::filter::Targets`.
    pub log: String,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Whether GraphQL answers introspection queries.
    pub introspection: bool,
    /// How long a starting server waits for its read models before it answers, in milliseconds.
    pub startup_wait_ms: u64,
    /// How long a request may take before it is answered with `OVERLOADED`, in milliseconds.
    pub request_timeout_ms: u64,
    /// How many requests are worked on at once; more are answered with `OVERLOADED` right away.
    pub requests_max: usize,
    /// How many WebSockets and event streams are open at once; more are answered with
    /// `OVERLOADED`.
    pub streams_max: usize,
    /// How long a stopping server waits for requests that run, in milliseconds.
    pub shutdown_grace_ms: u64,
    /// Who issues access tokens.
    pub issuer: String,
    /// For whom access tokens are.
    pub audience: String,
    /// What links in mails begin with; empty for the address that the server listens on.
    pub link_base_url: String,
    /// The directory that mails are written into; empty for the one in the data directory.
    pub mail_dir: PathBuf,
    /// The mail server; empty if mails are written into a directory.
    pub smtp_url: Secret,
    /// The address that mails are from.
    pub mail_from: String,
    /// Providers of identities with whose tokens people may sign in.
    pub outside_issuers: Vec<OutsideProvider>,
    /// The master key of the vault; empty if it is in a file.
    pub master_key: Secret,
    /// The file of the master key; empty for the one in the data directory.
    pub master_key_file: PathBuf,
    /// Networks of proxies that may say whom they forward for.
    pub trusted_proxies: Vec<String>,
    /// Which header those proxies write.
    pub proxy_header: ForwardHeader,
    /// The MaxMind database that tells the territory of an address; empty for none.
    pub territory_database: PathBuf,
    /// The file with the address ranges of VPNs; empty for none.
    pub vpn_ranges: PathBuf,
    /// The territory of people of whom nothing else tells where they are; empty for none.
    pub default_territory: String,
    /// How long people can take back that they want to be erased, in hours.
    pub erasure_delay_hours: u64,
    /// How many passwords are hashed at once; 0 means as many as there are processors.
    pub passwords_max: usize,
    /// Requests of one device in an hour; 0 means without limit.
    pub api_calls_per_device: u32,
    /// Requests of one account in an hour; 0 means without limit.
    pub api_calls_per_user: u32,
    /// Starts of one account in an hour; 0 means without limit.
    pub playback_starts_per_user: u32,
    /// Searches from one address in a second; 0 means without limit.
    pub searches_per_address: u32,
    /// Searches of one account in an hour; 0 means without limit.
    pub searches_per_user: u32,
    /// Registrations from one address in an hour; 0 means without limit.
    pub registrations_per_address: u32,
    /// Tries to sign in from one address in an hour; 0 means without limit.
    pub logins_per_address: u32,
    /// Refreshes of one sign-in in an hour; 0 means without limit.
    pub tokens_per_sign_in: u32,
    /// Requests for tokens from one address in an hour; 0 means without limit.
    pub tokens_per_address: u32,
    /// How many accounts, devices or addresses each limit has room for.
    pub limit_keys_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: "playhead-data".into(),
            listen: "127.0.0.1:8480".to_owned(),
            partitions: PartitionCount::DEFAULT.get(),
            segment_kib: Tuning::DEFAULT.segment_bytes >> 10,
            compress: Tuning::DEFAULT.compress,
            log: "info".to_owned(),
            log_format: LogFormat::Text,
            introspection: true,
            startup_wait_ms: 30_000,
            request_timeout_ms: 15_000,
            requests_max: 4_096,
            streams_max: 10_000,
            shutdown_grace_ms: 10_000,
            issuer: "playhead".to_owned(),
            audience: "playhead:api".to_owned(),
            link_base_url: String::new(),
            mail_dir: PathBuf::new(),
            smtp_url: Secret::default(),
            mail_from: "no-reply@playhead.example".to_owned(),
            outside_issuers: Vec::new(),
            master_key: Secret::default(),
            master_key_file: PathBuf::new(),
            trusted_proxies: Vec::new(),
            proxy_header: ForwardHeader::XForwardedFor,
            territory_database: PathBuf::new(),
            vpn_ranges: PathBuf::new(),
            default_territory: String::new(),
            erasure_delay_hours: 168,
            passwords_max: 0,
            api_calls_per_device: 600,
            api_calls_per_user: 1_000,
            playback_starts_per_user: 100,
            searches_per_address: 10,
            searches_per_user: 500,
            registrations_per_address: 10,
            logins_per_address: 20,
            tokens_per_sign_in: 60,
            tokens_per_address: 3_600,
            limit_keys_max: 262_144,
        }
    }
}

impl Config {
    /// The partition count of a log that is created now.
    #[must_use]
    pub fn partition_count(&self) -> PartitionCount {
        PartitionCount::new(self.partitions).unwrap_or(PartitionCount::DEFAULT)
    }

    /// How the log works.
    #[must_use]
    pub fn tuning(&self) -> Tuning {
        let segment_bytes = self.segment_kib.saturating_mul(1 << 10);
        Tuning { segment_bytes, compress: self.compress, ..Tuning::DEFAULT }
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for programs.
    Json,
}

/// The settings that were given as flags.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--config`: not a setting, but where settings are.
    pub file: Option<PathBuf>,
    /// `--data`
    pub data: Option<PathBuf>,
    /// `--listen`
    pub listen: Option<String>,
    /// `--log-format`
    pub log_format: Option<LogFormat>,
    /// How often `-v` was given.
    pub verbose: u8,
}

/// The settings, and where each comes from.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The settings.
    pub config: Config,
    /// Where each comes from, in the order of [`KEYS`].
    pub sources: Vec<(&'static Key, String)>,
    /// Variables that look like settings but are none.
    pub ignored: Vec<String>,
}

impl Settings {
    /// Whether nothing but the program itself sets it.
    #[must_use]
    pub fn is_default(&self, name: &str) -> bool {
        self.sources.iter().any(|(key, source)| key.name == name && source == load::DEFAULT)
    }
}

impl LogFormat {
    /// The name as in a file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}
