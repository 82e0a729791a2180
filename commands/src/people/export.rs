//! Everything that is known of a person, for themselves (GDPR, articles 15 and 20).

use playhead_domain::AccountId;
use playhead_eventlog::{Cursor, RecordedEvent};
use serde_json::{Map, Value, json};

use super::{Outcome, People, PeopleError};

/// How many events are read at once.
const PAGE_EVENTS: usize = 1_000;

/// Fields that prove something and tell the person nothing, so they are left out: whoever gets hold
/// of an export must not be able to try passwords and PINs at home.
const SECRETS: [&str; 6] =
    ["password_hash", "hash", "refresh_hash", "verification_hash", "code_hash", "presented_hash"];

impl People {
    /// Every event of an account's streams, by stream, in clear: what the person did and what was
    /// done to their account. Reads the partition of the account, so it takes longer the larger the
    /// log is; the export itself is as large as what the account has done, a viewer's year being a
    /// few megabytes.
    ///
    /// # Errors
    /// Something failed.
    pub async fn export(&self, account_id: AccountId) -> Outcome<Value> {
        let log = &self.parts().log;
        let shard_key = account_id.to_string();
        let partition = log.partitions().partition_of(&shard_key);
        let end = log.head().get(partition).unwrap_or(0);
        let mut cursor: Cursor = [(partition, 0)].into_iter().collect();
        let mut streams = Map::new();
        // Up to the end of now: somebody who watches meanwhile must not make it endless.
        while cursor.get(partition).unwrap_or(0) < end {
            let batch = log.read(&cursor, PAGE_EVENTS).await?;
            if batch.events.is_empty() {
                break;
            }
            let own = batch.events.iter().filter(|event| event.stream.shard_key() == shard_key);
            for recorded in own {
                let events = streams.entry(recorded.stream.as_str()).or_insert_with(|| json!([]));
                if let Value::Array(events) = events {
                    events.push(exported(recorded)?);
                }
            }
            cursor = batch.next;
        }
        Ok(json!({ "account_id": account_id, "streams": streams }))
    }
}

fn exported(recorded: &RecordedEvent) -> Result<Value, PeopleError> {
    let event = &recorded.event;
    let payload: Value = serde_json::from_slice(&event.payload)
        .map_err(|source| PeopleError::LookUp { what: "an event", source: Box::new(source) })?;
    Ok(json!({
        "type": &*event.event_type,
        "schema_version": event.schema_version,
        "recorded_at_ms": event.recorded_at_ms,
        "actor": &*event.actor,
        "event_id": event.id,
        "data": in_clear(payload),
    }))
}

/// Without the marks of what is personal, and without secrets.
fn in_clear(value: Value) -> Value {
    match value {
        Value::Object(mut object) => {
            if let Some(personal) = object.remove("$personal") {
                return in_clear(personal);
            }
            if object.contains_key("$erased") {
                return Value::Null;
            }
            let kept = object.into_iter().filter(|(name, _)| !SECRETS.contains(&name.as_str()));
            Value::Object(kept.map(|(name, value)| (name, in_clear(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(in_clear).collect()),
        plain => plain,
    }
}
