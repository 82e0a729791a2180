//! Who may see which title, as a condition of SQL: what [`is_visible`] says, asked of rows.
//!
//! Every read model that shows titles keeps their terms beside its own tables and asks them in its
//! queries, *before* limits and cursors, so that a page is full however much is hidden. The time is
//! a value of the query: windows open and close without anything that runs.
//!
//! [`is_visible`]: playhead_domain::entitlement::is_visible

use std::collections::{BTreeMap, BTreeSet};

use playhead_domain::availability::{Availability, Window};
use playhead_domain::entitlement::Viewer;
use playhead_domain::title::Event;
use playhead_domain::{Maturity, TitleId};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Row, Sqlite};

use crate::error::StoreError;
use crate::rows::Statement;

/// The tables that a read model adds to its own.
pub(crate) const SCHEMA: &str = include_str!("../../migrations/terms/0001_terms.sql");

const KNOWN: Statement = Statement {
    head: "WITH wanted (title_id) AS (",
    columns: 1,
    tail: ") SELECT k.title_id FROM wanted JOIN terms k ON k.title_id = wanted.title_id",
};
const PUT_MATURITY: Statement = Statement {
    head: "INSERT INTO terms (title_id, maturity, scheduled, territorial, draft)",
    columns: 5,
    tail: "ON CONFLICT (title_id) DO UPDATE SET maturity = excluded.maturity",
};
const PUT_SCHEDULE: Statement = Statement {
    head: "INSERT INTO terms (title_id, maturity, scheduled, territorial, draft)",
    columns: 5,
    tail: "ON CONFLICT (title_id) \
           DO UPDATE SET scheduled = excluded.scheduled, territorial = excluded.territorial",
};
const PUT_DRAFT: Statement = Statement {
    head: "WITH said (title_id, draft) AS (",
    columns: 2,
    tail: ") UPDATE terms SET draft = said.draft FROM said WHERE terms.title_id = said.title_id",
};
const PUT_WINDOWS: Statement = Statement {
    head: "INSERT INTO term_windows (title_id, territory, from_ms, last_ms)",
    columns: 4,
    tail: "",
};
const PUT_BLOCKS: Statement =
    Statement { head: "INSERT INTO term_blocks (title_id, territory)", columns: 2, tail: "" };
const REMOVE_TERMS: Statement =
    Statement { head: "DELETE FROM terms WHERE title_id IN (", columns: 1, tail: ")" };
const REMOVE_WINDOWS: Statement =
    Statement { head: "DELETE FROM term_windows WHERE title_id IN (", columns: 1, tail: ")" };
const REMOVE_BLOCKS: Statement =
    Statement { head: "DELETE FROM term_blocks WHERE title_id IN (", columns: 1, tail: ")" };

/// For whom something is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// For those who look after the catalogue: nothing is hidden.
    Everyone,
    /// For a viewer at a moment: what they may not see is not there.
    Viewer {
        /// Who looks.
        viewer: Viewer,
        /// When, in milliseconds since 1970-01-01 UTC.
        at_ms: i64,
    },
}

/// How many values a query binds for an audience: level, territory, time.
const VALUES: usize = 3;

impl Audience {
    /// The condition that the title of an SQL expression is visible; uses the values from number
    /// `first` on. A title without terms counts as unrated.
    pub(crate) fn condition(&self, title: &str, first: usize) -> String {
        if matches!(self, Self::Everyone) {
            return "1 = 1".to_owned();
        }
        let (level, territory, now) = (first, first + 1, first + 2);
        let unrated = level_of(Maturity::counted(None));
        format!(
            "COALESCE((SELECT k.draft = 0 AND k.maturity <= ${level} AND (k.scheduled = 0 OR ( \
             (k.territorial = 0 OR ${territory} <> '') AND NOT EXISTS ( \
             SELECT 1 FROM term_blocks x WHERE x.title_id = k.title_id \
             AND x.territory = ${territory}) AND EXISTS ( \
             SELECT 1 FROM term_windows w WHERE w.title_id = k.title_id \
             AND w.territory IN ('', ${territory}) \
             AND w.from_ms <= ${now} AND w.last_ms >= ${now}))) \
             FROM terms k WHERE k.title_id = {title}), ${level} >= {unrated})"
        )
    }

    /// How many values [`condition`](Self::condition) uses.
    pub(crate) fn values(&self) -> usize {
        if matches!(self, Self::Everyone) { 0 } else { VALUES }
    }

    /// Binds the values of [`condition`](Self::condition).
    pub(crate) fn bind<'q, Q: Bind<'q>>(&self, query: Q) -> Q {
        match self {
            Self::Everyone => query,
            Self::Viewer { viewer, at_ms } => query
                .value(level_of(viewer.maturity_max))
                .value(viewer.territory.map_or_else(String::new, |it| it.to_string()))
                .value(*at_ms),
        }
    }
}

/// What values can be bound to, so that each kind of query takes an audience.
pub(crate) trait Bind<'q> {
    /// Binds one more.
    fn value<T>(self, value: T) -> Self
    where
        T: 'q + sqlx::Encode<'q, Sqlite> + sqlx::Type<Sqlite> + Send;
}

impl<'q> Bind<'q> for sqlx::query::Query<'q, Sqlite, sqlx::sqlite::SqliteArguments> {
    fn value<T>(self, value: T) -> Self
    where
        T: 'q + sqlx::Encode<'q, Sqlite> + sqlx::Type<Sqlite> + Send,
    {
        self.bind(value)
    }
}

/// The place of a level among all.
pub(crate) fn level_of(level: Maturity) -> i64 {
    match level {
        Maturity::All => 0,
        Maturity::From7 => 1,
        Maturity::From13 => 2,
        Maturity::From16 => 3,
        Maturity::From18 => 4,
    }
}

/// What a batch of events changes of the terms.
#[derive(Debug, Default)]
pub(crate) struct TermChanges(BTreeMap<TitleId, Change>);

#[derive(Debug, Default)]
struct Change {
    /// Whether the title left the catalogue, with all that was said of it before.
    forgotten: bool,
    /// Set if it is in the catalogue since.
    maturity: Option<Maturity>,
    /// Set if it became a draft, or was published, since. Counts only if it is in the catalogue.
    draft: Option<bool>,
    /// Set if a schedule was made since.
    availability: Option<Availability>,
    /// Whether that counts only if the title was in the catalogue before the batch.
    unsure: bool,
}

impl TermChanges {
    /// Takes one event into the changes.
    pub(crate) fn fold(&mut self, event: &Event) {
        match event {
            Event::Added(added) => {
                self.list(added.title_id, added.metadata.maturity);
                self.0.entry(added.title_id).or_default().draft = Some(added.draft);
            }
            Event::Edited(edited) => self.list(edited.title_id, edited.metadata.maturity),
            Event::Published(published) => {
                self.0.entry(published.title_id).or_default().draft = Some(false);
            }
            Event::Withdrawn(withdrawn) => {
                let forgotten = Change { forgotten: true, ..Change::default() };
                self.0.insert(withdrawn.title_id, forgotten);
            }
            Event::Scheduled(scheduled) => {
                let change = self.0.entry(scheduled.title_id).or_default();
                let listed = change.maturity.is_some();
                // A schedule of a title that is not in the catalogue says nothing.
                if listed || !change.forgotten {
                    change.availability = Some(scheduled.availability.clone());
                    change.unsure = !listed;
                }
            }
        }
    }

    fn list(&mut self, title_id: TitleId, maturity: Option<Maturity>) {
        self.0.entry(title_id).or_default().maturity = Some(Maturity::counted(maturity));
    }

    /// Every title of which something changes.
    pub(crate) fn titles(&self) -> impl Iterator<Item = TitleId> {
        self.0.keys().copied()
    }

    /// Whether a title that is in the catalogue now has a schedule; `before` says whether it had one
    /// before, if it was in the catalogue.
    pub(crate) fn is_scheduled(&self, title_id: TitleId, before: Option<bool>) -> bool {
        let had = before.unwrap_or(false);
        self.0.get(&title_id).map_or(had, |change| {
            let made = change.availability.is_some() && (!change.unsure || before.is_some());
            made || (had && !change.forgotten)
        })
    }

    /// Writes the changes.
    pub(crate) async fn write(
        mut self,
        connection: &mut SqliteConnection,
    ) -> Result<(), StoreError> {
        self.leave_out_unlisted(connection).await?;
        self.remove(connection).await.map_err(StoreError::sql("removing terms"))?;
        self.put(connection).await.map_err(StoreError::sql("writing terms"))
    }

    /// Drops schedules of titles that are not in the catalogue.
    async fn leave_out_unlisted(
        &mut self,
        connection: &mut SqliteConnection,
    ) -> Result<(), StoreError> {
        let unsure: Vec<TitleId> =
            self.0.iter().filter(|(_, change)| change.unsure).map(|(id, _)| *id).collect();
        let rows = KNOWN
            .fetch(connection, &unsure, |query, id| query.bind(id.to_string()))
            .await
            .map_err(StoreError::sql("reading terms"))?;
        let known: BTreeSet<String> = rows
            .iter()
            .map(|row| row.try_get("title_id").map_err(StoreError::unreadable("terms")))
            .collect::<Result<_, _>>()?;
        for title_id in unsure.iter().filter(|id| !known.contains(&id.to_string())) {
            if let Some(change) = self.0.get_mut(title_id) {
                change.availability = None;
            }
        }
        Ok(())
    }

    async fn remove(&self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let chosen = |keep: fn(&Change) -> bool| -> Vec<TitleId> {
            self.0.iter().filter(|(_, change)| keep(change)).map(|(id, _)| *id).collect()
        };
        let forgotten = chosen(|change| change.forgotten);
        let replaced = chosen(|change| change.forgotten || change.availability.is_some());
        for (statement, ids) in
            [(REMOVE_TERMS, &forgotten), (REMOVE_WINDOWS, &replaced), (REMOVE_BLOCKS, &replaced)]
        {
            statement.execute(connection, ids, |query, id| query.bind(id.to_string())).await?;
        }
        Ok(())
    }

    async fn put(&self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let listed: Vec<(TitleId, Maturity)> =
            self.0.iter().filter_map(|(id, change)| Some((*id, change.maturity?))).collect();
        PUT_MATURITY
            .execute(connection, &listed, |query, (id, maturity)| {
                let query = query.bind(id.to_string()).bind(level_of(*maturity));
                query.bind(false).bind(false).bind(false)
            })
            .await?;
        let scheduled: Vec<(TitleId, &Availability)> = self
            .0
            .iter()
            .filter_map(|(id, change)| Some((*id, change.availability.as_ref()?)))
            .collect();
        PUT_SCHEDULE
            .execute(connection, &scheduled, |query, (id, availability)| {
                let unrated = level_of(Maturity::counted(None));
                let query = query.bind(id.to_string()).bind(unrated).bind(true);
                query.bind(availability.depends_on_territory()).bind(false)
            })
            .await?;
        let drafts: Vec<(TitleId, bool)> =
            self.0.iter().filter_map(|(id, change)| Some((*id, change.draft?))).collect();
        PUT_DRAFT
            .execute(connection, &drafts, |query, (id, draft)| {
                query.bind(id.to_string()).bind(*draft)
            })
            .await?;
        let windows: BTreeSet<_> = scheduled
            .iter()
            .flat_map(|(id, availability)| {
                availability.windows.iter().flat_map(|window| open(window, *id))
            })
            .collect();
        let windows: Vec<_> = windows.into_iter().collect();
        PUT_WINDOWS
            .execute(connection, &windows, |query, (id, territory, from_ms, last_ms)| {
                query.bind(id.to_string()).bind(territory.clone()).bind(*from_ms).bind(*last_ms)
            })
            .await?;
        let blocks: BTreeSet<_> = scheduled
            .iter()
            .flat_map(|(id, availability)| {
                availability.blocked_territories.iter().map(|territory| (*id, *territory))
            })
            .collect();
        let blocks: Vec<_> = blocks.into_iter().collect();
        PUT_BLOCKS
            .execute(connection, &blocks, |query, (id, territory)| {
                query.bind(id.to_string()).bind(territory.to_string())
            })
            .await
    }
}

/// The rows of a window: one for each territory, none if it is never open.
fn open(window: &Window, title_id: TitleId) -> Vec<(TitleId, String, i64, i64)> {
    let last_ms = match window.until_ms {
        None => i64::MAX,
        Some(until_ms) if until_ms > window.from_ms => until_ms.saturating_sub(1),
        Some(_) => return vec![],
    };
    let territories = window.territories.as_ref().map_or_else(
        || vec![String::new()],
        |listed| listed.iter().map(ToString::to_string).collect(),
    );
    territories
        .into_iter()
        .map(|territory| (title_id, territory, window.from_ms, last_ms))
        .collect()
}

/// Every statement of this file, for the test that prepares them all.
#[cfg(test)]
pub(crate) fn statements() -> Vec<String> {
    [
        KNOWN,
        PUT_MATURITY,
        PUT_SCHEDULE,
        PUT_DRAFT,
        PUT_WINDOWS,
        PUT_BLOCKS,
        REMOVE_TERMS,
        REMOVE_WINDOWS,
        REMOVE_BLOCKS,
    ]
    .map(|statement| statement.text(2))
    .into_iter()
    .collect()
}

#[cfg(test)]
mod tests;
