//! The continue-watching row.

use std::collections::HashMap;

use async_graphql::{ComplexObject, Enum, SimpleObject};
use playhead_domain::{ProfileId, TitleId};
use playhead_projections::continue_watching::{Entry, Reason, RowKey};

use super::eyes::Eyes;
use super::page::{Page, PageInfo, after};
use super::scalars::{DateTime, Milliseconds};
use super::title::Title;
use crate::caller::Caller;
use crate::errors::Fault;
use crate::page_cursor::List;

/// The name that the row's cursors are bound to.
const LIST: &str = "continueWatching";

/// Why something is on the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum ContinueWatchingReason {
    /// It was begun and not finished.
    InProgress,
    /// It follows the episode that was finished last.
    NextEpisode,
}

/// Something to go on with.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct ContinueWatchingItem {
    /// What to play.
    title: Title,
    /// Where to begin.
    position_ms: Milliseconds,
    /// How long the title is, if anybody knows.
    duration_ms: Option<Milliseconds>,
    /// How much of it is behind the viewer, from 0 to 1, if anybody knows.
    progress: Option<f64>,
    /// When the title, or the episode before it, was last watched.
    last_played_at: DateTime,
    /// Why it is on the row.
    reason: ContinueWatchingReason,
}

/// Something to go on with, in its place on the row.
#[derive(SimpleObject)]
pub(crate) struct ContinueWatchingEdge {
    /// Where it stands.
    cursor: String,
    /// What it is.
    node: ContinueWatchingItem,
}

/// A page of the row.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct ContinueWatchingConnection {
    /// The entries with their cursors.
    edges: Vec<ContinueWatchingEdge>,
    /// Where the page lies.
    page_info: PageInfo,
}

#[ComplexObject]
impl ContinueWatchingConnection {
    /// The entries without their cursors.
    async fn nodes(&self) -> Vec<ContinueWatchingItem> {
        self.edges.iter().map(|edge| edge.node.clone()).collect()
    }
}

/// A page of a profile's row. Titles that left the catalogue are left out, so that a page may have
/// fewer entries than asked for.
pub(crate) async fn page(
    caller: &Caller,
    profile_id: ProfileId,
    eyes: Eyes,
    len: u32,
    cursor: Option<&str>,
) -> Result<ContinueWatchingConnection, Fault> {
    let mut list = caller.list(LIST, &profile_id);
    let key = after::<(i64, TitleId)>(&mut list, cursor)?;
    let key = key.map(|(last_played_at_ms, title_id)| RowKey { last_played_at_ms, title_id });
    let audience = eyes.audience(caller.now_ms);
    let watching = &caller.services.continue_watching;
    let rows = watching.row(profile_id, &audience, key.as_ref(), len + 1).await;
    let rows = rows.map_err(|error| caller.internal("a row cannot be read", &error))?;
    let ids: Vec<_> = rows.iter().map(|entry| entry.title_id).collect();
    let titles = titles(caller, eyes, &ids).await?;
    connect(caller, &list, rows, len, &titles, key.is_some())
}

/// A page of entries that were read one further than the page is long.
fn connect(
    caller: &Caller,
    list: &List,
    rows: Vec<Entry>,
    len: u32,
    titles: &HashMap<TitleId, Title>,
    behind: bool,
) -> Result<ContinueWatchingConnection, Fault> {
    let key_of = |entry: &Entry| (entry.last_played_at_ms, entry.title_id);
    let page = Page::cut(rows, len, list, key_of, behind)
        .map_err(|error| caller.internal("a cursor cannot be written", &error))?;
    let edge = |(cursor, entry): (String, Entry)| {
        let title = titles.get(&entry.title_id)?.clone();
        Some(ContinueWatchingEdge { cursor, node: item(title, &entry) })
    };
    let edges = page.entries.into_iter().filter_map(edge).collect();
    Ok(ContinueWatchingConnection { edges, page_info: page.info })
}

/// The first page of a profile's row, of entries and titles that are there already.
pub(crate) fn first_page(
    caller: &Caller,
    profile_id: ProfileId,
    rows: &[Entry],
    titles: &HashMap<TitleId, Title>,
    len: u32,
) -> Result<ContinueWatchingConnection, Fault> {
    let list = caller.list(LIST, &profile_id);
    connect(caller, &list, rows.to_vec(), len, titles, false)
}

/// The titles of a page, found with one query.
pub(crate) async fn titles(
    caller: &Caller,
    eyes: Eyes,
    ids: &[TitleId],
) -> Result<HashMap<TitleId, Title>, Fault> {
    let rows = caller.services.catalog.titles(ids, &eyes.audience(caller.now_ms)).await;
    let rows = rows.map_err(|error| caller.internal("titles cannot be read", &error))?;
    Ok(rows.into_iter().map(|row| (row.title_id, Title::of(row, eyes))).collect())
}

fn item(title: Title, entry: &Entry) -> ContinueWatchingItem {
    ContinueWatchingItem {
        title,
        position_ms: Milliseconds(entry.position_ms),
        duration_ms: entry.duration_ms.map(Milliseconds),
        progress: entry.duration_ms.and_then(|duration_ms| share(entry.position_ms, duration_ms)),
        last_played_at: DateTime(entry.last_played_at_ms),
        reason: match entry.reason {
            Reason::InProgress => ContinueWatchingReason::InProgress,
            Reason::NextEpisode { .. } => ContinueWatchingReason::NextEpisode,
        },
    }
}

/// A part of a whole, from 0 to 1, in steps of a ten-thousandth: no screen shows more.
fn share(part: u64, whole: u64) -> Option<f64> {
    let steps = part.saturating_mul(10_000).checked_div(whole)?.min(10_000);
    u32::try_from(steps).ok().map(|steps| f64::from(steps) / 10_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_a_share_of_the_title() {
        assert_eq!(share(0, 100), Some(0.0));
        assert_eq!(share(25, 100), Some(0.25));
        assert_eq!(share(101, 100), Some(1.0));
        assert_eq!(share(1, 0), None);
    }
}
