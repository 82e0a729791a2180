//! Results on standard output: lines, JSON, tables.
//!
//! Writing fails when the reader has closed the pipe; the error goes up, and ends the program
//! quietly.

use std::fmt::Display;
use std::io::{self, BufWriter, Stdout, Write};

use serde::Serialize;

/// Standard output, buffered; call [`Output::flush`] when a reader should see what there is.
pub struct Output(BufWriter<Stdout>);

impl Output {
    /// Standard output of this process.
    #[must_use]
    pub fn stdout() -> Self {
        Self(BufWriter::with_capacity(64 << 10, io::stdout()))
    }

    /// Writes one line of text.
    ///
    /// # Errors
    /// Nobody reads any more, or the disk behind is full.
    pub fn line(&mut self, line: impl Display) -> io::Result<()> {
        writeln!(self.0, "{line}")
    }

    /// Writes one line of JSON.
    ///
    /// # Errors
    /// As [`Self::line`].
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.0, value)?;
        writeln!(self.0)
    }

    /// Hands over everything written so far.
    ///
    /// # Errors
    /// As [`Self::line`].
    pub fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Prints one result as JSON or as text.
///
/// # Errors
/// As [`Output::line`].
pub fn print(json: bool, value: &impl Serialize, text: impl FnOnce() -> String) -> io::Result<()> {
    let mut out = Output::stdout();
    if json {
        out.json(value)?;
    } else {
        out.line(text())?;
    }
    out.flush()
}

/// Rows under a heading, in aligned columns. Columns of numbers stand to the right.
#[must_use]
pub fn table(heading: &[&str], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = heading
        .iter()
        .enumerate()
        .map(|(column, name)| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).chain([name.len()]).max().unwrap_or(0)
        })
        .collect();
    let numeric: Vec<bool> = (0..heading.len())
        .map(|column| {
            let mut cells = rows.iter().filter_map(|row| row.get(column));
            cells.all(|cell| cell.chars().all(|c| c.is_ascii_digit() || c == ','))
        })
        .collect();
    let line = |cells: Vec<&str>| {
        let padded = cells.iter().zip(&widths).zip(&numeric).map(|((cell, width), numeric)| {
            if *numeric { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let rows = rows.iter().map(|row| line(row.iter().map(String::as_str).collect()));
    [line(heading.to_vec())].into_iter().chain(rows).collect::<Vec<_>>().join("\n")
}

/// A count with commas: `36,273`.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count of things, whose plural ends in s: `1 error`, `2 errors`.
#[must_use]
pub fn counted(number: u64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", count(number))
}

/// How many there were per second, rounded down; over less than a millisecond, as over one.
#[must_use]
pub fn per_second(number: u64, elapsed_ms: u64) -> u64 {
    number.saturating_mul(1_000) / elapsed_ms.max(1)
}

/// Milliseconds as seconds with one decimal: `6.1 s`.
#[must_use]
pub fn seconds(elapsed_ms: u64) -> String {
    format!("{}.{} s", elapsed_ms / 1_000, elapsed_ms % 1_000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_to_the_right_and_names_to_the_left() {
        let rows =
            vec![vec!["title".to_owned(), "36,273".to_owned()], vec!["a".into(), "1".into()]];
        assert_eq!(
            table(&["category", "events"], &rows),
            "category  events\ntitle     36,273\na              1"
        );
    }

    #[test]
    fn counts_have_commas_and_times_one_decimal() {
        assert_eq!([count(0), count(999), count(36_273)], ["0", "999", "36,273"]);
        let errors = [0, 1, 1_000].map(|number| counted(number, "error"));
        assert_eq!(errors, ["0 errors", "1 error", "1,000 errors"]);
        assert_eq!(seconds(6_199), "6.1 s");
        assert_eq!(per_second(36_273, 6_000), 6_045);
    }
}
