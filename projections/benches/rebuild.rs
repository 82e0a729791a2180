//! How many events a second a read model folds from the start of a log: `cargo bench -p
//! playhead-projections`. The log is like one imported from MovieLens: sessions in account order,
//! each of three events. Prints the median of five.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a bench talks to people")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use playhead_domain::codec::StoredEvent;
use playhead_domain::playback::{self, PlaybackStarted, PlaybackStopped};
use playhead_domain::title::{self, Credit, Kind, Metadata, TitleAdded};
use playhead_domain::viewing::{self, Progressed, Quality};
use playhead_domain::{AccountId, ProfileId, SessionId, TitleId};
use playhead_eventlog::memory::MemoryLog;
use playhead_eventlog::{Append, EventLog, Expected, NewEvent, PartitionCount, StreamName};
use playhead_projections::store::{Fold, SqliteStore};
use playhead_projections::{ReadModel, catalog, catch_up, continue_watching};
use uuid::Uuid;

const SESSIONS: u64 = 100_000;
const SESSIONS_OF_ACCOUNT: u64 = 165;
const TITLES: u64 = 36_000;
const RUNS: usize = 5;
const MINUTE_MS: u64 = 60_000;

/// Ids spread as random ones are, the same on every run.
fn id(kind: u64, number: u64) -> Uuid {
    let spread = |salt: u64| (number + salt).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    uuid::Builder::from_random_bytes(
        Uuid::from_u64_pair(spread(kind << 40), spread(kind)).into_bytes(),
    )
    .into_uuid()
}

fn new_event(number: u64, event: &impl StoredEvent) -> NewEvent {
    NewEvent {
        id: id(9, number),
        event_type: event.event_type().name.into(),
        schema_version: event.event_type().version,
        recorded_at_ms: 0,
        actor: "system:bench".into(),
        correlation_id: Uuid::nil(),
        causation_id: Uuid::nil(),
        payload: Bytes::from(event.to_json().unwrap()),
        metadata: Bytes::new(),
    }
}

async fn append(log: &MemoryLog, stream: String, events: Vec<NewEvent>) {
    let stream = StreamName::parse(&stream).unwrap();
    log.append(Append { stream, expected: Expected::Any, events }).await.unwrap();
}

async fn sessions() -> MemoryLog {
    let log = MemoryLog::new(PartitionCount::DEFAULT);
    for number in 0..SESSIONS {
        let account = number / SESSIONS_OF_ACCOUNT;
        let (account_id, profile_id) = (AccountId(id(1, account)), ProfileId(id(2, account)));
        let title_id = TitleId(id(3, number.wrapping_mul(2_654_435_761) % TITLES));
        let session_id = SessionId(id(4, number));
        let started_at_ms = i64::try_from(number * 100 * MINUTE_MS).unwrap();
        let at_ms = started_at_ms + 5_400_000;
        let started = playback::Event::Started(PlaybackStarted {
            account_id,
            session_id,
            profile_id,
            title_id,
            device_id: None,
            device: playhead_domain::Personal::Known("living room".to_owned()),
            territory: None,
            started_at_ms,
        });
        let progressed = viewing::Event::Progressed(Progressed {
            account_id,
            profile_id,
            title_id,
            session_id,
            started_at_ms,
            sequence: 1,
            position_ms: (number % 100) * MINUTE_MS,
            played_ms: (number % 100) * MINUTE_MS,
            duration_ms: Some(100 * MINUTE_MS),
            credits_start_ms: None,
            quality: Quality::default(),
            at_ms,
        });
        let stopped = playback::Event::Stopped(PlaybackStopped {
            account_id,
            session_id,
            profile_id,
            title_id,
            started_at_ms,
            at_ms,
        });
        let playback = format!("playback-{account_id}");
        let viewing = format!("viewing-{}", viewing::stream_id(account_id, profile_id));
        append(&log, playback.clone(), vec![new_event(3 * number, &started)]).await;
        append(&log, viewing, vec![new_event(3 * number + 1, &progressed)]).await;
        append(&log, playback, vec![new_event(3 * number + 2, &stopped)]).await;
    }
    log
}

async fn titles() -> MemoryLog {
    let log = MemoryLog::new(PartitionCount::DEFAULT);
    let genres = ["Drama", "Comedy", "Thriller", "Crime", "Horror", "Romance", "Documentary"];
    for number in 0..TITLES {
        let title_id = TitleId(id(3, number));
        let genres = genres.iter().skip(usize::try_from(number % 5).unwrap()).take(3);
        let metadata = Metadata {
            year: u16::try_from(1920 + number % 100).ok(),
            runtime_ms: Some(100 * MINUTE_MS),
            genres: genres.map(|genre| (*genre).to_owned()).collect(),
            credits: Credit::of(
                ["Somebody Somewhere".to_owned()],
                vec!["Some Actor".to_owned(); 8],
            ),
            synopsis: Some("Nobody knows how it ends. ".repeat(10)),
            ..Metadata::new(Kind::Movie, format!("{} of the {number}", id(5, number)))
        };
        let (owner, draft) = (None, false);
        let added = TitleAdded { title_id, metadata, owner, draft, at_ms: 1 };
        let added = title::Event::Added(added);
        append(&log, format!("title-{title_id}"), vec![new_event(number, &added)]).await;
    }
    log
}

async fn run<F: Fold>(log: &Arc<dyn EventLog>) -> (u64, Duration) {
    let dir = tempfile::tempdir().unwrap();
    let begin = Instant::now();
    let store = SqliteStore::<F>::open_fresh(&dir.path().join("bench.sqlite")).await.unwrap();
    let model: Arc<dyn ReadModel> = Arc::new(store.clone());
    let events = catch_up(Arc::clone(log), model, drop).await.unwrap();
    store.seal().await.unwrap();
    (events, begin.elapsed())
}

async fn median<F: Fold>(log: MemoryLog) {
    let log: Arc<dyn EventLog> = Arc::new(log);
    let mut times = Vec::new();
    let mut events = 0;
    for _ in 0..RUNS {
        let (folded, time) = run::<F>(&log).await;
        events = folded;
        times.push(time);
    }
    times.sort();
    let time = times.get(RUNS / 2).copied().unwrap();
    let micros = u64::try_from(time.as_micros()).unwrap().max(1);
    println!(
        "{:<20} {events} events in {time:.2?}: {} events/s (runs: {times:.2?})",
        F::NAME,
        events * 1_000_000 / micros,
    );
}

#[tokio::main]
async fn main() {
    let named = |name| std::env::args().nth(1).is_none_or(|arg| arg == name || arg == "--bench");
    if named(continue_watching::Changes::NAME) {
        median::<continue_watching::Changes>(sessions().await).await;
    }
    if named(catalog::Changes::NAME) {
        median::<catalog::Changes>(titles().await).await;
    }
}
