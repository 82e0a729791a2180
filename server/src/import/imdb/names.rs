//! `name.basics.tsv`: what people are called. Kept on disk while an import runs, because fourteen
//! million names are more than it may hold in memory.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::Context as _;
use quick_cache::unsync::Cache;

use super::table::{Layout, Line, Table};
use crate::import::Flaw;

/// The file.
pub(super) const NAMES: Layout<2> = Layout {
    file: "name.basics",
    prefix: "nm",
    repeats: false,
    columns: ["nconst", "primaryName"],
};

/// How many names stand in a block, of which the first key is in memory: 220,000 keys for
/// fourteen million names, and two kilobytes are read for a name.
const BLOCK_NAMES: u64 = 64;
/// How many names are kept in memory: those who appear most.
const KEPT_MAX: usize = 65_536;
/// No name of a person is longer; see `Credit`.
const NAME_CHARS_MAX: usize = 200;

/// The names of people, in a file without a name that goes with the process.
pub(super) struct Names {
    file: File,
    /// The first key of each block and where the block begins.
    blocks: Vec<(Box<str>, u64)>,
    bytes: u64,
    kept: Cache<Box<str>, Option<Box<str>>>,
}

impl Names {
    /// Copies a table into a file of the directory, or of the system's for such files. What is broken
    /// is handed over, and left out.
    ///
    /// # Errors
    /// A file cannot be read or written, or the table is not in order.
    pub(super) fn copy(
        mut table: Table<2>,
        dir: Option<&Path>,
        tell: &mut dyn FnMut(Flaw),
    ) -> anyhow::Result<Self> {
        let file = match dir {
            Some(dir) => std::fs::create_dir_all(dir).and_then(|()| tempfile::tempfile_in(dir)),
            None => tempfile::tempfile(),
        };
        let context = "writing names into a file for the time of the import failed";
        let file = file.context(context)?;
        let mut blocks = Vec::new();
        let (mut names, mut bytes) = (0_u64, 0_u64);
        let mut out = BufWriter::with_capacity(256 << 10, &file);
        loop {
            match table.advance()? {
                Line::End => break,
                Line::Broken(flaw) => tell(flaw),
                Line::Keyed => match name(&table) {
                    Err(flaw) => tell(flaw),
                    Ok(None) => {}
                    Ok(Some((key, name))) => {
                        if names.is_multiple_of(BLOCK_NAMES) {
                            blocks.push((key.into(), bytes));
                        }
                        names += 1;
                        writeln!(out, "{key}\t{name}").context(context)?;
                        bytes += u64::try_from(key.len() + name.len() + 2)?;
                    }
                },
            }
        }
        out.flush().context(context)?;
        drop(out);
        Ok(Self { file, blocks, bytes, kept: Cache::new(KEPT_MAX) })
    }

    /// What somebody is called; `None` if the table does not say.
    ///
    /// # Errors
    /// The copy cannot be read.
    pub(super) fn name(&mut self, key: &str) -> anyhow::Result<Option<Box<str>>> {
        if let Some(kept) = self.kept.get(key) {
            return Ok(kept.clone());
        }
        let found = self.find(key).context("reading a name failed")?;
        self.kept.insert(key.into(), found.clone());
        Ok(found)
    }

    fn find(&self, key: &str) -> anyhow::Result<Option<Box<str>>> {
        let behind = self.blocks.partition_point(|(first, _)| &**first <= key);
        let Some((_, start)) = behind.checked_sub(1).and_then(|block| self.blocks.get(block))
        else {
            return Ok(None);
        };
        let end = self.blocks.get(behind).map_or(self.bytes, |(_, end)| *end);
        let mut block = vec![0; usize::try_from(end - start)?];
        self.file.read_exact_at(&mut block, *start)?;
        let block = std::str::from_utf8(&block)?;
        let mut names = block.lines().filter_map(|line| line.split_once('\t'));
        Ok(names.find(|(found, _)| *found == key).map(|(_, name)| name.into()))
    }
}

/// The name that was read last, if there is one.
fn name(table: &Table<2>) -> Result<Option<(&str, &str)>, Flaw> {
    let row = table.row()?;
    let key = row.needed(0)?;
    let [_, name] = row.texts();
    let Some(name) = name.map(str::trim).filter(|name| !name.is_empty()) else { return Ok(None) };
    if name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(row.flaw(1, "must be a line of 1 to 200 characters"));
    }
    Ok(Some((key, name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copy(text: &str) -> anyhow::Result<(Names, Vec<String>)> {
        let text = format!("nconst\tprimaryName\tbirthYear\n{text}");
        let input = Box::new(std::io::Cursor::new(text.into_bytes()));
        let table = Table::new(input, "name.basics.tsv".into(), NAMES)?;
        let mut told = vec![];
        let names = Names::copy(table, None, &mut |flaw| told.push(flaw.to_string()))?;
        Ok((names, told))
    }

    #[test]
    fn every_name_is_found_by_its_key_and_no_other() {
        let text: String =
            (0..1_000).map(|n| format!("nm{:07}\tPerson {n}\t\\N\n", n * 2)).collect();
        let (mut names, told) = copy(&text).unwrap();
        assert!(told.is_empty(), "{told:?}");
        for n in 0..1_000 {
            let found = names.name(&format!("nm{:07}", n * 2)).unwrap();
            assert_eq!(found.as_deref(), Some(format!("Person {n}").as_str()));
            assert_eq!(names.name(&format!("nm{:07}", n * 2 + 1)).unwrap(), None);
        }
        assert_eq!(names.name("nm").unwrap(), None);
    }

    #[test]
    fn broken_names_are_told_and_left_out() {
        let (mut names, told) = copy("nm1\tA\nnm2\tB\u{7}\t\\N\nnm3\t\\N\t\\N\n").unwrap();
        assert_eq!(
            told,
            [
                "name.basics.tsv:2: 2 fields where the header has 3",
                "name.basics.tsv:3: primaryName: must be a line of 1 to 200 characters",
            ]
        );
        assert_eq!(names.name("nm3").unwrap(), None);
    }

    #[test]
    fn a_table_that_is_not_in_order_is_refused_with_its_line() {
        let error = copy("nm2\tA\t\\N\nnm1\tB\t\\N\n").err().unwrap();
        let error = crate::failure::describe(&error);
        assert!(
            error.contains("name.basics.tsv:3: nconst: nm1 must not stand behind nm2"),
            "{error}"
        );
        assert!(error.contains("LC_ALL=C sort"), "{error}");
    }
}
