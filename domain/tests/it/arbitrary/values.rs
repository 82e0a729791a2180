//! Strategies for what events and commands are made of.

use playhead_domain::account::Profile;
use playhead_domain::title::{EpisodeOf, Kind, Metadata, Source};
use playhead_domain::video::Rendition;
use playhead_domain::viewing::{Progressed, Quality};
use playhead_domain::{AccountId, Plan, ProfileId, SessionId, TitleId, VideoId};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use uuid::Uuid;

fn uuid() -> impl Strategy<Value = Uuid> {
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

pub(crate) fn profile() -> impl Strategy<Value = Profile> {
    let language = prop_oneof![4 => Just("en".to_owned()), 1 => text()];
    (text(), language, any::<bool>()).prop_map(|(name, language, kids)| Profile {
        name,
        language,
        kids,
    })
}

pub(crate) fn rendition() -> impl Strategy<Value = Rendition> {
    (any::<u32>(), size()).prop_map(|(height, bitrate_bps)| Rendition { height, bitrate_bps })
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Movie),
        Just(Kind::Short),
        Just(Kind::Series),
        Just(Kind::Episode),
        Just(Kind::Special),
    ]
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

fn all_metadata() -> impl Strategy<Value = Metadata> {
    let numbers = (option::of(any::<u16>()), option::of(size()), option::of(size()));
    let lists = (texts(), texts(), texts());
    let rest = (option::of(text()), option::of(text()), option::of(episode_of()));
    (kind(), text(), numbers, lists, rest, option::of(source())).prop_map(
        |(kind, name, numbers, lists, rest, source)| {
            let (year, runtime_ms, credits_start_ms) = numbers;
            let (genres, directors, cast) = lists;
            let (synopsis, artwork_url, episode_of) = rest;
            Metadata {
                kind,
                name,
                year,
                runtime_ms,
                credits_start_ms,
                genres,
                directors,
                cast,
                synopsis,
                artwork_url,
                episode_of,
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
