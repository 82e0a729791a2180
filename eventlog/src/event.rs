//! Events, before and after they are recorded.

use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

use crate::stream::{Partition, StreamName};

/// An event on its way into the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// What makes the append idempotent: an id is recorded once. UUIDv7 (RFC 9562) by convention.
    pub id: Uuid,
    /// The name of the event type, such as `PlaybackStarted`; at most 100 bytes.
    pub event_type: Arc<str>,
    /// The version of the payload's schema, counted from 1.
    pub schema_version: u16,
    /// When the event was handed to the log, in milliseconds since 1970-01-01 UTC.
    pub recorded_at_ms: i64,
    /// Who caused it, such as `account:0198…` or `system:import`; at most 100 bytes.
    pub actor: Arc<str>,
    /// What one request or job did shares this id.
    pub correlation_id: Uuid,
    /// The event or command that led to this one; nil if nothing did.
    pub causation_id: Uuid,
    /// JSON.
    pub payload: Bytes,
    /// JSON, or empty.
    pub metadata: Bytes,
}

/// An event as the log keeps it: immutable, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvent {
    /// The stream it belongs to.
    pub stream: StreamName,
    /// Its place in the stream, counted from 0 without gaps.
    pub version: u64,
    /// The partition that the stream lives in.
    pub partition: Partition,
    /// Its place in the partition, counted from 0 without gaps.
    pub offset: u64,
    /// What was appended.
    pub event: NewEvent,
}
