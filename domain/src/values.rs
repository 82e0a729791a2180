//! Small values with rules of their own.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A value that breaks a rule, and which rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{field} must be {rule}")]
pub struct InvalidValue {
    /// The field as the client names it, in snake case.
    pub field: &'static str,
    /// What the value must be, ready to stand behind "must be".
    pub rule: &'static str,
}

/// Fails with the field and the rule unless the rule holds.
///
/// # Errors
/// The rule does not hold.
pub fn check(holds: bool, field: &'static str, rule: &'static str) -> Result<(), InvalidValue> {
    if holds { Ok(()) } else { Err(InvalidValue { field, rule }) }
}

/// Whether a text has `1..=chars_max` characters, none of them a control character, and no white
/// space at its ends.
#[must_use]
pub fn is_line(text: &str, chars_max: usize) -> bool {
    !text.is_empty()
        && text.trim().len() == text.len()
        && text.chars().count() <= chars_max
        && !text.chars().any(char::is_control)
}

/// What a household pays for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    /// One stream at a time.
    Basic,
    /// Two streams at a time.
    Standard,
    /// Four streams at a time.
    Premium,
}

impl Plan {
    /// How many streams may play at once (1, 2 and 4: MISSION row PL1).
    #[must_use]
    pub fn streams_max(self) -> usize {
        match self {
            Self::Basic => 1,
            Self::Standard => 2,
            Self::Premium => 4,
        }
    }

    /// The name as stored and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Standard => "standard",
            Self::Premium => "premium",
        }
    }
}
