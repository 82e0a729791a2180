//! What can be done to a subscription.

use async_graphql::{Context, Error, InputObject, Object};
use playhead_domain::account::Refusal as AccountRefusal;
use playhead_domain::subscription::{Command, State, Subscription as Rules};

use super::{Outcome, Run, payload};
use crate::caller::Caller;
use crate::errors::Fault;
use crate::idempotency::Intention;
use crate::schema::account::{Account, Plan};
use crate::schema::viewer::account_state;

/// How long a plan runs on after notice was given: a month is paid for in advance.
const NOTICE_MS: i64 = 30 * 24 * 3_600_000;

/// Begins a plan.
#[derive(Debug, InputObject)]
pub(crate) struct SubscribeInput {
    /// Which one.
    plan: Plan,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

/// Moves to another plan.
#[derive(Debug, InputObject)]
pub(crate) struct ChangePlanInput {
    /// Which one.
    plan: Plan,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

/// Gives notice.
#[derive(Debug, Default, InputObject)]
pub(crate) struct CancelSubscriptionInput {
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

payload! {
    /// What came of subscribing.
    SubscribePayload {
        /// The account with its plan.
        account: Account
    }
}
payload! {
    /// What came of changing the plan.
    ChangePlanPayload {
        /// The account with its plan.
        account: Account
    }
}
payload! {
    /// What came of giving notice.
    CancelSubscriptionPayload {
        /// The account with the end of its plan.
        account: Account
    }
}

/// What can be done to a subscription.
#[derive(Default)]
pub(crate) struct SubscriptionMutation;

#[Object]
impl SubscriptionMutation {
    /// Begins a plan, at once.
    async fn subscribe(
        &self,
        context: &Context<'_>,
        input: SubscribeInput,
    ) -> Result<Option<SubscribePayload>, Error> {
        let caller = Caller::of(context)?;
        let account_id = caller.account_id()?;
        if !account_state(caller, account_id).await?.opened {
            return Ok(Outcome::refused(AccountRefusal::NotOpen, account_id).into());
        }
        let plan = input.plan.into();
        let command = Command::Subscribe { account_id, plan, at_ms: caller.now_ms };
        Ok(run(caller, "subscribe", input.idempotency_key, command).await?.into())
    }

    /// Moves to another plan, at once.
    async fn change_plan(
        &self,
        context: &Context<'_>,
        input: ChangePlanInput,
    ) -> Result<Option<ChangePlanPayload>, Error> {
        let caller = Caller::of(context)?;
        let account_id = caller.account_id()?;
        let plan = input.plan.into();
        let command = Command::ChangePlan { account_id, plan, at_ms: caller.now_ms };
        Ok(run(caller, "changePlan", input.idempotency_key, command).await?.into())
    }

    /// Gives notice: the plan runs on for 30 days.
    async fn cancel_subscription(
        &self,
        context: &Context<'_>,
        input: Option<CancelSubscriptionInput>,
    ) -> Result<Option<CancelSubscriptionPayload>, Error> {
        let key = input.unwrap_or_default().idempotency_key;
        let caller = Caller::of(context)?;
        let account_id = caller.account_id()?;
        let ends_at_ms = caller.now_ms.saturating_add(NOTICE_MS);
        let command = Command::Cancel { account_id, ends_at_ms, at_ms: caller.now_ms };
        Ok(run(caller, "cancelSubscription", key, command).await?.into())
    }
}

async fn run(
    caller: &Caller,
    mutation: &str,
    key: Option<String>,
    command: Command,
) -> Result<Outcome<Account>, Fault> {
    let account_id = caller.account_id()?;
    let intention = Intention::of(caller, account_id, mutation, key.as_deref())?;
    let handler = &caller.services.commands.subscriptions;
    let run = Run::<Rules> { caller, account_id, handler, id: account_id, intention };
    run.run(&command, |state: &State| Some(Account::with_subscription(account_id, *state))).await
}
