//! What can be asked of what profiles are in the middle of.

use std::collections::BTreeMap;

use playhead_domain::resume::{Bookmark, is_finished};
use playhead_domain::{ProfileId, SessionId, TitleId};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row};

use super::row::{Completed, InProgress, entries};
use super::tables::is_not_removed;
use super::{ContinueWatching, Entry, HistoryEntry, HistoryKey, Reason, RowKey};
use crate::error::StoreError;
use crate::rows::natural;
use crate::terms::Audience;

/// How many sessions one query finds by id.
const IDS_MAX: usize = 1_024;

/// The newest 1,000 titles in progress. Whoever has more in progress sees these.
fn in_progress(audience: &Audience) -> String {
    let visible = audience.condition("b.title_id", 2);
    format!(
        "SELECT b.title_id, b.position_ms, b.duration_ms, b.last_played_at_ms, e.series_id \
         FROM bookmarks b LEFT JOIN episodes e ON e.title_id = b.title_id \
         WHERE b.profile_id = $1 AND b.on_row = 1 AND {visible} \
         ORDER BY b.last_played_at_ms DESC, b.title_id DESC LIMIT 1000"
    )
}

/// Among the newest 500 titles watched to the end: the newest episode of each series, and the one
/// behind it unless that was finished or dismissed or may not be seen. The series is not gone on with
/// behind an episode that may not be seen.
fn completed(audience: &Audience) -> String {
    let visible = audience.condition("n.title_id", 2);
    format!(
        "WITH completed AS ( \
         SELECT title_id, finished_at_ms FROM bookmarks WHERE profile_id = $1 AND watch_count > 0 \
         ORDER BY finished_at_ms DESC, title_id DESC LIMIT 500), \
     ranked AS ( \
         SELECT c.title_id, c.finished_at_ms, e.series_id, e.season, e.number, \
         ROW_NUMBER() OVER (PARTITION BY e.series_id ORDER BY c.finished_at_ms DESC, \
         e.season DESC, e.number DESC, c.title_id DESC) AS place \
         FROM completed c JOIN episodes e ON e.title_id = c.title_id) \
     SELECT r.series_id, r.title_id AS after_id, r.finished_at_ms, n.title_id, \
     b.position_ms, b.duration_ms, b.on_row \
     FROM ranked r JOIN episodes n ON n.title_id = ( \
         SELECT f.title_id FROM episodes f \
         WHERE f.series_id = r.series_id AND (f.season, f.number) > (r.season, r.number) \
         ORDER BY f.season, f.number, f.title_id LIMIT 1) \
     LEFT JOIN bookmarks b ON b.profile_id = $1 AND b.title_id = n.title_id \
     WHERE r.place = 1 AND COALESCE(b.finished, 0) = 0 AND COALESCE(b.dismissed, 0) = 0 \
     AND {visible}"
    )
}

fn history_text(audience: &Audience) -> String {
    let visible = audience.condition("p.title_id", 5);
    format!(
        "SELECT p.session_id, p.title_id, COALESCE(p.device, '') AS device, p.started_at_ms, \
         COALESCE(p.at_ms, p.ended_at_ms, p.started_at_ms) AS last_played_at_ms, \
         p.ended_at_ms, COALESCE(p.position_ms, 0) AS position_ms, p.duration_ms, \
         p.credits_start_ms, p.reached_at_ms IS NOT NULL AS reached FROM plays p WHERE p.profile_id = $1 \
         AND (p.sequence IS NOT NULL OR p.ended_at_ms IS NOT NULL) \
         AND (p.started_at_ms, p.session_id) < ($2, $3) AND {NOT_REMOVED} AND {visible} \
         ORDER BY p.started_at_ms DESC, p.session_id DESC LIMIT $4"
    )
}

const NOT_REMOVED: &str = is_not_removed!("p");
const BOOKMARK: &str = "SELECT position_ms, duration_ms, played_ms, started, finished, \
     watch_count, finished_at_ms, last_played_at_ms, dismissed FROM bookmarks \
     WHERE profile_id = $1 AND title_id = $2";

impl ContinueWatching {
    /// The row of a profile, newest first: those behind `after`, or the first ones; at most `limit`.
    /// What the audience may not see is not on it.
    ///
    /// Titles in progress, one entry for each series, and the next episode of each series whose
    /// newest episode was finished. A next episode that was begun earlier goes on where it was left.
    /// Titles that were withdrawn from the catalogue are still on it for those who are shown
    /// unrated ones.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn row(
        &self,
        profile_id: ProfileId,
        audience: &Audience,
        after: Option<&RowKey>,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        let failed = || StoreError::sql("reading a continue-watching row");
        let profile_id = profile_id.to_string();
        // One transaction, so that both queries see the same moment.
        let mut transaction = self.readers().begin().await.map_err(failed())?;
        let query = sqlx::query(AssertSqlSafe(in_progress(audience))).bind(&profile_id);
        let in_progress =
            audience.bind(query).fetch_all(&mut *transaction).await.map_err(failed())?;
        let query = sqlx::query(AssertSqlSafe(completed(audience))).bind(&profile_id);
        let completed = audience.bind(query).fetch_all(&mut *transaction).await.map_err(failed())?;
        transaction.rollback().await.map_err(failed())?;
        let in_progress = in_progress.iter().map(in_progress_row).collect::<Result<_, _>>()?;
        let completed = completed.iter().map(completed_row).collect::<Result<_, _>>()?;
        Ok(entries(in_progress, completed)
            .into_iter()
            .filter(|entry| after.is_none_or(|after| entry.key() < *after))
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .collect())
    }

    /// The sessions of a profile, newest first: those behind `after`, or the first ones; at most
    /// `limit`. A session is in the history once something was heard of it after its start, until the
    /// viewer takes it out. What the audience may not see is left out.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn history(
        &self,
        profile_id: ProfileId,
        audience: &Audience,
        after: Option<&HistoryKey>,
        limit: u32,
    ) -> Result<Vec<HistoryEntry>, StoreError> {
        let (started_at_ms, session_id) = after.map_or((i64::MAX, String::new()), |key| {
            (key.started_at_ms, key.session_id.to_string())
        });
        let query = sqlx::query(AssertSqlSafe(history_text(audience)))
            .bind(profile_id.to_string())
            .bind(started_at_ms)
            .bind(session_id)
            .bind(limit);
        let rows = audience
            .bind(query)
            .fetch_all(self.readers())
            .await
            .map_err(StoreError::sql("reading a viewing history"))?;
        rows.iter().map(history_row).collect()
    }

    /// Where a profile is in a title; `None` if it neither played it nor said anything of it.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn bookmark(
        &self,
        profile_id: ProfileId,
        title_id: TitleId,
    ) -> Result<Option<Bookmark>, StoreError> {
        let row = sqlx::query(BOOKMARK)
            .bind(profile_id.to_string())
            .bind(title_id.to_string())
            .fetch_optional(self.readers())
            .await
            .map_err(StoreError::sql("reading a bookmark"))?;
        row.as_ref().map(bookmark_row).transpose()
    }

    /// When each session was last heard of, in milliseconds since 1970-01-01 UTC; sessions without a
    /// heartbeat are missing.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn last_seen(
        &self,
        sessions: &[SessionId],
    ) -> Result<BTreeMap<SessionId, i64>, StoreError> {
        let mut seen = BTreeMap::new();
        for ids in sessions.chunks(IDS_MAX) {
            // Few lengths, so that prepared statements are found again.
            let places = ids.len().next_power_of_two();
            let query = sqlx::query(AssertSqlSafe(last_seen_text(places)));
            let query =
                ids.iter().cycle().take(places).fold(query, |query, id| query.bind(id.to_string()));
            let rows = query.fetch_all(self.readers()).await;
            for row in rows.map_err(StoreError::sql("reading sessions"))? {
                let at_ms = row.try_get("at_ms").map_err(StoreError::unreadable("plays"))?;
                seen.insert(SessionId(uuid(&row, "session_id")?), at_ms);
            }
        }
        Ok(seen)
    }
}

/// The text that finds so many sessions. Plain `?` for the reason that [`crate::rows`] gives.
fn last_seen_text(ids: usize) -> String {
    let places = vec!["?"; ids].join(", ");
    format!(
        "SELECT session_id, at_ms FROM plays WHERE session_id IN ({places}) AND at_ms IS NOT NULL"
    )
}

fn value<'r, T>(row: &'r SqliteRow, column: &str) -> Result<T, StoreError>
where
    T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    row.try_get(column).map_err(StoreError::unreadable("continue_watching"))
}

fn uuid(row: &SqliteRow, column: &str) -> Result<uuid::Uuid, StoreError> {
    value::<&str>(row, column)?.parse().map_err(StoreError::unreadable("continue_watching"))
}

fn natural_or_null(row: &SqliteRow, column: &str) -> Result<Option<u64>, StoreError> {
    Ok(value::<Option<i64>>(row, column)?.map(natural))
}

fn in_progress_row(row: &SqliteRow) -> Result<InProgress, StoreError> {
    let in_series = value::<Option<&str>>(row, "series_id")?.is_some();
    let series_id = in_series.then(|| uuid(row, "series_id")).transpose()?;
    let entry = Entry {
        title_id: TitleId(uuid(row, "title_id")?),
        position_ms: natural(value(row, "position_ms")?),
        duration_ms: natural_or_null(row, "duration_ms")?,
        last_played_at_ms: value(row, "last_played_at_ms")?,
        reason: Reason::InProgress,
    };
    Ok(InProgress { entry, series_id: series_id.map(TitleId) })
}

fn completed_row(row: &SqliteRow) -> Result<Completed, StoreError> {
    let begun = value::<Option<bool>>(row, "on_row")? == Some(true);
    let position_ms = natural_or_null(row, "position_ms")?.filter(|_| begun).unwrap_or(0);
    let next = Entry {
        title_id: TitleId(uuid(row, "title_id")?),
        position_ms,
        duration_ms: natural_or_null(row, "duration_ms")?,
        last_played_at_ms: value(row, "finished_at_ms")?,
        reason: Reason::NextEpisode { after: TitleId(uuid(row, "after_id")?) },
    };
    Ok(Completed { series_id: TitleId(uuid(row, "series_id")?), next })
}

fn history_row(row: &SqliteRow) -> Result<HistoryEntry, StoreError> {
    let position_ms = natural(value(row, "position_ms")?);
    let duration_ms = natural_or_null(row, "duration_ms")?;
    let credits_start_ms = natural_or_null(row, "credits_start_ms")?;
    Ok(HistoryEntry {
        session_id: SessionId(uuid(row, "session_id")?),
        title_id: TitleId(uuid(row, "title_id")?),
        device: value(row, "device")?,
        started_at_ms: value(row, "started_at_ms")?,
        last_played_at_ms: value(row, "last_played_at_ms")?,
        ended_at_ms: value(row, "ended_at_ms")?,
        position_ms,
        duration_ms,
        finished: value(row, "reached")? || is_finished(position_ms, duration_ms, credits_start_ms),
    })
}

fn bookmark_row(row: &SqliteRow) -> Result<Bookmark, StoreError> {
    Ok(Bookmark {
        position_ms: natural(value(row, "position_ms")?),
        duration_ms: natural_or_null(row, "duration_ms")?,
        played_ms: natural(value(row, "played_ms")?),
        started: value(row, "started")?,
        finished: value(row, "finished")?,
        watch_count: value(row, "watch_count")?,
        finished_at_ms: value(row, "finished_at_ms")?,
        last_played_at_ms: value(row, "last_played_at_ms")?,
        dismissed: value(row, "dismissed")?,
    })
}

/// Every statement of this file, for the test that prepares them all.
#[cfg(test)]
pub(super) fn statements(audience: &Audience) -> Vec<String> {
    let texts = [in_progress(audience), completed(audience), history_text(audience)];
    texts.into_iter().chain([BOOKMARK.to_owned(), last_seen_text(2)]).collect()
}
