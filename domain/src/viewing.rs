//! What a profile is seen to do: observations, recorded as they come, without a decision.
//!
//! A profile's observations are in the stream `viewing-ACCOUNT.PROFILE`, in the partition of the
//! account's other streams. A heartbeat carries everything that a reader needs to place it, so that
//! recording it needs no look at the past.

use serde::{Deserialize, Serialize};

use crate::codec::stored_events;
use crate::ids::{AccountId, ProfileId, SessionId, TitleId};
use crate::resume::{Mark, MarkKind};
use crate::values::{InvalidValue, check};

/// The category of the streams.
pub const CATEGORY: &str = "viewing";

/// The id of a profile's stream: `ACCOUNT.PROFILE`.
#[must_use]
pub fn stream_id(account_id: AccountId, profile_id: ProfileId) -> String {
    format!("{account_id}.{profile_id}")
}

/// How well a session plays, as its player measures it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quality {
    /// The height of the picture shown, in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// The bit rate of the rendition shown, in bits per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bitrate_bps: Option<u64>,
    /// How much the player holds ahead of the position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffer_ms: Option<u64>,
    /// How often the picture has stood still for want of bytes since the session began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rebuffers: Option<u32>,
}

/// A player reported where it is: a heartbeat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progressed {
    /// The account.
    pub account_id: AccountId,
    /// Who watches.
    pub profile_id: ProfileId,
    /// What is watched.
    pub title_id: TitleId,
    /// The session.
    pub session_id: SessionId,
    /// When the session began, in milliseconds since 1970-01-01 UTC.
    pub started_at_ms: i64,
    /// Counts the heartbeats of the session. The highest one is the latest, however they arrive.
    pub sequence: u32,
    /// Where in the title the player is.
    pub position_ms: u64,
    /// How much was really played in the session so far, without pauses and jumps.
    pub played_ms: u64,
    /// How long the title is, if anybody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// Where the closing credits begin, if anybody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credits_start_ms: Option<u64>,
    /// How well it plays.
    #[serde(default)]
    pub quality: Quality,
    /// When it was received, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

impl Progressed {
    /// Checks every field against its rule.
    ///
    /// # Errors
    /// The first field that breaks its rule.
    pub fn validate(&self) -> Result<(), InvalidValue> {
        let rule = "from 0 to 1,000 hours";
        check(self.position_ms <= SPAN_MAX_MS, "position_ms", rule)?;
        check(self.played_ms <= SPAN_MAX_MS, "played_ms", rule)?;
        check(
            self.duration_ms.is_none_or(|ms| (1..=SPAN_MAX_MS).contains(&ms)),
            "duration_ms",
            "from 1 ms to 1,000 hours",
        )?;
        check(self.credits_start_ms.is_none_or(|ms| ms <= SPAN_MAX_MS), "credits_start_ms", rule)?;
        check(
            self.duration_ms.is_none_or(|ms| self.position_ms <= ms + POSITION_SLACK_MS),
            "position_ms",
            "within the title",
        )?;
        check(self.quality.height.is_none_or(|px| px <= 16_384), "height", "at most 16,384")?;
        check(
            self.quality.buffer_ms.is_none_or(|ms| ms <= SPAN_MAX_MS),
            "buffer_ms",
            "from 0 to 1,000 hours",
        )
    }
}

/// The longest span that a heartbeat can name; as long as the longest title.
const SPAN_MAX_MS: u64 = 1_000 * 3_600_000;

/// Catalogues round running times, so a player may be this far behind the stated end.
const POSITION_SLACK_MS: u64 = 600_000;

/// A viewer took a title off the continue-watching row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TitleDismissed {
    /// The account.
    pub account_id: AccountId,
    /// Whose row.
    pub profile_id: ProfileId,
    /// The title.
    pub title_id: TitleId,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// A viewer put a title that was taken off the continue-watching row back where it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TitleRestored {
    /// The account.
    pub account_id: AccountId,
    /// Whose row.
    pub profile_id: ProfileId,
    /// The title.
    pub title_id: TitleId,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// A viewer said that a title was watched to the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TitleMarkedWatched {
    /// The account.
    pub account_id: AccountId,
    /// Who watched.
    pub profile_id: ProfileId,
    /// The title.
    pub title_id: TitleId,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// A viewer said that a title counts as never watched. What was played stays in the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TitleMarkedUnwatched {
    /// The account.
    pub account_id: AccountId,
    /// Who watched.
    pub profile_id: ProfileId,
    /// The title.
    pub title_id: TitleId,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// A viewer took plays of a title out of the history. They count for nothing from then on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RemovedFromHistory {
    /// The account.
    pub account_id: AccountId,
    /// Whose history.
    pub profile_id: ProfileId,
    /// The title.
    pub title_id: TitleId,
    /// The session that was removed; if absent, every one that had begun by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

stored_events! {
    /// What a profile is seen to do. None of it needs a look at the past: what a title has come to
    /// follows from the set of its heartbeats and [`Mark`]s.
    pub enum Event {
        /// A heartbeat.
        Progressed(Progressed) = 1,
        /// A title was taken off the row.
        Dismissed(TitleDismissed) = 1,
        /// A title was put back on the row.
        Restored(TitleRestored) = 1,
        /// A title was said to be watched.
        MarkedWatched(TitleMarkedWatched) = 1,
        /// A title was said not to be watched.
        MarkedUnwatched(TitleMarkedUnwatched) = 1,
        /// Plays were taken out of the history.
        RemovedFromHistory(RemovedFromHistory) = 1,
    }
}

impl Event {
    /// What the viewer said of a title, if the event is more than a heartbeat.
    #[must_use]
    pub fn mark(&self) -> Option<Mark> {
        let (at_ms, kind) = match self {
            Self::Progressed(_) => return None,
            Self::Dismissed(event) => (event.at_ms, MarkKind::Dismissed),
            Self::Restored(event) => (event.at_ms, MarkKind::Restored),
            Self::MarkedWatched(event) => (event.at_ms, MarkKind::Watched),
            Self::MarkedUnwatched(event) => (event.at_ms, MarkKind::Unwatched),
            Self::RemovedFromHistory(event) => (event.at_ms, MarkKind::Removed(event.session_id)),
        };
        Some(Mark { at_ms, kind })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const HOUR_MS: u64 = 3_600_000;

    fn heartbeat() -> Progressed {
        Progressed {
            account_id: AccountId(Uuid::from_u128(0xA)),
            profile_id: ProfileId(Uuid::from_u128(0xB)),
            title_id: TitleId(Uuid::from_u128(0xC)),
            session_id: SessionId(Uuid::from_u128(0xD)),
            started_at_ms: 0,
            sequence: 0,
            position_ms: 0,
            played_ms: 0,
            duration_ms: None,
            credits_start_ms: None,
            quality: Quality::default(),
            at_ms: 0,
        }
    }

    /// A field, and a value of it that is set into an otherwise good heartbeat.
    type Case = (&'static str, fn(&mut Progressed));

    const GOOD: &[Case] = &[
        ("position_ms", |it| it.position_ms = 1_000 * HOUR_MS),
        ("position_ms", |it| (it.duration_ms, it.position_ms) = (Some(1), 600_001)),
        ("played_ms", |it| it.played_ms = 1_000 * HOUR_MS),
        ("duration_ms", |it| it.duration_ms = Some(1)),
        ("duration_ms", |it| it.duration_ms = Some(1_000 * HOUR_MS)),
        ("credits_start_ms", |it| it.credits_start_ms = Some(0)),
        ("credits_start_ms", |it| it.credits_start_ms = Some(1_000 * HOUR_MS)),
        ("height", |it| it.quality.height = Some(0)),
        ("height", |it| it.quality.height = Some(16_384)),
        ("buffer_ms", |it| it.quality.buffer_ms = Some(1_000 * HOUR_MS)),
    ];

    const BAD: &[Case] = &[
        ("position_ms", |it| it.position_ms = 1_000 * HOUR_MS + 1),
        ("position_ms", |it| (it.duration_ms, it.position_ms) = (Some(1), 600_002)),
        ("played_ms", |it| it.played_ms = 1_000 * HOUR_MS + 1),
        ("played_ms", |it| it.played_ms = u64::MAX),
        ("duration_ms", |it| it.duration_ms = Some(0)),
        ("duration_ms", |it| it.duration_ms = Some(1_000 * HOUR_MS + 1)),
        ("duration_ms", |it| it.duration_ms = Some(u64::MAX)),
        ("credits_start_ms", |it| it.credits_start_ms = Some(1_000 * HOUR_MS + 1)),
        ("height", |it| it.quality.height = Some(16_385)),
        ("buffer_ms", |it| it.quality.buffer_ms = Some(1_000 * HOUR_MS + 1)),
    ];

    #[test]
    fn a_heartbeat_of_a_player_that_knows_nothing_is_valid() {
        assert_eq!(heartbeat().validate(), Ok(()));
    }

    #[test]
    fn the_last_good_value_of_each_field_is_accepted() {
        for (row, (field, set)) in GOOD.iter().enumerate() {
            let mut heartbeat = heartbeat();
            set(&mut heartbeat);
            assert_eq!(heartbeat.validate(), Ok(()), "{field}, row {row}");
        }
    }

    #[test]
    fn the_first_bad_value_of_each_field_is_refused_by_name() {
        for (row, (field, set)) in BAD.iter().enumerate() {
            let mut heartbeat = heartbeat();
            set(&mut heartbeat);
            let refused = heartbeat.validate().map_err(|invalid| invalid.field);
            assert_eq!(refused, Err(*field), "row {row}");
        }
    }

    #[test]
    fn the_streams_of_a_household_share_what_stands_before_the_dot() {
        let Progressed { account_id, profile_id, .. } = heartbeat();
        assert_eq!(
            stream_id(account_id, profile_id),
            "00000000-0000-0000-0000-00000000000a.00000000-0000-0000-0000-00000000000b"
        );
    }

    #[test]
    fn all_but_a_heartbeat_says_something_of_a_title() {
        let Progressed { account_id, profile_id, title_id, session_id, .. } = heartbeat();
        let removed = |session_id| {
            let at_ms = 5;
            RemovedFromHistory { account_id, profile_id, title_id, session_id, at_ms }
        };
        let at_5 = |kind| Some(Mark { at_ms: 5, kind });
        let one = Some(session_id);
        let table = [
            (Event::Progressed(heartbeat()), None),
            (
                Event::Dismissed(TitleDismissed { account_id, profile_id, title_id, at_ms: 5 }),
                at_5(MarkKind::Dismissed),
            ),
            (
                Event::Restored(TitleRestored { account_id, profile_id, title_id, at_ms: 5 }),
                at_5(MarkKind::Restored),
            ),
            (
                Event::MarkedWatched(TitleMarkedWatched {
                    account_id,
                    profile_id,
                    title_id,
                    at_ms: 5,
                }),
                at_5(MarkKind::Watched),
            ),
            (
                Event::MarkedUnwatched(TitleMarkedUnwatched {
                    account_id,
                    profile_id,
                    title_id,
                    at_ms: 5,
                }),
                at_5(MarkKind::Unwatched),
            ),
            (Event::RemovedFromHistory(removed(None)), at_5(MarkKind::Removed(None))),
            (Event::RemovedFromHistory(removed(one)), at_5(MarkKind::Removed(one))),
        ];
        for (event, mark) in table {
            assert_eq!(event.mark(), mark, "{event:?}");
        }
    }
}
