//! What can be asked of who may act for an account.

use playhead_domain::devices::DeviceKind;
use playhead_domain::identity::Status;
use playhead_domain::sign_in::{EndReason, Method};
use playhead_domain::{AccountId, SecretHash};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::tables::{named, standing};
use super::{Access, AccountRow, DeviceRow, DueErasure, PendingCode, SignInPlace, SignInRow};
use crate::error::StoreError;

const ACCOUNT: &str = "SELECT * FROM accounts WHERE account_id = $1";
const IS_ERASED: &str = "SELECT at_ms FROM erased_accounts WHERE account_id = $1";
const ERASED: &str = "SELECT account_id FROM erased_accounts WHERE account_id > $1 \
     ORDER BY account_id LIMIT $2";
/// A sign-in that all of its account's were ended with has ended, too, if nobody said so.
const SIGN_INS: &str = "SELECT s.sign_in_id, s.device_id, s.method, s.began_at_ms, \
     s.refreshed_at_ms, COALESCE(s.ended_at_ms, CASE WHEN s.began_at_ms < a.signed_in_from_ms \
     THEN a.signed_in_from_ms ELSE d.removed_at_ms END) AS ended_at_ms, \
     COALESCE(s.end_reason, CASE WHEN s.began_at_ms < a.signed_in_from_ms THEN 'void' \
     WHEN d.removed_at_ms IS NOT NULL THEN 'device_removed' END) AS end_reason \
     FROM sign_ins s LEFT JOIN accounts a ON a.account_id = s.account_id \
     LEFT JOIN devices d ON d.account_id = s.account_id AND d.device_id = s.device_id \
     WHERE s.account_id = $1 AND (s.began_at_ms, s.sign_in_id) < ($2, $3) \
     ORDER BY s.began_at_ms DESC, s.sign_in_id DESC LIMIT $4";
const DEVICES: &str = "SELECT device_id, name, kind, registered_at_ms FROM devices \
     WHERE account_id = $1 AND removed_at_ms IS NULL ORDER BY registered_at_ms, device_id";
const DEVICE_CODE: &str = "SELECT device_code_key, kind FROM device_codes \
     WHERE user_code_hash = $1 AND expires_at_ms > $2 LIMIT 2";
const DUE: &str = "SELECT account_id, erasure_due_at_ms FROM accounts \
     WHERE erasure_due_at_ms <= $1 ORDER BY erasure_due_at_ms, account_id LIMIT $2";
const SILENT: &str = "SELECT DISTINCT account_id FROM running_sessions \
     WHERE account_id > $1 AND started_at_ms <= $2 ORDER BY account_id LIMIT $3";

impl Access {
    /// How an account stands; `None` if nobody ever registered it.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn account(&self, account_id: AccountId) -> Result<Option<AccountRow>, StoreError> {
        let failed = || StoreError::sql("reading an account");
        let id = account_id.to_string();
        let mut transaction = self.store.readers().begin().await.map_err(failed())?;
        let row = sqlx::query(ACCOUNT).bind(&id).fetch_optional(&mut *transaction).await;
        let row = row.map_err(failed())?;
        let erased = sqlx::query_scalar::<_, i64>(IS_ERASED)
            .bind(&id)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(failed())?;
        transaction.rollback().await.map_err(failed())?;
        if let Some(at_ms) = erased {
            return Ok(Some(AccountRow {
                status: Status::Erased,
                roles: [].into(),
                signed_in_from_ms: at_ms,
                erasure_due_at_ms: None,
            }));
        }
        let standing = row.as_ref().map(standing).transpose()?;
        Ok(standing.and_then(|standing| {
            Some(AccountRow {
                status: standing.status()?,
                roles: standing.roles,
                signed_in_from_ms: standing.signed_in_from_ms,
                erasure_due_at_ms: standing.erasure_due_at_ms,
            })
        }))
    }

    /// The sign-ins of an account, newest first, those that ended among them: those behind `after`,
    /// or the first ones; at most `limit`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn sign_ins(
        &self,
        account_id: AccountId,
        after: Option<&SignInPlace>,
        limit: u32,
    ) -> Result<Vec<SignInRow>, StoreError> {
        // Behind every id in the order of text.
        let (began_at_ms, sign_in_id) = after.map_or((i64::MAX, "~".to_owned()), |place| {
            (place.began_at_ms, place.sign_in_id.to_string())
        });
        let rows = sqlx::query(SIGN_INS)
            .bind(account_id.to_string())
            .bind(began_at_ms)
            .bind(sign_in_id)
            .bind(limit)
            .fetch_all(self.store.readers())
            .await;
        rows.map_err(StoreError::sql("reading sign-ins"))?.iter().map(sign_in_row).collect()
    }

    /// The devices of an account that did not leave, in the order in which they joined. As many as
    /// plans allow.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn devices(&self, account_id: AccountId) -> Result<Vec<DeviceRow>, StoreError> {
        let rows =
            sqlx::query(DEVICES).bind(account_id.to_string()).fetch_all(self.store.readers()).await;
        rows.map_err(StoreError::sql("reading devices"))?.iter().map(device_row).collect()
    }

    /// The device code that a user code belongs to, if it waits for an answer at `now_ms`, in
    /// milliseconds since 1970-01-01 UTC. `None`, too, if by chance two devices show the same code:
    /// neither may be let in for the other.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn device_code(
        &self,
        user_code_hash: SecretHash,
        now_ms: i64,
    ) -> Result<Option<PendingCode>, StoreError> {
        let rows = sqlx::query(DEVICE_CODE)
            .bind(user_code_hash.to_string())
            .bind(now_ms)
            .fetch_all(self.store.readers())
            .await
            .map_err(StoreError::sql("reading a device code"))?;
        let [row] = rows.as_slice() else { return Ok(None) };
        Ok(Some(PendingCode {
            device_code_key: parsed(row, "device_code_key")?,
            kind: named(DeviceKind::ALL, DeviceKind::as_str, value(row, "kind")?)?,
        }))
    }

    /// The accounts that are to be forgotten at `now_ms`, in milliseconds since 1970-01-01 UTC, those
    /// that are due longest first; at most `limit`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn due_erasures(
        &self,
        now_ms: i64,
        limit: u32,
    ) -> Result<Vec<DueErasure>, StoreError> {
        let rows = sqlx::query(DUE).bind(now_ms).bind(limit).fetch_all(self.store.readers()).await;
        rows.map_err(StoreError::sql("reading due erasures"))?
            .iter()
            .map(|row| {
                let due_at_ms = value(row, "erasure_due_at_ms")?;
                Ok(DueErasure { due_at_ms, account_id: parsed(row, "account_id")? })
            })
            .collect()
    }

    /// The accounts that were ever erased, in the order of their ids: those behind `after`, or the
    /// first ones; at most `limit`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn erased_accounts(
        &self,
        after: Option<AccountId>,
        limit: u32,
    ) -> Result<Vec<AccountId>, StoreError> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        let rows = sqlx::query(ERASED).bind(after).bind(limit).fetch_all(self.store.readers());
        let rows = rows.await.map_err(StoreError::sql("reading erased accounts"))?;
        rows.iter().map(|row| parsed(row, "account_id")).collect()
    }

    /// Accounts in the order of their ids that have a session which began by `started_by_ms`, in
    /// milliseconds since 1970-01-01 UTC, and has not ended: those in which one may have fallen silent.
    /// Those behind `after`, or the first ones; at most `limit`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn silent_candidates(
        &self,
        started_by_ms: i64,
        after: Option<AccountId>,
        limit: u32,
    ) -> Result<Vec<AccountId>, StoreError> {
        let rows = sqlx::query(SILENT)
            .bind(after.map_or_else(String::new, |id| id.to_string()))
            .bind(started_by_ms)
            .bind(limit)
            .fetch_all(self.store.readers())
            .await;
        let rows = rows.map_err(StoreError::sql("reading running sessions"))?;
        rows.iter().map(|row| parsed(row, "account_id")).collect()
    }
}

fn value<'r, T>(row: &'r SqliteRow, column: &str) -> Result<T, StoreError>
where
    T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    row.try_get(column).map_err(StoreError::unreadable("access"))
}

fn parsed<T>(row: &SqliteRow, column: &str) -> Result<T, StoreError>
where
    T: std::str::FromStr<Err: ToString>,
{
    value::<&str>(row, column)?.parse().map_err(StoreError::unreadable("access"))
}

fn sign_in_row(row: &SqliteRow) -> Result<SignInRow, StoreError> {
    let reason = value::<Option<&str>>(row, "end_reason")?;
    let reason = reason.map(|name| named(EndReason::ALL, EndReason::as_str, name)).transpose()?;
    let ended_at_ms = value::<Option<i64>>(row, "ended_at_ms")?;
    Ok(SignInRow {
        sign_in_id: parsed(row, "sign_in_id")?,
        device_id: parsed(row, "device_id")?,
        method: named(Method::ALL, Method::as_str, value(row, "method")?)?,
        began_at_ms: value(row, "began_at_ms")?,
        refreshed_at_ms: value(row, "refreshed_at_ms")?,
        ended: reason.zip(ended_at_ms),
    })
}

fn device_row(row: &SqliteRow) -> Result<DeviceRow, StoreError> {
    Ok(DeviceRow {
        device_id: parsed(row, "device_id")?,
        name: value(row, "name")?,
        kind: named(DeviceKind::ALL, DeviceKind::as_str, value(row, "kind")?)?,
        registered_at_ms: value(row, "registered_at_ms")?,
    })
}

/// Every statement of this file, for the test that prepares them all.
#[cfg(test)]
pub(super) fn statements() -> Vec<String> {
    [ACCOUNT, IS_ERASED, ERASED, SIGN_INS, DEVICES, DEVICE_CODE, DUE, SILENT]
        .map(str::to_owned)
        .into()
}
