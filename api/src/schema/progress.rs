//! Where a profile is in a title.

use async_graphql::{ID, SimpleObject};
use playhead_domain::ProfileId;
use playhead_domain::resume::Bookmark;

use super::eyes::Eyes;
use super::scalars::{DateTime, Milliseconds};
use crate::caller::Caller;
use crate::errors::Fault;
use crate::global_id;

/// Where a profile is in a title.
#[derive(Debug, SimpleObject)]
pub(crate) struct TitleProgress {
    /// Where to go on.
    position_ms: Milliseconds,
    /// How long the title is, if anybody knows.
    duration_ms: Option<Milliseconds>,
    /// Whether enough was played to count as started.
    started: bool,
    /// Whether it was watched to the end, and not begun again since.
    finished: bool,
    /// How often it was watched to the end, as played or as the viewer said.
    watch_count: u32,
    /// Whether it was watched to the end before and has been begun again.
    rewatching: bool,
    /// When it was last watched to the end.
    finished_at: Option<DateTime>,
    /// When it was last watched.
    last_played_at: Option<DateTime>,
    /// Whether the viewer took it off the continue-watching row and has not played it since.
    dismissed: bool,
}

impl From<Bookmark> for TitleProgress {
    fn from(bookmark: Bookmark) -> Self {
        let moment = |at_ms: i64| Some(at_ms).filter(|at_ms| *at_ms != 0).map(DateTime);
        Self {
            position_ms: Milliseconds(bookmark.position_ms),
            duration_ms: bookmark.duration_ms.map(Milliseconds),
            started: bookmark.started,
            finished: bookmark.finished,
            watch_count: bookmark.watch_count,
            rewatching: bookmark.is_rewatched(),
            finished_at: moment(bookmark.finished_at_ms),
            last_played_at: moment(bookmark.last_played_at_ms),
            dismissed: bookmark.dismissed,
        }
    }
}

/// Where a profile is in a title; `None` if it never was, or does not see the title.
pub(crate) async fn of(
    caller: &Caller,
    profile_id: ProfileId,
    eyes: Eyes,
    title_id: &ID,
) -> Result<Option<TitleProgress>, Fault> {
    let Some(title_id) = global_id::title(title_id) else { return Ok(None) };
    let services = &caller.services;
    let audience = eyes.audience(caller.now_ms);
    let seen = services.catalog.title(title_id, &audience).await;
    let seen = seen.map_err(|error| caller.internal("a title cannot be read", &error))?;
    if seen.is_none() {
        return Ok(None);
    }
    let bookmark = services.continue_watching.bookmark(profile_id, title_id).await;
    let bookmark =
        bookmark.map_err(|error| caller.internal("a bookmark cannot be read", &error))?;
    Ok(bookmark.map(TitleProgress::from))
}
