//! Accounts.

use async_graphql::{Context, Enum, Error, ID, Object};
use playhead_domain::subscription::State as Subscription;
use playhead_domain::{AccountId, Plan as DomainPlan};
use tokio::sync::OnceCell;

use super::eyes::Eyes;
use super::scalars::DateTime;
use super::stream::{self, PlayingStream};
use crate::caller::Caller;
use crate::errors::Fault;
use crate::global_id::GlobalId;

/// What a household pays for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainPlan")]
pub(crate) enum Plan {
    /// One stream at a time.
    Basic,
    /// Two streams at a time.
    Standard,
    /// Four streams at a time.
    Premium,
}

/// A household.
pub(crate) struct Account {
    id: AccountId,
    /// Read once, when the first field needs it.
    subscription: OnceCell<Subscription>,
}

impl Account {
    pub(crate) fn new(id: AccountId) -> Self {
        Self { id, subscription: OnceCell::new() }
    }

    /// An account whose subscription is known already.
    pub(crate) fn with_subscription(id: AccountId, subscription: Subscription) -> Self {
        Self { id, subscription: OnceCell::new_with(Some(subscription)) }
    }

    async fn subscription(&self, caller: &Caller) -> Result<Subscription, Fault> {
        let read = async || {
            let state = caller.services.commands.subscriptions.state(&self.id).await;
            state.map(|state| *state)
        };
        let state = self.subscription.get_or_try_init(read).await;
        state.copied().map_err(|error| caller.internal("a subscription cannot be read", &error))
    }

    async fn running_plan(&self, caller: &Caller) -> Result<Option<DomainPlan>, Fault> {
        Ok(self.subscription(caller).await?.plan_at(caller.now_ms))
    }

    async fn ends_at(&self, caller: &Caller) -> Result<Option<DateTime>, Fault> {
        Ok(match self.subscription(caller).await? {
            Subscription::Cancelled { ends_at_ms, .. } if caller.now_ms < ends_at_ms => {
                Some(DateTime(ends_at_ms))
            }
            Subscription::Cancelled { .. } | Subscription::Active { .. } | Subscription::None => {
                None
            }
        })
    }
}

/// A household: what is subscribed and limited.
#[Object]
impl Account {
    /// A global id.
    pub(crate) async fn id(&self) -> ID {
        GlobalId::Account(self.id).into()
    }

    /// The plan that runs; null without one.
    async fn plan(&self, context: &Context<'_>) -> Option<Result<Plan, Error>> {
        let plan = match Caller::of(context) {
            Ok(caller) => self.running_plan(caller).await,
            Err(fault) => Err(fault),
        };
        plan.transpose().map(|plan| Ok(plan?.into()))
    }

    /// The first moment without the plan, if it was cancelled.
    async fn subscription_ends_at(&self, context: &Context<'_>) -> Option<Result<DateTime, Error>> {
        let ends_at = match Caller::of(context) {
            Ok(caller) => self.ends_at(caller).await,
            Err(fault) => Err(fault),
        };
        ends_at.transpose().map(|ends_at| Ok(ends_at?))
    }

    /// How many streams may play at once; 0 without a plan.
    async fn streams_max(&self, context: &Context<'_>) -> Result<i32, Error> {
        let plan = self.running_plan(Caller::of(context)?).await?;
        Ok(plan.map_or(0, |plan| i32::try_from(plan.streams_max()).unwrap_or(i32::MAX)))
    }

    /// What plays right now, longest first. `profileId` says who asks, as for `titles`: titles that
    /// they may not see are null.
    async fn playing(
        &self,
        context: &Context<'_>,
        profile_id: Option<ID>,
    ) -> Result<Vec<PlayingStream>, Error> {
        let caller = Caller::of(context)?;
        let eyes = Eyes::of(caller, profile_id.as_ref()).await?;
        Ok(stream::playing(caller, self.id, eyes).await?)
    }
}
