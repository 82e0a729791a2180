//! Titles.

use std::sync::Arc;

use async_graphql::{Context, Error, ID, Object};
use playhead_domain::title::{By, Kind, Listing, Metadata, State};
use playhead_domain::{AccountId, LanguageTag, TitleId};
use playhead_projections::catalog::TitleRow;

use super::availability::Availability;
use super::eyes::Eyes;
use super::maturity::Maturity;
use super::page::{FIRST_DEFAULT, list_cost, page_len};
use super::scalars::Milliseconds;
use crate::access::Role;
use crate::caller::Caller;
use crate::errors::{Code, Fault};
use crate::global_id::GlobalId;

pub(crate) mod history;
mod list;
mod loader;
mod own;
mod parts;
mod person;
mod season;

use history::TitleChangeConnection;
pub(crate) use list::{RelatedTitleConnection, TitleConnection, TitleEdge};
pub(crate) use loader::{load, load_all, load_own, titles_loader};
pub(crate) use own::my_videos;
use parts::{AudienceRating, Chapter, Credit, LocalizedTitle, TimeSpan, TitleSource};
pub(crate) use parts::{CreditRole, TitleType};
pub(crate) use person::Person;
use season::Season;

/// Something that can be watched, or a series of such things.
#[derive(Debug, Clone)]
pub(crate) struct Title {
    /// Its id.
    pub(crate) id: TitleId,
    /// What is known of it.
    pub(crate) metadata: Arc<Metadata>,
    /// Whose video it is.
    pub(crate) owner: Option<AccountId>,
    /// Whether it is a draft.
    pub(crate) draft: bool,
    /// With whose eyes it was found, and so what leads on from it.
    pub(crate) eyes: Eyes,
    /// Whether it was found because it is the caller's own, so that what it belongs to may be, too.
    pub(crate) own: bool,
}

impl Title {
    /// A title of the catalogue.
    pub(crate) fn of(row: TitleRow, eyes: Eyes) -> Self {
        let TitleRow { title_id: id, metadata, owner, draft, .. } = row;
        Self { id, metadata: Arc::new(metadata), owner, draft, eyes, own: false }
    }

    fn of_listing(id: TitleId, listing: &Listing, draft: bool, eyes: Eyes) -> Self {
        let metadata = Arc::new(listing.metadata.clone());
        Self { id, metadata, owner: listing.owner, draft, eyes, own: false }
    }
}

/// Something that can be watched, or a series of such things.
#[Object]
impl Title {
    /// A global id.
    pub(crate) async fn id(&self) -> ID {
        GlobalId::Title(self.id).into()
    }

    /// The name that viewers see. With a language, a BCP 47 tag such as `pt-BR`, the one for it: for
    /// exactly that, for the language in general, for another variant of it; the original if there
    /// is none.
    async fn name(&self, language: Option<String>) -> Result<&str, Error> {
        Ok(self.metadata.name_in(&asked(language)?))
    }

    /// The language of the original name and synopsis, as a BCP 47 tag.
    async fn original_language(&self) -> Option<&str> {
        self.metadata.original_language.as_ref().map(LanguageTag::as_str)
    }

    /// What it is called and how it is shown in other languages, all of them.
    async fn localized(&self) -> Vec<LocalizedTitle> {
        self.metadata.localized.iter().map(LocalizedTitle::of).collect()
    }

    /// What kind of title it is.
    #[graphql(name = "type")]
    async fn kind(&self) -> TitleType {
        self.metadata.kind.into()
    }

    /// The year of first release.
    async fn year(&self) -> Option<u16> {
        self.metadata.year
    }

    /// The running time.
    async fn runtime_ms(&self) -> Option<Milliseconds> {
        self.metadata.runtime_ms.map(Milliseconds)
    }

    /// The opening that viewers may skip.
    async fn intro(&self) -> Option<TimeSpan> {
        self.metadata.intro.map(TimeSpan::from)
    }

    /// Chapters, first one first.
    async fn chapters(&self) -> Vec<Chapter> {
        self.metadata.chapters.iter().map(Chapter::from).collect()
    }

    /// Where the closing credits begin.
    async fn credits_start_ms(&self) -> Option<Milliseconds> {
        self.metadata.credits_start_ms.map(Milliseconds)
    }

    /// Genres, most fitting first.
    async fn genres(&self) -> &[String] {
        &self.metadata.genres
    }

    /// What else it is found by, such as `heist`.
    async fn tags(&self) -> &[String] {
        &self.metadata.tags
    }

    /// Who made it, most important first; with roles, only those who did one of these.
    async fn credits(&self, roles: Option<Vec<CreditRole>>) -> Vec<Credit> {
        let fits = |role: playhead_domain::title::CreditRole| {
            roles.as_ref().is_none_or(|roles| roles.contains(&role.into()))
        };
        let credits = self.metadata.credits.iter().filter(|credit| fits(credit.role));
        credits.map(|credit| Credit::of(credit, self.eyes)).collect()
    }

    /// What the audience of another catalogue thinks of it.
    async fn rating(&self) -> Option<AudienceRating> {
        self.metadata.rating.map(AudienceRating::from)
    }

    /// Directors.
    async fn directors(&self) -> Vec<&str> {
        self.metadata.directors().collect()
    }

    /// Actors, in the order of the credits.
    async fn cast(&self) -> Vec<&str> {
        self.metadata.cast().collect()
    }

    /// For whom it is; without it, it counts as for adults.
    async fn maturity(&self) -> Option<Maturity> {
        self.metadata.maturity.map(Maturity::from)
    }

    /// Where and when it is offered; null if that is everywhere and always. For content
    /// administrators and the creator whose video it is.
    async fn availability(&self, context: &Context<'_>) -> Option<Result<Availability, Error>> {
        match self.schedule(context).await {
            Ok(found) => found.map(Ok),
            Err(error) => Some(Err(error)),
        }
    }

    /// Whether it is a draft, which only content administrators and its owner see.
    async fn is_draft(&self) -> bool {
        self.draft
    }

    /// The account whose video it is; null if it belongs to the catalogue. For content
    /// administrators and the creator whose video it is.
    async fn owner(&self, context: &Context<'_>) -> Option<Result<ID, Error>> {
        match self.require_manager(context) {
            Ok(_) => self.owner.map(|owner| Ok(GlobalId::Account(owner).into())),
            Err(fault) => Some(Err(fault.into())),
        }
    }

    /// What happened to it, in that order; 1 to 100 at a time. For content administrators and the
    /// creator whose video it is.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn history(
        &self,
        context: &Context<'_>,
        #[graphql(default_with = "Some(FIRST_DEFAULT)")] first: Option<i32>,
        after: Option<String>,
    ) -> Option<Result<TitleChangeConnection, Error>> {
        let page = match self.require_manager(context) {
            Ok(caller) => history::page(caller, self.id, page_len(first), after.as_deref()).await,
            Err(fault) => Err(fault),
        };
        Some(page.map_err(Error::from))
    }

    /// What it is about; with a language as for `name`.
    async fn synopsis(&self, language: Option<String>) -> Result<Option<&str>, Error> {
        Ok(self.metadata.synopsis_in(&asked(language)?))
    }

    /// A picture for it; with a language as for `name`.
    async fn artwork_url(&self, language: Option<String>) -> Result<Option<&str>, Error> {
        Ok(self.metadata.artwork_url_in(&asked(language)?))
    }

    /// The series, if it is an episode.
    async fn series(&self, context: &Context<'_>) -> Option<Result<Title, Error>> {
        let episode_of = self.metadata.episode_of?;
        self.belongs_to(context, episode_of.series_id).await.transpose()
    }

    /// The title that an extra or a trailer belongs to.
    async fn extra_of(&self, context: &Context<'_>) -> Option<Result<Title, Error>> {
        self.belongs_to(context, self.metadata.extra_of?).await.transpose()
    }

    /// The seasons of which the viewer may see something, if it is a series; first one first.
    #[graphql(complexity = "list_cost(Some(10), child_complexity)")]
    async fn seasons(&self, context: &Context<'_>) -> Result<Vec<Season>, Error> {
        Ok(Season::all(context, self).await?)
    }

    /// The next episode that the viewer may see, also of a later season; specials lead to specials.
    async fn next_episode(&self, context: &Context<'_>) -> Option<Result<Title, Error>> {
        season::next_episode(context, self).await.map_err(Error::from).transpose()
    }

    /// What comes with it and the viewer may see, by name; 1 to 100 at a time.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn extras(
        &self,
        context: &Context<'_>,
        #[graphql(default_with = "Some(FIRST_DEFAULT)")] first: Option<i32>,
        after: Option<String>,
    ) -> Result<RelatedTitleConnection, Error> {
        let (caller, len) = (Caller::of(context)?, page_len(first));
        Ok(season::extras(caller, self, Kind::Extra, len, after.as_deref()).await?)
    }

    /// What it is announced with and the viewer may see, by name; 1 to 100 at a time.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn trailers(
        &self,
        context: &Context<'_>,
        #[graphql(default_with = "Some(FIRST_DEFAULT)")] first: Option<i32>,
        after: Option<String>,
    ) -> Result<RelatedTitleConnection, Error> {
        let (caller, len) = (Caller::of(context)?, page_len(first));
        Ok(season::extras(caller, self, Kind::Trailer, len, after.as_deref()).await?)
    }

    /// What is like it by people, tags, genres and time, and the viewer may see, most alike first; 1
    /// to 100. What was added in the last minute may be missing.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn similar(
        &self,
        context: &Context<'_>,
        #[graphql(default_with = "Some(FIRST_DEFAULT)")] first: Option<i32>,
    ) -> Result<Vec<Self>, Error> {
        let similar = super::search::similar(context, self, page_len(first));
        Ok(Box::pin(similar).await?)
    }

    /// The season, if it is an episode: counted from 1; 0 for specials.
    async fn season(&self) -> Option<u32> {
        self.metadata.episode_of.map(|episode| episode.season)
    }

    /// The number in the season, if it is an episode: counted from 1.
    async fn episode(&self) -> Option<u32> {
        self.metadata.episode_of.map(|episode| episode.number)
    }

    /// The record of another catalogue that it was imported from.
    async fn source(&self) -> Option<TitleSource> {
        self.metadata.source.clone().map(TitleSource::from)
    }
}

impl Title {
    /// From the stream: read models only know it as a condition.
    async fn schedule(&self, context: &Context<'_>) -> Result<Option<Availability>, Error> {
        let caller = self.require_manager(context)?;
        let state = caller.services.commands.titles.state(&self.id).await;
        let state = state.map_err(|error| caller.internal("a title cannot be read", &error))?;
        let schedule = state.listing_or_draft().and_then(|it| it.availability.as_ref());
        Ok(schedule.map(Availability::from))
    }

    /// The caller, if they may change the title.
    fn require_manager<'a>(&self, context: &Context<'a>) -> Result<&'a Caller, Fault> {
        let caller = Caller::of(context)?;
        if manager(caller)?.may_change(self.owner) {
            return Ok(caller);
        }
        Err(Fault::new(Code::Forbidden, "this is for those who look after the title"))
    }

    /// What it belongs to, if its viewer may see that.
    async fn belongs_to(&self, context: &Context<'_>, id: TitleId) -> Result<Option<Self>, Error> {
        match load(context, id, self.eyes).await? {
            None if self.own => load_own(context, id, self.eyes).await,
            found => Ok(found),
        }
    }
}

/// As whom a caller changes titles: content administrators all of them, creators their own.
///
/// # Errors
/// The caller did not prove who they are, or is neither.
pub(crate) fn manager(caller: &Caller) -> Result<By, Fault> {
    match caller.require(Role::ContentAdmin) {
        Ok(_) => Ok(By::Catalogue),
        Err(_) => Ok(By::Owner(caller.require(Role::Creator)?.account_id)),
    }
}

/// The languages that a client asks for, most wanted first.
fn asked(language: Option<String>) -> Result<Vec<LanguageTag>, Fault> {
    let tag = language.map(|text| text.parse::<LanguageTag>()).transpose();
    let tag = tag.map_err(|invalid| Fault::new(Code::BadRequest, invalid.to_string()))?;
    Ok(tag.into_iter().collect())
}

/// A title as its stream has it; `None` unless it is listed. For those who may see it whatever it
/// says.
pub(crate) fn of_state(id: TitleId, state: &State, eyes: Eyes) -> Option<Title> {
    state.listing().map(|listing| Title::of_listing(id, listing, false, eyes))
}

/// A title as its stream has it, also a draft: for whoever has just changed it.
pub(crate) fn of_changed(id: TitleId, state: &State, eyes: Eyes) -> Option<Title> {
    let draft = matches!(state, State::Draft(_));
    let listing = state.listing_or_draft()?;
    Some(Title { own: true, ..Title::of_listing(id, listing, draft, eyes) })
}
