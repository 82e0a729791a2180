//! What series lead to, for many of them at once.

use std::collections::BTreeMap;

use playhead_domain::TitleId;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row};

use super::queries::{COLUMNS, title_row};
use super::{Catalog, TitleRow};
use crate::error::StoreError;
use crate::rows::natural;
use crate::terms::Audience;

/// How many series or episodes one query asks about: with the four values of each, half of what
/// SQLite binds to a statement.
const ASKED_MAX: usize = 4_096;

/// A season of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Season {
    /// Counted from 1; 0 for specials.
    pub number: u32,
    /// How many of its episodes the audience may see.
    pub episodes: u64,
}

/// Where an episode stands: its series, its season, and its number there.
pub type EpisodePlace = (TitleId, u32, u32);

impl Catalog {
    /// The seasons of each series of which the audience may see something, first one first; series
    /// without any are missing. One query for each 4,096 series.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn seasons(
        &self,
        series: &[TitleId],
        audience: &Audience,
    ) -> Result<BTreeMap<TitleId, Vec<Season>>, StoreError> {
        let mut found: BTreeMap<TitleId, Vec<Season>> = BTreeMap::new();
        for asked in series.chunks(ASKED_MAX) {
            // Few lengths, so that prepared statements are found again.
            let places = asked.len().next_power_of_two();
            let query = sqlx::query(AssertSqlSafe(seasons_text(places, audience)));
            let ids = asked.iter().cycle().take(places);
            let query = ids.fold(query, |query, id| query.bind(id.to_string()));
            let rows = audience.bind(query).fetch_all(self.readers()).await;
            for row in rows.map_err(StoreError::sql("reading seasons"))? {
                let unreadable = || StoreError::unreadable::<sqlx::Error>("titles");
                let number = row.try_get("season").map_err(unreadable())?;
                let episodes: i64 = row.try_get("episodes").map_err(unreadable())?;
                let season = Season { number, episodes: natural(episodes) };
                found.entry(series_of(&row)?).or_default().push(season);
            }
        }
        Ok(found)
    }

    /// The episode behind each place, also in a later season; specials only lead to specials. Places
    /// that are the last of their series are missing. One query for each 4,096 places.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn next_episodes(
        &self,
        places: &[EpisodePlace],
        audience: &Audience,
    ) -> Result<BTreeMap<EpisodePlace, TitleRow>, StoreError> {
        let mut found = BTreeMap::new();
        for asked in places.chunks(ASKED_MAX) {
            let places = asked.len().next_power_of_two();
            let query = sqlx::query(AssertSqlSafe(next_text(places, audience)));
            let query = asked.iter().cycle().take(places).fold(query, |query, place| {
                let (series_id, season, number) = *place;
                let season_max = if season == 0 { 0 } else { u32::MAX };
                query.bind(series_id.to_string()).bind(season).bind(number).bind(season_max)
            });
            let rows = audience.bind(query).fetch_all(self.readers()).await;
            for row in rows.map_err(StoreError::sql("reading next episodes"))? {
                let unreadable = || StoreError::unreadable::<sqlx::Error>("titles");
                let season = row.try_get("asked_season").map_err(unreadable())?;
                let number = row.try_get("asked_number").map_err(unreadable())?;
                found.insert((series_of(&row)?, season, number), title_row(&row)?);
            }
        }
        Ok(found)
    }
}

fn series_of(row: &SqliteRow) -> Result<TitleId, StoreError> {
    let id: &str = row.try_get("series_id").map_err(StoreError::unreadable("titles"))?;
    id.parse().map_err(StoreError::unreadable("titles"))
}

fn seasons_text(series: usize, audience: &Audience) -> String {
    let places = vec!["?"; series].join(", ");
    let visible = audience.condition("t.title_id", series + 1);
    format!(
        "SELECT t.series_id, t.season, COUNT(*) AS episodes FROM titles t \
         WHERE t.series_id IN ({places}) AND {visible} \
         GROUP BY t.series_id, t.season ORDER BY t.series_id, t.season"
    )
}

/// Behind each place and up to the season that is its fourth value.
fn next_text(places: usize, audience: &Audience) -> String {
    let values = vec!["(?, ?, ?, ?)"; places].join(", ");
    let visible = audience.condition("n.title_id", places * 4 + 1);
    format!(
        "WITH asked (series_id, season, number, season_max) AS (VALUES {values}) \
         SELECT a.series_id, a.season AS asked_season, a.number AS asked_number, {COLUMNS} \
         FROM asked a CROSS JOIN titles t ON t.title_id = ( \
         SELECT n.title_id FROM titles n WHERE n.series_id = a.series_id \
         AND (n.season, n.number) > (a.season, a.number) AND n.season <= a.season_max \
         AND {visible} ORDER BY n.season, n.number, n.title_id LIMIT 1)"
    )
}

/// Every statement of this file, for the test that prepares them all.
#[cfg(test)]
pub(super) fn statements(audience: &Audience) -> Vec<String> {
    vec![seasons_text(2, audience), next_text(2, audience)]
}
