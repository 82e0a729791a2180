use bytes::Bytes;
use playhead_domain::codec::StoredEvent;
use playhead_domain::title::{Event, Kind, Metadata, TitleAdded};
use playhead_domain::viewing::{self, Progressed, Quality};
use playhead_domain::{AccountId, ProfileId, SessionId, TitleId};
use playhead_eventlog::memory::MemoryLog;
use playhead_eventlog::{Append, Expected, NewEvent, PartitionCount, StreamName};
use playhead_projections::{Catalog, ContinueWatching, catch_up};
use uuid::Uuid;

use super::*;

fn id(kind: u64, number: u64) -> Uuid {
    Uuid::from_u64_pair(kind, number)
}

async fn append(log: &MemoryLog, stream: String, number: u64, event: &impl StoredEvent) {
    let event = NewEvent {
        id: id(9, number),
        event_type: event.event_type().name.into(),
        schema_version: event.event_type().version,
        recorded_at_ms: 0,
        actor: "system:test".into(),
        correlation_id: Uuid::nil(),
        causation_id: Uuid::nil(),
        payload: Bytes::from(event.to_json().unwrap()),
        metadata: Bytes::new(),
    };
    let stream = StreamName::parse(&stream).unwrap();
    log.append(Append { stream, expected: Expected::Any, events: vec![event] }).await.unwrap();
}

async fn add_title(log: &MemoryLog, number: u64) {
    let metadata = Metadata {
        year: Some(1999),
        genres: vec!["Drama".to_owned()],
        ..Metadata::new(Kind::Movie, format!("Title {number}"))
    };
    let title_id = TitleId(id(3, number));
    let (owner, draft) = (None, false);
    let added = TitleAdded { title_id, metadata, owner, draft, at_ms: 5 };
    let added = Event::Added(added);
    append(log, format!("title-{title_id}"), number, &added).await;
}

async fn watch(log: &MemoryLog, number: u64) {
    let progressed = Progressed {
        account_id: AccountId(id(1, number)),
        profile_id: ProfileId(id(2, number)),
        title_id: TitleId(id(3, 1)),
        session_id: SessionId(id(4, number)),
        started_at_ms: 1_000,
        sequence: 1,
        position_ms: 900_000,
        played_ms: 900_000,
        duration_ms: Some(3_600_000),
        credits_start_ms: None,
        quality: Quality::default(),
        at_ms: 2_000,
    };
    let id = viewing::stream_id(progressed.account_id, progressed.profile_id);
    let event = viewing::Event::Progressed(progressed);
    append(log, format!("viewing-{id}"), 1_000 + number, &event).await;
}

async fn log_of(titles: u64) -> Arc<MemoryLog> {
    log_with(0..titles).await
}

async fn log_with(titles: std::ops::Range<u64>) -> Arc<MemoryLog> {
    let log = Arc::new(MemoryLog::new(PartitionCount::new(8).unwrap()));
    for number in titles {
        add_title(&log, number).await;
        watch(&log, number).await;
    }
    log
}

fn catalog_dir(dir: &Path) -> Generations {
    Generations::of::<Catalog>(dir)
}

/// Folds what is in the log into the live catalogue and changes it behind the projector's back.
async fn live_catalog(log: &Arc<MemoryLog>, dir: &Path, tampering: &[&'static str]) {
    let live = catalog_dir(dir).live().unwrap();
    let catalog = Catalog::open(&live).await.unwrap();
    let dyn_log: Arc<dyn EventLog> = Arc::<MemoryLog>::clone(log);
    catch_up(dyn_log, Arc::new(catalog.clone()), drop).await.unwrap();
    catalog.close().await;
    let pool = sqlx::SqlitePool::connect(live.to_str().unwrap()).await.unwrap();
    for text in tampering {
        sqlx::query(*text).execute(&pool).await.unwrap();
    }
    pool.close().await;
}

async fn rebuild_catalog(log: &Arc<MemoryLog>, dir: &Path, force: bool) -> RebuildReport {
    let log: Arc<dyn EventLog> = Arc::<MemoryLog>::clone(log);
    rebuild(log, dir, Model::Catalog, force, |_, _| ()).await.unwrap()
}

#[tokio::test]
async fn a_rebuilt_read_model_equals_the_live_one_and_takes_its_place() {
    let (log, dir) = (log_of(30).await, tempfile::tempdir().unwrap());
    live_catalog(&log, dir.path(), &[]).await;
    add_title(&log, 30).await;
    let report = rebuild_catalog(&log, dir.path(), false).await;
    assert!(report.compared && report.equal && report.switched, "{report:?}");
    assert_eq!(report.events, 61);
    let tables: Vec<_> = report.tables.iter().map(|t| (t.name.as_str(), t.rows)).collect();
    let expected = [
        ("genre_spellings", 1),
        ("term_blocks", 0),
        ("term_windows", 0),
        ("terms", 31),
        ("title_counts", 8),
        ("title_genres", 31),
        ("title_people", 0),
        ("titles", 31),
    ];
    assert_eq!(tables, expected);
    assert_eq!(report.rows, 102);
    assert_eq!(catalog_dir(dir.path()).live().unwrap(), report.generation);
    let catalog = Catalog::open(&report.generation).await.unwrap();
    assert_eq!(catalog.checkpoint().await.unwrap().total(), 61);
}

#[tokio::test]
async fn a_difference_is_shown_and_keeps_the_live_generation() {
    let (log, dir) = (log_of(9).await, tempfile::tempdir().unwrap());
    let tampering = [
        "UPDATE titles SET year = 2001 WHERE sort_name = 'title 3'",
        "DELETE FROM titles WHERE sort_name = 'title 5'",
        "INSERT INTO titles (title_id, sort_name, kind, draft, added_at_ms, listed_at_ms, scheduled, \
         metadata) VALUES ('zzz', 'z', 'movie', 0, 0, 0, 0, '{}')",
    ];
    live_catalog(&log, dir.path(), &tampering).await;
    let live = catalog_dir(dir.path()).live().unwrap();
    let report = rebuild_catalog(&log, dir.path(), false).await;
    assert!(report.compared && !report.equal && !report.switched, "{report:?}");
    let titles = report.tables.iter().find(|table| table.name == "titles").unwrap();
    assert_eq!((titles.rows, titles.differing, titles.differences.len()), (9, 3, 3));
    let sides: Vec<_> =
        titles.differences.iter().map(|d| (d.left.is_some(), d.right.is_some())).collect();
    assert_eq!(sides, [(true, true), (false, true), (true, false)]);
    assert!(titles.differences[0].left.as_ref().unwrap().contains("2001"));
    assert_eq!(catalog_dir(dir.path()).live().unwrap(), live);
    assert!(live.exists() && report.generation.exists());

    let forced = rebuild_catalog(&log, dir.path(), true).await;
    assert!(!forced.equal && forced.switched);
    assert_eq!(catalog_dir(dir.path()).live().unwrap(), forced.generation);
    assert!(!live.exists());
}

#[tokio::test]
async fn a_missing_live_store_is_made_and_a_foreign_one_replaced() {
    let (log, dir) = (log_of(3).await, tempfile::tempdir().unwrap());
    let first = rebuild_catalog(&log, dir.path(), false).await;
    assert!(first.compared && first.equal && first.switched);
    let live = catalog_dir(dir.path()).live().unwrap();
    let pool = sqlx::SqlitePool::connect(live.to_str().unwrap()).await.unwrap();
    sqlx::query("UPDATE model SET version = 0").execute(&pool).await.unwrap();
    pool.close().await;
    let again = rebuild_catalog(&log, dir.path(), false).await;
    assert!(!again.compared && again.switched);
    assert_eq!(first.hash, again.hash);
}

#[tokio::test]
async fn a_read_model_of_another_or_a_restored_log_is_replaced_and_not_compared() {
    let log = log_of(20).await;
    for other in [log_with(100..120).await, log_of(15).await, log_with(5..60).await] {
        let (dir, fresh) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        live_catalog(&log, dir.path(), &[]).await;
        let replaced = rebuild_catalog(&other, dir.path(), false).await;
        assert!(!replaced.compared && !replaced.equal && replaced.switched, "{replaced:?}");
        let alone = rebuild_catalog(&other, fresh.path(), false).await;
        assert_eq!((replaced.hash, replaced.rows), (alone.hash, alone.rows));
        let again = rebuild_catalog(&other, dir.path(), false).await;
        assert!(again.compared && again.equal, "{again:?}");
    }
}

#[tokio::test]
async fn a_store_from_before_last_events_were_kept_is_replaced() {
    let (log, dir) = (log_of(6).await, tempfile::tempdir().unwrap());
    let tampering =
        ["ALTER TABLE checkpoint DROP COLUMN last_event_id", "UPDATE model SET version = 1"];
    live_catalog(&log, dir.path(), &tampering).await;
    let report = rebuild_catalog(&log, dir.path(), false).await;
    assert!(!report.compared && report.switched, "{report:?}");
    assert_eq!(report.events, 12);
}

#[tokio::test]
async fn the_hash_depends_on_the_content_alone() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (log, longer) = (log_of(12).await, log_of(13).await);
    let fresh = rebuild_catalog(&log, one.path(), false).await;
    live_catalog(&log, other.path(), &[]).await;
    let compared = rebuild_catalog(&log, other.path(), false).await;
    assert_eq!(fresh.hash, compared.hash);
    assert_eq!(fresh.hash.len(), 64);
    assert_ne!(fresh.hash, rebuild_catalog(&longer, one.path(), false).await.hash);
}

#[tokio::test]
async fn continue_watching_can_be_rebuilt_and_reports_progress() {
    let (log, dir) = (log_of(5).await, tempfile::tempdir().unwrap());
    let dyn_log: Arc<dyn EventLog> = Arc::<MemoryLog>::clone(&log);
    let mut told = vec![];
    let tell = |phase, events| told.push((phase, events));
    let report = rebuild(dyn_log, dir.path(), Model::ContinueWatching, false, tell).await.unwrap();
    assert_eq!(report.events, 10);
    let expected = [
        (Phase::BringingUp, 0),
        (Phase::BringingUp, 10),
        (Phase::Folding, 0),
        (Phase::Folding, 10),
        (Phase::Comparing, 10),
    ];
    assert_eq!(told, expected);
    let store = ContinueWatching::open(&report.generation).await.unwrap();
    assert_eq!(
        store
            .row(ProfileId(id(2, 3)), &playhead_projections::Audience::Everyone, None, 9)
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn stores_of_different_models_have_nothing_in_common() {
    let (log, dir) = (log_of(2).await, tempfile::tempdir().unwrap());
    let catalog = rebuild_catalog(&log, dir.path(), false).await.generation;
    let log: Arc<dyn EventLog> = log;
    let watching =
        rebuild(log, dir.path(), Model::ContinueWatching, false, |_, _| ()).await.unwrap();
    let comparison = compare(&catalog, &watching.generation).await.unwrap();
    assert!(!comparison.equal);
    assert_eq!(comparison.tables.len(), 13);
    assert!(compare(&catalog, Path::new("/nowhere/at/all")).await.is_err());
}

#[test]
fn an_unknown_model_is_answered_with_those_there_are() {
    for model in Model::ALL {
        assert_eq!(model.to_string().parse(), Ok(model));
    }
    let error = "nothing".parse::<Model>().unwrap_err().to_string();
    assert_eq!(
        error,
        "there is no read model \"nothing\"; there are catalog, continue_watching, access, \
         trending, search"
    );
}

#[tokio::test]
async fn a_search_index_is_rebuilt_beside_the_live_one_and_compared_title_by_title() {
    let (log, dir) = (log_of(30).await, tempfile::tempdir().unwrap());
    let dyn_log: Arc<dyn EventLog> = Arc::<MemoryLog>::clone(&log);
    let rebuilt = || rebuild(Arc::clone(&dyn_log), dir.path(), Model::Search, false, |_, _| ());
    let first = rebuilt().await.unwrap();
    assert!(first.compared && first.equal && first.switched, "{first:?}");
    assert_eq!((first.rows, first.tables[0].name.as_str()), (30, "documents"));
    assert!(first.generation.is_dir());
    // Changed behind the projector's back.
    let options = playhead_search::index::Options::default();
    let index = playhead_search::index::Index::open(&first.generation, options).unwrap();
    let payload = index.payload().unwrap().unwrap();
    let title_id = index.snapshot().documents().next().unwrap().unwrap().title_id;
    index.remove(title_id);
    index.commit(&payload).unwrap();
    index.close().unwrap();
    drop(index);
    let second = rebuilt().await.unwrap();
    assert!(second.compared && !second.equal && !second.switched, "{second:?}");
    assert_eq!((second.tables[0].differing, &second.hash), (1, &first.hash));
    let forced =
        rebuild(Arc::clone(&dyn_log), dir.path(), Model::Search, true, |_, _| ()).await.unwrap();
    assert!(forced.switched && !first.generation.exists());
    assert!(rebuilt().await.unwrap().equal);
}
