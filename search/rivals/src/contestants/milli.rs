//! The engine of Meilisearch, from the crate `milli-core`.

use std::path::Path;

use anyhow::{Context as _, Result};
use bumpalo::Bump;
use milli_core::documents::mmap_from_objects;
use milli_core::heed::EnvOpenOptions;
use milli_core::progress::Progress;
use milli_core::update::new::indexer::{self, DocumentOperation};
use milli_core::update::{IndexerConfig, Settings};
use milli_core::vector::EmbeddingConfigs;
use milli_core::{Criterion, Index, Object, Search, ThreadPoolNoAbortBuilder};
use serde_json::json;

use super::{DEPTH, Engine};
use crate::films::Film;

pub(super) const MANNER: &str = "the crate `milli-core`, in the process that asks; its ranking rules \
    and their order, its typo tolerance and its matching of some words as they come, and one custom \
    rule behind them, `popularity:desc`; `title`, `cast`, `year`, `genres` and `synopsis` searchable.";
pub(super) const MANNER_TUNED: &str = "the best of 15 settings that were tried: the rules `words`, \
    `typo`, `attribute`, `popularity:desc`, `exactness`, `proximity`; one typo from 3 letters on, two \
    from 5.";

/// How much the index may grow; room in the address space, not on disk.
const MAP_BYTES: usize = 8 << 30;

/// What of its settings is not left alone.
pub(super) struct Manner {
    /// The rules that results are ranked by, in their order.
    rules: &'static [&'static str],
    /// From how many letters on a word may have one typo, and two.
    typo_letters: (u8, u8),
}

/// Its own rules, and popularity where they leave a choice; its own numbers of typos.
pub(super) const AS_IT_COMES: Manner = Manner {
    rules: &["words", "typo", "proximity", "attribute", "sort", "exactness", "popularity:desc"],
    typo_letters: (5, 9),
};

/// The best of what was tried.
pub(super) const TUNED: Manner = Manner {
    rules: &["words", "typo", "attribute", "popularity:desc", "exactness", "proximity"],
    typo_letters: (3, 5),
};

pub(super) fn build(dir: &Path, films: &[Film], manner: &Manner) -> Result<()> {
    let index = open(dir, true)?;
    let mut writing = index.write_txn()?;
    let config = IndexerConfig::default();
    let mut settings = Settings::new(&mut writing, &index, &config);
    settings.set_primary_key("number".to_owned());
    let fields = ["title", "cast", "year", "genres", "synopsis"].map(str::to_owned).to_vec();
    settings.set_searchable_fields(fields);
    let rules: Result<Vec<Criterion>, _> = manner.rules.iter().map(|rule| rule.parse()).collect();
    settings.set_criteria(rules?);
    settings.set_min_word_len_one_typo(manner.typo_letters.0);
    settings.set_min_word_len_two_typos(manner.typo_letters.1);
    settings.execute(|_| {}, || false)?;
    writing.commit()?;
    put(&index, films, &config)?;
    index.prepare_for_closing().wait();
    Ok(())
}

/// Puts all films in one transaction, with all cores, as the server of Meilisearch does.
fn put(index: &Index, films: &[Film], config: &IndexerConfig) -> Result<()> {
    let documents = mmap_from_objects(films.iter().filter_map(object));
    let mut writing = index.write_txn()?;
    let reading = index.read_txn()?;
    let known_fields = index.fields_ids_map(&reading)?;
    let mut fields = known_fields.clone();
    let mut operation = DocumentOperation::new();
    operation.replace_documents(&documents)?;
    let room = Bump::new();
    let progress = Progress::default();
    let (changes, outcomes, primary_key) = operation.into_changes(
        &room,
        index,
        &reading,
        None,
        &mut fields,
        &|| false,
        progress.clone(),
    )?;
    if let Some(error) = outcomes.into_iter().find_map(|outcome| outcome.error) {
        return Err(milli_core::Error::from(error).into());
    }
    let pool = ThreadPoolNoAbortBuilder::new().build()?;
    let indexed = pool.install(|| {
        indexer::index(
            &mut writing,
            index,
            &pool,
            config.grenad_parameters(),
            &known_fields,
            fields,
            primary_key,
            &changes,
            EmbeddingConfigs::default(),
            &|| false,
            &progress,
        )
    });
    indexed.context("a thread of the indexer panicked")??;
    Ok(writing.commit()?)
}

fn object(film: &Film) -> Option<Object> {
    let object = json!({
        "number": film.number,
        "title": film.title,
        "cast": film.cast,
        "year": film.year.map(|year| year.to_string()),
        "genres": film.genres,
        "synopsis": film.extract,
        "popularity": film.votes,
    });
    object.as_object().cloned()
}

fn open(dir: &Path, create: bool) -> Result<Index> {
    let mut options = EnvOpenOptions::new().read_txn_without_tls();
    options.map_size(MAP_BYTES);
    Ok(Index::new(options, dir, create)?)
}

pub(super) struct Milli {
    index: Index,
}

impl Milli {
    pub(super) fn open(dir: &Path) -> Result<Self> {
        Ok(Self { index: open(dir, false)? })
    }
}

impl Engine for Milli {
    fn find(&mut self, text: &str) -> Result<Vec<u32>> {
        let reading = self.index.read_txn()?;
        let mut search = Search::new(&reading, &self.index);
        let found = search.query(text).limit(DEPTH).execute()?;
        let ids = self.index.external_id_of(&reading, found.documents_ids)?;
        ids.into_iter().map(|id| Ok(id?.parse()?)).collect()
    }
}
