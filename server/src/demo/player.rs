//! One session on one device: where it is, how much was really played, what it reports.

use std::sync::Arc;

use serde::Serialize;

use super::film::Film;

/// What a player reports; the body of `POST /v1/playback/heartbeat`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Heartbeat {
    /// The playback token of the session.
    pub(super) token: String,
    /// Counts the heartbeats of the session.
    pub(super) sequence: u32,
    /// Where the player is.
    pub(super) position_ms: u64,
    /// How much was really played in the session so far.
    pub(super) played_ms: u64,
    /// How long the film is.
    pub(super) duration_ms: u64,
}

/// A device that plays.
#[derive(Debug, Clone)]
pub(super) struct Player {
    /// What it plays.
    pub(super) film: Arc<Film>,
    /// What it is called.
    pub(super) device: &'static str,
    /// The session, as the API names it.
    pub(super) session_id: String,
    /// Where it is.
    pub(super) position_ms: u64,
    /// How much was really played, without pauses and jumps.
    pub(super) played_ms: u64,
    token: String,
    sequence: u32,
}

impl Player {
    /// A session that has just begun.
    pub(super) fn new(
        film: Arc<Film>,
        device: &'static str,
        session_id: String,
        token: String,
        from_ms: u64,
    ) -> Self {
        let position_ms = from_ms.min(film.runtime_ms);
        Self { film, device, session_id, position_ms, played_ms: 0, token, sequence: 0 }
    }

    /// Plays on, at most to the end, and reports.
    pub(super) fn play(&mut self, span_ms: u64) -> Heartbeat {
        let played_ms = span_ms.min(self.film.runtime_ms.saturating_sub(self.position_ms));
        self.position_ms += played_ms;
        self.played_ms += played_ms;
        self.report()
    }

    /// Jumps without playing, and reports.
    pub(super) fn skip(&mut self, to_ms: u64) -> Heartbeat {
        self.position_ms = to_ms.min(self.film.runtime_ms);
        self.report()
    }

    /// Where it is now, as the next report.
    pub(super) fn report(&mut self) -> Heartbeat {
        self.sequence += 1;
        Heartbeat {
            token: self.token.clone(),
            sequence: self.sequence,
            position_ms: self.position_ms,
            played_ms: self.played_ms,
            duration_ms: self.film.runtime_ms,
        }
    }

    /// Whether the film is over.
    pub(super) fn is_at_the_end(&self) -> bool {
        self.film.is_over_at(self.position_ms)
    }

    /// Whether anything was reported yet.
    pub(super) fn has_reported(&self) -> bool {
        self.sequence > 0
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::film::tests::{MINUTE_MS, film};
    use super::*;

    pub(in super::super) fn player(film: &Arc<Film>, from_ms: u64) -> Player {
        Player::new(Arc::clone(film), "TV", "session".to_owned(), "token".to_owned(), from_ms)
    }

    #[test]
    fn only_what_was_played_counts_as_played() {
        let mut player = player(&film("a"), 10 * MINUTE_MS);
        player.play(MINUTE_MS);
        player.skip(50 * MINUTE_MS);
        let last = player.play(MINUTE_MS);
        assert_eq!((last.position_ms, last.played_ms), (51 * MINUTE_MS, 2 * MINUTE_MS));
        assert_eq!(last.sequence, 3);
    }

    #[test]
    fn nobody_plays_beyond_the_end() {
        let mut player = player(&film("a"), 99 * MINUTE_MS);
        let last = player.play(5 * MINUTE_MS);
        assert_eq!((last.position_ms, last.played_ms), (100 * MINUTE_MS, MINUTE_MS));
        assert!(player.is_at_the_end());
    }

    #[test]
    fn a_heartbeat_reads_as_the_api_wants_it() {
        let heartbeat = player(&film("a"), 0).play(30_000);
        assert_eq!(
            serde_json::to_string(&heartbeat).unwrap(),
            r#"{"token":"token","sequence":1,"positionMs":30000,"playedMs":30000,"durationMs":6000000}"#
        );
    }
}
