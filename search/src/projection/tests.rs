use std::sync::atomic::{AtomicU64, Ordering};

use playhead_domain::availability::Availability;
use playhead_domain::codec::StoredEvent;
use playhead_domain::entitlement::Viewer;
use playhead_domain::title::{
    AvailabilityScheduled, Event, Kind, Metadata, TitleAdded, TitleEdited, TitlePublished,
    TitleWithdrawn,
};
use playhead_domain::{Maturity, TitleId};
use playhead_eventlog::memory::MemoryLog;
use playhead_eventlog::{Append, Expected, NewEvent, PartitionCount, StreamName};
use playhead_projections::catch_up;
use uuid::Uuid;

use super::*;
use crate::query::Audience;

const OPTIONS: Options = Options { writer_bytes: 15_000_000 };

fn id(number: u64) -> TitleId {
    TitleId(Uuid::from_u64_pair(3, number))
}

fn metadata(name: &str) -> Metadata {
    let mut metadata = Metadata::new(Kind::Movie, name.to_owned());
    metadata.genres = vec!["Drama".to_owned()];
    metadata.maturity = Some(Maturity::All);
    metadata
}

fn added(number: u64, name: &str) -> Event {
    let (owner, draft, at_ms) = (None, false, 5);
    let metadata = metadata(name);
    Event::Added(TitleAdded { title_id: id(number), metadata, owner, draft, at_ms })
}

fn edited(number: u64, name: &str) -> Event {
    Event::Edited(TitleEdited { title_id: id(number), metadata: metadata(name), at_ms: 6 })
}

fn withdrawn(number: u64) -> Event {
    Event::Withdrawn(TitleWithdrawn { title_id: id(number), at_ms: 7 })
}

fn nowhere(number: u64) -> Event {
    let blocked_territories = vec!["AT".parse().unwrap()];
    let availability = Availability { blocked_territories, ..Availability::everywhere() };
    Event::Scheduled(AvailabilityScheduled { title_id: id(number), availability, at_ms: 8 })
}

/// A log in memory of four partitions.
struct TestLog {
    log: Arc<MemoryLog>,
    ids: AtomicU64,
}

impl TestLog {
    fn new(first_id: u64) -> Self {
        let log = Arc::new(MemoryLog::new(PartitionCount::new(4).unwrap()));
        Self { log, ids: AtomicU64::new(first_id) }
    }

    fn log(&self) -> Arc<dyn EventLog> {
        Arc::<MemoryLog>::clone(&self.log)
    }

    async fn append(&self, event: &Event) {
        let of = event.event_type();
        let stream = format!("title-{}", changes::title_of(event));
        self.append_raw(&stream, of.name, of.version, event.to_json().unwrap(), 1).await;
    }

    async fn append_raw(
        &self,
        stream: &str,
        name: &str,
        version: u16,
        payload: Vec<u8>,
        times: u64,
    ) {
        let event = |_| NewEvent {
            id: Uuid::from_u64_pair(9, self.ids.fetch_add(1, Ordering::Relaxed)),
            event_type: name.into(),
            schema_version: version,
            recorded_at_ms: 0,
            actor: "system:test".into(),
            correlation_id: Uuid::nil(),
            causation_id: Uuid::nil(),
            payload: payload.clone().into(),
            metadata: Vec::new().into(),
        };
        let stream = StreamName::parse(stream).unwrap();
        let events: Vec<_> = (0..times).map(event).collect();
        for events in events.chunks(500) {
            let (stream, events) = (stream.clone(), events.to_vec());
            self.log.append(Append { stream, expected: Expected::Any, events }).await.unwrap();
        }
    }

    /// A log of titles that were changed in every way.
    async fn lively() -> Self {
        let log = Self::new(1);
        for number in 0..12 {
            log.append(&added(number, &format!("Title {number}"))).await;
        }
        for number in [0, 3, 6] {
            log.append(&edited(number, &format!("Renamed {number}"))).await;
            log.append(&nowhere(number)).await;
        }
        for number in [3, 4] {
            log.append(&withdrawn(number)).await;
        }
        let draft = TitleAdded {
            title_id: id(20),
            metadata: metadata("Draft"),
            owner: None,
            draft: true,
            at_ms: 9,
        };
        log.append(&Event::Added(draft)).await;
        log.append(&nowhere(20)).await;
        log.append(&Event::Published(TitlePublished { title_id: id(20), at_ms: 10 })).await;
        log
    }
}

impl Search {
    async fn follow(&self, log: &TestLog) {
        catch_up(log.log(), Arc::new(self.clone()), drop).await.unwrap();
    }

    async fn finds(&self, text: &str) -> Vec<TitleId> {
        let answer = self.search(Request::new(text)).await.unwrap();
        answer.hits.iter().map(|hit| hit.title_id).collect()
    }

    fn dump(&self) -> Vec<String> {
        self.snapshot().lines().map(|line| line.unwrap().1).collect()
    }
}

fn in_memory() -> Search {
    Search::in_memory(OPTIONS).unwrap()
}

#[tokio::test]
async fn titles_are_found_as_the_log_says_last() {
    let (log, search) = (TestLog::lively().await, in_memory());
    search.follow(&log).await;
    assert_eq!(search.finds("renamed 0").await, [id(0), id(6)]);
    assert_eq!(search.finds("title 5").await[0], id(5));
    assert_eq!(search.finds("draft").await, [id(20)], "it was published");
    assert!(!search.finds("title 4").await.contains(&id(4)), "it was withdrawn");
    assert_eq!(search.snapshot().titles(), 11);
    log.append(&edited(5, "Quince")).await;
    search.follow(&log).await;
    assert_eq!(search.finds("quince").await, [id(5)]);
}

#[tokio::test]
async fn a_damaged_index_is_found_when_it_is_opened() {
    let (log, dir) = (TestLog::lively().await, tempfile::tempdir().unwrap());
    let search = Search::open(dir.path(), OPTIONS).unwrap();
    search.follow(&log).await;
    Generation::close(&search).await;
    drop(search);
    for extension in ["fast", "store", "term", "idx"] {
        let files = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
        let file = files.into_iter().find(|it| it.extension().is_some_and(|it| it == extension));
        let file = file.unwrap();
        let sound = std::fs::read(&file).unwrap();
        let mut damaged = sound.clone();
        damaged[sound.len() / 3] ^= 1;
        std::fs::write(&file, damaged).unwrap();
        let opened = Search::open(dir.path(), OPTIONS);
        assert!(matches!(&opened, Err(StoreError::Damaged { .. })), "{extension}: {opened:?}");
        std::fs::write(&file, sound).unwrap();
    }
    assert!(Search::open(dir.path(), OPTIONS).is_ok());
}

#[tokio::test]
async fn a_search_waits_for_its_turn() {
    let search = in_memory();
    let turns = search.shared.searching.available_permits();
    let all = u32::try_from(turns).unwrap();
    let held = Arc::clone(&search.shared.searching).acquire_many_owned(all).await.unwrap();
    let waiting = tokio::spawn({
        let search = search.clone();
        async move { search.finds("quince").await }
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    drop(held);
    assert!(waiting.await.unwrap().is_empty());
    assert_eq!(search.shared.searching.available_permits(), turns);
}

#[tokio::test]
async fn the_size_of_batches_does_not_show() {
    let (log, at_once, one_by_one) = (TestLog::lively().await, in_memory(), in_memory());
    at_once.follow(&log).await;
    let mut cursor = one_by_one.resume().await.unwrap();
    for partition in log.log.partitions().all() {
        cursor.set(partition, 0);
    }
    loop {
        let batch = log.log.read(&cursor, 1).await.unwrap();
        if batch.events.is_empty() {
            break;
        }
        one_by_one.apply(&batch).await.unwrap();
        cursor = batch.next;
    }
    assert_eq!(one_by_one.dump(), at_once.dump());
    assert_eq!(one_by_one.checkpoint().await.unwrap(), at_once.checkpoint().await.unwrap());
}

#[tokio::test]
async fn a_crash_before_the_commit_leaves_the_payload_before() {
    let (log, dir) = (TestLog::lively().await, tempfile::tempdir().unwrap());
    let search = Search::open(dir.path(), OPTIONS).unwrap();
    search.follow(&log).await;
    let (checkpoint, dump) = (search.checkpoint().await.unwrap(), search.dump());
    log.append(&withdrawn(5)).await;
    // As far as a batch gets before its commit.
    search.shared.index.remove(id(5));
    search.shared.index.close().unwrap();
    drop(search);
    let search = Search::open(dir.path(), OPTIONS).unwrap();
    assert_eq!(search.checkpoint().await.unwrap(), checkpoint);
    assert_eq!(search.dump(), dump);
    search.follow(&log).await;
    assert_eq!(search.dump().len(), dump.len() - 1);
    let counted: u64 = log.log.head().total();
    assert_eq!(search.checkpoint().await.unwrap().total(), counted);
}

#[tokio::test]
async fn what_was_put_and_not_committed_is_forgotten_when_it_resumes() {
    let (log, search) = (TestLog::lively().await, in_memory());
    search.follow(&log).await;
    let dump = search.dump();
    search.shared.index.remove(id(5));
    search.follow(&log).await;
    log.append(&edited(6, "Again")).await;
    search.follow(&log).await;
    assert_eq!(search.dump().len(), dump.len());
}

#[tokio::test]
async fn an_event_that_cannot_be_read_holds_up_its_stream_only() {
    let (log, dir) = (TestLog::new(1), tempfile::tempdir().unwrap());
    log.append(&added(1, "First")).await;
    let stream = format!("title-{}", id(1));
    log.append_raw(&stream, "TitleEdited", 3, b"{}".to_vec(), 1).await;
    log.append(&withdrawn(1)).await;
    log.append(&added(2, "Second")).await;
    let search = Search::open(dir.path(), OPTIONS).unwrap();
    search.follow(&log).await;
    let parked = search.parked().await.unwrap();
    assert_eq!(parked.iter().map(|it| it.version).collect::<Vec<_>>(), [1, 2]);
    search.close().await;
    drop(search);
    let search = Search::open(dir.path(), OPTIONS).unwrap();
    assert_eq!(search.parked().await.unwrap(), parked, "they are in the payload");
    log.append(&edited(1, "Third")).await;
    search.follow(&log).await;
    assert_eq!(search.parked().await.unwrap().len(), 3);
    assert_eq!(search.snapshot().titles(), 2);
}

#[tokio::test]
async fn with_too_many_parked_events_it_stands_still() {
    let (log, search) = (TestLog::new(1), in_memory());
    let times = u64::try_from(PARKED_MAX).unwrap() + 1;
    let stream = format!("title-{}", id(1));
    log.append_raw(&stream, "TitleEdited", 3, b"{}".to_vec(), times).await;
    let failed = catch_up(log.log(), Arc::new(search.clone()), drop).await.unwrap_err();
    assert!(failed.to_string().contains("more than 10000 events"), "{failed}");
    let committed = u64::try_from(COMMIT_MAX).unwrap();
    assert_eq!(search.checkpoint().await.unwrap().total(), committed, "what was whole before");
}

#[tokio::test]
async fn what_is_not_about_titles_costs_no_commit_and_is_not_lost_when_it_closes() {
    let (log, dir) = (TestLog::lively().await, tempfile::tempdir().unwrap());
    let search = Search::open(dir.path(), OPTIONS).unwrap();
    search.follow(&log).await;
    let payload = search.shared.index.payload().unwrap();
    log.append_raw("viewing-1", "Progressed", 1, b"{}".to_vec(), 100).await;
    search.follow(&log).await;
    assert_eq!(search.shared.index.payload().unwrap(), payload);
    let checkpoint = search.checkpoint().await.unwrap();
    assert_eq!(checkpoint, log.log.head());
    search.close().await;
    drop(search);
    let search = Search::open(dir.path(), OPTIONS).unwrap();
    assert_eq!(search.checkpoint().await.unwrap().total(), checkpoint.total());
}

#[tokio::test]
async fn an_index_of_another_version_has_to_be_rebuilt() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open(dir.path(), OPTIONS).unwrap();
    index.commit(r#"{"version":99,"shape":"unknown"}"#).unwrap();
    index.close().unwrap();
    let opened = Search::open(dir.path(), OPTIONS);
    assert!(
        matches!(&opened, Err(StoreError::OtherVersion { found, .. }) if found == "search 99"),
        "{opened:?}"
    );
}

#[tokio::test]
async fn an_index_knows_its_log() {
    let (log, search) = (TestLog::lively().await, in_memory());
    search.follow(&log).await;
    assert!(search.belongs_to(log.log.as_ref()).await.unwrap());
    assert!(!search.belongs_to(TestLog::new(1).log.as_ref()).await.unwrap());
    let other = TestLog::new(1_000);
    for number in 0..60 {
        other.append(&added(number, "Other")).await;
    }
    assert!(!search.belongs_to(other.log.as_ref()).await.unwrap());
    assert!(in_memory().belongs_to(other.log.as_ref()).await.unwrap());
}

#[tokio::test]
async fn small_segments_are_joined_and_hold_the_same() {
    let (log, dir) = (TestLog::new(1), tempfile::tempdir().unwrap());
    let search = Search::open(dir.path(), OPTIONS).unwrap();
    for number in 0..5 {
        log.append(&added(number, &format!("Title {number}"))).await;
        search.follow(&log).await;
    }
    log.append(&withdrawn(1)).await;
    log.append(&edited(2, "Quince")).await;
    search.follow(&log).await;
    let before = search.dump();
    assert!(search.snapshot().segments.len() > 3);
    search.prepare().await.unwrap();
    assert_eq!(search.snapshot().segments.len(), 1);
    assert_eq!(search.dump(), before);
    assert_eq!(search.finds("quince").await, [id(2)]);
    let checkpoint = search.checkpoint().await.unwrap();
    Generation::close(&search).await;
    let again = Search::open(dir.path(), OPTIONS).unwrap();
    assert_eq!(again.checkpoint().await.unwrap(), checkpoint);
    assert_eq!((again.dump(), again.snapshot().segments.len()), (before, 1));
}

#[tokio::test]
async fn what_is_no_longer_shown_is_not_suggested_although_suggestions_are_older() {
    let (log, search) = (TestLog::new(1), in_memory());
    log.append(&added(1, "Solaris")).await;
    log.append(&added(2, "Stalker")).await;
    search.follow(&log).await;
    assert!(search.prepare().await.unwrap() && !search.prepare().await.unwrap());
    let viewer = Viewer { territory: "AT".parse().ok(), maturity_max: Maturity::From18 };
    let audience = Audience { viewer, at_ms: 0 };
    let suggested = || {
        let found = search.aids().suggest(&search.snapshot(), "s", Some(&audience), 10).unwrap();
        found.into_iter().map(|it| it.text).collect::<Vec<_>>()
    };
    assert_eq!(suggested(), ["Solaris", "Stalker"]);
    log.append(&withdrawn(1)).await;
    log.append(&nowhere(2)).await;
    search.follow(&log).await;
    assert!(suggested().is_empty());
    search.outdated().await;
    assert!(search.prepare().await.unwrap());
    assert_eq!(search.aids().titles(), 1);
    assert_eq!(search.snapshot().genres_of(id(2)).unwrap(), ["Drama"]);
}
