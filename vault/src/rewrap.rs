//! Another master key.
//!
//! The first step, one transaction, makes the new master key the one that opens the file, and keeps the
//! old one wrapped under it. From then on the file needs the new key only; keys that are still wrapped
//! under the old one are found by the name they carry. They are moved in small steps, between which the
//! vault goes on working. The last step forgets the old master key. A crash at any point leaves a file
//! that opens with the new key, or, before the first step, with the old one, and rewrapping again goes
//! on where it was.

use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Row};
use uuid::Uuid;

use crate::error::VaultError;
use crate::keys::{Keys, damaged, discard, header};
use crate::master::{Master, Owner};

/// How many keys a step moves: a few milliseconds in which nobody else can use the file.
const STEP_KEYS: i64 = 256;

const REPLACE: &str = "UPDATE vault SET master_check = $1, index_key = $2, previous_check = $3, \
     previous_master = $4";
const REMAINING: &str = "SELECT id, subject, wrapped FROM data_keys \
     WHERE id > $1 AND master = $2 AND erased = 0 ORDER BY id LIMIT $3";
const MOVE: &str = "UPDATE data_keys SET master = $1, wrapped = $2 WHERE id = $3";
const FORGET: &str = "UPDATE vault SET previous_check = NULL, previous_master = NULL \
     WHERE NOT EXISTS (SELECT 1 FROM data_keys WHERE master = $1 AND erased = 0)";

/// What a step has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// So many keys were moved, the last of them in this row. There may be more.
    Moved { keys: u64, last: i64 },
    /// All keys are moved; the old master key is forgotten.
    Done,
}

impl Keys {
    /// Makes a master key the one that opens the file. Nothing happens if it is already.
    ///
    /// # Errors
    /// Another master key is still being replaced, or the file cannot be written.
    pub(crate) async fn replace_master(&mut self, new: &Master) -> Result<(), VaultError> {
        let mut connection = self.connection().await?;
        match self.replace_master_with(&mut connection, new).await {
            Ok(previous) => {
                self.previous = previous;
                self.current = new.clone();
                Ok(())
            }
            Err(error) => Err(discard(connection, error).await),
        }
    }

    /// Answers what the new one is replacing.
    async fn replace_master_with(
        &self,
        connection: &mut SqliteConnection,
        new: &Master,
    ) -> Result<Option<Master>, VaultError> {
        let failed = || VaultError::sql("replacing the master key");
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed())?;
        // The file decides, not what we remember: a commit may have failed and yet have happened.
        let header = header(&mut transaction).await?;
        if new.fits(&header.check) {
            let previous = header.previous_master;
            return previous.map(|wrapped| new.unwrap_previous(&wrapped)).transpose();
        }
        if !self.current.fits(&header.check) || header.previous_master.is_some() {
            return Err(damaged("the master key"));
        }
        let index_key = self.current.unwrap(Owner::Index, &header.index_key)?;
        sqlx::query(REPLACE)
            .bind(new.check())
            .bind(new.wrap(Owner::Index, &index_key)?)
            .bind(self.current.check())
            .bind(new.wrap_previous(&self.current)?)
            .execute(&mut *transaction)
            .await
            .map_err(failed())?;
        transaction.commit().await.map_err(failed())?;
        Ok(Some(self.current.clone()))
    }

    /// Moves some of the keys behind a row to the current master key, or forgets the previous one
    /// when there are none.
    pub(crate) async fn rewrap_step(&mut self, after: i64) -> Result<Step, VaultError> {
        let Some(previous) = self.previous.clone() else { return Ok(Step::Done) };
        let mut connection = self.connection().await?;
        match self.rewrap_step_with(&mut connection, &previous, after).await {
            Ok(step) => {
                if step == Step::Done {
                    self.previous = None;
                }
                Ok(step)
            }
            Err(error) => Err(discard(connection, error).await),
        }
    }

    async fn rewrap_step_with(
        &self,
        connection: &mut SqliteConnection,
        previous: &Master,
        after: i64,
    ) -> Result<Step, VaultError> {
        let failed = || VaultError::sql("rewrapping keys");
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed())?;
        let rows = sqlx::query(REMAINING).bind(after).bind(previous.id()).bind(STEP_KEYS);
        let rows = rows.fetch_all(&mut *transaction).await.map_err(failed())?;
        let (mut keys, mut last) = (0_u64, 0);
        for row in rows {
            let id: i64 = row.try_get("id").map_err(failed())?;
            let subject: &[u8] = row.try_get("subject").map_err(failed())?;
            let subject = Uuid::from_slice(subject).map_err(|_| damaged("somebody"))?;
            let owner = Owner::Subject(&subject);
            let key = previous.unwrap(owner, row.try_get("wrapped").map_err(failed())?)?;
            sqlx::query(MOVE)
                .bind(self.current.id())
                .bind(self.current.wrap(owner, &key)?)
                .bind(id)
                .execute(&mut *transaction)
                .await
                .map_err(failed())?;
            (keys, last) = (keys.saturating_add(1), id);
        }
        if keys > 0 {
            transaction.commit().await.map_err(failed())?;
            return Ok(Step::Moved { keys, last });
        }
        let forgotten = sqlx::query(FORGET).bind(previous.id()).execute(&mut *transaction).await;
        let is_done = forgotten.map_err(failed())?.rows_affected() > 0;
        transaction.commit().await.map_err(failed())?;
        if !is_done {
            return Ok(Step::Moved { keys: 0, last: 0 });
        }
        self.empty_journal(connection).await?;
        Ok(Step::Done)
    }
}

#[cfg(test)]
mod tests;
