//! Connecting, and creating or checking the tables.

use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool};
use sqlx::{Connection, query, query_as, query_scalar, raw_sql};

use super::error::OpenError;
use super::patience::{IDLE_TIMEOUT, LOCK_TIMEOUT, in_time};
use crate::stream::PartitionCount;

/// The files under `migrations/`, in order; the version of the tables is how many were applied.
const MIGRATIONS: [&str; 1] = [include_str!("../../../migrations/eventlog_postgres/0001_log.sql")];

/// Held while tables are created, so that of two processes the second finds them. Any number does
/// that nobody else uses: these are the letters `playhead`.
const LOCK_TABLES: &str = "SELECT pg_advisory_xact_lock(x'706c617968656164'::bigint)";

const SERVER: &str = "SELECT current_setting('server_encoding'), current_setting('fsync')";
const EXISTS: &str = "SELECT to_regclass('playhead_eventlog.log') IS NOT NULL";
const SETTLED: &str = "SELECT schema_version, partitions FROM playhead_eventlog.log";
const SETTLE: &str =
    "INSERT INTO playhead_eventlog.log (schema_version, partitions) VALUES (0, $1)";
const HEADS: &str = "INSERT INTO playhead_eventlog.heads (partition_number, next_offset) \
    SELECT number, 0 FROM generate_series(0, $1 - 1) AS number";
const APPLIED: &str = "UPDATE playhead_eventlog.log SET schema_version = $1";

/// Reads the address, and says how each connection shall behave.
///
/// An answered append must be durable, whatever the server's default is. Scans are switched off
/// because every statement of the engine goes by an index, and a plan made while a table was small
/// is kept by the connection when it is large.
pub(super) fn options(address: &str) -> Result<PgConnectOptions, OpenError> {
    let options =
        PgConnectOptions::from_str(address).map_err(|source| OpenError::Address { source })?;
    Ok(options.application_name("playhead eventlog").options([
        ("synchronous_commit", "on"),
        ("enable_seqscan", "off"),
        ("lock_timeout", LOCK_TIMEOUT),
        ("idle_in_transaction_session_timeout", IDLE_TIMEOUT),
    ]))
}

/// Checks the server, and creates the tables or brings them up to date.
pub(super) async fn prepare(
    options: &PgConnectOptions,
    partitions: PartitionCount,
) -> Result<(), OpenError> {
    let mut connection = in_time(PgConnection::connect_with(options))
        .await
        .map_err(|source| OpenError::Connect { server: place(options), source })?;
    check_server(&mut connection).await?;
    settle(&mut connection, partitions).await?;
    // The work is done; how the connection ends does not matter.
    let _ended = connection.close().await;
    Ok(())
}

/// Host, port and database.
fn place(options: &PgConnectOptions) -> String {
    let socket = options.get_socket().map(|path| path.display().to_string());
    let host = socket.unwrap_or_else(|| options.get_host().to_owned());
    let database = options.get_database().unwrap_or(options.get_username());
    format!("{host}:{}/{database}", options.get_port())
}

async fn check_server(connection: &mut PgConnection) -> Result<(), OpenError> {
    let (encoding, fsync): (String, String) = query_as(SERVER)
        .fetch_one(connection)
        .await
        .map_err(OpenError::refused("read the server's settings"))?;
    if encoding != "UTF8" {
        return Err(OpenError::Encoding { found: encoding });
    }
    if fsync != "on" {
        return Err(OpenError::NotDurable);
    }
    Ok(())
}

/// Another process may be creating the tables, which takes longer than an append may wait.
const WAIT_FOR_CREATION: &str = "SET LOCAL lock_timeout = '60s'";

async fn settle(
    connection: &mut PgConnection,
    partitions: PartitionCount,
) -> Result<(), OpenError> {
    let creating = "create the tables of the log; the user needs CREATE on the database";
    let refused = || OpenError::refused(creating);
    let mut transaction = connection.begin().await.map_err(refused())?;
    query(WAIT_FOR_CREATION).execute(&mut *transaction).await.map_err(refused())?;
    query(LOCK_TABLES).execute(&mut *transaction).await.map_err(refused())?;
    let exists: bool = query_scalar(EXISTS).fetch_one(&mut *transaction).await.map_err(refused())?;
    let (found, of_log) = if exists {
        query_as::<_, (i32, i32)>(SETTLED)
            .fetch_one(&mut *transaction)
            .await
            .map_err(OpenError::refused("read how the log was created"))?
    } else {
        (0, i32::from(partitions.get()))
    };
    let known = i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX);
    if found > known {
        return Err(OpenError::TooNew { found, known });
    }
    if of_log != i32::from(partitions.get()) {
        return Err(OpenError::PartitionCount { found: of_log, wanted: partitions.get() });
    }
    for (migration, _) in MIGRATIONS.iter().zip(0..).filter(|(_, number)| *number >= found) {
        raw_sql(*migration).execute(&mut *transaction).await.map_err(refused())?;
    }
    if !exists {
        query(SETTLE).bind(of_log).execute(&mut *transaction).await.map_err(refused())?;
        query(HEADS).bind(of_log).execute(&mut *transaction).await.map_err(refused())?;
    }
    if found < known {
        query(APPLIED).bind(known).execute(&mut *transaction).await.map_err(refused())?;
    }
    transaction.commit().await.map_err(refused())
}

/// The pool for reading and following.
pub(super) fn readers(options: PgConnectOptions, connections: u32) -> PgPool {
    sqlx::postgres::PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(std::time::Duration::from_secs(5))
        .connect_lazy_with(options)
}
