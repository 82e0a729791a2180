//! What a viewer remembers having watched, and therefore expects the server to show.
//!
//! The rules are put in the simplest words that hold for these viewers, who always go on where
//! they stopped and never play backwards: the position is where the last play ended. So the check
//! at the end of a demo is more than the server agreeing with itself.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::film::{Film, clock};
use super::player::Player;

/// How many titles a viewer takes off the row in a demo. They stay known, so that nobody plays
/// them again, and so they have a limit.
const DISMISSED_MAX: usize = 20;

/// How many sessions are remembered for comparison; fewer than a page of history shows.
const SESSIONS_MAX: usize = 50;

/// One title on the server's row, as far as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RowEntry {
    /// The title.
    pub(super) title_id: String,
    /// Where to go on.
    pub(super) position_ms: u64,
}

/// One session in the server's history, as far as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HistoryEntry {
    /// The session.
    pub(super) session_id: String,
    /// Where it was last.
    pub(super) position_ms: u64,
    /// Whether it ended.
    pub(super) ended: bool,
}

#[derive(Debug)]
struct Kept {
    film: Arc<Film>,
    position_ms: u64,
    /// Since the film was last seen to the end.
    played_ms: u64,
    dismissed: bool,
}

impl Kept {
    fn is_open(&self) -> bool {
        self.played_ms >= self.film.started_ms() && !self.dismissed
    }
}

/// What a viewer remembers.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    kept: BTreeMap<String, Kept>,
    /// Session and last position, oldest first.
    sessions: VecDeque<(String, u64)>,
}

impl Shelf {
    /// Remembers a session that ended. A film that was seen to the end is forgotten: watching it
    /// again is watching it for the first time.
    pub(super) fn stopped(&mut self, player: &Player) {
        if !player.has_reported() {
            return;
        }
        self.sessions.push_back((player.session_id.clone(), player.position_ms));
        if self.sessions.len() > SESSIONS_MAX {
            self.sessions.pop_front();
        }
        let film = &player.film;
        let kept = self.kept.entry(film.id.clone()).or_insert_with(|| Kept {
            film: Arc::clone(film),
            position_ms: 0,
            played_ms: 0,
            dismissed: false,
        });
        kept.position_ms = player.position_ms;
        kept.played_ms += player.played_ms;
        if kept.played_ms >= film.started_ms() && player.is_at_the_end() {
            self.kept.remove(&film.id);
        }
    }

    /// Remembers that a title was taken off the row.
    pub(super) fn dismissed(&mut self, film: &Film) {
        if let Some(kept) = self.kept.get_mut(&film.id) {
            kept.dismissed = true;
        }
    }

    /// Whether the viewer may take one more title off the row.
    pub(super) fn may_dismiss(&self) -> bool {
        self.kept.values().filter(|kept| kept.dismissed).count() < DISMISSED_MAX
    }

    /// Whether the viewer wants to see it: everything but what was taken off the row.
    pub(super) fn wants(&self, film: &Film) -> bool {
        self.kept.get(&film.id).is_none_or(|kept| !kept.dismissed)
    }

    /// The films that were begun and not seen to the end.
    pub(super) fn open(&self) -> impl ExactSizeIterator<Item = &Arc<Film>> {
        let open: Vec<_> = self.kept.values().filter(|kept| kept.is_open()).collect();
        open.into_iter().map(|kept| &kept.film)
    }

    /// Where the viewer would go on, if the film is on the row.
    pub(super) fn position_ms(&self, film: &Film) -> Option<u64> {
        self.kept.get(&film.id).filter(|kept| kept.is_open()).map(|kept| kept.position_ms)
    }

    /// Where what the server shows differs from what was done, one line each; empty is good.
    pub(super) fn disagreements(&self, row: &[RowEntry], history: &[HistoryEntry]) -> Vec<String> {
        let mut lines = vec![];
        for kept in self.kept.values().filter(|kept| kept.is_open()) {
            let shown = row.iter().find(|entry| entry.title_id == kept.film.id);
            if shown.map(|entry| entry.position_ms) != Some(kept.position_ms) {
                let wanted = clock(kept.position_ms);
                let shown = shown.map_or("nothing".to_owned(), |entry| clock(entry.position_ms));
                lines.push(format!("{}: watched to {wanted}, shown is {shown}", kept.film.name));
            }
        }
        let open: BTreeSet<_> = self.open().map(|film| film.id.as_str()).collect();
        let extra = row.iter().filter(|entry| !open.contains(entry.title_id.as_str()));
        lines.extend(extra.map(|entry| format!("{} should not be on the row", entry.title_id)));
        for (session_id, position_ms) in &self.sessions {
            let wanted = Some((*position_ms, true));
            let entry = history.iter().find(|entry| entry.session_id == *session_id);
            if entry.map(|entry| (entry.position_ms, entry.ended)) != wanted {
                let at = clock(*position_ms);
                lines.push(format!(
                    "session {session_id} ended at {at}, the history says {entry:?}"
                ));
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::super::film::tests::{MINUTE_MS, film};
    use super::super::player::tests::player;
    use super::*;

    fn watched(shelf: &mut Shelf, film: &Arc<Film>, from_ms: u64, span_ms: u64) {
        let mut player = player(film, from_ms);
        player.play(span_ms);
        shelf.stopped(&player);
    }

    fn row(title_id: &str, position_ms: u64) -> Vec<RowEntry> {
        vec![RowEntry { title_id: title_id.to_owned(), position_ms }]
    }

    fn history(position_ms: u64, ended: bool) -> Vec<HistoryEntry> {
        vec![HistoryEntry { session_id: "session".to_owned(), position_ms, ended }]
    }

    #[test]
    fn a_film_is_on_the_row_where_the_last_play_ended() {
        let (mut shelf, film) = (Shelf::default(), film("a"));
        watched(&mut shelf, &film, 0, 10 * MINUTE_MS);
        watched(&mut shelf, &film, 10 * MINUTE_MS, MINUTE_MS);
        assert_eq!(shelf.position_ms(&film), Some(11 * MINUTE_MS));
    }

    #[test]
    fn half_a_minute_in_two_sessions_each_begins_a_film() {
        let (mut shelf, film) = (Shelf::default(), film("a"));
        watched(&mut shelf, &film, 0, 30_000);
        assert_eq!((shelf.open().len(), shelf.position_ms(&film)), (0, None));
        watched(&mut shelf, &film, 30_000, 30_000);
        assert_eq!(shelf.position_ms(&film), Some(60_000));
    }

    #[test]
    fn a_film_seen_to_the_end_or_dismissed_leaves_the_row() {
        let (mut shelf, seen, disliked) = (Shelf::default(), film("a"), film("b"));
        watched(&mut shelf, &seen, 0, 100 * MINUTE_MS);
        watched(&mut shelf, &disliked, 0, 10 * MINUTE_MS);
        shelf.dismissed(&disliked);
        assert_eq!(shelf.open().len(), 0);
        assert!(shelf.wants(&seen) && !shelf.wants(&disliked));
    }

    #[test]
    fn a_server_that_shows_what_was_done_agrees() {
        let (mut shelf, film) = (Shelf::default(), film("a"));
        watched(&mut shelf, &film, 0, 2 * MINUTE_MS);
        let (row, history) = (row("a", 2 * MINUTE_MS), history(2 * MINUTE_MS, true));
        assert_eq!(shelf.disagreements(&row, &history), Vec::<String>::new());
    }

    #[test]
    fn every_difference_is_named() {
        let (mut shelf, film) = (Shelf::default(), film("a"));
        watched(&mut shelf, &film, 0, 2 * MINUTE_MS);
        let good = (row("a", 2 * MINUTE_MS), history(2 * MINUTE_MS, true));
        let too_much = [good.0.clone(), row("b", 1)].concat();
        for (row, history) in [
            (row("a", MINUTE_MS), good.1.clone()),
            (vec![], good.1.clone()),
            (too_much, good.1.clone()),
            (good.0.clone(), history(MINUTE_MS, true)),
            (good.0.clone(), history(2 * MINUTE_MS, false)),
            (good.0, vec![]),
        ] {
            assert_eq!(shelf.disagreements(&row, &history).len(), 1, "{row:?} {history:?}");
        }
    }

    #[test]
    fn a_session_that_never_reported_is_nothing() {
        let (mut shelf, film) = (Shelf::default(), film("a"));
        shelf.stopped(&player(&film, 0));
        assert_eq!(shelf.disagreements(&[], &[]), Vec::<String>::new());
    }

    #[test]
    fn memory_has_a_limit() {
        let mut shelf = Shelf::default();
        for number in 0..100 {
            let film = film(&number.to_string());
            watched(&mut shelf, &film, 0, 2 * MINUTE_MS);
            if shelf.may_dismiss() {
                shelf.dismissed(&film);
            }
        }
        assert_eq!(shelf.open().len(), 100 - DISMISSED_MAX);
        assert_eq!(shelf.sessions.len(), SESSIONS_MAX);
    }
}
