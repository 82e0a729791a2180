use playhead_domain::entitlement::Viewer;
use playhead_domain::playback::{self, PlaybackStarted};
use playhead_domain::title::Metadata;
use playhead_domain::viewing::{self, Progressed};
use playhead_domain::{Maturity, Territory, identity, title};
use proptest::prelude::*;
use sqlx::AssertSqlSafe;

use super::{Changes, Ranked, TITLES_MIN, queries, tables};
use crate::runtime::ReadModel;
use crate::terms::{self, Audience};
use crate::testing::{
    MINUTE_MS, Sitting, TestLog, TestStore, account, added, erased, is_in_files, metadata,
    prepare_all, sitting, title, withdrawn,
};

const ALL: Audience = Audience::Everyone;
const DAY: u64 = 24 * 60;

fn child() -> Audience {
    let viewer = Viewer { territory: None, maturity_max: Maturity::From7 };
    Audience::Viewer { viewer, at_ms: 0 }
}

fn territory(code: &str) -> Option<Territory> {
    (!code.is_empty()).then(|| code.parse().unwrap())
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

/// Of household `number`, on a day, at a minute of it, which is the session's number, too.
fn on(day: u64, minute: u64, household: u64, title: u64) -> Sitting {
    let began = day * DAY + minute;
    Sitting { account: household, profile: household, ..sitting(title, began) }
}

fn began(sitting: Sitting, code: &str) -> Happens {
    let playback::Event::Started(started) = sitting.started() else { unreachable!() };
    let territory = territory(code);
    Playback(playback::Event::Started(PlaybackStarted { territory, ..started }))
}

fn heard(sitting: Sitting, sequence: u32, played_ms: u64) -> Happens {
    let viewing::Event::Progressed(progressed) = sitting.at(sequence, played_ms) else {
        unreachable!()
    };
    Viewing(viewing::Event::Progressed(Progressed { played_ms, ..progressed }))
}

fn played(sitting: Sitting, code: &str) -> Vec<Happens> {
    vec![began(sitting, code), heard(sitting, 1, MINUTE_MS)]
}

/// Lines of a table without its name.
async fn table(store: &TestStore<Changes>, name: &str) -> Vec<String> {
    let lines = store.lines().await.into_iter();
    lines.filter_map(|line| Some(line.strip_prefix(name)?.trim().to_owned())).collect()
}

async fn plays(store: &TestStore<Changes>) -> Vec<(String, u64, u64, u64)> {
    let lines = table(store, "plays ").await;
    let parse = |line: &String| {
        let (code, id, day, plays): (String, uuid::Uuid, u64, u64) =
            serde_json::from_str(line).unwrap();
        (code, id.as_u64_pair().1, day, plays)
    };
    lines.iter().map(parse).collect()
}

fn here(code: &str, title: u64, day: u64, plays: u64) -> (String, u64, u64, u64) {
    (code.to_owned(), title, day, plays)
}

async fn top(store: &TestStore<Changes>, code: &str, audience: &Audience) -> Vec<u64> {
    let found = store.store.top(territory(code), audience, None, 100).await.unwrap();
    found.iter().map(|it| it.title_id.0.as_u64_pair().1).collect()
}

fn listed(numbers: impl IntoIterator<Item = u64>) -> Vec<Happens> {
    let all = Metadata { maturity: Some(Maturity::All), ..metadata("a film") };
    numbers.into_iter().map(|number| Title(added(number, all.clone()))).collect()
}

#[tokio::test]
async fn every_statement_can_be_prepared() {
    let queries = [ALL, child()].iter().flat_map(queries::statements).collect();
    let shared = [terms::statements(), crate::erasure::statements()].concat();
    prepare_all::<Changes>([tables::statements(), shared, queries].concat()).await;
}

/// A list that sorts or scans would be slow with ten million titles.
#[tokio::test]
async fn every_list_walks_along_an_index() {
    let store = TestStore::<Changes>::new().await;
    for text in [ALL, child()].iter().flat_map(queries::statements) {
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}")))
                .fetch_all(store.store.readers())
                .await
                .unwrap();
        for (.., step) in &plan {
            let walks = step.starts_with("SEARCH")
                && (step.contains("INDEX") || step.contains("PRIMARY KEY"));
            assert!(walks || step.starts_with("CORRELATED"), "{text}: {plan:?}");
        }
    }
}

#[tokio::test]
async fn a_session_counts_once_it_has_played_for_a_minute() {
    let (tapped, watched) = (on(5, 0, 1, 1), on(5, 9, 2, 2));
    let store = given([
        began(tapped, "AT"),
        heard(tapped, 1, MINUTE_MS - 1),
        began(watched, "AT"),
        heard(watched, 1, MINUTE_MS - 1),
        heard(watched, 2, MINUTE_MS),
        heard(watched, 3, 2 * MINUTE_MS),
    ])
    .await;
    assert_eq!(plays(&store).await, [here("", 2, 5, 1), here("AT", 2, 5, 1)]);
}

#[tokio::test]
async fn a_profile_counts_once_a_day_for_a_title() {
    let events = [
        played(on(5, 0, 1, 1), "AT"),
        played(on(5, 10, 1, 1), "AT"),
        played(on(5, 20, 1, 1), "DE"),
        played(on(5, 30, 1, 2), "AT"),
        played(on(5, 40, 2, 1), "AT"),
        played(on(6, 0, 1, 1), "AT"),
    ];
    let store = given(events.concat()).await;
    let expected = [here("", 1, 5, 2), here("", 1, 6, 1), here("", 2, 5, 1), here("AT", 1, 5, 2)];
    let rest = [here("AT", 1, 6, 1), here("AT", 2, 5, 1)];
    assert_eq!(plays(&store).await, [expected.as_slice(), &rest].concat());
    let total = store.store.total(title(1)).await.unwrap().unwrap();
    assert_eq!(total.plays, 3);
}

#[tokio::test]
async fn a_play_from_nobody_knows_where_counts_for_the_world() {
    let store = given(played(on(5, 0, 1, 1), "")).await;
    assert_eq!(plays(&store).await, [here("", 1, 5, 1)]);
}

#[tokio::test]
async fn whether_the_start_or_the_heartbeat_is_folded_first_does_not_matter() {
    let one = on(5, 0, 1, 1);
    let store = given([heard(one, 1, MINUTE_MS), began(one, "AT")]).await;
    assert_eq!(plays(&store).await, [here("", 1, 5, 1), here("AT", 1, 5, 1)]);
}

#[tokio::test]
async fn sessions_of_long_ago_are_forgotten_and_count_no_more() {
    let (old, late, new) = (on(1, 0, 1, 1), on(2, 0, 1, 2), on(9, 0, 1, 3));
    let events = [
        played(old, "AT"),
        vec![began(late, "AT"), began(new, "AT"), heard(late, 1, MINUTE_MS)],
        vec![heard(new, 1, MINUTE_MS), heard(old, 2, 2 * MINUTE_MS)],
        played(on(1, 30, 1, 4), "AT"),
    ];
    let store = given(events.concat()).await;
    let counted: Vec<_> = plays(&store).await.iter().map(|(_, title, ..)| *title).collect();
    assert_eq!(counted, [1, 2, 3, 1, 2, 3]);
    assert_eq!(table(&store, "sessions ").await.len(), 2);
}

#[tokio::test]
async fn days_of_months_ago_are_dropped_wherever_they_stand_in_the_log() {
    let days = [100, 11, 10, 99];
    let plays_of = |order: [usize; 4]| -> Vec<Happens> {
        let one = |at: usize| played(on(days[at], at as u64, at as u64, 1), "");
        order.into_iter().flat_map(one).collect()
    };
    for order in [[0, 1, 2, 3], [2, 1, 3, 0], [3, 2, 0, 1]] {
        let store = given(plays_of(order)).await;
        let kept: Vec<_> = plays(&store).await.iter().map(|(_, _, day, _)| *day).collect();
        assert_eq!(kept, [11, 99, 100], "{order:?}");
        assert_eq!(store.store.total(title(1)).await.unwrap().unwrap().plays, 4);
    }
}

#[tokio::test]
async fn what_was_played_more_lately_stands_first() {
    let times = |day, title: u64, plays: u64| {
        (0..plays).flat_map(move |nth| played(on(day, title * 40 + nth, 100 + nth, title), "AT"))
    };
    let events = listed(1..=4).into_iter();
    let events = events.chain(times(1, 1, 9)).chain(times(8, 2, 5)).chain(times(8, 3, 4));
    let store = given(events.chain(played(on(8, 900, 1, 9), "AT"))).await;
    assert_eq!(top(&store, "AT", &ALL).await, [2, 1, 3], "and none that is not in the catalogue");
    assert_eq!(top(&store, "DE", &ALL).await, [0; 0]);
}

#[tokio::test]
async fn a_territory_with_few_titles_is_shown_the_worlds() {
    let few = u64::from(TITLES_MIN);
    let at = (1..=few).flat_map(|number| played(on(5, number, number, number), "AT"));
    let de = (1..few).flat_map(|number| played(on(5, 99 + number, 50 + number, number), "DE"));
    let store = given(listed(1..=few).into_iter().chain(at).chain(de)).await;
    let chart = async |code, audience, limit| {
        let chart = store.store.chart(territory(code), &audience, limit).await.unwrap();
        (chart.territory, chart.titles.len())
    };
    assert_eq!(chart("AT", ALL, 3).await, (territory("AT"), 3));
    assert_eq!(chart("DE", ALL, 3).await, (None, 3));
    assert_eq!(chart("", ALL, 100).await, (None, 10));
    assert_eq!(chart("FR", child(), 100).await, (None, 10));
}

#[tokio::test]
async fn pages_meet_and_hidden_titles_take_no_room() {
    let adult = Metadata { maturity: Some(Maturity::From18), ..metadata("for adults") };
    let hidden = (0..30).map(|number| Title(added(number * 3 + 1, adult.clone())));
    let plays = (1..=60).flat_map(|number| played(on(5, number, number, number), "AT"));
    let store = given(listed(1..=60).into_iter().chain(hidden).chain(plays)).await;
    let mut walked: Vec<Ranked> = Vec::new();
    loop {
        let at = territory("AT");
        let page = store.store.top(at, &child(), walked.last(), 7).await.unwrap();
        let last = page.len() < 7;
        walked.extend(page);
        if last {
            break;
        }
    }
    assert!(walked.is_sorted_by(|one, next| one > next));
    let mut ids: Vec<_> = walked.iter().map(|it| it.title_id.0.as_u64_pair().1).collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..=60).filter(|number| number % 3 != 1).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_withdrawn_title_is_on_no_list() {
    let events = [listed([1]), played(on(5, 0, 1, 1), "AT"), vec![Title(withdrawn(1))]];
    let store = given(events.concat()).await;
    assert_eq!(top(&store, "AT", &ALL).await, [0; 0]);
    assert_eq!(store.store.total(title(1)).await.unwrap().unwrap().plays, 1);
}

#[tokio::test]
async fn totals_tell_what_was_played_since() {
    let store = given((1..=5).flat_map(|number| played(on(number, 0, number, number), "AT"))).await;
    let all = store.store.totals(None, 100).await.unwrap();
    assert_eq!(
        all.iter().map(|it| it.title_id).collect::<Vec<_>>(),
        (1..=5).map(title).collect::<Vec<_>>()
    );
    let after = (all[2].last_play_at_ms, all[2].title_id);
    assert_eq!(store.store.totals(Some(after), 100).await.unwrap(), all[3..]);
    assert_eq!(store.store.totals(None, 2).await.unwrap(), all[..2]);
}

#[tokio::test]
async fn a_forgotten_account_leaves_its_counts_and_nothing_else() {
    let events = [
        played(on(5, 0, 1, 1), "AT"),
        vec![began(on(5, 5, 1, 2), "AT")],
        played(on(5, 9, 2, 1), "AT"),
        vec![Identity(1, erased(account(1)))],
        vec![heard(on(5, 5, 1, 2), 1, MINUTE_MS)],
        played(on(6, 0, 1, 3), "AT"),
    ];
    let log = log_of(events.concat()).await;
    let mine = account(1).to_string();
    for limit in [1, 2, 1_000] {
        let store = TestStore::<Changes>::live().await;
        store.follow(&log, limit).await;
        assert_eq!(plays(&store).await, [here("", 1, 5, 2), here("AT", 1, 5, 2)]);
        assert_eq!(table(&store, "sessions ").await.len(), 1);
        let lines = store.lines().await;
        let left: Vec<_> = lines.iter().filter(|line| line.contains(&mine)).collect();
        assert_eq!(left, [&format!("erased_accounts [\"{mine}\",0]")]);
        store.store.scrub().await.unwrap();
        assert!(!is_in_files(store.dir(), &crate::testing::profile(1).to_string()));
        assert!(is_in_files(store.dir(), &crate::testing::profile(2).to_string()));
        assert_eq!(store.store.parked().await.unwrap(), []);
    }
}

fn any_sitting() -> impl Strategy<Value = Sitting> {
    // 15 days apart at most, so that sessions are forgotten and days are not.
    (0u64..4, 0u64..3, 1u64..3, 1u64..3).prop_map(|(fortnight, minute, household, title)| {
        on(fortnight * 5, minute + title * 10 + household * 100, household, title)
    })
}

fn happens() -> impl Strategy<Value = Happens> {
    let code = proptest::sample::select(vec!["", "AT", "DE"]);
    let start = (any_sitting(), code).prop_map(|(sitting, code)| began(sitting, code));
    let heartbeat = (any_sitting(), 0u32..9, 0u64..3)
        .prop_map(|(sitting, sequence, minutes)| heard(sitting, sequence, minutes * MINUTE_MS));
    let title = (1u64..3, any::<bool>()).prop_map(|(number, there)| {
        Title(if there { added(number, metadata("film")) } else { withdrawn(number) })
    });
    let erasure = (1u64..3).prop_map(|number| Identity(number, erased(account(number))));
    prop_oneof![12 => start, 12 => heartbeat, 2 => title, 1 => erasure]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn batches_and_interleavings_do_not_show(
        events in proptest::collection::vec(happens(), 0..80),
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
}
