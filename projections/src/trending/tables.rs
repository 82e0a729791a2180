//! How changes are written: sessions, the plays that they come to, and what those come to in turn.

use std::collections::{BTreeMap, BTreeSet};

use playhead_domain::{ProfileId, SessionId, Territory, TitleId};
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::changes::{Changes, SessionChange, is_past};
use super::score::score;
use super::{DAYS_KEPT, RECENT_DAYS};
use crate::erasure;
use crate::error::StoreError;
use crate::rows::{Statement, integer, natural};

const SESSIONS: Statement = Statement {
    head: "WITH wanted (session_id) AS (",
    columns: 1,
    tail: ") SELECT s.session_id, s.territory, s.played_at_ms \
           FROM wanted JOIN sessions s ON s.session_id = wanted.session_id",
};
const NEWEST: Statement = Statement {
    head: "WITH wanted (profile_id) AS (",
    columns: 1,
    tail: ") SELECT wanted.profile_id, (SELECT MAX(s.day) FROM sessions s \
           WHERE s.profile_id = wanted.profile_id AND s.played_at_ms IS NOT NULL) AS day \
           FROM wanted",
};
/// Which of these have a session that counts.
const COUNTED: Statement = Statement {
    head: "WITH wanted (profile_id, title_id, day) AS (",
    columns: 3,
    tail: ") SELECT profile_id, title_id, day FROM wanted WHERE EXISTS ( \
           SELECT 1 FROM sessions s WHERE s.profile_id = wanted.profile_id \
           AND s.day = wanted.day AND s.title_id = wanted.title_id \
           AND s.played_at_ms IS NOT NULL AND s.territory IS NOT NULL)",
};
const PUT_SESSIONS: Statement = Statement {
    head: "INSERT INTO sessions \
           (session_id, account_id, profile_id, title_id, day, territory, played_at_ms)",
    columns: 7,
    tail: "ON CONFLICT (session_id) DO UPDATE SET \
           territory = COALESCE(sessions.territory, excluded.territory), \
           played_at_ms = COALESCE(sessions.played_at_ms, excluded.played_at_ms)",
};
const DROP_SESSIONS: Statement = Statement {
    head: "WITH wanted (profile_id, first_day) AS (",
    columns: 2,
    tail: ") DELETE FROM sessions WHERE session_id IN ( \
           SELECT s.session_id FROM wanted JOIN sessions s \
           ON s.profile_id = wanted.profile_id AND s.day < wanted.first_day)",
};
const ADD_PLAYS: Statement = Statement {
    head: "INSERT INTO plays (territory, title_id, day, plays)",
    columns: 4,
    tail: "ON CONFLICT (territory, title_id, day) DO UPDATE SET plays = plays.plays + excluded.plays",
};
const ADD_TOTALS: Statement = Statement {
    head: "INSERT INTO totals (title_id, plays, last_play_at_ms)",
    columns: 3,
    tail: "ON CONFLICT (title_id) DO UPDATE SET plays = totals.plays + excluded.plays, \
           last_play_at_ms = MAX(totals.last_play_at_ms, excluded.last_play_at_ms)",
};
const DAYS: Statement = Statement {
    head: "WITH wanted (territory, title_id) AS (",
    columns: 2,
    tail: ") SELECT p.territory, p.title_id, p.day, p.plays FROM wanted JOIN plays p \
           ON p.territory = wanted.territory AND p.title_id = wanted.title_id",
};
const DROP_DAYS: Statement = Statement {
    head: "DELETE FROM plays WHERE (territory, title_id, day) IN (",
    columns: 3,
    tail: ")",
};
const PUT_SCORES: Statement = Statement {
    head: "INSERT INTO scores (territory, title_id, score)",
    columns: 3,
    tail: "ON CONFLICT (territory, title_id) DO UPDATE SET score = excluded.score",
};

/// The tables that hold something of an account.
const OF_ACCOUNTS: [&str; 1] = ["sessions"];
/// What stands for the world in a column of territories, and for nowhere known.
pub(super) const WORLD: &str = "";

/// A profile's play of a title on a day, of which one counts.
type Day = (ProfileId, TitleId, i64);
/// A territory as its column has it, and a title.
type Place = (String, TitleId);

/// What is known of a session.
#[derive(Debug, Clone, Default)]
struct Known {
    territory: Option<String>,
    played_at_ms: Option<i64>,
}

/// A session that has come to count, unless another one of its day did before.
struct Candidate {
    /// The place of the event in the batch that made it count.
    place: u64,
    day: Day,
    territory: String,
    at_ms: i64,
}

/// The plays that a batch adds.
#[derive(Default)]
struct Added {
    plays: BTreeMap<(Place, i64), u64>,
    totals: BTreeMap<TitleId, (u64, i64)>,
}

/// Writes the changes of a batch.
pub(super) async fn store(
    connection: &mut SqliteConnection,
    mut changes: Changes,
) -> Result<(), StoreError> {
    // Those of earlier batches: what came of theirs since is dropped. Of those that this batch
    // forgets there is nothing in the changes that came later than that.
    let forgotten = erasure::forgotten(connection, &changes.accounts()).await?;
    changes.sessions.retain(|_, session| !forgotten.contains(&session.account_id));
    let newest = newest(connection, &changes).await?;
    changes
        .sessions
        .retain(|_, session| !is_past(session.day, newest.get(&session.profile_id).copied()));
    let before = sessions(connection, &changes).await?;
    let added = count(connection, candidates(&changes, &before)).await?;
    put_sessions(connection, &changes, &before)
        .await
        .map_err(StoreError::sql("writing sessions"))?;
    drop_sessions(connection, &changes).await.map_err(StoreError::sql("dropping sessions"))?;
    erasure::erase(connection, &changes.erased, &OF_ACCOUNTS).await?;
    put_plays(connection, added).await?;
    changes.terms.write(connection).await
}

/// The newest day that counts of each profile that changes, before the batch.
async fn newest(
    connection: &mut SqliteConnection,
    changes: &Changes,
) -> Result<BTreeMap<ProfileId, i64>, StoreError> {
    let rows = NEWEST
        .fetch(connection, &changes.profiles(), |query, id| query.bind(id.to_string()))
        .await
        .map_err(StoreError::sql("reading sessions"))?;
    let mut newest = BTreeMap::new();
    for row in &rows {
        let day: Option<i64> = value(row, "day")?;
        newest.extend(day.map(|day| Ok((parsed(row, "profile_id")?, day))).transpose()?);
    }
    Ok(newest)
}

/// What is known of each session that changes, before the batch.
async fn sessions(
    connection: &mut SqliteConnection,
    changes: &Changes,
) -> Result<BTreeMap<SessionId, Known>, StoreError> {
    let ids: Vec<SessionId> = changes.sessions.keys().copied().collect();
    let rows = SESSIONS
        .fetch(connection, &ids, |query, id| query.bind(id.to_string()))
        .await
        .map_err(StoreError::sql("reading sessions"))?;
    let known = |row: &SqliteRow| {
        let known = Known {
            territory: value(row, "territory")?,
            played_at_ms: value(row, "played_at_ms")?,
        };
        Ok((parsed(row, "session_id")?, known))
    };
    rows.iter().map(known).collect()
}

impl Known {
    /// Whether it is among those of which one counts.
    fn counts(&self) -> bool {
        self.territory.is_some() && self.played_at_ms.is_some()
    }

    fn with(&self, change: &SessionChange) -> Self {
        let territory = change.began.map(|began| column(began.territory));
        Self {
            territory: self.territory.clone().or(territory),
            played_at_ms: self.played_at_ms.or(change.played.map(|played| played.at_ms)),
        }
    }
}

/// A territory as its column has it.
pub(super) fn column(territory: Option<Territory>) -> String {
    territory.map_or_else(|| WORLD.to_owned(), |territory| territory.to_string())
}

/// The sessions that the batch brings to count, in the order in which it does.
fn candidates(changes: &Changes, before: &BTreeMap<SessionId, Known>) -> Vec<Candidate> {
    let mut candidates: Vec<_> = changes
        .sessions
        .iter()
        .filter_map(|(session_id, change)| {
            let known = before.get(session_id).cloned().unwrap_or_default();
            let now = known.with(change);
            // What was known before came before every event of the batch.
            let began = change.began.filter(|_| known.territory.is_none());
            let played = change.played.filter(|_| known.played_at_ms.is_none());
            let places = [began.map(|began| began.place), played.map(|played| played.place)];
            Some(Candidate {
                place: places.into_iter().flatten().max()?,
                day: (change.profile_id, change.title_id, change.day),
                territory: now.territory?,
                at_ms: now.played_at_ms?,
            })
        })
        .collect();
    candidates.sort_unstable_by_key(|candidate| candidate.place);
    candidates
}

/// Adds up those that are the first of their profile, title and day.
async fn count(
    connection: &mut SqliteConnection,
    candidates: Vec<Candidate>,
) -> Result<Added, StoreError> {
    let days: BTreeSet<Day> = candidates.iter().map(|candidate| candidate.day).collect();
    let days: Vec<Day> = days.into_iter().collect();
    let rows = COUNTED
        .fetch(connection, &days, |query, (profile_id, title_id, day)| {
            query.bind(profile_id.to_string()).bind(title_id.to_string()).bind(*day)
        })
        .await
        .map_err(StoreError::sql("reading sessions"))?;
    let day = |row: &SqliteRow| {
        Ok((parsed(row, "profile_id")?, parsed(row, "title_id")?, value(row, "day")?))
    };
    let mut counted: BTreeSet<Day> = rows.iter().map(day).collect::<Result<_, StoreError>>()?;
    let mut added = Added::default();
    for Candidate { day, territory, at_ms, .. } in candidates {
        if !counted.insert(day) {
            continue;
        }
        let (_, title_id, day) = day;
        for place in BTreeSet::from([WORLD.to_owned(), territory]) {
            *added.plays.entry(((place, title_id), day)).or_default() += 1;
        }
        let (plays, last_ms) = added.totals.entry(title_id).or_insert((0, at_ms));
        (*plays, *last_ms) = (*plays + 1, at_ms.max(*last_ms));
    }
    Ok(added)
}

async fn put_sessions(
    connection: &mut SqliteConnection,
    changes: &Changes,
    before: &BTreeMap<SessionId, Known>,
) -> Result<(), sqlx::Error> {
    let new: Vec<_> = changes
        .sessions
        .iter()
        .filter(|(_, session)| !changes.erased.contains_key(&session.account_id))
        // Most heartbeats are of sessions that count already, and say nothing new.
        .filter(|(id, _)| before.get(id).is_none_or(|known| !known.counts()))
        .map(|(id, session)| (id, session, Known::default().with(session)))
        .collect();
    PUT_SESSIONS
        .execute(connection, &new, |query, (session_id, session, known)| {
            query
                .bind(session_id.to_string())
                .bind(session.account_id.to_string())
                .bind(session.profile_id.to_string())
                .bind(session.title_id.to_string())
                .bind(session.day)
                .bind(known.territory.clone())
                .bind(known.played_at_ms)
        })
        .await
}

async fn drop_sessions(
    connection: &mut SqliteConnection,
    changes: &Changes,
) -> Result<(), sqlx::Error> {
    let newest: Vec<_> = changes.newest.iter().collect();
    DROP_SESSIONS
        .execute(connection, &newest, |query, (profile_id, newest)| {
            query.bind(profile_id.to_string()).bind(newest.saturating_sub(RECENT_DAYS))
        })
        .await
}

/// Adds the plays, and works out the scores of all places where there are more now.
async fn put_plays(connection: &mut SqliteConnection, added: Added) -> Result<(), StoreError> {
    let failed = || StoreError::sql("writing plays");
    let totals: Vec<_> = added.totals.into_iter().collect();
    ADD_TOTALS
        .execute(connection, &totals, |query, (title_id, (plays, at_ms))| {
            query.bind(title_id.to_string()).bind(integer(*plays)).bind(*at_ms)
        })
        .await
        .map_err(failed())?;
    let plays: Vec<_> = added.plays.into_iter().collect();
    ADD_PLAYS
        .execute(connection, &plays, |query, (((territory, title_id), day), plays)| {
            let query = query.bind(territory.clone()).bind(title_id.to_string());
            query.bind(*day).bind(integer(*plays))
        })
        .await
        .map_err(failed())?;
    let places: BTreeSet<Place> = plays.into_iter().map(|((place, _), _)| place).collect();
    put_scores(connection, places.into_iter().collect()).await
}

async fn put_scores(
    connection: &mut SqliteConnection,
    places: Vec<Place>,
) -> Result<(), StoreError> {
    let rows = DAYS
        .fetch(connection, &places, |query, (territory, title_id)| {
            query.bind(territory.clone()).bind(title_id.to_string())
        })
        .await
        .map_err(StoreError::sql("reading plays"))?;
    let mut days: BTreeMap<Place, Vec<(i64, u64)>> = BTreeMap::new();
    for row in &rows {
        let place = (value(row, "territory")?, parsed(row, "title_id")?);
        let plays = natural(value(row, "plays")?);
        days.entry(place).or_default().push((value(row, "day")?, plays));
    }
    let mut old = Vec::new();
    let mut scores = Vec::new();
    for (place, days) in days {
        let newest = days.iter().map(|(day, _)| *day).max().unwrap_or(i64::MIN);
        let first = newest.saturating_sub(DAYS_KEPT - 1);
        let (kept, gone): (Vec<_>, Vec<_>) = days.into_iter().partition(|(day, _)| *day >= first);
        old.extend(gone.into_iter().map(|(day, _)| (place.clone(), day)));
        scores.push((place, score(&kept)));
    }
    let failed = || StoreError::sql("writing scores");
    DROP_DAYS
        .execute(connection, &old, |query, ((territory, title_id), day)| {
            query.bind(territory.clone()).bind(title_id.to_string()).bind(*day)
        })
        .await
        .map_err(failed())?;
    PUT_SCORES
        .execute(connection, &scores, |query, ((territory, title_id), score)| {
            query.bind(territory.clone()).bind(title_id.to_string()).bind(*score)
        })
        .await
        .map_err(failed())
}

fn value<'r, T>(row: &'r SqliteRow, column: &str) -> Result<T, StoreError>
where
    T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    row.try_get(column).map_err(StoreError::unreadable("trending"))
}

fn parsed<T>(row: &SqliteRow, column: &str) -> Result<T, StoreError>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    value::<&str>(row, column)?.parse().map_err(StoreError::unreadable("trending"))
}

/// Every statement of this file, for the test that prepares them all.
#[cfg(test)]
pub(super) fn statements() -> Vec<String> {
    let sessions = [SESSIONS, NEWEST, COUNTED, PUT_SESSIONS, DROP_SESSIONS];
    let plays = [ADD_PLAYS, ADD_TOTALS, DAYS, DROP_DAYS, PUT_SCORES];
    sessions.iter().chain(&plays).map(|statement| statement.text(2)).collect()
}
