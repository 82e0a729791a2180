//! Strategies for what events and commands are made of.

use playhead_domain::account::{
    Accessibility, BillingAddress, CaptionsSize, Notifications, PlaybackPreferences, Profile,
    QualityMax,
};
use playhead_domain::availability::{Availability, Window};
use playhead_domain::entitlement::{Device, Facts, Pin, Terms, Viewer};
use playhead_domain::title::{
    AudienceRating, Chapter, Credit, CreditRole, EpisodeOf, Kind, Localized, Metadata, Source, Span,
};
use playhead_domain::video::Rendition;
use playhead_domain::viewing::{Progressed, Quality};
use playhead_domain::{
    AccountId, DeviceId, LanguageTag, Maturity, Personal, Plan, ProfileId, SessionId, Territory,
    TitleId, VideoId,
};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use uuid::Uuid;

pub(crate) fn uuid() -> impl Strategy<Value = Uuid> {
    prop_oneof![15 => 1..=6_u128, 1 => any::<u128>()].prop_map(Uuid::from_u128)
}

pub(crate) fn account_id() -> impl Strategy<Value = AccountId> {
    uuid().prop_map(AccountId)
}

pub(crate) fn profile_id() -> impl Strategy<Value = ProfileId> {
    uuid().prop_map(ProfileId)
}

pub(crate) fn session_id() -> impl Strategy<Value = SessionId> {
    uuid().prop_map(SessionId)
}

pub(crate) fn title_id() -> impl Strategy<Value = TitleId> {
    uuid().prop_map(TitleId)
}

pub(crate) fn video_id() -> impl Strategy<Value = VideoId> {
    uuid().prop_map(VideoId)
}

/// The device of a session, if it was registered.
pub(crate) fn played_on() -> impl Strategy<Value = Option<DeviceId>> {
    option::of(uuid().prop_map(DeviceId))
}

pub(crate) fn played_in() -> impl Strategy<Value = Option<Territory>> {
    option::of(territory())
}

/// A time: mostly within some minutes of the others.
pub(crate) fn time() -> impl Strategy<Value = i64> {
    prop_oneof![15 => 0..400_000_i64, 1 => any::<i64>(), 1 => Just(i64::MIN), 1 => Just(i64::MAX)]
}

/// An amount: of milliseconds, or of bits per second.
pub(crate) fn size() -> impl Strategy<Value = u64> {
    prop_oneof![15 => 0..10_000_000_u64, 1 => any::<u64>(), 1 => Just(0), 1 => Just(u64::MAX)]
}

/// A text: mostly a short name, now and then with characters that rules forbid.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        15 => "[A-Ca-c]{1,2}",
        2 => "\\PC{0,20}",
        1 => vec(any::<char>(), 0..20).prop_map(|chars| chars.into_iter().collect()),
    ]
}

/// A fact that a refusal would otherwise hide much behind: mostly so.
pub(crate) fn mostly() -> impl Strategy<Value = bool> {
    proptest::bool::weighted(0.9)
}

pub(crate) fn plan() -> impl Strategy<Value = Plan> {
    prop_oneof![Just(Plan::Basic), Just(Plan::Standard), Just(Plan::Premium)]
}

/// A text about a person: mostly not erased.
pub(crate) fn personal_text() -> impl Strategy<Value = Personal<String>> {
    prop_oneof![15 => text().prop_map(Personal::Known), 1 => Just(Personal::Erased)]
}

pub(crate) fn maturity() -> impl Strategy<Value = Maturity> {
    prop::sample::select(Maturity::LEVELS.to_vec())
}

/// A profile: mostly so little that two of them are often equal.
pub(crate) fn profile() -> impl Strategy<Value = Profile> {
    prop_oneof![4 => little_profile(), 1 => all_profile()]
}

fn little_profile() -> impl Strategy<Value = Profile> {
    ("[A-Ca-c]", any::<bool>()).prop_map(|(name, kids)| Profile::new(name, "en", kids))
}

/// A tag of a language, or something like it.
fn language() -> impl Strategy<Value = String> {
    prop_oneof![8 => "[a-z]{2}(-[A-Z]{2})?", 1 => "[a-z]{1,4}(-[a-zA-Z0-9]{1,9}){0,4}", 1 => text()]
}

fn all_profile() -> impl Strategy<Value = Profile> {
    let avatar = option::of(prop_oneof![4 => "[A-Za-z0-9_-]{1,64}", 1 => text()]);
    let looks = (personal_text(), avatar, language(), any::<bool>(), maturity());
    let accessibility = (any::<bool>(), captions_size(), any::<bool>()).prop_map(
        |(captions, captions_size, audio_description)| Accessibility {
            captions,
            captions_size,
            audio_description,
        },
    );
    let notifications = any::<(bool, bool, bool)>().prop_map(|(email, push, sms)| Notifications {
        email,
        push,
        sms,
    });
    let genres = prop_oneof![8 => texts(), 1 => vec(text(), 15..25)];
    (looks, playback_preferences(), accessibility, notifications, genres).prop_map(
        |(looks, playback, accessibility, notifications, favourite_genres)| {
            let (name, avatar, language, kids, maturity_max) = looks;
            Profile {
                name,
                avatar,
                language,
                kids,
                maturity_max,
                playback,
                accessibility,
                notifications,
                favourite_genres,
            }
        },
    )
}

fn playback_preferences() -> impl Strategy<Value = PlaybackPreferences> {
    let quality_max = prop::sample::select(vec![QualityMax::Sd, QualityMax::Hd, QualityMax::Uhd]);
    let speed_percent = prop_oneof![8 => 45..=205_u16, 1 => any::<u16>()];
    let languages = || prop_oneof![8 => vec(language(), 0..3), 1 => vec(language(), 8..12)];
    (any::<(bool, bool)>(), quality_max, speed_percent, languages(), languages()).prop_map(
        |(autoplay, quality_max, speed_percent, audio_languages, subtitle_languages)| {
            let (autoplay_next, autoplay_previews) = autoplay;
            PlaybackPreferences {
                autoplay_next,
                autoplay_previews,
                quality_max,
                speed_percent,
                audio_languages,
                subtitle_languages,
            }
        },
    )
}

fn captions_size() -> impl Strategy<Value = CaptionsSize> {
    prop::sample::select(vec![CaptionsSize::Small, CaptionsSize::Medium, CaptionsSize::Large])
}

fn territory() -> impl Strategy<Value = Territory> {
    let code = prop_oneof![15 => "DE|AT|FR", 1 => "[A-Z]{2}"];
    code.prop_map(|code| code.parse().unwrap())
}

pub(crate) fn billing_address() -> impl Strategy<Value = BillingAddress> {
    let lines = prop_oneof![15 => texts().prop_map(Personal::Known), 1 => Just(Personal::Erased)];
    (territory(), lines).prop_map(|(country, lines)| BillingAddress { country, lines })
}

fn window() -> impl Strategy<Value = Window> {
    (option::of(vec(territory(), 0..3)), time(), option::of(time()))
        .prop_map(|(territories, from_ms, until_ms)| Window { territories, from_ms, until_ms })
}

/// A schedule: mostly so little that two of them are often equal.
pub(crate) fn availability() -> impl Strategy<Value = Availability> {
    let any = (vec(window(), 0..4), vec(territory(), 0..3))
        .prop_map(|(windows, blocked_territories)| Availability { windows, blocked_territories });
    prop_oneof![1 => Just(Availability::everywhere()), 1 => any]
}

/// Facts before something is played: mostly such that nothing speaks against it.
pub(crate) fn entitlement_facts() -> impl Strategy<Value = Facts> {
    let viewer = (option::weighted(0.9, territory()), maturity())
        .prop_map(|(territory, maturity_max)| Viewer { territory, maturity_max });
    let title = (option::of(maturity()), option::weighted(0.3, availability()))
        .prop_map(|(maturity, availability)| Terms { maturity, availability });
    let pin = prop_oneof![
        8 => Just(Pin::None),
        4 => Just(Pin::Given),
        1 => Just(Pin::Missing),
        1 => time().prop_map(|until_ms| Pin::Locked { until_ms }),
    ];
    let device = prop_oneof![
        8 => Just(Device::Welcome),
        1 => Just(Device::Removed),
        1 => (1..9_usize).prop_map(|limit| Device::NoRoom { limit }),
    ];
    let account = (mostly(), mostly(), option::weighted(0.9, plan()), mostly());
    (account, viewer, title, pin, device).prop_map(|(account, viewer, title, pin, device)| {
        let (account_active, email_verified, plan, direct) = account;
        Facts { account_active, email_verified, plan, vpn: !direct, viewer, title, pin, device }
    })
}

pub(crate) fn rendition() -> impl Strategy<Value = Rendition> {
    (any::<u32>(), size()).prop_map(|(height, bitrate_bps)| Rendition { height, bitrate_bps })
}

fn kind() -> impl Strategy<Value = Kind> {
    prop::sample::select(Kind::ALL.to_vec())
}

fn episode_of() -> impl Strategy<Value = EpisodeOf> {
    (title_id(), any::<u32>(), any::<u32>()).prop_map(|(series_id, season, number)| EpisodeOf {
        series_id,
        season,
        number,
    })
}

fn source() -> impl Strategy<Value = Source> {
    (text(), text()).prop_map(|(catalogue, key)| Source { catalogue, key })
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    vec(text(), 0..3)
}

/// Metadata: mostly so little that two of them are often equal.
pub(crate) fn metadata() -> impl Strategy<Value = Metadata> {
    prop_oneof![4 => little_metadata(), 1 => all_metadata()]
}

fn little_metadata() -> impl Strategy<Value = Metadata> {
    (kind(), "[A-B]").prop_map(|(kind, name)| Metadata::new(kind, name))
}

fn credit() -> impl Strategy<Value = Credit> {
    let role = prop::sample::select(CreditRole::ALL.to_vec());
    (text(), role, option::of(text()), option::of(text()))
        .prop_map(|(name, role, character, key)| Credit { name, role, character, key })
}

fn language_tag() -> impl Strategy<Value = LanguageTag> {
    "de|en|pt-BR|zh-Hant-TW|[a-z]{2,3}(-[A-Z]{2})?".prop_map(|tag| tag.parse().unwrap())
}

fn localized() -> impl Strategy<Value = Localized> {
    (option::of(text()), option::of(text()), option::of(text()))
        .prop_map(|(name, synopsis, artwork_url)| Localized { name, synopsis, artwork_url })
}

/// Where something begins and ends, and chapters.
fn times() -> impl Strategy<Value = (Option<Span>, Option<u64>, Vec<Chapter>)> {
    let span = (size(), size()).prop_map(|(start_ms, end_ms)| Span { start_ms, end_ms });
    let chapter = (text(), size()).prop_map(|(name, start_ms)| Chapter { name, start_ms });
    (option::of(span), option::of(size()), vec(chapter, 0..3))
}

fn all_metadata() -> impl Strategy<Value = Metadata> {
    let rating = any::<(u8, u32)>()
        .prop_map(|(average_tenths, votes)| AudienceRating { average_tenths, votes });
    let numbers = (option::of(any::<u16>()), option::of(size()), times(), option::of(rating));
    let languages = (option::of(language_tag()), btree_map(language_tag(), localized(), 0..3));
    let lists = (texts(), texts(), vec(credit(), 0..4), option::of(maturity()));
    let rest = (option::of(text()), option::of(text()), option::of(episode_of()));
    let rest = (rest, option::of(title_id()), option::of(source()));
    (kind(), text(), languages, numbers, lists, rest).prop_map(
        |(kind, name, languages, numbers, lists, rest)| {
            let (original_language, localized) = languages;
            let (year, runtime_ms, (intro, credits_start_ms, chapters), rating) = numbers;
            let (genres, tags, credits, maturity) = lists;
            let ((synopsis, artwork_url, episode_of), extra_of, source) = rest;
            Metadata {
                kind,
                name,
                original_language,
                localized,
                year,
                runtime_ms,
                intro,
                credits_start_ms,
                chapters,
                genres,
                tags,
                credits,
                maturity,
                rating,
                synopsis,
                artwork_url,
                episode_of,
                extra_of,
                source,
            }
        },
    )
}

fn quality() -> impl Strategy<Value = Quality> {
    let (height, rebuffers) = (option::of(any::<u32>()), option::of(any::<u32>()));
    (height, option::of(size()), option::of(size()), rebuffers).prop_map(
        |(height, bitrate_bps, buffer_ms, rebuffers)| Quality {
            height,
            bitrate_bps,
            buffer_ms,
            rebuffers,
        },
    )
}

/// A heartbeat.
pub(crate) fn progressed() -> impl Strategy<Value = Progressed> {
    let whose = (account_id(), profile_id(), title_id(), session_id());
    let seen = (any::<u32>(), size(), size(), quality());
    let known = (option::of(size()), option::of(size()));
    (whose, seen, known, time(), time()).prop_map(|(whose, seen, known, started_at_ms, at_ms)| {
        let (account_id, profile_id, title_id, session_id) = whose;
        let (sequence, position_ms, played_ms, quality) = seen;
        let (duration_ms, credits_start_ms) = known;
        Progressed {
            account_id,
            profile_id,
            title_id,
            session_id,
            started_at_ms,
            sequence,
            position_ms,
            played_ms,
            duration_ms,
            credits_start_ms,
            quality,
            at_ms,
        }
    })
}
