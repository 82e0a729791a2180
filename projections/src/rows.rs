//! Statements over many rows at once.
//!
//! One statement through sqlx costs tens of microseconds, so rows travel together. Placeholders are
//! `?` here, unlike elsewhere: SQLite looks up named ones (`$1`) by a linear search, both when it
//! parses and for each value bound, so that a statement with thousands of them costs milliseconds.

use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Sqlite};

/// A query under construction.
pub(crate) type Bound<'q> = Query<'q, Sqlite, SqliteArguments>;

/// Few sizes, so that prepared statements are found again; the largest keeps the number of values
/// far below SQLite's 32,766.
const CHUNKS: [usize; 3] = [256, 16, 1];

/// A statement with a list of rows in its middle: `head VALUES (?, ?), (?, ?) tail`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement {
    /// Everything before `VALUES`.
    pub(crate) head: &'static str,
    /// How many values a row has.
    pub(crate) columns: usize,
    /// Everything behind the rows.
    pub(crate) tail: &'static str,
}

impl Statement {
    /// The text for so many rows.
    pub(crate) fn text(&self, rows: usize) -> String {
        let row = format!("({})", list("?", self.columns));
        format!("{} VALUES {} {}", self.head, list(&row, rows), self.tail)
    }

    /// Runs it over all rows.
    pub(crate) async fn execute<R>(
        &self,
        connection: &mut SqliteConnection,
        rows: &[R],
        bind: impl for<'q> Fn(Bound<'q>, &R) -> Bound<'q>,
    ) -> Result<(), sqlx::Error> {
        for chunk in chunks(rows) {
            let query = sqlx::query(AssertSqlSafe(self.text(chunk.len())));
            chunk.iter().fold(query, &bind).execute(&mut *connection).await?;
        }
        Ok(())
    }

    /// Runs it over all keys and collects what it answers.
    pub(crate) async fn fetch<R>(
        &self,
        connection: &mut SqliteConnection,
        keys: &[R],
        bind: impl for<'q> Fn(Bound<'q>, &R) -> Bound<'q>,
    ) -> Result<Vec<SqliteRow>, sqlx::Error> {
        let mut rows = Vec::new();
        for chunk in chunks(keys) {
            let query = sqlx::query(AssertSqlSafe(self.text(chunk.len())));
            rows.extend(chunk.iter().fold(query, &bind).fetch_all(&mut *connection).await?);
        }
        Ok(rows)
    }
}

fn list(item: &str, times: usize) -> String {
    let mut list = format!("{item}, ").repeat(times);
    list.truncate(list.len().saturating_sub(2));
    list
}

fn chunks<R>(rows: &[R]) -> impl Iterator<Item = &[R]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let size = CHUNKS.into_iter().find(|size| *size <= rest.len())?;
        let (chunk, behind) = rest.split_at_checked(size)?;
        rest = behind;
        Some(chunk)
    })
}

/// A number as SQL keeps it. What is too large becomes the largest there is.
pub(crate) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number that SQL kept; never negative.
pub(crate) fn natural(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_travel_in_few_sizes_and_none_is_lost() {
        let rows: Vec<u32> = (0..300).collect();
        let sizes: Vec<_> = chunks(&rows).map(<[u32]>::len).collect();
        assert_eq!(sizes, [vec![256], vec![16; 2], vec![1; 12]].concat());
        assert_eq!(chunks(&rows).flatten().copied().collect::<Vec<_>>(), rows);
    }

    #[test]
    fn a_statement_repeats_its_row() {
        let statement = Statement { head: "INSERT INTO t", columns: 2, tail: "ON CONFLICT" };
        assert_eq!(statement.text(2), "INSERT INTO t VALUES (?, ?), (?, ?) ON CONFLICT");
    }
}
