//! PostgreSQL with the table, the indexes and the conditional write of message-db.

mod server;

use std::ops::Range;
use std::path::Path;

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use tokio::sync::Mutex;
use tokio::task;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Row, Statement};
use uuid::Uuid;

use self::server::Server;
use crate::event::{self, EVENT_TYPE, PAYLOADS};
use crate::log::{Append, Log, Outcome, Seen};

pub(crate) use self::server::kill;
pub(super) use self::server::version;

pub(super) const MANNER: &str = "a private instance over its Unix socket, a connection per writer, \
    prepared calls; message-db's `messages` table, its three indexes and its `write_message`, \
    changed to take all events of an append in one call; \
    message-db locks a whole category until commit, so the streams are spread over 64 categories. \
    `fsync`, `full_page_writes` and `synchronous_commit` on, `wal_level=minimal`, 1 GB of shared \
    buffers, autovacuum off, no checkpoint before 16 GB of WAL. One fdatasync of the WAL per commit, \
    shared by commits that wait for it.";

const SCHEMA: &str = include_str!("message_db.sql");
const WRITE: &str = "SELECT message_store.write_messages($1, $2, $3, $4, $5)";
/// A category per partition of ours.
const CATEGORIES: u64 = 64;
const FILL: &str = "INSERT INTO message_store.messages (id, stream_name, position, type, data)
    SELECT given.id, given.stream_name, 0, $3, given.data::jsonb
    FROM unnest($1::uuid[], $2::text[], $4::text[]) AS given (id, stream_name, data)";
const SCAN: &str = "SELECT id, stream_name, type, position, global_position, data::text
    FROM message_store.messages ORDER BY global_position";
const READ: &str = "SELECT id, stream_name, type, position, global_position, data::text
    FROM message_store.messages WHERE stream_name = $1 ORDER BY position";
/// One for each of the most writers of a workload.
const CONNECTIONS: usize = 64;

pub(super) struct Postgres {
    server: Mutex<Option<Server>>,
    pid: u32,
    writers: Vec<(Client, Statement)>,
    reader: Client,
    scan: Statement,
    read: Statement,
}

impl Postgres {
    pub(super) async fn open(dir: &Path) -> Result<Self> {
        let owned = dir.to_owned();
        let server = task::spawn_blocking(move || Server::start(&owned)).await??;
        let reader = server.connected(|| connect(server.socket_dir())).await?;
        reader.batch_execute(SCHEMA).await.context("the schema of message-db")?;
        let mut writers = Vec::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            let client = connect(server.socket_dir()).await?;
            let write = client.prepare(WRITE).await?;
            writers.push((client, write));
        }
        let (scan, read) = (reader.prepare(SCAN).await?, reader.prepare(READ).await?);
        Ok(Self {
            pid: server.pid(),
            server: Mutex::new(Some(server)),
            writers,
            reader,
            scan,
            read,
        })
    }

    async fn count(&self, statement: &Statement, of: Option<String>) -> Result<Seen> {
        let rows = self.reader.query_raw(statement, of).await?;
        let count = |mut seen: Seen, row: Row| async move {
            seen.event(decoded(&row)?);
            Ok(seen)
        };
        rows.try_fold(Seen::default(), count).await.map_err(Into::into)
    }
}

#[async_trait]
impl Log for Postgres {
    async fn append(&self, append: Append) -> Result<Outcome> {
        let writer = self.writers.get(append.writer % CONNECTIONS).context("no connection")?;
        let (client, write) = writer;
        let ids: Vec<Uuid> = event::ids(append.events).collect();
        let payloads = payloads(&ids)?;
        let expected = i64::try_from(append.tip)? - 1;
        let name = stream_name(append.stream);
        let given: [&(dyn ToSql + Sync); 5] = [&name, &ids, &EVENT_TYPE, &payloads, &expected];
        match client.query_one(write, &given).await {
            Ok(row) => Ok(Outcome::Done(u64::try_from(row.try_get::<_, i64>(0)? + 1)?)),
            Err(error) => match error.as_db_error() {
                Some(told) if told.message().starts_with("Wrong expected version") => {
                    Ok(Outcome::Conflict)
                }
                _ => Err(error.into()),
            },
        }
    }

    async fn fill(&self, streams: Range<u64>) -> Result<Option<Vec<u64>>> {
        let names: Vec<String> = streams.map(stream_name).collect();
        let ids: Vec<Uuid> = event::ids(names.len()).collect();
        let payloads = payloads(&ids)?;
        let given: [&(dyn ToSql + Sync); 4] = [&ids, &names, &EVENT_TYPE, &payloads];
        self.reader.execute(FILL, &given).await?;
        Ok(Some(vec![1; names.len()]))
    }

    async fn scan(&self) -> Result<Seen> {
        self.count(&self.scan, None).await
    }

    async fn read(&self, stream: u64) -> Result<Seen> {
        self.count(&self.read, Some(stream_name(stream))).await
    }

    async fn close(&self) -> Result<()> {
        let server = self.server.lock().await.take().context("closed twice")?;
        task::spawn_blocking(move || server.stop()).await?
    }

    fn server(&self) -> Option<u32> {
        Some(self.pid)
    }
}

async fn connect(socket_dir: &Path) -> Result<Client> {
    let mut config = Config::new();
    config.host_path(socket_dir).user(server::USER).dbname("postgres");
    let (client, connection) = config.connect(NoTls).await?;
    // It ends with the client, or with an error that the client reports as well.
    tokio::spawn(async move { connection.await.ok() });
    Ok(client)
}

fn payloads(ids: &[Uuid]) -> Result<Vec<String>> {
    ids.iter().map(|id| Ok(String::from_utf8(PAYLOADS.of(*id).to_vec())?)).collect()
}

fn stream_name(stream: u64) -> String {
    let category = event::mixed(stream) % CATEGORIES;
    event::stream_name(stream).replace("playback", &format!("playback{category:02}"))
}

/// The bytes of an event, after all its columns were looked at.
fn decoded(row: &Row) -> Result<usize, tokio_postgres::Error> {
    let id: Uuid = row.try_get(0)?;
    let texts = row.try_get::<_, &str>(1)?.len() + row.try_get::<_, &str>(2)?.len();
    let _position: i64 = row.try_get(3)?;
    let _global_position: i64 = row.try_get(4)?;
    Ok(id.as_bytes().len() + texts + row.try_get::<_, &str>(5)?.len())
}
