//! Which segments there are, and what each says of itself.

use std::sync::Arc;

use super::across::Covering;
use super::{Flaws, VerifyReport, count};
use crate::embedded::catalog::Sealed;
use crate::embedded::damage::Damage;
use crate::embedded::error::OpenError;
use crate::embedded::footer::{FOOTER_BYTES, Footer, ID_BYTES, STREAM_BYTES};
use crate::embedded::journal::Journal;
use crate::embedded::segment::Segment;

/// What is to be checked, and what was found so far.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) journal: Arc<Journal>,
    /// Those up to the last sealed one, in order.
    pub(super) sealed: Vec<Work>,
    /// Those behind it: the first position of each.
    pub(super) unsealed: Vec<u64>,
    /// Whether the index of every sealed segment can be believed.
    pub(super) indexed: bool,
    /// The runs that are right.
    pub(super) runs: Vec<Covering>,
    pub(super) report: VerifyReport,
    pub(super) flaws: Flaws,
    pub(super) warnings: Vec<String>,
}

/// A segment that is sealed, or was.
#[derive(Debug, Clone)]
pub(super) struct Work {
    pub(super) first: u64,
    /// The position behind its last record.
    pub(super) end: u64,
    /// The offsets that its partitions begin at; `None` if they are unknown.
    pub(super) offsets: Option<Vec<u64>>,
    /// `None` if its footer is lost.
    pub(super) sealed: Option<Arc<Sealed>>,
}

/// What became of opening a segment.
enum State {
    Sealed(Arc<Sealed>),
    Unsealed,
    Broken,
}

impl Survey {
    pub(super) fn take(journal: Arc<Journal>) -> Result<Self, OpenError> {
        let firsts = journal.firsts();
        let report = VerifyReport {
            segments: count(firsts.len()),
            events: 0,
            batches: 0,
            bytes: firsts.last().copied().unwrap_or(0),
            torn_tail_bytes: 0,
        };
        let mut survey = Self {
            journal,
            sealed: Vec::new(),
            unsealed: Vec::new(),
            indexed: true,
            runs: Vec::new(),
            report,
            flaws: Flaws::default(),
            warnings: Vec::new(),
        };
        let mut states = Vec::new();
        for first in &firsts {
            states.push((*first, survey.open(*first)?));
        }
        let sealed = states.iter().rposition(|(_, state)| matches!(state, State::Sealed(_)));
        let behind = states.split_off(sealed.map_or(0, |last| last + 1));
        survey.enter_sealed(states, behind.first().map(|(first, _)| *first));
        survey.enter_unsealed(&behind)?;
        Ok(survey)
    }

    fn open(&mut self, first: u64) -> Result<State, OpenError> {
        let segment = match self.journal.segment(first) {
            Ok(segment) => segment,
            Err(OpenError::Corrupt(damage)) => {
                self.flaws.push(*damage);
                return Ok(State::Broken);
            }
            Err(OpenError::NotAJournal { file }) => {
                let reason = "the first bytes of the segment are not those of one";
                self.flaws.push(Damage::at(&file, first, reason));
                return Ok(State::Broken);
            }
            Err(other) => return Err(other),
        };
        let mut broken = |reason: &str| {
            self.flaws.push(Damage::at(&segment.path, first, reason));
            Ok(State::Broken)
        };
        if segment.header.partitions != self.journal.partitions() {
            return broken("the segment has another partition count than the first one");
        }
        let Some(footer) = segment.footer.clone() else { return Ok(State::Unsealed) };
        match Sealed::open(&segment, footer) {
            Ok(sealed) if sealed.spans.len() == usize::from(self.journal.partitions().get()) => {
                Ok(State::Sealed(Arc::new(sealed)))
            }
            Ok(_) => broken("the index of the segment: it has other partitions"),
            Err(error) => broken(&format!("the index of the segment: {error}")),
        }
    }

    fn enter_sealed(&mut self, states: Vec<(u64, State)>, behind: Option<u64>) {
        let nexts: Vec<u64> =
            states.iter().skip(1).map(|(first, _)| *first).chain(behind).collect();
        let mut due = 0;
        let mut offsets = Some(vec![0; usize::from(self.journal.partitions().get())]);
        for (nth, (first, state)) in states.into_iter().enumerate() {
            let path = self.journal.path_of(first);
            if first != due {
                let reason =
                    format!("this segment follows where one at {due} is due: one is missing");
                self.flaws.push(Damage::at(&path, first, reason));
                (self.indexed, offsets) = (false, None);
            }
            let sealed = match state {
                State::Sealed(sealed) => Some(sealed),
                State::Unsealed => {
                    let reason = "the footer of the segment is not what was written";
                    self.flaws.push(Damage::at(&path, first, reason));
                    None
                }
                State::Broken => None,
            };
            let end = match &sealed {
                Some(sealed) => sealed.footer.end,
                None => nexts.get(nth).copied().unwrap_or(first),
            };
            let own = sealed.as_ref().map(|sealed| sealed.spans.iter().map(|span| span.first));
            let own: Option<Vec<u64>> = own.map(Iterator::collect);
            if let (Some(own), Some(due)) = (&own, &offsets)
                && own != due
            {
                let reason = "the index of the segment: its offsets do not follow those before";
                self.flaws.push(Damage::at(&path, first, reason));
                self.indexed = false;
            }
            due = end;
            let begins = own.or_else(|| offsets.take());
            offsets = sealed.as_ref().map(|sealed| sealed.spans.iter().map(|s| s.next).collect());
            self.indexed &= sealed.is_some();
            self.sealed.push(Work { first, end, offsets: begins, sealed });
        }
        if let Some(behind) = behind.filter(|behind| *behind != due) {
            let reason = format!("this segment follows where one at {due} is due: one is missing");
            let path = self.journal.path_of(behind);
            self.flaws.push(Damage::at(&path, behind, reason));
            self.indexed = false;
        }
        self.report.bytes = self.report.bytes.max(due);
    }

    /// Segments that were never sealed, as far as can be told.
    fn enter_unsealed(&mut self, behind: &[(u64, State)]) -> Result<(), OpenError> {
        for (first, state) in behind {
            if matches!(state, State::Broken) {
                self.indexed = false;
                return Ok(());
            }
            self.unsealed.push(*first);
            let segment = self.journal.segment(*first)?;
            if segment.footer.is_none() && has_flipped_footer(&segment)? {
                let reason = "a bit of the footer is flipped; no event is lost: the next server \
                              that opens the log makes the footer anew";
                self.flaws.push(Damage::at(&segment.path, *first, reason));
            }
        }
        Ok(())
    }

    /// How many bytes are to be read, about.
    pub(super) fn weight(&self) -> u64 {
        let sealed = self.sealed.iter().map(|work| work.end.saturating_sub(work.first));
        let indexes = self.sealed.iter().filter_map(|work| work.sealed.as_ref()).map(|sealed| {
            let footer = &sealed.footer;
            // What a damaged footer claims may be any number.
            let ids = footer.ids.entries.len.saturating_mul(count(ID_BYTES));
            ids.saturating_add(footer.streams.entries.len.saturating_mul(count(STREAM_BYTES)))
        });
        let unsealed =
            self.unsealed.iter().zip(self.unsealed.iter().skip(1).map(Some).chain([None]));
        let unsealed = unsealed.map(|(first, next)| match next {
            Some(next) => next.saturating_sub(*first),
            None => {
                let segment = self.journal.segment(*first);
                segment.ok().and_then(|last| last.end().ok()).map_or(0, |end| end - first)
            }
        });
        sealed.chain(indexes).chain(unsealed).fold(0, u64::saturating_add)
    }
}

/// Whether a file would end in a footer if one bit was another. A crash leaves no such file, as it
/// tears files at sectors.
fn has_flipped_footer(segment: &Segment) -> Result<bool, OpenError> {
    let file = segment.file();
    let read = || {
        let len = file.len()?;
        let mut bytes = vec![0; FOOTER_BYTES];
        match len.checked_sub(count(FOOTER_BYTES)) {
            Some(at) => file.read_at(&mut bytes, at).map(|()| bytes),
            None => Ok(Vec::new()),
        }
    };
    let bytes = read().map_err(OpenError::io("read", &segment.path))?;
    Ok(Footer::is_likely(&bytes) && flips(&bytes).any(|bytes| Footer::decode(&bytes).is_some()))
}

/// The bytes with one bit flipped, each in turn.
pub(super) fn flips(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    (0..bytes.len() * 8).map(|bit| {
        let mut flipped = bytes.to_vec();
        if let Some(byte) = flipped.get_mut(bit / 8) {
            *byte ^= 1 << (bit % 8);
        }
        flipped
    })
}
