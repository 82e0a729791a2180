//! Lists that lead from one thing to titles: the newest ones, episodes of a series, extras of a
//! title, titles of a person, videos of an account. Each walks along an index of its own.

use playhead_domain::title::Kind;
use playhead_domain::{AccountId, TitleId};
use sqlx::AssertSqlSafe;

use super::person::PersonId;
use super::queries::{COLUMNS, Query, title_row};
use super::{Catalog, TitleKey, TitleRow};
use crate::error::StoreError;
use crate::terms::Audience;

/// A place in a list that begins with the newest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeKey {
    /// In milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
    /// Tells apart titles of the same moment; empty stands before all of them.
    pub title_id: String,
}

/// Which of the newest titles a list shows: those that fit every field that is set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewestFilter {
    /// One of the title's genres, in upper or lower case.
    pub genre: Option<String>,
    /// The kind of title.
    pub kind: Option<Kind>,
}

impl TimeKey {
    /// Before everything of a moment and older.
    #[must_use]
    pub fn from(at_ms: i64) -> Self {
        Self { at_ms: at_ms.saturating_add(1), title_id: String::new() }
    }
}

impl TitleRow {
    /// Its place in [`Catalog::newest`].
    #[must_use]
    pub fn listed_key(&self) -> TimeKey {
        TimeKey { at_ms: self.listed_at_ms, title_id: self.title_id.to_string() }
    }

    /// Its place in [`Catalog::owned`].
    #[must_use]
    pub fn added_key(&self) -> TimeKey {
        TimeKey { at_ms: self.added_at_ms, title_id: self.title_id.to_string() }
    }

    /// Its place in [`Catalog::episodes`]: its number, and its id.
    #[must_use]
    pub fn episode_key(&self) -> (u32, TitleId) {
        (self.metadata.episode_of.map_or(0, |episode| episode.number), self.title_id)
    }

    /// Its place in [`Catalog::of_person`]: its year, 0 if it is unknown, and its id.
    #[must_use]
    pub fn year_key(&self) -> (u16, TitleId) {
        (self.metadata.year.unwrap_or(0), self.title_id)
    }
}

impl Catalog {
    /// Those that joined the catalogue last, newest first; at most `limit` behind `after`. A walk
    /// that begins at [`TimeKey::from`] of a moment never meets what joined later.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn newest(
        &self,
        filter: &NewestFilter,
        audience: &Audience,
        after: &TimeKey,
        limit: u32,
    ) -> Result<Vec<TitleRow>, StoreError> {
        let query = sqlx::query(AssertSqlSafe(newest_text(filter, audience)));
        let query = query.bind(after.at_ms).bind(after.title_id.clone()).bind(limit);
        let mut query = audience.bind(query);
        if let Some(genre) = &filter.genre {
            query = query.bind(genre.to_lowercase());
        }
        if let Some(kind) = filter.kind {
            query = query.bind(kind.as_str());
        }
        self.walk(query).await
    }

    /// The episodes of a season in their order, behind a number and id; at most `limit`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn episodes(
        &self,
        series_id: TitleId,
        season: u32,
        audience: &Audience,
        after: Option<(u32, TitleId)>,
        limit: u32,
    ) -> Result<Vec<TitleRow>, StoreError> {
        let (number, title_id) = match after {
            Some((number, title_id)) => (i64::from(number), title_id.to_string()),
            None => (-1, String::new()),
        };
        let query = sqlx::query(AssertSqlSafe(episodes_text(audience)));
        let query = query.bind(series_id.to_string()).bind(season).bind(number);
        self.walk(audience.bind(query.bind(title_id).bind(limit))).await
    }

    /// What comes with a title of one kind, extras or trailers, by name; at most `limit` behind
    /// `after`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn extras(
        &self,
        title_id: TitleId,
        kind: Kind,
        audience: &Audience,
        after: Option<&TitleKey>,
        limit: u32,
    ) -> Result<Vec<TitleRow>, StoreError> {
        let (name, id) = after.map_or_else(
            || (String::new(), String::new()),
            |key| (key.sort_name.clone(), key.title_id.to_string()),
        );
        let query = sqlx::query(AssertSqlSafe(extras_text(audience)));
        let query = query.bind(title_id.to_string()).bind(kind.as_str()).bind(name).bind(id);
        self.walk(audience.bind(query.bind(limit))).await
    }

    /// The titles that somebody has a credit of, newest year first, behind a year and id; at most
    /// `limit`. With a role, only those where they did that.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn of_person(
        &self,
        person: &PersonId,
        role: Option<playhead_domain::title::CreditRole>,
        audience: &Audience,
        after: Option<(u16, TitleId)>,
        limit: u32,
    ) -> Result<Vec<TitleRow>, StoreError> {
        let (year, title_id) = match after {
            Some((year, title_id)) => (i64::from(year), title_id.to_string()),
            None => (i64::MAX, String::new()),
        };
        let query = sqlx::query(AssertSqlSafe(person_text(audience)));
        let query = query.bind(person.as_str().to_owned());
        let query = query.bind(role.map_or("", |role| role.as_str()));
        self.walk(audience.bind(query.bind(year).bind(title_id).bind(limit))).await
    }

    /// The videos of an account, drafts among them, last added first; at most `limit` behind
    /// `after`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn owned(
        &self,
        owner: AccountId,
        after: &TimeKey,
        limit: u32,
    ) -> Result<Vec<TitleRow>, StoreError> {
        let query = sqlx::query(AssertSqlSafe(owned_text())).bind(owner.to_string());
        let query = query.bind(after.at_ms).bind(after.title_id.clone()).bind(limit);
        self.walk(query).await
    }

    async fn walk(&self, query: Query) -> Result<Vec<TitleRow>, StoreError> {
        let rows = query.fetch_all(self.readers()).await;
        rows.map_err(StoreError::sql("listing titles"))?.iter().map(title_row).collect()
    }
}

/// Older than ($1, $2), at most $3. Each combination of filters has its own text, so that each
/// finds its own index.
pub(super) fn newest_text(filter: &NewestFilter, audience: &Audience) -> String {
    let visible = audience.condition("t.title_id", 4);
    let (alias, from) = match filter.genre {
        None => ("t", "titles t"),
        // The genre's index gives the order; it has to be walked first.
        Some(_) => ("g", "title_genres g CROSS JOIN titles t ON t.title_id = g.title_id"),
    };
    let mut fits = String::new();
    let set = [("genre", filter.genre.is_some()), ("kind", filter.kind.is_some())];
    let columns = set.into_iter().filter(|(_, set)| *set).map(|(column, _)| column);
    for (number, column) in (4 + audience.values()..).zip(columns) {
        fits.push_str(&format!("{alias}.{column} = ${number} AND "));
    }
    format!(
        "SELECT {COLUMNS} FROM {from} WHERE {fits}({alias}.listed_at_ms, {alias}.title_id) < \
         ($1, $2) AND {visible} ORDER BY {alias}.listed_at_ms DESC, {alias}.title_id DESC LIMIT $3"
    )
}

/// Of season $2 of series $1, behind ($3, $4), at most $5.
fn episodes_text(audience: &Audience) -> String {
    let visible = audience.condition("t.title_id", 6);
    format!(
        "SELECT {COLUMNS} FROM titles t WHERE t.series_id = $1 AND t.season = $2 \
         AND (t.number, t.title_id) > ($3, $4) AND {visible} \
         ORDER BY t.number, t.title_id LIMIT $5"
    )
}

/// Of kind $2 that come with $1, behind ($3, $4), at most $5.
fn extras_text(audience: &Audience) -> String {
    let visible = audience.condition("t.title_id", 6);
    format!(
        "SELECT {COLUMNS} FROM titles t WHERE t.extra_of = $1 AND t.kind = $2 \
         AND (t.sort_name, t.title_id) > ($3, $4) AND {visible} \
         ORDER BY t.sort_name, t.title_id LIMIT $5"
    )
}

/// Of person $1 in role $2, behind ($3, $4), at most $5.
fn person_text(audience: &Audience) -> String {
    let visible = audience.condition("t.title_id", 6);
    format!(
        "SELECT {COLUMNS} FROM title_people p CROSS JOIN titles t ON t.title_id = p.title_id \
         WHERE p.person = $1 AND p.role = $2 AND (p.year, p.title_id) < ($3, $4) AND {visible} \
         ORDER BY p.year DESC, p.title_id DESC LIMIT $5"
    )
}

/// Of account $1, older than ($2, $3), at most $4.
fn owned_text() -> String {
    format!(
        "SELECT {COLUMNS} FROM titles t WHERE t.owner = $1 \
         AND (t.added_at_ms, t.title_id) < ($2, $3) \
         ORDER BY t.added_at_ms DESC, t.title_id DESC LIMIT $4"
    )
}

/// Every statement of this file, for the tests that prepare them all and look at their plans.
#[cfg(test)]
pub(super) fn statements(audience: &Audience) -> Vec<String> {
    let mut statements =
        vec![episodes_text(audience), extras_text(audience), person_text(audience), owned_text()];
    for genre in [None, Some("drama".to_owned())] {
        for kind in [None, Some(Kind::Movie)] {
            statements.push(newest_text(&NewestFilter { genre: genre.clone(), kind }, audience));
        }
    }
    statements
}
