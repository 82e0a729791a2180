//! What every store keeps about itself: version, checkpoint, parked events.

use std::collections::BTreeMap;

use playhead_domain::AccountId;
use playhead_eventlog::{Cursor, Partition, StreamName};
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use uuid::Uuid;

use crate::error::StoreError;
use crate::rows::{Statement, integer, natural};
use crate::runtime::Parked;

/// The tables of every store that are not content.
pub(crate) const TABLES: [&str; 3] = ["model", "checkpoint", "parked"];
/// How they are made.
pub(crate) const SCHEMA: &str = include_str!("../../migrations/bookkeeping/0001_bookkeeping.sql");

pub(crate) const IS_NEW: &str =
    "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'model'";
pub(crate) const NAME_MODEL: &str = "INSERT INTO model (name, version, commits) VALUES ($1, $2, 0)";
pub(crate) const MODEL: &str = "SELECT name, version, commits FROM model";
pub(crate) const CLAIM: &str = "UPDATE model SET commits = commits + 1 WHERE commits = $1";
pub(crate) const CHECKPOINT: &str = "SELECT partition_number, next_offset FROM checkpoint";
pub(crate) const LAST_EVENTS: &str =
    "SELECT partition_number, next_offset, last_event_id FROM checkpoint ORDER BY partition_number";
pub(crate) const PARKED_COUNT: &str = "SELECT COUNT(*) FROM parked";
pub(crate) const BLOCKED: &str = "SELECT stream, MIN(version) FROM parked GROUP BY stream";
pub(crate) const PARKED_AFTER: &str = "SELECT partition_number, event_offset, stream, version, \
     event_id, event_type, error FROM parked \
     WHERE (partition_number, event_offset) > ($1, $2) \
     ORDER BY partition_number, event_offset LIMIT $3";
pub(crate) const UNPARK: &str =
    "DELETE FROM parked WHERE partition_number = $1 AND event_offset = $2";

pub(crate) const UNPARK_ACCOUNT: &str =
    "DELETE FROM parked WHERE stream LIKE '%-' || $1 OR stream LIKE '%-' || $1 || '.%'";

const SET_CHECKPOINT: Statement = Statement {
    head: "INSERT INTO checkpoint (partition_number, next_offset, last_event_id)",
    columns: 3,
    tail: "ON CONFLICT (partition_number) DO UPDATE \
           SET next_offset = excluded.next_offset, last_event_id = excluded.last_event_id",
};
const PARK: Statement = Statement {
    head: "INSERT INTO parked \
           (partition_number, event_offset, stream, version, event_id, event_type, error)",
    columns: 7,
    tail: "ON CONFLICT (partition_number, event_offset) DO UPDATE SET error = excluded.error",
};

/// The last event of a partition that is before a checkpoint: the log is known again by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LastEvent {
    /// The partition.
    pub(crate) partition: Partition,
    /// The offset behind the event: where to read on.
    pub(crate) next: u64,
    /// The event's id.
    pub(crate) id: Uuid,
}

/// What a writer remembers of its store between two commits.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    /// How many batches were committed, by whomever.
    pub(crate) commits: i64,
    /// The committed checkpoint; partitions that are missing stand at 0.
    pub(crate) checkpoint: Cursor,
    /// The first parked version of each stream that has one, including what is folded, but not yet
    /// committed.
    pub(crate) blocked: BTreeMap<StreamName, u64>,
    /// How many events are parked.
    pub(crate) parked: u64,
}

impl Ledger {
    /// Reads it from the store.
    pub(crate) async fn load(connection: &mut SqliteConnection) -> Result<Self, StoreError> {
        let failed = || StoreError::sql("reading the checkpoint");
        let commits = sqlx::query_scalar::<_, i64>("SELECT commits FROM model")
            .fetch_one(&mut *connection)
            .await
            .map_err(failed())?;
        let checkpoint = checkpoint(connection).await?;
        let blocked: Vec<(String, i64)> =
            sqlx::query_as(BLOCKED).fetch_all(&mut *connection).await.map_err(failed())?;
        let blocked = blocked
            .into_iter()
            .map(|(stream, version)| Ok((StreamName::parse(&stream)?, natural(version))))
            .collect::<Result<_, playhead_eventlog::StreamNameError>>()
            .map_err(StoreError::unreadable("parked"))?;
        let parked = parked_count(connection).await.map_err(failed())?;
        Ok(Self { commits, checkpoint, blocked, parked })
    }
}

/// The committed checkpoint.
pub(crate) async fn checkpoint(connection: &mut SqliteConnection) -> Result<Cursor, StoreError> {
    let rows: Vec<(u16, i64)> = sqlx::query_as(CHECKPOINT)
        .fetch_all(connection)
        .await
        .map_err(StoreError::sql("reading the checkpoint"))?;
    Ok(rows.into_iter().map(|(partition, next)| (Partition(partition), natural(next))).collect())
}

/// The last event before the checkpoint of each partition that has one.
pub(crate) async fn last_events(
    connection: &mut SqliteConnection,
) -> Result<Vec<LastEvent>, StoreError> {
    let rows: Vec<(u16, i64, String)> = sqlx::query_as(LAST_EVENTS)
        .fetch_all(connection)
        .await
        .map_err(StoreError::sql("reading the checkpoint"))?;
    rows.into_iter()
        .map(|(partition, next, id)| {
            let id = id.parse().map_err(StoreError::unreadable("checkpoint"))?;
            Ok(LastEvent { partition: Partition(partition), next: natural(next), id })
        })
        .collect()
}

/// How many events are parked.
pub(crate) async fn parked_count(connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    sqlx::query_scalar::<_, i64>(PARKED_COUNT).fetch_one(connection).await.map(natural)
}

/// Counts a commit; false if somebody else has committed since the ledger was read.
pub(crate) async fn claim(
    connection: &mut SqliteConnection,
    commits: i64,
) -> Result<bool, sqlx::Error> {
    let claimed = sqlx::query(CLAIM).bind(commits).execute(connection).await?;
    Ok(claimed.rows_affected() == 1)
}

/// Moves the checkpoint of those partitions that have new last events.
pub(crate) async fn move_checkpoint(
    connection: &mut SqliteConnection,
    moved: &[LastEvent],
) -> Result<(), sqlx::Error> {
    SET_CHECKPOINT
        .execute(connection, moved, |query, last| {
            let query = query.bind(i64::from(last.partition.0)).bind(integer(last.next));
            query.bind(last.id.to_string())
        })
        .await
}

/// Remembers events that could not be folded.
pub(crate) async fn park(
    connection: &mut SqliteConnection,
    parked: &[Parked],
) -> Result<(), sqlx::Error> {
    PARK.execute(connection, parked, |query, parked| {
        query
            .bind(i64::from(parked.partition.0))
            .bind(integer(parked.offset))
            .bind(parked.stream.as_str().to_owned())
            .bind(integer(parked.version))
            .bind(parked.event_id.to_string())
            .bind(parked.event_type.clone())
            .bind(parked.error.clone())
    })
    .await
}

/// Forgets parked events that were folded after all.
pub(crate) async fn unpark(
    connection: &mut SqliteConnection,
    places: &[(Partition, u64)],
) -> Result<(), sqlx::Error> {
    for (partition, offset) in places {
        sqlx::query(UNPARK)
            .bind(i64::from(partition.0))
            .bind(integer(*offset))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Forgets the parked events of all streams of an account.
pub(crate) async fn unpark_account(
    connection: &mut SqliteConnection,
    account_id: AccountId,
) -> Result<(), sqlx::Error> {
    let account_id = account_id.to_string();
    sqlx::query(UNPARK_ACCOUNT).bind(account_id).execute(connection).await.map(drop)
}

/// A row of [`PARKED_AFTER`].
pub(crate) fn parked_row(row: &SqliteRow) -> Result<Parked, StoreError> {
    let unreadable = || StoreError::unreadable::<sqlx::Error>("parked");
    let text = |column: &str| row.try_get::<String, _>(column).map_err(unreadable());
    let number = |column: &str| row.try_get::<i64, _>(column).map(natural).map_err(unreadable());
    Ok(Parked {
        stream: StreamName::parse(&text("stream")?).map_err(StoreError::unreadable("parked"))?,
        version: number("version")?,
        partition: Partition(row.try_get("partition_number").map_err(unreadable())?),
        offset: number("event_offset")?,
        event_id: text("event_id")?.parse().map_err(StoreError::unreadable("parked"))?,
        event_type: text("event_type")?,
        error: text("error")?,
    })
}

/// Every statement of this file, for the test that prepares them all.
#[cfg(test)]
pub(crate) fn statements() -> Vec<String> {
    let fixed = [
        IS_NEW,
        NAME_MODEL,
        MODEL,
        CLAIM,
        CHECKPOINT,
        LAST_EVENTS,
        PARKED_COUNT,
        BLOCKED,
        PARKED_AFTER,
        UNPARK,
        UNPARK_ACCOUNT,
    ];
    let lists = [SET_CHECKPOINT, PARK].map(|statement| statement.text(2));
    fixed.map(str::to_owned).into_iter().chain(lists).collect()
}
