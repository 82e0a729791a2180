//! What a profile has watched.

use async_graphql::{ComplexObject, ID, SimpleObject};
use playhead_domain::{ProfileId, SessionId};
use playhead_projections::continue_watching::{HistoryEntry, HistoryKey};

use super::continue_watching::titles;
use super::eyes::Eyes;
use super::page::{Page, PageInfo, after};
use super::scalars::{DateTime, Milliseconds};
use super::title::Title;
use crate::caller::Caller;
use crate::errors::Fault;

/// One session, from start to stop.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct HistoryItem {
    /// The session.
    session_id: ID,
    /// What was watched; null if it left the catalogue.
    title: Option<Title>,
    /// On which device; empty while its start is not known yet.
    device: String,
    /// When it began.
    started_at: DateTime,
    /// When it was last heard of.
    last_played_at: DateTime,
    /// When it ended; null while it runs.
    ended_at: Option<DateTime>,
    /// Where it was last.
    position_ms: Milliseconds,
    /// How long the title is, if anybody knows.
    duration_ms: Option<Milliseconds>,
    /// Whether it got to the end of the title.
    finished: bool,
}

/// A session, in its place in the history.
#[derive(SimpleObject)]
pub(crate) struct HistoryEdge {
    /// Where it stands.
    cursor: String,
    /// What it is.
    node: HistoryItem,
}

/// A page of the history.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct HistoryConnection {
    /// The sessions with their cursors.
    edges: Vec<HistoryEdge>,
    /// Where the page lies.
    page_info: PageInfo,
}

#[ComplexObject]
impl HistoryConnection {
    /// The sessions without their cursors.
    async fn nodes(&self) -> Vec<HistoryItem> {
        self.edges.iter().map(|edge| edge.node.clone()).collect()
    }
}

/// A page of a profile's history.
pub(crate) async fn page(
    caller: &Caller,
    profile_id: ProfileId,
    eyes: Eyes,
    len: u32,
    cursor: Option<&str>,
) -> Result<HistoryConnection, Fault> {
    let mut list = caller.list("history", &profile_id);
    let key = after::<(i64, SessionId)>(&mut list, cursor)?;
    let key = key.map(|(started_at_ms, session_id)| HistoryKey { started_at_ms, session_id });
    let audience = eyes.audience(caller.now_ms);
    let watching = &caller.services.continue_watching;
    let rows = watching.history(profile_id, &audience, key.as_ref(), len + 1).await;
    let rows = rows.map_err(|error| caller.internal("a history cannot be read", &error))?;
    let key_of = |entry: &HistoryEntry| (entry.started_at_ms, entry.session_id);
    let page = Page::cut(rows, len, &list, key_of, key.is_some())
        .map_err(|error| caller.internal("a cursor cannot be written", &error))?;
    let ids: Vec<_> = page.entries.iter().map(|(_, entry)| entry.title_id).collect();
    let titles = titles(caller, eyes, &ids).await?;
    let edge = |(cursor, entry): (String, HistoryEntry)| {
        let title = titles.get(&entry.title_id).cloned();
        HistoryEdge { cursor, node: item(title, entry) }
    };
    let edges = page.entries.into_iter().map(edge).collect();
    Ok(HistoryConnection { edges, page_info: page.info })
}

fn item(title: Option<Title>, entry: HistoryEntry) -> HistoryItem {
    HistoryItem {
        session_id: ID(entry.session_id.to_string()),
        title,
        device: entry.device,
        started_at: DateTime(entry.started_at_ms),
        last_played_at: DateTime(entry.last_played_at_ms),
        ended_at: entry.ended_at_ms.map(DateTime),
        position_ms: Milliseconds(entry.position_ms),
        duration_ms: entry.duration_ms.map(Milliseconds),
        finished: entry.finished,
    }
}
