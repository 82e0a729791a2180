//! Languages, as BCP 47 names them (RFC 5646).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::values::InvalidValue;

/// A language, with the script and the region if they matter, such as `pt-BR` or `zh-Hant`.
///
/// **Invariant:** it is written in the one way that RFC 5646, section 2.1.1, recommends, so that
/// equal languages are equal texts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LanguageTag(String);

impl LanguageTag {
    /// The tag.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The language itself, without script and region.
    #[must_use]
    pub fn base(&self) -> &str {
        self.0.split('-').next().unwrap_or(&self.0)
    }

    /// This tag, and then ever wider ones: `zh-Hant-TW`, `zh-Hant`, `zh` (RFC 4647, section 3.4).
    pub fn widening(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(self.as_str()), |tag| tag.rsplit_once('-').map(|(wide, _)| wide))
    }
}

impl fmt::Display for LanguageTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for LanguageTag {
    type Err = InvalidValue;

    /// In upper or lower case.
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let rule = "a BCP 47 language tag such as pt-BR";
        if !is_language_tag(text) {
            return Err(InvalidValue { field: "language", rule });
        }
        let mut parts = text.split('-').map(str::to_ascii_lowercase);
        let mut tag = parts.next().unwrap_or_default();
        for part in parts {
            tag.push('-');
            match part.len() {
                2 => tag.push_str(&part.to_ascii_uppercase()),
                4 if part.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                    let (first, rest) = part.split_at(1);
                    tag.push_str(&first.to_ascii_uppercase());
                    tag.push_str(rest);
                }
                _ => tag.push_str(&part),
            }
        }
        Ok(Self(tag))
    }
}

impl TryFrom<String> for LanguageTag {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, InvalidValue> {
        text.parse()
    }
}

impl From<LanguageTag> for String {
    fn from(tag: LanguageTag) -> Self {
        tag.0
    }
}

/// `[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*`, at most 35 characters (RFC 5646, section 4.4.1).
pub(crate) fn is_language_tag(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let primary = parts.next().unwrap_or_default();
    tag.len() <= 35
        && (2..=3).contains(&primary.len())
        && primary.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(|part| {
            (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(text: &str) -> LanguageTag {
        text.parse().unwrap()
    }

    #[test]
    fn a_tag_is_written_in_one_way() {
        for (text, written) in [
            ("DE", "de"),
            ("pt-br", "pt-BR"),
            ("ZH-hANT-tw", "zh-Hant-TW"),
            ("es-419", "es-419"),
            ("de-CH-1996", "de-CH-1996"),
            ("sl-rozaj", "sl-rozaj"),
        ] {
            assert_eq!(tag(text).as_str(), written);
            assert_eq!(serde_json::to_value(tag(text)).unwrap(), written);
            let read: LanguageTag = serde_json::from_value(text.into()).unwrap();
            assert_eq!(read, tag(written));
        }
    }

    #[test]
    fn what_is_no_tag_is_refused() {
        for text in ["", "d", "german", "de_AT", "de-", "-de", "de--AT", "d3", "de-ä", "x-klingon"]
        {
            assert!(text.parse::<LanguageTag>().is_err(), "{text:?}");
        }
        let long = format!("de{}", "-abcdefgh".repeat(4));
        assert!(long.parse::<LanguageTag>().is_err(), "{long}");
    }

    #[test]
    fn a_tag_widens_to_its_language() {
        let tag = tag("zh-Hant-TW");
        assert_eq!(tag.widening().collect::<Vec<_>>(), ["zh-Hant-TW", "zh-Hant", "zh"]);
        assert_eq!(tag.base(), "zh");
    }
}
