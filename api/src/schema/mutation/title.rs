//! What content administrators do to the catalogue, and creators to their own videos.

use async_graphql::{Context, Error, ID, InputObject, Object};
use playhead_domain::title::{
    By, Command, Kind, Metadata, Refusal as TitleRefusal, State, Title as Rules,
};
use playhead_domain::values::check;
use playhead_domain::{AccountId, InvalidValue, TitleId};

use super::{Outcome, Run, payload};
use crate::caller::Caller;
use crate::errors::Fault;
use crate::global_id;
use crate::idempotency::Intention;
use crate::schema::eyes::Eyes;
use crate::schema::title::{Title, manager, of_changed};

mod metadata;

use metadata::TitleMetadataInput;

/// Puts a title into the catalogue.
#[derive(Debug, InputObject)]
pub(crate) struct AddTitleInput {
    #[graphql(flatten)]
    metadata: TitleMetadataInput,
    /// Whether it is prepared first: nobody else sees it until it is published.
    #[graphql(default)]
    draft: bool,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

/// Replaces all that is known of a title, but where it was imported from.
#[derive(Debug, InputObject)]
pub(crate) struct EditTitleInput {
    /// Which one.
    title_id: ID,
    #[graphql(flatten)]
    metadata: TitleMetadataInput,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

/// Puts a draft into the catalogue.
#[derive(Debug, InputObject)]
pub(crate) struct PublishTitleInput {
    /// Which one.
    title_id: ID,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

/// Takes a title out of the catalogue.
#[derive(Debug, InputObject)]
pub(crate) struct WithdrawTitleInput {
    /// Which one.
    title_id: ID,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

payload! {
    /// What came of adding a title.
    AddTitlePayload {
        /// The new title.
        title: Title
    }
}
payload! {
    /// What came of editing a title.
    EditTitlePayload {
        /// The title as it is now.
        title: Title
    }
}
payload! {
    /// What came of publishing a draft.
    PublishTitlePayload {
        /// The title, which is in the catalogue now.
        title: Title
    }
}
payload! {
    /// What came of withdrawing a title.
    WithdrawTitlePayload {
        /// The global id of the title that is gone.
        title_id: ID
    }
}

/// What content administrators do to the catalogue, and creators to their own videos.
#[derive(Default)]
pub(crate) struct TitleMutation;

#[Object]
impl TitleMutation {
    /// Puts a title into the catalogue, or prepares it. Needs the role content_admin, or creator,
    /// whose own video it is then.
    async fn add_title(
        &self,
        context: &Context<'_>,
        input: AddTitleInput,
    ) -> Result<Option<AddTitlePayload>, Error> {
        Ok(add(Caller::of(context)?, input).await?.into())
    }

    /// Replaces all that is known of a title, but where it was imported from. Needs the role
    /// content_admin, or creator for their own videos.
    async fn edit_title(
        &self,
        context: &Context<'_>,
        input: EditTitleInput,
    ) -> Result<Option<EditTitlePayload>, Error> {
        Ok(edit(Caller::of(context)?, input).await?.into())
    }

    /// Puts a draft into the catalogue. Needs the role content_admin, or creator for their own
    /// videos.
    async fn publish_title(
        &self,
        context: &Context<'_>,
        input: PublishTitleInput,
    ) -> Result<Option<PublishTitlePayload>, Error> {
        Ok(publish(Caller::of(context)?, input).await?.into())
    }

    /// Takes a title out of the catalogue, for good. Needs the role content_admin, or creator for
    /// their own videos.
    async fn withdraw_title(
        &self,
        context: &Context<'_>,
        input: WithdrawTitleInput,
    ) -> Result<Option<WithdrawTitlePayload>, Error> {
        Ok(withdraw(Caller::of(context)?, input).await?.into())
    }
}

/// Somebody who may change titles.
pub(super) struct Manager<'a> {
    pub(super) caller: &'a Caller,
    pub(super) account_id: AccountId,
    /// Which titles they may change.
    pub(super) by: By,
}

impl<'a> Manager<'a> {
    /// The caller as one of them.
    ///
    /// # Errors
    /// They may not change any.
    pub(super) fn of(caller: &'a Caller) -> Result<Self, Fault> {
        let by = manager(caller)?;
        Ok(Self { caller, account_id: caller.account_id()?, by })
    }

    /// With which eyes they see what their title leads to.
    async fn eyes(&self) -> Result<Eyes, Fault> {
        Eyes::of(self.caller, None).await
    }

    /// Runs a command on a title, and answers the title behind it.
    pub(super) async fn change(
        &self,
        title_id: TitleId,
        intention: Intention,
        command: &Command,
    ) -> Result<Outcome<Title>, Fault> {
        let eyes = self.eyes().await?;
        let run = self.run(title_id, intention);
        run.run(command, |state| of_changed(title_id, state, eyes)).await
    }

    /// The same for a command that is made from the state it is decided on.
    pub(super) async fn change_on(
        &self,
        title_id: TitleId,
        intention: Intention,
        make: impl Fn(&State) -> Result<Command, TitleRefusal> + Send + Sync,
    ) -> Result<Outcome<Title>, Fault> {
        let eyes = self.eyes().await?;
        let run = self.run(title_id, intention);
        run.run_on(make, |state| of_changed(title_id, state, eyes)).await
    }

    fn run(&self, id: TitleId, intention: Intention) -> Run<'a, Rules> {
        let Self { caller, account_id, .. } = *self;
        Run { caller, account_id, handler: &caller.services.commands.titles, id, intention }
    }

    fn refused<T>(&self, refusal: impl Into<crate::errors::Refusal>) -> Outcome<T> {
        Outcome::refused(refusal, self.account_id)
    }

    fn intention(&self, mutation: &str, key: Option<&str>) -> Result<Intention, Fault> {
        Intention::of(self.caller, self.account_id, mutation, key)
    }

    /// Whether what a title belongs to is there and theirs: an episode's series, an extra's title.
    async fn check_parents(&self, metadata: &Metadata) -> Result<Result<(), InvalidValue>, Fault> {
        let series = metadata.episode_of.map(|episode| episode.series_id);
        let is_series = |kind| kind == Kind::Series;
        let rule = "the id of a series in the catalogue";
        if let Err(invalid) = self.check_parent(series, is_series, "series_id", rule).await? {
            return Ok(Err(invalid));
        }
        let is_whole = |kind| !matches!(kind, Kind::Extra | Kind::Trailer);
        let rule = "the id of a title in the catalogue that is no extra itself";
        self.check_parent(metadata.extra_of, is_whole, "extra_of", rule).await
    }

    async fn check_parent(
        &self,
        title_id: Option<TitleId>,
        fits: fn(Kind) -> bool,
        field: &'static str,
        rule: &'static str,
    ) -> Result<Result<(), InvalidValue>, Fault> {
        let Some(title_id) = title_id else { return Ok(Ok(())) };
        let state = self.caller.services.commands.titles.state(&title_id).await;
        let failed = |error| self.caller.internal("a title cannot be read", &error);
        let state = state.map_err(failed)?;
        let parent = state.listing_or_draft().filter(|it| self.by.may_change(it.owner));
        Ok(check(parent.is_some_and(|it| fits(it.metadata.kind)), field, rule))
    }
}

async fn add(caller: &Caller, input: AddTitleInput) -> Result<Outcome<Title>, Fault> {
    let manager = Manager::of(caller)?;
    let metadata = match input.metadata.read() {
        Ok(metadata) => metadata,
        Err(invalid) => return Ok(manager.refused(invalid)),
    };
    if let Err(invalid) = manager.check_parents(&metadata).await? {
        return Ok(manager.refused(invalid));
    }
    let owner = match manager.by {
        By::Catalogue => None,
        By::Owner(account_id) => Some(account_id),
    };
    let intention = manager.intention("addTitle", input.idempotency_key.as_deref())?;
    let title_id = TitleId(intention.new_id);
    let (draft, at_ms) = (input.draft, caller.now_ms);
    let command = Command::Add { title_id, metadata, owner, draft, at_ms };
    manager.change(title_id, intention, &command).await
}

async fn edit(caller: &Caller, input: EditTitleInput) -> Result<Outcome<Title>, Fault> {
    let manager = Manager::of(caller)?;
    let Some(title_id) = global_id::title(&input.title_id) else {
        return Ok(manager.refused(TitleRefusal::Unknown));
    };
    let mut metadata = match input.metadata.read() {
        Ok(metadata) => metadata,
        Err(invalid) => return Ok(manager.refused(invalid)),
    };
    if let Err(invalid) = manager.check_parents(&metadata).await? {
        return Ok(manager.refused(invalid));
    }
    let state = caller.services.commands.titles.state(&title_id).await;
    let state = state.map_err(|error| caller.internal("a title cannot be read", &error))?;
    metadata.source = state.listing_or_draft().and_then(|known| known.metadata.source.clone());
    let intention = manager.intention("editTitle", input.idempotency_key.as_deref())?;
    let command = Command::Edit { title_id, metadata, by: manager.by, at_ms: caller.now_ms };
    manager.change(title_id, intention, &command).await
}

async fn publish(caller: &Caller, input: PublishTitleInput) -> Result<Outcome<Title>, Fault> {
    let manager = Manager::of(caller)?;
    let Some(title_id) = global_id::title(&input.title_id) else {
        return Ok(manager.refused(TitleRefusal::Unknown));
    };
    let intention = manager.intention("publishTitle", input.idempotency_key.as_deref())?;
    let command = Command::Publish { title_id, by: manager.by, at_ms: caller.now_ms };
    manager.change(title_id, intention, &command).await
}

async fn withdraw(caller: &Caller, input: WithdrawTitleInput) -> Result<Outcome<ID>, Fault> {
    let manager = Manager::of(caller)?;
    let Some(title_id) = global_id::title(&input.title_id) else {
        return Ok(manager.refused(TitleRefusal::Unknown));
    };
    let intention = manager.intention("withdrawTitle", input.idempotency_key.as_deref())?;
    let command = Command::Withdraw { title_id, by: manager.by, at_ms: caller.now_ms };
    manager.run(title_id, intention).run(&command, |_| Some(input.title_id)).await
}
