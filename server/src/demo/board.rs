//! What all households tell, and screens show: shared, small, and of bounded size.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::client::Readiness;
use super::film::Film;
use super::happening::{Counts, Happening, What};
use super::latency::Latencies;
use super::player::Player;

/// How many happenings are kept for screens.
const RECENT_MAX: usize = 64;
/// How many unexpected differences are kept for the summary; all are counted.
const DISAGREEMENTS_MAX: usize = 20;

/// Number of the household, number of the viewer in it.
pub(super) type Seat = (u32, usize);

/// What somebody watches now.
#[derive(Debug, Clone)]
pub(super) struct NowWatching {
    /// Who.
    pub(super) who: String,
    /// Where.
    pub(super) device: &'static str,
    /// What.
    pub(super) film: Arc<Film>,
    /// How far.
    pub(super) position_ms: u64,
}

/// Somebody whose view of the service can be looked into.
#[derive(Debug, Clone)]
pub(super) struct Guest {
    /// The name.
    pub(super) who: String,
    /// The access token of the account.
    pub(super) token: String,
    /// The global id of the profile.
    pub(super) profile_id: String,
    /// The global id of a title that is being watched.
    pub(super) title_id: String,
}

/// Which kind of request it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    /// A query or mutation.
    GraphQl,
    /// A heartbeat.
    Heartbeat,
}

/// What is on the board.
#[derive(Debug, Clone, Default)]
pub(super) struct Contents {
    /// How often what happened.
    pub(super) counts: Counts,
    /// How long GraphQL requests took.
    pub(super) graphql: Latencies,
    /// How long heartbeats took.
    pub(super) heartbeat: Latencies,
    /// Heartbeats that the server accepted.
    pub(super) heartbeats: u64,
    /// The latest happenings, oldest first.
    pub(super) recent: VecDeque<Happening>,
    /// How many happenings there were.
    pub(super) happened: u64,
    /// Who watches what.
    pub(super) watching: BTreeMap<Seat, NowWatching>,
    /// What the server last said about itself.
    pub(super) readiness: Readiness,
    /// Somebody to look in as.
    pub(super) guest: Option<Guest>,
    /// Differences between what was done and what the server shows.
    pub(super) disagreements: Vec<String>,
    /// How many differences there were.
    pub(super) disagreed: u64,
    /// Profiles whose row and history were compared.
    pub(super) compared: u64,
}

/// The board.
#[derive(Debug, Default)]
pub(super) struct Board(Mutex<Contents>);

impl Board {
    /// Something happened.
    pub(super) fn tell(&self, who: &str, what: What) {
        let mut board = self.lock();
        board.counts.add(&what);
        board.happened += 1;
        board.recent.push_back(Happening { who: who.to_owned(), what });
        if board.recent.len() > RECENT_MAX {
            board.recent.pop_front();
        }
    }

    /// A request was answered.
    pub(super) fn answered(&self, request: Request, took: Duration) {
        let mut board = self.lock();
        match request {
            Request::GraphQl => board.graphql.add(took),
            Request::Heartbeat => board.heartbeat.add(took),
        }
    }

    /// The server accepted a heartbeat.
    pub(super) fn accepted(&self) {
        self.lock().heartbeats += 1;
    }

    /// Somebody watches something, or no longer.
    pub(super) fn seat(&self, seat: Seat, who: &str, player: Option<&Player>) {
        let mut board = self.lock();
        let Some(player) = player else {
            board.watching.remove(&seat);
            return;
        };
        let now = NowWatching {
            who: who.to_owned(),
            device: player.device,
            film: Arc::clone(&player.film),
            position_ms: player.position_ms,
        };
        board.watching.insert(seat, now);
    }

    /// The server told about itself.
    pub(super) fn ready(&self, readiness: Readiness) {
        self.lock().readiness = readiness;
    }

    /// The first one stays.
    pub(super) fn offer_guest(&self, guest: impl FnOnce() -> Guest) {
        self.lock().guest.get_or_insert_with(guest);
    }

    /// A profile was compared with what its viewer did.
    pub(super) fn compared(&self, who: &str, disagreements: Vec<String>) {
        let mut board = self.lock();
        board.compared += 1;
        disagreements.into_iter().for_each(|line| board.disagree(who, &line));
    }

    /// The server shows something else than was done.
    pub(super) fn disagree(&self, who: &str, line: &str) {
        self.lock().disagree(who, line);
    }

    /// A copy of everything.
    pub(super) fn contents(&self) -> Contents {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        // Nobody panics half-way through a change, and a stale number would do no harm.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contents {
    fn disagree(&mut self, who: &str, line: &str) {
        self.disagreed += 1;
        if self.disagreements.len() < DISAGREEMENTS_MAX {
            self.disagreements.push(format!("{who}: {line}"));
        }
    }

    /// The latest happenings that somebody has not seen who had seen so many; and how many more
    /// there were that are gone.
    pub(super) fn since(&self, seen: u64) -> (impl Iterator<Item = &Happening>, u64) {
        let kept = self.recent.len() as u64;
        let unseen = self.happened.saturating_sub(seen);
        let skip = kept.saturating_sub(unseen);
        let gone = unseen.saturating_sub(kept);
        (self.recent.iter().skip(usize::try_from(skip).unwrap_or(usize::MAX)), gone)
    }
}

#[cfg(test)]
mod tests {
    use super::super::film::tests::film;
    use super::super::player::tests::player;
    use super::*;

    fn dismissed(number: usize) -> What {
        What::Dismissed { film: number.to_string() }
    }

    #[test]
    fn only_the_latest_happenings_are_kept_and_all_are_counted() {
        let board = Board::default();
        (0..100).for_each(|number| board.tell("Ada", dismissed(number)));
        let contents = board.contents();
        assert_eq!((contents.recent.len(), contents.counts.dismissed), (RECENT_MAX, 100));
        assert_eq!(contents.recent.back().map(|it| &it.what), Some(&dismissed(99)));
    }

    #[test]
    fn who_looks_again_sees_what_is_new_and_how_much_was_missed() {
        let board = Board::default();
        (0..100).for_each(|number| board.tell("Ada", dismissed(number)));
        let contents = board.contents();
        let unseen = |seen| {
            let (unseen, gone) = contents.since(seen);
            (unseen.count(), gone)
        };
        assert_eq!([unseen(100), unseen(98), unseen(10)], [(0, 0), (2, 0), (64, 26)]);
    }

    #[test]
    fn a_seat_is_empty_when_nothing_plays() {
        let board = Board::default();
        board.seat((0, 0), "Ada", Some(&player(&film("a"), 0)));
        assert_eq!(board.contents().watching.len(), 1);
        board.seat((0, 0), "Ada", None);
        assert!(board.contents().watching.is_empty());
    }

    #[test]
    fn disagreements_are_counted_beyond_those_that_are_kept() {
        let board = Board::default();
        board.compared("Ada", vec!["wrong".to_owned(); 30]);
        let contents = board.contents();
        assert_eq!((contents.disagreements.len(), contents.disagreed), (DISAGREEMENTS_MAX, 30));
    }
}
