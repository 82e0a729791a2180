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

/// Makes a closed set of names: each variant is stored, read and shown as its text.
macro_rules! names {
    ($(#[$doc:meta])* pub enum $name:ident {
        $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+
    }) => {
        $(#[$doc])*
        #[derive(
            Debug,
            Clone,
            Copy,
            PartialEq,
            Eq,
            PartialOrd,
            Ord,
            Hash,
            serde::Serialize,
            serde::Deserialize,
        )]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Each of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name as stored and shown.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }
    };
}
pub(crate) use names;

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

    /// How many devices may be registered, whether they play or not.
    ///
    /// The data model that MISSION row ID4 stands for allows 10 of them beside at most 4 streams;
    /// the largest plan has these, and the others as many in proportion to their streams, rounded
    /// up, so that a household of any plan can switch between a few devices.
    #[must_use]
    pub fn devices_max(self) -> usize {
        match self {
            Self::Basic => 3,
            Self::Standard => 5,
            Self::Premium => 10,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_1_to_so_many_characters_however_many_bytes_they_take() {
        for good in ["a", "abc", "üüü", "七人侍", "🎬🎬🎬", "a b"] {
            assert!(is_line(good, 3), "{good:?}");
        }
        for bad in ["", "abcd", "üüüü", "🎬🎬🎬🎬"] {
            assert!(!is_line(bad, 3), "{bad:?}");
        }
    }

    #[test]
    fn a_line_has_no_white_space_at_its_ends() {
        for bad in [" ", " a", "a ", "\u{a0}a", "a\u{3000}", "\u{2028}a"] {
            assert!(!is_line(bad, 9), "{bad:?}");
        }
    }

    #[test]
    fn a_line_has_no_control_characters() {
        for bad in ["a\nb", "a\rb", "a\tb", "a\0b", "\0", "a\u{1b}b", "a\u{7f}b", "a\u{85}b"] {
            assert!(!is_line(bad, 9), "{bad:?}");
        }
    }

    #[test]
    fn a_line_of_no_characters_does_not_exist() {
        assert!(!is_line("", 0));
        assert!(!is_line("a", 0));
    }

    #[test]
    fn a_broken_rule_reads_as_a_sentence() {
        assert_eq!(check(true, "year", "from 1870 to 2100"), Ok(()));
        let refused = check(false, "year", "from 1870 to 2100").unwrap_err();
        assert_eq!(refused.to_string(), "year must be from 1870 to 2100");
    }

    #[test]
    fn plans_allow_1_2_and_4_streams() {
        let streams = [Plan::Basic, Plan::Standard, Plan::Premium].map(Plan::streams_max);
        assert_eq!(streams, [1, 2, 4]);
    }

    #[test]
    fn plans_allow_3_5_and_10_devices() {
        let devices = [Plan::Basic, Plan::Standard, Plan::Premium].map(Plan::devices_max);
        assert_eq!(devices, [3, 5, 10]);
    }

    #[test]
    fn a_plan_is_shown_as_it_is_stored() {
        for plan in [Plan::Basic, Plan::Standard, Plan::Premium] {
            assert_eq!(serde_json::to_value(plan).unwrap(), plan.as_str());
        }
    }
}
