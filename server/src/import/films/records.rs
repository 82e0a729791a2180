//! The records of film files one by one, for those who number them.

use std::path::Path;

use anyhow::bail;
use indicatif::ProgressBar;
use playhead_domain::TitleId;
use playhead_domain::title::Metadata;

use super::{Item, paths, read_file};
use crate::import::Flaw;

/// One record.
#[derive(Debug)]
pub enum Record {
    /// A film.
    Film {
        /// The id that it is imported by.
        title_id: TitleId,
        /// What is known of it.
        metadata: Box<Metadata>,
    },
    /// One that cannot be imported.
    Flaw(Flaw),
}

/// The records of every `movies-*.json` of a directory, by name and in their order; or those of one
/// file. `bar` is moved by the bytes read.
///
/// # Errors
/// There is no such path or nothing in it, a file cannot be read, or the end of one is not JSON.
pub fn records(path: &Path, bar: &ProgressBar) -> anyhow::Result<Vec<Record>> {
    let files = paths::expand(&[path.to_owned()])?;
    let (mut records, mut unreadable) = (vec![], None);
    for file in &files {
        read_file(file, bar, &mut |item| {
            match item {
                Item::Found(found) => records.push(Record::Film {
                    title_id: found.title_id,
                    metadata: Box::new(found.metadata),
                }),
                Item::Flaw(flaw) => records.push(Record::Flaw(flaw)),
                Item::Unreadable(flaw) => unreadable = Some(flaw),
                Item::Skipped(_) | Item::Note(_) => {}
            }
            unreadable.is_none()
        })?;
        if let Some(flaw) = unreadable.take() {
            bail!(flaw);
        }
    }
    Ok(records)
}
