//! IMDb's files: one record a line, fields between tabs, `\N` for nothing, no quoting, ordered by
//! the first column. Read line by line.

use std::cmp::Ordering;
use std::io::{BufRead, Read};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use indicatif::ProgressBar;
use playhead_domain::InvalidValue;

use crate::failure::Advise;
use crate::import::Flaw;
use crate::import::files::{self, Input};

/// The longest line that is read. The longest of IMDb's have a few thousand bytes.
const LINE_BYTES_MAX: u64 = 1 << 20;

/// What a file is and which of its columns are read. It may have more, in any order, but the first is
/// the key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout<const N: usize> {
    /// Without the ending `.tsv`.
    pub(super) file: &'static str,
    /// What keys begin with.
    pub(super) prefix: &'static str,
    /// Whether two lines may have the same key.
    pub(super) repeats: bool,
    pub(super) columns: [&'static str; N],
}

/// An open file.
pub(super) struct Table<const N: usize> {
    input: Input,
    name: Arc<str>,
    layout: Layout<N>,
    /// Where the columns stand, and how many fields a line has.
    at: [usize; N],
    fields: usize,
    /// The line that was read last, without its end.
    line: Vec<u8>,
    number: u64,
    key: Vec<u8>,
}

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A line with a key, which is [`Table::key`].
    Keyed,
    /// A line that cannot be read.
    Broken(Flaw),
    /// There is none.
    End,
}

impl<const N: usize> Table<N> {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// It cannot be read, or is another file.
    pub(super) fn open(path: &Path, layout: Layout<N>, bar: &ProgressBar) -> anyhow::Result<Self> {
        Self::new(files::open(path, bar)?, path.to_string_lossy().into(), layout)
    }

    /// Reads the header.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(super) fn new(input: Input, name: Arc<str>, layout: Layout<N>) -> anyhow::Result<Self> {
        let (line, key) = (Vec::new(), Vec::new());
        let (at, fields, number) = ([0; N], 0, 0);
        let mut table = Self { input, name, layout, at, fields, line, number, key };
        table.read_line()?;
        let header = String::from_utf8_lossy(&table.line).into_owned();
        let names: Vec<&str> = header.split('\t').collect();
        table.fields = names.len();
        for (at, column) in table.at.iter_mut().zip(layout.columns) {
            let found = names.iter().position(|name| *name == column);
            *at =
                found.ok_or_else(|| anyhow!("{}:1: {column}: no such column", table.name)).advise(
                    || format!("{}.tsv must be as IMDb offers it, with its header", layout.file),
                )?;
        }
        if table.at.first() != Some(&0) {
            bail!("{}:1: the first column must be {}", table.name, layout.columns.join(", "));
        }
        Ok(table)
    }

    /// The key of the line that was read last.
    pub(super) fn key(&self) -> &[u8] {
        &self.key
    }

    /// Reads the next line that is not empty.
    ///
    /// # Errors
    /// The file cannot be read, or is not in order.
    pub(super) fn advance(&mut self) -> anyhow::Result<Line> {
        loop {
            if !self.read_line()? {
                return Ok(Line::End);
            }
            if !self.line.is_empty() {
                break;
            }
        }
        let key = self.line.split(|byte| *byte == b'\t').next().unwrap_or_default();
        let digits = key.strip_prefix(self.layout.prefix.as_bytes()).unwrap_or_default();
        if digits.is_empty() || digits.len() > 15 || !digits.iter().all(u8::is_ascii_digit) {
            let rule = format!("must be {} and digits", self.layout.prefix);
            return Ok(Line::Broken(self.flaw(Some(0), rule)));
        }
        match key.cmp(self.key.as_slice()) {
            Ordering::Less => return Err(self.disorder(key)),
            Ordering::Equal if !self.layout.repeats => {
                return Ok(Line::Broken(self.flaw(Some(0), "is there a second time".to_owned())));
            }
            Ordering::Equal | Ordering::Greater => {}
        }
        self.key.clear();
        self.key.extend_from_slice(self.line.get(..key.len()).unwrap_or_default());
        Ok(Line::Keyed)
    }

    fn disorder(&self, key: &[u8]) -> anyhow::Error {
        let [key, before] = [key, &self.key].map(String::from_utf8_lossy);
        let problem = format!("{key} must not stand behind {before}: the file is not in order");
        let file = self.layout.file;
        let sorted: anyhow::Result<()> = Err(self.flaw(Some(0), problem)).advise(|| {
            format!(
                "sort it by its first column: (head -1 {file}.tsv; tail -n +2 {file}.tsv | LC_ALL=C \
                 sort -s -t \"$(printf '\\t')\" -k1,1) > sorted; what was imported so far stays"
            )
        });
        sorted.err().unwrap_or_else(|| anyhow!("not in order"))
    }

    /// Whether there was one.
    fn read_line(&mut self) -> anyhow::Result<bool> {
        self.line.clear();
        self.number += 1;
        let context = || format!("reading {} failed", self.name);
        let mut input = self.input.by_ref().take(LINE_BYTES_MAX);
        let read = input.read_until(b'\n', &mut self.line).with_context(context)?;
        if self.line.pop_if(|byte| *byte == b'\n').is_some() {
            self.line.pop_if(|byte| *byte == b'\r');
        } else if u64::try_from(read).is_ok_and(|read| read == LINE_BYTES_MAX) {
            bail!("{}:{}: the line is longer than {LINE_BYTES_MAX} bytes", self.name, self.number);
        }
        Ok(read > 0)
    }

    /// The fields of the line that was read last.
    ///
    /// # Errors
    /// They are too few, too many, or no text.
    pub(super) fn row(&self) -> Result<Row<'_, N>, Flaw> {
        let Ok(line) = std::str::from_utf8(&self.line) else {
            return Err(self.flaw(None, "is not UTF-8".to_owned()));
        };
        let mut texts = [None; N];
        let mut found = 0;
        for field in line.split('\t') {
            if let Some(column) = self.at.iter().position(|at| *at == found)
                && let Some(text) = texts.get_mut(column)
            {
                *text = Some(field).filter(|field| *field != "\\N");
            }
            found += 1;
        }
        if found != self.fields {
            let problem = format!("{found} fields where the header has {}", self.fields);
            return Err(self.flaw(None, problem));
        }
        Ok(Row { texts, table: self })
    }

    fn flaw(&self, column: Option<usize>, problem: String) -> Flaw {
        let field = column.and_then(|column| self.layout.columns.get(column));
        Flaw {
            file: Arc::clone(&self.name),
            line: self.number,
            column: None,
            field: field.map(|field| (*field).to_owned()),
            problem,
        }
    }
}

/// One record.
pub(super) struct Row<'a, const N: usize> {
    texts: [Option<&'a str>; N],
    table: &'a Table<N>,
}

impl<'a, const N: usize> Row<'a, N> {
    /// The columns in the order of the layout.
    pub(super) fn texts(&self) -> [Option<&'a str>; N] {
        self.texts
    }

    /// Where it stands.
    pub(super) fn place(&self) -> (Arc<str>, u64) {
        (Arc::clone(&self.table.name), self.table.number)
    }

    /// A column that must not be empty.
    pub(super) fn needed(&self, column: usize) -> Result<&'a str, Flaw> {
        let text = self.texts.get(column).copied().flatten();
        text.ok_or_else(|| self.table.flaw(Some(column), "is missing".to_owned()))
    }

    /// A column that is a number, if it is there.
    pub(super) fn number<T: FromStr>(&self, column: usize) -> Result<Option<T>, Flaw> {
        let text = self.texts.get(column).copied().flatten();
        let number = |text: &str| {
            text.parse().map_err(|_| self.flaw(column, format!("{text:?} is no number")))
        };
        text.map(number).transpose()
    }

    /// Something that is wrong with a column.
    pub(super) fn flaw(&self, column: usize, problem: impl Into<String>) -> Flaw {
        self.table.flaw(Some(column), problem.into())
    }

    /// A value of a column that breaks a rule.
    pub(super) fn invalid(&self, column: usize, invalid: InvalidValue) -> Flaw {
        self.flaw(column, format!("must be {}", invalid.rule))
    }
}

#[cfg(test)]
mod tests;
