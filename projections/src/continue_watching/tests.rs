use playhead_domain::availability::{Availability, Window};
use playhead_domain::entitlement::Viewer;
use playhead_domain::resume::MarkKind;
use playhead_domain::title::Metadata;
use playhead_domain::{Maturity, identity, playback, title, viewing};
use proptest::prelude::*;

use super::{Changes, Entry, Reason, queries, tables};
use crate::terms::{self, Audience};
use crate::testing::{
    HOUR_MS, MINUTE_MS, Sitting, TestLog, TestStore, account, added, edited, episode, erased,
    metadata, prepare_all, profile, scheduled, session, sitting, title, withdrawn,
};

const ALL: Audience = Audience::Everyone;

fn child(at_ms: i64) -> Audience {
    let viewer = Viewer { territory: None, maturity_max: Maturity::From7 };
    Audience::Viewer { viewer, at_ms }
}

#[expect(clippy::large_enum_variant, reason = "a test holds few of them")]
#[derive(Debug, Clone)]
enum Happens {
    Title(title::Event),
    Playback(playback::Event),
    Viewing(viewing::Event),
    Identity(u64, identity::Event),
}
use Happens::{Identity, Playback, Title, Viewing};

async fn log_of(events: impl IntoIterator<Item = Happens>) -> TestLog {
    let log = TestLog::new();
    for event in events {
        match event {
            Title(event) => log.title(event).await,
            Playback(event) => log.playback(event).await,
            Viewing(event) => log.viewing(event).await,
            Identity(number, event) => log.identity(account(number), event).await,
        };
    }
    log
}

async fn given(events: impl IntoIterator<Item = Happens>) -> TestStore<Changes> {
    let (log, store) = (log_of(events).await, TestStore::new().await);
    store.follow(&log, 1_000).await;
    store
}

async fn row(store: &TestStore<Changes>) -> Vec<Entry> {
    store.store.row(profile(1), &ALL, None, 100).await.unwrap()
}

/// Played to an hour's half, an hour's end.
const HALF: u64 = HOUR_MS / 2;
const END: u64 = HOUR_MS;

/// A series of two seasons: 11, 12 and 21 are its episodes.
fn series() -> Vec<Happens> {
    [(11, 1, 1), (12, 1, 2), (21, 2, 1)]
        .map(|(id, season, number)| Title(added(id, episode(100, season, number))))
        .into()
}

fn played(title: u64, began: u64, position_ms: u64) -> Happens {
    Viewing(sitting(title, began).at(1, position_ms))
}

#[tokio::test]
async fn every_statement_can_be_prepared() {
    let queries = [ALL, child(0)].iter().flat_map(queries::statements).collect();
    let shared = [terms::statements(), crate::erasure::statements()].concat();
    prepare_all::<Changes>([tables::statements(), shared, queries].concat()).await;
}

#[tokio::test]
async fn the_row_shows_what_is_in_progress_newest_first() {
    let store = given([
        played(1, 1, HALF),
        played(2, 200, HALF),
        played(3, 300, END),
        played(4, 400, 1_000),
        played(5, 500, HALF),
        Viewing(sitting(5, 500).dismissed(5)),
    ])
    .await;
    let row = row(&store).await;
    let shown: Vec<_> = row.iter().map(|entry| (entry.title_id, entry.position_ms)).collect();
    assert_eq!(shown, [(title(2), HALF), (title(1), HALF)]);
    assert!(row.iter().all(|entry| entry.reason == Reason::InProgress));
    assert_eq!(row[0].duration_ms, Some(HOUR_MS));
}

#[tokio::test]
async fn pages_of_the_row_and_of_the_history_meet() {
    let store = given((1..=7).map(|number| played(number, number * 10, HALF))).await;
    let (mut row, mut history) = (vec![], vec![]);
    for _ in 0..4 {
        let after = row.last().map(Entry::key);
        row.extend(store.store.row(profile(1), &ALL, after.as_ref(), 2).await.unwrap());
        let after = history.last().map(super::HistoryEntry::key);
        history.extend(store.store.history(profile(1), &ALL, after.as_ref(), 2).await.unwrap());
    }
    let newest_first: Vec<_> = (1..=7).rev().map(title).collect();
    assert_eq!(row.iter().map(|entry| entry.title_id).collect::<Vec<_>>(), newest_first);
    assert_eq!(history.iter().map(|entry| entry.title_id).collect::<Vec<_>>(), newest_first);
}

#[tokio::test]
async fn a_series_has_one_entry() {
    let next = |after| Reason::NextEpisode { after: title(after) };
    let going_on = Reason::InProgress;
    let dismissed = |of, began| Viewing(sitting(of, began).dismissed(5));
    for (claim, plays, expected) in [
        ("in progress", vec![played(11, 100, HALF)], Some((11, HALF, going_on))),
        (
            "the newest in progress",
            vec![played(12, 100, HALF), played(11, 300, HALF)],
            Some((11, HALF, going_on)),
        ),
        ("the next one", vec![played(11, 100, END)], Some((12, 0, next(11)))),
        ("the next season", vec![played(12, 100, END)], Some((21, 0, next(12)))),
        ("nothing behind the last", vec![played(21, 100, END)], None),
        (
            "the one behind the newest completed",
            vec![played(12, 100, END), played(11, 300, END)],
            None,
        ),
        (
            "in progress, when newer than the completed",
            vec![played(12, 100, END), played(11, 300, HALF)],
            Some((11, HALF, going_on)),
        ),
        (
            "the next one goes on where it was left",
            vec![played(12, 100, HALF), played(11, 300, END)],
            Some((12, HALF, next(11))),
        ),
        (
            "the next one begins again if it was hardly begun",
            vec![played(12, 100, 9_000), played(11, 300, END)],
            Some((12, 0, next(11))),
        ),
        ("no dismissed one", vec![played(11, 100, END), dismissed(12, 101)], None),
        (
            "something older in progress if nothing follows",
            vec![played(11, 100, HALF), played(21, 300, END)],
            Some((11, HALF, going_on)),
        ),
    ] {
        let store = given(series().into_iter().chain(plays)).await;
        let row = row(&store).await;
        let shown: Vec<_> = row.iter().map(|e| (e.title_id, e.position_ms, e.reason)).collect();
        let expected: Vec<_> = expected
            .map(|(id, position_ms, reason)| (title(id), position_ms, reason))
            .into_iter()
            .collect();
        assert_eq!(shown, expected, "{claim}");
    }
}

#[tokio::test]
async fn a_next_episode_stands_where_its_forerunner_was_finished() {
    let events = [played(1, 100, HALF), played(11, 200, END), played(2, 300, HALF)];
    let store = given(series().into_iter().chain(events)).await;
    let shown: Vec<_> = row(&store).await.iter().map(|entry| entry.title_id).collect();
    assert_eq!(shown, [title(2), title(12), title(1)]);
}

#[tokio::test]
async fn a_withdrawn_or_moved_episode_is_skipped() {
    let store = given(series().into_iter().chain([
        Title(withdrawn(12)),
        Title(edited(21, metadata("no longer an episode"))),
        Title(added(22, episode(100, 2, 2))),
        played(11, 100, END),
    ]))
    .await;
    assert_eq!(row(&store).await[0].title_id, title(22));
}

#[tokio::test]
async fn the_history_shows_sessions_of_which_something_was_heard() {
    let (silent, stopped, playing) = (sitting(1, 10), sitting(2, 20), sitting(3, 30));
    let unheard = sitting(4, 40);
    let store = given([
        Playback(silent.started()),
        Viewing(silent.at(3, END)),
        Playback(silent.expired()),
        Playback(stopped.started()),
        Playback(stopped.stopped()),
        Playback(playing.started()),
        Viewing(playing.at(7, HALF)),
        Playback(unheard.started()),
    ])
    .await;
    let history = store.store.history(profile(1), &ALL, None, 10).await.unwrap();
    let shown: Vec<_> = history
        .iter()
        .map(|e| (e.session_id, e.device.as_str(), e.position_ms, e.ended_at_ms, e.finished))
        .collect();
    let began_ms = |minutes: i64| minutes * 60_000;
    assert_eq!(
        shown,
        [
            (session(30), "device 30", HALF, None, false),
            (session(20), "device 20", 0, Some(began_ms(20) + 500_000), false),
            (session(10), "device 10", END, Some(began_ms(10) + 400_000), true),
        ]
    );
    assert_eq!(history[0].last_played_at_ms, began_ms(30) + 7);
}

#[tokio::test]
async fn sessions_were_last_seen_at_their_latest_heartbeat() {
    let (one, other) = (sitting(1, 10), sitting(2, 20));
    let store =
        given([Viewing(one.at(5, HALF)), Viewing(one.at(2, HALF)), Playback(other.started())])
            .await;
    let asked = [session(10), session(20), session(99)];
    let seen = store.store.last_seen(&asked).await.unwrap();
    assert_eq!(seen, [(session(10), 10 * 60_000 + 5)].into());
}

#[tokio::test]
async fn a_bookmark_counts_the_newest_plays_only() {
    let plays = (1..=25).map(|number| played(1, number, MINUTE_MS * number));
    let store = given(plays.chain([played(1, 3, END)])).await;
    let bookmark = store.store.bookmark(profile(1), title(1)).await.unwrap().unwrap();
    assert_eq!((bookmark.position_ms, bookmark.watch_count), (MINUTE_MS * 25, 0));
    assert_eq!(store.store.bookmark(profile(2), title(1)).await.unwrap(), None);
}

#[tokio::test]
async fn what_was_watched_to_the_end_counts_in_whatever_order_it_is_heard() {
    let sitting = sitting(1, 100);
    let (end, start) = (sitting.at(1, END), sitting.at(2, MINUTE_MS / 2));
    for heard in [[end.clone(), start.clone()], [start, end]] {
        for limit in [1, 2] {
            let store = TestStore::<Changes>::new().await;
            store.follow(&log_of(heard.clone().map(Viewing)).await, limit).await;
            let bookmark = store.store.bookmark(profile(1), title(1)).await.unwrap().unwrap();
            assert_eq!((bookmark.position_ms, bookmark.watch_count), (MINUTE_MS / 2, 1));
            let history = store.store.history(profile(1), &ALL, None, 9).await.unwrap();
            assert!(history[0].finished, "it got to the end");
        }
    }
}

fn for_children() -> Metadata {
    Metadata { maturity: Some(Maturity::All), ..metadata("for children") }
}

#[tokio::test]
async fn what_a_viewer_may_not_see_is_neither_on_the_row_nor_in_the_history() {
    let window = Window { territories: None, from_ms: 10, until_ms: Some(20) };
    let soon = Availability { windows: vec![window], blocked_territories: vec![] };
    let store = given([
        Title(added(1, for_children())),
        Title(added(2, metadata("for adults"))),
        Title(added(3, for_children())),
        Title(scheduled(3, soon)),
        played(1, 1, HALF),
        played(2, 200, HALF),
        played(3, 300, HALF),
        played(4, 400, HALF),
    ])
    .await;
    for (audience, expected) in [
        (ALL, vec![title(4), title(3), title(2), title(1)]),
        (child(9), vec![title(1)]),
        (child(10), vec![title(3), title(1)]),
        (child(20), vec![title(1)]),
    ] {
        let row = store.store.row(profile(1), &audience, None, 9).await.unwrap();
        let history = store.store.history(profile(1), &audience, None, 9).await.unwrap();
        assert_eq!(row.iter().map(|it| it.title_id).collect::<Vec<_>>(), expected);
        assert_eq!(history.iter().map(|it| it.title_id).collect::<Vec<_>>(), expected);
        let first = store.store.history(profile(1), &audience, None, 1).await.unwrap();
        assert_eq!(first[0].title_id, expected[0], "hidden ones take no room");
    }
}

#[tokio::test]
async fn a_next_episode_that_may_not_be_seen_is_not_offered_nor_the_one_behind_it() {
    let grown_up =
        |number| Metadata { maturity: Some(Maturity::From18), ..episode(100, 1, number) };
    let young = |number| Metadata { maturity: Some(Maturity::All), ..grown_up(number) };
    let store = given([
        Title(added(11, young(1))),
        Title(added(12, grown_up(2))),
        Title(added(13, young(3))),
        played(11, 100, END),
    ])
    .await;
    assert_eq!(row(&store).await[0].title_id, title(12));
    assert_eq!(store.store.row(profile(1), &child(0), None, 9).await.unwrap(), []);
}

#[tokio::test]
async fn what_a_viewer_says_of_a_title_counts_in_its_place() {
    let half = || played(1, 100, HALF);
    let said = |kind, later| Viewing(sitting(1, 100).marked(kind, later));
    for (claim, events, on_row, watch_count, in_history) in [
        ("watched", vec![half(), said(MarkKind::Watched, 9)], 0, 1, 1),
        ("dismissed", vec![half(), said(MarkKind::Dismissed, 9)], 0, 0, 1),
        (
            "restored",
            vec![said(MarkKind::Restored, 10), half(), said(MarkKind::Dismissed, 9)],
            1,
            0,
            1,
        ),
        (
            "unwatched",
            vec![played(1, 100, END), said(MarkKind::Unwatched, 9), played(1, 200, HALF)],
            1,
            0,
            2,
        ),
        ("watched again", vec![played(1, 100, END), played(1, 200, HALF)], 1, 1, 2),
        ("all removed", vec![said(MarkKind::Removed(None), 9), half()], 0, 0, 0),
        ("one removed", vec![half(), said(MarkKind::Removed(Some(session(100))), 9)], 0, 0, 0),
        ("another removed", vec![half(), said(MarkKind::Removed(Some(session(7))), 9)], 1, 0, 1),
        (
            "played after the removal",
            vec![half(), said(MarkKind::Removed(None), 9), played(1, 200, HALF)],
            1,
            0,
            1,
        ),
    ] {
        let store = given(events).await;
        let bookmark = store.store.bookmark(profile(1), title(1)).await.unwrap().unwrap();
        let history = store.store.history(profile(1), &ALL, None, 9).await.unwrap();
        let found = (row(&store).await.len(), bookmark.watch_count, history.len());
        assert_eq!(found, (on_row, watch_count, in_history), "{claim}");
    }
}

#[tokio::test]
async fn removed_plays_take_no_room_of_those_that_count() {
    let removed =
        |number| Viewing(sitting(1, number).marked(MarkKind::Removed(Some(session(number))), 1));
    let plays = (1..=30).map(|number| played(1, number * 100, MINUTE_MS * number));
    let store = given(plays.chain((5..=30).map(|number| removed(number * 100)))).await;
    let bookmark = store.store.bookmark(profile(1), title(1)).await.unwrap().unwrap();
    assert_eq!(bookmark.position_ms, MINUTE_MS * 4);
}

#[tokio::test]
async fn an_erased_account_leaves_no_row_and_comes_back_with_none() {
    let other = Sitting { account: 2, profile: 3, ..sitting(1, 50) };
    let events = || {
        [
            Playback(sitting(1, 10).started()),
            played(1, 10, HALF),
            Viewing(sitting(2, 10).dismissed(1)),
            Viewing(other.at(1, HALF)),
            Identity(1, erased(account(1))),
            played(1, 10, END),
            Playback(sitting(1, 10).stopped()),
            Viewing(sitting(3, 10).dismissed(1)),
        ]
    };
    let log = log_of(events()).await;
    for limit in [1, 2, 1_000] {
        let store = TestStore::<Changes>::new().await;
        store.follow(&log, limit).await;
        let lines = store.lines().await;
        let mine = account(1).to_string();
        let left: Vec<_> = lines.iter().filter(|line| line.contains(&mine)).collect();
        assert_eq!(left, [&format!("erased_accounts [\"{mine}\",0]")]);
        assert_eq!(store.store.row(profile(3), &ALL, None, 9).await.unwrap().len(), 1);
    }
}

/// One of six sessions of two accounts, three profiles and three titles.
fn any_sitting() -> impl Strategy<Value = Sitting> {
    (0u64..6).prop_map(|number| Sitting {
        account: 1 + number % 2,
        profile: 1 + number % 2 + (number % 3) / 2 * 2,
        title: 11 + number % 3,
        began: 100 + number * 20,
    })
}

fn happens() -> impl Strategy<Value = Happens> {
    let heartbeat = (any_sitting(), 0u32..9, 0u64..=60)
        .prop_map(|(sitting, sequence, minute)| Viewing(sitting.at(sequence, minute * MINUTE_MS)));
    let playback = (any_sitting(), 0..3).prop_map(|(sitting, kind)| {
        Playback(match kind {
            0 => sitting.started(),
            1 => sitting.stopped(),
            _ => sitting.expired(),
        })
    });
    let dismissal = (any_sitting(), 0u64..60)
        .prop_map(|(sitting, minutes)| Viewing(sitting.dismissed(minutes)));
    let title = (11u64..14, 1u32..3, 0..4).prop_map(|(number, season, kind)| {
        Title(match kind {
            0 | 1 => added(number, episode(100, season, 1)),
            2 => edited(number, metadata("alone")),
            _ => withdrawn(number),
        })
    });
    let mark = (any_sitting(), 0u64..60, 0..5).prop_map(|(sitting, minutes, kind)| {
        let kind = match kind {
            0 => MarkKind::Restored,
            1 => MarkKind::Watched,
            2 => MarkKind::Unwatched,
            3 => MarkKind::Removed(None),
            _ => MarkKind::Removed(Some(session(sitting.began))),
        };
        Viewing(sitting.marked(kind, minutes))
    });
    let erasure = (1u64..3).prop_map(|number| Identity(number, erased(account(number))));
    prop_oneof![
        16 => heartbeat, 8 => playback, 4 => dismissal, 8 => mark, 4 => title, 1 => erasure
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn batches_and_interleavings_do_not_show(
        events in proptest::collection::vec(happens(), 0..60),
        schedule in proptest::collection::vec((0u16..4, 1usize..4), 0..20),
    ) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let log = log_of(events).await;
            let whole = TestStore::<Changes>::new().await;
            whole.follow(&log, 1_000).await;
            let expected = whole.lines().await;
            for limit in [1, 7] {
                let store = TestStore::<Changes>::new().await;
                store.follow(&log, limit).await;
                assert_eq!(store.lines().await, expected, "batches of {limit}");
            }
            let store = TestStore::<Changes>::new().await;
            store.follow_schedule(&log, &schedule).await;
            assert_eq!(store.lines().await, expected, "scheduled");
        });
    }

    /// Heartbeats of several devices arrive in any order: late ones never move anything back.
    #[test]
    fn the_order_of_arrival_does_not_show(
        arrivals in proptest::collection::btree_map((0u64..5, 0u32..6), 0u64..=60, 1..30)
            .prop_map(|heartbeats| heartbeats.into_iter().collect::<Vec<_>>())
            .prop_flat_map(|heartbeats| (Just(heartbeats.clone()), Just(heartbeats).prop_shuffle())),
        limit in 1usize..5,
    ) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let heartbeat = |((device, sequence), minute): ((u64, u32), u64)| {
                Viewing(sitting(1, 100 + device * 7).at(sequence, minute * MINUTE_MS))
            };
            let (in_order, shuffled) = arrivals;
            let expected = given(in_order.into_iter().map(heartbeat)).await.lines().await;
            let late = TestStore::<Changes>::new().await;
            late.follow(&log_of(shuffled.into_iter().map(heartbeat)).await, limit).await;
            assert_eq!(late.lines().await, expected);
        });
    }
}
