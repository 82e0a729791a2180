//! Heartbeats: observations that are recorded without a decision.

use std::collections::BTreeMap;

use playhead_domain::codec::CodecError;
use playhead_domain::values::InvalidValue;
use playhead_domain::viewing::{self, Progressed, Quality};
use playhead_eventlog::{Append, AppendError, Expected, NewEvent, StreamName, StreamNameError};
use thiserror::Error;
use uuid::Uuid;

use crate::Commands;
use crate::context::Context;
use crate::handler::Position;
use crate::token::PlaybackGrant;

/// What a player reports, every 30 s and at every pause and jump.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heartbeat {
    /// Counts the heartbeats of the session.
    pub sequence: u32,
    /// Where in the title the player is.
    pub position_ms: u64,
    /// How much was really played in the session so far. If the player does not count it, it is
    /// taken to have played straight on from where the session began.
    pub played_ms: Option<u64>,
    /// How long the title is, if the player knows; the catalogue's running time otherwise.
    pub duration_ms: Option<u64>,
    /// How well it plays.
    pub quality: Quality,
}

impl Heartbeat {
    /// The observation, placed by the grant that came with it.
    ///
    /// # Errors
    /// A field breaks its rule.
    pub fn observed(self, grant: &PlaybackGrant, at_ms: i64) -> Result<Progressed, InvalidValue> {
        let straight_on_ms = self.position_ms.saturating_sub(grant.from_ms);
        let progressed = Progressed {
            account_id: grant.account_id,
            profile_id: grant.profile_id,
            title_id: grant.title_id,
            session_id: grant.session_id,
            started_at_ms: grant.started_at_ms,
            sequence: self.sequence,
            position_ms: self.position_ms,
            played_ms: self.played_ms.unwrap_or(straight_on_ms),
            duration_ms: self.duration_ms.or(grant.duration_ms),
            credits_start_ms: grant.credits_start_ms,
            quality: self.quality,
            at_ms,
        };
        progressed.validate()?;
        Ok(progressed)
    }
}

/// Why observations were not recorded.
#[derive(Debug, Error)]
pub enum RecordError {
    /// The stream could not be named.
    #[error("the observation names no stream: {0}")]
    Stream(#[from] StreamNameError),
    /// The log refused the append.
    #[error("appending failed: {0}")]
    Append(#[from] AppendError),
    /// An event could not be encoded.
    #[error(transparent)]
    Codec(#[from] CodecError),
}

impl Commands {
    /// Appends observations, durable when answered. Those of one profile are recorded together.
    ///
    /// A heartbeat's event id follows from its session and sequence, so that sending it again
    /// records it once. Answers the place of the last one; `None` if there were none.
    ///
    /// # Errors
    /// The log refused; observations of other profiles may be recorded nevertheless. Send all of
    /// them again.
    pub async fn record(
        &self,
        observations: Vec<Progressed>,
        context: &Context,
    ) -> Result<Option<Position>, RecordError> {
        let mut by_stream = BTreeMap::<String, Vec<NewEvent>>::new();
        for progressed in observations {
            let id = viewing::stream_id(progressed.account_id, progressed.profile_id);
            let command_id = heartbeat_id(&progressed);
            let event = viewing::Event::Progressed(progressed);
            let events = context.with_command_id(command_id).wrap(&[event])?;
            by_stream.entry(id).or_default().extend(events);
        }
        let mut position = None;
        for (id, events) in by_stream {
            position = Some(self.observe(&id, events).await?);
        }
        Ok(position)
    }

    /// Appends one profile's observations; those that are recorded already do no harm.
    async fn observe(&self, id: &str, events: Vec<NewEvent>) -> Result<Position, RecordError> {
        let stream = StreamName::new(viewing::CATEGORY, id)?;
        let append = Append { stream: stream.clone(), expected: Expected::Any, events };
        match self.log.append(append.clone()).await {
            Ok(appended) => Ok(position(appended)),
            Err(AppendError::IdTaken { .. } | AppendError::DuplicateId { .. }) => {
                self.observe_one_by_one(append).await
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Some of the events are recorded already: each is appended for itself.
    async fn observe_one_by_one(&self, append: Append) -> Result<Position, RecordError> {
        let Append { stream, expected, events } = append;
        let mut last = None;
        for event in events {
            let one = Append { stream: stream.clone(), expected, events: vec![event] };
            last = Some(position(self.log.append(one).await?));
        }
        last.ok_or(RecordError::Append(AppendError::Empty))
    }
}

fn position(appended: playhead_eventlog::Appended) -> Position {
    Position { partition: appended.partition, offset: appended.last_offset }
}

/// The id of a heartbeat: version 5, from its session and sequence.
fn heartbeat_id(progressed: &Progressed) -> Uuid {
    Uuid::new_v5(&progressed.session_id.0, &progressed.sequence.to_be_bytes())
}
