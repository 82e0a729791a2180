//! What a viewer says of a title: off the row, back on it, watched, unwatched, out of the history.
//! Observations, recorded without a decision.

use playhead_domain::viewing;
use playhead_domain::{AccountId, ProfileId};
use playhead_eventlog::{Append, Expected, StreamName};

use crate::Commands;
use crate::context::Context;
use crate::handler::Position;
use crate::heartbeat::RecordError;

impl Commands {
    /// Records what a viewer said of a title. Durable when answered; the same command again is
    /// recorded once.
    ///
    /// Whether account, profile and title exist is for the caller to check: what is said of what
    /// nobody has does no harm.
    ///
    /// # Errors
    /// Nothing was recorded.
    pub async fn mark(
        &self,
        account_id: AccountId,
        profile_id: ProfileId,
        said: viewing::Event,
        context: &Context,
    ) -> Result<Position, RecordError> {
        let id = viewing::stream_id(account_id, profile_id);
        let stream = StreamName::new(viewing::CATEGORY, &id)?;
        let events = context.wrap(&[said])?;
        let appended = self.log.append(Append { stream, expected: Expected::Any, events }).await?;
        Ok(Position { partition: appended.partition, offset: appended.last_offset })
    }
}
