//! What a command brings along besides its content.

use std::sync::Arc;

use playhead_domain::StoredEvent;
use playhead_domain::codec::CodecError;
use playhead_eventlog::NewEvent;
use uuid::Uuid;

/// Who runs a command, when, and for what.
#[derive(Debug, Clone)]
pub struct Context {
    /// Names this command: the same id again is the same command, and is recorded once. UUIDv7
    /// when made at the edge, UUIDv5 when derived from imported data.
    pub command_id: Uuid,
    /// Now, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
    /// Who caused it, such as `account:0198…` or `system:import`.
    pub actor: Arc<str>,
    /// What one request or job does shares this id.
    pub correlation_id: Uuid,
}

impl Context {
    /// The same context for another command of the same request.
    #[must_use]
    pub fn with_command_id(&self, command_id: Uuid) -> Self {
        Self { command_id, ..self.clone() }
    }

    /// The same context for one of several commands that one request leads to. The same name gives
    /// the same id, so that a repeated request repeats its commands.
    #[must_use]
    pub fn branch(&self, name: &str) -> Self {
        self.with_command_id(branch_id(self.command_id, name))
    }

    /// Wraps what the command led to for the log. The ids of the events follow from the id of the
    /// command, so that the log recognises a repeated one.
    ///
    /// # Errors
    /// An event cannot be encoded.
    pub fn wrap<E: StoredEvent>(&self, events: &[E]) -> Result<Vec<NewEvent>, CodecError> {
        events.iter().enumerate().map(|(index, event)| self.wrap_one(index, event)).collect()
    }

    fn wrap_one<E: StoredEvent>(&self, index: usize, event: &E) -> Result<NewEvent, CodecError> {
        let event_type = event.event_type();
        Ok(NewEvent {
            id: nth_id(self.command_id, index),
            event_type: event_type.name.into(),
            schema_version: event_type.version,
            recorded_at_ms: self.at_ms,
            actor: Arc::clone(&self.actor),
            correlation_id: self.correlation_id,
            causation_id: self.command_id,
            payload: event.to_json()?.into(),
            metadata: Default::default(),
        })
    }
}

/// The random bits of a UUIDv7, less those that stand beside the time.
const RANDOM: u128 = (1 << 62) - 1;

/// The id of a command that another one leads to: its time and version, and random bits that follow
/// from it and a name.
fn branch_id(command_id: Uuid, name: &str) -> Uuid {
    let random = Uuid::new_v5(&command_id, name.as_bytes()).as_u128() & RANDOM;
    Uuid::from_u128((command_id.as_u128() & !RANDOM) | random)
}

/// The id of a command's n-th event: the command's id, counted up in its 62 random bits (RFC 9562,
/// section 5.7), so that version and variant stay.
fn nth_id(command_id: Uuid, index: usize) -> Uuid {
    let bits = command_id.as_u128();
    let counted = (bits & RANDOM).wrapping_add(index as u128) & RANDOM;
    Uuid::from_u128((bits & !RANDOM) | counted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_differ_by_name_and_keep_version_and_time() {
        let command_id = Uuid::parse_str("0198c5a0-0000-7fff-bfff-ffffffffffff").unwrap();
        let one = branch_id(command_id, "one");
        assert_eq!(one, branch_id(command_id, "one"));
        assert_ne!(one, branch_id(command_id, "two"));
        assert_ne!(one, branch_id(nth_id(command_id, 1), "one"));
        assert_eq!((one.get_version_num(), one.get_timestamp()), (7, command_id.get_timestamp()));
    }

    #[test]
    fn event_ids_differ_but_keep_their_version() {
        let command_id = Uuid::parse_str("0198c5a0-0000-7fff-bfff-ffffffffffff").unwrap();
        assert_eq!(nth_id(command_id, 0), command_id);
        assert_eq!(nth_id(command_id, 1).to_string(), "0198c5a0-0000-7fff-8000-000000000000");
    }
}
