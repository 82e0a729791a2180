//! What is known of the sealed part of the journal.
//!
//! Every sealed segment has an index of its own. To ask one after the other would take longer with
//! every segment, so *runs* merge the indexes of neighbouring segments (see [`super::run`]).
//! Together they are the *layers*: each covers some neighbouring segments, and all of them cover
//! all. The latest layer that knows a stream knows its length.

use std::sync::Arc;

use super::footer::{Footer, ID_BYTES, STREAM_BYTES};
use super::order::Span;
use super::recent::{Strand, StreamKey, Tip};
use super::run::Run;
use super::segment::Segment;
use super::table::{Table, TableError};

/// Layers with larger filters do without: a look-up then reads a block more.
pub(super) const FILTER_ENTRIES_MAX: u64 = 50_000_000;

/// A sealed segment.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) first: u64,
    pub(super) footer: Footer,
    /// The offsets of each partition that it holds.
    pub(super) spans: Box<[Span]>,
}

impl Sealed {
    pub(super) fn open(segment: &Segment, footer: Footer) -> Result<Self, TableError> {
        let spans = footer.read_offsets(segment.file())?;
        Ok(Self { first: segment.header.first, footer, spans })
    }
}

/// The index of one segment, ready for look-ups.
#[derive(Debug)]
pub(super) struct SegmentIndex {
    first: u64,
    end: u64,
    ids: Table<ID_BYTES>,
    streams: Table<STREAM_BYTES>,
}

/// What a segment holds of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SealedStrand {
    pub(super) first_version: u64,
    pub(super) before: Option<u64>,
    /// The first of its places.
    pub(super) places: u32,
    pub(super) count: u32,
}

const NO_SEGMENT: u64 = u64::MAX;

impl SealedStrand {
    /// The value in the table of streams.
    pub(super) fn encode(strand: Strand, places: u32) -> [u8; STREAM_BYTES - 16] {
        let mut value = [0; STREAM_BYTES - 16];
        let before = strand.before.unwrap_or(NO_SEGMENT);
        let fields = strand.first_version.to_le_bytes().into_iter().chain(before.to_le_bytes());
        let fields = fields.chain(places.to_le_bytes()).chain(strand.count.to_le_bytes());
        value.iter_mut().zip(fields).for_each(|(to, from)| *to = from);
        value
    }

    pub(super) fn decode(entry: &[u8; STREAM_BYTES]) -> Option<Self> {
        let mut fields = super::fields::Fields::new(entry);
        fields.take(16)?;
        let (first_version, before) = (fields.u64()?, fields.u64()?);
        let before = (before != NO_SEGMENT).then_some(before);
        Some(Self { first_version, before, places: fields.u32()?, count: fields.u32()? })
    }

    pub(super) fn next_version(self) -> u64 {
        self.first_version + u64::from(self.count)
    }
}

impl SegmentIndex {
    pub(super) fn open(segment: &Segment, footer: &Footer) -> Result<Self, TableError> {
        let file = segment.file();
        Ok(Self {
            first: footer.first,
            end: footer.end,
            ids: Table::open(Arc::clone(file), footer.ids, true)?,
            streams: Table::open(Arc::clone(file), footer.streams, true)?,
        })
    }

    pub(super) fn ids(&self) -> &Table<ID_BYTES> {
        &self.ids
    }

    pub(super) fn streams(&self) -> &Table<STREAM_BYTES> {
        &self.streams
    }

    pub(super) fn first(&self) -> u64 {
        self.first
    }

    fn tip(&self, key: StreamKey) -> Result<Option<Tip>, TableError> {
        let entry = self.streams.get(key)?;
        let strand = entry.as_ref().and_then(SealedStrand::decode);
        Ok(strand.map(|strand| Tip { len: strand.next_version(), segment: self.first }))
    }
}

/// An index over neighbouring segments.
#[derive(Debug, Clone)]
pub(super) enum Layer {
    One(Arc<SegmentIndex>),
    Many(Arc<Run>),
}

impl Layer {
    /// The first position covered.
    pub(super) fn from(&self) -> u64 {
        match self {
            Self::One(index) => index.first,
            Self::Many(run) => run.from,
        }
    }

    /// The position behind the last one covered.
    pub(super) fn to(&self) -> u64 {
        match self {
            Self::One(index) => index.end,
            Self::Many(run) => run.to,
        }
    }

    /// How long a stream was at the end of the layer, if it knows the stream.
    pub(super) fn tip(&self, key: StreamKey) -> Result<Option<Tip>, TableError> {
        match self {
            Self::One(index) => index.tip(key),
            Self::Many(run) => run.tip(key),
        }
    }

    /// The position of the event with an id, if the layer knows it.
    pub(super) fn id(&self, id: u128) -> Result<Option<u64>, TableError> {
        let entry = match self {
            Self::One(index) => index.ids.get(id)?,
            Self::Many(run) => run.ids.get(id)?,
        };
        Ok(entry.as_ref().and_then(|entry| entry.last_chunk()).copied().map(u64::from_le_bytes))
    }
}

/// Every sealed segment, and the layers over them; both in the order of positions.
#[derive(Debug, Clone, Default)]
pub(super) struct Catalog {
    pub(super) sealed: Vec<Arc<Sealed>>,
    pub(super) layers: Vec<Layer>,
}

impl Catalog {
    /// How long a stream was at the end of the oldest layer that knows it: a mistake on purpose.
    pub(super) fn oldest_tip(&self, key: StreamKey) -> Result<Option<Tip>, TableError> {
        let tips = self.layers.iter().map(|layer| layer.tip(key));
        tips.filter_map(Result::transpose).next().transpose()
    }

    /// How many of the segments a layer covers.
    pub(super) fn width(&self, layer: &Layer) -> usize {
        let before = |position| self.sealed.partition_point(|sealed| sealed.first < position);
        before(layer.to()) - before(layer.from())
    }
}
