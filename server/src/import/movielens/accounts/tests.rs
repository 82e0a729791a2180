use playhead_eventlog::memory::MemoryLog;
use playhead_eventlog::{Cursor, PartitionCount};

use super::super::ratings::Rating;
use super::*;
use crate::import::context;

fn accounts(log: &Arc<MemoryLog>) -> Accounts {
    let log: Arc<dyn EventLog> = log.clone();
    let commands = Arc::new(Commands::new(Arc::clone(&log)));
    Accounts { commands, log, context: context(), dry_run: false }
}

fn user(ratings: std::ops::Range<u32>) -> UserRatings {
    let rating = |number: u32| Rating {
        at_ms: 1_000_000_000_000 + i64::from(number) * 1_000,
        title_id: ids::title(MOVIELENS, &number.to_string()),
        tenth_stars: u64::from(5 + number % 10 * 5),
    };
    UserRatings { user_id: 1, ratings: ratings.map(rating).collect(), left_out: 0 }
}

fn events(log: &MemoryLog) -> u64 {
    log.head().total()
}

#[tokio::test]
async fn plays_that_overlap_are_all_recorded() {
    let log = Arc::new(MemoryLog::new(PartitionCount::DEFAULT));
    let recorded = accounts(&log).record(user(0..250)).await.unwrap();
    assert_eq!((recorded.plays_added, recorded.events), (250, 3 + 3 * 250));
    assert_eq!(events(&log), 3 + 3 * 250);
}

#[tokio::test]
async fn recording_again_adds_nothing() {
    let log = Arc::new(MemoryLog::new(PartitionCount::DEFAULT));
    accounts(&log).record(user(0..250)).await.unwrap();
    let again = accounts(&log).record(user(0..250)).await.unwrap();
    let expected = Recorded { plays_already_there: 250, ..Recorded::default() };
    assert_eq!(again, expected);
    assert_eq!(events(&log), 3 + 3 * 250);
}

#[tokio::test]
async fn a_dry_run_records_nothing_and_says_what_would_be() {
    let log = Arc::new(MemoryLog::new(PartitionCount::DEFAULT));
    let dry = Accounts { dry_run: true, ..accounts(&log) };
    let expected = Recorded { opened: true, plays_added: 250, ..Recorded::default() };
    assert_eq!(dry.record(user(0..250)).await.unwrap(), expected);
    assert_eq!(events(&log), 0);
    accounts(&log).record(user(0..100)).await.unwrap();
    let expected = Recorded { plays_added: 150, plays_already_there: 100, ..Recorded::default() };
    assert_eq!(dry.record(user(0..250)).await.unwrap(), expected);
}

#[tokio::test]
async fn an_import_that_died_between_two_appends_is_completed() {
    let log = Arc::new(MemoryLog::new(PartitionCount::DEFAULT));
    let accounts = accounts(&log);
    let account_id = ids::account(MOVIELENS, "1");
    let household = Household { account_id, profile_id: ids::profile(account_id) };
    let plays: Vec<_> =
        user(0..30).ratings.into_iter().map(|rating| Play::of(account_id, rating)).collect();
    accounts.open(household, 1, 0).await.unwrap();
    accounts.sessions(household, &plays, &mut Known::default()).await.unwrap();
    let recorded = accounts.record(user(0..250)).await.unwrap();
    assert_eq!((recorded.plays_added, recorded.events), (250, 250 + 2 * 220));
    assert_eq!(events(&log), 3 + 3 * 250);
    let all = log.read(&Cursor::start(PartitionCount::DEFAULT), 10_000).await.unwrap().events;
    let of = |name: &str| all.iter().filter(|one| &*one.event.event_type == name).count();
    assert_eq!(["PlaybackStarted", "Progressed", "PlaybackStopped"].map(of), [250; 3]);
}
