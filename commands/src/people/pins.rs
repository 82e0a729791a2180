//! The PINs of profiles.

use playhead_domain::account::{self, Command};
use playhead_domain::{AccountId, Personal, ProfileId};
use playhead_identity::password::{PasswordError, check_pin};
use tracing::Instrument;
use uuid::Uuid;

use super::{Outcome, People, PeopleError};
use crate::context::Context;
use crate::handler::Position;

impl People {
    /// Gives a profile a PIN, or another one. `account_right` is
    /// [`is_password`](People::is_password); without it only a profile without a PIN gets one.
    ///
    /// # Errors
    /// [`PeopleError::Invalid`], [`PeopleError::Account`], or something failed.
    pub async fn set_pin(
        &self,
        account_id: AccountId,
        profile_id: ProfileId,
        pin: &str,
        account_right: bool,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        check_pin(pin)?;
        let hash = Personal::Known(self.parts().passwords.hash(pin).await?);
        let at_ms = context.at_ms;
        let set = Command::SetPin { account_id, profile_id, hash, account_right, at_ms };
        self.ask_account(account_id, &set, "pin", context).await
    }

    /// Takes a profile's PIN away, which needs the account right.
    ///
    /// # Errors
    /// [`PeopleError::Account`], or something failed.
    pub async fn remove_pin(
        &self,
        account_id: AccountId,
        profile_id: ProfileId,
        account_right: bool,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        let at_ms = context.at_ms;
        let remove = Command::RemovePin { account_id, profile_id, account_right, at_ms };
        self.ask_account(account_id, &remove, "pin", context).await
    }

    /// Whether this is the profile's PIN. A wrong try is counted; after too many of them the answer
    /// is [`PinLocked`](account::Refusal::PinLocked) for a while, whatever is tried.
    ///
    /// A try goes on when the caller gives up, such as a request that took too long: what was
    /// compared is counted.
    ///
    /// # Errors
    /// [`PeopleError::Account`], or something failed.
    pub async fn try_pin(
        &self,
        account_id: AccountId,
        profile_id: ProfileId,
        pin: &str,
        context: &Context,
    ) -> Outcome<bool> {
        let (people, pin, context) = (self.clone(), pin.to_owned(), context.branch("try pin"));
        let trying =
            async move { people.compare_pin(account_id, profile_id, &pin, &context).await };
        let tried = tokio::spawn(trying.in_current_span()).await;
        tried.map_err(|error| PeopleError::Password(PasswordError::Interrupted(error)))?
    }

    async fn compare_pin(
        &self,
        account_id: AccountId,
        profile_id: ProfileId,
        pin: &str,
        context: &Context,
    ) -> Outcome<bool> {
        let household = self.commands().accounts.state(&account_id).await?;
        let stored = household.pins.get(&profile_id);
        if let Some(until_ms) = stored.and_then(|pin| pin.locked_until(context.at_ms)) {
            // No need to hash for it.
            return Err(PeopleError::Account(account::Refusal::PinLocked { until_ms }));
        }
        let hash = stored.and_then(|pin| pin.hash.known()).map(String::as_str);
        let correct = self.parts().passwords.verify(hash, pin).await?;
        let (try_id, at_ms): (Uuid, _) = (context.command_id, context.at_ms);
        let tried = Command::TryPin { account_id, profile_id, try_id, correct, at_ms };
        let executed = self.commands().accounts.execute(&account_id, &tried, context).await?;
        // A try that was wrong stays wrong when the command comes again.
        let refused =
            executed.events.iter().any(|event| matches!(event, account::Event::PinRefused(_)));
        Ok(correct && !refused)
    }

    pub(super) async fn ask_account(
        &self,
        account_id: AccountId,
        command: &Command,
        name: &str,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        let context = context.branch(name);
        Ok(self.commands().accounts.execute(&account_id, command, &context).await?.position)
    }
}
