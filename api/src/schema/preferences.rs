//! How a profile is set, field by field.

use async_graphql::{Enum, InputObject, MaybeUndefined, SimpleObject};
use playhead_domain::account::{
    Accessibility as DomainAccessibility, CaptionsSize as DomainCaptionsSize,
    Notifications as DomainNotifications, PlaybackPreferences as DomainPlayback,
    Profile as Settings, QualityMax as DomainQualityMax,
};
use playhead_domain::values::check;
use playhead_domain::{InvalidValue, Maturity as Level, Personal};

use super::maturity::Maturity;

/// The best picture that is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainQualityMax")]
pub(crate) enum QualityMax {
    /// Up to 576 lines.
    Sd,
    /// Up to 1,080 lines.
    Hd,
    /// Whatever there is.
    Uhd,
}

/// How large subtitles are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainCaptionsSize")]
pub(crate) enum CaptionsSize {
    /// Smaller than usual.
    Small,
    /// As usual.
    Medium,
    /// Larger than usual.
    Large,
}

/// How a profile plays.
#[derive(Debug, SimpleObject)]
pub(crate) struct PlaybackPreferences {
    /// Whether the next episode begins by itself.
    autoplay_next: bool,
    /// Whether previews begin by themselves.
    autoplay_previews: bool,
    /// The best picture that is fetched, to save data.
    quality_max: QualityMax,
    /// The speed in percent of the normal one.
    speed_percent: u16,
    /// Languages of speech as BCP 47 tags, most wanted first; if empty, the original one.
    audio_languages: Vec<String>,
    /// Languages of subtitles as BCP 47 tags, most wanted first; if empty, the one of texts.
    subtitle_languages: Vec<String>,
}

impl From<&DomainPlayback> for PlaybackPreferences {
    fn from(known: &DomainPlayback) -> Self {
        Self {
            autoplay_next: known.autoplay_next,
            autoplay_previews: known.autoplay_previews,
            quality_max: known.quality_max.into(),
            speed_percent: known.speed_percent,
            audio_languages: known.audio_languages.clone(),
            subtitle_languages: known.subtitle_languages.clone(),
        }
    }
}

/// What helps to see and hear.
#[derive(Debug, SimpleObject)]
pub(crate) struct Accessibility {
    /// Whether subtitles are shown without being asked for, with sounds described if there are such.
    captions: bool,
    /// How large they are.
    captions_size: CaptionsSize,
    /// Whether a voice describes what is seen, if there is such a sound track.
    audio_description: bool,
}

impl From<DomainAccessibility> for Accessibility {
    fn from(known: DomainAccessibility) -> Self {
        Self {
            captions: known.captions,
            captions_size: known.captions_size.into(),
            audio_description: known.audio_description,
        }
    }
}

/// Over which ways a profile is told of something new.
#[derive(Debug, SimpleObject)]
pub(crate) struct NotificationPreferences {
    /// By e-mail to the account.
    email: bool,
    /// On its devices.
    push: bool,
    /// By text message.
    sms: bool,
}

impl From<DomainNotifications> for NotificationPreferences {
    fn from(known: DomainNotifications) -> Self {
        Self { email: known.email, push: known.push, sms: known.sms }
    }
}

/// How a profile is to play; what is left out stays as it is.
#[derive(Debug, Default, InputObject)]
pub(crate) struct PlaybackPreferencesInput {
    /// Whether the next episode begins by itself.
    autoplay_next: Option<bool>,
    /// Whether previews begin by themselves.
    autoplay_previews: Option<bool>,
    /// The best picture that is fetched, to save data.
    quality_max: Option<QualityMax>,
    /// The speed in percent of the normal one, from 50 to 200.
    speed_percent: Option<i32>,
    /// Languages of speech as BCP 47 tags, most wanted first; at most 10.
    audio_languages: Option<Vec<String>>,
    /// Languages of subtitles as BCP 47 tags, most wanted first; at most 10.
    subtitle_languages: Option<Vec<String>>,
}

/// What is to help to see and hear; what is left out stays as it is.
#[derive(Debug, Default, InputObject)]
pub(crate) struct AccessibilityInput {
    /// Whether subtitles are shown without being asked for, with sounds described if there are such.
    captions: Option<bool>,
    /// How large they are.
    captions_size: Option<CaptionsSize>,
    /// Whether a voice describes what is seen, if there is such a sound track.
    audio_description: Option<bool>,
}

/// Over which ways a profile is to be told of something new; what is left out stays as it is.
#[derive(Debug, Default, InputObject)]
pub(crate) struct NotificationPreferencesInput {
    /// By e-mail to the account.
    email: Option<bool>,
    /// On its devices.
    push: Option<bool>,
    /// By text message.
    sms: Option<bool>,
}

/// How a profile is to be set; what is left out stays as it is.
#[derive(Debug, Default, InputObject)]
pub(crate) struct ProfileSettingsInput {
    /// A key of the service's pictures, 1 to 64 letters, digits, dashes and underscores; null for
    /// none.
    avatar: MaybeUndefined<String>,
    /// The highest level of maturity that it is shown; at most FROM_7 for a kids profile. A profile
    /// that is made a kids profile gets FROM_7 without it, one that no longer is gets FROM_18.
    maturity_max: Option<Maturity>,
    /// How it plays.
    playback: Option<PlaybackPreferencesInput>,
    /// What helps to see and hear.
    accessibility: Option<AccessibilityInput>,
    /// Over which ways it is told of something new.
    notifications: Option<NotificationPreferencesInput>,
    /// The genres it likes, most liked first; at most 20.
    favourite_genres: Option<Vec<String>>,
}

/// What is said of a profile besides [`ProfileSettingsInput`].
#[derive(Debug, Default)]
pub(crate) struct Named {
    pub(crate) name: Option<String>,
    pub(crate) language: Option<String>,
    pub(crate) kids: Option<bool>,
}

impl ProfileSettingsInput {
    /// A profile that was set so, with these changes. The rules for values are the domain's; here
    /// only what has no place in its types is refused.
    ///
    /// # Errors
    /// A number is out of range.
    pub(crate) fn set(self, named: Named, before: Settings) -> Result<Settings, InvalidValue> {
        let kids = named.kids.unwrap_or(before.kids);
        let limit = if kids { Level::KIDS_MAX } else { Level::From18 };
        // Who only says whether a child uses it says what it is shown.
        let unsaid = if kids == before.kids { before.maturity_max } else { limit };
        Ok(Settings {
            name: named.name.map_or(before.name, Personal::Known),
            avatar: match self.avatar {
                MaybeUndefined::Undefined => before.avatar,
                MaybeUndefined::Null => None,
                MaybeUndefined::Value(key) => Some(key),
            },
            language: named.language.unwrap_or(before.language),
            kids,
            maturity_max: self.maturity_max.map_or(unsaid, Level::from),
            playback: self.playback.unwrap_or_default().set(before.playback)?,
            accessibility: self.accessibility.unwrap_or_default().set(before.accessibility),
            notifications: self.notifications.unwrap_or_default().set(before.notifications),
            favourite_genres: self.favourite_genres.unwrap_or(before.favourite_genres),
        })
    }
}

impl PlaybackPreferencesInput {
    fn set(self, before: DomainPlayback) -> Result<DomainPlayback, InvalidValue> {
        let (field, rule) = ("playback/speed_percent", "from 50 to 200");
        let speed = self.speed_percent.map_or(Ok(before.speed_percent), u16::try_from);
        check(speed.is_ok(), field, rule)?;
        Ok(DomainPlayback {
            autoplay_next: self.autoplay_next.unwrap_or(before.autoplay_next),
            autoplay_previews: self.autoplay_previews.unwrap_or(before.autoplay_previews),
            quality_max: self.quality_max.map_or(before.quality_max, DomainQualityMax::from),
            speed_percent: speed.unwrap_or(before.speed_percent),
            audio_languages: self.audio_languages.unwrap_or(before.audio_languages),
            subtitle_languages: self.subtitle_languages.unwrap_or(before.subtitle_languages),
        })
    }
}

impl AccessibilityInput {
    fn set(self, before: DomainAccessibility) -> DomainAccessibility {
        DomainAccessibility {
            captions: self.captions.unwrap_or(before.captions),
            captions_size: self.captions_size.map_or(before.captions_size, Into::into),
            audio_description: self.audio_description.unwrap_or(before.audio_description),
        }
    }
}

impl NotificationPreferencesInput {
    fn set(self, before: DomainNotifications) -> DomainNotifications {
        DomainNotifications {
            email: self.email.unwrap_or(before.email),
            push: self.push.unwrap_or(before.push),
            sms: self.sms.unwrap_or(before.sms),
        }
    }
}
