//! What can be asked of the catalogue.

use std::collections::BTreeMap;

use playhead_domain::TitleId;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, Row, Sqlite};

use super::{Catalog, TitleFilter, TitleKey, TitleRow};
use crate::error::StoreError;
use crate::rows::natural;

/// A page behind ($1, $2), at most $3 rows. Each combination of filters has its own text, so that
/// each finds its own index.
macro_rules! list_of_titles {
    ($filter:literal) => {
        concat!(
            "SELECT t.title_id, t.sort_name, t.added_at_ms, t.metadata FROM titles t WHERE ",
            $filter,
            "(t.sort_name, t.title_id) > ($1, $2) ORDER BY t.sort_name, t.title_id LIMIT $3"
        )
    };
}
macro_rules! list_of_genre {
    ($filter:literal) => {
        concat!(
            "SELECT t.title_id, t.sort_name, t.added_at_ms, t.metadata \
             FROM title_genres g JOIN titles t ON t.title_id = g.title_id WHERE g.genre = $4 AND ",
            $filter,
            "(g.sort_name, g.title_id) > ($1, $2) ORDER BY g.sort_name, g.title_id LIMIT $3"
        )
    };
}
pub(super) const LIST: &str = list_of_titles!("");
pub(super) const LIST_KIND: &str = list_of_titles!("t.kind = $4 AND ");
pub(super) const LIST_YEAR: &str = list_of_titles!("t.year = $4 AND ");
pub(super) const LIST_KIND_YEAR: &str = list_of_titles!("t.kind = $4 AND t.year = $5 AND ");
pub(super) const LIST_GENRE: &str = list_of_genre!("");
pub(super) const LIST_GENRE_KIND: &str = list_of_genre!("g.kind = $5 AND ");
pub(super) const LIST_GENRE_YEAR: &str = list_of_genre!("g.year = $5 AND ");
pub(super) const LIST_GENRE_KIND_YEAR: &str = list_of_genre!("g.kind = $5 AND g.year = $6 AND ");

const TITLE: &str =
    "SELECT title_id, sort_name, added_at_ms, metadata FROM titles WHERE title_id = $1";
const COUNT: &str = "SELECT titles FROM title_counts WHERE genre = $1 AND kind = $2 AND year = $3";
const GENRES: &str = "SELECT s.genre, s.spelling, c.titles FROM genre_spellings s \
     JOIN title_counts c ON c.genre = s.genre AND c.kind = '' AND c.year = 0 \
     ORDER BY s.genre, s.titles, s.spelling DESC";

/// How many titles one query finds by id.
const IDS_MAX: usize = 4_096;

type Query = sqlx::query::Query<'static, Sqlite, SqliteArguments>;

impl Catalog {
    /// One title, if it is listed.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn title(&self, title_id: TitleId) -> Result<Option<TitleRow>, StoreError> {
        let row = sqlx::query(TITLE)
            .bind(title_id.to_string())
            .fetch_optional(self.readers())
            .await
            .map_err(StoreError::sql("reading a title"))?;
        row.as_ref().map(title_row).transpose()
    }

    /// Those of the titles that are listed, in the order of the ids. An id that stands twice is
    /// answered twice. One query for each 4,096 ids.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn titles(&self, ids: &[TitleId]) -> Result<Vec<TitleRow>, StoreError> {
        let mut found = BTreeMap::new();
        for ids in ids.chunks(IDS_MAX) {
            for row in self.titles_of_chunk(ids).await? {
                found.insert(row.title_id, row);
            }
        }
        Ok(ids.iter().filter_map(|id| found.get(id).cloned()).collect())
    }

    async fn titles_of_chunk(&self, ids: &[TitleId]) -> Result<Vec<TitleRow>, StoreError> {
        // Few lengths, so that prepared statements are found again.
        let places = ids.len().next_power_of_two();
        let query = ids
            .iter()
            .cycle()
            .take(places)
            .fold(sqlx::query(AssertSqlSafe(by_ids(places))), |query, id| {
                query.bind(id.to_string())
            });
        let rows = query.fetch_all(self.readers()).await;
        rows.map_err(StoreError::sql("reading titles"))?.iter().map(title_row).collect()
    }

    /// A page of the list that a filter selects, ordered by key: those behind `after`, or the first
    /// ones; at most `limit`. Costs the same wherever the page lies.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn list(
        &self,
        filter: &TitleFilter,
        after: Option<&TitleKey>,
        limit: u32,
    ) -> Result<Vec<TitleRow>, StoreError> {
        let (sort_name, title_id) = after.map_or_else(
            || (String::new(), String::new()),
            |key| (key.sort_name.clone(), key.title_id.to_string()),
        );
        let query = sqlx::query(list_query(filter)).bind(sort_name).bind(title_id).bind(limit);
        let rows = bind_filter(query, filter).fetch_all(self.readers()).await;
        rows.map_err(StoreError::sql("listing titles"))?.iter().map(title_row).collect()
    }

    /// How many titles a filter selects. Reads one row.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn count(&self, filter: &TitleFilter) -> Result<u64, StoreError> {
        // In the table of counts these stand for "any".
        if filter.genre.as_deref() == Some("") || filter.year == Some(0) {
            return Ok(0);
        }
        let titles: Option<i64> = sqlx::query_scalar(COUNT)
            .bind(filter.genre.as_ref().map_or_else(String::new, |genre| genre.to_lowercase()))
            .bind(filter.kind.map_or("", |kind| kind.as_str()))
            .bind(filter.year.unwrap_or(0))
            .fetch_optional(self.readers())
            .await
            .map_err(StoreError::sql("counting titles"))?;
        Ok(titles.map_or(0, natural))
    }

    /// Every genre in its commonest spelling, with the number of its titles, in the order of the
    /// alphabet.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn genres(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let rows: Vec<(String, String, i64)> = sqlx::query_as(GENRES)
            .fetch_all(self.readers())
            .await
            .map_err(StoreError::sql("reading genres"))?;
        // The commonest spelling of a genre comes last and stays.
        let genres: BTreeMap<_, _> = rows
            .into_iter()
            .map(|(genre, spelling, titles)| (genre, (spelling, natural(titles))))
            .collect();
        Ok(genres.into_values().collect())
    }
}

/// The text that finds the index of a filter.
fn list_query(filter: &TitleFilter) -> &'static str {
    match (&filter.genre, filter.kind, filter.year) {
        (None, None, None) => LIST,
        (None, Some(_), None) => LIST_KIND,
        (None, None, Some(_)) => LIST_YEAR,
        (None, Some(_), Some(_)) => LIST_KIND_YEAR,
        (Some(_), None, None) => LIST_GENRE,
        (Some(_), Some(_), None) => LIST_GENRE_KIND,
        (Some(_), None, Some(_)) => LIST_GENRE_YEAR,
        (Some(_), Some(_), Some(_)) => LIST_GENRE_KIND_YEAR,
    }
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
pub(super) fn by_ids(ids: usize) -> String {
    let places = vec!["?"; ids].join(", ");
    format!(
        "SELECT title_id, sort_name, added_at_ms, metadata FROM titles WHERE title_id IN ({places})"
    )
}

fn title_row(row: &SqliteRow) -> Result<TitleRow, StoreError> {
    let unreadable = || StoreError::unreadable::<sqlx::Error>("titles");
    let title_id: &str = row.try_get("title_id").map_err(unreadable())?;
    let metadata: &str = row.try_get("metadata").map_err(unreadable())?;
    Ok(TitleRow {
        title_id: title_id.parse().map_err(StoreError::unreadable("titles"))?,
        metadata: serde_json::from_str(metadata).map_err(StoreError::unreadable("titles"))?,
        sort_name: row.try_get("sort_name").map_err(unreadable())?,
        added_at_ms: row.try_get("added_at_ms").map_err(unreadable())?,
    })
}

/// Every statement of this file, for the test that prepares them all.
#[cfg(test)]
pub(super) fn statements() -> Vec<String> {
    LISTS.iter().chain(&[TITLE, COUNT, GENRES]).map(|text| (*text).to_owned()).collect()
}

/// Every list there is.
#[cfg(test)]
pub(super) const LISTS: [&str; 8] = [
    LIST,
    LIST_KIND,
    LIST_YEAR,
    LIST_KIND_YEAR,
    LIST_GENRE,
    LIST_GENRE_KIND,
    LIST_GENRE_YEAR,
    LIST_GENRE_KIND_YEAR,
];
