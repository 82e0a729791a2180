//! The end of the journal, where groups are written.
//!
//! Room on the disk is taken before anything is written to it, so a full disk is found out while
//! nothing has happened yet: the group is refused, and the next one may find room again. After any
//! other failed write, and after one failed sync, nothing is written any more: what the kernel still
//! holds of that group is unknown, and a second sync may report success without having written
//! anything ("fsyncgate": Rebello et al., *Can Applications Recover from fsync Failures?*, ATC
//! 2020).

use std::io::{self, ErrorKind};
use std::sync::Arc;

use super::bug::{Bug, Seeded};
use super::group::Group;
use super::index::Index;
use super::journal::{Failed, NewSegment};
use super::options::Tuning;
use super::recent::{Ids, Recent, Tip};
use super::segment::{HEADER, Segment};
use super::writer::{Answers, Asked, End};
use crate::append::AppendError;

/// Zeros are written ahead of groups up to this size.
const SMALL_GROUP_BYTES: usize = 64 << 10;

/// What is written ahead.
static ZEROS: [u8; 1 << 20] = [0; 1 << 20];

/// The end of the journal. Whoever has it may write, and nobody else.
#[derive(Debug)]
pub(super) struct Tape {
    index: Arc<Index>,
    tuning: Tuning,
    seeded: Seeded,
    segment: Arc<Segment>,
    /// The size up to which room is taken for the active segment.
    allocated: u64,
    /// The size up to which the active segment has been written before, be it zeros.
    written: u64,
    /// The position behind the last durable byte.
    end: u64,
    /// Whether the journal ends in a closing marker.
    closed: bool,
    /// Whether the last attempt found the disk full.
    full: bool,
}

/// Why a group is not durable.
enum Failure {
    /// Nothing was written.
    Full(String),
    /// Nothing is known.
    Broken(String),
}

impl Tape {
    pub(super) fn new(index: Arc<Index>, tuning: Tuning, end: End) -> io::Result<Self> {
        Ok(Self {
            index,
            seeded: tuning.seeded(),
            tuning,
            allocated: end.segment.file().len()?,
            written: 0,
            segment: end.segment,
            end: end.position,
            closed: end.closed,
            full: false,
        })
    }

    /// The position behind the last durable byte.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Whether the journal ends in a closing marker.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Makes a group durable, then visible, then answers it. A refusal is everybody's answer.
    pub(super) fn commit(
        &mut self,
        group: &Group,
        answers: &mut Answers,
    ) -> Result<(), AppendError> {
        let written = self.write(group);
        self.settle(group, written, answers)
    }

    /// Writes a group, which is not durable then.
    pub(super) fn write(&mut self, group: &Group) -> Result<(), AppendError> {
        if let Some(reason) = self.index.stopped() {
            return Err(stopped(reason));
        }
        if group.bytes().is_empty() {
            return Ok(());
        }
        if self.seeded.has(Bug::VisibleBeforeSync) {
            self.publish_events(group);
        }
        self.put(group).map_err(|failure| self.refuse(failure))
    }

    /// Makes a group that was written durable, then visible, then answers it.
    pub(super) fn settle(
        &mut self,
        group: &Group,
        written: Result<(), AppendError>,
        answers: &mut Answers,
    ) -> Result<(), AppendError> {
        let synced = match (written, group.bytes()) {
            (Ok(()), []) => Ok(()),
            (Ok(()), _) => self.sync().inspect(|()| self.publish(group)),
            (refused, _) => refused,
        };
        let done = self.index.stopped().map_or(synced, |reason| Err(stopped(reason)));
        answer(answers, done.as_ref().err());
        done
    }

    /// What a failure means for those who wait.
    fn refuse(&mut self, failure: Failure) -> AppendError {
        match failure {
            Failure::Full(reason) => {
                if !self.full {
                    tracing::warn!(reason, "the disk is full: appends are refused until it is not");
                }
                self.full = true;
                AppendError::DiskFull { reason }
            }
            Failure::Broken(reason) => {
                self.index.stop(reason.clone());
                AppendError::Stopped { reason }
            }
        }
    }

    fn put(&mut self, group: &Group) -> Result<(), Failure> {
        let end = self.end;
        let at = end - self.segment.header.first;
        let size = group.end() - self.segment.header.first;
        self.allocate(size)?;
        self.write_ahead(group.bytes().len(), size);
        self.segment.file().write_at(group.bytes(), at).map_err(|error| {
            self.take_back(&error, at, format!("writing at position {end} failed: {error}"))
        })
    }

    fn sync(&mut self) -> Result<(), AppendError> {
        let rolled = self.end == self.segment.start();
        let unsynced = self.seeded.has(Bug::AckBeforeSync)
            || rolled && self.seeded.has(Bug::AckBeforeSyncAfterRollover);
        if unsynced {
            return Ok(());
        }
        let file = self.segment.file();
        let again = |error| match self.seeded.has(Bug::GoOnAfterFailedSync) {
            true => file.sync(),
            false => Err(error),
        };
        file.sync().or_else(again).map_err(|error| {
            let failure = format!("syncing from position {} on failed: {error}", self.end);
            self.refuse(Failure::Broken(failure))
        })
    }

    /// Takes room for the active segment up to a size, and some more ahead.
    fn allocate(&mut self, size: u64) -> Result<(), Failure> {
        if size <= self.allocated {
            return Ok(());
        }
        let ahead = size.next_multiple_of(self.tuning.allocate_bytes);
        let ahead = ahead.min(self.tuning.segment_bytes).max(size);
        let file = self.segment.file();
        // Where there is no room to work ahead there may be room for this group.
        let taken = file.allocate(ahead).or_else(|error| match is_full(&error) {
            true => file.allocate(size),
            false => Err(error),
        });
        match taken {
            Ok(()) => {
                self.allocated = file.len().map_or(size, |len| len.max(size));
                Ok(())
            }
            Err(error) if is_full(&error) => Err(Failure::Full(error.to_string())),
            Err(error) => {
                Err(Failure::Broken(format!("taking room for {size} bytes failed: {error}")))
            }
        }
    }

    /// Writes zeros ahead of a small group. To sync bytes that replace others costs half of what it
    /// costs to sync the first bytes of a block, because the file system notes nothing new; for
    /// large groups that is little beside the zeros.
    fn write_ahead(&mut self, bytes: usize, size: u64) {
        if size <= self.written || bytes > SMALL_GROUP_BYTES {
            self.written = self.written.max(size);
            return;
        }
        let zeros = self.allocated.saturating_sub(size);
        let zeros = usize::try_from(zeros).unwrap_or(usize::MAX).min(ZEROS.len());
        let zeros = ZEROS.get(..zeros).unwrap_or(&[]);
        // Without them it only takes longer.
        let _as_before = self.segment.file().write_at(zeros, size);
        self.written = size + u64::try_from(zeros.len()).unwrap_or(0);
    }

    /// What was written of a group that will be refused must not come back after a crash.
    fn take_back(&mut self, error: &io::Error, at: u64, failure: String) -> Failure {
        if !is_full(error) {
            return Failure::Broken(failure);
        }
        if self.seeded.has(Bug::RefusedBatchReappears) {
            return Failure::Full(failure);
        }
        self.allocated = at;
        self.written = self.written.min(at);
        let file = self.segment.file();
        match file.set_len(at).and_then(|()| file.sync()) {
            Ok(()) => Failure::Full(failure),
            Err(error) => Failure::Broken(format!("{failure}; taking it back failed: {error}")),
        }
    }

    fn publish(&mut self, group: &Group) {
        if self.full {
            tracing::info!("there is room on the disk again: appends go on");
            self.full = false;
        }
        if !self.seeded.has(Bug::VisibleBeforeSync) {
            self.publish_events(group);
        }
        self.end = group.end();
        self.closed = false;
        let segment = self.segment.header.first;
        for (key, len) in group.lengths() {
            self.index.remember(key, Tip { len, segment });
        }
    }

    fn publish_events(&self, group: &Group) {
        let mut live = self.index.live_mut();
        group.publish_to(&mut live.active);
        live.end = group.end();
        drop(live);
        self.index.announce();
    }

    /// Begins the next segment where this one ends, whose ids these are. Every group is durable.
    pub(super) fn roll(&mut self, ids: impl FnOnce() -> Ids) -> Result<(), AppendError> {
        let kind = if self.seeded.has(Bug::NoDirectorySync) {
            NewSegment::NameUnsynced
        } else if self.seeded.has(Bug::NameBeforeHeader) {
            NewSegment::NamedUnsynced
        } else {
            NewSegment::Sound
        };
        let end = self.end;
        let begun = self.index.journal().begin_segment(end, kind);
        self.segment = begun.map_err(|failed| match failed {
            Failed::Unnamed(error) if is_full(&error) => {
                self.refuse(Failure::Full(error.to_string()))
            }
            Failed::Unnamed(error) | Failed::Named(error) => self
                .refuse(Failure::Broken(format!("beginning the segment at {end} failed: {error}"))),
        })?;
        self.allocated = HEADER;
        self.written = 0;
        self.end = end + HEADER;
        let mut live = self.index.live_mut();
        let next = Recent::after(&live.active, end);
        let full = std::mem::replace(&mut live.active, next);
        live.full.push((Arc::new(full.with_ids(ids())), end));
        live.end = self.end;
        Ok(())
    }

    /// Gives back the room that was not needed.
    pub(super) fn trim(&self) {
        let size = self.end - self.segment.header.first;
        let file = self.segment.file();
        let trimmed = match file.len() {
            Ok(len) if len > size => file.set_len(size).and_then(|()| file.sync()),
            _ => Ok(()),
        };
        if let Err(error) = trimmed {
            tracing::warn!(%error, "the active segment keeps room that it does not need");
        }
    }
}

/// Answers everybody, with the refusal if there is one.
pub(super) fn answer(answers: &mut Answers, refusal: Option<&AppendError>) {
    let mut answered = Vec::with_capacity(answers.len());
    for Asked { answer, outcome, append } in answers.drain(..) {
        // A caller that has gone away does not want to know.
        let _gone = answer.send(refusal.cloned().map_or(outcome, Err));
        answered.push(append);
    }
}

pub(super) fn stopped(reason: &str) -> AppendError {
    AppendError::Stopped { reason: reason.to_owned() }
}

/// Whether more room would help.
fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
    )
}
