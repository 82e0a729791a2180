//! Opening a journal: finds out where it ends, and what the index does not know yet.
//!
//! Sealed segments are taken as they are; their index was durable before they were called sealed.
//! The records of the others are read, each segment in turn: the last one, and sometimes the one or
//! two before it. The next segment begins only when this one is durable, so all but the last must
//! be whole; and everything in the last one is well up to the first batch that is not whole. What
//! is wrong there is one of two things, and they must not be confused:
//!
//! - A **torn tail**: the process or machine died before the last group was durable. Nobody was
//!   told that it was recorded, so it may go.
//! - **Damage** to what was durable, and so may have been acknowledged. Cutting it off would lose
//!   it and everything behind it.
//!
//! Every commit marker says up to which position the journal was durable when it was written. So a
//! marker behind the bad place that vouches for it proves damage; a clean close leaves one, too.
//! Without one the bad place lies in the last group, and is cut.

use std::io;
use std::sync::Arc;

use super::bug::{Bug, Seeded};
use super::catalog::{Catalog, Layer, Sealed, SegmentIndex};
use super::disk::Access;
use super::error::OpenError;
use super::index::Index;
use super::journal::{Journal, NewSegment};
use super::options::Tuning;
use super::recent::Recent;
use super::run::{self, Run};
use super::scan::{self, Scanned};
use super::seal::{self, Manner, SealError};
use super::segment::{HEADER, Segment};
use super::writer::End;

/// Reads what must be read; answers the index and the end of the journal.
pub(super) fn recover(
    journal: Arc<Journal>,
    tuning: &Tuning,
    access: Access,
) -> Result<(Arc<Index>, End), OpenError> {
    let index = Arc::new(Index::new(Arc::clone(&journal), tuning));
    let firsts = journal.firsts();
    let mut opening = Opening { journal, index, tuning, access, unsealed: false };
    opening.enter_sealed_prefix(&firsts)?;
    let entered = opening.index.live().catalog.sealed.len();
    let mut end = None;
    for (number, first) in firsts.iter().enumerate().skip(entered) {
        let next = firsts.get(number + 1).copied();
        end = opening.enter(*first, next)?;
    }
    let end = match end {
        Some(end) => end,
        None => opening.end_of_sealed()?,
    };
    Ok((opening.index, end))
}

struct Opening<'a> {
    journal: Arc<Journal>,
    index: Arc<Index>,
    tuning: &'a Tuning,
    access: Access,
    /// Whether a segment was found that is not sealed and must stay so.
    unsealed: bool,
}

impl Opening<'_> {
    /// Enters the sealed segments that all others follow, with the runs over them.
    fn enter_sealed_prefix(&self, firsts: &[u64]) -> Result<(), OpenError> {
        let mut catalog = Catalog::default();
        for first in firsts {
            let segment = self.journal.segment(*first)?;
            let Some(sealed) = self.sealed(&segment, &catalog)? else { break };
            catalog.sealed.push(Arc::new(sealed));
        }
        self.enter_layers(&mut catalog)?;
        if let Some(last) = catalog.sealed.last() {
            self.go_on_behind(last);
        }
        self.index.live_mut().catalog = Arc::new(catalog);
        Ok(())
    }

    /// What a segment says of itself if it is sealed and follows what was found before.
    fn sealed(&self, segment: &Segment, before: &Catalog) -> Result<Option<Sealed>, OpenError> {
        let first = segment.header.first;
        self.check_partitions(segment)?;
        let Some(footer) = segment.footer.clone() else { return Ok(None) };
        let sealed = Sealed::open(segment, footer);
        let sealed = sealed.map_err(|error| damaged_index(segment, &error.to_string()))?;
        let last = before.sealed.last();
        check_follows(segment, last.map_or(0, |last| last.footer.end))?;
        let goes_on = match last {
            Some(last) => {
                let mut pairs = last.spans.iter().zip(&sealed.spans);
                pairs.all(|(last, own)| last.next == own.first)
            }
            None => sealed.spans.iter().all(|span| span.first == 0),
        };
        if !goes_on || sealed.spans.len() != usize::from(self.journal.partitions().get()) {
            let reason = format!("the offsets at {first} do not follow those before");
            return Err(damaged_index(segment, &reason));
        }
        Ok(Some(sealed))
    }

    fn check_partitions(&self, segment: &Segment) -> Result<(), OpenError> {
        if segment.header.partitions == self.journal.partitions() {
            return Ok(());
        }
        let reason = "the segment has another partition count than the first one";
        Err(OpenError::corrupt(&segment.path, segment.header.first, reason))
    }

    /// Takes the widest runs that fit, and the indexes of the segments where there are none. Runs
    /// that are not taken are removed.
    fn enter_layers(&self, catalog: &mut Catalog) -> Result<(), OpenError> {
        let (disk, dir) = (self.journal.disk(), self.journal.index_dir());
        let names = disk.list(&dir).unwrap_or_default();
        let mut runs: Vec<_> = names.iter().filter_map(|name| run::covered_by(name)).collect();
        runs.sort_unstable_by_key(|(from, to)| (*from, u64::MAX - to));
        let mut taken = Vec::new();
        let mut number = 0;
        while let Some(sealed) = catalog.sealed.get(number).cloned() {
            let here = runs.iter().filter(|(from, _)| *from == sealed.first);
            let fitting = here.filter_map(|(from, to)| {
                let last = catalog.sealed.iter().position(|other| other.footer.end == *to)?;
                let run = Run::open(disk, &dir, (*from, *to), catalog).ok()?;
                Some((run, last))
            });
            let widest = { fitting }.next();
            if let Some((run, last)) = widest {
                taken.push((run.from, run.to));
                catalog.layers.push(Layer::Many(Arc::new(run)));
                number = last + 1;
            } else {
                let segment = self.journal.segment(sealed.first)?;
                let index = open_index(&segment, &sealed)?;
                catalog.layers.push(Layer::One(Arc::new(index)));
                number += 1;
            }
        }
        if self.access == Access::Write {
            for (from, to) in runs.into_iter().filter(|run| !taken.contains(run)) {
                // Left behind: found again at the next opening.
                let _still_there = disk.remove(&dir.join(run::file_name(from, to)));
            }
        }
        Ok(())
    }

    /// Enters one segment; answers the end of the journal if it is the last one.
    fn enter(&mut self, first: u64, next: Option<u64>) -> Result<Option<End>, OpenError> {
        let segment = self.journal.segment(first)?;
        if !self.unsealed {
            let catalog = Arc::clone(&self.index.live().catalog);
            if let Some(sealed) = self.sealed(&segment, &catalog)? {
                let index = open_index(&segment, &sealed)?;
                self.go_on_behind(&sealed);
                self.index.enter_sealed(sealed, index);
                return Ok(None);
            }
        }
        self.check_partitions(&segment)?;
        check_follows(&segment, self.index.live().active.first)?;
        let scanned = scan::scan(&self.index, &segment, next, self.tuning.seeded(), &mut |_| {})?;
        match next {
            Some(next) => self.enter_full(&segment, scanned, next).map(|()| None),
            None => self.enter_active(segment, scanned).map(Some),
        }
    }

    fn go_on_behind(&self, sealed: &Sealed) {
        let offsets = sealed.spans.iter().map(|span| span.next);
        let mut live = self.index.live_mut();
        live.end = sealed.footer.end;
        live.active = Recent::begin(sealed.footer.end, offsets, 0);
    }

    /// Seals a segment that a crash left unsealed, if that is allowed; else keeps it in memory.
    fn enter_full(
        &mut self,
        segment: &Segment,
        scanned: Scanned,
        next: u64,
    ) -> Result<(), OpenError> {
        if scanned.end != next {
            let reason = "the segment ends before the next one begins";
            return Err(OpenError::corrupt(&segment.path, scanned.end, reason));
        }
        {
            let mut live = self.index.live_mut();
            live.active = Recent::after(&scanned.recent, next);
            live.end = next;
        }
        if self.access == Access::Write && !self.unsealed {
            let manner = Manner { compress: self.tuning.compress, seeded: self.tuning.seeded() };
            match seal::seal(&self.journal, &scanned.recent, next, manner) {
                Ok((sealed, index)) => {
                    self.index.enter_sealed(sealed, index);
                    return Ok(());
                }
                Err(SealError::Open(error)) => return Err(error),
                Err(SealError::Sync { source, .. }) => {
                    return Err(OpenError::io("sync", &segment.path)(source));
                }
                Err(error @ SealError::Write { .. }) => error.warn(),
            }
        }
        self.unsealed = true;
        self.index.live_mut().full.push((Arc::new(scanned.recent), next));
        Ok(())
    }

    fn enter_active(&self, segment: Arc<Segment>, scanned: Scanned) -> Result<End, OpenError> {
        if self.access == Access::Write {
            settle(&segment, &scanned, self.tuning.seeded())
                .map_err(OpenError::io("settle", &segment.path))?;
        }
        let end = End { segment, position: scanned.end, closed: scanned.closed };
        let mut live = self.index.live_mut();
        live.active = scanned.recent;
        live.end = scanned.end;
        Ok(end)
    }

    /// The last segment is sealed, so the next one begins.
    fn end_of_sealed(&self) -> Result<End, OpenError> {
        let position = self.index.live().end;
        if self.access == Access::Read {
            let last = self.journal.firsts().last().copied().unwrap_or(0);
            return Ok(End { segment: self.journal.segment(last)?, position, closed: true });
        }
        let path = self.journal.path_of(position);
        let begun = self.journal.begin_segment(position, NewSegment::Sound);
        let segment = begun.map_err(|failed| OpenError::io("create", &path)(failed.into()))?;
        let position = position + HEADER;
        self.index.live_mut().end = position;
        Ok(End { segment, position, closed: true })
    }
}

/// Whether a segment begins where the one before ends.
pub(super) fn check_follows(segment: &Segment, due: u64) -> Result<(), OpenError> {
    let first = segment.header.first;
    if first == due {
        return Ok(());
    }
    let reason = format!("this segment follows where one at {due} is due");
    Err(OpenError::corrupt(&segment.path, first, &reason))
}

/// The index of a sealed segment, ready for look-ups.
pub(super) fn open_index(segment: &Segment, sealed: &Sealed) -> Result<SegmentIndex, OpenError> {
    let index = SegmentIndex::open(segment, &sealed.footer);
    index.map_err(|error| damaged_index(segment, &error.to_string()))
}

pub(super) fn damaged_index(segment: &Segment, reason: &str) -> OpenError {
    let reason = format!("the index of the segment: {reason}");
    OpenError::corrupt(&segment.path, segment.header.first, &reason)
}

/// Makes the last segment end behind its last whole batch, and everything before that durable.
///
/// What a dead process wrote can be read back although it is not durable; it must be before anybody
/// is told of it. A sync alone does not do: after one has failed, the kernel may hold pages for
/// clean that never reached the disk. So what no marker vouches for is written once more.
fn settle(segment: &Segment, scanned: &Scanned, seeded: Seeded) -> io::Result<()> {
    let first = segment.header.first;
    let file = segment.file();
    if let Some(torn) = &scanned.torn {
        tracing::warn!(
            file = %segment.path.display(),
            position = scanned.end,
            bytes = torn.bytes,
            reason = torn.reason,
            "cutting off the end of the journal: it was never acknowledged"
        );
    }
    let size = scanned.end - first;
    let kept = scanned.torn.is_some() && seeded.has(Bug::TornTailKept);
    if file.len()? > size && !kept {
        file.set_len(size)?;
    }
    if seeded.has(Bug::RecoveredButNotSynced) {
        return Ok(());
    }
    let unsure_from = scanned.synced_through.max(segment.start());
    let mut unsure = vec![0; usize::try_from(scanned.end - unsure_from).unwrap_or(0)];
    segment.read_at(&mut unsure, unsure_from)?;
    file.write_at(&unsure, unsure_from - first)?;
    file.sync()
}
