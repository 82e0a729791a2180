//! What can be asked of the catalogue.

use std::collections::BTreeMap;

use playhead_domain::TitleId;
#[cfg(test)]
use playhead_domain::title::Kind;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, Row, Sqlite};

use super::tables::{DRAFT_LEVEL, owner};
use super::{Catalog, TitleFilter, TitleKey, TitleRow};
use crate::error::StoreError;
use crate::rows::natural;
use crate::terms::{Audience, level_of};

pub(super) const COLUMNS: &str =
    "t.title_id, t.sort_name, t.owner, t.draft, t.added_at_ms, t.listed_at_ms, t.metadata";

/// How many titles one query finds by id.
const IDS_MAX: usize = 4_096;

pub(super) type Query = sqlx::query::Query<'static, Sqlite, SqliteArguments>;

impl Catalog {
    /// One title, if it is listed and the audience may see it.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn title(
        &self,
        title_id: TitleId,
        audience: &Audience,
    ) -> Result<Option<TitleRow>, StoreError> {
        let query = sqlx::query(AssertSqlSafe(title_text(audience))).bind(title_id.to_string());
        let row = audience
            .bind(query)
            .fetch_optional(self.readers())
            .await
            .map_err(StoreError::sql("reading a title"))?;
        row.as_ref().map(title_row).transpose()
    }

    /// Those of the titles that are listed and that the audience may see, in the order of the ids.
    /// An id that stands twice is answered twice. One query for each 4,096 ids.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn titles(
        &self,
        ids: &[TitleId],
        audience: &Audience,
    ) -> Result<Vec<TitleRow>, StoreError> {
        let mut found = BTreeMap::new();
        for ids in ids.chunks(IDS_MAX) {
            for row in self.titles_of_chunk(ids, audience).await? {
                found.insert(row.title_id, row);
            }
        }
        Ok(ids.iter().filter_map(|id| found.get(id).cloned()).collect())
    }

    async fn titles_of_chunk(
        &self,
        ids: &[TitleId],
        audience: &Audience,
    ) -> Result<Vec<TitleRow>, StoreError> {
        // Few lengths, so that prepared statements are found again.
        let places = ids.len().next_power_of_two();
        let query = ids
            .iter()
            .cycle()
            .take(places)
            .fold(sqlx::query(AssertSqlSafe(by_ids(places, audience))), |query, id| {
                query.bind(id.to_string())
            });
        let rows = audience.bind(query).fetch_all(self.readers()).await;
        rows.map_err(StoreError::sql("reading titles"))?.iter().map(title_row).collect()
    }

    /// A page of the list that a filter selects for an audience, ordered by key: those behind
    /// `after`, or the first ones; at most `limit`. Costs the same wherever the page lies, and as
    /// much more as there are hidden titles in between.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn list(
        &self,
        filter: &TitleFilter,
        audience: &Audience,
        after: Option<&TitleKey>,
        limit: u32,
    ) -> Result<Vec<TitleRow>, StoreError> {
        let (sort_name, title_id) = after.map_or_else(
            || (String::new(), String::new()),
            |key| (key.sort_name.clone(), key.title_id.to_string()),
        );
        let query = sqlx::query(AssertSqlSafe(list_text(filter, audience)));
        let query = audience.bind(query.bind(sort_name).bind(title_id).bind(limit));
        let rows = bind_filter(query, filter).fetch_all(self.readers()).await;
        rows.map_err(StoreError::sql("listing titles"))?.iter().map(title_row).collect()
    }

    /// How many titles a filter selects for an audience. Those without a schedule are counted
    /// beforehand, at most ten rows; for a viewer, those with one are asked one by one.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn count(
        &self,
        filter: &TitleFilter,
        audience: &Audience,
    ) -> Result<u64, StoreError> {
        // In the table of counts these stand for "any".
        if filter.genre.as_deref() == Some("") || filter.year == Some(0) {
            return Ok(0);
        }
        let failed = || StoreError::sql("counting titles");
        let mut transaction = self.readers().begin().await.map_err(failed())?;
        let row = sqlx::query(COUNT)
            .bind(filter.genre.as_ref().map_or_else(String::new, |genre| genre.to_lowercase()))
            .bind(filter.kind.map_or("", |kind| kind.as_str()))
            .bind(filter.year.unwrap_or(0))
            .bind(audience.level_max())
            .fetch_one(&mut *transaction)
            .await
            .map_err(failed())?;
        let count = |row: &SqliteRow, column: &str| -> Result<i64, StoreError> {
            row.try_get(column).map_err(StoreError::unreadable("title_counts"))
        };
        let (always, scheduled) = (count(&row, "always")?, count(&row, "scheduled")?);
        let open = match audience {
            Audience::Everyone => scheduled,
            Audience::Viewer { .. } if scheduled == 0 => 0,
            Audience::Viewer { .. } => {
                let query = sqlx::query(AssertSqlSafe(count_scheduled(filter, audience)));
                let query = bind_filter(audience.bind(query), filter);
                let row = query.fetch_one(&mut *transaction).await.map_err(failed())?;
                count(&row, "titles")?
            }
        };
        transaction.rollback().await.map_err(failed())?;
        Ok(natural(always.saturating_add(open)))
    }

    /// Every genre in its commonest spelling, with the number of its titles that the audience may
    /// see, in the order of the alphabet; none of which it may see none.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn genres(&self, audience: &Audience) -> Result<Vec<(String, u64)>, StoreError> {
        let query = sqlx::query(AssertSqlSafe(genres_text(audience))).bind(audience.level_max());
        let rows = audience
            .bind(query)
            .fetch_all(self.readers())
            .await
            .map_err(StoreError::sql("reading genres"))?;
        let unreadable = || StoreError::unreadable::<sqlx::Error>("genre_spellings");
        let mut genres = BTreeMap::new();
        // The commonest spelling of a genre comes last and stays.
        for row in &rows {
            let genre: String = row.try_get("genre").map_err(unreadable())?;
            let spelling: String = row.try_get("spelling").map_err(unreadable())?;
            let titles: i64 = row.try_get("titles").map_err(unreadable())?;
            genres.insert(genre, (spelling, natural(titles)));
        }
        Ok(genres.into_values().collect())
    }

    /// The moments at which windows of titles open or close, in their order: from the first of these
    /// moments up to, and without, the second; at most [`TURNS_MAX`], the earliest. Reads all windows.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn turns(&self, from_ms: i64, until_ms: i64) -> Result<Vec<i64>, StoreError> {
        sqlx::query_scalar(TURNS)
            .bind(from_ms)
            .bind(until_ms)
            .bind(TURNS_MAX)
            .fetch_all(self.readers())
            .await
            .map_err(StoreError::sql("reading windows"))
    }
}

impl Audience {
    /// The highest level that is counted for it.
    fn level_max(&self) -> i64 {
        match self {
            Self::Everyone => DRAFT_LEVEL,
            Self::Viewer { viewer, .. } => level_of(viewer.maturity_max),
        }
    }
}

/// How many moments at which windows open or close are told of.
pub const TURNS_MAX: u32 = 1_000;

const TURNS: &str = "WITH turns (at_ms) AS ( \
     SELECT from_ms FROM term_windows WHERE from_ms >= $1 AND from_ms < $2 \
     UNION SELECT last_ms + 1 FROM term_windows WHERE last_ms >= $1 - 1 AND last_ms < $2 - 1) \
     SELECT at_ms FROM turns ORDER BY at_ms LIMIT $3";

/// How many titles of a list are offered always, and how many by a schedule, up to a level.
const COUNT: &str = "SELECT COALESCE(SUM(titles) FILTER (WHERE scheduled = 0), 0) AS always, \
     COALESCE(SUM(titles) FILTER (WHERE scheduled = 1), 0) AS scheduled FROM title_counts \
     WHERE genre = $1 AND kind = $2 AND year = $3 AND maturity <= $4";

/// The text that finds one title.
pub(super) fn title_text(audience: &Audience) -> String {
    let visible = audience.condition("t.title_id", 2);
    format!("SELECT {COLUMNS} FROM titles t WHERE t.title_id = $1 AND {visible}")
}

/// A page behind ($1, $2), at most $3 rows. Each combination of filters has its own text, so that
/// each finds its own index.
pub(super) fn list_text(filter: &TitleFilter, audience: &Audience) -> String {
    let visible = audience.condition("t.title_id", 4);
    let (alias, from) = match filter.genre {
        None => ("t", "titles t"),
        // The genre's index gives the order; it has to be walked first.
        Some(_) => ("g", "title_genres g CROSS JOIN titles t ON t.title_id = g.title_id"),
    };
    let fits = fits(filter, alias, 4 + audience.values());
    format!(
        "SELECT {COLUMNS} FROM {from} WHERE {fits}({alias}.sort_name, {alias}.title_id) > ($1, $2) \
         AND {visible} ORDER BY {alias}.sort_name, {alias}.title_id LIMIT $3"
    )
}

/// Counts the visible ones among those that have a schedule.
pub(super) fn count_scheduled(filter: &TitleFilter, audience: &Audience) -> String {
    let visible = audience.condition("s.title_id", 1);
    let from = if filter.genre.is_some() { "title_genres" } else { "titles" };
    let fits = fits(filter, "s", 1 + audience.values());
    format!("SELECT COUNT(*) AS titles FROM {from} s WHERE {fits}s.scheduled = 1 AND {visible}")
}

/// $1 is the level up to which those without a schedule are counted.
pub(super) fn genres_text(audience: &Audience) -> String {
    let visible = audience.condition("g.title_id", 2);
    format!(
        "WITH counted AS ( \
         SELECT c.genre, c.titles FROM title_counts c WHERE c.kind = '' AND c.year = 0 \
         AND c.genre <> '' AND c.scheduled = 0 AND c.maturity <= $1 \
         UNION ALL SELECT g.genre, 1 FROM title_genres g WHERE g.scheduled = 1 AND {visible}), \
         summed AS (SELECT genre, SUM(titles) AS titles FROM counted GROUP BY genre) \
         SELECT s.genre, s.spelling, c.titles FROM genre_spellings s \
         JOIN summed c ON c.genre = s.genre ORDER BY s.genre, s.titles, s.spelling DESC"
    )
}

/// The conditions of a filter, in the order genre, kind, year; values from number `next` on.
fn fits(filter: &TitleFilter, alias: &str, mut next: usize) -> String {
    let mut conditions = String::new();
    let fields = [
        ("genre", filter.genre.is_some()),
        ("kind", filter.kind.is_some()),
        ("year", filter.year.is_some()),
    ];
    for (column, _) in fields.into_iter().filter(|(_, set)| *set) {
        conditions.push_str(&format!("{alias}.{column} = ${next} AND "));
        next += 1;
    }
    conditions
}

/// Binds what is set, in the order of every text: genre, kind, year.
fn bind_filter(mut query: Query, filter: &TitleFilter) -> Query {
    if let Some(genre) = &filter.genre {
        query = query.bind(genre.to_lowercase());
    }
    if let Some(kind) = filter.kind {
        query = query.bind(kind.as_str());
    }
    if let Some(year) = filter.year {
        query = query.bind(year);
    }
    query
}

/// The text that finds so many ids. Plain `?` for the reason that [`crate::rows`] gives.
pub(super) fn by_ids(ids: usize, audience: &Audience) -> String {
    let places = vec!["?"; ids].join(", ");
    let visible = audience.condition("t.title_id", ids + 1);
    format!("SELECT {COLUMNS} FROM titles t WHERE t.title_id IN ({places}) AND {visible}")
}

pub(super) fn title_row(row: &SqliteRow) -> Result<TitleRow, StoreError> {
    let unreadable = || StoreError::unreadable::<sqlx::Error>("titles");
    let title_id: &str = row.try_get("title_id").map_err(unreadable())?;
    let metadata: &str = row.try_get("metadata").map_err(unreadable())?;
    Ok(TitleRow {
        title_id: title_id.parse().map_err(StoreError::unreadable("titles"))?,
        metadata: serde_json::from_str(metadata).map_err(StoreError::unreadable("titles"))?,
        sort_name: row.try_get("sort_name").map_err(unreadable())?,
        owner: owner(row)?,
        draft: row.try_get("draft").map_err(unreadable())?,
        added_at_ms: row.try_get("added_at_ms").map_err(unreadable())?,
        listed_at_ms: row.try_get("listed_at_ms").map_err(unreadable())?,
    })
}

/// Every filter that has a text of its own.
#[cfg(test)]
pub(super) fn filters() -> Vec<TitleFilter> {
    let mut filters = Vec::new();
    for genre in [None, Some("drama".to_owned())] {
        for kind in [None, Some(Kind::Movie)] {
            for year in [None, Some(1995)] {
                filters.push(TitleFilter { genre: genre.clone(), kind, year });
            }
        }
    }
    filters
}

/// Every statement of this file, for the test that prepares them all.
#[cfg(test)]
pub(super) fn statements(audience: &Audience) -> Vec<String> {
    let lists = filters();
    let lists = lists
        .iter()
        .flat_map(|filter| [list_text(filter, audience), count_scheduled(filter, audience)]);
    let others = [title_text(audience), by_ids(3, audience), genres_text(audience)];
    lists.chain(others).chain([COUNT.to_owned(), TURNS.to_owned()]).collect()
}
