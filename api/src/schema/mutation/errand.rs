//! What somebody asks of [`People`].

use playhead_commands::people::{People, PeopleError, Promise};
use playhead_commands::{Context, Position};
use playhead_domain::identity::Identity;
use playhead_domain::{AccountId, InvalidValue};
use uuid::Uuid;

use super::Outcome;
use crate::access::Role;
use crate::caller::Caller;
use crate::errors::{self, Fault, Refusal};
use crate::idempotency::Intention;

/// Something that is asked of [`People`], by an account or by nobody known.
pub(super) struct Errand<'a> {
    pub(super) caller: &'a Caller,
    /// Who asks; [`Uuid::nil`] for nobody.
    pub(super) account_id: AccountId,
    pub(super) intention: Intention,
}

impl<'a> Errand<'a> {
    /// The account that calls asks.
    ///
    /// # Errors
    /// The caller did not prove who they are, or the key breaks its rule.
    pub(super) fn own(
        caller: &'a Caller,
        mutation: &str,
        key: Option<String>,
    ) -> Result<Self, Fault> {
        let account_id = caller.account_id()?;
        let intention = Intention::of(caller, account_id, mutation, key.as_deref())?;
        Ok(Self { caller, account_id, intention })
    }

    /// An operator asks.
    ///
    /// # Errors
    /// The caller is none, or the key breaks its rule.
    pub(super) fn of_operator(
        caller: &'a Caller,
        mutation: &str,
        key: Option<String>,
    ) -> Result<Self, Fault> {
        caller.require(Role::Operator)?;
        Self::own(caller, mutation, key)
    }

    /// Somebody asks who proves nothing by a token; `subject` is what they speak for.
    ///
    /// # Errors
    /// The key breaks its rule.
    pub(super) fn of_nobody(
        caller: &'a Caller,
        mutation: &str,
        subject: &str,
        key: Option<String>,
    ) -> Result<Self, Fault> {
        let intention = Intention::of_nobody(caller, mutation, subject, key.as_deref())?;
        Ok(Self { caller, account_id: AccountId(Uuid::nil()), intention })
    }

    /// Somebody asks who has only an address. What the command is named by tells nobody the address.
    ///
    /// # Errors
    /// The key breaks its rule.
    pub(super) fn of_address(
        caller: &'a Caller,
        mutation: &str,
        address: &str,
        key: Option<String>,
    ) -> Result<Self, Fault> {
        let subject = caller.services.people.email_key(address).to_string();
        Self::of_nobody(caller, mutation, &subject, key)
    }

    pub(super) fn people(&self) -> &'a People {
        &self.caller.services.people
    }

    pub(super) fn context(&self) -> &Context {
        &self.intention.context
    }

    /// A new id, the same for the same command.
    pub(super) fn new_id(&self) -> Uuid {
        self.intention.new_id
    }

    /// What came of something that voids access tokens: as [`Errand::done`], once the read models
    /// know it, so that a token that is void is refused from the answer on.
    ///
    /// # Errors
    /// Something failed.
    pub(super) async fn voided<T>(
        &self,
        result: Result<Option<Position>, PeopleError>,
        object: Option<T>,
    ) -> Result<Outcome<T>, Fault> {
        if let Ok(Some(position)) = result {
            self.caller.wait_for(position).await;
        }
        self.done(result, object)
    }

    /// What came of something that cannot be done a second time, such as using a code up: if this very
    /// command was carried out before, it counts as done again. `step` names the command and the
    /// event in the identity's stream that say so.
    ///
    /// # Errors
    /// The log failed.
    pub(super) async fn once(
        &self,
        result: Result<Option<Position>, PeopleError>,
        account_id: AccountId,
        step: (&str, &str),
    ) -> Result<Result<Option<Position>, PeopleError>, Fault> {
        let Err(error) = &result else { return Ok(result) };
        if !error.is_refusal() {
            return Ok(result);
        }
        let before = self.intention.recorded_as::<Identity>(self.caller, &account_id, step).await?;
        Ok(before.map_or(result, |position| Ok(Some(position))))
    }

    /// What came of it. `object` is what the payload shows.
    ///
    /// # Errors
    /// Something failed.
    pub(super) fn done<T>(
        &self,
        result: Result<Option<Position>, PeopleError>,
        object: Option<T>,
    ) -> Result<Outcome<T>, Fault> {
        match result {
            Ok(position) => Ok(Outcome::done(object, position)),
            Err(error) => self.refused(error),
        }
    }

    /// It came to nothing.
    ///
    /// # Errors
    /// Not by a rule, but because something failed.
    pub(super) fn refused<T>(&self, error: PeopleError) -> Result<Outcome<T>, Fault> {
        let refusal = errors::of_people(error, self.caller.correlation_id)?;
        Ok(self.refuse(refusal))
    }

    /// A rule of the API forbids it.
    pub(super) fn refuse<T>(&self, refusal: impl Into<Refusal>) -> Outcome<T> {
        Outcome::refused(refusal, self.account_id)
    }

    /// A field breaks its rule.
    pub(super) fn invalid<T>(&self, field: &'static str, rule: &'static str) -> Outcome<T> {
        self.refuse(InvalidValue { field, rule })
    }

    /// Promises something whose outcome, and the time that it takes, must not tell whether an address
    /// has an account: the answer waits only until the promise is written down.
    ///
    /// # Errors
    /// Too much is going on already, or it cannot be written down.
    pub(super) async fn later(&self, promise: Promise) -> Result<(), Fault> {
        let background = &self.caller.services.background;
        background.promise(promise, self.people(), self.context()).await
    }
}
