//! Where and when titles are offered: what content administrators say of it,
//! and creators of their own videos.

use async_graphql::{Context, Error, ID, InputObject, Object};
use playhead_domain::InvalidValue;
use playhead_domain::availability::{Availability, Window};
use playhead_domain::title::{Command, Refusal as TitleRefusal, State};

use super::title::Manager;
use super::{Outcome, payload};
use crate::caller::Caller;
use crate::errors::Fault;
use crate::global_id;
use crate::idempotency::Intention;
use crate::schema::availability::{AvailabilityWindowInput, territories, windows};
use crate::schema::title::Title;

/// Says when a title is offered where, in place of what was said before.
#[derive(Debug, InputObject)]
pub(crate) struct ScheduleAvailabilityInput {
    /// Which title.
    title_id: ID,
    /// When it is offered where; at most 100. Without any it is offered nowhere.
    windows: Vec<AvailabilityWindowInput>,
    /// Where it is never offered, as codes of ISO 3166-1 alpha-2; as before without it.
    blocked_territories: Option<Vec<String>>,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

/// Says where a title is never offered, in place of what was said before.
#[derive(Debug, InputObject)]
pub(crate) struct BlockTerritoriesInput {
    /// Which title.
    title_id: ID,
    /// Where, as codes of ISO 3166-1 alpha-2.
    territories: Vec<String>,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

/// Offers a title everywhere and always.
#[derive(Debug, InputObject)]
pub(crate) struct MakeAvailableInput {
    /// Which title.
    title_id: ID,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

payload! {
    /// What came of scheduling a title.
    ScheduleAvailabilityPayload {
        /// The title.
        title: Title
    }
}
payload! {
    /// What came of blocking a title.
    BlockTerritoriesPayload {
        /// The title.
        title: Title
    }
}
payload! {
    /// What came of offering a title.
    MakeAvailablePayload {
        /// The title.
        title: Title
    }
}

/// Where and when titles are offered.
#[derive(Default)]
pub(crate) struct AvailabilityMutation;

#[Object]
impl AvailabilityMutation {
    /// Says when a title is offered where, in place of what was said before. It takes effect as
    /// time passes, by itself. Needs the role content_admin, or
    /// creator for their own videos.
    async fn schedule_availability(
        &self,
        context: &Context<'_>,
        input: ScheduleAvailabilityInput,
    ) -> Result<Option<ScheduleAvailabilityPayload>, Error> {
        let ScheduleAvailabilityInput { title_id, windows, blocked_territories, idempotency_key } =
            input;
        let change = Change::Windows(windows, blocked_territories);
        let caller = Caller::of(context)?;
        let key = idempotency_key.as_deref();
        Ok(schedule(caller, "scheduleAvailability", key, &title_id, change).await?.into())
    }

    /// Says where a title is never offered, whatever its windows say, in place of what was said
    /// before. Needs the role content_admin, or
    /// creator for their own videos.
    async fn block_territories(
        &self,
        context: &Context<'_>,
        input: BlockTerritoriesInput,
    ) -> Result<Option<BlockTerritoriesPayload>, Error> {
        let BlockTerritoriesInput { title_id, territories, idempotency_key } = input;
        let (caller, change) = (Caller::of(context)?, Change::Blocked(territories));
        let key = idempotency_key.as_deref();
        Ok(schedule(caller, "blockTerritories", key, &title_id, change).await?.into())
    }

    /// Offers a title everywhere and always, whatever was said before. Needs the role
    /// content_admin, or creator for their own videos.
    async fn make_available(
        &self,
        context: &Context<'_>,
        input: MakeAvailableInput,
    ) -> Result<Option<MakeAvailablePayload>, Error> {
        let MakeAvailableInput { title_id, idempotency_key } = input;
        let caller = Caller::of(context)?;
        let key = idempotency_key.as_deref();
        Ok(schedule(caller, "makeAvailable", key, &title_id, Change::Everywhere).await?.into())
    }
}

/// What is said anew.
enum Change {
    Windows(Vec<AvailabilityWindowInput>, Option<Vec<String>>),
    Blocked(Vec<String>),
    Everywhere,
}

impl Change {
    /// The schedule after it. A title without one is offered everywhere and always.
    fn apply(&self, before: Option<&Availability>) -> Result<Availability, InvalidValue> {
        let before = before.cloned().unwrap_or_else(Availability::everywhere);
        Ok(match self {
            Self::Windows(inputs, blocked) => {
                let windows: Vec<Window> = windows(inputs.clone())?;
                let blocked = blocked.clone();
                let blocked = blocked.map(|codes| territories(codes, "blocked_territories"));
                let blocked_territories =
                    blocked.transpose()?.unwrap_or(before.blocked_territories);
                Availability { windows, blocked_territories }
            }
            Self::Blocked(codes) => {
                let blocked_territories = territories(codes.clone(), "territories")?;
                Availability { blocked_territories, ..before }
            }
            Self::Everywhere => Availability::everywhere(),
        })
    }
}

async fn schedule(
    caller: &Caller,
    mutation: &str,
    key: Option<&str>,
    title_id: &ID,
    change: Change,
) -> Result<Outcome<Title>, Fault> {
    let manager = Manager::of(caller)?;
    let account_id = manager.account_id;
    let Some(title_id) = global_id::title(title_id) else {
        return Ok(Outcome::refused(TitleRefusal::Unknown, account_id));
    };
    let intention = Intention::of(caller, account_id, mutation, key)?;
    let (by, at_ms) = (manager.by, caller.now_ms);
    // What is kept of the schedule before is that which the change is decided on.
    let make = |state: &State| {
        let before = state.listing_or_draft().and_then(|listing| listing.availability.as_ref());
        let availability = change.apply(before)?;
        Ok(Command::Schedule { title_id, availability, by, at_ms })
    };
    manager.change_on(title_id, intention, make).await
}
