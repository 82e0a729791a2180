//! What a rating means as a play.

use playhead_domain::viewing::{Progressed, Quality};
use playhead_domain::{AccountId, ProfileId, SessionId, TitleId};

use super::ratings::Rating;
use crate::ids;

/// How long every film is taken to run, because MovieLens does not know: 100 minutes, about what
/// feature films run.
pub(super) const RUNTIME_MS: u64 = 100 * 60_000;

/// From this rating on, in tenths of stars, a film was watched to the end.
const LIKED_TENTH_STARS: u64 = 30;

/// What plays are said to have been watched on.
pub(super) const DEVICE: &str = "MovieLens";

/// One play of one film, from start to stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Play {
    pub(super) session_id: SessionId,
    pub(super) title_id: TitleId,
    pub(super) started_at_ms: i64,
    pub(super) ended_at_ms: i64,
    /// Where it was stopped; all of it up to there was played.
    pub(super) watched_ms: u64,
}

impl Play {
    pub(super) fn of(account_id: AccountId, rating: Rating) -> Self {
        let tenths = rating.tenth_stars.min(LIKED_TENTH_STARS);
        let watched_ms = RUNTIME_MS * tenths / LIKED_TENTH_STARS;
        Self {
            session_id: ids::session(account_id, rating.title_id, rating.at_ms),
            title_id: rating.title_id,
            started_at_ms: rating.at_ms.saturating_sub_unsigned(watched_ms),
            ended_at_ms: rating.at_ms,
            watched_ms,
        }
    }

    /// The one heartbeat of the play, at its end.
    pub(super) fn progressed(&self, account_id: AccountId, profile_id: ProfileId) -> Progressed {
        Progressed {
            account_id,
            profile_id,
            title_id: self.title_id,
            session_id: self.session_id,
            started_at_ms: self.started_at_ms,
            sequence: 1,
            position_ms: self.watched_ms,
            played_ms: self.watched_ms,
            duration_ms: Some(RUNTIME_MS),
            credits_start_ms: None,
            quality: Quality::default(),
            at_ms: self.ended_at_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn play(tenth_stars: u64) -> Play {
        let title_id = ids::title("movielens", "1");
        let rating = Rating { at_ms: 1_000_000_000_000, title_id, tenth_stars };
        Play::of(ids::account("movielens", "1"), rating)
    }

    #[test]
    fn three_stars_or_more_mean_watched_to_the_end() {
        for tenth_stars in [30, 45, 50] {
            assert_eq!(play(tenth_stars).watched_ms, RUNTIME_MS);
        }
    }

    #[test]
    fn fewer_stars_mean_left_earlier() {
        assert_eq!(play(15).watched_ms, RUNTIME_MS / 2);
        assert_eq!(play(5).watched_ms, 1_000_000);
    }

    #[test]
    fn a_play_ends_when_it_is_rated_and_its_heartbeat_is_valid() {
        let play = play(15);
        assert_eq!(play.ended_at_ms, 1_000_000_000_000);
        assert_eq!(play.started_at_ms, 1_000_000_000_000 - 3_000_000);
        let account_id = ids::account("movielens", "1");
        let progressed = play.progressed(account_id, ids::profile(account_id));
        assert_eq!(progressed.validate(), Ok(()));
    }
}
