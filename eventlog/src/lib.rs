//! The event log: an append-only, partitioned record of everything that happened.
//!
//! [`EventLog`] is the one trait that every engine implements; [`mod@conformance`] is the one suite
//! that every engine passes. Two engines live here: [`memory::MemoryLog`] for tests and
//! [`embedded::EmbeddedLog`], one journal under a directory, which needs no server. The feature
//! `postgres` adds `postgres::PostgresLog`, to which several processes append at once.
//!
//! What this crate is *not*: it knows no domain type, reads no clock and makes no random number.
//! Payloads are bytes to it; times and ids come with the events.
//!
//! Limits: a stream name has at most [`stream::NAME_BYTES_MAX`] bytes, an append at most
//! [`append::EVENTS_MAX`] events and [`append::APPEND_BYTES_MAX`] bytes.

pub mod append;
pub mod conformance;
pub mod cursor;
pub mod embedded;
pub mod event;
pub mod log;
pub mod memory;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod ring;
pub mod stream;

pub use append::{Append, AppendError, Appended, Expected};
pub use cursor::{Batch, Cursor};
pub use event::{NewEvent, RecordedEvent};
pub use log::{EventLog, ReadError};
pub use stream::{Partition, PartitionCount, StreamName, StreamNameError};
