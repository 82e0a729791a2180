//! The key file: one SQLite database, one connection.
//!
//! *Durable:* the journal is written ahead and synced with each commit, so a key that was answered
//! survives a power cut. *Forgetful:* erasing overwrites the key in its row (`secure_delete` is on
//! besides), empties the journal and syncs both. There is one connection, which locks the file for as
//! long as it is open: no reader can hold the journal back, and no other process keeps an erased key.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    Sqlite, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteLockingMode,
    SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Connection, Row};
use uuid::Uuid;

use crate::error::{VaultError, code};
use crate::master::{Master, Owner};
use crate::secret::Key;

/// How long opening waits for a process that still has the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// The version of the tables.
const FORMAT: i64 = 1;

const SCHEMA: &str = include_str!("schema.sql");
const TABLES: &str = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
const MAKE_HEADER: &str =
    "INSERT INTO vault (only_row, format, master_check, index_key) VALUES (1, $1, $2, $3)";
const HEADER: &str =
    "SELECT format, master_check, index_key, previous_check, previous_master FROM vault";
const FIND: &str = "SELECT subject, master, wrapped, erased FROM data_keys \
     WHERE subject IN (SELECT unhex(value) FROM json_each($1))";
const ADD: &str = "INSERT INTO data_keys (subject, master, wrapped, erased) VALUES ($1, $2, $3, 0)";
const ERASE: &str = "UPDATE data_keys SET master = zeroblob(16), wrapped = zeroblob(72), erased = 1 \
     WHERE subject = $1 AND erased = 0";
const ERASE_UNKNOWN: &str = "INSERT INTO data_keys (subject, master, wrapped, erased) \
     VALUES ($1, zeroblob(16), zeroblob(72), 1) ON CONFLICT (subject) DO NOTHING";
const EMPTY_JOURNAL: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

/// What the vault knows of a person.
#[derive(Debug, Clone)]
pub(crate) enum KeyState {
    /// Their key.
    Known(Arc<Key>),
    /// They were erased.
    Erased,
}

/// The row of the table `vault`.
pub(crate) struct Header {
    format: i64,
    pub(crate) check: Vec<u8>,
    pub(crate) index_key: Vec<u8>,
    previous_check: Option<Vec<u8>>,
    pub(crate) previous_master: Option<Vec<u8>>,
}

/// The key file and the master keys that open it.
#[derive(Debug)]
pub(crate) struct Keys {
    path: PathBuf,
    pool: SqlitePool,
    pub(crate) current: Master,
    /// The master key that the current one is replacing.
    pub(crate) previous: Option<Master>,
}

impl Keys {
    /// Opens the file, or makes a new one. Answers the key of blind indexes, too.
    pub(crate) async fn open(path: &Path, master: Master) -> Result<(Self, Key), VaultError> {
        make_private(path)?;
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options(path))
            .await
            .map_err(|source| opening(path, source))?;
        let mut keys = Self { path: path.to_owned(), pool, current: master, previous: None };
        match keys.unlock().await {
            Ok(index_key) => Ok((keys, index_key)),
            Err(error) => {
                keys.close().await;
                Err(error)
            }
        }
    }

    /// Checks the master key, and ends what the last process may have begun.
    async fn unlock(&mut self) -> Result<Key, VaultError> {
        let mut connection = self.connection().await?;
        create(&mut connection, &self.path, &self.current).await?;
        let header = header(&mut connection).await?;
        if header.format != FORMAT {
            let reason = format!("its format is {}, this program's {FORMAT}", header.format);
            return Err(VaultError::OtherFormat { path: self.path.clone(), reason });
        }
        if !self.current.fits(&header.check) {
            let is_previous = header.previous_check.is_some_and(|check| self.current.fits(&check));
            return Err(if is_previous {
                VaultError::MasterKeyReplaced { path: self.path.clone() }
            } else {
                VaultError::WrongMasterKey { path: self.path.clone() }
            });
        }
        self.previous =
            header.previous_master.map(|key| self.current.unwrap_previous(&key)).transpose()?;
        let index_key = self.current.unwrap(Owner::Index, &header.index_key)?;
        self.empty_journal(&mut connection).await?;
        Ok(index_key)
    }

    /// The connection. After an error it must be [given up](discard).
    pub(crate) async fn connection(&self) -> Result<PoolConnection<Sqlite>, VaultError> {
        self.pool.acquire().await.map_err(|source| opening(&self.path, source))
    }

    /// What is known of these persons; who is missing in the answer is unknown.
    pub(crate) async fn find(
        &self,
        subjects: &[Uuid],
    ) -> Result<Vec<(Uuid, KeyState)>, VaultError> {
        let ids: Vec<_> = subjects.iter().map(|id| id.simple().to_string()).collect();
        let ids = format!("[\"{}\"]", ids.join("\",\""));
        let mut connection = self.connection().await?;
        let rows = sqlx::query(FIND).bind(ids).fetch_all(&mut *connection).await;
        let rows = rows.map_err(VaultError::sql("finding keys"))?;
        rows.iter().map(|row| self.state(row)).collect()
    }

    fn state(&self, row: &SqliteRow) -> Result<(Uuid, KeyState), VaultError> {
        let failed = || VaultError::sql("reading a key");
        let subject: &[u8] = row.try_get("subject").map_err(failed())?;
        let subject = Uuid::from_slice(subject).map_err(|_| damaged("somebody"))?;
        if row.try_get::<bool, _>("erased").map_err(failed())? {
            return Ok((subject, KeyState::Erased));
        }
        let master: &[u8] = row.try_get("master").map_err(failed())?;
        let wrapped: &[u8] = row.try_get("wrapped").map_err(failed())?;
        let masters = [Some(&self.current), self.previous.as_ref()];
        let master = masters.into_iter().flatten().find(|known| known.id() == master);
        let master = master.ok_or_else(|| damaged(&subject.to_string()))?;
        let key = master.unwrap(Owner::Subject(&subject), wrapped)?;
        Ok((subject, KeyState::Known(Arc::new(key))))
    }

    /// Makes keys for persons who have none. They are on the disk when they are answered.
    pub(crate) async fn add(&self, subjects: &[Uuid]) -> Result<Vec<(Uuid, KeyState)>, VaultError> {
        let mut connection = self.connection().await?;
        match self.add_with(&mut connection, subjects).await {
            Ok(added) => Ok(added),
            Err(error) => Err(discard(connection, error).await),
        }
    }

    async fn add_with(
        &self,
        connection: &mut SqliteConnection,
        subjects: &[Uuid],
    ) -> Result<Vec<(Uuid, KeyState)>, VaultError> {
        let failed = || VaultError::sql("adding keys");
        let mut added = Vec::with_capacity(subjects.len());
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed())?;
        for subject in subjects {
            let key = Key::random()?;
            let wrapped = self.current.wrap(Owner::Subject(subject), &key)?;
            sqlx::query(ADD)
                .bind(subject.as_bytes().as_slice())
                .bind(self.current.id())
                .bind(wrapped)
                .execute(&mut *transaction)
                .await
                .map_err(failed())?;
            added.push((*subject, KeyState::Known(Arc::new(key))));
        }
        transaction.commit().await.map_err(failed())?;
        Ok(added)
    }

    /// Overwrites the key of a person for good; answers whether there was one.
    pub(crate) async fn erase(&self, subject: Uuid) -> Result<bool, VaultError> {
        let mut connection = self.connection().await?;
        match self.erase_with(&mut connection, subject).await {
            Ok(had_key) => Ok(had_key),
            Err(error) => Err(discard(connection, error).await),
        }
    }

    async fn erase_with(
        &self,
        connection: &mut SqliteConnection,
        subject: Uuid,
    ) -> Result<bool, VaultError> {
        let failed = || VaultError::sql("erasing a key");
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed())?;
        let id = subject.as_bytes().as_slice();
        let erased = sqlx::query(ERASE).bind(id).execute(&mut *transaction).await;
        let had_key = erased.map_err(failed())?.rows_affected() > 0;
        let marked = sqlx::query(ERASE_UNKNOWN).bind(id).execute(&mut *transaction).await;
        marked.map_err(failed())?;
        transaction.commit().await.map_err(failed())?;
        // Also when nothing changed: the process may have died right here the last time.
        self.empty_journal(connection).await?;
        Ok(had_key)
    }

    /// Moves everything from the journal into the file, syncs it, and leaves no byte in the journal.
    pub(crate) async fn empty_journal(
        &self,
        connection: &mut SqliteConnection,
    ) -> Result<(), VaultError> {
        let row = sqlx::query(EMPTY_JOURNAL).fetch_one(connection).await;
        let busy = row.and_then(|row| row.try_get::<bool, _>(0));
        if busy.map_err(VaultError::sql("emptying the journal"))? {
            return Err(VaultError::InUse { path: self.path.clone() });
        }
        // SQLite does not sync the journal when it cuts it. Unlike that of the database itself, its
        // file can be opened twice: SQLite's locks are not on it.
        let mut journal = self.path.clone().into_os_string();
        journal.push("-wal");
        let journal = PathBuf::from(journal);
        let file = tokio::fs::File::open(&journal).await.map_err(VaultError::io(&journal))?;
        file.sync_all().await.map_err(VaultError::io(&journal))
    }

    /// Closes the file; everything fails afterwards.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

/// Gives up the connection behind an error and passes the error on. Closing rolls back whatever is
/// left. SQLite rolls back by itself when the disk is full, of which sqlx learns nothing, so it would
/// begin no other transaction on the same connection.
pub(crate) async fn discard(connection: PoolConnection<Sqlite>, error: VaultError) -> VaultError {
    if let Err(closing) = connection.close().await {
        tracing::debug!(%closing, "closing the key file after an error");
    }
    error
}

/// Makes the file if it is missing, so that only its owner can read it; its journal takes that over.
fn make_private(path: &Path) -> Result<(), VaultError> {
    let mut options = OpenOptions::new();
    match options.write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(VaultError::io(path)(error))
        }
        _ => Ok(()),
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY_TIMEOUT)
        .locking_mode(SqliteLockingMode::Exclusive)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON")
        .pragma("temp_store", "MEMORY")
        .disable_statement_logging()
}

/// Makes the tables in an empty file.
async fn create(
    connection: &mut SqliteConnection,
    path: &Path,
    master: &Master,
) -> Result<(), VaultError> {
    let failed = |source| opening(path, source);
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    let tables: Vec<String> =
        sqlx::query_scalar(TABLES).fetch_all(&mut *transaction).await.map_err(failed)?;
    if tables.is_empty() {
        sqlx::raw_sql(SCHEMA).execute(&mut *transaction).await.map_err(failed)?;
        sqlx::query(MAKE_HEADER)
            .bind(FORMAT)
            .bind(master.check())
            .bind(master.wrap(Owner::Index, &Key::random()?)?)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
    } else if tables != ["data_keys", "vault"] {
        let reason = format!("its tables are {}", tables.join(", "));
        return Err(VaultError::OtherFormat { path: path.to_owned(), reason });
    }
    transaction.commit().await.map_err(failed)
}

/// Reads the row of the table `vault`.
pub(crate) async fn header(connection: &mut SqliteConnection) -> Result<Header, VaultError> {
    let read = async {
        let row = sqlx::query(HEADER).fetch_one(connection).await?;
        Ok(Header {
            format: row.try_get("format")?,
            check: row.try_get("master_check")?,
            index_key: row.try_get("index_key")?,
            previous_check: row.try_get("previous_check")?,
            previous_master: row.try_get("previous_master")?,
        })
    };
    read.await.map_err(VaultError::sql("reading the check of the master key"))
}

/// Busy (5), locked (6): somebody has it. Not a database (26).
fn opening(path: &Path, source: sqlx::Error) -> VaultError {
    match code(&source) {
        Some(5 | 6) => VaultError::InUse { path: path.to_owned() },
        Some(26) => {
            let reason = "it is not a SQLite database".to_owned();
            VaultError::OtherFormat { path: path.to_owned(), reason }
        }
        _ => VaultError::Sql { operation: "opening the key file", source },
    }
}

pub(crate) fn damaged(owner: &str) -> VaultError {
    VaultError::DamagedKey { owner: owner.to_owned() }
}

#[cfg(test)]
mod tests;
