//! A log that seals what is personal on its way in, and unseals it on its way out.
//!
//! Whoever appends to a [`SealedLog`] or reads from it sees payloads in clear; the log beneath holds
//! only sealed ones. So commands, read models and rebuilds need not know of keys, and cannot forget
//! to seal.
//!
//! The person is the shard key of the stream, as a UUID: all streams of an account are under the
//! account's key. A stream whose shard key is no UUID, such as one named by a hash, holds nothing
//! personal; a marker there is an error. What names a title or a video is a UUID, too, and no person:
//! such streams must have no markers, or they would get a key.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use playhead_eventlog::{
    Append, AppendError, Appended, Batch, Cursor, EventLog, NewEvent, PartitionCount, ReadError,
    RecordedEvent, StreamName,
};
use uuid::Uuid;

use crate::{Envelope, Vault, VaultError, may_hold_marker};

/// A log and the keys of its persons. Keeps all promises of the log beneath.
#[derive(Clone)]
pub struct SealedLog {
    log: Arc<dyn EventLog>,
    vault: Vault,
}

impl SealedLog {
    /// Seals what goes into a log.
    #[must_use]
    pub fn new(log: Arc<dyn EventLog>, vault: Vault) -> Self {
        Self { log, vault }
    }

    async fn seal(&self, stream: &StreamName, event: &mut NewEvent) -> Result<(), VaultError> {
        if !may_hold_marker(&event.payload) {
            return Ok(());
        }
        let envelope = envelope(stream, event);
        let sealed = match subject(stream) {
            Some(subject) => self.vault.seal(subject, &envelope, &event.payload).await?,
            None => return crate::payload::without_markers(&event.payload),
        };
        event.payload = sealed.into_owned().into();
        Ok(())
    }

    /// Unseals the events of one read, with one look at the keys.
    async fn unseal(&self, events: &mut [RecordedEvent]) -> Result<(), ReadError> {
        let marked = |recorded: &&RecordedEvent| may_hold_marker(&recorded.event.payload);
        let subjects: BTreeSet<Uuid> =
            events.iter().filter(marked).filter_map(|recorded| subject(&recorded.stream)).collect();
        if subjects.is_empty() && !events.iter().any(|recorded| marked(&recorded)) {
            return Ok(());
        }
        let keyring = self.vault.keyring(subjects).await.map_err(|error| {
            let at = events.first();
            unreadable(at.map_or(0, |recorded| recorded.offset), "the log", &error)
        })?;
        for recorded in events.iter_mut().filter(|recorded| marked(&&**recorded)) {
            let event = &recorded.event;
            let unsealed = match subject(&recorded.stream) {
                Some(subject) => {
                    let envelope = envelope(&recorded.stream, event);
                    keyring.unseal(subject, &envelope, &event.payload).map(|text| text.into_owned())
                }
                None => {
                    let payload = event.payload.to_vec();
                    crate::payload::without_markers(&payload).map(|()| payload)
                }
            };
            let unsealed = unsealed
                .map_err(|error| unreadable(recorded.offset, recorded.stream.as_str(), &error))?;
            recorded.event.payload = unsealed.into();
        }
        Ok(())
    }
}

/// Whose data a stream holds.
fn subject(stream: &StreamName) -> Option<Uuid> {
    Uuid::parse_str(stream.shard_key()).ok()
}

fn envelope<'a>(stream: &'a StreamName, event: &'a NewEvent) -> Envelope<'a> {
    Envelope {
        stream: stream.as_str(),
        event_type: &event.event_type,
        schema_version: event.schema_version,
        event_id: event.id,
    }
}

/// A key file that cannot be read is like a disk that cannot: it may go by. A value that is not what
/// was sealed is like a damaged record: it does not.
fn unreadable(position: u64, what: &str, error: &VaultError) -> ReadError {
    let reason = format!("{what}: {error}");
    if error.retryable() {
        ReadError::Io { position, reason }
    } else {
        ReadError::Corrupt { position, reason }
    }
}

/// Keys that cannot be reached are like a log that cannot: nothing was recorded, and the append may be
/// repeated. A payload that cannot be sealed never can.
fn not_sealed(stream: &str, error: &VaultError) -> AppendError {
    if error.retryable() {
        return AppendError::Unavailable { reason: format!("the keys of {stream}: {error}") };
    }
    AppendError::Unreadable(unreadable(0, stream, error))
}

#[async_trait]
impl EventLog for SealedLog {
    fn partitions(&self) -> PartitionCount {
        self.log.partitions()
    }

    async fn append(&self, mut append: Append) -> Result<Appended, AppendError> {
        // What is not to be recorded must make nobody a key. Everything else the log beneath checks.
        if append.events.iter().any(|event| may_hold_marker(&event.payload)) {
            append.validate()?;
        }
        for event in &mut append.events {
            let sealed = self.seal(&append.stream, event).await;
            sealed.map_err(|error| not_sealed(append.stream.as_str(), &error))?;
        }
        self.log.append(append).await
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: u64,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, ReadError> {
        let mut events = self.log.read_stream(stream, from, limit).await?;
        self.unseal(&mut events).await?;
        Ok(events)
    }

    async fn read(&self, from: &Cursor, limit: usize) -> Result<Batch, ReadError> {
        let mut batch = self.log.read(from, limit).await?;
        self.unseal(&mut batch.events).await?;
        Ok(batch)
    }

    async fn wait(&self, from: &Cursor) {
        self.log.wait(from).await;
    }

    fn head(&self) -> Cursor {
        self.log.head()
    }

    fn stopped(&self) -> Option<String> {
        self.log.stopped()
    }
}

#[cfg(test)]
mod tests;
