use uuid::Uuid;

use super::*;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;

/// The session that began at this time, in a title of two hours: where it was, and how much was
/// really played.
fn play(started_at_ms: i64, position_ms: u64, played_ms: u64) -> Play {
    Play {
        started_at_ms,
        session_id: SessionId(Uuid::from_u128(started_at_ms.unsigned_abs().into())),
        sequence: 1,
        position_ms,
        played_ms,
        duration_ms: Some(2 * HOUR_MS),
        credits_start_ms: None,
        at_ms: started_at_ms + 1,
        reached: None,
    }
}

/// One session as all of its heartbeats tell it: where they were, and how much was played by then.
fn heard(started_at_ms: i64, heartbeats: &[(u64, u64)]) -> Play {
    let plays = heartbeats.iter().map(|&(position_ms, played_ms)| {
        let mut play = play(started_at_ms, position_ms, played_ms);
        play.reached =
            Reached::of(position_ms, played_ms, play.duration_ms, None, started_at_ms + 1);
        play
    });
    let both = |before: Play, play: Play| {
        let reached = [before.reached, play.reached].into_iter().flatten();
        Play { reached: reached.reduce(Reached::and), ..play }
    };
    plays.reduce(both).unwrap()
}

/// A session that watched the whole title.
fn whole(started_at_ms: i64) -> Play {
    play(started_at_ms, 2 * HOUR_MS, 2 * HOUR_MS)
}

fn of(plays: impl IntoIterator<Item = Play>) -> Bookmark {
    Bookmark::of(plays.into_iter().collect(), &[])
}

fn dismissed(at_ms: i64) -> Mark {
    Mark { at_ms, kind: MarkKind::Dismissed }
}

fn marked(
    plays: impl IntoIterator<Item = Play>,
    marks: impl IntoIterator<Item = (i64, MarkKind)>,
) -> Bookmark {
    let marks: Vec<_> = marks.into_iter().map(|(at_ms, kind)| Mark { at_ms, kind }).collect();
    Bookmark::of(plays.into_iter().collect(), &marks)
}

fn of_length(duration_ms: Option<u64>, played_ms: u64) -> Bookmark {
    of([Play { duration_ms, ..play(1, 0, played_ms) }])
}

#[test]
fn what_was_never_played_has_no_bookmark() {
    assert_eq!(of([]), Bookmark::default());
    assert!(!of([]).on_row());
}

#[test]
fn a_title_counts_as_started_after_60_s_or_1_percent_whichever_is_less() {
    let table: &[(Option<u64>, u64)] = &[
        (None, 60_000),
        (Some(2 * HOUR_MS), 60_000),
        (Some(6_000_001), 60_000),
        (Some(6_000_000), 60_000),
        (Some(5_999_999), 59_999),
        (Some(30 * MINUTE_MS), 18_000),
        (Some(99), 1),
        (Some(0), 1),
        (Some(u64::MAX), 60_000),
    ];
    for &(duration_ms, started_ms) in table {
        assert!(of_length(duration_ms, started_ms).started, "{duration_ms:?}");
        assert!(!of_length(duration_ms, started_ms - 1).started, "{duration_ms:?}");
    }
}

#[test]
fn a_jump_into_the_title_does_not_start_it() {
    assert!(!of([play(1, HOUR_MS, 59_999)]).started);
}

#[test]
fn plays_that_are_short_one_by_one_start_a_title_together() {
    assert!(!of([play(1, 0, 20_000), play(2, 0, 20_000), play(3, 0, 19_999)]).started);
    assert!(of([play(1, 0, 20_000), play(2, 0, 20_000), play(3, 0, 20_000)]).started);
}

#[test]
fn a_title_is_finished_at_90_percent_or_its_last_60_s_or_its_credits() {
    // Duration, credits, and the first position at which it is finished.
    let table: &[(Option<u64>, Option<u64>, u64)] = &[
        (Some(2 * HOUR_MS), None, 6_480_000),
        (Some(2 * HOUR_MS), Some(6_479_999), 6_479_999),
        (Some(2 * HOUR_MS), Some(1), 1),
        (Some(2 * HOUR_MS), Some(7_000_000), 6_480_000),
        (Some(10 * MINUTE_MS), None, 540_000),
        (Some(599_999), None, 539_999),
        (Some(5 * MINUTE_MS), None, 240_000),
        (Some(61_000), None, 1_000),
        (None, Some(5_000), 5_000),
    ];
    for &(duration_ms, credits_start_ms, finished_ms) in table {
        let row = (duration_ms, credits_start_ms);
        assert!(is_finished(finished_ms, duration_ms, credits_start_ms), "{row:?}");
        assert!(!is_finished(finished_ms - 1, duration_ms, credits_start_ms), "{row:?}");
    }
}

#[test]
fn the_end_of_a_title_that_nobody_knows_is_never_reached() {
    assert!(!is_finished(u64::MAX, None, None));
}

#[test]
fn a_jump_to_the_end_does_not_finish_a_title() {
    let bookmark = of([play(1, 2 * HOUR_MS, 59_999)]);
    assert!(!bookmark.finished);
    assert_eq!(bookmark.watch_count, 0);
}

#[test]
fn the_whole_title_finishes_it() {
    let bookmark = of([whole(7)]);
    assert!(bookmark.finished);
    assert_eq!((bookmark.watch_count, bookmark.finished_at_ms), (1, 8));
    assert_eq!(bookmark.played_ms, 0, "counts since it was last finished");
    assert!(!bookmark.on_row());
}

#[test]
fn the_credits_that_a_play_knows_finish_a_title() {
    let credits = Play { credits_start_ms: Some(HOUR_MS), ..play(1, HOUR_MS, HOUR_MS) };
    assert!(of([credits.clone()]).finished);
    assert!(!of([Play { position_ms: HOUR_MS - 1, ..credits }]).finished);
}

#[test]
fn titles_under_5_minutes_get_no_row() {
    assert!(!of_length(Some(299_999), 60_000).on_row());
    assert!(of_length(Some(300_000), 60_000).on_row());
}

#[test]
fn titles_of_unknown_length_get_a_row() {
    assert!(of_length(None, 60_000).on_row());
}

#[test]
fn a_title_that_is_not_started_is_not_on_the_row() {
    assert!(!of_length(None, 59_999).on_row());
}

#[test]
fn a_newer_play_moves_the_bookmark_forward_at_once() {
    assert_eq!(of([play(1, HOUR_MS, HOUR_MS), play(2, HOUR_MS + 1, 0)]).position_ms, HOUR_MS + 1);
}

#[test]
fn a_newer_play_moves_the_bookmark_back_only_after_30_s_of_real_play() {
    let far = play(1, HOUR_MS, HOUR_MS);
    assert_eq!(of([far.clone(), play(2, 5_000, 29_999)]).position_ms, HOUR_MS);
    assert_eq!(of([far, play(2, 5_000, 30_000)]).position_ms, 5_000);
}

#[test]
fn plays_follow_each_other_by_when_they_started_not_by_when_they_were_heard_of() {
    let older = Play { at_ms: 900, ..play(1, HOUR_MS, HOUR_MS) };
    let newer = Play { at_ms: 100, ..play(2, 50_000, 50_000) };
    assert_eq!(of([newer, older]).position_ms, 50_000);
}

#[test]
fn plays_that_started_at_once_follow_each_other_by_session() {
    let low = Play { session_id: SessionId(Uuid::from_u128(1)), ..play(1, 70_000, 70_000) };
    let high = Play { session_id: SessionId(Uuid::from_u128(2)), ..play(1, 40_000, 40_000) };
    assert_eq!(of([low.clone(), high.clone()]).position_ms, 40_000);
    assert_eq!(of([high, low]).position_ms, 40_000);
}

#[test]
fn a_finished_title_begins_again_only_after_30_s_of_real_play() {
    let glimpse = of([whole(1), play(2, 29_999, 29_999)]);
    assert!(glimpse.finished);
    assert_eq!(glimpse.position_ms, 2 * HOUR_MS);
    let again = of([whole(1), play(2, 30_000, 30_000)]);
    assert!(!again.finished);
    assert_eq!((again.position_ms, again.played_ms), (30_000, 30_000));
}

#[test]
fn a_title_that_begins_again_is_started_anew() {
    assert!(!of([whole(1), play(2, 59_999, 59_999)]).on_row());
    assert!(of([whole(1), play(2, 60_000, 60_000)]).on_row());
}

#[test]
fn a_title_that_begins_again_keeps_how_often_and_when_it_was_finished() {
    let again = of([whole(1), play(5, MINUTE_MS, MINUTE_MS)]);
    assert_eq!((again.watch_count, again.finished_at_ms), (1, 2));
}

#[test]
fn what_a_session_watched_to_the_end_counts_wherever_it_goes_then() {
    const END_MS: u64 = 2 * HOUR_MS;
    let end = (END_MS, END_MS);
    // The heartbeats behind the end; then the position, whether it is finished, and on the row.
    for (claim, then, position_ms, finished, on_row) in [
        ("a glimpse of the start", (30_000, END_MS + 10_000), 30_000, true, false),
        ("a new start", (90_000, END_MS + 90_000), 90_000, false, true),
        ("a player that does not count", (30_000, 30_000), 30_000, false, false),
        ("the end again", (END_MS - 1, END_MS + 90_000), END_MS - 1, true, false),
    ] {
        for (before, watch_count) in [(vec![], 1), (vec![whole(1)], 2)] {
            let plays = before.into_iter().chain([heard(5, &[end, then])]);
            let bookmark = of(plays);
            let found = (bookmark.position_ms, bookmark.finished, bookmark.on_row());
            assert_eq!(found, (position_ms, finished, on_row), "{claim}");
            assert_eq!(
                (bookmark.watch_count, bookmark.finished_at_ms),
                (watch_count, 6),
                "{claim}"
            );
        }
    }
}

#[test]
fn an_end_that_was_not_played_to_does_not_count() {
    let jumped = heard(1, &[(2 * HOUR_MS, 5_000), (HOUR_MS, 600_000)]);
    assert_eq!(of([jumped.clone()]).watch_count, 0, "a jump to the end and back");
    assert_eq!(of([Play { reached: None, ..jumped.clone() }]), of([jumped]));
    let credits_first = heard(5, &[(7_000_000, 60_000), (600_000, 660_000)]);
    assert_eq!(of([whole(1), credits_first]).watch_count, 1, "the credits of what was finished");
}

#[test]
fn a_title_that_is_watched_twice_is_finished_twice() {
    let twice = of([whole(1), whole(5)]);
    assert!(twice.finished);
    assert_eq!((twice.watch_count, twice.finished_at_ms), (2, 6));
}

#[test]
fn glimpses_of_a_finished_title_do_not_add_up() {
    let glimpses = [play(2, 0, 29_999), play(3, 0, 29_999), play(4, 0, 29_999)];
    assert!(of([whole(1)].into_iter().chain(glimpses)).finished);
}

#[test]
fn playing_the_credits_does_not_begin_a_finished_title_again() {
    let at_credits = play(1, 6_500_000, 6_500_000);
    for played_ms in [30_000, 45_000, 300_000] {
        let rest = play(2, 6_500_000 + played_ms, played_ms);
        let bookmark = of([at_credits.clone(), rest]);
        assert!(bookmark.finished, "{played_ms}");
        assert_eq!((bookmark.watch_count, bookmark.finished_at_ms), (1, 2), "{played_ms}");
    }
}

#[test]
fn playing_into_the_credits_from_before_them_begins_a_finished_title_again() {
    // 90 percent are at 6,480,000 ms.
    for (began_ms, watch_count) in [(6_479_999, 2), (6_480_000, 1)] {
        let last_part = play(2, 6_600_000, 6_600_000 - began_ms);
        assert_eq!(of([whole(1), last_part]).watch_count, watch_count, "{began_ms}");
    }
}

#[test]
fn a_title_that_is_all_end_can_be_watched_twice() {
    let short =
        |started_at_ms| Play { duration_ms: Some(50_000), ..play(started_at_ms, 50_000, 50_000) };
    assert_eq!(of([short(1), short(2)]).watch_count, 2);
}

#[test]
fn the_length_is_the_last_one_that_anybody_knew() {
    let known = play(1, 0, 0);
    let unknown = Play { duration_ms: None, ..play(2, 0, 0) };
    let other = Play { duration_ms: Some(HOUR_MS), ..play(3, 0, 0) };
    assert_eq!(of([unknown.clone()]).duration_ms, None);
    assert_eq!(of([known.clone(), unknown.clone()]).duration_ms, Some(2 * HOUR_MS));
    assert_eq!(of([known, unknown, other]).duration_ms, Some(HOUR_MS));
}

#[test]
fn the_last_time_played_is_the_latest_heartbeat_of_any_play() {
    let long = Play { at_ms: 900, ..play(1, 0, 0) };
    assert_eq!(of([long, play(2, 0, 0)]).last_played_at_ms, 900);
    assert_eq!(of([whole(1), play(5, 0, 0)]).last_played_at_ms, 6, "finished or not");
}

#[test]
fn dismissal_takes_a_title_off_the_row() {
    let plays = vec![play(1, HOUR_MS, HOUR_MS)];
    assert!(Bookmark::of(plays.clone(), &[]).on_row());
    let bookmark = Bookmark::of(plays, &[dismissed(2)]);
    assert!(bookmark.dismissed && !bookmark.on_row());
    assert_eq!(bookmark.position_ms, HOUR_MS, "it keeps its place");
}

#[test]
fn a_play_that_began_after_dismissal_brings_a_title_back_after_30_s_of_real_play() {
    // When it was dismissed, how much was then played, and whether it is back.
    for (dismissed_at_ms, played_ms, back) in
        [(4, 30_000, true), (4, 29_999, false), (5, 30_000, false), (6, HOUR_MS, false)]
    {
        let plays = vec![play(1, HOUR_MS, HOUR_MS), play(5, HOUR_MS, played_ms)];
        let bookmark = Bookmark::of(plays, &[dismissed(dismissed_at_ms)]);
        assert_eq!(bookmark.on_row(), back, "{dismissed_at_ms} {played_ms}");
    }
}

#[test]
fn a_session_that_goes_on_after_dismissal_does_not_bring_a_title_back() {
    let going_on = Play { at_ms: 900, ..play(1, HOUR_MS, HOUR_MS) };
    assert!(Bookmark::of(vec![going_on], &[dismissed(500)]).dismissed);
}

#[test]
fn a_title_can_be_dismissed_before_it_is_played() {
    assert!(Bookmark::of(vec![], &[dismissed(5)]).dismissed);
}

#[test]
fn numbers_at_the_ends_of_their_range_do_not_overflow() {
    let wild = |at_ms| Play {
        position_ms: u64::MAX,
        played_ms: u64::MAX,
        duration_ms: Some(u64::MAX),
        credits_start_ms: Some(u64::MAX),
        at_ms,
        ..play(1, 0, 0)
    };
    assert_eq!(of([wild(i64::MIN), wild(i64::MAX)]).last_played_at_ms, i64::MAX);
}

#[test]
fn a_dismissed_title_that_is_restored_is_back_where_it_was() {
    let half = play(1, HOUR_MS, HOUR_MS);
    let back = marked([half.clone()], [(2, MarkKind::Dismissed), (3, MarkKind::Restored)]);
    assert_eq!(back, of([half.clone()]));
    let again = [(2, MarkKind::Dismissed), (3, MarkKind::Restored), (4, MarkKind::Dismissed)];
    assert!(marked([half], again).dismissed);
}

#[test]
fn of_a_dismissal_and_a_restoration_of_one_moment_the_dismissal_wins() {
    assert!(marked([], [(2, MarkKind::Dismissed), (2, MarkKind::Restored)]).dismissed);
}

#[test]
fn what_is_marked_as_watched_is_finished_and_counts_once() {
    let never_played = marked([], [(5, MarkKind::Watched), (6, MarkKind::Watched)]);
    assert!(never_played.finished && !never_played.on_row());
    assert_eq!((never_played.watch_count, never_played.finished_at_ms), (1, 5));
    let half = marked([play(1, HOUR_MS, HOUR_MS)], [(5, MarkKind::Watched)]);
    assert!(half.finished && !half.on_row());
    assert_eq!((half.watch_count, half.finished_at_ms, half.last_played_at_ms), (1, 5, 2));
}

#[test]
fn a_title_that_was_finished_is_not_watched_once_more_by_saying_so() {
    let bookmark = marked([whole(1)], [(5, MarkKind::Watched)]);
    assert_eq!(bookmark, of([whole(1)]));
}

#[test]
fn a_title_that_is_begun_again_and_marked_as_watched_counts_twice() {
    let bookmark = marked([whole(1), play(2, HOUR_MS, HOUR_MS)], [(3, MarkKind::Watched)]);
    assert_eq!((bookmark.watch_count, bookmark.finished_at_ms), (2, 3));
}

#[test]
fn what_is_marked_as_watched_begins_again_after_30_s_of_real_play() {
    let glimpse = marked([play(6, 29_999, 29_999)], [(5, MarkKind::Watched)]);
    assert!(glimpse.finished);
    let again = marked([play(6, MINUTE_MS, MINUTE_MS)], [(5, MarkKind::Watched)]);
    assert!(!again.finished && again.on_row() && again.is_rewatched());
    assert_eq!((again.position_ms, again.watch_count), (MINUTE_MS, 1));
}

#[test]
fn only_a_title_that_was_finished_and_begun_again_is_rewatched() {
    assert!(!of([]).is_rewatched());
    assert!(!of([play(1, HOUR_MS, HOUR_MS)]).is_rewatched());
    assert!(!of([whole(1)]).is_rewatched());
    assert!(!of([whole(1), play(2, 59_999, 59_999)]).is_rewatched());
    assert!(of([whole(1), play(2, 60_000, 60_000)]).is_rewatched());
    assert!(!of([whole(1), whole(2)]).is_rewatched());
}

#[test]
fn what_is_marked_as_unwatched_was_never_watched_but_stays_in_the_history() {
    let unwatched = marked([whole(1), play(2, HOUR_MS, HOUR_MS)], [(3, MarkKind::Unwatched)]);
    let nothing =
        Bookmark { duration_ms: Some(2 * HOUR_MS), last_played_at_ms: 3, ..Bookmark::default() };
    assert_eq!(unwatched, nothing);
    assert!(!unwatched.on_row());
}

#[test]
fn a_session_that_goes_on_after_the_title_was_marked_as_unwatched_does_not_count() {
    let going_on = Play { at_ms: 900, ..whole(1) };
    assert_eq!(marked([going_on], [(500, MarkKind::Unwatched)]).watch_count, 0);
}

#[test]
fn what_is_marked_as_unwatched_can_be_watched_anew() {
    let bookmark = marked([whole(1), whole(5)], [(3, MarkKind::Unwatched)]);
    assert_eq!((bookmark.watch_count, bookmark.finished_at_ms), (1, 6));
}

#[test]
fn the_last_word_counts_whether_a_title_was_watched() {
    let watched = (3, MarkKind::Watched);
    assert!(!marked([], [watched, (4, MarkKind::Unwatched)]).finished);
    assert!(marked([], [watched, (2, MarkKind::Unwatched)]).finished);
    assert!(!marked([], [watched, (3, MarkKind::Unwatched)]).finished, "the same moment");
}

#[test]
fn a_play_that_was_removed_from_the_history_never_was() {
    let (first, second) = (play(1, HOUR_MS, HOUR_MS), whole(5));
    let removed = [(9, MarkKind::Removed(Some(second.session_id)))];
    assert_eq!(marked([first.clone(), second], removed), of([first]));
}

#[test]
fn the_removal_of_one_play_may_come_before_it() {
    let late = whole(5);
    let removed = [(1, MarkKind::Removed(Some(late.session_id)))];
    assert_eq!(marked([late], removed), Bookmark::default());
}

#[test]
fn without_any_plays_a_title_is_as_if_it_was_never_played() {
    let plays = [whole(1), play(5, HOUR_MS, HOUR_MS)];
    assert_eq!(marked(plays.clone(), [(5, MarkKind::Removed(None))]), Bookmark::default());
    let later = marked(plays.clone(), [(4, MarkKind::Removed(None))]);
    let [_, second] = plays;
    assert_eq!(later, of([second]), "it began later");
}

#[test]
fn what_was_said_before_the_history_was_removed_is_forgotten_but_for_the_row() {
    let marks = [(1, MarkKind::Watched), (2, MarkKind::Dismissed), (3, MarkKind::Removed(None))];
    assert_eq!(marked([], marks), Bookmark { dismissed: true, ..Bookmark::default() });
}

#[test]
fn a_removed_play_is_told_by_its_session_or_by_when_it_began() {
    let (one, other) = (SessionId(Uuid::from_u128(1)), SessionId(Uuid::from_u128(2)));
    let marks = [
        Mark { at_ms: 5, kind: MarkKind::Removed(None) },
        Mark { at_ms: 7, kind: MarkKind::Removed(Some(one)) },
        Mark { at_ms: 99, kind: MarkKind::Unwatched },
    ];
    assert!(is_removed(5, other, &marks) && is_removed(50, one, &marks));
    assert!(!is_removed(6, other, &marks));
}
