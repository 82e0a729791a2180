//! What content administrators do to the catalogue.

use async_graphql::{Context, Error, ID, InputObject, Object};
use playhead_domain::InvalidValue;
use playhead_domain::TitleId;
use playhead_domain::title::{
    By, Command, Credit, EpisodeOf, Kind, Metadata, Refusal as TitleRefusal, Title as Rules,
};
use playhead_domain::values::check;

use super::{Outcome, Run, payload};
use crate::access::Role;
use crate::caller::Caller;
use crate::errors::Fault;
use crate::global_id;
use crate::idempotency::Intention;
use crate::schema::eyes::Eyes;
use crate::schema::maturity::Maturity;
use crate::schema::scalars::Milliseconds;
use crate::schema::title::{Title, TitleType, of_state};

/// All that is known of a title, as its administrators write it.
#[derive(Debug, InputObject)]
pub(crate) struct TitleMetadataInput {
    /// The name that viewers see, 1 to 500 characters.
    name: String,
    /// What kind of title it is.
    #[graphql(name = "type")]
    kind: TitleType,
    /// The year of first release, from 1870 to 2100.
    year: Option<i32>,
    /// The running time.
    runtime_ms: Option<Milliseconds>,
    /// Where the closing credits begin.
    credits_start_ms: Option<Milliseconds>,
    /// Genres, most fitting first; at most 20.
    #[graphql(default)]
    genres: Vec<String>,
    /// Directors; at most 200.
    #[graphql(default)]
    directors: Vec<String>,
    /// Actors, in the order of the credits; at most 200.
    #[graphql(default)]
    cast: Vec<String>,
    /// For whom it is; without it, it counts as for adults.
    maturity: Option<Maturity>,
    /// What it is about, at most 5,000 characters.
    synopsis: Option<String>,
    /// A picture for it: an http or https URL.
    artwork_url: Option<String>,
    /// The series, for episodes only; season and episode go with it.
    series_id: Option<ID>,
    /// The season: counted from 1; 0 for specials.
    season: Option<i32>,
    /// The number in the season: counted from 1.
    episode: Option<i32>,
}

/// Puts a title into the catalogue.
#[derive(Debug, InputObject)]
pub(crate) struct AddTitleInput {
    #[graphql(flatten)]
    metadata: TitleMetadataInput,
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
    /// What came of withdrawing a title.
    WithdrawTitlePayload {
        /// The global id of the title that is gone.
        title_id: ID
    }
}

/// What content administrators do to the catalogue.
#[derive(Default)]
pub(crate) struct TitleMutation;

#[Object]
impl TitleMutation {
    /// Puts a title into the catalogue. Needs the role content_admin.
    async fn add_title(
        &self,
        context: &Context<'_>,
        input: AddTitleInput,
    ) -> Result<Option<AddTitlePayload>, Error> {
        let caller = Caller::of(context)?;
        let account_id = caller.require(Role::ContentAdmin)?.account_id;
        let metadata = match input.metadata.read() {
            Ok(metadata) => metadata,
            Err(invalid) => return Ok(Outcome::refused(invalid, account_id).into()),
        };
        if let Err(invalid) = check_series(caller, &metadata).await? {
            return Ok(Outcome::refused(invalid, account_id).into());
        }
        let intention =
            Intention::of(caller, account_id, "addTitle", input.idempotency_key.as_deref())?;
        let title_id = TitleId(intention.new_id);
        let command =
            Command::Add { title_id, metadata, owner: None, draft: false, at_ms: caller.now_ms };
        let run = run(caller, title_id, intention)?;
        Ok(run.run(&command, |state| of_state(title_id, state, Eyes::Everything)).await?.into())
    }

    /// Replaces all that is known of a title, but where it was imported from. Needs the role
    /// content_admin.
    async fn edit_title(
        &self,
        context: &Context<'_>,
        input: EditTitleInput,
    ) -> Result<Option<EditTitlePayload>, Error> {
        Ok(edit(Caller::of(context)?, input).await?.into())
    }

    /// Takes a title out of the catalogue, for good. Needs the role content_admin.
    async fn withdraw_title(
        &self,
        context: &Context<'_>,
        input: WithdrawTitleInput,
    ) -> Result<Option<WithdrawTitlePayload>, Error> {
        let caller = Caller::of(context)?;
        let account_id = caller.require(Role::ContentAdmin)?.account_id;
        let Some(title_id) = global_id::title(&input.title_id) else {
            return Ok(Outcome::refused(TitleRefusal::Unknown, account_id).into());
        };
        let key = input.idempotency_key.as_deref();
        let intention = Intention::of(caller, account_id, "withdrawTitle", key)?;
        let command = Command::Withdraw { title_id, by: By::Catalogue, at_ms: caller.now_ms };
        let run = run(caller, title_id, intention)?;
        Ok(run.run(&command, |_| Some(input.title_id)).await?.into())
    }
}

async fn edit(caller: &Caller, input: EditTitleInput) -> Result<Outcome<Title>, Fault> {
    let account_id = caller.require(Role::ContentAdmin)?.account_id;
    let Some(title_id) = global_id::title(&input.title_id) else {
        return Ok(Outcome::refused(TitleRefusal::Unknown, account_id));
    };
    let mut metadata = match input.metadata.read() {
        Ok(metadata) => metadata,
        Err(invalid) => return Ok(Outcome::refused(invalid, account_id)),
    };
    if let Err(invalid) = check_series(caller, &metadata).await? {
        return Ok(Outcome::refused(invalid, account_id));
    }
    let state = caller.services.commands.titles.state(&title_id).await;
    let state = state.map_err(|error| caller.internal("a title cannot be read", &error))?;
    metadata.source = state.listed().and_then(|known| known.source.clone());
    let intention =
        Intention::of(caller, account_id, "editTitle", input.idempotency_key.as_deref())?;
    let command = Command::Edit { title_id, metadata, by: By::Catalogue, at_ms: caller.now_ms };
    let run = run(caller, title_id, intention)?;
    run.run(&command, |state| of_state(title_id, state, Eyes::Everything)).await
}

/// Whether an episode belongs to a series of the catalogue.
async fn check_series(
    caller: &Caller,
    metadata: &Metadata,
) -> Result<Result<(), InvalidValue>, Fault> {
    let Some(EpisodeOf { series_id, .. }) = metadata.episode_of else { return Ok(Ok(())) };
    let state = caller.services.commands.titles.state(&series_id).await;
    let state = state.map_err(|error| caller.internal("a series cannot be read", &error))?;
    let series = state.listed().is_some_and(|title| title.kind == Kind::Series);
    Ok(check(series, "series_id", "the id of a series in the catalogue"))
}

/// A command of a content administrator to the stream of a title.
pub(super) fn run(
    caller: &Caller,
    title_id: TitleId,
    intention: Intention,
) -> Result<Run<'_, Rules>, Fault> {
    let account_id = caller.account_id()?;
    let handler = &caller.services.commands.titles;
    Ok(Run { caller, account_id, handler, id: title_id, intention })
}

impl TitleMetadataInput {
    /// What is to be known of the title. The rules for the values are the domain's; here only what
    /// has no place in its types is refused.
    fn read(self) -> Result<Metadata, InvalidValue> {
        let episode_of = self.episode_of()?;
        let year = self.year.map(u16::try_from).transpose();
        Ok(Metadata {
            year: year.map_err(|_| InvalidValue { field: "year", rule: "from 1870 to 2100" })?,
            runtime_ms: self.runtime_ms.map(|ms| ms.0),
            credits_start_ms: self.credits_start_ms.map(|ms| ms.0),
            genres: self.genres,
            credits: Credit::of(self.directors, self.cast),
            maturity: self.maturity.map(Into::into),
            synopsis: self.synopsis,
            artwork_url: self.artwork_url,
            episode_of,
            ..Metadata::new(self.kind.into(), self.name)
        })
    }

    fn episode_of(&self) -> Result<Option<EpisodeOf>, InvalidValue> {
        let (Some(series_id), Some(season), Some(number)) =
            (&self.series_id, self.season, self.episode)
        else {
            let none = self.series_id.is_none() && self.season.is_none() && self.episode.is_none();
            let rule = "given together with season and episode, or not at all";
            return if none { Ok(None) } else { Err(InvalidValue { field: "series_id", rule }) };
        };
        let unknown = InvalidValue { field: "series_id", rule: "the id of a title" };
        let natural = |field, number: i32| {
            u32::try_from(number).map_err(|_| InvalidValue { field, rule: "at least 0" })
        };
        Ok(Some(EpisodeOf {
            series_id: global_id::title(series_id).ok_or(unknown)?,
            season: natural("season", season)?,
            number: natural("episode", number)?,
        }))
    }
}
