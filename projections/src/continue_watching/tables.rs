//! How changes are written: plays, the bookmarks that they come to, and episodes.

use std::collections::BTreeMap;

use playhead_domain::resume::{Bookmark, Mark, MarkKind, Play};
use playhead_domain::{SessionId, TitleId};
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::PLAYS_MAX;
use super::changes::{Changes, Heartbeat, Pair, PlayChange};
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

const PUT_PLAYS: Statement = Statement {
    head: "INSERT INTO plays (session_id, account_id, profile_id, title_id, started_at_ms, device, \
           ended_at_ms, sequence, position_ms, played_ms, duration_ms, credits_start_ms, at_ms)",
    columns: 13,
    tail: concat!(
        "ON CONFLICT (session_id) DO UPDATE SET \
         device = COALESCE(excluded.device, plays.device), \
         ended_at_ms = COALESCE(excluded.ended_at_ms, plays.ended_at_ms)",
        latest!("sequence", "position_ms", "played_ms", "credits_start_ms", "at_ms"),
        ", duration_ms = CASE WHEN COALESCE(excluded.duration_ms, 0) > COALESCE(plays.duration_ms, 0) \
         THEN excluded.duration_ms ELSE plays.duration_ms END"
    ),
};
/// The newest 20 ([`PLAYS_MAX`]) plays of each pair.
const NEWEST_PLAYS: Statement = Statement {
    head: "WITH wanted (profile_id, title_id) AS (",
    columns: 2,
    tail: ") SELECT p.session_id, p.profile_id, p.title_id, p.started_at_ms, p.sequence, \
           p.position_ms, p.played_ms, p.duration_ms, p.credits_start_ms, p.at_ms \
           FROM wanted JOIN plays p ON p.session_id IN \
           (SELECT n.session_id FROM plays n WHERE n.profile_id = wanted.profile_id \
           AND n.title_id = wanted.title_id AND n.sequence IS NOT NULL \
           ORDER BY n.started_at_ms DESC, n.session_id DESC LIMIT 20)",
};
const DISMISSALS: Statement = Statement {
    head: "WITH wanted (profile_id, title_id) AS (",
    columns: 2,
    tail: ") SELECT b.profile_id, b.title_id, b.dismissed_at_ms FROM wanted JOIN bookmarks b \
           ON b.profile_id = wanted.profile_id AND b.title_id = wanted.title_id \
           WHERE b.dismissed_at_ms IS NOT NULL",
};
const PUT_BOOKMARKS: Statement = Statement {
    head: "INSERT INTO bookmarks (profile_id, title_id, position_ms, duration_ms, played_ms, \
           started, finished, watch_count, finished_at_ms, last_played_at_ms, dismissed, \
           dismissed_at_ms, on_row)",
    columns: 13,
    tail: "ON CONFLICT (profile_id, title_id) DO UPDATE SET position_ms = excluded.position_ms, \
           duration_ms = excluded.duration_ms, played_ms = excluded.played_ms, \
           started = excluded.started, finished = excluded.finished, \
           watch_count = excluded.watch_count, finished_at_ms = excluded.finished_at_ms, \
           last_played_at_ms = excluded.last_played_at_ms, dismissed = excluded.dismissed, \
           dismissed_at_ms = excluded.dismissed_at_ms, on_row = excluded.on_row",
};
const PUT_EPISODES: Statement = Statement {
    head: "INSERT INTO episodes (title_id, series_id, season, number)",
    columns: 4,
    tail: "ON CONFLICT (title_id) DO UPDATE SET series_id = excluded.series_id, \
           season = excluded.season, number = excluded.number",
};
const REMOVE_EPISODES: Statement =
    Statement { head: "DELETE FROM episodes WHERE title_id IN (", columns: 1, tail: ")" };

/// The plays of one pair.
type Plays = BTreeMap<SessionId, Play>;

/// Writes the changes of a batch.
pub(super) async fn store(
    connection: &mut SqliteConnection,
    changes: &Changes,
) -> Result<(), StoreError> {
    let pairs = changes.pairs();
    let mut plays = newest_plays(connection, &pairs).await?;
    let mut dismissals = dismissals(connection, &pairs).await?;
    for (session_id, change) in &changes.plays {
        if let Some(heartbeat) = change.latest {
            let plays = plays.entry((change.profile_id, change.title_id)).or_default();
            take(plays, *session_id, change.started_at_ms, heartbeat);
        }
    }
    for (pair, at_ms) in &changes.dismissals {
        let dismissed_at_ms = dismissals.entry(*pair).or_insert(*at_ms);
        *dismissed_at_ms = (*dismissed_at_ms).max(*at_ms);
    }
    let bookmarks: Vec<_> = pairs
        .iter()
        .map(|pair| {
            let dismissed_at_ms = dismissals.get(pair).copied();
            let plays = newest(plays.remove(pair).unwrap_or_default());
            let dismissed = dismissed_at_ms.map(|at_ms| Mark { at_ms, kind: MarkKind::Dismissed });
            (*pair, Bookmark::of(plays, dismissed.as_slice()), dismissed_at_ms)
        })
        .collect();
    put_plays(connection, changes).await.map_err(StoreError::sql("writing plays"))?;
    put_bookmarks(connection, &bookmarks).await.map_err(StoreError::sql("writing bookmarks"))?;
    put_episodes(connection, changes).await.map_err(StoreError::sql("writing episodes"))
}

/// Takes a heartbeat into the plays of its pair; only the length of the title, if a later one of the
/// session is known.
fn take(plays: &mut Plays, session_id: SessionId, started_at_ms: i64, heartbeat: Heartbeat) {
    let known = plays.get_mut(&session_id);
    let duration_ms = heartbeat.duration_ms.max(known.as_ref().and_then(|play| play.duration_ms));
    if let Some(later) = known.filter(|play| play.sequence >= heartbeat.sequence) {
        later.duration_ms = duration_ms;
        return;
    }
    let play = Play {
        started_at_ms,
        session_id,
        sequence: heartbeat.sequence,
        position_ms: heartbeat.position_ms,
        played_ms: heartbeat.played_ms,
        duration_ms,
        credits_start_ms: heartbeat.credits_start_ms,
        at_ms: heartbeat.at_ms,
    };
    plays.insert(session_id, play);
}

/// The newest [`PLAYS_MAX`]. A play that the store left out for being old is so here, too: all those
/// that it answered are newer.
fn newest(plays: Plays) -> Vec<Play> {
    let mut plays: Vec<_> = plays.into_values().collect();
    plays.sort_unstable_by_key(|play| std::cmp::Reverse((play.started_at_ms, play.session_id)));
    plays.truncate(PLAYS_MAX);
    plays
}

async fn newest_plays(
    connection: &mut SqliteConnection,
    pairs: &[Pair],
) -> Result<BTreeMap<Pair, Plays>, StoreError> {
    let rows = NEWEST_PLAYS
        .fetch(connection, pairs, |query, (profile_id, title_id)| {
            query.bind(profile_id.to_string()).bind(title_id.to_string())
        })
        .await
        .map_err(StoreError::sql("reading plays"))?;
    let mut plays: BTreeMap<Pair, Plays> = BTreeMap::new();
    for row in &rows {
        let (pair, play) = (pair(row, "plays")?, play(row)?);
        plays.entry(pair).or_default().insert(play.session_id, play);
    }
    Ok(plays)
}

async fn dismissals(
    connection: &mut SqliteConnection,
    pairs: &[Pair],
) -> Result<BTreeMap<Pair, i64>, StoreError> {
    let rows = DISMISSALS
        .fetch(connection, pairs, |query, (profile_id, title_id)| {
            query.bind(profile_id.to_string()).bind(title_id.to_string())
        })
        .await
        .map_err(StoreError::sql("reading dismissals"))?;
    rows.iter()
        .map(|row| {
            let at_ms = row.try_get("dismissed_at_ms");
            Ok((pair(row, "bookmarks")?, at_ms.map_err(StoreError::unreadable("bookmarks"))?))
        })
        .collect()
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
    })
}

async fn put_plays(
    connection: &mut SqliteConnection,
    changes: &Changes,
) -> Result<(), sqlx::Error> {
    let rows: Vec<(&SessionId, &PlayChange)> = changes.plays.iter().collect();
    PUT_PLAYS
        .execute(connection, &rows, |query, (session_id, play)| {
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
        })
        .await
}

async fn put_bookmarks(
    connection: &mut SqliteConnection,
    bookmarks: &[(Pair, Bookmark, Option<i64>)],
) -> Result<(), sqlx::Error> {
    PUT_BOOKMARKS
        .execute(connection, bookmarks, |query, ((profile_id, title_id), bookmark, dismissed)| {
            query
                .bind(profile_id.to_string())
                .bind(title_id.to_string())
                .bind(integer(bookmark.position_ms))
                .bind(bookmark.duration_ms.map(integer))
                .bind(integer(bookmark.played_ms))
                .bind(bookmark.started)
                .bind(bookmark.finished)
                .bind(bookmark.watch_count)
                .bind(bookmark.finished_at_ms)
                .bind(bookmark.last_played_at_ms)
                .bind(bookmark.dismissed)
                .bind(*dismissed)
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
    [PUT_PLAYS, NEWEST_PLAYS, DISMISSALS, PUT_BOOKMARKS, PUT_EPISODES, REMOVE_EPISODES]
        .map(|statement| statement.text(2))
        .into_iter()
        .collect()
}
