//! What is refused when a log is opened, in words that say what to do, and what is settled then.

use std::error::Error;

use playhead_eventlog::postgres::{OpenError, PostgresLog};
use playhead_eventlog::{Append, AppendError, EventLog, Expected, NewEvent, PartitionCount};
use sqlx::{Executor, query_scalar};

use crate::fixture::{append, event, open, record, two_partitions};
use crate::server::{Server, connect};

async fn refused(address: &str) -> OpenError {
    PostgresLog::open(address, two_partitions()).await.expect_err("it must not open")
}

#[tokio::test]
async fn no_address_and_no_server_are_told_apart() {
    let error = refused("a database, please").await;
    assert!(matches!(error, OpenError::Address { .. }), "{error}");
    let error = refused(&Server::shared().address("no_such_database")).await;
    assert!(matches!(error, OpenError::Connect { .. }), "{error}");
    assert!(error.to_string().contains("5432/no_such_database"), "{error}");
    let source = error.source().unwrap().to_string();
    assert!(source.contains("does not exist"), "{source}");
    let error = refused("postgres://me:secret@127.0.0.1:1/db").await;
    assert!(matches!(error, OpenError::Connect { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
}

#[tokio::test]
async fn another_encoding_is_refused() {
    let address = Server::shared().database_as("ENCODING 'LATIN1' LOCALE 'C'").await;
    let error = refused(&address).await;
    assert!(matches!(&error, OpenError::Encoding { found } if found == "LATIN1"), "{error}");
}

#[tokio::test]
async fn the_partition_count_is_that_of_the_creation() {
    let address = Server::shared().database().await;
    open(&address, PartitionCount::DEFAULT).await;
    let error = refused(&address).await;
    assert!(matches!(error, OpenError::PartitionCount { found: 64, wanted: 2 }), "{error}");
}

#[tokio::test]
async fn tables_of_a_newer_version_are_refused() {
    let address = Server::shared().database().await;
    open(&address, two_partitions()).await;
    let newer = "UPDATE playhead_eventlog.log SET schema_version = 99";
    connect(&address).await.execute(newer).await.unwrap();
    let error = refused(&address).await;
    assert!(matches!(error, OpenError::TooNew { found: 99, known: 1 }), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_create_the_log_at_once_agree() {
    let address = Server::shared().database().await;
    let opening = (0..8).map(|_| open(&address, two_partitions()));
    for log in futures::future::join_all(opening).await {
        assert_eq!(log.head().total(), 0);
    }
}

#[tokio::test]
async fn commits_are_durable_whatever_the_database_says() {
    let address = Server::shared().database().await;
    let careless = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', \
        current_database()); END $$";
    connect(&address).await.execute(careless).await.unwrap();
    let log = open(&address, two_partitions()).await;
    // Nobody sees the settings of another session, so let the append write them down.
    let spy = "CREATE TABLE seen (setting TEXT); \
        CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
            INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$; \
        CREATE TRIGGER see AFTER INSERT ON playhead_eventlog.events \
            FOR EACH STATEMENT EXECUTE FUNCTION see()";
    let mut session = connect(&address).await;
    session.execute(spy).await.unwrap();
    record(&log, "title-x", 0..1).await;
    let seen: Vec<String> =
        query_scalar("SELECT setting FROM seen").fetch_all(&mut session).await.unwrap();
    assert_eq!(seen, ["on"]);
    let other: String =
        query_scalar("SHOW synchronous_commit").fetch_one(&mut session).await.unwrap();
    assert_eq!(other, "off", "which is what a session gets that does not ask");
}

#[tokio::test]
async fn a_server_that_does_not_flush_is_refused() {
    let server = Server::start();
    let address = server.database().await;
    let mut session = connect(&address).await;
    session.execute("ALTER SYSTEM SET fsync = off").await.unwrap();
    session.execute("SELECT pg_reload_conf()").await.unwrap();
    while query_scalar::<_, String>("SHOW fsync").fetch_one(&mut session).await.unwrap() == "on" {
        tokio::task::yield_now().await;
    }
    let error = refused(&address).await;
    assert!(matches!(error, OpenError::NotDurable), "{error}");
}

#[tokio::test]
async fn events_are_never_changed() {
    let address = Server::shared().database().await;
    let log = open(&address, two_partitions()).await;
    record(&log, "title-x", 0..1).await;
    for change in [
        "UPDATE playhead_eventlog.events SET payload = ''",
        "DELETE FROM playhead_eventlog.events",
        "TRUNCATE playhead_eventlog.events",
    ] {
        let error = connect(&address).await.execute(change).await.unwrap_err();
        assert!(error.to_string().contains("never changed"), "{error}");
    }
}

#[tokio::test]
async fn a_label_that_text_cannot_hold_is_refused_alone() {
    let log = open(&Server::shared().database().await, two_partitions()).await;
    let bad = NewEvent { actor: "account:\0".into(), ..event(1) };
    let bad = Append { events: vec![bad], ..append("title-x", Expected::Any, []) };
    let (bad, good) = futures::join!(log.append(bad), record(&log, "title-x", 2..3));
    let label = "account:\0".to_owned();
    assert_eq!(bad, Err(AppendError::ControlCharacter { field: "actor", label }));
    assert_eq!(good.first_version, 0);
}

#[tokio::test]
async fn a_full_queue_is_told_and_a_closed_log_too() {
    let log = open(&Server::shared().database().await, two_partitions()).await;
    // On one thread, the writer takes nothing until this test waits.
    let appends = (0..1_200).map(|id| log.append(append("title-x", Expected::Any, [id])));
    let answers = futures::future::join_all(appends).await;
    let recorded = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(recorded, 1_024);
    let overloaded = Err(AppendError::Overloaded { waiting: 1_024 });
    assert!(answers[recorded..].iter().all(|answer| *answer == overloaded));
    log.close().await;
    let late = log.append(append("title-x", Expected::Any, [5_000])).await;
    assert_eq!(late, Err(AppendError::Closed));
    assert_eq!(log.head().total(), 1_024);
}
