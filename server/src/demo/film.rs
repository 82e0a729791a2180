//! A title as a viewer sees it.

use playhead_domain::resume;

/// Something that can be played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Film {
    /// The global id that the API gave it.
    pub(super) id: String,
    /// The name.
    pub(super) name: String,
    /// The year of the first showing, if known.
    pub(super) year: Option<i32>,
    /// The genres, as the catalogue spells them.
    pub(super) genres: Vec<String>,
    /// The running time.
    pub(super) runtime_ms: u64,
    /// Where the closing credits begin, if known.
    pub(super) credits_start_ms: Option<u64>,
}

impl Film {
    /// Whether somebody who is there has seen it to the end.
    pub(super) fn is_over_at(&self, position_ms: u64) -> bool {
        resume::is_finished(position_ms, Some(self.runtime_ms), self.credits_start_ms)
    }

    /// How much must really be played until it counts as started.
    pub(super) fn started_ms(&self) -> u64 {
        resume::STARTED_MS.min(self.runtime_ms.saturating_mul(resume::STARTED_PERCENT) / 100)
    }
}

/// A time in a film: `01:12:30`.
pub(super) fn clock(ms: u64) -> String {
    let seconds = ms / 1_000;
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use super::*;

    pub(in super::super) const MINUTE_MS: u64 = 60_000;

    /// A film of 100 minutes.
    pub(in super::super) fn film(id: &str) -> Arc<Film> {
        Arc::new(Film {
            id: id.to_owned(),
            name: format!("The {id}"),
            year: Some(1927),
            genres: vec!["Drama".to_owned()],
            runtime_ms: 100 * MINUTE_MS,
            credits_start_ms: None,
        })
    }

    #[test]
    fn times_are_shown_as_a_player_shows_them() {
        assert_eq!(clock(0), "00:00:00");
        assert_eq!(clock(4_350_999), "01:12:30");
    }

    #[test]
    fn a_long_film_has_started_after_a_minute_and_a_short_one_after_a_hundredth() {
        let film = film("a");
        assert_eq!(film.started_ms(), MINUTE_MS);
        let short = Film { runtime_ms: 20 * MINUTE_MS, ..(*film).clone() };
        assert_eq!(short.started_ms(), 12_000);
    }
}
