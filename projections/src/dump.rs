//! The content of a store, row by row in an order of its own: for comparing stores and hashing them.

use std::path::Path;

use futures::StreamExt;
use futures::stream::BoxStream;
use serde::Serialize;
use sqlx::ConnectOptions;
use sqlx::sqlite::{
    SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteValueRef,
};
use sqlx::{AssertSqlSafe, Decode, Row, Sqlite, TypeInfo, ValueRef};

use crate::bookkeeping;
use crate::error::StoreError;

/// A store opened to read all of it.
#[derive(Debug)]
pub struct Dump {
    pool: SqlitePool,
}

/// A table of content; a store's bookkeeping is not content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns, those of the primary key first.
    pub columns: Vec<String>,
    /// How many columns the primary key has.
    pub key_columns: usize,
}

/// One value. Ordered as SQLite orders keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A number, a time, a truth value.
    Integer(i64),
    /// A name, an id, JSON.
    Text(String),
}

const TABLES: &str = "SELECT name FROM sqlite_master \
     WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name";
const COLUMNS: &str = "SELECT name, pk FROM pragma_table_info($1) ORDER BY pk = 0, pk, cid";

impl Dump {
    /// Opens a store for reading.
    ///
    /// # Errors
    /// There is no store at the path, or it cannot be read.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .row_buffer_size(1_000)
            .pragma("query_only", "1")
            // Reading whole tables is slow on purpose.
            .disable_statement_logging();
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options)
            .await
            .map_err(StoreError::sql("opening a store to read it"))?;
        Ok(Self { pool })
    }

    /// The tables, ordered by name.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn tables(&self) -> Result<Vec<Table>, StoreError> {
        let failed = || StoreError::sql("reading a schema");
        let names: Vec<String> =
            sqlx::query_scalar(TABLES).fetch_all(&self.pool).await.map_err(failed())?;
        let mut tables = Vec::new();
        for name in names.into_iter().filter(|name| !is_bookkeeping(name)) {
            let columns: Vec<(String, i64)> =
                sqlx::query_as(COLUMNS).bind(&name).fetch_all(&self.pool).await.map_err(failed())?;
            let key_columns = columns.iter().filter(|(_, place)| *place > 0).count();
            let columns = columns.into_iter().map(|(name, _)| name).collect();
            tables.push(Table { name, columns, key_columns });
        }
        Ok(tables)
    }

    /// Every row of a table in the order of its primary key, as [`Table::columns`] says. Holds one
    /// page of rows in memory.
    pub fn rows<'a>(&'a self, table: &'a Table) -> BoxStream<'a, Result<Vec<Cell>, StoreError>> {
        let quoted = |names: &[String]| -> String {
            names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
        };
        let key = quoted(table.columns.get(..table.key_columns).unwrap_or_default());
        let columns = quoted(&table.columns);
        let text = format!("SELECT {columns} FROM \"{}\" ORDER BY {key}", table.name);
        let rows = sqlx::query(AssertSqlSafe(text)).fetch(&self.pool);
        rows.map(|row| cells(&row.map_err(StoreError::sql("reading a table"))?, table)).boxed()
    }

    /// The whole content as text, one line for each row. For small stores.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn lines(&self) -> Result<Vec<String>, StoreError> {
        let mut lines = Vec::new();
        for table in self.tables().await? {
            let mut rows = self.rows(&table);
            while let Some(row) = rows.next().await {
                lines.push(format!("{} {}", table.name, line(&row?)?));
            }
        }
        Ok(lines)
    }

    /// Closes the store.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// A row as a JSON array: the form in which rows are hashed and shown.
///
/// # Errors
/// Never, for the cells that there are.
pub fn line(row: &[Cell]) -> Result<String, StoreError> {
    serde_json::to_string(row).map_err(StoreError::unreadable("a row"))
}

fn is_bookkeeping(table: &str) -> bool {
    bookkeeping::TABLES.contains(&table)
}

fn cells(row: &SqliteRow, table: &Table) -> Result<Vec<Cell>, StoreError> {
    (0..table.columns.len())
        .map(|column| {
            let value = row.try_get_raw(column).map_err(StoreError::unreadable(&table.name))?;
            cell(value).map_err(StoreError::unreadable(&table.name))
        })
        .collect()
}

fn cell(value: SqliteValueRef<'_>) -> Result<Cell, sqlx::error::BoxDynError> {
    if value.is_null() {
        return Ok(Cell::Null);
    }
    let kind = value.type_info().name().to_owned();
    match kind.as_str() {
        "INTEGER" => <i64 as Decode<Sqlite>>::decode(value).map(Cell::Integer),
        "TEXT" => <String as Decode<Sqlite>>::decode(value).map(Cell::Text),
        other => Err(format!("a column holds {other}; stores hold integers and text").into()),
    }
}
