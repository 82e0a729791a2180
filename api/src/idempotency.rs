//! Names commands, so that a client may send one twice and it is done once.

use std::sync::Arc;

use playhead_commands::{Context, Position};
use playhead_domain::{AccountId, Decider};
use playhead_eventlog::{EventLog, ReadError, RecordedEvent, StreamName};
use uuid::Uuid;

use crate::caller::Caller;
use crate::errors::{self, Code, Fault};

/// The longest key, in characters.
const KEY_CHARS_MAX: usize = 100;

/// How many events of a stream are read at once when an earlier command is looked for.
const PAGE_EVENTS: usize = 1_000;

/// One command of a client, named by its key or by chance.
pub(crate) struct Intention {
    /// Goes along with the command.
    pub(crate) context: Context,
    /// The id of what the command makes: the same for the same command.
    pub(crate) new_id: Uuid,
    /// Whether the client named the command and may have sent it before.
    repeatable: bool,
}

impl Intention {
    /// The command of a mutation. The same account, mutation and key name the same command.
    ///
    /// # Errors
    /// The key breaks its rule.
    pub(crate) fn of(
        caller: &Caller,
        account_id: AccountId,
        mutation: &str,
        key: Option<&str>,
    ) -> Result<Self, Fault> {
        let actor = format!("account:{account_id}");
        Self::named(caller, &account_id.0, mutation, key, &actor)
    }

    /// The command of somebody who did not prove who they are. The same mutation, subject and key
    /// name the same command; the subject is what only they know or speak for, such as their address
    /// or the code that they bring, so that nobody meets the commands of others by their key.
    ///
    /// # Errors
    /// The key breaks its rule.
    pub(crate) fn of_nobody(
        caller: &Caller,
        mutation: &str,
        subject: &str,
        key: Option<&str>,
    ) -> Result<Self, Fault> {
        let subject = Uuid::new_v5(&Uuid::NAMESPACE_OID, subject.as_bytes());
        Self::named(caller, &subject, mutation, key, "nobody")
    }

    fn named(
        caller: &Caller,
        subject: &Uuid,
        mutation: &str,
        key: Option<&str>,
        actor: &str,
    ) -> Result<Self, Fault> {
        let command_id = match key {
            Some(key) if key.is_empty() || key.chars().count() > KEY_CHARS_MAX => {
                let rule = format!("idempotencyKey must have 1 to {KEY_CHARS_MAX} characters");
                return Err(Fault::new(Code::BadRequest, rule));
            }
            Some(key) => Uuid::new_v5(subject, format!("{mutation}:{key}").as_bytes()),
            None => caller.services.clock.new_id(),
        };
        let new_id = match key {
            Some(_) => Uuid::new_v5(&command_id, b"new"),
            None => caller.services.clock.new_id(),
        };
        let context = Context {
            command_id,
            at_ms: caller.now_ms,
            actor: Arc::from(actor),
            correlation_id: caller.correlation_id,
        };
        Ok(Self { context, new_id, repeatable: key.is_some() })
    }

    /// Where this very command was recorded before. A command that succeeded must not be refused
    /// when it is repeated, though the rules forbid it now: subscribing twice, for example.
    pub(crate) async fn recorded<D: Decider>(
        &self,
        caller: &Caller,
        id: &D::Id,
    ) -> Result<Option<Position>, Fault> {
        if !self.repeatable {
            return Ok(None);
        }
        find_of::<D>(caller, id, |recorded| recorded.event.causation_id == self.context.command_id)
            .await
    }

    /// Where this very command led to an event of a type, in a step of it that has a name. A step can
    /// also end in an event that means a refusal, which is why the type is asked for.
    pub(crate) async fn recorded_as<D: Decider>(
        &self,
        caller: &Caller,
        id: &D::Id,
        (step, event_type): (&str, &str),
    ) -> Result<Option<Position>, Fault> {
        if !self.repeatable {
            return Ok(None);
        }
        let causation_id = self.context.branch(step).command_id;
        let ours = |recorded: &RecordedEvent| {
            recorded.event.causation_id == causation_id && *recorded.event.event_type == *event_type
        };
        find_of::<D>(caller, id, ours).await
    }
}

async fn find_of<D: Decider>(
    caller: &Caller,
    id: &D::Id,
    wanted: impl Fn(&RecordedEvent) -> bool + Send + Sync,
) -> Result<Option<Position>, Fault> {
    let stream = StreamName::new(D::CATEGORY, &id.to_string())
        .map_err(|error| caller.internal("a stream cannot be named", &error))?;
    find(caller.services.log.as_ref(), &stream, wanted)
        .await
        .map_err(|error| errors::of_read(&error, caller.correlation_id))
}

async fn find(
    log: &dyn EventLog,
    stream: &StreamName,
    wanted: impl Fn(&RecordedEvent) -> bool + Send + Sync,
) -> Result<Option<Position>, ReadError> {
    let mut from = 0;
    loop {
        let page = log.read_stream(stream, from, PAGE_EVENTS).await?;
        let Some(last) = page.last() else { return Ok(None) };
        from = last.version + 1;
        if let Some(recorded) = page.iter().rev().find(|recorded| wanted(recorded)) {
            let (partition, offset) = (recorded.partition, recorded.offset);
            return Ok(Some(Position { partition, offset }));
        }
    }
}
