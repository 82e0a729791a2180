//! Ends sessions that fell silent, so that lists of what plays are true although nobody starts
//! anything. Starting something needs no such process: it looks for itself.

use std::sync::Arc;

use playhead_commands::Context;
use playhead_commands::people::{People, RunningSessions};
use playhead_commands::playback::LastSeen;
use uuid::Uuid;

/// How many accounts are asked for at once.
const PAGE: usize = 500;

/// Ends sessions that fell silent.
pub struct Silence {
    /// Runs the commands.
    pub people: People,
    /// Where something may play.
    pub running: Arc<dyn RunningSessions>,
    /// When it was last heard of.
    pub last_seen: Arc<dyn LastSeen>,
}

impl Silence {
    /// Looks at every account in which something may play; answers how many sessions ended. What
    /// fails is logged, and looked at again the next time. Read models must have caught up before, or
    /// players that were heard of lately would seem silent.
    pub async fn round(&self, at_ms: i64, new_id: impl Fn() -> Uuid + Send) -> usize {
        let mut ended = 0_usize;
        let mut behind = None;
        loop {
            let accounts = match self.running.accounts(behind, PAGE).await {
                Ok(accounts) => accounts,
                Err(error) => {
                    tracing::warn!(%error, "where something plays is unknown");
                    return ended;
                }
            };
            behind = accounts.last().copied();
            let is_last = accounts.len() < PAGE;
            for account_id in accounts {
                let context = context(at_ms, new_id());
                match self.people.expire_silent(account_id, &*self.last_seen, &context).await {
                    Ok(sessions) => ended = ended.saturating_add(sessions),
                    Err(error) => {
                        tracing::warn!(%account_id, %error, "silent sessions were not ended");
                    }
                }
            }
            if is_last {
                return ended;
            }
        }
    }
}

fn context(at_ms: i64, command_id: Uuid) -> Context {
    let actor = "system:silence".into();
    Context { command_id, at_ms, actor, correlation_id: command_id }
}
