//! How the catalogue's changes are written: titles, their genres, and the counts of every list.

use std::collections::{BTreeMap, BTreeSet};

use playhead_domain::title::Metadata;
use playhead_domain::{AccountId, Maturity, TitleId};
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::person::PersonId;
use crate::error::StoreError;
use crate::rows::{Bound, Statement};
use crate::terms::level_of;

const LOAD: Statement = Statement {
    head: "WITH wanted (title_id) AS (",
    columns: 1,
    tail: ") SELECT t.title_id, t.owner, t.draft, t.added_at_ms, t.listed_at_ms, t.scheduled, \
           t.metadata \
           FROM wanted JOIN titles t ON t.title_id = wanted.title_id",
};
const WITHDRAW: Statement =
    Statement { head: "DELETE FROM titles WHERE title_id IN (", columns: 1, tail: ")" };
const LIST: Statement = Statement {
    head: "INSERT INTO titles (title_id, sort_name, kind, year, owner, draft, added_at_ms, \
           listed_at_ms, scheduled, series_id, season, number, extra_of, metadata)",
    columns: 14,
    tail: "ON CONFLICT (title_id) DO UPDATE SET sort_name = excluded.sort_name, \
           kind = excluded.kind, year = excluded.year, owner = excluded.owner, \
           draft = excluded.draft, added_at_ms = excluded.added_at_ms, \
           listed_at_ms = excluded.listed_at_ms, scheduled = excluded.scheduled, \
           series_id = excluded.series_id, season = excluded.season, number = excluded.number, \
           extra_of = excluded.extra_of, metadata = excluded.metadata",
};
const REMOVE_GENRES: Statement = Statement {
    head: "DELETE FROM title_genres WHERE (genre, sort_name, title_id) IN (",
    columns: 3,
    tail: ")",
};
const ADD_GENRES: Statement = Statement {
    head: "INSERT INTO title_genres (genre, sort_name, title_id, kind, year, listed_at_ms, \
           scheduled)",
    columns: 7,
    tail: "",
};
const REMOVE_PEOPLE: Statement = Statement {
    head: "DELETE FROM title_people WHERE (person, role, year, title_id) IN (",
    columns: 4,
    tail: ")",
};
const ADD_PEOPLE: Statement = Statement {
    head: "INSERT INTO title_people (person, role, year, title_id)",
    columns: 4,
    tail: "",
};
const ADD_COUNTS: Statement = Statement {
    head: "INSERT INTO title_counts (genre, kind, year, maturity, scheduled, titles)",
    columns: 6,
    tail: "ON CONFLICT (genre, kind, year, maturity, scheduled) \
           DO UPDATE SET titles = title_counts.titles + excluded.titles",
};
const REMOVE_ZERO_COUNTS: &str = "DELETE FROM title_counts WHERE titles = 0";
const ADD_SPELLINGS: Statement = Statement {
    head: "INSERT INTO genre_spellings (genre, spelling, titles)",
    columns: 3,
    tail: "ON CONFLICT (genre, spelling) \
           DO UPDATE SET titles = genre_spellings.titles + excluded.titles",
};
const REMOVE_ZERO_SPELLINGS: &str = "DELETE FROM genre_spellings WHERE titles = 0";

/// Where drafts are counted: above every level, so that no viewer's count has them.
pub(super) const DRAFT_LEVEL: i64 = 5;

/// Titles that are listed, and drafts.
pub(super) type Titles = BTreeMap<TitleId, Listed>;

/// A title that is listed, or a draft.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub(super) metadata: Box<Metadata>,
    /// Whose video it is.
    pub(super) owner: Option<AccountId>,
    /// Whether it is a draft.
    pub(super) draft: bool,
    /// When it was added, also as a draft.
    pub(super) added_at_ms: i64,
    /// When it joined the catalogue; when it was added, if it is a draft.
    pub(super) listed_at_ms: i64,
    /// Whether it is offered by a schedule.
    pub(super) scheduled: bool,
}

/// A row of `title_genres`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct GenreRow {
    genre: String,
    sort_name: String,
    title_id: TitleId,
    kind: &'static str,
    year: Option<u16>,
    listed_at_ms: i64,
    scheduled: bool,
}

/// A row of `title_people`: who, in which role, the year or 0, and the title. The empty role stands
/// for any.
type PersonRow = (PersonId, &'static str, u16, TitleId);

/// What is counted: genre, kind and year, of which empty and 0 stand for "any"; the level of
/// maturity, and whether there is a schedule.
type List = (String, &'static str, u16, i64, bool);

impl Listed {
    fn sort_name(&self) -> String {
        self.metadata.name.to_lowercase()
    }

    /// Genres in lower case, each with its first spelling.
    fn genres(&self) -> BTreeMap<String, &str> {
        let genres = self.metadata.genres.iter().rev();
        genres.map(|genre| (genre.to_lowercase(), genre.as_str())).collect()
    }

    fn genre_rows(&self, title_id: TitleId) -> impl Iterator<Item = GenreRow> {
        let (kind, year) = (self.metadata.kind.as_str(), self.metadata.year);
        let sort_name = self.sort_name();
        self.genres().into_keys().map(move |genre| GenreRow {
            genre,
            sort_name: sort_name.clone(),
            title_id,
            kind,
            year,
            listed_at_ms: self.listed_at_ms,
            scheduled: self.scheduled,
        })
    }

    fn person_rows(&self, title_id: TitleId) -> impl Iterator<Item = PersonRow> {
        let year = self.metadata.year.unwrap_or(0);
        self.metadata.credits.iter().flat_map(move |credit| {
            let row = |role| (PersonId::of(credit), role, year, title_id);
            [row(credit.role.as_str()), row("")]
        })
    }

    /// Every list that shows the title.
    fn lists(&self) -> Vec<List> {
        let kinds = ["", self.metadata.kind.as_str()];
        let years = [Some(0), self.metadata.year.filter(|year| *year != 0)];
        let mut genres: Vec<_> = self.genres().into_keys().collect();
        genres.push(String::new());
        let level = match self.draft {
            true => DRAFT_LEVEL,
            false => level_of(Maturity::counted(self.metadata.maturity)),
        };
        let list = |genre: &str, kind, year| (genre.to_owned(), kind, year, level, self.scheduled);
        let mut lists = Vec::new();
        for genre in genres {
            for kind in kinds {
                lists.extend(years.iter().flatten().map(|year| list(&genre, kind, *year)));
            }
        }
        lists
    }

    fn spellings(&self) -> Vec<(String, String)> {
        let spellings = self.genres().into_iter();
        spellings.map(|(genre, spelling)| (genre, spelling.to_owned())).collect()
    }
}

/// Those of the titles that are listed.
pub(super) async fn load(
    connection: &mut SqliteConnection,
    ids: &[TitleId],
) -> Result<Titles, StoreError> {
    let rows = LOAD
        .fetch(connection, ids, |query, id| query.bind(id.to_string()))
        .await
        .map_err(StoreError::sql("reading titles"))?;
    rows.iter().map(listed).collect()
}

fn listed(row: &SqliteRow) -> Result<(TitleId, Listed), StoreError> {
    let unreadable = || StoreError::unreadable::<sqlx::Error>("titles");
    let title_id: String = row.try_get("title_id").map_err(unreadable())?;
    let metadata: String = row.try_get("metadata").map_err(unreadable())?;
    let listed = Listed {
        metadata: serde_json::from_str(&metadata).map_err(StoreError::unreadable("titles"))?,
        owner: owner(row)?,
        draft: row.try_get("draft").map_err(unreadable())?,
        added_at_ms: row.try_get("added_at_ms").map_err(unreadable())?,
        listed_at_ms: row.try_get("listed_at_ms").map_err(unreadable())?,
        scheduled: row.try_get("scheduled").map_err(unreadable())?,
    };
    Ok((title_id.parse().map_err(StoreError::unreadable("titles"))?, listed))
}

/// Whose video the title of a row is.
pub(super) fn owner(row: &SqliteRow) -> Result<Option<AccountId>, StoreError> {
    let owner: Option<&str> = row.try_get("owner").map_err(StoreError::unreadable("titles"))?;
    owner.map(str::parse).transpose().map_err(StoreError::unreadable("titles"))
}

/// Turns the titles from what they were into what they are; titles that are missing are not listed.
pub(super) async fn store(
    connection: &mut SqliteConnection,
    before: &Titles,
    after: &Titles,
) -> Result<(), StoreError> {
    let failed = || StoreError::sql("writing titles");
    let gone: Vec<_> = before.keys().filter(|id| !after.contains_key(id)).collect();
    WITHDRAW
        .execute(connection, &gone, |query, id| query.bind(id.to_string()))
        .await
        .map_err(failed())?;
    store_titles(connection, after).await?;
    store_genres(connection, before, after).await.map_err(failed())?;
    store_people(connection, before, after).await.map_err(failed())?;
    store_counts(connection, before, after).await.map_err(failed())?;
    store_spellings(connection, before, after).await.map_err(failed())
}

async fn store_titles(
    connection: &mut SqliteConnection,
    titles: &Titles,
) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(titles.len());
    for (title_id, listed) in titles {
        let metadata = serde_json::to_string(&listed.metadata);
        rows.push((title_id, listed, metadata.map_err(StoreError::unreadable("titles"))?));
    }
    LIST.execute(connection, &rows, |query, (title_id, listed, metadata)| {
        let episode = listed.metadata.episode_of;
        query
            .bind(title_id.to_string())
            .bind(listed.sort_name())
            .bind(listed.metadata.kind.as_str())
            .bind(listed.metadata.year)
            .bind(listed.owner.map(|owner| owner.to_string()))
            .bind(listed.draft)
            .bind(listed.added_at_ms)
            .bind(listed.listed_at_ms)
            .bind(listed.scheduled)
            .bind(episode.map(|episode| episode.series_id.to_string()))
            .bind(episode.map(|episode| episode.season))
            .bind(episode.map(|episode| episode.number))
            .bind(listed.metadata.extra_of.map(|title_id| title_id.to_string()))
            .bind(metadata.clone())
    })
    .await
    .map_err(StoreError::sql("writing titles"))
}

async fn store_genres(
    connection: &mut SqliteConnection,
    before: &Titles,
    after: &Titles,
) -> Result<(), sqlx::Error> {
    let rows = |titles: &Titles| -> BTreeSet<GenreRow> {
        titles.iter().flat_map(|(id, listed)| listed.genre_rows(*id)).collect()
    };
    let (before, after) = (rows(before), rows(after));
    let gone: Vec<_> = before.difference(&after).collect();
    REMOVE_GENRES
        .execute(connection, &gone, |query, row| {
            query.bind(row.genre.clone()).bind(row.sort_name.clone()).bind(row.title_id.to_string())
        })
        .await?;
    let new: Vec<_> = after.difference(&before).collect();
    ADD_GENRES
        .execute(connection, &new, |query, row| {
            query
                .bind(row.genre.clone())
                .bind(row.sort_name.clone())
                .bind(row.title_id.to_string())
                .bind(row.kind)
                .bind(row.year)
                .bind(row.listed_at_ms)
                .bind(row.scheduled)
        })
        .await
}

async fn store_people(
    connection: &mut SqliteConnection,
    before: &Titles,
    after: &Titles,
) -> Result<(), sqlx::Error> {
    let rows = |titles: &Titles| -> BTreeSet<PersonRow> {
        titles.iter().flat_map(|(id, listed)| listed.person_rows(*id)).collect()
    };
    let (before, after) = (rows(before), rows(after));
    let gone: Vec<_> = before.difference(&after).collect();
    REMOVE_PEOPLE.execute(connection, &gone, bind_person).await?;
    let new: Vec<_> = after.difference(&before).collect();
    ADD_PEOPLE.execute(connection, &new, bind_person).await
}

fn bind_person<'q>(query: Bound<'q>, row: &&PersonRow) -> Bound<'q> {
    let (person, role, year, title_id) = *row;
    let query = query.bind(person.as_str().to_owned()).bind(*role);
    query.bind(*year).bind(title_id.to_string())
}

async fn store_counts(
    connection: &mut SqliteConnection,
    before: &Titles,
    after: &Titles,
) -> Result<(), sqlx::Error> {
    let lists =
        |titles: &Titles| -> Vec<List> { titles.values().flat_map(Listed::lists).collect() };
    let deltas = deltas(lists(before), lists(after));
    ADD_COUNTS
        .execute(connection, &deltas, |query, (list, delta)| {
            let (genre, kind, year, level, scheduled) = list;
            let query = query.bind(genre.clone()).bind(*kind).bind(*year);
            query.bind(*level).bind(*scheduled).bind(*delta)
        })
        .await?;
    sqlx::query(REMOVE_ZERO_COUNTS).execute(connection).await.map(drop)
}

async fn store_spellings(
    connection: &mut SqliteConnection,
    before: &Titles,
    after: &Titles,
) -> Result<(), sqlx::Error> {
    let spellings =
        |titles: &Titles| -> Vec<_> { titles.values().flat_map(Listed::spellings).collect() };
    let deltas = deltas(spellings(before), spellings(after));
    ADD_SPELLINGS
        .execute(connection, &deltas, |query, ((genre, spelling), delta)| {
            query.bind(genre.clone()).bind(spelling.clone()).bind(*delta)
        })
        .await?;
    sqlx::query(REMOVE_ZERO_SPELLINGS).execute(connection).await.map(drop)
}

/// How often each thing comes more or less often than before; nothing that comes as often.
fn deltas<T: Ord>(before: Vec<T>, after: Vec<T>) -> Vec<(T, i64)> {
    let mut counts: BTreeMap<T, i64> = BTreeMap::new();
    for (things, step) in [(before, -1), (after, 1)] {
        for thing in things {
            *counts.entry(thing).or_default() += step;
        }
    }
    counts.into_iter().filter(|(_, count)| *count != 0).collect()
}

/// Every statement of this file, for the test that prepares them all.
#[cfg(test)]
pub(super) fn statements() -> Vec<String> {
    let statements = [
        LOAD,
        WITHDRAW,
        LIST,
        REMOVE_GENRES,
        ADD_GENRES,
        REMOVE_PEOPLE,
        ADD_PEOPLE,
        ADD_COUNTS,
        ADD_SPELLINGS,
    ];
    let zero = [REMOVE_ZERO_COUNTS, REMOVE_ZERO_SPELLINGS].map(str::to_owned);
    statements.map(|statement| statement.text(2)).into_iter().chain(zero).collect()
}
