//! Subscriptions: what a household may watch, and until when.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::codec::stored_events;
use crate::decider::Decider;
use crate::ids::AccountId;
use crate::values::Plan;

/// A household took out a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subscribed {
    /// The account.
    pub account_id: AccountId,
    /// What it took out.
    pub plan: Plan,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// A household moved to another plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanChanged {
    /// The account.
    pub account_id: AccountId,
    /// The plan until now.
    pub from: Plan,
    /// The plan from now on.
    pub to: Plan,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// A household gave notice; the plan runs on until it ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubscriptionCancelled {
    /// The account.
    pub account_id: AccountId,
    /// The first moment without the plan, in milliseconds since 1970-01-01 UTC.
    pub ends_at_ms: i64,
    /// When notice was given, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// A cancelled plan ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubscriptionExpired {
    /// The account.
    pub account_id: AccountId,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

stored_events! {
    /// What happens to a subscription.
    pub enum Event {
        /// A plan began.
        Subscribed(Subscribed) = 1,
        /// Another plan replaced it.
        PlanChanged(PlanChanged) = 1,
        /// Notice was given.
        Cancelled(SubscriptionCancelled) = 1,
        /// It ended.
        Expired(SubscriptionExpired) = 1,
    }
}

/// What a household is subscribed to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum State {
    /// Nothing: never subscribed, or the plan ended.
    #[default]
    None,
    /// A plan without an end.
    Active {
        /// The plan.
        plan: Plan,
    },
    /// A plan that ends.
    Cancelled {
        /// The plan.
        plan: Plan,
        /// The first moment without it, in milliseconds since 1970-01-01 UTC.
        ends_at_ms: i64,
    },
}

impl State {
    /// The plan that runs at a moment.
    #[must_use]
    pub fn plan_at(self, at_ms: i64) -> Option<Plan> {
        match self {
            Self::Active { plan } => Some(plan),
            Self::Cancelled { plan, ends_at_ms } if at_ms < ends_at_ms => Some(plan),
            Self::Cancelled { .. } | Self::None => None,
        }
    }
}

/// What can be asked of a subscription.
#[derive(Debug, Clone)]
pub enum Command {
    /// Begin a plan.
    Subscribe {
        /// The account.
        account_id: AccountId,
        /// The plan.
        plan: Plan,
        /// Now.
        at_ms: i64,
    },
    /// Move to another plan at once.
    ChangePlan {
        /// The account.
        account_id: AccountId,
        /// The new plan.
        plan: Plan,
        /// Now.
        at_ms: i64,
    },
    /// Give notice.
    Cancel {
        /// The account.
        account_id: AccountId,
        /// The end of what is paid for.
        ends_at_ms: i64,
        /// Now.
        at_ms: i64,
    },
    /// End a cancelled plan whose time has come.
    Expire {
        /// The account.
        account_id: AccountId,
        /// Now.
        at_ms: i64,
    },
}

/// Why something cannot be done to a subscription.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Refusal {
    /// A plan runs already. Change it instead.
    #[error("the {} plan runs already", plan.as_str())]
    AlreadySubscribed {
        /// The plan that runs.
        plan: Plan,
    },
    /// No plan runs.
    #[error("there is no running subscription")]
    NotSubscribed,
    /// The plan has no end yet, or its end is not reached.
    #[error("the subscription has not ended yet")]
    NotOver,
}

/// The rules for subscriptions.
#[derive(Debug)]
pub struct Subscription;

impl Decider for Subscription {
    const CATEGORY: &'static str = "subscription";
    type Id = AccountId;
    type State = State;
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Refusal> {
        match (*state, command.clone()) {
            (State::Active { plan }, Command::Subscribe { .. }) => {
                Err(Refusal::AlreadySubscribed { plan })
            }
            (_, Command::Subscribe { account_id, plan, at_ms }) => {
                Ok(vec![Event::Subscribed(Subscribed { account_id, plan, at_ms })])
            }
            (State::Active { plan: from }, Command::ChangePlan { account_id, plan: to, at_ms }) => {
                let changed = PlanChanged { account_id, from, to, at_ms };
                Ok(if from == to { vec![] } else { vec![Event::PlanChanged(changed)] })
            }
            (State::Active { .. }, Command::Cancel { account_id, ends_at_ms, at_ms }) => {
                let ends_at_ms = ends_at_ms.max(at_ms);
                let cancelled = SubscriptionCancelled { account_id, ends_at_ms, at_ms };
                Ok(vec![Event::Cancelled(cancelled)])
            }
            (State::Cancelled { .. }, Command::Cancel { .. })
            | (State::None, Command::Expire { .. }) => Ok(vec![]),
            (State::Cancelled { ends_at_ms, .. }, Command::Expire { account_id, at_ms })
                if at_ms >= ends_at_ms =>
            {
                Ok(vec![Event::Expired(SubscriptionExpired { account_id, at_ms })])
            }
            (_, Command::Expire { .. }) => Err(Refusal::NotOver),
            (State::None, Command::Cancel { .. })
            | (State::None | State::Cancelled { .. }, Command::ChangePlan { .. }) => {
                Err(Refusal::NotSubscribed)
            }
        }
    }

    fn evolve(state: State, event: &Event) -> State {
        match (state, event) {
            (_, Event::Subscribed(Subscribed { plan, .. }))
            | (_, Event::PlanChanged(PlanChanged { to: plan, .. })) => {
                State::Active { plan: *plan }
            }
            (
                State::Active { plan } | State::Cancelled { plan, .. },
                Event::Cancelled(SubscriptionCancelled { ends_at_ms, .. }),
            ) => State::Cancelled { plan, ends_at_ms: *ends_at_ms },
            (State::None, Event::Cancelled(_)) | (_, Event::Expired(_)) => State::None,
        }
    }
}

#[cfg(test)]
mod tests;
