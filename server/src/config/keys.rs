//! Every setting: its name, what it means and what its value must be.

use playhead_eventlog::PartitionCount;
use tracing_subscriber::filter::Targets;

use super::Config;

/// A setting.
#[derive(Debug, PartialEq, Eq)]
pub struct Key {
    /// The name in the file; in the environment it is in capitals behind `PLAYHEAD_`.
    pub name: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What its value looks like.
    pub kind: Kind,
    /// What the value must be, ready to stand behind "must be".
    pub rule: &'static str,
}

/// What a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A whole number from, to.
    Integer(u64, u64),
    /// true or false.
    Flag,
}

/// Every setting, in the order in which they are shown.
pub const KEYS: &[Key] = &[
    Key {
        name: "data",
        meaning: "Where everything is kept; in a file, relative to that file.",
        kind: Kind::Text,
        rule: "the path of a directory",
    },
    Key {
        name: "listen",
        meaning: "The address to listen on; port 0 means any free one.",
        kind: Kind::Text,
        rule: "an address with a port, such as 127.0.0.1:8480",
    },
    Key {
        name: "partitions",
        meaning: "The partition count of a log that is created now; an existing log keeps its own.",
        kind: Kind::Integer(1, 32_768),
        rule: "a power of two from 1 to 32,768",
    },
    Key {
        name: "segment_kib",
        meaning: "When a segment of the log has this size, in KiB, the next one begins.",
        kind: Kind::Integer(16, 1_048_576),
        rule: "a whole number from 16 to 1,048,576",
    },
    Key {
        name: "compress",
        meaning: "Whether full segments of the log are compressed, which makes them smaller and \
                  reading history slower.",
        kind: Kind::Flag,
        rule: "true or false",
    },
    Key {
        name: "log",
        meaning: "What is logged: a level, or levels by module, such as info,playhead_api=debug.",
        kind: Kind::Text,
        rule: "a level such as info, or levels by module",
    },
    Key {
        name: "log_format",
        meaning: "How log lines look: text for people, json for programs.",
        kind: Kind::Choice(&["text", "json"]),
        rule: "text or json",
    },
    Key {
        name: "introspection",
        meaning: "Whether GraphQL answers introspection queries.",
        kind: Kind::Flag,
        rule: "true or false",
    },
    Key {
        name: "startup_wait_ms",
        meaning: "How long a starting server waits for its read models before it answers, in \
                  milliseconds.",
        kind: Kind::Integer(0, 3_600_000),
        rule: "a whole number from 0 to 3,600,000",
    },
    Key {
        name: "request_timeout_ms",
        meaning: "How long a request may take before it is answered with OVERLOADED, in \
                  milliseconds.",
        kind: Kind::Integer(1, 600_000),
        rule: "a whole number from 1 to 600,000",
    },
    Key {
        name: "requests_max",
        meaning: "How many requests are worked on at once; more are answered with OVERLOADED right \
                  away.",
        kind: Kind::Integer(1, 1_000_000),
        rule: "a whole number from 1 to 1,000,000",
    },
    Key {
        name: "streams_max",
        meaning: "How many WebSockets and event streams are open at once; more are answered with \
                  OVERLOADED.",
        kind: Kind::Integer(0, 1_000_000),
        rule: "a whole number from 0 to 1,000,000",
    },
    Key {
        name: "shutdown_grace_ms",
        meaning: "How long a stopping server waits for requests that run, in milliseconds.",
        kind: Kind::Integer(0, 600_000),
        rule: "a whole number from 0 to 600,000",
    },
];

impl Key {
    /// The setting of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.name == name)
    }

    /// The environment variable that sets it.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("PLAYHEAD_{}", self.name.to_ascii_uppercase())
    }

    /// Its value as text.
    #[must_use]
    pub fn value(&self, config: &Config) -> serde_json::Value {
        serde_json::to_value(config)
            .ok()
            .and_then(|value| value.get(self.name).cloned())
            .unwrap_or_default()
    }

    /// Whether a value that has the right type holds the rule.
    #[must_use]
    pub fn allows(&self, config: &Config) -> bool {
        let in_range = match (self.kind, self.value(config).as_u64()) {
            (Kind::Integer(min, max), Some(value)) => (min..=max).contains(&value),
            _ => true,
        };
        in_range
            && match self.name {
                "listen" => is_address(&config.listen),
                "partitions" => PartitionCount::new(config.partitions).is_some(),
                "data" => !config.data.as_os_str().is_empty(),
                "log" => config.log.parse::<Targets>().is_ok(),
                _ => true,
            }
    }
}

/// An address to listen on that was given as a flag.
///
/// # Errors
/// What it must be.
pub fn address(text: &str) -> Result<String, String> {
    if is_address(text) {
        return Ok(text.to_owned());
    }
    let rule = Key::named("listen").map_or("an address with a port", |key| key.rule);
    Err(format!("must be {rule}"))
}

fn is_address(text: &str) -> bool {
    let host_and_port = text.rsplit_once(':');
    host_and_port.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}
