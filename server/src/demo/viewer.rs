//! What one viewer does next: a small state machine, driven by chance and by what happened.
//!
//! ```text
//!            shown                 settled                over
//!   Away ──────────────▶ Tempted ───────────▶ Watching ───────────▶ Away
//!    ▲  └─ go on with an open film ─▲ │         │   ▲
//!    └──────── turned away ───────────┘  paused │   │ settled, on another device
//!                                               ▼   │
//!                                            Interrupted
//! ```
//!
//! Time passes in beats, one for each heartbeat of a player. Nothing here waits, asks or tells:
//! [`Viewer::next`] answers a wish, and whoever carries it out reports back.

use std::fmt;
use std::sync::Arc;

use rand::Rng;
use rand::seq::{IndexedRandom, IteratorRandom};

use super::film::Film;
use super::household;
use super::player::Player;
use super::shelf::Shelf;

/// So many films are begun at once; whoever has more open goes on with one of them.
const OPEN_MAX: usize = 6;

/// How much of a film is skipped at most, and where a jump ends at the latest, in percent.
const SKIP_PERCENT_MAX: u64 = 30;
const SKIP_TO_PERCENT_MAX: u64 = 85;

/// How many genres and years a viewer keeps in mind to look for.
const TASTES_MAX: usize = 40;

/// What a viewer looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Search {
    /// Anything.
    Everything,
    /// Films of a genre.
    Genre(String),
    /// Films of a year.
    Year(i32),
}

impl fmt::Display for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => f.write_str("anything"),
            Self::Genre(genre) => f.write_str(genre),
            Self::Year(year) => write!(f, "films of {year}"),
        }
    }
}

/// What a viewer wants to do in this beat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    /// Nothing.
    Rest,
    /// Look through titles; report by [`Viewer::shown`].
    Browse(Search),
    /// Play a film, from where it was left; report by [`Viewer::settled`] or
    /// [`Viewer::turned_away`].
    Play(Arc<Film>, &'static str),
    /// Let it play.
    Watch,
    /// Jump there.
    Skip(u64),
    /// Stop, to go on elsewhere soon. The device loses its connection first: its last heartbeat
    /// stays behind and arrives when something else plays already.
    Pause,
    /// Stop, because the film is over.
    Leave,
    /// Take a film off the row.
    Dismiss(Arc<Film>),
}

#[derive(Debug)]
enum Mood {
    Away { beats: u32 },
    Tempted(Arc<Film>),
    Watching,
    Interrupted { beats: u32, film: Arc<Film>, device: &'static str },
}

/// One who watches.
#[derive(Debug)]
pub(super) struct Viewer {
    mood: Mood,
    genres: Vec<String>,
    years: Vec<i32>,
}

impl Viewer {
    /// Somebody who will look for a film soon.
    pub(super) fn new(rng: &mut impl Rng) -> Self {
        let mood = Mood::Away { beats: rng.random_range(0..3) };
        Self { mood, genres: vec![], years: vec![] }
    }

    /// What to do in the beat that begins. `player` is what plays for this viewer now.
    pub(super) fn next(
        &mut self,
        player: Option<&Player>,
        shelf: &Shelf,
        rng: &mut impl Rng,
    ) -> Wish {
        if let Some(player) = player {
            return self.watch(player, rng);
        }
        match &mut self.mood {
            Mood::Away { beats } | Mood::Interrupted { beats, .. } if *beats > 0 => {
                *beats -= 1;
                Wish::Rest
            }
            Mood::Interrupted { film, device, .. } => {
                Wish::Play(Arc::clone(film), household::device(Some(device), rng))
            }
            Mood::Tempted(film) => Wish::Play(Arc::clone(film), household::device(None, rng)),
            // Watching without a player: the session is lost.
            Mood::Watching | Mood::Away { .. } => self.choose(shelf, rng),
        }
    }

    fn watch(&mut self, player: &Player, rng: &mut impl Rng) -> Wish {
        if player.is_at_the_end() {
            self.rest(3..10, rng);
            return Wish::Leave;
        }
        match rng.random_range(0..100) {
            0..8 if player.has_reported() => {
                let (film, device) = (Arc::clone(&player.film), player.device);
                self.mood = Mood::Interrupted { beats: rng.random_range(1..4), film, device };
                Wish::Pause
            }
            8..11 => skip(player, rng).map_or(Wish::Watch, Wish::Skip),
            _ => Wish::Watch,
        }
    }

    fn choose(&self, shelf: &Shelf, rng: &mut impl Rng) -> Wish {
        let chance = rng.random_range(0..100);
        let goes_on = chance < 45 || shelf.open().len() >= OPEN_MAX;
        let Some(film) = shelf.open().choose(rng).filter(|_| goes_on).map(Arc::clone) else {
            return Wish::Browse(self.search(rng));
        };
        if chance < 8 && shelf.may_dismiss() {
            return Wish::Dismiss(film);
        }
        Wish::Play(film, household::device(None, rng))
    }

    fn search(&self, rng: &mut impl Rng) -> Search {
        let (genre, year) = (self.genres.choose(rng), self.years.choose(rng));
        match (genre, year) {
            (Some(_), Some(year)) if rng.random_bool(0.3) => Search::Year(*year),
            (Some(genre), _) => Search::Genre(genre.clone()),
            (None, Some(year)) => Search::Year(*year),
            (None, None) => Search::Everything,
        }
    }

    /// Titles were shown: one of them tempts, and their genres and years will be looked for. Who
    /// knew none before looks for those first, because everybody sees the same first page.
    pub(super) fn shown(&mut self, films: &[Arc<Film>], shelf: &Shelf, rng: &mut impl Rng) {
        let knew_nothing = self.knows_nothing();
        films.iter().for_each(|film| self.notice(film));
        if knew_nothing && !self.knows_nothing() {
            self.mood = Mood::Away { beats: 0 };
            return;
        }
        self.mood = match films.iter().filter(|film| shelf.wants(film)).choose(rng) {
            Some(film) => Mood::Tempted(Arc::clone(film)),
            None => Mood::Away { beats: 1 },
        };
    }

    fn knows_nothing(&self) -> bool {
        self.genres.is_empty() && self.years.is_empty()
    }

    fn notice(&mut self, film: &Film) {
        for genre in &film.genres {
            if self.genres.len() < TASTES_MAX && !self.genres.contains(genre) {
                self.genres.push(genre.clone());
            }
        }
        let new_year = film.year.filter(|year| !self.years.contains(year));
        self.years.extend(new_year.filter(|_| self.years.len() < TASTES_MAX));
    }

    /// The film plays.
    pub(super) fn settled(&mut self) {
        self.mood = Mood::Watching;
    }

    /// The film does not play, or something went wrong: later again.
    pub(super) fn turned_away(&mut self, rng: &mut impl Rng) {
        self.rest(2..8, rng);
    }

    fn rest(&mut self, beats: std::ops::Range<u32>, rng: &mut impl Rng) {
        self.mood = Mood::Away { beats: rng.random_range(beats) };
    }
}

/// Where a jump ends: ahead, and before the film is nearly over. `None` if it is too late for that.
fn skip(player: &Player, rng: &mut impl Rng) -> Option<u64> {
    let percent_ms = player.film.runtime_ms / 100;
    let to_ms = player.position_ms + percent_ms * rng.random_range(5..=SKIP_PERCENT_MAX);
    (to_ms <= percent_ms * SKIP_TO_PERCENT_MAX).then_some(to_ms)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::super::film::tests::{MINUTE_MS, film};
    use super::super::player::tests::player;
    use super::*;

    fn rng() -> StdRng {
        StdRng::seed_from_u64(5)
    }

    /// What the viewer wants once there is something to do.
    fn wish(viewer: &mut Viewer, player: Option<&Player>, shelf: &Shelf) -> Wish {
        let mut rng = rng();
        let mut wishes = std::iter::repeat_with(|| viewer.next(player, shelf, &mut rng));
        wishes.by_ref().take(20).find(|wish| *wish != Wish::Rest).unwrap()
    }

    #[test]
    fn a_new_viewer_looks_at_everything_and_then_for_what_was_seen_there() {
        let (mut viewer, shelf) = (Viewer::new(&mut rng()), Shelf::default());
        assert_eq!(wish(&mut viewer, None, &shelf), Wish::Browse(Search::Everything));
        viewer.shown(&[film("a")], &shelf, &mut rng());
        viewer.turned_away(&mut rng());
        let later = wish(&mut viewer, None, &shelf);
        let known = [Search::Genre("Drama".to_owned()), Search::Year(1927)];
        assert!(matches!(&later, Wish::Browse(search) if known.contains(search)), "{later:?}");
    }

    #[test]
    fn what_is_shown_tempts_unless_it_was_taken_off_the_row() {
        let (mut viewer, mut shelf) = (Viewer::new(&mut rng()), Shelf::default());
        let (disliked, fresh) = (film("a"), film("b"));
        let mut seen = player(&disliked, 0);
        seen.play(10 * MINUTE_MS);
        shelf.stopped(&seen);
        shelf.dismissed(&disliked);
        for _ in 0..2 {
            viewer.shown(&[Arc::clone(&disliked), Arc::clone(&fresh)], &shelf, &mut rng());
        }
        let wish = wish(&mut viewer, None, &shelf);
        assert!(matches!(&wish, Wish::Play(film, _) if *film == fresh), "{wish:?}");
    }

    #[test]
    fn who_pauses_goes_on_with_the_same_film_on_another_device() {
        let (mut viewer, shelf, film) = (Viewer::new(&mut rng()), Shelf::default(), film("a"));
        let mut playing = player(&film, 0);
        playing.play(MINUTE_MS);
        let mut rng = rng();
        let paused = (0..500).any(|_| viewer.next(Some(&playing), &shelf, &mut rng) == Wish::Pause);
        assert!(paused);
        let wish = wish(&mut viewer, None, &shelf);
        let again = matches!(&wish, Wish::Play(it, device) if *it == film && *device != "TV");
        assert!(again, "{wish:?}");
    }

    #[test]
    fn a_film_that_is_over_is_left() {
        let (mut viewer, shelf) = (Viewer::new(&mut rng()), Shelf::default());
        let playing = player(&film("a"), 95 * MINUTE_MS);
        assert_eq!(viewer.next(Some(&playing), &shelf, &mut rng()), Wish::Leave);
    }

    #[test]
    fn nobody_begins_a_new_film_with_many_open() {
        let (mut viewer, mut shelf) = (Viewer::new(&mut rng()), Shelf::default());
        for id in ["a", "b", "c", "d", "e", "f"] {
            let mut playing = player(&film(id), 0);
            playing.play(MINUTE_MS);
            shelf.stopped(&playing);
        }
        let wish = wish(&mut viewer, None, &shelf);
        assert!(matches!(wish, Wish::Play(..) | Wish::Dismiss(_)), "{wish:?}");
    }

    #[test]
    fn nobody_jumps_to_where_a_film_is_nearly_over() {
        let mut rng = rng();
        for minute in 0..90 {
            let playing = player(&film("a"), minute * MINUTE_MS);
            let to_ms = skip(&playing, &mut rng);
            assert!(to_ms.is_none_or(|ms| ms > playing.position_ms && ms <= 85 * MINUTE_MS));
        }
    }
}
