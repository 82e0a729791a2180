//! How a profile is set, and what of it limits what it shows.
//!
//! `schemas/profile.schema.json` says the same of a profile for other programs; a test holds both
//! together.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::language::is_language_tag;
use crate::maturity::Maturity;
use crate::personal::Personal;
use crate::values::{InvalidValue, check, is_line, is_name};

/// The most languages in one list of preferences.
pub const LANGUAGES_MAX: usize = 10;
/// The most favourite genres of a profile; as many as a title has.
pub const GENRES_MAX: usize = 20;

/// What a profile looks like and is set to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The name on the profile picker; unique in its account.
    pub name: Personal<String>,
    /// Which of the service's pictures stands beside the name. Never an address: a picture from
    /// elsewhere would tell its host who watches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    /// The language of texts, as a BCP 47 tag.
    pub language: String,
    /// Whether a child uses it.
    pub kids: bool,
    /// The highest level of maturity that it is shown.
    pub maturity_max: Maturity,
    /// How it plays.
    pub playback: PlaybackPreferences,
    /// What helps to see and hear.
    pub accessibility: Accessibility,
    /// Over which ways it is told of something new.
    pub notifications: Notifications,
    /// The genres it likes, most liked first.
    pub favourite_genres: Vec<String>,
}

/// How a profile plays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaybackPreferences {
    /// Whether the next episode begins by itself.
    pub autoplay_next: bool,
    /// Whether previews begin by themselves.
    pub autoplay_previews: bool,
    /// The best picture that is fetched, to save data.
    pub quality_max: QualityMax,
    /// The speed in percent of the normal one.
    pub speed_percent: u16,
    /// Languages of speech as BCP 47 tags, most wanted first; if empty, the original one.
    pub audio_languages: Vec<String>,
    /// Languages of subtitles as BCP 47 tags, most wanted first; if empty, the one of texts.
    pub subtitle_languages: Vec<String>,
}

/// The best picture that is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QualityMax {
    /// Up to 576 lines.
    Sd,
    /// Up to 1,080 lines.
    Hd,
    /// Whatever there is.
    Uhd,
}

/// What helps to see and hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accessibility {
    /// Whether subtitles are shown without being asked for, with sounds described if there are such.
    pub captions: bool,
    /// How large they are.
    pub captions_size: CaptionsSize,
    /// Whether a voice describes what is seen, if there is such a sound track.
    pub audio_description: bool,
}

/// How large subtitles are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptionsSize {
    /// Smaller than usual.
    Small,
    /// As usual.
    Medium,
    /// Larger than usual.
    Large,
}

/// Over which ways a profile is told of something new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notifications {
    /// By e-mail to the account.
    pub email: bool,
    /// On its devices.
    pub push: bool,
    /// By text message.
    pub sms: bool,
}

impl Profile {
    /// A profile of which only this is said; a kids profile is limited to [`Maturity::KIDS_MAX`].
    #[must_use]
    pub fn new(name: impl Into<String>, language: impl Into<String>, kids: bool) -> Self {
        Self {
            name: Personal::Known(name.into()),
            avatar: None,
            language: language.into(),
            kids,
            maturity_max: if kids { Maturity::KIDS_MAX } else { Maturity::From18 },
            playback: PlaybackPreferences {
                autoplay_next: true,
                autoplay_previews: true,
                quality_max: QualityMax::Uhd,
                speed_percent: 100,
                audio_languages: vec![],
                subtitle_languages: vec![],
            },
            accessibility: Accessibility {
                captions: false,
                captions_size: CaptionsSize::Medium,
                audio_description: false,
            },
            notifications: Notifications { email: true, push: true, sms: false },
            favourite_genres: vec![],
        }
    }

    /// Whether it shows less than everything.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        self.kids || self.maturity_max < Maturity::From18
    }

    /// Whether it is freer than another one.
    pub(super) fn lifts_limits_of(&self, other: &Self) -> bool {
        (other.kids && !self.kids) || self.maturity_max > other.maturity_max
    }

    /// Checks every field against its rule. Fields within others are named by a JSON pointer
    /// without its first slash, such as `playback/speed_percent`.
    ///
    /// # Errors
    /// The first field that breaks its rule.
    pub fn validate(&self) -> Result<(), InvalidValue> {
        let named = self.name.known().is_some_and(|name| is_name(name, 40));
        check(named, "name", "a line of 1 to 40 characters, none of them invisible")?;
        let avatar = self.avatar.as_deref().is_none_or(is_avatar);
        check(avatar, "avatar", "1 to 64 letters, digits, dashes and underscores")?;
        check(is_language_tag(&self.language), "language", "a BCP 47 language tag such as pt-BR")?;
        check(
            !self.kids || self.maturity_max <= Maturity::KIDS_MAX,
            "maturity_max",
            "at most 7 for a kids profile",
        )?;
        self.playback.validate()?;
        check(
            self.favourite_genres.len() <= GENRES_MAX
                && self.favourite_genres.iter().all(|genre| is_line(genre, 50))
                && is_without_repetitions(&self.favourite_genres),
            "favourite_genres",
            "at most 20 different lines of 1 to 50 characters",
        )
    }
}

impl PlaybackPreferences {
    fn validate(&self) -> Result<(), InvalidValue> {
        let speed = (50..=200).contains(&self.speed_percent);
        check(speed, "playback/speed_percent", "from 50 to 200")?;
        let rule = "at most 10 different BCP 47 language tags";
        check(is_languages(&self.audio_languages), "playback/audio_languages", rule)?;
        check(is_languages(&self.subtitle_languages), "playback/subtitle_languages", rule)
    }
}

fn is_languages(tags: &[String]) -> bool {
    tags.len() <= LANGUAGES_MAX
        && tags.iter().all(|tag| is_language_tag(tag))
        && is_without_repetitions(tags)
}

fn is_without_repetitions(texts: &[String]) -> bool {
    texts.iter().collect::<BTreeSet<_>>().len() == texts.len()
}

fn is_avatar(key: &str) -> bool {
    (1..=64).contains(&key.len())
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Lifts the payload of `ProfileAdded` or `ProfileChanged` from version 1, which knew name, language
/// and whether a child uses it. What is filled in here must stay what it is, whatever
/// [`Profile::new`] comes to say.
pub(crate) fn lift_from_1(mut payload: Value) -> Value {
    let Some(profile) = payload.get_mut("profile").and_then(Value::as_object_mut) else {
        return payload;
    };
    if let Some(name) = profile.remove("name") {
        profile.insert("name".to_owned(), json!({ "$personal": name }));
    }
    let kids = profile.get("kids") == Some(&Value::Bool(true));
    let added = [
        ("maturity_max", json!(if kids { "7" } else { "18" })),
        (
            "playback",
            json!({
                "autoplay_next": true,
                "autoplay_previews": true,
                "quality_max": "uhd",
                "speed_percent": 100,
                "audio_languages": [],
                "subtitle_languages": []
            }),
        ),
        (
            "accessibility",
            json!({ "captions": false, "captions_size": "medium", "audio_description": false }),
        ),
        ("notifications", json!({ "email": true, "push": true, "sms": false })),
        ("favourite_genres", json!([])),
    ];
    profile.extend(added.map(|(key, value)| (key.to_owned(), value)));
    payload
}

#[cfg(test)]
mod tests;
