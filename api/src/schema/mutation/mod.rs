//! What clients can do. Each mutation becomes one command; who asks for the same twice, with the
//! same idempotency key, gets it once.

mod account;
mod account_right;
mod availability;
mod consent;
mod devices;
mod erasure;
mod errand;
mod failing_apart;
mod identity;
mod marks;
mod operator;
mod pin;
mod playback;
mod subscription;
mod title;

use async_graphql::MergedObject;
use playhead_commands::{ExecuteError, Executed, Handler, Position as LogPosition};
use playhead_domain::{AccountId, Decider, ProfileId};

pub(crate) use failing_apart::FailingApart;

use super::mutation_error::MutationError;
use super::scalars::Position;
use crate::caller::Caller;
use crate::errors::{self, Fault, Refusal};
use crate::idempotency::Intention;

/// What clients can do.
#[derive(Default, MergedObject)]
pub(crate) struct Mutation(
    account::AccountMutation,
    pin::PinMutation,
    subscription::SubscriptionMutation,
    playback::PlaybackMutation,
    marks::MarksMutation,
    title::TitleMutation,
    identity::RegisterMutation,
    identity::SignInMutation,
    identity::PasswordMutation,
    identity::EmailMutation,
    devices::DeviceMutation,
    consent::ConsentMutation,
    erasure::ErasureMutation,
    operator::OperatorMutation,
    availability::AvailabilityMutation,
);

/// What came of a mutation, before it has the shape of its payload.
pub(crate) struct Outcome<T> {
    object: Option<T>,
    position: Option<Position>,
    errors: Vec<MutationError>,
}

impl<T> Outcome<T> {
    /// It is so now.
    fn done(object: Option<T>, position: Option<LogPosition>) -> Self {
        Self { object, position: position.map(Position), errors: vec![] }
    }

    /// It was refused.
    fn refused(refusal: impl Into<Refusal>, account_id: AccountId) -> Self {
        let errors = vec![MutationError::new(refusal.into(), account_id)];
        Self { object: None, position: None, errors }
    }

    /// The same, told to a profile: it is not shown what it may not see.
    fn told_to(self, profile_id: ProfileId) -> Self {
        let errors = self.errors.into_iter().map(|error| error.told_to(profile_id)).collect();
        Self { errors, ..self }
    }
}

/// Declares the payload of a mutation: its object, the place in the log, the refusals.
macro_rules! payload {
    ($(#[$doc:meta])* $name:ident { $(#[$field_doc:meta])* $field:ident: $object:ty }) => {
        $(#[$doc])*
        #[derive(async_graphql::SimpleObject)]
        pub(crate) struct $name {
            $(#[$field_doc])*
            $field: Option<$object>,
            /// Send it back in the request header Playhead-Position to read what was written; null
            /// if nothing was ever recorded.
            position: Option<$crate::schema::scalars::Position>,
            /// Why nothing was done; empty if it was.
            errors: Vec<$crate::schema::mutation_error::MutationError>,
        }

        // Mutations are nullable: what fails in one takes nothing away from the others.
        impl From<$crate::schema::mutation::Outcome<$object>> for Option<$name> {
            fn from(outcome: $crate::schema::mutation::Outcome<$object>) -> Self {
                let $crate::schema::mutation::Outcome { object, position, errors } = outcome;
                Some($name { $field: object, position, errors })
            }
        }
    };
}
use payload;

/// One command of a client on its way to its stream.
struct Run<'a, D: Decider> {
    caller: &'a Caller,
    /// Who asks.
    account_id: AccountId,
    /// Who decides.
    handler: &'a Handler<D>,
    /// The stream.
    id: D::Id,
    intention: Intention,
}

impl<D: Decider> Run<'_, D>
where
    D::Refusal: Into<Refusal>,
{
    /// Runs it; `object` picks what the payload shows from the state behind it. A command that was
    /// recorded before counts as done, even if the rules forbid it by now.
    async fn run<T>(
        self,
        command: &D::Command,
        object: impl FnOnce(&D::State) -> Option<T>,
    ) -> Result<Outcome<T>, Fault> {
        let executed = self.handler.execute(&self.id, command, &self.intention.context).await;
        self.answer(executed, object).await
    }

    /// The same for a command that is made from the state it is decided on, anew if somebody else was
    /// faster.
    async fn run_on<T>(
        self,
        make: impl Fn(&D::State) -> Result<D::Command, D::Refusal> + Send + Sync,
        object: impl FnOnce(&D::State) -> Option<T>,
    ) -> Result<Outcome<T>, Fault> {
        let executed = self.handler.execute_on(&self.id, make, &self.intention.context).await;
        self.answer(executed, object).await
    }

    async fn answer<T>(
        self,
        executed: Result<Executed<D>, ExecuteError<D::Refusal>>,
        object: impl FnOnce(&D::State) -> Option<T>,
    ) -> Result<Outcome<T>, Fault> {
        let Self { caller, account_id, handler, id, intention } = self;
        let error = match executed {
            Ok(executed) => {
                return Ok(Outcome::done(object(&executed.state), executed.position));
            }
            Err(error) => error,
        };
        let refusal = errors::of_command(error, caller.correlation_id)?;
        let Some(position) = intention.recorded::<D>(caller, &id).await? else {
            return Ok(Outcome::refused(refusal, account_id));
        };
        let state = handler.state(&id).await;
        let state = state.map_err(|error| caller.internal("a stream cannot be read", &error))?;
        Ok(Outcome::done(object(&state), Some(position)))
    }
}
