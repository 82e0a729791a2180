//! The index on disk or in memory: its one writer, and the newest snapshot.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use playhead_domain::ids::TitleId;
use tantivy::indexer::{LogMergePolicy, MergePolicy};
use tantivy::schema::Value;
use tantivy::{IndexReader, IndexWriter, ReloadPolicy, TantivyDocument, Term};
use thiserror::Error;

use super::{Document, Fields, Snapshot};
use crate::popularity::Popularity;

/// Why the index could not be read or written.
#[derive(Debug, Error)]
pub enum Error {
    /// Tantivy could not. Disks fill and files get damaged; the index can be rebuilt from the log.
    #[error("the search index: {0}")]
    Tantivy(#[from] tantivy::TantivyError),
    /// A file could not be read or written.
    #[error("the search index: {0}")]
    Io(#[from] std::io::Error),
    /// A stored value could not be written or read.
    #[error("a value in the search index: {0}")]
    Value(#[from] serde_json::Error),
    /// The index holds something that this version never writes. Rebuild it from the log.
    #[error("the search index is damaged: {0}")]
    Corrupt(&'static str),
    /// It was closed, and is written no more.
    #[error("the search index is closed")]
    Closed,
}

impl Error {
    /// Whether the index was made with another schema, or by another version of Tantivy.
    #[must_use]
    pub fn is_other_form(&self) -> bool {
        use tantivy::TantivyError::{IncompatibleIndex, SchemaError};
        matches!(self, Self::Tantivy(SchemaError(_) | IncompatibleIndex(_)))
    }
}

impl From<tantivy::directory::error::OpenDirectoryError> for Error {
    fn from(error: tantivy::directory::error::OpenDirectoryError) -> Self {
        Self::Tantivy(error.into())
    }
}

/// Segments of up to so many titles count as equally small.
const SMALL_TITLES: u32 = 1_024;
/// Segments are joined if the largest of them has at most 2 to the power of this times as many
/// titles as the smallest. So an index has few segments, and a title is written again only as often
/// as the index becomes an order of magnitude larger.
const JOINED_SIZES_LOG2: f64 = 3.5;
/// A segment of which a greater part was deleted is written again.
const DELETED_MAX: f32 = 0.3;

/// How an index is opened.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How much memory the writer may take before it writes a segment. At least 15 MB (Tantivy).
    pub writer_bytes: usize,
}

impl Default for Options {
    /// 64 MB: 36,273 films fit without writing a segment in between.
    fn default() -> Self {
        Self { writer_bytes: 64_000_000 }
    }
}

/// The index. One process writes it at a time; Tantivy's lock file sees to that.
pub struct Index {
    fields: Fields,
    /// `None` once it is closed.
    writer: Mutex<Option<IndexWriter>>,
    reader: IndexReader,
    index: tantivy::Index,
    newest: RwLock<Arc<Snapshot>>,
    popularity: RwLock<Arc<Popularity>>,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").field("newest", &self.snapshot()).finish_non_exhaustive()
    }
}

impl Index {
    /// Opens the index in a directory, which exists. It is made if the directory is empty. Every byte
    /// of it is read once, and compared with its checksum.
    ///
    /// # Errors
    /// If it is damaged or was written with another schema: rebuild it. Or it cannot be read, or is
    /// open elsewhere.
    pub fn open(directory: &Path, options: Options) -> Result<Self, Error> {
        let (schema, fields) = Fields::schema();
        let directory = tantivy::directory::MmapDirectory::open(directory)?;
        let index = tantivy::Index::open_or_create(directory, schema)?;
        // Reading does not check anything later.
        if !index.validate_checksum()?.is_empty() {
            return Err(Error::Corrupt("a file is not what was written"));
        }
        Self::of(index, fields, options)
    }

    /// An empty index that lives in memory.
    ///
    /// # Errors
    /// If its threads cannot be started.
    pub fn in_memory(options: Options) -> Result<Self, Error> {
        let (schema, fields) = Fields::schema();
        Self::of(tantivy::Index::create_in_ram(schema), fields, options)
    }

    fn of(index: tantivy::Index, fields: Fields, options: Options) -> Result<Self, Error> {
        let writer = index.writer_with_num_threads(1, options.writer_bytes)?;
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let popularity = Arc::new(Popularity::default());
        let first = Snapshot::read(reader.searcher(), fields, &popularity, None, 0)?;
        Ok(Self {
            fields,
            writer: Mutex::new(Some(writer)),
            reader,
            index,
            newest: RwLock::new(Arc::new(first)),
            popularity: RwLock::new(popularity),
        })
    }

    /// Puts a title in place of what was known of it. Seen after the next [`Index::commit`].
    ///
    /// # Errors
    /// If the writer has failed; nothing more can be written until it is opened again.
    pub fn put(&self, document: &Document) -> Result<(), Error> {
        let filled = self.fields.fill(document)?;
        let mut writer = self.writer();
        let writer = writer.as_mut().ok_or(Error::Closed)?;
        writer.delete_term(self.id_term(document.title_id));
        writer.add_document(filled)?;
        Ok(())
    }

    /// Removes a title, if it is there. Seen after the next [`Index::commit`].
    pub fn remove(&self, title_id: TitleId) {
        if let Some(writer) = self.writer().as_mut() {
            writer.delete_term(self.id_term(title_id));
        }
    }

    /// Makes what was put and removed durable, together with a payload, and shows it to searches.
    ///
    /// # Errors
    /// If it cannot be written. What was put since the last commit is lost then: begin again at
    /// the [`Index::payload`].
    pub fn commit(&self, payload: &str) -> Result<(), Error> {
        {
            let mut writer = self.writer();
            let mut prepared = writer.as_mut().ok_or(Error::Closed)?.prepare_commit()?;
            prepared.set_payload(payload);
            prepared.commit()?;
        }
        self.refresh()
    }

    /// Forgets what was put and removed since the last commit.
    ///
    /// # Errors
    /// If the writer cannot be started again.
    pub fn rollback(&self) -> Result<(), Error> {
        self.writer().as_mut().ok_or(Error::Closed)?.rollback()?;
        Ok(())
    }

    /// Joins small segments and shows searches the outcome: a search looks into each segment apart,
    /// and looks for misspelt words there anew. Writing goes on meanwhile. False if there was nothing
    /// to join.
    ///
    /// # Errors
    /// If the index cannot be read or written; it stays as it was.
    pub fn join_segments(&self) -> Result<bool, Error> {
        let candidates =
            joining().compute_merge_candidates(&self.index.searchable_segment_metas()?);
        let joins: Vec<_> = {
            let mut writer = self.writer();
            let writer = writer.as_mut().ok_or(Error::Closed)?;
            candidates.iter().map(|candidate| writer.merge(&candidate.0)).collect()
        };
        let joined = !joins.is_empty();
        for join in joins {
            join.wait()?;
        }
        if joined {
            self.refresh()?;
        }
        Ok(joined)
    }

    /// Ends merges and lets go of the directory, so that it can be opened again. What was put since
    /// the last commit is lost. Searches go on.
    ///
    /// # Errors
    /// A merge had failed; the directory is let go of all the same.
    pub fn close(&self) -> Result<(), Error> {
        let writer = self.writer().take();
        Ok(writer.map_or(Ok(()), IndexWriter::wait_merging_threads)?)
    }

    fn writer(&self) -> std::sync::MutexGuard<'_, Option<IndexWriter>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The payload of the last commit; `None` before the first.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn payload(&self) -> Result<Option<String>, Error> {
        Ok(self.index.load_metas()?.payload)
    }

    /// Shows searches the newest commit, and the newest merges.
    ///
    /// # Errors
    /// If the index cannot be read; searches go on with what they had.
    pub fn refresh(&self) -> Result<(), Error> {
        // Held throughout, so that an older state cannot replace a newer one.
        let popularity = self.popularity.write().unwrap_or_else(PoisonError::into_inner);
        self.show(&popularity)
    }

    /// Orders by another table of plays from now on.
    ///
    /// # Errors
    /// If the index cannot be read; searches go on with what they had.
    pub fn set_popularity(&self, popularity: Popularity) -> Result<(), Error> {
        let mut held = self.popularity.write().unwrap_or_else(PoisonError::into_inner);
        *held = Arc::new(popularity);
        self.show(&held)
    }

    fn show(&self, popularity: &Popularity) -> Result<(), Error> {
        self.reader.reload()?;
        let before = self.snapshot();
        let generation = before.generation + 1;
        let newest = Snapshot::read(
            self.reader.searcher(),
            self.fields,
            popularity,
            Some(&before),
            generation,
        )?;
        *self.newest.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(newest);
        Ok(())
    }

    /// The newest state.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.newest.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn id_term(&self, title_id: TitleId) -> Term {
        Term::from_field_text(self.fields.id, &title_id.0.simple().to_string())
    }
}

fn joining() -> LogMergePolicy {
    let mut policy = LogMergePolicy::default();
    policy.set_min_num_segments(2);
    policy.set_min_layer_size(SMALL_TITLES);
    policy.set_level_log_size(JOINED_SIZES_LOG2);
    policy.set_del_docs_ratio_before_merge(DELETED_MAX);
    policy
}

impl Snapshot {
    /// What is known of a title; `None` if it is not in the index.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn get(&self, title_id: TitleId) -> Result<Option<Document>, Error> {
        let place = self.place_of(title_id)?;
        place.map(|(segment, doc)| self.document(segment, doc)).transpose()
    }

    /// The segment of a title, and its number there.
    pub(crate) fn place_of(&self, title_id: TitleId) -> Result<Option<(usize, u32)>, Error> {
        let term = Term::from_field_text(self.fields.id, &title_id.0.simple().to_string());
        for (at, segment) in self.segments.iter().enumerate() {
            let inverted = segment.reader.inverted_index(self.fields.id)?;
            let Some(info) = inverted.get_term_info(&term)? else { continue };
            let mut alive = None;
            super::segment::each_doc(&inverted, &info, |doc| {
                if !segment.reader.is_deleted(doc) {
                    alive = Some((at, doc));
                }
            })?;
            if alive.is_some() {
                return Ok(alive);
            }
        }
        Ok(None)
    }

    /// Every title, in no particular order.
    ///
    /// # Errors
    /// If the index cannot be read; it ends there.
    pub fn documents(&self) -> impl Iterator<Item = Result<Document, Error>> + '_ {
        self.segments.iter().enumerate().flat_map(move |(at, segment)| {
            segment.reader.doc_ids_alive().map(move |doc| self.document(at, doc))
        })
    }

    pub(crate) fn document(&self, segment: usize, doc: u32) -> Result<Document, Error> {
        let segment_ord = u32::try_from(segment).unwrap_or(u32::MAX);
        let stored: TantivyDocument =
            self.searcher.doc(tantivy::DocAddress { segment_ord, doc_id: doc })?;
        let bytes = stored.get_first(self.fields.document).and_then(|value| value.as_bytes());
        Ok(serde_json::from_slice(bytes.ok_or(Error::Corrupt("a title without its document"))?)?)
    }
}
