//! What can be asked.

use async_graphql::{Context, Error, ID, InputObject, Interface, Object};
use playhead_projections::catalog::{TitleFilter as CatalogFilter, TitleKey};

use super::account::Account;
use super::eyes::Eyes;
use super::me::{Me, WaitingDevice};
use super::page::{FIRST_DEFAULT, Page, after, list_cost, page_len};
use super::profile::Profile;
use super::title::history::{self, TitleChangeConnection};
use super::title::{
    self, Person, RelatedTitleConnection, Title, TitleConnection, TitleEdge, TitleType,
};
use super::viewer::Viewer;
use crate::access::Role;
use crate::caller::Caller;
use crate::errors::Fault;
use crate::global_id::GlobalId;
use crate::home::by_name;

/// Anything that has a global id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "A global id."))]
pub(crate) enum Node {
    Title(Title),
    Account(Account),
    Profile(Profile),
}

/// Which titles a list shows: those that fit every field that is set.
#[derive(Debug, InputObject)]
pub(crate) struct TitleFilter {
    /// One of the title's genres, in upper or lower case.
    genre: Option<String>,
    /// The year of first release.
    year: Option<i32>,
    /// The kind of title.
    #[graphql(name = "type")]
    kind: Option<TitleType>,
}

impl TitleFilter {
    /// As the catalogue knows it. A year that no title can have fits none.
    fn into_catalog(self) -> CatalogFilter {
        let year = self.year.map(|year| u16::try_from(year).unwrap_or(u16::MAX));
        CatalogFilter { genre: self.genre, year, kind: self.kind.map(TitleType::into) }
    }
}

/// What can be asked of titles, accounts and people.
#[derive(Default)]
pub(crate) struct CommonQuery;

#[Object]
impl CommonQuery {
    /// Anything by its global id; null if there is no such thing, or it is somebody else's, or a
    /// title that the viewer may not see. Who watches is said as for `titles`.
    async fn node(
        &self,
        context: &Context<'_>,
        id: ID,
        profile_id: Option<ID>,
    ) -> Option<Result<Node, Error>> {
        match GlobalId::parse(&id)? {
            GlobalId::Title(id) => {
                let title = seen(context, id, profile_id).await.transpose();
                title.map(|title| title.map(Node::Title))
            }
            GlobalId::Account(id) => {
                let viewer = Viewer::for_node(context).await.transpose()?;
                let own = |viewer: &Viewer| viewer.account_id == id;
                viewer
                    .map(|viewer| own(&viewer).then(|| Node::Account(viewer.account())))
                    .transpose()
            }
            GlobalId::Profile(account_id, profile_id) => {
                let viewer = Viewer::for_node(context).await.transpose()?;
                let own = |viewer: Viewer| {
                    viewer.profile_of(profile_id).filter(|_| viewer.account_id == account_id)
                };
                viewer.map(|viewer| own(viewer).map(Node::Profile)).transpose()
            }
        }
    }

    /// A title; null if there is none, or the viewer may not see it. Who watches is said as for
    /// `titles`.
    async fn title(
        &self,
        context: &Context<'_>,
        id: ID,
        profile_id: Option<ID>,
    ) -> Option<Result<Title, Error>> {
        let id = crate::global_id::title(&id)?;
        seen(context, id, profile_id).await.transpose()
    }

    /// What happened to a title, in that order, also if it was withdrawn; 1 to 100 at a time. Null if
    /// there never was one. For content administrators.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn title_history(
        &self,
        context: &Context<'_>,
        id: ID,
        #[graphql(default_with = "Some(FIRST_DEFAULT)")] first: Option<i32>,
        after: Option<String>,
    ) -> Result<Option<TitleChangeConnection>, Error> {
        let caller = Caller::of(context)?;
        caller.require(Role::ContentAdmin)?;
        let Some(id) = crate::global_id::title(&id) else { return Ok(None) };
        let page = history::page(caller, id, page_len(first), after.as_deref()).await?;
        Ok(Some(page).filter(|page| !page.is_empty() || after.is_some()))
    }

    /// Titles that the viewer may see, in the order of their names; 1 to 100 at a time.
    ///
    /// `profileId` says who watches. Without it an account sees what the most limited of its
    /// profiles may; without an account, or without profiles, what a child may. Content
    /// administrators who name no profile see everything.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn titles(
        &self,
        context: &Context<'_>,
        #[graphql(default_with = "Some(FIRST_DEFAULT)")] first: Option<i32>,
        after: Option<String>,
        filter: Option<TitleFilter>,
        profile_id: Option<ID>,
    ) -> Result<TitleConnection, Error> {
        let caller = Caller::of(context)?;
        let filter = filter.map(TitleFilter::into_catalog).unwrap_or_default();
        let eyes = Eyes::of(caller, profile_id.as_ref()).await?;
        Ok(titles(caller, eyes, page_len(first), after.as_deref(), filter).await?)
    }

    /// Somebody who has a credit of a title that the viewer may see, by the key that tells them apart
    /// or else by name; null if there is nobody. Who watches is said as for `titles`.
    async fn person(
        &self,
        context: &Context<'_>,
        key: Option<String>,
        name: Option<String>,
        profile_id: Option<ID>,
    ) -> Result<Option<Person>, Error> {
        let caller = Caller::of(context)?;
        let eyes = Eyes::of(caller, profile_id.as_ref()).await?;
        Ok(Person::find(caller, key, name, eyes).await?)
    }

    /// The videos of the account that calls, drafts among them, last added first; 1 to 100 at a
    /// time. Needs the role creator.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn my_videos(
        &self,
        context: &Context<'_>,
        #[graphql(default_with = "Some(FIRST_DEFAULT)")] first: Option<i32>,
        after: Option<String>,
    ) -> Option<Result<RelatedTitleConnection, Error>> {
        let page = match Caller::of(context) {
            Ok(caller) => title::my_videos(caller, page_len(first), after.as_deref()).await,
            Err(fault) => Err(fault),
        };
        Some(page.map_err(Error::from))
    }

    /// The person behind the account that calls; null if nobody registered it. Needs an access token.
    async fn me(&self, context: &Context<'_>) -> Option<Result<Me, Error>> {
        let loaded = match Caller::of(context).and_then(|caller| Ok((caller, caller.account_id()?)))
        {
            Ok((caller, account_id)) => Me::load(caller, account_id).await,
            Err(fault) => Err(fault),
        };
        loaded.transpose().map(|me| Ok(me?))
    }

    /// The device that shows a code and waits to be let in; null if there is none. Needs an access
    /// token. Asking is limited like signing in.
    async fn waiting_device(
        &self,
        context: &Context<'_>,
        user_code: String,
    ) -> Option<Result<WaitingDevice, Error>> {
        let found = match Caller::of(context) {
            Ok(caller) => WaitingDevice::find(caller, &user_code).await,
            Err(fault) => Err(fault),
        };
        found.transpose().map(|device| Ok(device?))
    }

    /// The account that calls, with its profiles; null before it is opened. Needs an access token.
    async fn viewer(&self, context: &Context<'_>) -> Option<Result<Viewer, Error>> {
        Viewer::load(context).await.transpose()
    }
}

/// A title, as the named profile sees it.
async fn seen(
    context: &Context<'_>,
    id: playhead_domain::TitleId,
    profile_id: Option<ID>,
) -> Result<Option<Title>, Error> {
    let eyes = Eyes::of(Caller::of(context)?, profile_id.as_ref()).await?;
    match title::load(context, id, eyes).await? {
        // Who watches as nobody in particular sees their own videos, also as drafts.
        None if profile_id.is_none() => title::load_own(context, id, eyes).await,
        found => Ok(found),
    }
}

async fn titles(
    caller: &Caller,
    eyes: Eyes,
    len: u32,
    cursor: Option<&str>,
    filter: CatalogFilter,
) -> Result<TitleConnection, Fault> {
    let mut list = caller.list("titles", &filter);
    let key = after::<(String, playhead_domain::TitleId)>(&mut list, cursor)?;
    let key = key.map(|(sort_name, title_id)| TitleKey { sort_name, title_id });
    let (behind, snapshot_ms) = (key.is_some(), list.snapshot_ms());
    let rows = by_name(caller, &filter, eyes, key, len + 1, snapshot_ms).await;
    let rows = rows.map_err(|error| caller.internal("titles cannot be listed", &error))?;
    let page = Page::cut(rows, len, &list, |row| (row.sort_name.clone(), row.title_id), behind)
        .map_err(|error| caller.internal("a cursor cannot be written", &error))?;
    let edge = |(cursor, row): (String, _)| TitleEdge { cursor, node: Title::of(row, eyes) };
    let edges = page.entries.into_iter().map(edge).collect();
    Ok(TitleConnection { edges, page_info: page.info, filter, eyes })
}
