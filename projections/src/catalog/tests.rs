use playhead_domain::title::{Event, Kind, Metadata};
use proptest::prelude::*;
use sqlx::AssertSqlSafe;

use super::{Changes, TitleFilter, queries, tables};
use crate::testing::{TestLog, TestStore, added, edited, metadata, prepare_all, title, withdrawn};

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
    let rows = store.store.list(&filter, None, 100).await.unwrap();
    assert_eq!(rows.len() as u64, store.store.count(&filter).await.unwrap(), "{filter:?}");
    rows.into_iter().map(|row| row.metadata.name).collect()
}

fn genre(genre: &str) -> TitleFilter {
    TitleFilter { genre: Some(genre.to_owned()), ..TitleFilter::default() }
}

#[tokio::test]
async fn every_statement_can_be_prepared() {
    prepare_all::<Changes>([tables::statements(), queries::statements()].concat()).await;
    prepare_all::<Changes>(vec![queries::by_ids(3)]).await;
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
    let whole = store.store.list(&TitleFilter::default(), None, 100).await.unwrap();
    let mut paged = Vec::new();
    while paged.len() < whole.len() {
        let after = paged.last().map(super::TitleRow::key);
        let page = store.store.list(&TitleFilter::default(), after.as_ref(), 2).await.unwrap();
        assert!(!page.is_empty());
        paged.extend(page);
    }
    assert_eq!(paged, whole);
}

#[tokio::test]
async fn genres_are_counted_under_their_commonest_spelling() {
    let store = shop().await;
    let genres = store.store.genres().await.unwrap();
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
    assert_eq!(store.store.title(title(1)).await.unwrap().unwrap().added_at_ms, 1);
    assert_eq!(store.store.genres().await.unwrap(), [("Drama".to_owned(), 1)]);
}

#[tokio::test]
async fn a_withdrawn_title_leaves_nothing_behind() {
    let store = catalog(vec![added(1, film("Heat", 1995, &["Crime"])), withdrawn(1)]).await;
    assert_eq!(store.lines().await, Vec::<String>::new());
    assert_eq!(store.store.title(title(1)).await.unwrap(), None);
}

#[tokio::test]
async fn titles_are_answered_in_the_order_of_their_ids() {
    let store = shop().await;
    let ids = [title(4), title(99), title(1), title(4)];
    let rows = store.store.titles(&ids).await.unwrap();
    let found: Vec<_> = rows.iter().map(|row| row.title_id).collect();
    assert_eq!(found, [title(4), title(1), title(4)]);
    assert_eq!(store.store.titles(&[]).await.unwrap(), []);
}

/// A list that sorts or scans would be slow with ten million titles.
#[tokio::test]
async fn every_list_walks_along_an_index() {
    let store = TestStore::<Changes>::new().await;
    for list in queries::LISTS {
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {list}")))
                .fetch_all(store.store.readers())
                .await
                .unwrap();
        for (.., step) in &plan {
            assert!(step.starts_with("SEARCH") && step.contains("INDEX"), "{list}: {plan:?}");
        }
    }
}

/// A title event with few names, years and genres, so that lists gain and lose.
fn event() -> impl Strategy<Value = Event> {
    let genres =
        proptest::collection::vec(proptest::sample::select(vec!["Drama", "drama", "Crime"]), 0..3);
    let metadata = (proptest::sample::select(vec!["A", "a", "B"]), 1990u16..1992, genres)
        .prop_map(|(name, year, genres)| film(name, year, &genres));
    (0u64..4, 0..5, metadata).prop_map(|(number, kind, metadata)| match kind {
        0 | 1 => added(number, metadata),
        2 | 3 => edited(number, metadata),
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
