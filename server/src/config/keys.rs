//! What a setting is.

use super::Config;
use super::rules;
use super::table::KEYS;

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
    /// A text that is never shown.
    Secret,
    /// A path; in a file it is relative to that file, elsewhere to the working directory.
    Path,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A whole number from, to.
    Integer(u64, u64),
    /// true or false.
    Flag,
    /// Texts.
    List,
    /// [Providers of identities](super::OutsideProvider).
    Issuers,
}

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

    /// Its value, to be shown: a secret only says whether it is set.
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
        in_range && rules::hold(self.name, config)
    }
}
