//! SQLite in WAL mode, behind one thread that puts everything that waits in one transaction.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use anyhow::{Context as _, Result, anyhow};
use async_trait::async_trait;
use rusqlite::{Connection, Row, Transaction, params};
use tokio::sync::{mpsc, oneshot};
use tokio::task;

use crate::event::{self, EVENT_TYPE, PAYLOADS};
use crate::log::{Append, Log, Outcome, Seen};

pub(super) const MANNER: &str = "rusqlite, WAL, `synchronous=FULL`, cache of 256 MB, checkpoint \
    every 64 MiB; one table with a unique index on stream and version; a writer thread puts what \
    waits in one transaction and checks each stream's version in it. Ids are not checked. One \
    fdatasync of the WAL per transaction, and two more (WAL and database) per checkpoint.";

const SETTINGS: &str = "
    PRAGMA page_size = 8192;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 8192;
    PRAGMA cache_size = -262144;
    PRAGMA temp_store = MEMORY;
    CREATE TABLE IF NOT EXISTS events (
        position INTEGER PRIMARY KEY,
        stream TEXT NOT NULL,
        version INTEGER NOT NULL,
        id BLOB NOT NULL,
        type TEXT NOT NULL,
        data BLOB NOT NULL
    );
    CREATE UNIQUE INDEX IF NOT EXISTS events_of_stream ON events (stream, version);";
const LEN: &str = "SELECT version FROM events WHERE stream = ?1 ORDER BY version DESC LIMIT 1";
const INSERT: &str =
    "INSERT INTO events (stream, version, id, type, data) VALUES (?1, ?2, ?3, ?4, ?5)";
const SCAN: &str = "SELECT stream, version, id, type, data FROM events ORDER BY position";
const READ: &str =
    "SELECT stream, version, id, type, data FROM events WHERE stream = ?1 ORDER BY version";
const GROUP_EVENTS: usize = 32_768;
const QUEUE_APPENDS: usize = 4_096;

type Answer = oneshot::Sender<Result<Outcome>>;

pub(super) struct Sqlite {
    reader: Arc<Mutex<Connection>>,
    queue: Mutex<Option<mpsc::Sender<(Append, Answer)>>>,
    writer: Mutex<Option<JoinHandle<Result<()>>>>,
}

impl Sqlite {
    pub(super) fn open(dir: &Path) -> Result<Self> {
        let path = dir.join("events.sqlite");
        let mut connection = connect(&path)?;
        let (queue, mut requests) = mpsc::channel(QUEUE_APPENDS);
        let writer = thread::Builder::new().name("sqlite-writer".to_owned()).spawn(move || {
            while let Some(first) = requests.blocking_recv() {
                commit(&mut connection, first, &mut requests)?;
            }
            connection.close().map_err(|(_, error)| error.into())
        })?;
        let (queue, writer) = (Mutex::new(Some(queue)), Mutex::new(Some(writer)));
        Ok(Self { reader: Arc::new(Mutex::new(connect(&path)?)), queue, writer })
    }

    async fn count(&self, sql: &'static str, stream: Option<String>) -> Result<Seen> {
        let reader = Arc::clone(&self.reader);
        let read = task::spawn_blocking(move || {
            let connection = reader.lock().map_err(|_| anyhow!("a reader panicked"))?;
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query(rusqlite::params_from_iter(stream))?;
            let mut seen = Seen::default();
            while let Some(row) = rows.next()? {
                seen.event(decoded(row)?);
            }
            Ok(seen)
        });
        read.await?
    }
}

#[async_trait]
impl Log for Sqlite {
    async fn append(&self, append: Append) -> Result<Outcome> {
        let queue = self.queue.lock().ok().and_then(|slot| slot.clone()).context("closed")?;
        let (answer, answered) = oneshot::channel();
        queue.send((append, answer)).await.map_err(|_| anyhow!("the writer ended"))?;
        answered.await.context("the writer ended")?
    }

    async fn scan(&self) -> Result<Seen> {
        self.count(SCAN, None).await
    }

    async fn read(&self, stream: u64) -> Result<Seen> {
        self.count(READ, Some(event::stream_name(stream))).await
    }

    async fn close(&self) -> Result<()> {
        drop(self.queue.lock().ok().and_then(|mut slot| slot.take()));
        let writer = self.writer.lock().ok().and_then(|mut slot| slot.take());
        let writer = writer.context("closed twice")?;
        let joined = task::spawn_blocking(move || writer.join()).await?;
        joined.map_err(|_| anyhow!("the writer panicked"))?
    }
}

fn connect(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.execute_batch(SETTINGS)?;
    Ok(connection)
}

/// One transaction for the first request and all that wait behind it.
fn commit(
    connection: &mut Connection,
    first: (Append, Answer),
    requests: &mut mpsc::Receiver<(Append, Answer)>,
) -> Result<()> {
    let transaction = connection.transaction()?;
    let mut events = first.0.events;
    let mut answers = vec![(record(&transaction, first.0)?, first.1)];
    while events < GROUP_EVENTS {
        let Ok((append, answer)) = requests.try_recv() else { break };
        events += append.events;
        answers.push((record(&transaction, append)?, answer));
    }
    transaction.commit()?;
    for (outcome, answer) in answers {
        // A writer that gave up needs no answer.
        let _given_up = answer.send(Ok(outcome));
    }
    Ok(())
}

fn record(transaction: &Transaction<'_>, append: Append) -> Result<Outcome> {
    let name = event::stream_name(append.stream);
    let last = transaction
        .prepare_cached(LEN)?
        .query_map([&name], |row| row.get::<_, i64>(0))?
        .next()
        .transpose()?;
    let len = last.map_or(0, |version| version + 1);
    if i64::try_from(append.tip)? != len {
        return Ok(Outcome::Conflict);
    }
    let mut insert = transaction.prepare_cached(INSERT)?;
    let mut version = len;
    for id in event::ids(append.events) {
        let data = PAYLOADS.of(id);
        insert.execute(params![name, version, id.as_bytes(), EVENT_TYPE, &data[..]])?;
        version += 1;
    }
    Ok(Outcome::Done(u64::try_from(version)?))
}

/// The bytes of an event, after all its columns were looked at.
fn decoded(row: &Row<'_>) -> Result<usize> {
    let stream = row.get_ref(0)?.as_str()?.len();
    let _version: i64 = row.get(1)?;
    let id = row.get_ref(2)?.as_blob()?.len();
    let event_type = row.get_ref(3)?.as_str()?.len();
    Ok(stream + id + event_type + row.get_ref(4)?.as_blob()?.len())
}
