//! The films that queries are asked of, by their numbers.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context as _, bail};
use indicatif::ProgressBar;
use playhead_domain::TitleId;
use playhead_search::index::Document;

use crate::import::Flaw;
use crate::import::films::{Record, records};

/// Films, numbered from 1 in the order of their records. A record that cannot be imported has a
/// number, too, or all behind it would have another one.
pub(super) struct Catalogue {
    documents: Vec<Option<Document>>,
    numbers: HashMap<TitleId, u32>,
    /// What cannot be imported.
    pub(super) flaws: Vec<Flaw>,
}

impl Catalogue {
    /// Reads the films of a directory, or of one file.
    ///
    /// # Errors
    /// There are none, or they cannot be read.
    pub(super) fn read(path: &Path, bar: &ProgressBar) -> anyhow::Result<Self> {
        let mut catalogue = Self { documents: vec![], numbers: HashMap::new(), flaws: vec![] };
        for (number, record) in (1..).zip(records(path, bar)?) {
            match record {
                Record::Film { title_id, metadata } => {
                    let document = Document::of(title_id, &metadata, None, 0);
                    catalogue.numbers.insert(title_id, number);
                    catalogue.documents.push(Some(document));
                }
                Record::Flaw(flaw) => {
                    catalogue.flaws.push(flaw);
                    catalogue.documents.push(None);
                }
            }
        }
        if catalogue.numbers.is_empty() {
            bail!("there is no film in {}", path.display());
        }
        Ok(catalogue)
    }

    /// How many numbers there are.
    pub(super) fn len(&self) -> usize {
        self.documents.len()
    }

    /// The films, with their numbers.
    pub(super) fn documents(&self) -> impl Iterator<Item = (u32, &Document)> {
        let numbered = (1..).zip(&self.documents);
        numbered.filter_map(|(number, document)| Some((number, document.as_ref()?)))
    }

    /// The number of a film.
    ///
    /// # Errors
    /// It is none of these.
    pub(super) fn number(&self, id: TitleId) -> anyhow::Result<u32> {
        self.numbers
            .get(&id)
            .copied()
            .with_context(|| format!("found title {id}, which was not put"))
    }

    /// The film that has a number.
    pub(super) fn film(&self, number: u32) -> Option<&Document> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        self.documents.get(index)?.as_ref()
    }

    /// A film as people tell it from others.
    pub(super) fn label(&self, number: u32) -> String {
        match self.film(number).map(|film| (&film.name, film.year)) {
            Some((name, Some(year))) => format!("{name} ({year})"),
            Some((name, None)) => name.clone(),
            None => format!("film {number}"),
        }
    }
}
