//! Tables as tab-separated text: a heading, then one row a line, no quoting.

use std::str::FromStr;

use thiserror::Error;

/// The most rows of a table.
pub const ROWS_MAX: usize = 1_000_000;

/// What is wrong with a table, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}{}: {problem}", column.map(|name| format!(", column {name}")).unwrap_or_default())]
pub struct Flaw {
    /// Counted from 1; the heading is line 1.
    pub line: u64,
    /// The column as the heading calls it; `None` if it is about the whole line.
    pub column: Option<&'static str>,
    /// What is wrong.
    pub problem: String,
}

/// One row under its heading.
pub(super) struct Row<'a, const N: usize> {
    line: u64,
    columns: &'a [&'static str; N],
    cells: [&'a str; N],
}

impl<'a, const N: usize> Row<'a, N> {
    /// The line that it stands in, counted from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// The texts, in the order in which the columns were asked for.
    pub(super) fn cells(&self) -> [&'a str; N] {
        self.cells
    }

    /// The number in a cell.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn number<T: FromStr>(&self, column: usize, text: &str) -> Result<T, Flaw> {
        let problem = || format!("must be a whole number, not {text:?}");
        text.parse().map_err(|_| self.flaw(column, problem()))
    }

    /// Says what is wrong with a cell.
    pub(super) fn flaw(&self, column: usize, problem: String) -> Flaw {
        Flaw { line: self.line, column: self.columns.get(column).copied(), problem }
    }
}

/// Reads every row. The columns may stand in any order, and others beside them.
///
/// # Errors
/// A column is missing, a row has too few cells or there are too many rows; or what `read` says.
pub(super) fn read<const N: usize, T>(
    text: &str,
    columns: &[&'static str; N],
    read: impl Fn(&Row<'_, N>) -> Result<T, Flaw>,
) -> Result<Vec<T>, Flaw> {
    let mut lines = (1..).zip(text.trim_start_matches('\u{feff}').lines());
    let heading: Vec<&str> =
        lines.next().map(|(_, line)| line.split('\t')).into_iter().flatten().collect();
    let mut places = [0; N];
    for (place, name) in places.iter_mut().zip(columns) {
        let found = heading.iter().position(|cell| cell.trim() == *name);
        let problem = || format!("is missing from the heading {:?}", heading.join(" "));
        *place = found.ok_or_else(|| Flaw { line: 1, column: Some(*name), problem: problem() })?;
    }
    let mut rows = Vec::new();
    for (line, content) in lines.filter(|(_, content)| !content.is_empty()) {
        if rows.len() == ROWS_MAX {
            let problem = format!("there must be at most {ROWS_MAX} rows");
            return Err(Flaw { line, column: None, problem });
        }
        let cells: Vec<&str> = content.split('\t').collect();
        let mut row = Row { line, columns, cells: [""; N] };
        for ((cell, place), name) in row.cells.iter_mut().zip(places).zip(columns) {
            let missing = || Flaw { line, column: Some(*name), problem: "is missing".to_owned() };
            *cell = cells.get(place).copied().ok_or_else(missing)?;
        }
        rows.push(read(&row)?);
    }
    Ok(rows)
}
