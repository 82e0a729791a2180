//! How changes are written.

use std::collections::{BTreeMap, BTreeSet};

use playhead_domain::identity::Role;
use playhead_domain::{AccountId, DeviceId, SessionId, SignInId};
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::account::Standing;
use super::changes::{Changes, CodeChange, DeviceChange, DeviceNews, SignInChange, SignInNews};
use crate::erasure;
use crate::error::StoreError;
use crate::rows::Statement;

const LOAD_ACCOUNTS: Statement = Statement {
    head: "WITH wanted (account_id) AS (",
    columns: 1,
    tail: ") SELECT a.* FROM wanted JOIN accounts a ON a.account_id = wanted.account_id",
};
const PUT_ACCOUNTS: Statement = Statement {
    head: "INSERT INTO accounts (account_id, registered, verified, suspended, cancelled, roles, \
           signed_in_from_ms, erasure_due_at_ms)",
    columns: 8,
    tail: "ON CONFLICT (account_id) DO UPDATE SET registered = excluded.registered, \
           verified = excluded.verified, suspended = excluded.suspended, \
           cancelled = excluded.cancelled, roles = excluded.roles, \
           signed_in_from_ms = excluded.signed_in_from_ms, \
           erasure_due_at_ms = excluded.erasure_due_at_ms",
};
const BEGIN: Statement = Statement {
    head: "INSERT INTO sign_ins (sign_in_id, account_id, device_id, method, began_at_ms, \
           refreshed_at_ms)",
    columns: 6,
    tail: "ON CONFLICT (sign_in_id) DO NOTHING",
};
const REFRESH: Statement = Statement {
    head: "WITH said (sign_in_id, at_ms) AS (",
    columns: 2,
    tail: ") UPDATE sign_ins SET refreshed_at_ms = said.at_ms FROM said \
           WHERE sign_ins.sign_in_id = said.sign_in_id AND sign_ins.ended_at_ms IS NULL",
};
const END: Statement = Statement {
    head: "WITH said (sign_in_id, at_ms, reason) AS (",
    columns: 3,
    tail: ") UPDATE sign_ins SET ended_at_ms = said.at_ms, end_reason = said.reason FROM said \
           WHERE sign_ins.sign_in_id = said.sign_in_id AND sign_ins.ended_at_ms IS NULL",
};
const REGISTER: Statement = Statement {
    head: "INSERT INTO devices (account_id, device_id, kind, registered_at_ms)",
    columns: 4,
    tail: "ON CONFLICT (account_id, device_id) DO NOTHING",
};
const NAME: Statement = Statement {
    head: "WITH said (account_id, device_id, name) AS (",
    columns: 3,
    tail: ") UPDATE devices SET name = said.name FROM said \
           WHERE devices.account_id = said.account_id AND devices.device_id = said.device_id \
           AND devices.removed_at_ms IS NULL",
};
const REMOVE: Statement = Statement {
    head: "WITH said (account_id, device_id, at_ms) AS (",
    columns: 3,
    tail: ") UPDATE devices SET removed_at_ms = said.at_ms, name = NULL FROM said \
           WHERE devices.account_id = said.account_id AND devices.device_id = said.device_id \
           AND devices.removed_at_ms IS NULL",
};
const START_SESSIONS: Statement = Statement {
    head: "INSERT INTO running_sessions (session_id, account_id, started_at_ms)",
    columns: 3,
    tail: "ON CONFLICT (session_id) DO UPDATE SET started_at_ms = excluded.started_at_ms",
};
const END_SESSIONS: Statement =
    Statement { head: "DELETE FROM running_sessions WHERE session_id IN (", columns: 1, tail: ")" };
const FORGET_CODES: &str =
    "DELETE FROM device_codes WHERE partition_number = $1 AND expires_at_ms <= $2";
const PUT_CODE: &str = "INSERT INTO device_codes \
     (device_code_key, user_code_hash, kind, expires_at_ms, partition_number) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (device_code_key) DO NOTHING";
const ANSWER_CODE: &str = "DELETE FROM device_codes WHERE device_code_key = $1";

/// The tables that hold something of an account.
const OF_ACCOUNTS: [&str; 4] = ["accounts", "sign_ins", "devices", "running_sessions"];

/// Writes the changes of a batch.
pub(super) async fn store(
    connection: &mut SqliteConnection,
    mut changes: Changes,
) -> Result<(), StoreError> {
    erasure::erase(connection, &changes.erased, &OF_ACCOUNTS).await?;
    let forgotten = erasure::forgotten(connection, &changes.accounts()).await?;
    changes.drop_accounts(&forgotten);
    store_accounts(connection, &changes).await?;
    store_sign_ins(connection, &changes).await.map_err(StoreError::sql("writing sign-ins"))?;
    store_devices(connection, &changes).await.map_err(StoreError::sql("writing devices"))?;
    store_sessions(connection, &changes).await.map_err(StoreError::sql("writing sessions"))?;
    store_codes(connection, &changes).await.map_err(StoreError::sql("writing device codes"))
}

async fn store_accounts(
    connection: &mut SqliteConnection,
    changes: &Changes,
) -> Result<(), StoreError> {
    let ids: Vec<_> = changes.accounts.keys().copied().collect();
    let rows = LOAD_ACCOUNTS
        .fetch(connection, &ids, |query, account_id| query.bind(account_id.to_string()))
        .await
        .map_err(StoreError::sql("reading accounts"))?;
    let mut accounts: BTreeMap<AccountId, Standing> = rows
        .iter()
        .map(|row| {
            let account_id: &str =
                row.try_get("account_id").map_err(StoreError::unreadable("accounts"))?;
            let account_id = account_id.parse().map_err(StoreError::unreadable("accounts"))?;
            Ok((account_id, standing(row)?))
        })
        .collect::<Result<_, StoreError>>()?;
    for (account_id, events) in &changes.accounts {
        let standing = accounts.entry(*account_id).or_default();
        events.iter().for_each(|event| standing.after(event));
    }
    let accounts: Vec<_> = accounts.into_iter().collect();
    PUT_ACCOUNTS
        .execute(connection, &accounts, |query, (account_id, standing)| {
            query
                .bind(account_id.to_string())
                .bind(standing.registered)
                .bind(standing.verified)
                .bind(standing.suspended)
                .bind(standing.cancelled)
                .bind(role_names(&standing.roles))
                .bind(standing.signed_in_from_ms)
                .bind(standing.erasure_due_at_ms)
        })
        .await
        .map_err(StoreError::sql("writing accounts"))
}

fn role_names(roles: &BTreeSet<Role>) -> String {
    let mut names: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
    names.sort_unstable();
    names.join(" ")
}

/// A row of `accounts`.
pub(super) fn standing(row: &SqliteRow) -> Result<Standing, StoreError> {
    let unreadable = || StoreError::unreadable::<sqlx::Error>("accounts");
    let flag = |column: &str| row.try_get::<bool, _>(column).map_err(unreadable());
    let names: &str = row.try_get("roles").map_err(unreadable())?;
    let roles = names.split_terminator(' ').map(|name| named(Role::ALL, Role::as_str, name));
    Ok(Standing {
        registered: flag("registered")?,
        verified: flag("verified")?,
        suspended: flag("suspended")?,
        cancelled: flag("cancelled")?,
        roles: roles.collect::<Result<_, _>>()?,
        signed_in_from_ms: row.try_get("signed_in_from_ms").map_err(unreadable())?,
        erasure_due_at_ms: row.try_get("erasure_due_at_ms").map_err(unreadable())?,
    })
}

/// The one of a closed set that has a name.
pub(super) fn named<T: Copy>(
    all: &[T],
    name_of: fn(T) -> &'static str,
    name: &str,
) -> Result<T, StoreError> {
    let found = all.iter().copied().find(|one| name_of(*one) == name);
    found.ok_or_else(|| format!("there is no {name:?}")).map_err(StoreError::unreadable("access"))
}

async fn store_sign_ins(
    connection: &mut SqliteConnection,
    changes: &Changes,
) -> Result<(), sqlx::Error> {
    let news = |of: fn(&SignInChange) -> &SignInNews| -> Vec<_> {
        changes.sign_ins.iter().map(|((_, id), change)| (*id, of(change))).collect()
    };
    store_news(connection, &news(|change| &change.early)).await?;
    let began: Vec<_> =
        changes.sign_ins.values().filter_map(|change| change.began.as_ref()).collect();
    BEGIN
        .execute(connection, &began, |query, began| {
            query
                .bind(began.sign_in_id.to_string())
                .bind(began.account_id.to_string())
                .bind(began.device_id.to_string())
                .bind(began.method.as_str())
                .bind(began.at_ms)
                .bind(began.at_ms)
        })
        .await?;
    store_news(connection, &news(|change| &change.late)).await
}

async fn store_news(
    connection: &mut SqliteConnection,
    news: &[(SignInId, &SignInNews)],
) -> Result<(), sqlx::Error> {
    let refreshed: Vec<_> =
        news.iter().filter_map(|(id, news)| Some((*id, news.refreshed_at_ms?))).collect();
    REFRESH
        .execute(connection, &refreshed, |query, (id, at_ms)| {
            query.bind(id.to_string()).bind(*at_ms)
        })
        .await?;
    let ended: Vec<_> = news.iter().filter_map(|(id, news)| Some((*id, news.ended?))).collect();
    END.execute(connection, &ended, |query, (id, (reason, at_ms))| {
        query.bind(id.to_string()).bind(*at_ms).bind(reason.as_str())
    })
    .await
}

async fn store_devices(
    connection: &mut SqliteConnection,
    changes: &Changes,
) -> Result<(), sqlx::Error> {
    let news = |of: fn(&DeviceChange) -> &DeviceNews| -> Vec<_> {
        changes.devices.iter().map(|(key, change)| (*key, of(change))).collect()
    };
    store_device_news(connection, &news(|change| &change.early)).await?;
    let joined = changes.devices.iter();
    let joined: Vec<_> =
        joined.filter_map(|(key, change)| Some((*key, change.registered?))).collect();
    REGISTER
        .execute(connection, &joined, |query, (key, (kind, at_ms))| {
            let query = query.bind(key.0.to_string()).bind(key.1.to_string());
            query.bind(kind.as_str()).bind(*at_ms)
        })
        .await?;
    store_device_news(connection, &news(|change| &change.late)).await
}

async fn store_device_news(
    connection: &mut SqliteConnection,
    news: &[((AccountId, DeviceId), &DeviceNews)],
) -> Result<(), sqlx::Error> {
    let named: Vec<_> =
        news.iter().filter_map(|(key, news)| Some((*key, news.name.as_ref()?))).collect();
    NAME.execute(connection, &named, |query, (key, name)| {
        query.bind(key.0.to_string()).bind(key.1.to_string()).bind((*name).clone())
    })
    .await?;
    let removed: Vec<_> =
        news.iter().filter_map(|(key, news)| Some((*key, news.removed_at_ms?))).collect();
    REMOVE
        .execute(connection, &removed, |query, (key, at_ms)| {
            query.bind(key.0.to_string()).bind(key.1.to_string()).bind(*at_ms)
        })
        .await
}

async fn store_sessions(
    connection: &mut SqliteConnection,
    changes: &Changes,
) -> Result<(), sqlx::Error> {
    let mut started: Vec<(AccountId, SessionId, i64)> = Vec::new();
    let mut ended = Vec::new();
    for ((account_id, session_id), started_at_ms) in &changes.sessions {
        match started_at_ms {
            Some(at_ms) => started.push((*account_id, *session_id, *at_ms)),
            None => ended.push(*session_id),
        }
    }
    END_SESSIONS.execute(connection, &ended, |query, id| query.bind(id.to_string())).await?;
    START_SESSIONS
        .execute(connection, &started, |query, (account_id, session_id, at_ms)| {
            query.bind(session_id.to_string()).bind(account_id.to_string()).bind(*at_ms)
        })
        .await
}

/// One after the other: what is forgotten depends on the order within each partition.
async fn store_codes(
    connection: &mut SqliteConnection,
    changes: &Changes,
) -> Result<(), sqlx::Error> {
    for change in &changes.codes {
        match change {
            CodeChange::Asked { partition, asked } => {
                sqlx::query(FORGET_CODES)
                    .bind(partition.0)
                    .bind(asked.at_ms)
                    .execute(&mut *connection)
                    .await?;
                sqlx::query(PUT_CODE)
                    .bind(asked.device_code_key.to_string())
                    .bind(asked.user_code_hash.to_string())
                    .bind(asked.kind.as_str())
                    .bind(asked.expires_at_ms)
                    .bind(partition.0)
                    .execute(&mut *connection)
                    .await?;
            }
            CodeChange::Answered(key) => {
                sqlx::query(ANSWER_CODE).bind(key.to_string()).execute(&mut *connection).await?;
            }
        }
    }
    Ok(())
}

/// Every statement of this file, for the test that prepares them all.
#[cfg(test)]
pub(super) fn statements() -> Vec<String> {
    let lists = [
        LOAD_ACCOUNTS,
        PUT_ACCOUNTS,
        BEGIN,
        REFRESH,
        END,
        REGISTER,
        NAME,
        REMOVE,
        START_SESSIONS,
        END_SESSIONS,
    ];
    let fixed = [FORGET_CODES, PUT_CODE, ANSWER_CODE].map(str::to_owned);
    lists.map(|statement| statement.text(2)).into_iter().chain(fixed).collect()
}
