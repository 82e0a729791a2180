//! Being forgotten.

use playhead_domain::identity::{self, Ask, Identity};
use playhead_domain::{AccountId, Decider, Personal, StoredEvent};
use playhead_eventlog::StreamName;

use super::outside::claim_key;
use super::{Outcome, People, mails};
use crate::context::Context;
use crate::handler::Position;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// How many events are read at once.
const PAGE_EVENTS: usize = 1_000;

impl People {
    /// Asks for everything personal of an account to be forgotten, once the time to change one's
    /// mind is over. Its owner is told by mail. Asking again changes nothing.
    ///
    /// # Errors
    /// [`Identity`](super::PeopleError::Identity), or something failed.
    pub async fn request_erasure(
        &self,
        account_id: AccountId,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        let settings = &self.parts().settings;
        let wait_ms = settings.erasure_cooling_off_ms;
        let due_at_ms = context.at_ms.saturating_add(wait_ms);
        let ask = Ask::RequestErasure { due_at_ms };
        let executed = self.ask(account_id, ask, "erasure", context).await?;
        let address = executed.state.email.as_ref().and_then(Personal::known);
        if let (Some(address), false) = (address, executed.changed_nothing()) {
            let message = mails::erasure_requested(settings, address, wait_ms / DAY_MS);
            // The request counts whether or not this mail goes out: it is a right.
            if let Err(error) = self.parts().mailer.send(&message, context.at_ms).await {
                tracing::warn!(%account_id, %error, "nobody was told of a coming erasure");
            }
        }
        Ok(executed.position)
    }

    /// Stays after all.
    ///
    /// # Errors
    /// [`Identity`](super::PeopleError::Identity), or something failed.
    pub async fn withdraw_erasure(
        &self,
        account_id: AccountId,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        Ok(self.ask(account_id, Ask::WithdrawErasure, "stay", context).await?.position)
    }

    /// Forgets a person whose day has come: records it, frees their addresses and outside
    /// identities, removes the mails to them that are kept here, and destroys the key of their
    /// personal values.
    ///
    /// Can be repeated at any time, with the same command or another, and goes on wherever it died.
    /// The key goes last: as long as it is there, what is left to do can be found in the log.
    ///
    /// # Errors
    /// [`Identity`](super::PeopleError::Identity) if it was not asked for or is not due, or
    /// something failed.
    pub async fn erase_due(
        &self,
        account_id: AccountId,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        let erased = self.ask(account_id, Ask::Erase, "erase", context).await?;
        let held = self.keys_ever_held(account_id).await?;
        let subjects = held.subjects.into_iter().map(claim_key);
        for key in held.emails.into_iter().chain(subjects) {
            self.release(account_id, key, context).await?;
        }
        self.parts().mailer.forget(&held.addresses).await?;
        self.parts().vault.erase(account_id.0).await?;
        self.forget(account_id);
        Ok(erased.position)
    }

    /// Drops what the handlers remember of an account in clear.
    fn forget(&self, account_id: AccountId) {
        let commands = self.commands();
        commands.identities.forget(&account_id);
        commands.accounts.forget(&account_id);
        commands.devices.forget(&account_id);
        commands.playbacks.forget(&account_id);
        commands.subscriptions.forget(&account_id);
    }

    /// Everything that happened to an identity.
    pub(super) async fn identity_events(
        &self,
        account_id: AccountId,
    ) -> Outcome<Vec<identity::Event>> {
        let name = StreamName::new(Identity::CATEGORY, &account_id.to_string());
        let Ok(stream) = name else { return Ok(vec![]) };
        let (mut events, mut from) = (vec![], 0);
        loop {
            let page = self.parts().log.read_stream(&stream, from, PAGE_EVENTS).await?;
            if page.is_empty() {
                return Ok(events);
            }
            from = from.saturating_add(page.len() as u64);
            for recorded in page {
                let event = &recorded.event;
                let (version, payload) = (event.schema_version, &event.payload);
                events.push(identity::Event::from_json(&event.event_type, version, payload)?);
            }
        }
    }
}
