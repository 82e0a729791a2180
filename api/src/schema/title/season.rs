//! What belongs to a title: seasons and episodes of a series, extras and trailers.

use async_graphql::{Context, Error, Object};
use playhead_domain::TitleId;
use playhead_domain::title::Kind;
use playhead_projections::catalog::{Season as SeasonRow, TitleKey};

use super::Title;
use super::list::{RelatedTitleConnection, Walk};
use super::loader::{NextOf, SeasonsOf, load_one};
use crate::caller::Caller;
use crate::errors::Fault;
use crate::schema::eyes::Eyes;
use crate::schema::page::{FIRST_DEFAULT, after, list_cost, page_len};

/// A season of a series.
pub(crate) struct Season {
    series_id: TitleId,
    row: SeasonRow,
    eyes: Eyes,
}

/// A season of a series.
#[Object]
impl Season {
    /// Counted from 1; 0 for specials.
    async fn number(&self) -> u32 {
        self.row.number
    }

    /// How many of its episodes the viewer may see.
    async fn episode_count(&self) -> i32 {
        i32::try_from(self.row.episodes).unwrap_or(i32::MAX)
    }

    /// Its episodes that the viewer may see, in their order; 1 to 100 at a time.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn episodes(
        &self,
        context: &Context<'_>,
        #[graphql(default_with = "Some(FIRST_DEFAULT)")] first: Option<i32>,
        after: Option<String>,
    ) -> Result<RelatedTitleConnection, Error> {
        Ok(self.page(Caller::of(context)?, page_len(first), after.as_deref()).await?)
    }
}

impl Season {
    /// The seasons of a series, first one first; found together with those of other series.
    pub(super) async fn all(context: &Context<'_>, series: &Title) -> Result<Vec<Self>, Fault> {
        if series.metadata.kind != Kind::Series {
            return Ok(vec![]);
        }
        let (series_id, eyes) = (series.id, series.eyes);
        let rows = load_one(context, SeasonsOf(series_id, eyes)).await?.unwrap_or_default();
        Ok(rows.into_iter().map(|row| Self { series_id, row, eyes }).collect())
    }

    async fn page(
        &self,
        caller: &Caller,
        len: u32,
        cursor: Option<&str>,
    ) -> Result<RelatedTitleConnection, Fault> {
        let (series_id, season, eyes) = (self.series_id, self.row.number, self.eyes);
        let mut list = caller.list("episodes", &(series_id, season, eyes));
        let key = after::<(u32, TitleId)>(&mut list, cursor)?;
        let audience = eyes.audience(caller.now_ms);
        let catalog = &caller.services.catalog;
        let rows = catalog.episodes(series_id, season, &audience, key, len + 1).await;
        let walk = Walk { caller, list, len, goes_on: key.is_some() };
        walk.page(rows, |row| row.episode_key(), |row| Title::of(row, eyes))
    }
}

/// The episode behind one, found together with others; `None` if it is none, or the last one that
/// its viewer may see.
pub(super) async fn next_episode(
    context: &Context<'_>,
    title: &Title,
) -> Result<Option<Title>, Fault> {
    let Some(at) = title.metadata.episode_of else { return Ok(None) };
    load_one(context, NextOf((at.series_id, at.season, at.number), title.eyes)).await
}

/// What comes with a title, by name.
pub(super) async fn extras(
    caller: &Caller,
    title: &Title,
    kind: Kind,
    len: u32,
    cursor: Option<&str>,
) -> Result<RelatedTitleConnection, Fault> {
    let mut list = caller.list("extras", &(title.id, kind, title.eyes));
    let key = after::<(String, TitleId)>(&mut list, cursor)?;
    let key = key.map(|(sort_name, title_id)| TitleKey { sort_name, title_id });
    let audience = title.eyes.audience(caller.now_ms);
    let catalog = &caller.services.catalog;
    let rows = catalog.extras(title.id, kind, &audience, key.as_ref(), len + 1).await;
    let walk = Walk { caller, list, len, goes_on: key.is_some() };
    walk.page(rows, |row| (row.sort_name.clone(), row.title_id), |row| Title::of(row, title.eyes))
}
