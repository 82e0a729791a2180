//! The bookmark does not depend on the order in which heartbeats arrive.

use std::collections::BTreeMap;

use playhead_domain::resume::{Bookmark, Mark, MarkKind, Play, REAL_PLAY_MS, Reached};
use playhead_domain::viewing::Progressed;
use playhead_domain::{AccountId, ProfileId, SessionId, TitleId};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use uuid::Uuid;

const DURATION_MS: u64 = 600_000;

/// Positions and amounts of play, in steps that fall on and beside every limit of the rules.
fn span() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => (0..=40_u64).prop_map(|step| step * 15_000),
        1 => 0..=DURATION_MS,
        1 => (0..=40_u64).prop_map(|step| (step * 15_000).saturating_sub(1)),
    ]
}

/// Sessions in one title: each with its id and its start, which some share, and its heartbeats in
/// the order of their sequence.
fn sessions() -> impl Strategy<Value = Vec<Vec<Progressed>>> {
    let facts = (option::weighted(0.8, Just(DURATION_MS)), option::weighted(0.3, span()));
    let session = (0..8_i64, facts, vec((span(), span(), 0..99_i64), 1..5));
    btree_map(1..9_u128, session, 0..6).prop_map(|sessions| {
        sessions
            .into_iter()
            .map(|(id, (start, facts, beats))| session_of(id, start, facts, beats))
            .collect()
    })
}

fn session_of(
    id: u128,
    started_at_ms: i64,
    (duration_ms, credits_start_ms): (Option<u64>, Option<u64>),
    beats: Vec<(u64, u64, i64)>,
) -> Vec<Progressed> {
    let beat = |(sequence, (position_ms, played_ms, at_ms))| Progressed {
        account_id: AccountId(Uuid::nil()),
        profile_id: ProfileId(Uuid::nil()),
        title_id: TitleId(Uuid::nil()),
        session_id: SessionId(Uuid::from_u128(id)),
        started_at_ms,
        sequence,
        position_ms,
        played_ms,
        duration_ms,
        credits_start_ms,
        quality: Default::default(),
        at_ms,
    };
    (0..).zip(beats).map(beat).collect()
}

/// What the reader of a profile's stream keeps: of each session the heartbeat of the highest
/// sequence, and what those that were at the end say together.
#[derive(Default, Clone)]
struct Heard(BTreeMap<SessionId, Play>);

impl Heard {
    fn of<'a>(heartbeats: impl IntoIterator<Item = &'a Progressed>) -> Self {
        let mut heard = Self::default();
        heartbeats.into_iter().for_each(|heartbeat| heard.hear(heartbeat));
        heard
    }

    fn hear(&mut self, heartbeat: &Progressed) {
        let known = self.0.get(&heartbeat.session_id);
        let reached = [known.and_then(|play| play.reached), reached(heartbeat)];
        let reached = reached.into_iter().flatten().reduce(Reached::and);
        if let Some(known) = known.filter(|play| play.sequence >= heartbeat.sequence) {
            let known = Play { reached, ..known.clone() };
            self.0.insert(heartbeat.session_id, known);
        } else {
            self.0.insert(heartbeat.session_id, Play { reached, ..play(heartbeat) });
        }
    }

    fn bookmark(&self, marks: &[Mark]) -> Bookmark {
        Bookmark::of(self.0.values().cloned().collect(), marks)
    }

    /// The session that follows all others.
    fn newest(&self) -> Option<&Play> {
        self.0.values().max_by_key(|play| (play.started_at_ms, play.session_id))
    }
}

fn play(heartbeat: &Progressed) -> Play {
    Play {
        started_at_ms: heartbeat.started_at_ms,
        session_id: heartbeat.session_id,
        sequence: heartbeat.sequence,
        position_ms: heartbeat.position_ms,
        played_ms: heartbeat.played_ms,
        duration_ms: heartbeat.duration_ms,
        credits_start_ms: heartbeat.credits_start_ms,
        at_ms: heartbeat.at_ms,
        reached: reached(heartbeat),
    }
}

fn reached(it: &Progressed) -> Option<Reached> {
    Reached::of(it.position_ms, it.played_ms, it.duration_ms, it.credits_start_ms, it.at_ms)
}

/// Heartbeats in the order in which they were sent, and in some order in which they arrived; some
/// arrive twice.
fn arrivals() -> impl Strategy<Value = (Vec<Progressed>, Vec<Progressed>)> {
    sessions().prop_flat_map(|sessions| {
        let sent: Vec<_> = sessions.into_iter().flatten().collect();
        let twice: Vec<_> = sent.iter().chain(sent.iter().step_by(3)).cloned().collect();
        (Just(sent), Just(twice).prop_shuffle())
    })
}

/// Marks in the order in which they were made, and in some order in which they arrived; some arrive
/// twice.
fn marks() -> impl Strategy<Value = (Vec<Mark>, Vec<Mark>)> {
    let removed = option::of((1..9_u128).prop_map(|id| SessionId(Uuid::from_u128(id))));
    let kind = prop_oneof![
        Just(MarkKind::Restored),
        Just(MarkKind::Dismissed),
        Just(MarkKind::Watched),
        Just(MarkKind::Unwatched),
        removed.prop_map(MarkKind::Removed),
    ];
    let mark = (0..9_i64, kind).prop_map(|(at_ms, kind)| Mark { at_ms, kind });
    vec(mark, 0..5).prop_flat_map(|made| {
        let twice: Vec<_> = made.iter().chain(made.iter().step_by(3)).copied().collect();
        (Just(made), Just(twice).prop_shuffle())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_bookmark_does_not_depend_on_the_order_of_the_plays_and_marks(
        (plays, shuffled) in sessions()
            .prop_map(|all| all.iter().filter_map(|beats| beats.last()).map(play).collect())
            .prop_flat_map(|plays: Vec<_>| (Just(plays.clone()), Just(plays).prop_shuffle())),
        (marks, marks_shuffled) in marks(),
    ) {
        let bookmark = Bookmark::of(plays, &marks);
        prop_assert_eq!(bookmark, Bookmark::of(shuffled, &marks_shuffled));
    }

    #[test]
    fn what_the_newest_session_watched_is_never_taken_back_by_what_it_does_next(
        before in sessions(),
        beats in vec((span(), span(), 0..99_i64), 1..9),
        credits_start_ms in option::weighted(0.3, span()),
    ) {
        let before: Vec<_> = before.into_iter().flatten().collect();
        let mut heard = Heard::of(&before);
        let mut counted = heard.bookmark(&[]).watch_count;
        for heartbeat in session_of(99, 99, (Some(DURATION_MS), credits_start_ms), beats) {
            heard.hear(&heartbeat);
            let bookmark = heard.bookmark(&[]);
            prop_assert!(bookmark.watch_count >= counted, "{heartbeat:?}");
            counted = bookmark.watch_count;
        }
    }

    #[test]
    fn a_bookmark_does_not_depend_on_the_order_in_which_heartbeats_arrive(
        (sent, arrived) in arrivals(),
        (marks, _) in marks(),
    ) {
        let in_order = Heard::of(&sent).bookmark(&marks);
        prop_assert_eq!(Heard::of(&arrived).bookmark(&marks), in_order);
    }

    #[test]
    fn a_late_heartbeat_of_a_session_changes_nothing((sent, arrived) in arrivals()) {
        let all = Heard::of(&sent);
        for late in &arrived {
            let mut again = all.clone();
            again.hear(late);
            prop_assert_eq!(again.bookmark(&[]), all.bookmark(&[]));
        }
    }

    #[test]
    fn the_newest_session_stays_where_it_is_whatever_is_heard_late_of_older_ones(
        (sent, arrived) in arrivals(),
    ) {
        let all = Heard::of(&sent);
        let Some(newest) = all.newest() else { return Ok(()) };
        let mut heard = Heard::default();
        heard.0.insert(newest.session_id, newest.clone());
        for late in arrived.iter().filter(|late| late.session_id != newest.session_id) {
            heard.hear(late);
            let bookmark = heard.bookmark(&[]);
            if newest.played_ms >= REAL_PLAY_MS && !bookmark.finished {
                prop_assert_eq!(bookmark.position_ms, newest.position_ms);
            }
            if !bookmark.finished {
                prop_assert!(bookmark.position_ms >= newest.position_ms);
            }
        }
    }
}
