//! What is told of the errors of an import: the first ones on standard error, all of them in a file.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context as _;
use indicatif::ProgressBar;

use super::{Flaw, Options};
use crate::failure::Advise;
use crate::progress;

/// How many errors are shown; the others are counted.
const SHOWN_MAX: u64 = 20;

/// The errors of one run.
pub(super) struct Errors {
    told: u64,
    max: Option<u64>,
    file: Option<Report>,
    bar: ProgressBar,
}

struct Report {
    name: String,
    file: BufWriter<File>,
    bytes: u64,
}

impl Errors {
    /// Begins to tell errors. The report keeps its first `kept_bytes`, which an earlier run wrote.
    ///
    /// # Errors
    /// The file of the report cannot be written.
    pub(super) fn begin(
        options: &Options,
        kept_bytes: u64,
        bar: &ProgressBar,
    ) -> anyhow::Result<Self> {
        let file = options.errors.as_deref().map(|path| Report::open(path, kept_bytes));
        let file = file.transpose()?;
        Ok(Self { told: 0, max: options.errors_max(), file, bar: bar.clone() })
    }

    /// Errors that are shown only.
    pub(super) fn shown(max: Option<u64>, bar: &ProgressBar) -> Self {
        Self { told: 0, max, file: None, bar: bar.clone() }
    }

    /// Tells an error. Answers whether it is one too many; then it is reported, but not shown, because
    /// whoever stops shows it.
    ///
    /// # Errors
    /// The report cannot be written.
    pub(super) fn tell(&mut self, flaw: &Flaw) -> anyhow::Result<bool> {
        self.told += 1;
        if let Some(report) = &mut self.file {
            report.write(flaw)?;
        }
        if self.max.is_some_and(|max| self.told > max) {
            return Ok(true);
        }
        if self.told <= SHOWN_MAX {
            progress::say(&self.bar, format_args!("error: {flaw}"));
        } else if self.told == SHOWN_MAX + 1 {
            let rest = match &self.file {
                Some(report) => format!("more errors are only in {}", report.name),
                None => "more errors are only counted; --errors FILE keeps them all".to_owned(),
            };
            progress::say(&self.bar, rest);
        }
        Ok(false)
    }

    /// How many more errors may be told; `None` for any number.
    pub(super) fn left(&self) -> Option<u64> {
        self.max.map(|max| max.saturating_sub(self.told))
    }

    /// Hands the report to the operating system, and answers how many bytes it has.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn flush(&mut self) -> anyhow::Result<u64> {
        let Some(report) = &mut self.file else { return Ok(0) };
        report.file.flush().with_context(|| format!("writing {} failed", report.name))?;
        Ok(report.bytes)
    }
}

impl Report {
    fn open(path: &Path, kept_bytes: u64) -> anyhow::Result<Self> {
        let name = path.display().to_string();
        let opened = || -> std::io::Result<(File, u64)> {
            let mut file = File::options().create(true).append(true).open(path)?;
            let bytes = file.metadata()?.len();
            // What is not of the same import is not kept.
            let kept = if bytes < kept_bytes { 0 } else { kept_bytes };
            file.set_len(kept)?;
            file.flush()?;
            Ok((file, kept))
        };
        let (file, bytes) = opened()
            .with_context(|| format!("opening {name} failed"))
            .advise(|| "name a file that can be written with --errors".to_owned())?;
        Ok(Self { name, file: BufWriter::new(file), bytes })
    }

    fn write(&mut self, flaw: &Flaw) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(flaw)?;
        line.push(b'\n');
        self.bytes += u64::try_from(line.len()).unwrap_or(0);
        self.file.write_all(&line).with_context(|| format!("writing {} failed", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flaw(line: u64) -> Flaw {
        let field = Some("year".to_owned());
        Flaw { file: "a.tsv".into(), line, column: None, field, problem: "is missing".to_owned() }
    }

    #[test]
    fn the_report_has_a_line_for_each_error_and_goes_on_where_it_was_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("errors.jsonl");
        let options =
            Options { errors: Some(path.clone()), keep_going: true, ..Options::default() };
        let bar = ProgressBar::hidden();
        let mut errors = Errors::begin(&options, 0, &bar).unwrap();
        assert!(!errors.tell(&flaw(2)).unwrap());
        let kept = errors.flush().unwrap();
        errors.tell(&flaw(3)).unwrap();
        errors.flush().unwrap();
        let mut errors = Errors::begin(&options, kept, &bar).unwrap();
        errors.tell(&flaw(4)).unwrap();
        errors.flush().unwrap();
        let line = |line| {
            format!(
                "{{\"file\":\"a.tsv\",\"line\":{line},\"field\":\"year\",\"problem\":\"is \
                 missing\"}}\n"
            )
        };
        assert_eq!(std::fs::read_to_string(&path).unwrap(), line(2) + &line(4));
    }

    #[test]
    fn one_more_than_the_most_is_too_many() {
        let mut errors = Errors::shown(Some(2), &ProgressBar::hidden());
        let told: Vec<_> = (0..3).map(|line| errors.tell(&flaw(line)).unwrap()).collect();
        assert_eq!(told, [false, false, true]);
        let mut errors = Errors::shown(None, &ProgressBar::hidden());
        assert!((0..100).all(|line| !errors.tell(&flaw(line)).unwrap()));
    }
}
