//! Why there are no settings.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::table::KEYS;

/// Why there are no settings.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("reading the configuration file {} failed", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file is not TOML.
    #[error("the configuration file {} is not valid TOML: {reason}", file.display())]
    Syntax {
        /// The file.
        file: PathBuf,
        /// What is wrong, and where.
        reason: String,
    },
    /// The file has a key that is no setting.
    #[error("{}: unknown key {key:?}; known are {}", file.display(), names())]
    UnknownKey {
        /// The file.
        file: PathBuf,
        /// The key.
        key: String,
    },
    /// The file lies in the data directory and names another one.
    #[error(
        "{}: data cannot be set here, because this file is found by looking into the data directory",
        file.display()
    )]
    DataInsideData {
        /// The file.
        file: PathBuf,
    },
    /// A value does not fit its setting.
    #[error("{key} must be {rule}, but {source_name} says {value}")]
    Invalid {
        /// The setting.
        key: String,
        /// What the value must be.
        rule: String,
        /// Where the value comes from.
        source_name: String,
        /// The value.
        value: String,
    },
}

fn names() -> String {
    KEYS.iter().map(|key| key.name).collect::<Vec<_>>().join(", ")
}
