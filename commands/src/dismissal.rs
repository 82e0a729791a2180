//! Taking a title off the continue-watching row: an observation, recorded without a decision.

use playhead_domain::viewing::{self, TitleDismissed};
use playhead_eventlog::{Append, Expected, StreamName};

use crate::Commands;
use crate::context::Context;
use crate::handler::Position;
use crate::heartbeat::RecordError;

impl Commands {
    /// Records that a viewer took a title off the row. Durable when answered; the same command
    /// again is recorded once.
    ///
    /// Whether account, profile and title exist is for the caller to check: a dismissal of what
    /// nobody has does no harm.
    ///
    /// # Errors
    /// Nothing was recorded.
    pub async fn dismiss(
        &self,
        dismissed: TitleDismissed,
        context: &Context,
    ) -> Result<Position, RecordError> {
        let id = viewing::stream_id(dismissed.account_id, dismissed.profile_id);
        let stream = StreamName::new(viewing::CATEGORY, &id)?;
        let events = context.wrap(&[viewing::Event::Dismissed(dismissed)])?;
        let appended = self.log.append(Append { stream, expected: Expected::Any, events }).await?;
        Ok(Position { partition: appended.partition, offset: appended.last_offset })
    }
}
