//! One state of the index, as searches read it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use playhead_domain::entitlement::Terms;
use playhead_domain::ids::TitleId;
use playhead_domain::title::Kind;
use tantivy::postings::TermInfo;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::index::SegmentId;
use tantivy::{DocId, InvertedIndexReader, Searcher, SegmentReader};

use super::schema::column;
use super::{Error, Fields};
use crate::popularity::Popularity;

/// One state of the index. It does not change; a commit makes a new one.
pub struct Snapshot {
    pub(crate) searcher: Searcher,
    pub(crate) fields: Fields,
    pub(crate) segments: Vec<Segment>,
    /// The distinct genres, sorted. [`Row::genres`] are places in it.
    pub(crate) genres: Vec<String>,
    /// The distinct languages, sorted. [`Row::languages`] are places in it.
    pub(crate) languages: Vec<String>,
    /// A number that differs between any two states of one opened index.
    pub(crate) generation: u64,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot")
            .field("generation", &self.generation)
            .field("documents", &self.searcher.num_docs())
            .finish_non_exhaustive()
    }
}

/// A segment with what of it is kept in memory: about 60 bytes a title.
pub(crate) struct Segment {
    pub(crate) reader: SegmentReader,
    pub(crate) core: Arc<Core>,
    /// By document: how popular it is.
    pub(crate) popularity: Vec<u32>,
    /// By place in [`Core::genres`]: the place in [`Snapshot::genres`].
    pub(crate) genres: Vec<u16>,
    /// By place in [`Core::languages`]: the place in [`Snapshot::languages`].
    pub(crate) languages: Vec<u16>,
}

/// What of a segment never changes while it lives. Deletions do not touch it.
pub(crate) struct Core {
    pub(crate) rows: Vec<Row>,
    /// The distinct terms of audience; `None` for drafts.
    pub(crate) audiences: Vec<Option<Terms>>,
    genres: Vec<String>,
    languages: Vec<String>,
    /// The places of all documents in `genres` and `languages`, one after the other.
    places: Vec<u16>,
    pub(crate) name: Posted,
    pub(crate) bare: Posted,
    pub(crate) whole: Posted,
}

/// What filters, facets and order look at.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) title_id: TitleId,
    pub(crate) year: u16,
    pub(crate) rating_tenths: Option<u8>,
    pub(crate) votes: u32,
    /// The characters of the original name, without spaces.
    pub(crate) length: u16,
    pub(crate) kind: Kind,
    pub(crate) audience: u32,
    genres: (u32, u16),
    languages: (u32, u16),
}

impl Segment {
    pub(crate) fn row(&self, doc: DocId) -> Option<&Row> {
        self.core.rows.get(doc as usize)
    }

    /// The places of a document's genres in [`Snapshot::genres`].
    pub(crate) fn genres_of(&self, row: &Row) -> impl Iterator<Item = u16> + '_ {
        self.core.slice(row.genres).iter().filter_map(|at| self.genres.get(*at as usize)).copied()
    }

    /// The places of a document's languages in [`Snapshot::languages`].
    pub(crate) fn languages_of(&self, row: &Row) -> impl Iterator<Item = u16> + '_ {
        let places = self.core.slice(row.languages).iter();
        places.filter_map(|at| self.languages.get(*at as usize)).copied()
    }
}

impl Core {
    fn slice(&self, (from, count): (u32, u16)) -> &[u16] {
        let from = from as usize;
        self.places.get(from..from + usize::from(count)).unwrap_or_default()
    }

    fn read(reader: &SegmentReader, fields: &Fields) -> Result<Self, Error> {
        let mut core = Self {
            rows: Vec::with_capacity(reader.max_doc() as usize),
            audiences: vec![],
            genres: vec![],
            languages: vec![],
            places: vec![],
            name: Posted::read(reader, fields.name)?,
            bare: Posted::read(reader, fields.bare)?,
            whole: Posted::read(reader, fields.whole)?,
        };
        let fast = reader.fast_fields();
        let (high, low) = (fast.u64(column::ID_HIGH)?, fast.u64(column::ID_LOW)?);
        let (year, rating) = (fast.u64(column::YEAR)?, fast.u64(column::RATING)?);
        let (votes, length) = (fast.u64(column::VOTES)?, fast.u64(column::LENGTH)?);
        let audience = Labels::read(reader, column::AUDIENCE)?;
        let genres = Labels::read(reader, column::GENRES)?;
        let languages = Labels::read(reader, column::LANGUAGES)?;
        let kind = Labels::read(reader, column::KIND)?;
        let kinds: Vec<Kind> = kind.parsed()?;
        for (published, maturity, availability) in audience.parsed()? {
            let published: bool = published;
            core.audiences.push(published.then_some(Terms { maturity, availability }));
        }
        for doc in 0..reader.max_doc() {
            let missing = || Error::Corrupt("a document without its columns");
            let halves = high.first(doc).zip(low.first(doc)).ok_or_else(missing)?;
            let kind_at = kind.first(doc).ok_or_else(missing)? as usize;
            core.rows.push(Row {
                title_id: TitleId(uuid::Uuid::from_u64_pair(halves.0, halves.1)),
                year: year.first(doc).and_then(|it| it.try_into().ok()).unwrap_or_default(),
                rating_tenths: rating.first(doc).and_then(|it| it.try_into().ok()),
                votes: votes.first(doc).and_then(|it| it.try_into().ok()).unwrap_or_default(),
                length: length.first(doc).and_then(|it| it.try_into().ok()).unwrap_or_default(),
                kind: *kinds.get(kind_at).ok_or_else(missing)?,
                audience: audience.first(doc).ok_or_else(missing)?,
                genres: genres.append(doc, &mut core.places),
                languages: languages.append(doc, &mut core.places),
            });
        }
        core.genres = genres.names;
        core.languages = languages.names;
        Ok(core)
    }
}

/// A column of labels with its dictionary.
struct Labels {
    column: Option<tantivy::columnar::StrColumn>,
    names: Vec<String>,
}

impl Labels {
    fn read(reader: &SegmentReader, name: &str) -> Result<Self, Error> {
        let column = reader.fast_fields().str(name)?;
        let mut names = vec![];
        if let Some(column) = &column {
            for ord in 0..column.num_terms() as u64 {
                let mut label = String::new();
                column.ord_to_str(ord, &mut label)?;
                names.push(label);
            }
        }
        Ok(Self { column, names })
    }

    fn parsed<T: serde::de::DeserializeOwned>(&self) -> Result<Vec<T>, Error> {
        self.names.iter().map(|it| Ok(serde_json::from_str(it)?)).collect()
    }

    fn first(&self, doc: DocId) -> Option<u32> {
        self.column.as_ref()?.term_ords(doc).next().and_then(|it| it.try_into().ok())
    }

    /// Appends the places of a document's labels, and says where they are.
    fn append(&self, doc: DocId, places: &mut Vec<u16>) -> (u32, u16) {
        let from = places.len();
        let ords = self.column.iter().flat_map(|column| column.term_ords(doc));
        places.extend(ords.filter_map(|ord| u16::try_from(ord).ok()));
        let count = places.len() - from;
        (u32::try_from(from).unwrap_or(u32::MAX), u16::try_from(count).unwrap_or(u16::MAX))
    }
}

/// The documents of every term of a field, in the order of the terms, so that those of a range of
/// terms are one slice.
pub(crate) struct Posted {
    starts: Vec<u32>,
    docs: Vec<DocId>,
}

impl Posted {
    fn read(reader: &SegmentReader, field: Field) -> Result<Self, Error> {
        let inverted = reader.inverted_index(field)?;
        let mut posted = Self { starts: vec![0], docs: vec![] };
        let mut terms = inverted.terms().stream()?;
        while terms.advance() {
            each_doc(&inverted, terms.value(), |doc| posted.docs.push(doc))?;
            posted.starts.push(u32::try_from(posted.docs.len()).unwrap_or(u32::MAX));
        }
        Ok(posted)
    }

    /// The documents of the terms from one place up to, and without, another.
    pub(crate) fn docs(&self, from: u64, until: u64) -> &[DocId] {
        let at = |ord: u64| {
            usize::try_from(ord).ok().and_then(|ord| self.starts.get(ord)).map(|it| *it as usize)
        };
        match (at(from), at(until)) {
            (Some(from), Some(until)) => self.docs.get(from..until).unwrap_or_default(),
            _ => &[],
        }
    }
}

/// Calls back with every document of a term, deleted ones too.
pub(crate) fn each_doc(
    inverted: &InvertedIndexReader,
    term: &TermInfo,
    mut found: impl FnMut(DocId),
) -> Result<(), Error> {
    let mut block = inverted.read_block_postings_from_terminfo(term, IndexRecordOption::Basic)?;
    while block.block_len() > 0 {
        block.docs().iter().copied().for_each(&mut found);
        block.advance();
    }
    Ok(())
}

impl Snapshot {
    /// Reads a state, taking what is known of its segments from the one before.
    pub(super) fn read(
        searcher: Searcher,
        fields: Fields,
        popularity: &Popularity,
        before: Option<&Self>,
        generation: u64,
    ) -> Result<Self, Error> {
        let known: HashMap<SegmentId, &Arc<Core>> = before
            .into_iter()
            .flat_map(|before| &before.segments)
            .map(|segment| (segment.reader.segment_id(), &segment.core))
            .collect();
        let mut cores = vec![];
        for reader in searcher.segment_readers() {
            let core = match known.get(&reader.segment_id()) {
                Some(core) => Arc::clone(core),
                None => Arc::new(Core::read(reader, &fields)?),
            };
            cores.push((reader.clone(), core));
        }
        let genres = distinct(cores.iter().flat_map(|(_, core)| &core.genres));
        let languages = distinct(cores.iter().flat_map(|(_, core)| &core.languages));
        let segments = cores
            .into_iter()
            .map(|(reader, core)| Segment {
                popularity: core
                    .rows
                    .iter()
                    .map(|row| popularity.plays(row.title_id).saturating_add(row.votes))
                    .collect(),
                genres: places(&core.genres, &genres),
                languages: places(&core.languages, &languages),
                reader,
                core,
            })
            .collect();
        Ok(Self {
            searcher,
            fields,
            segments,
            genres: genres.into_keys().collect(),
            languages: languages.into_keys().collect(),
            generation,
        })
    }

    /// How many titles are in it, drafts too.
    #[must_use]
    pub fn titles(&self) -> u64 {
        self.searcher.num_docs()
    }
}

fn distinct<'a>(labels: impl Iterator<Item = &'a String>) -> BTreeMap<String, u16> {
    let mut found: BTreeMap<String, u16> = labels.map(|label| (label.clone(), 0)).collect();
    for (at, place) in found.values_mut().enumerate() {
        *place = u16::try_from(at).unwrap_or(u16::MAX);
    }
    found
}

fn places(own: &[String], all: &BTreeMap<String, u16>) -> Vec<u16> {
    own.iter().map(|label| all.get(label).copied().unwrap_or(u16::MAX)).collect()
}
