//! What a viewer says of a title: off the row, back on it, watched, unwatched, out of the history.

use async_graphql::{Context, Error, ID, InputObject, Object};
use playhead_domain::account::Profile;
use playhead_domain::entitlement::{Terms, Viewer, is_visible};
use playhead_domain::title::{self, State};
use playhead_domain::viewing::{
    Event, RemovedFromHistory, TitleDismissed, TitleMarkedUnwatched, TitleMarkedWatched,
    TitleRestored,
};
use playhead_domain::{AccountId, ProfileId, SessionId, TitleId};

use super::{Outcome, payload};
use crate::caller::Caller;
use crate::errors::{self, Fault, Refusal};
use crate::global_id;
use crate::idempotency::Intention;
use crate::schema::viewer::account_state;

/// Declares what a viewer can say of a title: its input and its payload.
macro_rules! mark {
    ($(#[$input_doc:meta])* $input:ident; $(#[$payload_doc:meta])* $payload:ident) => {
        $(#[$input_doc])*
        #[derive(Debug, InputObject)]
        pub(crate) struct $input {
            /// Whose.
            profile_id: ID,
            /// Which title.
            title_id: ID,
            /// Names this command, 1 to 100 characters: sent again it is done once.
            idempotency_key: Option<String>,
        }

        payload! {
            $(#[$payload_doc])*
            $payload {
                /// The global id of the title.
                title_id: ID
            }
        }
    };
}

mark! {
    /// Takes a title off the continue-watching row.
    DismissTitleInput;
    /// What came of taking a title off the row.
    DismissTitlePayload
}
mark! {
    /// Puts a title back on the continue-watching row.
    RestoreTitleInput;
    /// What came of putting a title back on the row.
    RestoreTitlePayload
}
mark! {
    /// Says that a title was watched to the end.
    MarkWatchedInput;
    /// What came of saying that a title was watched.
    MarkWatchedPayload
}
mark! {
    /// Says that a title counts as never watched.
    MarkUnwatchedInput;
    /// What came of saying that a title was not watched.
    MarkUnwatchedPayload
}

/// Takes plays of a title out of the history.
#[derive(Debug, InputObject)]
pub(crate) struct RemoveFromHistoryInput {
    /// Whose history.
    profile_id: ID,
    /// Which title.
    title_id: ID,
    /// The session that is to be taken out; every one that has begun without it.
    session_id: Option<ID>,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

payload! {
    /// What came of taking plays out of the history.
    RemoveFromHistoryPayload {
        /// The global id of the title.
        title_id: ID
    }
}

/// What a viewer says of a title.
#[derive(Default)]
pub(crate) struct MarksMutation;

#[Object]
impl MarksMutation {
    /// Takes a title off a profile's continue-watching row. Really playing it brings it back.
    async fn dismiss_title(
        &self,
        context: &Context<'_>,
        input: DismissTitleInput,
    ) -> Result<Option<DismissTitlePayload>, Error> {
        let DismissTitleInput { profile_id, title_id, idempotency_key } = input;
        let said = Said::of_seen("dismissTitle", profile_id, title_id, idempotency_key);
        let event = |Of { account_id, profile_id, title_id, at_ms }| {
            Event::Dismissed(TitleDismissed { account_id, profile_id, title_id, at_ms })
        };
        Ok(mark(Caller::of(context)?, said, event).await?.into())
    }

    /// Puts a title that was taken off a profile's continue-watching row back where it was.
    async fn restore_title(
        &self,
        context: &Context<'_>,
        input: RestoreTitleInput,
    ) -> Result<Option<RestoreTitlePayload>, Error> {
        let RestoreTitleInput { profile_id, title_id, idempotency_key } = input;
        let said = Said::of_any("restoreTitle", profile_id, title_id, idempotency_key);
        let event = |Of { account_id, profile_id, title_id, at_ms }| {
            Event::Restored(TitleRestored { account_id, profile_id, title_id, at_ms })
        };
        Ok(mark(Caller::of(context)?, said, event).await?.into())
    }

    /// Says that a profile watched a title to the end, here or elsewhere. Counts as once, unless it
    /// was finished already; of a series, the next episode is offered.
    async fn mark_watched(
        &self,
        context: &Context<'_>,
        input: MarkWatchedInput,
    ) -> Result<Option<MarkWatchedPayload>, Error> {
        let MarkWatchedInput { profile_id, title_id, idempotency_key } = input;
        let said = Said::of_seen("markWatched", profile_id, title_id, idempotency_key);
        let event = |Of { account_id, profile_id, title_id, at_ms }| {
            Event::MarkedWatched(TitleMarkedWatched { account_id, profile_id, title_id, at_ms })
        };
        Ok(mark(Caller::of(context)?, said, event).await?.into())
    }

    /// Says that a title counts as never watched by a profile. What was played stays in the history.
    async fn mark_unwatched(
        &self,
        context: &Context<'_>,
        input: MarkUnwatchedInput,
    ) -> Result<Option<MarkUnwatchedPayload>, Error> {
        let MarkUnwatchedInput { profile_id, title_id, idempotency_key } = input;
        let said = Said::of_any("markUnwatched", profile_id, title_id, idempotency_key);
        let event = |Of { account_id, profile_id, title_id, at_ms }| {
            Event::MarkedUnwatched(TitleMarkedUnwatched { account_id, profile_id, title_id, at_ms })
        };
        Ok(mark(Caller::of(context)?, said, event).await?.into())
    }

    /// Takes plays of a title out of a profile's history. They count for nothing from then on.
    async fn remove_from_history(
        &self,
        context: &Context<'_>,
        input: RemoveFromHistoryInput,
    ) -> Result<Option<RemoveFromHistoryPayload>, Error> {
        let RemoveFromHistoryInput { profile_id, title_id, session_id, idempotency_key } = input;
        let caller = Caller::of(context)?;
        let session_id = match session_id.map(|id| id.parse().map(SessionId)).transpose() {
            Ok(session_id) => session_id,
            Err(_) => {
                let rule = "the id of a session";
                let invalid = playhead_domain::InvalidValue { field: "session_id", rule };
                return Ok(Outcome::refused(invalid, caller.account_id()?).into());
            }
        };
        let said = Said::of_any("removeFromHistory", profile_id, title_id, idempotency_key);
        let event = |Of { account_id, profile_id, title_id, at_ms }| {
            let removed =
                RemovedFromHistory { account_id, profile_id, title_id, session_id, at_ms };
            Event::RemovedFromHistory(removed)
        };
        Ok(mark(caller, said, event).await?.into())
    }
}

/// What a client says.
struct Said {
    mutation: &'static str,
    profile_id: ID,
    title_id: ID,
    idempotency_key: Option<String>,
    /// Whether the profile must see the title.
    seen: bool,
}

impl Said {
    /// Something that only makes sense of a title that the profile sees.
    fn of_seen(
        mutation: &'static str,
        profile_id: ID,
        title_id: ID,
        idempotency_key: Option<String>,
    ) -> Self {
        Self { mutation, profile_id, title_id, idempotency_key, seen: true }
    }

    /// Something that takes back what was said or played. It is not asked whether the title is there,
    /// or may be seen: what a profile watched may have been withdrawn since, and must be removable.
    fn of_any(
        mutation: &'static str,
        profile_id: ID,
        title_id: ID,
        idempotency_key: Option<String>,
    ) -> Self {
        Self { mutation, profile_id, title_id, idempotency_key, seen: false }
    }
}

/// Of whom and what something is said, and when.
struct Of {
    account_id: AccountId,
    profile_id: ProfileId,
    title_id: TitleId,
    at_ms: i64,
}

/// Records what was said.
async fn mark(
    caller: &Caller,
    said: Said,
    event: impl FnOnce(Of) -> Event,
) -> Result<Outcome<ID>, Fault> {
    let account_id = caller.account_id()?;
    let key = said.idempotency_key.as_deref();
    let intention = Intention::of(caller, account_id, said.mutation, key)?;
    let known = account_state(caller, account_id).await?;
    let profile_id = global_id::profile_of(account_id, &said.profile_id);
    let profile = profile_id.and_then(|id| Some((id, known.profiles.get(&id)?)));
    let Some((profile_id, profile)) = profile else {
        return Ok(Outcome::refused(Refusal::unknown_profile(), account_id));
    };
    let unknown = || Ok(Outcome::refused(title::Refusal::Unknown, account_id));
    let Some(title_id) = global_id::title(&said.title_id) else { return unknown() };
    if said.seen && !may_see(caller, profile, title_id).await? {
        return unknown();
    }
    let event = event(Of { account_id, profile_id, title_id, at_ms: caller.now_ms });
    let commands = &caller.services.commands;
    let position = commands.mark(account_id, profile_id, event, &intention.context).await;
    let position = position.map_err(|error| errors::of_record(&error, caller.correlation_id))?;
    Ok(Outcome::done(Some(said.title_id), Some(position)))
}

/// Whether a title is there for a profile. One that was withdrawn still stands on the row of whoever
/// is shown unrated ones.
async fn may_see(caller: &Caller, profile: &Profile, title_id: TitleId) -> Result<bool, Fault> {
    let state = caller.services.commands.titles.state(&title_id).await;
    let state = state.map_err(|error| caller.internal("a title cannot be read", &error))?;
    let terms = match &*state {
        State::Unknown | State::Draft(_) => return Ok(false),
        State::Listed(listing) => listing.terms(),
        State::Withdrawn { .. } => Terms { maturity: None, availability: None },
    };
    let territory = caller.place().await?.territory;
    let viewer = Viewer { territory, maturity_max: profile.maturity_max };
    Ok(is_visible(&terms, &viewer, caller.now_ms))
}
