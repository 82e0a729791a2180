//! PostgreSQL with its full text search, and `pg_trgm` for what is misspelt.

#[path = "../../../../rivals/src/contestants/postgres/server.rs"]
#[expect(dead_code, reason = "of the bench of the log, nothing is killed here")]
mod server;

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Statement};

use self::server::Server;
use super::words::{Row, Tiers, Typed, behind};
use super::{Elsewhere, Engine};
use crate::films::Film;

pub(super) use self::server::version;

pub(super) const MANNER: &str = "the same folding and the same order of six questions, prepared; \
    GIN indexes over weighted `tsvector`s (configuration `simple`, the last word `:*`) and over \
    trigrams (`gin_trgm_ops`, similarity from 0.2, word similarity from 0.4: the best of ten tries); \
    `ts_rank` or similarity, and the logarithm of the popularity; 1 GB of shared buffers, one \
    connection over a socket, no parallel workers.";

const SCHEMA: &str = "
    CREATE EXTENSION pg_trgm;
    CREATE TABLE films (number int PRIMARY KEY, name text NOT NULL, squashed text NOT NULL,
        popularity real NOT NULL, title tsvector NOT NULL, words tsvector NOT NULL);";
const ADD: &str = "INSERT INTO films
    SELECT number, name, squashed, popularity, to_tsvector('simple', name),
        setweight(to_tsvector('simple', name), 'A') || setweight(to_tsvector('simple', people), 'B')
            || setweight(to_tsvector('simple', rest), 'C')
    FROM unnest($1::int[], $2::text[], $3::text[], $4::real[], $5::text[], $6::text[])
        AS film (number, name, squashed, popularity, people, rest)";
const FINISH: &str = "
    CREATE INDEX films_by_name ON films (name text_pattern_ops);
    CREATE INDEX films_by_squashed ON films (squashed text_pattern_ops);
    CREATE INDEX films_by_title ON films USING gin (title) WITH (fastupdate = off);
    CREATE INDEX films_by_word ON films USING gin (words) WITH (fastupdate = off);
    CREATE INDEX films_by_trigram ON films USING gin (name gin_trgm_ops) WITH (fastupdate = off);
    VACUUM ANALYZE films;
    CHECKPOINT;";
/// Without the log of the server, which it keeps as long as it likes.
const SIZE: &str = "SELECT pg_total_relation_size('films')";
const SESSION: &str = "SET max_parallel_workers_per_gather = 0; SET work_mem = '64MB';
    SET pg_trgm.similarity_threshold = 0.2; SET pg_trgm.word_similarity_threshold = 0.4;";

const WHOLE: &str =
    "SELECT number FROM films WHERE name = $1 ORDER BY popularity DESC, number LIMIT 10";
const BEGINS: &str = "SELECT number FROM films WHERE name ~>=~ $1 AND name ~<~ $2
    ORDER BY popularity DESC, number LIMIT 10";
const TITLE: &str = "SELECT number FROM films WHERE title @@ $1::text::tsquery
    ORDER BY ts_rank(title, $1::text::tsquery) + popularity DESC, number LIMIT 10";
const WORDS: &str = "SELECT number FROM films WHERE words @@ $1::text::tsquery
    ORDER BY 10 * ts_rank('{0, 0.33, 0.67, 1}', words, $1::text::tsquery) + popularity DESC, number
    LIMIT 10";
const JOINED: &str = "SELECT number FROM films WHERE squashed ~>=~ $1 AND squashed ~<~ $2
    ORDER BY squashed = $1 DESC, popularity DESC, number LIMIT 10";
const NEAR: &str = "SELECT number FROM films WHERE name % $1 OR $1 <% name
    ORDER BY similarity(name, $1) + word_similarity($1, name) + 0.02 * popularity DESC, number
    LIMIT 10";

/// Reads the files of a server that is not running, and starts it.
pub(super) struct Postgres {
    /// Before the server, so that it is gone when that stops.
    client: Client,
    statements: [Statement; 6],
    backend: i32,
    server: Server,
    runtime: Runtime,
}

pub(super) fn build(dir: &Path, films: &[Film]) -> Result<Elsewhere> {
    let since = Instant::now();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let server = Server::start(dir)?;
    let client = runtime.block_on(server.connected(|| connect(server.socket_dir())))?;
    let not_counted = since.elapsed().as_secs_f64();
    runtime.block_on(fill(&client, films))?;
    let backend: i32 = runtime.block_on(client.query_one("SELECT pg_backend_pid()", &[]))?.get(0);
    let cpu_seconds = cpu_seconds(backend)?;
    let bytes: i64 = runtime.block_on(client.query_one(SIZE, &[]))?.get(0);
    let since = Instant::now();
    drop(client);
    server.stop()?;
    let not_counted = not_counted + since.elapsed().as_secs_f64();
    Ok(Elsewhere { cpu_seconds, not_counted, disk_mb: Some(bytes as f64 / 1e6) })
}

async fn fill(client: &Client, films: &[Film]) -> Result<()> {
    client.batch_execute(SCHEMA).await?;
    let add = client.prepare(ADD).await?;
    client.batch_execute("BEGIN").await?;
    for some in films.chunks(1_000) {
        let rows: Vec<Row> = some.iter().map(Row::of).collect::<Result<_>>()?;
        let texts = |of: fn(&Row) -> String| rows.iter().map(of).collect::<Vec<_>>();
        let numbers: Vec<i32> = rows.iter().map(|row| row.number).collect();
        let (names, squashed) = (texts(|row| row.name.clone()), texts(|row| row.squashed.clone()));
        #[expect(clippy::cast_possible_truncation, reason = "it orders, and is not counted with")]
        let popularity: Vec<f32> = rows.iter().map(|row| row.popularity as f32).collect();
        let people = texts(|row| row.people.clone());
        let rest = texts(|row| format!("{} {} {}", row.year, row.genres, row.synopsis));
        let given: [&(dyn ToSql + Sync); 6] =
            [&numbers, &names, &squashed, &popularity, &people, &rest];
        client.execute(&add, &given).await?;
    }
    client.batch_execute("COMMIT").await?;
    for statement in FINISH.split_terminator(';') {
        // One by one: VACUUM wants no transaction around it.
        client.batch_execute(statement).await?;
    }
    Ok(())
}

async fn connect(socket_dir: &Path) -> Result<Client> {
    let mut config = Config::new();
    config.host_path(socket_dir).user(server::USER).dbname("postgres");
    let (client, connection) = config.connect(NoTls).await?;
    // It ends with the client, or with an error that the client reports as well.
    tokio::spawn(async move { connection.await.ok() });
    Ok(client)
}

impl Postgres {
    pub(super) fn open(dir: &Path) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let server = Server::start(dir)?;
        let client = runtime.block_on(server.connected(|| connect(server.socket_dir())))?;
        let (statements, backend) = runtime.block_on(async {
            client.batch_execute(SESSION).await?;
            let mut statements = Vec::with_capacity(6);
            for sql in [WHOLE, BEGINS, TITLE, WORDS, JOINED, NEAR] {
                statements.push(client.prepare(sql).await?);
            }
            let backend: i32 = client.query_one("SELECT pg_backend_pid()", &[]).await?.get(0);
            anyhow::Ok((statements, backend))
        })?;
        let statements = <[Statement; 6]>::try_from(statements).ok().context("six statements")?;
        Ok(Self { client, statements, backend, server, runtime })
    }

    async fn tiers(&self, typed: &Typed) -> Result<Tiers> {
        let [whole, begins, title, words, joined, near] = &self.statements;
        let (name, all, squashed) = (typed.whole.trim_end(), all_words(typed), typed.squashed());
        let (name_end, squashed_end) = (behind(&typed.whole), behind(&squashed));
        let asked: [(&Statement, &[&(dyn ToSql + Sync)]); 6] = [
            (whole, &[&name]),
            (begins, &[&typed.whole, &name_end]),
            (title, &[&all]),
            (words, &[&all]),
            (joined, &[&squashed, &squashed_end]),
            (near, &[&name]),
        ];
        let mut tiers = Tiers::default();
        for (statement, given) in asked {
            if !tiers.full() {
                let rows = self.client.query(statement, given).await?;
                tiers.extend(rows.iter().map(|row| row.get::<_, i32>(0)));
            }
        }
        Ok(tiers)
    }
}

impl Engine for Postgres {
    fn find(&mut self, text: &str) -> Result<Vec<u32>> {
        let tiers = self.runtime.block_on(self.tiers(&Typed::new(text)))?;
        Ok(tiers.into_films())
    }

    fn server(&self) -> Option<u32> {
        Some(self.server.pid())
    }

    fn server_cpu_seconds(&self) -> Result<f64> {
        cpu_seconds(self.backend)
    }
}

/// All words, of which the last may go on, in the language of `tsquery`.
fn all_words(typed: &Typed) -> String {
    let quoted: Vec<String> = typed.words.iter().map(|word| format!("'{word}'")).collect();
    let open = if typed.open && !quoted.is_empty() { ":*" } else { "" };
    format!("{}{open}", quoted.join(" & "))
}

/// The processor time of the one process that works for a connection (`proc_pid_schedstat`).
fn cpu_seconds(backend: i32) -> Result<f64> {
    let path = format!("/proc/{backend}/schedstat");
    let text = fs::read_to_string(&path).with_context(|| path.clone())?;
    let nanos: f64 = text.split_whitespace().next().context(path)?.parse()?;
    Ok(nanos / 1e9)
}
