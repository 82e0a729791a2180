use playhead_domain::Maturity;
use playhead_domain::availability::{Availability, Window};
use playhead_domain::entitlement::Viewer;
use playhead_domain::title::{Event, Kind, Metadata};
use proptest::prelude::*;
use sqlx::AssertSqlSafe;

use super::{Changes, NewestFilter, PersonId, Season, TimeKey, TitleFilter, TitleRow};
use super::{queries, tables, walks};
use crate::terms::{self, Audience};
use crate::testing::{
    TestLog, TestStore, added, edited, episode, joined, metadata, prepare_all, published,
    scheduled, title, withdrawn,
};

const ALL: Audience = Audience::Everyone;
const AUDIENCES: [Audience; 2] = [
    ALL,
    Audience::Viewer {
        viewer: Viewer { territory: None, maturity_max: Maturity::From18 },
        at_ms: 0,
    },
];

fn film(name: &str, year: u16, genres: &[&str]) -> Metadata {
    let genres = genres.iter().map(|genre| (*genre).to_owned()).collect();
    Metadata { year: Some(year), genres, ..metadata(name) }
}

async fn catalog(events: Vec<Event>) -> TestStore<Changes> {
    let (log, store) = (TestLog::new(), TestStore::new().await);
    for event in events {
        log.title(event).await;
    }
    store.follow(&log, 1_000).await;
    store
}

async fn shop() -> TestStore<Changes> {
    catalog(vec![
        added(1, film("Heat", 1995, &["Crime", "Drama"])),
        added(2, film("alien", 1979, &["Horror", "Sci-Fi"])),
        added(3, film("Alien", 1979, &["horror"])),
        added(4, Metadata { kind: Kind::Series, ..film("Borgen", 2010, &["Drama"]) }),
        added(5, metadata("Élite")),
    ])
    .await
}

async fn names(store: &TestStore<Changes>, filter: TitleFilter) -> Vec<String> {
    seen(store, filter, &Audience::Everyone).await
}

async fn seen(store: &TestStore<Changes>, filter: TitleFilter, audience: &Audience) -> Vec<String> {
    let rows = store.store.list(&filter, audience, None, 100).await.unwrap();
    let counted = store.store.count(&filter, audience).await.unwrap();
    assert_eq!(rows.len() as u64, counted, "{filter:?}");
    rows.into_iter().map(|row| row.metadata.name).collect()
}

fn genre(genre: &str) -> TitleFilter {
    TitleFilter { genre: Some(genre.to_owned()), ..TitleFilter::default() }
}

#[tokio::test]
async fn every_statement_can_be_prepared() {
    let queries = AUDIENCES.iter().flat_map(|audience| {
        let walks = walks::statements(audience);
        [queries::statements(audience), walks, super::series::statements(audience)].concat()
    });
    let queries = queries.collect();
    prepare_all::<Changes>([tables::statements(), terms::statements(), queries].concat()).await;
    prepare_all::<Changes>(crate::bookkeeping::statements()).await;
}

#[tokio::test]
async fn a_list_is_ordered_by_name_and_then_by_id() {
    let store = shop().await;
    let all = names(&store, TitleFilter::default()).await;
    assert_eq!(all, ["alien", "Alien", "Borgen", "Heat", "Élite"]);
}

#[tokio::test]
async fn each_combination_of_filters_lists_and_counts_what_fits() {
    let store = shop().await;
    let year = |year| TitleFilter { year: Some(year), ..TitleFilter::default() };
    let kind = |kind| TitleFilter { kind: Some(kind), ..TitleFilter::default() };
    let movie = Some(Kind::Movie);
    for (filter, expected) in [
        (genre("DRAMA"), vec!["Borgen", "Heat"]),
        (year(1979), vec!["alien", "Alien"]),
        (kind(Kind::Series), vec!["Borgen"]),
        (TitleFilter { kind: movie, ..genre("drama") }, vec!["Heat"]),
        (TitleFilter { kind: movie, ..year(1979) }, vec!["alien", "Alien"]),
        (TitleFilter { year: Some(1979), ..genre("sci-fi") }, vec!["alien"]),
        (TitleFilter { year: Some(2010), kind: movie, ..genre("drama") }, vec![]),
        (TitleFilter { year: Some(1995), kind: movie, ..genre("drama") }, vec!["Heat"]),
        (genre("Drama%"), vec![]),
        (genre(""), vec![]),
        (year(0), vec![]),
    ] {
        assert_eq!(names(&store, filter.clone()).await, expected, "{filter:?}");
    }
}

#[tokio::test]
async fn pages_meet_without_gap_or_overlap() {
    let store = shop().await;
    let whole = store.store.list(&TitleFilter::default(), &ALL, None, 100).await.unwrap();
    let mut paged = Vec::new();
    while paged.len() < whole.len() {
        let after = paged.last().map(super::TitleRow::key);
        let filter = TitleFilter::default();
        let page = store.store.list(&filter, &ALL, after.as_ref(), 2).await.unwrap();
        assert!(!page.is_empty());
        paged.extend(page);
    }
    assert_eq!(paged, whole);
}

#[tokio::test]
async fn genres_are_counted_under_their_commonest_spelling() {
    let store = shop().await;
    let genres = store.store.genres(&ALL).await.unwrap();
    let expected = [("Crime", 1), ("Drama", 2), ("Horror", 2), ("Sci-Fi", 1)];
    assert_eq!(genres, expected.map(|(genre, titles)| (genre.to_owned(), titles)));
}

#[tokio::test]
async fn an_edit_moves_a_title_between_lists_and_keeps_when_it_was_added() {
    let mut events = vec![added(1, film("Heat", 1995, &["Crime", "Drama"]))];
    events.push(edited(1, film("Heat!", 1996, &["Drama"])));
    let store = catalog(events).await;
    assert_eq!(names(&store, genre("crime")).await, Vec::<String>::new());
    assert_eq!(names(&store, genre("drama")).await, ["Heat!"]);
    assert_eq!(store.store.title(title(1), &ALL).await.unwrap().unwrap().added_at_ms, 1);
    assert_eq!(store.store.genres(&ALL).await.unwrap(), [("Drama".to_owned(), 1)]);
}

#[tokio::test]
async fn a_withdrawn_title_leaves_nothing_behind() {
    let store = catalog(vec![added(1, film("Heat", 1995, &["Crime"])), withdrawn(1)]).await;
    assert_eq!(store.lines().await, Vec::<String>::new());
    assert_eq!(store.store.title(title(1), &ALL).await.unwrap(), None);
}

#[tokio::test]
async fn titles_are_answered_in_the_order_of_their_ids() {
    let store = shop().await;
    let ids = [title(4), title(99), title(1), title(4)];
    let rows = store.store.titles(&ids, &ALL).await.unwrap();
    let found: Vec<_> = rows.iter().map(|row| row.title_id).collect();
    assert_eq!(found, [title(4), title(1), title(4)]);
    assert_eq!(store.store.titles(&[], &ALL).await.unwrap(), []);
}

/// A list that sorts or scans would be slow with ten million titles.
#[tokio::test]
async fn every_list_walks_along_an_index() {
    let store = TestStore::<Changes>::new().await;
    let lists = AUDIENCES.iter().flat_map(|audience| {
        let filters = queries::filters();
        let lists = filters.iter().map(|filter| queries::list_text(filter, audience));
        let lists = lists.chain(walks::statements(audience));
        lists.chain(super::series::statements(audience)).collect::<Vec<_>>()
    });
    // What is asked about is looked at from one end to the other.
    let asked = ["CO-ROUTINE asked", "MATERIALIZE asked", "SCAN a", "SCAN 2 CONSTANT ROWS"];
    for list in lists {
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {list}")))
                .fetch_all(store.store.readers())
                .await
                .unwrap();
        for (.., step) in &plan {
            let walks = step.starts_with("SEARCH")
                && (step.contains("INDEX") || step.contains("PRIMARY KEY"));
            let fits = walks || step.starts_with("CORRELATED") || asked.contains(&step.as_str());
            assert!(fits, "{list}: {plan:?}");
        }
    }
}

fn series() -> Vec<Event> {
    let mut events = vec![added(1, Metadata { kind: Kind::Series, ..metadata("Borgen") })];
    for (number, season, episode_number) in [(13, 1, 3), (11, 1, 1), (12, 1, 2), (21, 2, 1)] {
        events.push(added(number, episode(1, season, episode_number)));
    }
    events.push(added(31, episode(1, 0, 1)));
    events.push(joined(22, episode(1, 2, 2), None, true));
    events
}

fn adult() -> Audience {
    viewer(None, Maturity::From18, 1_000)
}

fn ids(rows: &[TitleRow]) -> Vec<playhead_domain::TitleId> {
    rows.iter().map(|row| row.title_id).collect()
}

#[tokio::test]
async fn a_series_leads_to_its_seasons_and_episodes() {
    let shelf = catalog(series()).await;
    let store = &shelf.store;
    let series = store.seasons(&[title(1), title(9), title(1)], &adult()).await.unwrap();
    let season = |number, episodes| Season { number, episodes };
    let seasons = vec![season(0, 1), season(1, 3), season(2, 1)];
    assert_eq!(series, [(title(1), seasons)].into());
    let first = store.episodes(title(1), 1, &adult(), None, 2).await.unwrap();
    assert_eq!(ids(&first), [title(11), title(12)]);
    let after = Some(first[1].episode_key());
    let rest = store.episodes(title(1), 1, &adult(), after, 2).await.unwrap();
    assert_eq!(ids(&rest), [title(13)]);
    // A content administrator sees the draft.
    let all = store.episodes(title(1), 2, &ALL, None, 9).await.unwrap();
    assert_eq!(ids(&all), [title(21), title(22)]);
}

#[tokio::test]
async fn the_next_episode_may_be_of_a_later_season_but_a_special_leads_to_specials() {
    let shelf = catalog(series()).await;
    let store = &shelf.store;
    let known = [(1, 1, Some(12)), (1, 3, Some(21)), (2, 1, None), (0, 1, None), (0, 0, Some(31))];
    let places = known.map(|(season, number, _)| (title(1), season, number));
    let found = store.next_episodes(&places, &adult()).await.unwrap();
    for (place, (.., next)) in places.iter().zip(known) {
        let found = found.get(place).map(|row| row.title_id);
        assert_eq!(found, next.map(title), "{place:?}");
    }
}

#[tokio::test]
async fn extras_and_trailers_come_with_their_title() {
    let with = |kind, name: &str| Metadata { kind, extra_of: Some(title(1)), ..metadata(name) };
    let events = vec![
        added(1, metadata("Heat")),
        added(2, with(Kind::Trailer, "Trailer")),
        added(3, with(Kind::Extra, "Making of")),
        added(4, with(Kind::Extra, "Interview")),
    ];
    let shelf = catalog(events).await;
    let store = &shelf.store;
    let extras = store.extras(title(1), Kind::Extra, &adult(), None, 1).await.unwrap();
    assert_eq!(ids(&extras), [title(4)]);
    let after = extras[0].key();
    let more = store.extras(title(1), Kind::Extra, &adult(), Some(&after), 9).await.unwrap();
    assert_eq!(ids(&more), [title(3)]);
    let trailers = store.extras(title(1), Kind::Trailer, &adult(), None, 9).await.unwrap();
    assert_eq!(ids(&trailers), [title(2)]);
}

#[tokio::test]
async fn a_person_leads_to_titles_by_name_or_key_and_role() {
    use playhead_domain::title::{Credit, CreditRole};
    let keyed = Credit {
        key: Some("imdb:nm1".to_owned()),
        ..Credit::new("Clint Eastwood", CreditRole::Actor)
    };
    let directed = Credit { role: CreditRole::Director, ..keyed.clone() };
    let of = |year, credits: &[Credit]| Metadata {
        year: Some(year),
        credits: credits.to_vec(),
        ..metadata("any")
    };
    let unkeyed = Credit::new("CLINT Eastwood", CreditRole::Actor);
    let events = vec![
        added(1, of(1992, &[directed.clone(), keyed.clone()])),
        added(2, of(2004, &[directed])),
        added(3, of(1966, &[keyed])),
        added(4, of(1999, &[unkeyed])),
        edited(3, of(1967, &[])),
    ];
    let shelf = catalog(events).await;
    let store = &shelf.store;
    let (key, name) = (PersonId::of_key("imdb:nm1"), PersonId::of_name("clint eastwood"));
    for (person, role, expected) in [
        (&key, None, vec![title(2), title(1)]),
        (&key, Some(CreditRole::Actor), vec![title(1)]),
        (&key, Some(CreditRole::Writer), vec![]),
        (&name, None, vec![title(4)]),
    ] {
        let found = store.of_person(person, role, &adult(), None, 9).await.unwrap();
        assert_eq!(ids(&found), expected, "{person:?} {role:?}");
    }
    let first = store.of_person(&key, None, &adult(), None, 1).await.unwrap();
    let after = Some(first[0].year_key());
    let second = store.of_person(&key, None, &adult(), after, 9).await.unwrap();
    assert_eq!(ids(&second), [title(1)]);
}

#[tokio::test]
async fn the_newest_come_first_and_a_walk_does_not_meet_what_joins_later() {
    let drama = film("Heat", 1995, &["Drama"]);
    let events = vec![
        added(1, drama.clone()),
        joined(2, drama.clone(), None, true),
        added(3, Metadata { kind: Kind::Series, ..drama.clone() }),
        joined(4, drama, None, true),
        published(4),
    ];
    let shelf = catalog(events).await;
    let store = &shelf.store;
    let all = NewestFilter::default();
    let genre = NewestFilter { genre: Some("DRAMA".to_owned()), ..NewestFilter::default() };
    let kind = NewestFilter { kind: Some(Kind::Series), ..genre.clone() };
    for (filter, expected) in [
        (&all, vec![title(4), title(3), title(1)]),
        (&genre, vec![title(4), title(3), title(1)]),
        (&kind, vec![title(3)]),
    ] {
        let found = store.newest(filter, &adult(), &TimeKey::from(1_000), 9).await.unwrap();
        assert_eq!(ids(&found), expected, "{filter:?}");
        let page = store.newest(filter, &adult(), &found[0].listed_key(), 9).await.unwrap();
        assert_eq!(ids(&page), expected[1..], "{filter:?}");
    }
    // Title 4 was published at 4.
    let earlier = store.newest(&all, &adult(), &TimeKey::from(3), 9).await.unwrap();
    assert_eq!(ids(&earlier), [title(3), title(1)]);
}

#[tokio::test]
async fn a_draft_is_hidden_from_viewers_until_it_is_published() {
    let heat = || joined(1, film("Heat", 1995, &["Crime"]), Some(7), true);
    for (events, seen_by_viewers) in
        [(vec![heat()], 0), (vec![heat(), published(1)], 1), (vec![published(1), heat()], 0)]
    {
        let store = catalog(events).await;
        for filter in [TitleFilter::default(), genre("crime")] {
            assert_eq!(seen(&store, filter.clone(), &adult()).await.len(), seen_by_viewers);
            assert_eq!(seen(&store, filter, &ALL).await.len(), 1);
        }
        let store = &store.store;
        assert_eq!(store.genres(&adult()).await.unwrap().len(), seen_by_viewers);
        assert_eq!(store.genres(&ALL).await.unwrap().len(), 1);
        let found = store.title(title(1), &adult()).await.unwrap();
        assert_eq!(found.is_some(), seen_by_viewers == 1);
        let owner = crate::testing::account(7);
        let owned = store.owned(owner, &TimeKey::from(1_000), 9).await.unwrap();
        assert_eq!(ids(&owned), [title(1)]);
        assert_eq!(owned[0].draft, seen_by_viewers == 0);
        let other = crate::testing::account(8);
        assert_eq!(store.owned(other, &TimeKey::from(1_000), 9).await.unwrap(), []);
    }
}

fn viewer(territory: Option<&str>, maturity_max: Maturity, at_ms: i64) -> Audience {
    let territory = territory.map(|code| code.parse().unwrap());
    Audience::Viewer { viewer: Viewer { territory, maturity_max }, at_ms }
}

fn offered(from_ms: i64, until_ms: i64) -> Availability {
    let window = Window { territories: None, from_ms, until_ms: Some(until_ms) };
    Availability { windows: vec![window], blocked_territories: vec!["DE".parse().unwrap()] }
}

#[tokio::test]
async fn a_window_opens_and_closes_without_an_event() {
    let store =
        catalog(vec![added(1, film("Heat", 1995, &["Crime"])), scheduled(1, offered(10, 20))])
            .await;
    for (at_ms, expected) in [(9, 0), (10, 1), (19, 1), (20, 0)] {
        let audience = viewer(Some("AT"), Maturity::From18, at_ms);
        for filter in [TitleFilter::default(), genre("crime")] {
            assert_eq!(seen(&store, filter, &audience).await.len(), expected, "{at_ms}");
        }
        assert_eq!(store.store.genres(&audience).await.unwrap().len(), expected);
        let found = store.store.title(title(1), &audience).await.unwrap();
        assert_eq!(found.is_some(), expected == 1);
    }
    for (territory, expected) in [(Some("AT"), 1), (Some("DE"), 0), (None, 0)] {
        let audience = viewer(territory, Maturity::From18, 15);
        assert_eq!(seen(&store, TitleFilter::default(), &audience).await.len(), expected);
    }
}

#[tokio::test]
async fn it_is_known_when_windows_open_and_close() {
    let scheduled = [scheduled(1, offered(10, 20)), scheduled(2, offered(15, 20))];
    let store = catalog(
        [added(1, metadata("One")), added(2, metadata("Two"))]
            .into_iter()
            .chain(scheduled)
            .collect(),
    );
    let store = store.await;
    for (from_ms, until_ms, expected) in
        [(0, 100, vec![10, 15, 20]), (10, 20, vec![10, 15]), (11, 15, vec![]), (20, 21, vec![20])]
    {
        assert_eq!(store.store.turns(from_ms, until_ms).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn pages_of_a_viewer_are_full_however_much_is_hidden() {
    let level =
        |number: u64| [Maturity::All, Maturity::From18][usize::from(!number.is_multiple_of(5))];
    let film = |number| Metadata { maturity: Some(level(number)), ..metadata("same") };
    let store = catalog((0..50).map(|number| added(number, film(number))).collect()).await;
    let child = viewer(None, Maturity::From7, 0);
    let mut paged = Vec::new();
    loop {
        let after = paged.last().map(super::TitleRow::key);
        let filter = TitleFilter::default();
        let page = store.store.list(&filter, &child, after.as_ref(), 3).await.unwrap();
        let last = page.len() < 3;
        paged.extend(page);
        if last {
            break;
        }
    }
    let found: Vec<_> = paged.iter().map(|row| row.title_id).collect();
    assert_eq!(found, (0..10).map(|number| title(number * 5)).collect::<Vec<_>>());
    let kept = store.store.titles(&[title(1), title(5)], &child).await.unwrap();
    assert_eq!(kept.iter().map(|row| row.title_id).collect::<Vec<_>>(), [title(5)]);
}

/// A title event with few names, years and genres, so that lists gain and lose.
fn event() -> impl Strategy<Value = Event> {
    let genres =
        proptest::collection::vec(proptest::sample::select(vec!["Drama", "drama", "Crime"]), 0..3);
    let metadata = (proptest::sample::select(vec!["A", "a", "B"]), 1990u16..1992, genres)
        .prop_map(|(name, year, genres)| film(name, year, &genres));
    (0u64..4, 0..9, metadata).prop_map(|(number, kind, metadata)| match kind {
        0 => added(number, metadata),
        1 | 7 => joined(number, metadata, Some(number), true),
        2 | 3 => edited(number, metadata),
        4 => scheduled(number, offered(10, 20)),
        5 => scheduled(number, Availability::everywhere()),
        6 => published(number),
        _ => withdrawn(number),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn batches_and_interleavings_do_not_show(
        events in proptest::collection::vec(event(), 0..40),
        schedule in proptest::collection::vec((0u16..4, 1usize..4), 0..20),
    ) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let log = TestLog::new();
            for event in events {
                log.title(event).await;
            }
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
