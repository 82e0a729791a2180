//! MovieLens's CSV files: a header, then rows whose errors name file and line.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Context, bail};
use csv::StringRecord;
use indicatif::ProgressBar;

use crate::import::Flaw;
use crate::import::files::{self, Input};

/// A CSV file with `N` known columns; more may follow.
pub(super) struct Table<const N: usize> {
    reader: csv::Reader<Input>,
    name: Arc<str>,
    columns: [&'static str; N],
}

/// One row.
pub(super) struct Row<const N: usize> {
    record: StringRecord,
    name: Arc<str>,
    columns: [&'static str; N],
}

impl<const N: usize> Table<N> {
    /// Opens a file and checks its header.
    pub(super) fn open(
        path: &Path,
        columns: [&'static str; N],
        bar: &ProgressBar,
    ) -> anyhow::Result<Self> {
        let name: Arc<str> = path.to_string_lossy().into();
        let context = || format!("reading {name} failed");
        let mut reader = csv::ReaderBuilder::new()
            // Some copies of the data set have white space behind numbers.
            .trim(csv::Trim::All)
            .from_reader(files::open(path, bar)?);
        let header = reader.headers().with_context(context)?;
        if !header.iter().zip(columns).all(|(found, known)| found == known) || header.len() < N {
            let found = header.iter().collect::<Vec<_>>().join(",");
            bail!("{name}:1: the header must begin with {}, not {found}", columns.join(","));
        }
        Ok(Self { reader, name, columns })
    }

    /// The next row, or what is wrong with it; `None` behind the last one.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn next_row(&mut self) -> anyhow::Result<Option<Result<Row<N>, Flaw>>> {
        let mut record = StringRecord::new();
        match self.reader.read_record(&mut record) {
            Ok(false) => Ok(None),
            Ok(true) => {
                let name = Arc::clone(&self.name);
                Ok(Some(Ok(Row { record, name, columns: self.columns })))
            }
            Err(error) if error.is_io_error() => {
                Err(error).with_context(|| format!("reading {} failed", self.name))
            }
            Err(error) => Ok(Some(Err(Flaw {
                file: Arc::clone(&self.name),
                line: error.position().map_or(1, csv::Position::line),
                column: None,
                field: None,
                problem: error.to_string(),
            }))),
        }
    }
}

impl<const N: usize> Row<N> {
    /// The texts of the known columns.
    pub(super) fn texts(&self) -> [&str; N] {
        std::array::from_fn(|column| self.record.get(column).unwrap_or_default())
    }

    /// Reads one column with a rule, ready to stand behind "must be".
    pub(super) fn parse<T: FromStr>(&self, column: usize, rule: &str) -> Result<T, Flaw> {
        let text = self.record.get(column).unwrap_or_default();
        text.parse().map_err(|_| self.flaw(column, rule))
    }

    /// A value that breaks a rule.
    pub(super) fn flaw(&self, column: usize, rule: &str) -> Flaw {
        let text = self.record.get(column).unwrap_or_default();
        Flaw {
            file: Arc::clone(&self.name),
            line: self.line(),
            column: None,
            field: self.columns.get(column).map(|name| (*name).to_owned()),
            problem: format!("must be {rule}, not {text:?}"),
        }
    }

    /// The line that the row begins at.
    pub(super) fn line(&self) -> u64 {
        self.record.position().map_or(1, csv::Position::line)
    }

    /// The file.
    pub(super) fn file(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }
}
