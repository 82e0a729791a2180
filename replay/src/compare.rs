//! Compares the content of two stores, and hashes it, in one pass and bounded memory.

use std::collections::BTreeMap;
use std::path::Path;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use playhead_projections::StoreError;
use playhead_projections::dump::{Cell, Dump, Table, line};
use playhead_search::index::Snapshot;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// How many differing rows of each table are reported; all are counted.
const DIFFERENCES_MAX: usize = 5;

/// What two stores have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Every table of either store, ordered by name.
    pub tables: Vec<TableReport>,
    /// The number of rows of the right store.
    pub rows: u64,
    /// SHA-256 over the right store's tables and rows, in hexadecimal digits. Stores of the same
    /// content have the same hash, whatever made them.
    pub hash: String,
    /// Whether both stores have the same content.
    pub equal: bool,
}

/// One table of two stores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableReport {
    /// Its name.
    pub name: String,
    /// How many rows it has in the right store.
    pub rows: u64,
    /// How many keys have different rows, or a row on one side only.
    pub differing: u64,
    /// The first of them, at most five.
    pub differences: Vec<Difference>,
}

/// A key whose rows differ. Rows are JSON arrays, key columns first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The left store's row, if it has one.
    pub left: Option<String>,
    /// The right store's row, if it has one.
    pub right: Option<String>,
}

/// Compares the content of the stores at two paths; their bookkeeping may differ.
///
/// # Errors
/// A store cannot be read.
pub async fn compare(left: &Path, right: &Path) -> Result<Comparison, StoreError> {
    let (left, right) = (Dump::open(left).await?, Dump::open(right).await?);
    let comparison = compare_dumps(Some(&left), &right).await;
    left.close().await;
    right.close().await;
    comparison
}

/// Counts and hashes the content of one store. Nothing differs.
pub(crate) async fn describe(path: &Path) -> Result<Comparison, StoreError> {
    let dump = Dump::open(path).await?;
    let comparison = compare_dumps(None, &dump).await;
    dump.close().await;
    comparison
}

/// Compares the titles of two search indexes; without a left one, counts and hashes the right one.
/// Documents are compared as JSON, in the order of their ids. Blocks while it reads.
pub(crate) async fn compare_indexes(
    left: Option<&Snapshot>,
    right: &Snapshot,
) -> Result<Comparison, StoreError> {
    let table = Table {
        name: "documents".to_owned(),
        columns: vec!["title_id".to_owned(), "document".to_owned()],
        key_columns: 1,
    };
    let mut hash = Sha256::new();
    hash.update(heading(&table));
    let sides = Sides {
        left: Side::of_index(left),
        right: Side::of_index(Some(right)),
        key_columns: table.key_columns,
        compared: left.is_some(),
    };
    let report = sides.merge(&table.name, &mut hash).await?;
    Ok(Comparison {
        rows: report.rows,
        equal: report.differing == 0,
        tables: vec![report],
        hash: hex(&hash.finalize()),
    })
}

async fn compare_dumps(left: Option<&Dump>, right: &Dump) -> Result<Comparison, StoreError> {
    let mut tables: BTreeMap<String, (Option<Table>, Option<Table>)> = BTreeMap::new();
    if let Some(left) = left {
        for table in left.tables().await? {
            let entry = tables.entry(table.name.clone()).or_default();
            entry.0 = Some(table);
        }
    }
    for table in right.tables().await? {
        let entry = tables.entry(table.name.clone()).or_default();
        entry.1 = Some(table);
    }
    let mut hash = Sha256::new();
    let mut reports = Vec::new();
    for (name, (left_table, right_table)) in &tables {
        if let Some(table) = right_table {
            hash.update(heading(table));
        }
        let sides = Sides {
            left: Side::of(left, left_table.as_ref()),
            right: Side::of(Some(right), right_table.as_ref()),
            key_columns: right_table.as_ref().or(left_table.as_ref()).map_or(0, |t| t.key_columns),
            compared: left.is_some(),
        };
        reports.push(sides.merge(name, &mut hash).await?);
    }
    let same_tables = tables
        .values()
        .all(|(left_table, right_table)| left.is_none() || left_table == right_table);
    Ok(Comparison {
        rows: reports.iter().map(|report| report.rows).sum(),
        equal: same_tables && reports.iter().all(|report| report.differing == 0),
        tables: reports,
        hash: hex(&hash.finalize()),
    })
}

/// What of a table stands before its rows in a hash.
fn heading(table: &Table) -> String {
    format!("{} {}\n", table.name, table.columns.join(" "))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The rows of one table of one store, one at a time.
struct Side<'a> {
    rows: BoxStream<'a, Result<Vec<Cell>, StoreError>>,
    row: Option<Vec<Cell>>,
}

impl<'a> Side<'a> {
    fn of(dump: Option<&'a Dump>, table: Option<&'a Table>) -> Self {
        let rows = match dump.zip(table) {
            Some((dump, table)) => dump.rows(table),
            None => stream::empty().boxed(),
        };
        Self { rows, row: None }
    }

    fn of_index(snapshot: Option<&'a Snapshot>) -> Self {
        let cells = |line| {
            let (title_id, document): (playhead_domain::TitleId, String) = line?;
            Ok(vec![Cell::Text(title_id.to_string()), Cell::Text(document)])
        };
        let failed = |error: playhead_search::index::Error| {
            let operation = "reading a search index";
            StoreError::Index { operation, source: error.into() }
        };
        let lines = snapshot.into_iter().flat_map(Snapshot::lines);
        Self {
            rows: stream::iter(lines.map(cells).map(move |row| row.map_err(failed))).boxed(),
            row: None,
        }
    }

    async fn advance(&mut self) -> Result<(), StoreError> {
        self.row = self.rows.next().await.transpose()?;
        Ok(())
    }
}

struct Sides<'a> {
    left: Side<'a>,
    right: Side<'a>,
    key_columns: usize,
    compared: bool,
}

impl Sides<'_> {
    /// Walks both sides in key order, hashing the right one.
    async fn merge(mut self, name: &str, hash: &mut Sha256) -> Result<TableReport, StoreError> {
        let mut report =
            TableReport { name: name.to_owned(), rows: 0, differing: 0, differences: vec![] };
        self.left.advance().await?;
        self.right.advance().await?;
        loop {
            let (take_left, take_right) = match (&self.left.row, &self.right.row) {
                (None, None) => return Ok(report),
                (Some(_), None) => (true, false),
                (None, Some(_)) => (false, true),
                (Some(left), Some(right)) => {
                    let (left, right) = (self.key(left), self.key(right));
                    (left <= right, right <= left)
                }
            };
            let left = if take_left { self.left.row.take() } else { None };
            let right = if take_right { self.right.row.take() } else { None };
            if let Some(row) = &right {
                report.rows += 1;
                hash.update(line(row)?);
                hash.update("\n");
            }
            if self.compared && left != right {
                report.differing += 1;
                if report.differences.len() < DIFFERENCES_MAX {
                    report.differences.push(Difference {
                        left: left.as_deref().map(line).transpose()?,
                        right: right.as_deref().map(line).transpose()?,
                    });
                }
            }
            if take_left {
                self.left.advance().await?;
            }
            if take_right {
                self.right.advance().await?;
            }
        }
    }

    fn key<'r>(&self, row: &'r [Cell]) -> &'r [Cell] {
        row.get(..self.key_columns).unwrap_or(row)
    }
}
