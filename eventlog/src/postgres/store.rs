//! Every statement about events, and rows as values.
//!
//! What the engine counts from 0 upwards is `u64` to it and BIGINT to PostgreSQL, which ends at
//! half of that. No log gets there.

use std::collections::HashMap;

use bytes::Bytes;
use sqlx::postgres::{PgConnection, PgPool, PgRow};
use sqlx::{Row, query, query_as, query_scalar};
use uuid::Uuid;

use super::decide::{Facts, Place};
use crate::append::{Append, Appended};
use crate::event::{NewEvent, RecordedEvent};
use crate::stream::{Partition, PartitionCount, StreamName};

/// The most bytes of payloads and metadata that one read answers, give or take one event.
const READ_BYTES_MAX: i64 = 16 << 20;

const HEADS: &str = "SELECT next_offset FROM playhead_eventlog.heads WHERE partition_number >= 0 \
    ORDER BY partition_number";

/// In partition order, so that two groups never wait for each other. Held until the transaction
/// ends: whoever comes next reads the offsets that this one leaves.
const LOCK_HEADS: &str = "SELECT partition_number, next_offset FROM playhead_eventlog.heads \
    WHERE partition_number = ANY($1) ORDER BY partition_number FOR UPDATE";

const LENGTHS: &str = "SELECT wanted.stream, last.version + 1 \
    FROM unnest($1::text[]) AS wanted (stream) \
    CROSS JOIN LATERAL (SELECT version FROM playhead_eventlog.events AS event \
        WHERE event.stream = wanted.stream ORDER BY version DESC LIMIT 1) AS last";

const LENGTH: &str = "SELECT coalesce(max(version) + 1, 0) FROM playhead_eventlog.events \
    WHERE stream = $1";

const PLACES: &str = "SELECT id, stream, version, event_offset FROM playhead_eventlog.events \
    WHERE id = ANY($1)";

const RECORD: &str = "WITH recorded AS ( \
    INSERT INTO playhead_eventlog.events (partition_number, event_offset, stream, version, id, \
        event_type, schema_version, recorded_at_ms, actor, correlation_id, causation_id, payload, \
        metadata) \
    SELECT * FROM unnest($1::int4[], $2::int8[], $3::text[], $4::int8[], $5::uuid[], $6::text[], \
        $7::int4[], $8::int8[], $9::text[], $10::uuid[], $11::uuid[], $12::bytea[], $13::bytea[])) \
    UPDATE playhead_eventlog.heads SET next_offset = moved.next_offset \
    FROM unnest($14::int4[], $15::int8[]) AS moved (partition_number, next_offset) \
    WHERE heads.partition_number = moved.partition_number";

/// The events of one stream, as long as those before them are not too many bytes.
const OF_STREAM: &str = "SELECT * FROM (SELECT *, coalesce(sum(octet_length(payload) \
        + octet_length(metadata)) OVER (ORDER BY version \
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS bytes_before \
    FROM (SELECT * FROM playhead_eventlog.events WHERE stream = $1 AND version >= $2 \
        ORDER BY version LIMIT $3) AS of_stream) AS found \
    WHERE bytes_before < $4 ORDER BY version";

/// The same for ranges of partitions. The limit in the join makes PostgreSQL read each range by
/// itself, whatever it believes about the size of the table.
const OF_RANGES: &str = "SELECT * FROM (SELECT event.*, coalesce(sum(octet_length(event.payload) \
        + octet_length(event.metadata)) OVER (ORDER BY event.partition_number, event.event_offset \
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS bytes_before \
    FROM unnest($1::int4[], $2::int8[], $3::int8[]) AS wanted (number, first, events) \
    CROSS JOIN LATERAL (SELECT * FROM playhead_eventlog.events \
        WHERE partition_number = wanted.number AND event_offset >= wanted.first \
        ORDER BY event_offset LIMIT wanted.events) AS event) AS found \
    WHERE bytes_before < $4 ORDER BY partition_number, event_offset";

/// Some events of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) partition: Partition,
    pub(super) first: u64,
    pub(super) events: u64,
}

/// The next offset of every partition, in partition order.
pub(super) async fn heads(pool: &PgPool) -> Result<Vec<u64>, sqlx::Error> {
    let heads: Vec<i64> = query_scalar(HEADS).fetch_all(pool).await?;
    heads.into_iter().map(unsigned).collect()
}

/// Locks the partitions of the group, and looks up all that its appends depend on.
pub(super) async fn facts(
    connection: &mut PgConnection,
    count: PartitionCount,
    group: &[Append],
) -> Result<Facts, sqlx::Error> {
    let mut partitions: Vec<i32> = group
        .iter()
        .map(|append| i32::from(count.partition_of(append.stream.shard_key()).0))
        .collect();
    partitions.sort_unstable();
    partitions.dedup();
    let heads: Vec<(i32, i64)> =
        query_as(LOCK_HEADS).bind(partitions).fetch_all(&mut *connection).await?;
    let mut streams: Vec<&str> = group.iter().map(|append| append.stream.as_str()).collect();
    streams.sort_unstable();
    streams.dedup();
    let lengths: Vec<(String, i64)> =
        query_as(LENGTHS).bind(streams).fetch_all(&mut *connection).await?;
    let ids: Vec<Uuid> =
        group.iter().flat_map(|append| &append.events).map(|event| event.id).collect();
    let places: Vec<(Uuid, String, i64, i64)> =
        query_as(PLACES).bind(ids).fetch_all(connection).await?;
    Ok(Facts {
        count,
        heads: heads
            .into_iter()
            .map(|(partition, next)| Ok((numbered(partition)?, unsigned(next)?)))
            .collect::<Result<_, sqlx::Error>>()?,
        lengths: lengths
            .into_iter()
            .map(|(stream, len)| Ok((named(stream)?, unsigned(len)?)))
            .collect::<Result<_, sqlx::Error>>()?,
        places: places
            .into_iter()
            .map(|(id, stream, version, offset)| {
                let (version, offset) = (unsigned(version)?, unsigned(offset)?);
                Ok((id, Place { stream: named(stream)?, version, offset }))
            })
            .collect::<Result<_, sqlx::Error>>()?,
    })
}

/// Inserts the events of these appends at their places, and moves the heads behind them.
pub(super) async fn record(
    connection: &mut PgConnection,
    appends: &[(&Append, Appended)],
) -> Result<(), sqlx::Error> {
    let mut heads: HashMap<i32, i64> = HashMap::new();
    let mut rows: Vec<(&Append, &NewEvent, i32, i64, i64)> = Vec::new();
    for (append, at) in appends {
        let partition = i32::from(at.partition.0);
        let place = (at.first_offset..).zip(at.first_version..);
        for (event, (offset, version)) in append.events.iter().zip(place) {
            rows.push((append, event, partition, signed(offset), signed(version)));
        }
        // Appends come in the order of their offsets, so the last one stays.
        heads.insert(partition, signed(at.last_offset + 1));
    }
    let (partitions, next): (Vec<i32>, Vec<i64>) = heads.into_iter().unzip();
    query(RECORD)
        .bind(rows.iter().map(|row| row.2).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.3).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.0.stream.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.4).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.1.id).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| &*row.1.event_type).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| i32::from(row.1.schema_version)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.1.recorded_at_ms).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| &*row.1.actor).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.1.correlation_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.1.causation_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| &*row.1.payload).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| &*row.1.metadata).collect::<Vec<_>>())
        .bind(partitions)
        .bind(next)
        .execute(connection)
        .await?;
    Ok(())
}

/// Events of a stream from a version on, in order.
pub(super) async fn of_stream(
    pool: &PgPool,
    stream: &StreamName,
    from: u64,
    limit: usize,
) -> Result<Vec<RecordedEvent>, sqlx::Error> {
    let rows = query(OF_STREAM)
        .bind(stream.as_str())
        .bind(signed(from))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .bind(READ_BYTES_MAX)
        .fetch_all(pool)
        .await?;
    rows.iter().map(event).collect()
}

/// How many events a stream has.
pub(super) async fn length(pool: &PgPool, stream: &StreamName) -> Result<u64, sqlx::Error> {
    query_scalar(LENGTH).bind(stream.as_str()).fetch_one(pool).await.and_then(unsigned)
}

/// Events of these ranges, partition by partition, each in order.
pub(super) async fn of_ranges(
    pool: &PgPool,
    ranges: &[Range],
) -> Result<Vec<RecordedEvent>, sqlx::Error> {
    let rows = query(OF_RANGES)
        .bind(ranges.iter().map(|range| i32::from(range.partition.0)).collect::<Vec<_>>())
        .bind(ranges.iter().map(|range| signed(range.first)).collect::<Vec<_>>())
        .bind(ranges.iter().map(|range| signed(range.events)).collect::<Vec<_>>())
        .bind(READ_BYTES_MAX)
        .fetch_all(pool)
        .await?;
    rows.iter().map(event).collect()
}

fn event(row: &PgRow) -> Result<RecordedEvent, sqlx::Error> {
    Ok(RecordedEvent {
        stream: named(row.try_get("stream")?)?,
        version: unsigned(row.try_get("version")?)?,
        partition: numbered(row.try_get("partition_number")?)?,
        offset: unsigned(row.try_get("event_offset")?)?,
        event: NewEvent {
            id: row.try_get("id")?,
            event_type: row.try_get::<&str, _>("event_type")?.into(),
            schema_version: u16::try_from(row.try_get::<i32, _>("schema_version")?)
                .map_err(undecodable)?,
            recorded_at_ms: row.try_get("recorded_at_ms")?,
            actor: row.try_get::<&str, _>("actor")?.into(),
            correlation_id: row.try_get("correlation_id")?,
            causation_id: row.try_get("causation_id")?,
            payload: Bytes::copy_from_slice(row.try_get("payload")?),
            metadata: Bytes::copy_from_slice(row.try_get("metadata")?),
        },
    })
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> Result<u64, sqlx::Error> {
    u64::try_from(number).map_err(undecodable)
}

fn numbered(partition: i32) -> Result<Partition, sqlx::Error> {
    u16::try_from(partition).map(Partition).map_err(undecodable)
}

fn named(stream: String) -> Result<StreamName, sqlx::Error> {
    StreamName::try_from(stream).map_err(undecodable)
}

/// A value that this engine did not write.
fn undecodable(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}
