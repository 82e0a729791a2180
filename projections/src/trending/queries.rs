//! What can be asked of what is watched.

use playhead_domain::{Territory, TitleId};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row};

use super::tables::column;
use super::{Chart, Ranked, TITLES_MIN, Total, Trending};
use crate::error::StoreError;
use crate::rows::natural;
use crate::terms::Audience;

/// Those of a territory ($1) behind ($2, $3), at most $4 rows. Titles that are not in the catalogue
/// have no terms.
pub(super) fn top_text(audience: &Audience) -> String {
    let visible = audience.condition("s.title_id", 5);
    format!(
        "SELECT s.score, s.title_id FROM scores s \
         WHERE s.territory = $1 AND (s.score, s.title_id) < ($2, $3) \
         AND EXISTS (SELECT 1 FROM terms l WHERE l.title_id = s.title_id) AND {visible} \
         ORDER BY s.score DESC, s.title_id DESC LIMIT $4"
    )
}

pub(super) const TOTALS: &str = "SELECT t.title_id, t.plays, t.last_play_at_ms FROM totals t \
     WHERE (t.last_play_at_ms, t.title_id) > ($1, $2) \
     ORDER BY t.last_play_at_ms, t.title_id LIMIT $3";
const TOTAL: &str = "SELECT t.title_id, t.plays, t.last_play_at_ms FROM totals t \
     WHERE t.title_id = $1";

impl Trending {
    /// A page of the list of a territory, or of the world, for an audience: those behind `after`, or
    /// the first ones; at most `limit`. Titles that are not in the catalogue are left out.
    ///
    /// While somebody walks along the list, titles may rise over the place where they are, and are
    /// then missed. No title comes twice: scores fall only where plays of months ago are dropped.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn top(
        &self,
        territory: Option<Territory>,
        audience: &Audience,
        after: Option<&Ranked>,
        limit: u32,
    ) -> Result<Vec<Ranked>, StoreError> {
        // Behind every id there is.
        let first = || (i64::MAX, "~".to_owned());
        let (score, title_id) = after.map_or_else(first, |it| (it.score, it.title_id.to_string()));
        let query = sqlx::query(AssertSqlSafe(top_text(audience)))
            .bind(column(territory))
            .bind(score)
            .bind(title_id)
            .bind(limit);
        let rows = audience.bind(query).fetch_all(self.readers()).await;
        rows.map_err(StoreError::sql("reading what is trending"))?.iter().map(ranked).collect()
    }

    /// The first titles for an audience that is in a territory: at most `limit` of its list, or of
    /// the world's if its own has fewer than [`TITLES_MIN`].
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn chart(
        &self,
        territory: Option<Territory>,
        audience: &Audience,
        limit: u32,
    ) -> Result<Chart, StoreError> {
        let enough = usize::try_from(TITLES_MIN).unwrap_or(usize::MAX);
        let length = usize::try_from(limit).unwrap_or(usize::MAX);
        if territory.is_some() {
            let mut titles = self.top(territory, audience, None, limit.max(TITLES_MIN)).await?;
            if titles.len() >= enough {
                titles.truncate(length);
                return Ok(Chart { territory, titles });
            }
        }
        let titles = self.top(None, audience, None, limit).await?;
        Ok(Chart { territory: None, titles })
    }

    /// How often a title was ever played.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn total(&self, title_id: TitleId) -> Result<Option<Total>, StoreError> {
        let row = sqlx::query(TOTAL).bind(title_id.to_string()).fetch_optional(self.readers());
        let row = row.await.map_err(StoreError::sql("reading plays"))?;
        row.as_ref().map(total).transpose()
    }

    /// How often titles were ever played, those first whose newest play is the oldest: all with a
    /// newer play than that of `after`, or all; at most `limit`.
    ///
    /// Plays of different partitions are folded in any order, so one may come to count with a time
    /// that lies behind: whoever follows should begin a minute earlier, and take what comes twice.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn totals(
        &self,
        after: Option<(i64, TitleId)>,
        limit: u32,
    ) -> Result<Vec<Total>, StoreError> {
        let first = || (i64::MIN, String::new());
        let (at_ms, title_id) = after.map_or_else(first, |(at_ms, id)| (at_ms, id.to_string()));
        let rows = sqlx::query(TOTALS)
            .bind(at_ms)
            .bind(title_id)
            .bind(limit)
            .fetch_all(self.readers())
            .await
            .map_err(StoreError::sql("reading plays"))?;
        rows.iter().map(total).collect()
    }
}

fn title_id(row: &SqliteRow, table: &str) -> Result<TitleId, StoreError> {
    let id: &str = row.try_get("title_id").map_err(StoreError::unreadable(table))?;
    id.parse().map_err(StoreError::unreadable(table))
}

fn ranked(row: &SqliteRow) -> Result<Ranked, StoreError> {
    let score = row.try_get("score").map_err(StoreError::unreadable("scores"))?;
    Ok(Ranked { score, title_id: title_id(row, "scores")? })
}

fn total(row: &SqliteRow) -> Result<Total, StoreError> {
    let unreadable = || StoreError::unreadable::<sqlx::Error>("totals");
    Ok(Total {
        title_id: title_id(row, "totals")?,
        plays: natural(row.try_get("plays").map_err(unreadable())?),
        last_play_at_ms: row.try_get("last_play_at_ms").map_err(unreadable())?,
    })
}

/// Every statement of this file, for the test that prepares them all.
#[cfg(test)]
pub(super) fn statements(audience: &Audience) -> Vec<String> {
    vec![top_text(audience), TOTALS.to_owned(), TOTAL.to_owned()]
}
