//! How changes are written: plays and marks, the bookmarks that they come to, and episodes.
//!
//! Bookmarks are worked out from the rows as they are written, so that only one place says which
//! plays and marks count.

use std::collections::BTreeMap;

use playhead_domain::resume::{Bookmark, Mark, MarkKind, Play, Reached};
use playhead_domain::{AccountId, SessionId, TitleId};
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::changes::{Changes, Heartbeat, Pair, PlayChange};
use crate::erasure;
use crate::error::StoreError;
use crate::rows::{Statement, integer, natural};

/// A heartbeat replaces the one before only if its sequence is higher.
macro_rules! latest {
    ($($column:literal),+) => {
        concat!($(
            ", ", $column, " = CASE WHEN excluded.sequence > COALESCE(plays.sequence, -1) \
             THEN excluded.", $column, " ELSE plays.", $column, " END"
        ),+)
    };
}

/// What heartbeats at the end say is put together, as [`Reached::and`] says it.
macro_rules! reached {
    ($column:literal, $wins:literal) => {
        concat!(
            ", ",
            $column,
            " = CASE WHEN plays.",
            $column,
            " IS NULL OR excluded.",
            $column,
            " ",
            $wins,
            " plays.",
            $column,
            " THEN COALESCE(excluded.",
            $column,
            ", plays.",
            $column,
            ") ELSE plays.",
            $column,
            " END"
        )
    };
}

/// The condition that a play was not taken out of the history, as
/// [`is_removed`](playhead_domain::resume::is_removed) says it.
macro_rules! is_not_removed {
    ($play:literal) => {
        concat!(
            "NOT EXISTS (SELECT 1 FROM marks r WHERE r.kind = 'removed' AND r.profile_id = ",
            $play,
            ".profile_id AND r.title_id = ",
            $play,
            ".title_id AND (r.session_id = ",
            $play,
            ".session_id OR (r.session_id = '' AND r.at_ms >= ",
            $play,
            ".started_at_ms)))"
        )
    };
}
pub(super) use is_not_removed;

const PUT_PLAYS: Statement = Statement {
    head: "INSERT INTO plays (session_id, account_id, profile_id, title_id, started_at_ms, device, \
           ended_at_ms, sequence, position_ms, played_ms, duration_ms, credits_start_ms, at_ms, \
           reached_played_ms, reached_began_ms, reached_at_ms)",
    columns: 16,
    tail: concat!(
        "ON CONFLICT (session_id) DO UPDATE SET \
         device = COALESCE(excluded.device, plays.device), \
         ended_at_ms = COALESCE(excluded.ended_at_ms, plays.ended_at_ms)",
        latest!("sequence", "position_ms", "played_ms", "credits_start_ms", "at_ms"),
        ", duration_ms = CASE WHEN COALESCE(excluded.duration_ms, 0) > COALESCE(plays.duration_ms, 0) \
         THEN excluded.duration_ms ELSE plays.duration_ms END",
        reached!("reached_played_ms", ">"),
        reached!("reached_began_ms", "<"),
        reached!("reached_at_ms", ">")
    ),
};
/// The newest 20 ([`PLAYS_MAX`](super::PLAYS_MAX)) plays of each pair that were not removed.
const NEWEST_PLAYS: Statement = Statement {
    head: "WITH wanted (profile_id, title_id) AS (",
    columns: 2,
    tail: concat!(
        ") SELECT p.session_id, p.profile_id, p.title_id, p.started_at_ms, p.sequence, \
         p.position_ms, p.played_ms, p.duration_ms, p.credits_start_ms, p.at_ms, \
         p.reached_played_ms, p.reached_began_ms, p.reached_at_ms \
         FROM wanted JOIN plays p ON p.session_id IN \
         (SELECT n.session_id FROM plays n WHERE n.profile_id = wanted.profile_id \
         AND n.title_id = wanted.title_id AND n.sequence IS NOT NULL AND ",
        is_not_removed!("n"),
        " ORDER BY n.started_at_ms DESC, n.session_id DESC LIMIT 20)"
    ),
};
/// The newest 200 ([`MARKS_MAX`](super::MARKS_MAX)) marks of each pair.
const NEWEST_MARKS: Statement = Statement {
    head: "WITH wanted (profile_id, title_id) AS (",
    columns: 2,
    tail: ") SELECT m.profile_id, m.title_id, m.at_ms, m.kind, m.session_id \
           FROM wanted JOIN marks m ON m.profile_id = wanted.profile_id \
           AND m.title_id = wanted.title_id AND (m.at_ms, m.kind, m.session_id) IN \
           (SELECT n.at_ms, n.kind, n.session_id FROM marks n \
           WHERE n.profile_id = wanted.profile_id AND n.title_id = wanted.title_id \
           ORDER BY n.at_ms DESC, n.kind DESC, n.session_id DESC LIMIT 200)",
};
const PUT_MARKS: Statement = Statement {
    head: "INSERT INTO marks (profile_id, title_id, at_ms, kind, session_id, account_id)",
    columns: 6,
    tail: "ON CONFLICT (profile_id, title_id, at_ms, kind, session_id) DO NOTHING",
};
const PUT_BOOKMARKS: Statement = Statement {
    head: "INSERT INTO bookmarks (profile_id, title_id, account_id, position_ms, duration_ms, \
           played_ms, started, finished, watch_count, finished_at_ms, last_played_at_ms, \
           dismissed, on_row)",
    columns: 13,
    tail: "ON CONFLICT (profile_id, title_id) DO UPDATE SET position_ms = excluded.position_ms, \
           duration_ms = excluded.duration_ms, played_ms = excluded.played_ms, \
           started = excluded.started, finished = excluded.finished, \
           watch_count = excluded.watch_count, finished_at_ms = excluded.finished_at_ms, \
           last_played_at_ms = excluded.last_played_at_ms, dismissed = excluded.dismissed, \
           on_row = excluded.on_row",
};
const PUT_EPISODES: Statement = Statement {
    head: "INSERT INTO episodes (title_id, series_id, season, number)",
    columns: 4,
    tail: "ON CONFLICT (title_id) DO UPDATE SET series_id = excluded.series_id, \
           season = excluded.season, number = excluded.number",
};
const REMOVE_EPISODES: Statement =
    Statement { head: "DELETE FROM episodes WHERE title_id IN (", columns: 1, tail: ")" };

/// The tables that hold something of an account.
const OF_ACCOUNTS: [&str; 3] = ["plays", "marks", "bookmarks"];

/// Writes the changes of a batch.
pub(super) async fn store(
    connection: &mut SqliteConnection,
    mut changes: Changes,
) -> Result<(), StoreError> {
    erasure::erase(connection, &changes.erased, &OF_ACCOUNTS).await?;
    let forgotten = erasure::forgotten(connection, &changes.accounts()).await?;
    changes.drop_accounts(&forgotten);
    put_plays(connection, &changes).await.map_err(StoreError::sql("writing plays"))?;
    put_marks(connection, &changes).await.map_err(StoreError::sql("writing marks"))?;
    let pairs = changes.pairs();
    let mut plays = newest_plays(connection, &pairs).await?;
    let mut marks = newest_marks(connection, &pairs).await?;
    let bookmarks: Vec<_> = pairs
        .into_iter()
        .map(|(pair, account_id)| {
            let plays = plays.remove(&pair).unwrap_or_default();
            let marks = marks.remove(&pair).unwrap_or_default();
            (pair, account_id, Bookmark::of(plays, &marks))
        })
        .collect();
    put_bookmarks(connection, &bookmarks).await.map_err(StoreError::sql("writing bookmarks"))?;
    put_episodes(connection, &changes).await.map_err(StoreError::sql("writing episodes"))?;
    changes.terms.write(connection).await
}

async fn newest_plays(
    connection: &mut SqliteConnection,
    pairs: &[(Pair, AccountId)],
) -> Result<BTreeMap<Pair, Vec<Play>>, StoreError> {
    let rows = NEWEST_PLAYS
        .fetch(connection, pairs, |query, ((profile_id, title_id), _)| {
            query.bind(profile_id.to_string()).bind(title_id.to_string())
        })
        .await
        .map_err(StoreError::sql("reading plays"))?;
    let mut plays: BTreeMap<Pair, Vec<Play>> = BTreeMap::new();
    for row in &rows {
        plays.entry(pair(row, "plays")?).or_default().push(play(row)?);
    }
    Ok(plays)
}

async fn newest_marks(
    connection: &mut SqliteConnection,
    pairs: &[(Pair, AccountId)],
) -> Result<BTreeMap<Pair, Vec<Mark>>, StoreError> {
    let rows = NEWEST_MARKS
        .fetch(connection, pairs, |query, ((profile_id, title_id), _)| {
            query.bind(profile_id.to_string()).bind(title_id.to_string())
        })
        .await
        .map_err(StoreError::sql("reading marks"))?;
    let mut marks: BTreeMap<Pair, Vec<Mark>> = BTreeMap::new();
    for row in &rows {
        marks.entry(pair(row, "marks")?).or_default().push(mark(row)?);
    }
    Ok(marks)
}

/// What a kind of mark is called in its table.
fn kind_name(kind: MarkKind) -> &'static str {
    match kind {
        MarkKind::Restored => "restored",
        MarkKind::Dismissed => "dismissed",
        MarkKind::Watched => "watched",
        MarkKind::Unwatched => "unwatched",
        MarkKind::Removed(_) => "removed",
    }
}

fn mark(row: &SqliteRow) -> Result<Mark, StoreError> {
    let unreadable = || StoreError::unreadable::<sqlx::Error>("marks");
    let session: &str = row.try_get("session_id").map_err(unreadable())?;
    let kind = match row.try_get::<&str, _>("kind").map_err(unreadable())? {
        "restored" => MarkKind::Restored,
        "dismissed" => MarkKind::Dismissed,
        "watched" => MarkKind::Watched,
        "unwatched" => MarkKind::Unwatched,
        "removed" if session.is_empty() => MarkKind::Removed(None),
        "removed" => {
            MarkKind::Removed(Some(session.parse().map_err(StoreError::unreadable("marks"))?))
        }
        other => return Err(StoreError::unreadable("marks")(format!("{other:?} is no kind"))),
    };
    Ok(Mark { at_ms: row.try_get("at_ms").map_err(unreadable())?, kind })
}

fn pair(row: &SqliteRow, table: &str) -> Result<Pair, StoreError> {
    let text = |column| row.try_get::<&str, _>(column).map_err(StoreError::unreadable(table));
    let profile_id = text("profile_id")?.parse().map_err(StoreError::unreadable(table))?;
    Ok((profile_id, text("title_id")?.parse().map_err(StoreError::unreadable(table))?))
}

fn play(row: &SqliteRow) -> Result<Play, StoreError> {
    let unreadable = || StoreError::unreadable::<sqlx::Error>("plays");
    let session_id: &str = row.try_get("session_id").map_err(unreadable())?;
    let number = |column: &str| row.try_get::<i64, _>(column).map(natural).map_err(unreadable());
    let known = |column: &str| {
        let number = row.try_get::<Option<i64>, _>(column).map_err(unreadable())?;
        Ok(number.map(natural))
    };
    Ok(Play {
        started_at_ms: row.try_get("started_at_ms").map_err(unreadable())?,
        session_id: session_id.parse().map_err(StoreError::unreadable("plays"))?,
        sequence: row.try_get("sequence").map_err(unreadable())?,
        position_ms: number("position_ms")?,
        played_ms: number("played_ms")?,
        duration_ms: known("duration_ms")?,
        credits_start_ms: known("credits_start_ms")?,
        at_ms: row.try_get("at_ms").map_err(unreadable())?,
        reached: reached(row)?,
    })
}

/// All three columns are null, or none.
fn reached(row: &SqliteRow) -> Result<Option<Reached>, StoreError> {
    let known = |column: &str| {
        row.try_get::<Option<i64>, _>(column).map_err(StoreError::unreadable("plays"))
    };
    let (played_ms, began_ms) = (known("reached_played_ms")?, known("reached_began_ms")?);
    let all = played_ms.zip(began_ms).zip(known("reached_at_ms")?);
    Ok(all.map(|((played_ms, began_ms), at_ms)| Reached {
        played_ms: natural(played_ms),
        began_ms: natural(began_ms),
        at_ms,
    }))
}

async fn put_plays(
    connection: &mut SqliteConnection,
    changes: &Changes,
) -> Result<(), sqlx::Error> {
    let rows: Vec<(&SessionId, &PlayChange)> = changes.plays.iter().collect();
    PUT_PLAYS
        .execute(connection, &rows, |query, (session_id, play)| {
            let reached = play.latest.and_then(|heartbeat| heartbeat.reached);
            let known = |of: fn(Heartbeat) -> Option<u64>| play.latest.and_then(of).map(integer);
            query
                .bind(session_id.to_string())
                .bind(play.account_id.to_string())
                .bind(play.profile_id.to_string())
                .bind(play.title_id.to_string())
                .bind(play.started_at_ms)
                .bind(play.device.clone())
                .bind(play.ended_at_ms)
                .bind(play.latest.map(|heartbeat| heartbeat.sequence))
                .bind(known(|heartbeat| Some(heartbeat.position_ms)))
                .bind(known(|heartbeat| Some(heartbeat.played_ms)))
                .bind(known(|heartbeat| heartbeat.duration_ms))
                .bind(known(|heartbeat| heartbeat.credits_start_ms))
                .bind(play.latest.map(|heartbeat| heartbeat.at_ms))
                .bind(reached.map(|reached| integer(reached.played_ms)))
                .bind(reached.map(|reached| integer(reached.began_ms)))
                .bind(reached.map(|reached| reached.at_ms))
        })
        .await
}

async fn put_marks(
    connection: &mut SqliteConnection,
    changes: &Changes,
) -> Result<(), sqlx::Error> {
    let rows: Vec<(&(Pair, Mark), &AccountId)> = changes.marks.iter().collect();
    PUT_MARKS
        .execute(connection, &rows, |query, (((profile_id, title_id), mark), account_id)| {
            let session_id = match mark.kind {
                MarkKind::Removed(Some(session_id)) => session_id.to_string(),
                _ => String::new(),
            };
            query
                .bind(profile_id.to_string())
                .bind(title_id.to_string())
                .bind(mark.at_ms)
                .bind(kind_name(mark.kind))
                .bind(session_id)
                .bind(account_id.to_string())
        })
        .await
}

async fn put_bookmarks(
    connection: &mut SqliteConnection,
    bookmarks: &[(Pair, AccountId, Bookmark)],
) -> Result<(), sqlx::Error> {
    PUT_BOOKMARKS
        .execute(connection, bookmarks, |query, ((profile_id, title_id), account_id, bookmark)| {
            query
                .bind(profile_id.to_string())
                .bind(title_id.to_string())
                .bind(account_id.to_string())
                .bind(integer(bookmark.position_ms))
                .bind(bookmark.duration_ms.map(integer))
                .bind(integer(bookmark.played_ms))
                .bind(bookmark.started)
                .bind(bookmark.finished)
                .bind(bookmark.watch_count)
                .bind(bookmark.finished_at_ms)
                .bind(bookmark.last_played_at_ms)
                .bind(bookmark.dismissed)
                .bind(bookmark.on_row())
        })
        .await
}

async fn put_episodes(
    connection: &mut SqliteConnection,
    changes: &Changes,
) -> Result<(), sqlx::Error> {
    let mut listed = Vec::new();
    let mut gone: Vec<TitleId> = Vec::new();
    for (title_id, episode_of) in &changes.episodes {
        match episode_of {
            Some(episode_of) => listed.push((title_id, episode_of)),
            None => gone.push(*title_id),
        }
    }
    REMOVE_EPISODES
        .execute(connection, &gone, |query, title_id| query.bind(title_id.to_string()))
        .await?;
    PUT_EPISODES
        .execute(connection, &listed, |query, (title_id, episode_of)| {
            query
                .bind(title_id.to_string())
                .bind(episode_of.series_id.to_string())
                .bind(episode_of.season)
                .bind(episode_of.number)
        })
        .await
}

/// Every statement of this file, for the test that prepares them all.
#[cfg(test)]
pub(super) fn statements() -> Vec<String> {
    [PUT_PLAYS, PUT_MARKS, NEWEST_PLAYS, NEWEST_MARKS, PUT_BOOKMARKS, PUT_EPISODES, REMOVE_EPISODES]
        .map(|statement| statement.text(2))
        .into_iter()
        .collect()
}
