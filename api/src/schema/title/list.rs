//! Lists of titles.

use async_graphql::{ComplexObject, Context, Error, SimpleObject};
use playhead_projections::StoreError;
use playhead_projections::catalog::{TitleFilter, TitleRow};
use serde::Serialize;

use super::Title;
use crate::caller::Caller;
use crate::errors::Fault;
use crate::page_cursor::List;
use crate::schema::eyes::Eyes;
use crate::schema::page::{Page, PageInfo};

/// A page of titles.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct TitleConnection {
    /// The titles with their cursors.
    pub(crate) edges: Vec<TitleEdge>,
    /// Where the page lies.
    pub(crate) page_info: PageInfo,
    #[graphql(skip)]
    pub(crate) filter: TitleFilter,
    #[graphql(skip)]
    pub(crate) eyes: Eyes,
}

/// A title in a list.
#[derive(SimpleObject)]
pub(crate) struct TitleEdge {
    /// Where it stands.
    pub(crate) cursor: String,
    /// The title.
    pub(crate) node: Title,
}

#[ComplexObject]
impl TitleConnection {
    /// The titles without their cursors.
    async fn nodes(&self) -> Vec<Title> {
        self.edges.iter().map(|edge| edge.node.clone()).collect()
    }

    /// How many titles the whole list has.
    async fn total_count(&self, context: &Context<'_>) -> Result<i32, Error> {
        let caller = Caller::of(context)?;
        let audience = self.eyes.audience(caller.now_ms);
        let count = caller.services.catalog.count(&self.filter, &audience).await;
        let count = count.map_err(|error| caller.internal("titles cannot be counted", &error))?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }
}

/// A page of titles that belong to something: a series, a title, a person, an account.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct RelatedTitleConnection {
    /// The titles with their cursors.
    edges: Vec<TitleEdge>,
    /// Where the page lies.
    page_info: PageInfo,
}

#[ComplexObject]
impl RelatedTitleConnection {
    /// The titles without their cursors.
    async fn nodes(&self) -> Vec<Title> {
        self.edges.iter().map(|edge| edge.node.clone()).collect()
    }
}

/// A walk along such a list, on its way to becoming a page.
pub(super) struct Walk<'a> {
    pub(super) caller: &'a Caller,
    pub(super) list: List,
    /// How many titles the page has.
    pub(super) len: u32,
    /// Whether the walk goes on from an earlier page.
    pub(super) goes_on: bool,
}

impl Walk<'_> {
    /// The page of rows that were read one further than it is long.
    pub(super) fn page<K: Serialize>(
        self,
        rows: Result<Vec<TitleRow>, StoreError>,
        key: impl Fn(&TitleRow) -> K,
        title: impl Fn(TitleRow) -> Title,
    ) -> Result<RelatedTitleConnection, Fault> {
        let Self { caller, list, len, goes_on } = self;
        let rows = rows.map_err(|error| caller.internal("titles cannot be listed", &error))?;
        let page = Page::cut(rows, len, &list, key, goes_on)
            .map_err(|error| caller.internal("a cursor cannot be written", &error))?;
        let edges = page.entries.into_iter();
        let edges = edges.map(|(cursor, row)| TitleEdge { cursor, node: title(row) }).collect();
        Ok(RelatedTitleConnection { edges, page_info: page.info })
    }
}
