//! A file that says more of titles that another one lists: read beside it, in the same order.

use std::path::Path;

use anyhow::Context as _;
use indicatif::ProgressBar;

use super::table::{Layout, Line, Row, Table};
use crate::import::Flaw;

/// The most lines that are read of one title; IMDb's longest have some hundreds.
const ROWS_MAX: usize = 10_000;

/// A file with any number of lines for each title.
pub(super) struct Side<const N: usize> {
    table: Table<N>,
    /// Whether the line that was read last is still to be looked at.
    ahead: bool,
    ended: bool,
    /// Lines of titles that were passed over.
    passed_over: u64,
}

impl<const N: usize> Side<N> {
    /// Opens a file.
    ///
    /// # Errors
    /// It cannot be read, or is another file.
    pub(super) fn open(path: &Path, layout: Layout<N>, bar: &ProgressBar) -> anyhow::Result<Self> {
        Ok(Self::new(Table::open(path, layout, bar)?))
    }

    pub(super) fn new(table: Table<N>) -> Self {
        Self { table, ahead: false, ended: false, passed_over: 0 }
    }

    /// Hands over the lines of a title, whose key must be behind those asked for before. What is
    /// broken is put to the flaws. Answers whether nothing was.
    ///
    /// # Errors
    /// The file cannot be read, or is not in order.
    pub(super) fn of(
        &mut self,
        key: &[u8],
        flaws: &mut Vec<Flaw>,
        mut take: impl FnMut(&Row<'_, N>) -> anyhow::Result<Result<(), Flaw>>,
    ) -> anyhow::Result<bool> {
        let before = flaws.len();
        let mut rows = 0_usize;
        while self.look(flaws)? && self.table.key() <= key {
            self.ahead = false;
            if self.table.key() < key {
                self.passed_over += 1;
                continue;
            }
            rows += 1;
            match self.table.row() {
                Ok(row) if rows == ROWS_MAX + 1 => {
                    let problem = format!("has more than {ROWS_MAX} lines; the rest is left out");
                    flaws.push(row.flaw(0, problem));
                }
                Ok(_) if rows > ROWS_MAX => {}
                Ok(row) => flaws.extend(take(&row)?.err()),
                Err(flaw) => flaws.push(flaw),
            }
        }
        Ok(flaws.len() == before)
    }

    /// Whether there is a line to be looked at.
    fn look(&mut self, flaws: &mut Vec<Flaw>) -> anyhow::Result<bool> {
        while !self.ahead && !self.ended {
            match self.table.advance()? {
                Line::Keyed => self.ahead = true,
                Line::Broken(flaw) => flaws.push(flaw),
                Line::End => self.ended = true,
            }
        }
        Ok(self.ahead)
    }

    /// Reads what is left, so that it is checked, and answers how many lines were about titles that
    /// were passed over.
    ///
    /// # Errors
    /// The file cannot be read, or is not in order.
    pub(super) fn finish(&mut self, flaws: &mut Vec<Flaw>) -> anyhow::Result<u64> {
        while self.look(flaws).context("behind the last title")? {
            self.ahead = false;
            self.passed_over += 1;
        }
        Ok(self.passed_over)
    }
}
