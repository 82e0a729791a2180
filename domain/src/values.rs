//! Small values with rules of their own.

use serde::{Deserialize, Serialize};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

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

/// Whether a text is a name that people give: a [line](is_line) in which nothing hides. What nobody
/// sees would let two names look like one, and what turns the writing around would let a name look
/// like another text.
///
/// Joiners (U+200C, U+200D) and variation selectors are what some scripts and emoji are spelled with:
/// they are allowed behind a visible character that is not ASCII, one at a time, joiners only before
/// another one.
#[must_use]
pub fn is_name(text: &str, chars_max: usize) -> bool {
    let visible = |char: Option<char>| {
        char.is_some_and(|char| {
            !char.is_ascii() && !char.is_whitespace() && !is_hidden(char) && !is_spelling(char)
        })
    };
    let letters: Vec<char> = text.chars().take(chars_max.saturating_add(1)).collect();
    let at = |index: Option<usize>| index.and_then(|index| letters.get(index)).copied();
    is_line(text, chars_max)
        && letters.iter().enumerate().all(|(index, char)| {
            let before = at(index.checked_sub(1));
            let after = at(index.checked_add(1));
            match char {
                // An emoji may have its selector before the joiner.
                '\u{200c}' | '\u{200d}' => {
                    (visible(before) || before.is_some_and(is_selector)) && visible(after)
                }
                // A digit and a selector begin a keycap: 1️⃣.
                char if is_selector(*char) => {
                    visible(before) || before.is_some_and(|char| char.is_ascii_digit())
                }
                char => !is_hidden(*char),
            }
        })
}

/// The text in the one form of all that look alike: Unicode's normal form C, in which letters are
/// whole where there are such (Unicode Standard Annex 15).
#[must_use]
pub fn composed(text: &str) -> String {
    text.nfc().collect()
}

/// How often a code or a PIN may still be tried, as a sentence.
#[must_use]
pub fn tries_left_told(tries_left: usize) -> String {
    match tries_left {
        1 => "1 try is left".to_owned(),
        more => format!("{more} tries are left"),
    }
}

/// So many of something, whose name takes an `s` when they are several.
#[must_use]
pub fn counted(count: usize, name: &str) -> String {
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
}

fn is_selector(char: char) -> bool {
    matches!(char, '\u{fe00}'..='\u{fe0f}')
}

fn is_spelling(char: char) -> bool {
    is_selector(char) || matches!(char, '\u{200c}' | '\u{200d}')
}

/// Characters without a shape of their own: those of Unicode's category Cf and the property
/// `Default_Ignorable_Code_Point` (Unicode 16), line separators, private use, and the blank ones
/// that are not white space.
pub(crate) fn is_hidden(char: char) -> bool {
    matches!(
        char,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
            | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'
            | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{e000}'..='\u{f8ff}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{10ffff}'
    )
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
    /// How many streams may play at once (1, 2 and 4).
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
    /// Streaming services commonly allow 10 of them beside at most 4 streams;
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
    fn a_name_may_be_of_any_script_and_of_emoji() {
        let names = [
            "Zoë’s tablet (kitchen)",
            "七人侍",
            "می‌خواهم",
            "क्‍ष",
            "👨‍👩‍👧",
            "❤️‍🔥",
            "1️⃣",
            "☎️ 2",
            "Ana-2",
        ];
        for good in names {
            assert!(is_name(good, 60), "{good:?}");
        }
    }

    #[test]
    fn nothing_hides_in_a_name() {
        let hidden = [
            '\u{ad}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{200e}',
            '\u{200f}',
            '\u{202a}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{2069}',
            '\u{feff}',
            '\u{3164}',
            '\u{115f}',
            '\u{2800}',
            '\u{fe0f}',
            '\u{e0041}',
            '\u{e0101}',
            '\u{61c}',
            '\u{180e}',
            '\u{e000}',
        ];
        for char in hidden {
            for bad in [format!("A{char}na"), format!("{char}Ana"), format!("Ana{char}")] {
                assert!(!is_name(&bad, 60), "{bad:?}");
            }
            assert!(!is_name(&char.to_string(), 60), "{char:?} alone");
        }
        for bad in ["七\u{200d}\u{200d}人", "七\u{200d}", "七\u{fe0f}\u{fe0f}", "", "a\nb", "üüüü"]
        {
            assert!(!is_name(bad, 3), "{bad:?}");
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
