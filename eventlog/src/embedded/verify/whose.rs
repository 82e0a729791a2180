//! Whose a damaged record was: what the indexes and the other events of its stream say.

use std::cmp::Reverse;
use std::sync::Arc;

use super::survey::Work;
use crate::embedded::catalog::{Sealed, SealedStrand};
use crate::embedded::damage::{Damage, Guess};
use crate::embedded::footer::{PLACE_BYTES, STREAM_BYTES};
use crate::embedded::journal::Journal;
use crate::embedded::recent::{StreamKey, key_of};
use crate::embedded::record::{self, RECORD_BYTES_MAX, Record};
use crate::embedded::segment::Segment;
use crate::embedded::table::{Array, Table, TableError};
use crate::stream::Partition;

/// Who owns each place of one sealed segment.
pub(super) struct Owners<'a> {
    journal: &'a Journal,
    works: &'a [Work],
    segment: &'a Segment,
    places: Vec<u32>,
    strands: Vec<(StreamKey, SealedStrand)>,
}

impl<'a> Owners<'a> {
    /// Reads the index of the segment, as far as it can be read.
    pub(super) fn read(
        journal: &'a Journal,
        works: &'a [Work],
        segment: &'a Segment,
        sealed: &Sealed,
    ) -> Self {
        let (places, strands) = owners(segment, sealed).unwrap_or_default();
        Self { journal, works, segment, places, strands }
    }

    /// Says whose the damaged record at `at` was.
    pub(super) fn name(&self, damage: Damage, at: u32, partition: Partition) -> Damage {
        let guess = Guess::read(self.segment, damage.position);
        let guess = guess.map(|guess| guess.stream.as_str().to_owned());
        let owner = self.owner(at);
        let certain = owner.and_then(|(key, strand)| {
            let read = guess.clone().filter(|guess| key_of(guess) == key);
            read.or_else(|| self.elsewhere(key, strand, at))
        });
        let guessed = certain.is_none() && guess.is_some();
        Damage { partition: Some(partition), stream: certain.or(guess), guessed, ..damage }
    }

    fn owner(&self, at: u32) -> Option<(StreamKey, SealedStrand)> {
        let nth = self.places.iter().position(|place| *place == at)?;
        let nth = u32::try_from(nth).ok()?;
        let before = self.strands.partition_point(|(_, strand)| strand.places <= nth);
        self.strands.get(before.checked_sub(1)?).copied()
    }

    /// The name of a stream, read from another of its events.
    fn elsewhere(&self, key: StreamKey, strand: SealedStrand, at: u32) -> Option<String> {
        let start = usize::try_from(strand.places).ok()?;
        let len = usize::try_from(strand.count).ok()?;
        let own = self.places.get(start..)?.get(..len)?;
        let mut others: Vec<u32> = own.iter().copied().filter(|place| *place != at).collect();
        // What is far away is not in the same damaged block.
        others.sort_by_key(|place| Reverse(place.abs_diff(at)));
        { others }.into_iter().find_map(|place| named(self.segment, place, key)).or_else(|| {
            let sealed = self.works.iter().rev().filter_map(|work| work.sealed.as_ref());
            let others = sealed.filter(|sealed| sealed.first != self.segment.header.first);
            { others }.find_map(|sealed| self.in_segment(sealed, key))
        })
    }

    fn in_segment(&self, sealed: &Sealed, key: StreamKey) -> Option<String> {
        let segment = self.journal.segment(sealed.first).ok()?;
        let file = segment.file();
        let streams = Table::<STREAM_BYTES>::open(Arc::clone(file), sealed.footer.streams, false);
        let strand = SealedStrand::decode(&streams.ok()?.get(key).ok()??)?;
        let places = Array::<PLACE_BYTES>::open(Arc::clone(file), sealed.footer.places);
        let start = u64::from(strand.places);
        let places = places.range(start..start + u64::from(strand.count)).ok()?;
        { places }.into_iter().find_map(|at| named(&segment, u32::from_le_bytes(at), key))
    }
}

type Strands = Vec<(StreamKey, SealedStrand)>;

fn owners(segment: &Segment, sealed: &Sealed) -> Result<(Vec<u32>, Strands), TableError> {
    let file = segment.file();
    let places = Array::<PLACE_BYTES>::open(Arc::clone(file), sealed.footer.places);
    let places = places.range(0..places.len())?.into_iter().map(u32::from_le_bytes).collect();
    let table = Table::<STREAM_BYTES>::open(Arc::clone(file), sealed.footer.streams, false)?;
    let mut strands = Vec::new();
    for entry in table.iter() {
        let (key, entry) = entry?;
        strands.extend(SealedStrand::decode(&entry).map(|strand| (key, strand)));
    }
    Ok((places, strands))
}

/// The name of the stream with this key, if a sound event of it stands here.
fn named(segment: &Segment, at: u32, key: StreamKey) -> Option<String> {
    let position = segment.header.first + u64::from(at);
    let left = segment.end().ok()?.checked_sub(position)?;
    let len = usize::try_from(left).unwrap_or(usize::MAX).min(RECORD_BYTES_MAX);
    let mut bytes = vec![0; len];
    segment.read_at(&mut bytes, position).ok()?;
    match record::decode(&bytes) {
        Ok((Record::Event(event), _)) if key_of(event.stream) == key => {
            Some(event.stream.to_owned())
        }
        _ => None,
    }
}
