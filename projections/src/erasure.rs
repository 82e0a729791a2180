//! How read models forget a person.
//!
//! An account is forgotten when its `AccountErased` is folded. The store takes care of what it keeps
//! about events (parked ones), a read model of its rows ([`Fold::erase`](crate::store::Fold::erase)).
//! What comes of the account later is dropped, so that the rows are the same however late that is.
//!
//! Deleted rows are overwritten (`secure_delete`), but copies of them may be left where SQLite moved
//! them from, and in the journal. [`scrub`](crate::store::SqliteStore::scrub) removes those.

use std::collections::{BTreeMap, BTreeSet};

use playhead_domain::identity::Identity;
use playhead_domain::{AccountId, Decider};
use playhead_eventlog::RecordedEvent;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Row};

use crate::error::StoreError;
use crate::rows::Statement;

/// The event by which an account is forgotten.
const ERASED: &str = "AccountErased";

const REMEMBER: Statement = Statement {
    head: "INSERT INTO erased_accounts (account_id, at_ms)",
    columns: 2,
    tail: "ON CONFLICT (account_id) DO NOTHING",
};
const FORGOTTEN: Statement = Statement {
    head: "WITH wanted (account_id) AS (",
    columns: 1,
    tail: ") SELECT e.account_id FROM wanted \
           JOIN erased_accounts e ON e.account_id = wanted.account_id",
};

/// The account that an event forgets, if it is such an event. The name of the stream tells, so that
/// not even a payload that nobody can read keeps a person from being forgotten.
pub(crate) fn erased_account(event: &RecordedEvent) -> Option<AccountId> {
    let erases = &*event.event.event_type == ERASED
        && event.stream.category() == <Identity as Decider>::CATEGORY;
    if erases { event.stream.id().parse().ok() } else { None }
}

/// Whether a stream is one of an account's: its id, or what stands before the dot, is the account.
pub(crate) fn is_of(stream: &playhead_eventlog::StreamName, account_id: AccountId) -> bool {
    let id = stream.id();
    let shard_key = id.split_once('.').map_or(id, |(key, _)| key);
    shard_key.parse() == Ok(account_id)
}

/// Deletes every row of some accounts from tables that have a column `account_id`, and remembers
/// that they were forgotten, and when.
pub(crate) async fn erase(
    connection: &mut SqliteConnection,
    accounts: &BTreeMap<AccountId, i64>,
    tables: &[&str],
) -> Result<(), StoreError> {
    let failed = || StoreError::sql("erasing an account");
    for account_id in accounts.keys() {
        for table in tables {
            let text = format!("DELETE FROM {table} WHERE account_id = $1");
            sqlx::query(AssertSqlSafe(text))
                .bind(account_id.to_string())
                .execute(&mut *connection)
                .await
                .map_err(failed())?;
        }
    }
    let accounts: Vec<_> = accounts.iter().collect();
    REMEMBER
        .execute(connection, &accounts, |query, (account_id, at_ms)| {
            query.bind(account_id.to_string()).bind(**at_ms)
        })
        .await
        .map_err(failed())
}

/// Those of the accounts that were forgotten.
pub(crate) async fn forgotten(
    connection: &mut SqliteConnection,
    accounts: &BTreeSet<AccountId>,
) -> Result<BTreeSet<AccountId>, StoreError> {
    let accounts: Vec<_> = accounts.iter().collect();
    let rows = FORGOTTEN
        .fetch(connection, &accounts, |query, account_id| query.bind(account_id.to_string()))
        .await
        .map_err(StoreError::sql("reading erased accounts"))?;
    rows.iter()
        .map(|row| {
            let account_id: &str =
                row.try_get("account_id").map_err(StoreError::unreadable("erased_accounts"))?;
            account_id.parse().map_err(StoreError::unreadable("erased_accounts"))
        })
        .collect()
}

/// Every statement of this file, for the test that prepares them all.
#[cfg(test)]
pub(crate) fn statements() -> Vec<String> {
    [REMEMBER, FORGOTTEN].map(|statement| statement.text(2)).into_iter().collect()
}

#[cfg(test)]
mod tests;
