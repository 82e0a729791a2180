//! The videos of the account that calls.

use playhead_projections::catalog::TimeKey;

use super::Title;
use super::list::{RelatedTitleConnection, Walk};
use crate::access::Role;
use crate::caller::Caller;
use crate::errors::Fault;
use crate::schema::eyes::Eyes;
use crate::schema::page::after;

/// The videos of the account that calls, drafts among them, last added first.
pub(crate) async fn my_videos(
    caller: &Caller,
    len: u32,
    cursor: Option<&str>,
) -> Result<RelatedTitleConnection, Fault> {
    let account_id = caller.require(Role::Creator)?.account_id;
    let eyes = Eyes::of(caller, None).await?;
    let mut list = caller.list("myVideos", &account_id);
    let key = after::<(i64, String)>(&mut list, cursor)?;
    let goes_on = key.is_some();
    let newest = TimeKey::from(list.snapshot_ms());
    let key = key.map_or(newest, |(at_ms, title_id)| TimeKey { at_ms, title_id });
    let rows = caller.services.catalog.owned(account_id, &key, len + 1).await;
    let walk = Walk { caller, list, len, goes_on };
    walk.page(
        rows,
        |row| (row.added_at_ms, row.title_id.to_string()),
        |row| Title { own: true, ..Title::of(row, eyes) },
    )
}
