//! Runs workloads: every answer is compared with that of a log in memory, and noted.

use playhead_eventlog::memory::MemoryLog;
use playhead_eventlog::{
    Append, AppendError, Appended, EventLog, Expected, PartitionCount, RecordedEvent, StreamName,
};

use super::poll::{self, After, Answered, block_on};
use super::{Ask, Settings, Step, Want, events};
use crate::check::judge;
use crate::check::snapshot::Snapshot;
use crate::disk::SimDisk;
use crate::disk::op::Op;
use crate::disk::tree::Tree;
use crate::subject::{Subject, Violation, claim};

/// What was asked, and what came of it.
#[derive(Debug, Clone)]
pub(crate) struct Note {
    pub(crate) append: Append,
    /// Operations of the disk before the log knew of it.
    pub(crate) submitted: usize,
    /// Operations of the disk before the answer.
    pub(crate) answered: usize,
    pub(crate) end: End,
    /// Whether it was unknown for a time what came of it.
    pub(crate) unsure: bool,
}

/// What came of an append.
#[derive(Debug, Clone)]
pub(crate) enum End {
    /// It was acknowledged; these are its events.
    Recorded(Vec<RecordedEvent>),
    /// It was refused, and nothing recorded.
    Refused(AppendError),
    /// The log stopped: nobody knows.
    Unknown,
}

/// A finished run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) start: Tree,
    pub(crate) ops: Vec<Op>,
    pub(crate) notes: Vec<Note>,
}

/// A log at work.
pub(crate) struct Runner<'a> {
    subject: &'a dyn Subject,
    settings: Settings,
    disk: SimDisk,
    log: Option<Box<dyn EventLog>>,
    model: MemoryLog,
    pub(crate) notes: Vec<Note>,
    /// The number of the next event.
    next: u64,
    /// How many faults of the disk the log had met when it was opened.
    met: usize,
    /// Whether the log has stopped since it was opened.
    stopped: bool,
}

impl<'a> Runner<'a> {
    /// A log that is yet to be opened.
    pub(crate) fn idle(subject: &'a dyn Subject, settings: Settings, disk: &SimDisk) -> Self {
        Self {
            subject,
            settings,
            disk: disk.clone(),
            log: None,
            model: MemoryLog::new(count(settings)),
            notes: Vec::new(),
            next: 0,
            met: 0,
            stopped: false,
        }
    }

    /// Goes on with an open log, which holds what the snapshot says.
    pub(crate) fn resume(
        subject: &'a dyn Subject,
        settings: Settings,
        disk: &SimDisk,
        log: Box<dyn EventLog>,
        snapshot: &Snapshot,
        notes: &[Note],
    ) -> Self {
        let mut runner = Self::idle(subject, settings, disk);
        runner.log = Some(log);
        runner.model = model(settings, snapshot);
        runner.notes = notes.to_vec();
        // Far from everything that the notes have.
        runner.next = 1 << 32;
        runner
    }

    pub(crate) fn log(&self) -> &dyn EventLog {
        self.log.as_deref().expect("the log is open")
    }

    pub(crate) fn steps(&mut self, steps: &[Step]) -> Result<(), Violation> {
        steps.iter().try_for_each(|step| self.step(step))
    }

    pub(crate) fn step(&mut self, step: &Step) -> Result<(), Violation> {
        match step {
            Step::Append(ask) => {
                let append = self.make(ask);
                let answered = poll::single(&self.disk, self.log(), append.clone());
                self.note(append, answered)
            }
            Step::Group(first, others) => self.group(first, others, After::Nothing),
            Step::Relieved(first, others) => self.group(first, others, After::Room),
            Step::Reopen => self.reopen(),
            Step::Fail(call, behind) => {
                self.disk.with_faults(|faults| faults.fail(*call, *behind));
                Ok(())
            }
            Step::FailSync(behind, end) => {
                self.disk.with_faults(|faults| faults.fail_sync(*behind, *end));
                Ok(())
            }
            Step::Room(more) => {
                let capacity = more.map(|more| self.disk.used() + more);
                self.disk.with_faults(|faults| faults.capacity = capacity);
                Ok(())
            }
            Step::Quota(bytes) => {
                self.disk.with_faults(|faults| faults.quota = *bytes);
                Ok(())
            }
        }
    }

    fn group(&mut self, first: &Ask, others: &[Ask], after: After) -> Result<(), Violation> {
        self.quiet();
        let first = self.make(first);
        let others: Vec<Append> = others.iter().map(|ask| self.make(ask)).collect();
        let all = poll::group(&self.disk, self.log(), (first.clone(), after), others.clone());
        let mut appends = [first].into_iter().chain(others).zip(all);
        appends.try_for_each(|(append, answered)| self.note(append, answered))
    }

    /// Makes an append and looks at the log while it is being synced: nobody sees it yet.
    pub(crate) fn look_while_syncing(&mut self, ask: &Ask) -> Result<(), Violation> {
        const CHECK: &str = "nothing is seen or answered before it is durable";
        let append = self.make(ask);
        let streams = judge::streams(&self.notes);
        let look = |answered: bool| {
            claim!(!answered, CHECK, "{append:?} was answered");
            self.must_hold(&Snapshot::take(self.log(), &streams)?, CHECK)
        };
        let (answered, seen) = poll::while_syncing(&self.disk, self.log(), append.clone(), look);
        seen?;
        self.note(append, answered)
    }

    /// Closes the log, opens it again and compares.
    pub(crate) fn reopen(&mut self) -> Result<(), Violation> {
        self.log = None;
        self.open()
    }

    fn open(&mut self) -> Result<(), Violation> {
        let met = self.faults_met();
        let mut log = self.subject.open(&self.disk, &self.settings);
        if log.is_err() && self.faults_met() > met {
            // Each fault happens once.
            log = self.subject.open(&self.disk, &self.settings);
        }
        if log.is_err() && self.disk.with_faults(|faults| faults.quota == Some(0)) {
            // What an opening writes once more takes room where the disk copies on write.
            self.step(&Step::Quota(None))?;
            log = self.subject.open(&self.disk, &self.settings);
        }
        let log = log.map_err(|error| Violation::new("the log opens", error))?;
        self.met = self.faults_met();
        let snapshot = self.read(log.as_ref())?;
        judge::judge(&snapshot, &self.notes, usize::MAX)?;
        if !std::mem::take(&mut self.stopped) {
            self.must_hold(&snapshot, "the log holds what it answered")?;
        }
        self.learn(&snapshot);
        self.model = model(self.settings, &snapshot);
        self.log = Some(log);
        Ok(())
    }

    /// Reads everything; once more if the disk failed.
    fn read(&self, log: &dyn EventLog) -> Result<Snapshot, Violation> {
        let (met, streams) = (self.faults_met(), judge::streams(&self.notes));
        let read = Snapshot::take(log, &streams);
        if read.is_err() && self.faults_met() > met { Snapshot::take(log, &streams) } else { read }
    }

    fn faults_met(&self) -> usize {
        self.disk.with_faults(|faults| faults.met)
    }

    /// What can be seen after an opening is known, and must stay.
    fn learn(&mut self, snapshot: &Snapshot) {
        let step = self.disk.step();
        let streams = snapshot.by_stream();
        for note in self.notes.iter_mut().filter(|note| matches!(note.end, End::Unknown)) {
            let stream = streams.get(&note.append.stream).map_or(&[][..], Vec::as_slice);
            let mine = |event: &&RecordedEvent| note.append.events.contains(&event.event);
            let found: Vec<RecordedEvent> = stream.iter().copied().filter(mine).cloned().collect();
            if !found.is_empty() {
                note.end = End::Recorded(found);
                note.answered = step;
            }
        }
    }

    /// The log holds what the log in memory holds.
    fn must_hold(&self, snapshot: &Snapshot, check: &'static str) -> Result<(), Violation> {
        let model = Snapshot::take(&self.model, &judge::streams(&self.notes))?;
        snapshot.must_equal(&model, check)
    }

    /// How many events the log holds.
    pub(crate) fn count(&self) -> u64 {
        self.model.head().total()
    }

    /// How many appends the full disk refused.
    pub(crate) fn refused(&self) -> usize {
        let full = |note: &&Note| matches!(note.end, End::Refused(AppendError::DiskFull { .. }));
        self.notes.iter().filter(full).count()
    }

    /// Ends the run without closing the log, and answers what the disk saw.
    pub(crate) fn finish(mut self) -> Result<Run, Violation> {
        let snapshot = self.read(self.log())?;
        self.must_hold(&snapshot, "the log holds what it answered")?;
        self.log = None;
        let (start, ops) = self.disk.history();
        Ok(Run { start, ops, notes: self.notes })
    }

    /// Returns once the log has done what it does behind an answer: it does one thing after the
    /// other, so it need only be asked something more.
    fn quiet(&self) {
        let never = Expected::Exact(u64::MAX - 1);
        let nothing = Append {
            stream: events::stream(0),
            expected: never,
            events: vec![events::event(u64::MAX, 0)],
        };
        poll::single(&self.disk, self.log(), nothing);
    }

    fn make(&mut self, ask: &Ask) -> Append {
        match ask {
            Ask::Again(back) if *back < self.notes.len() => {
                self.notes[self.notes.len() - 1 - back].append.clone()
            }
            Ask::Again(_) => self.make(&super::one(0, 0, Want::Any)),
            Ask::New { stream, count, size, want } => {
                let stream = events::stream(*stream);
                let expected = self.expected(&stream, *want);
                let first = self.next;
                self.next += *count as u64;
                let events = (first..self.next).map(|number| events::event(number, *size));
                Append { stream, expected, events: events.collect() }
            }
        }
    }

    fn expected(&self, stream: &StreamName, want: Want) -> Expected {
        let exact = |len: u64| len.checked_sub(1).map_or(Expected::NoStream, Expected::Exact);
        let len =
            block_on(self.model.read_stream(stream, 0, usize::MAX)).map_or(0, |all| all.len());
        let len = len as u64;
        match want {
            Want::Any => Expected::Any,
            Want::NoStream => Expected::NoStream,
            Want::Tip => exact(len),
            Want::Stale => exact(len.saturating_sub(1)),
            Want::Ahead => exact(len + 3),
        }
    }

    fn note(&mut self, append: Append, answered: Answered) -> Result<(), Violation> {
        let Answered { answer, submitted, answered } = answered;
        let full = self.disk.with_faults(|faults| faults.is_limited());
        let failing = self.faults_met() > self.met;
        let end = match &answer {
            Err(AppendError::Stopped { .. }) if failing || self.stopped => {
                self.stopped = true;
                End::Unknown
            }
            _ if self.stopped => {
                let detail = format!("{answer:?} to {append:?}");
                return Err(Violation::new("a stopped log stays so", detail));
            }
            Err(error @ AppendError::DiskFull { .. }) if full => End::Refused(error.clone()),
            Err(error @ AppendError::Unreadable(_)) if failing => End::Refused(error.clone()),
            _ => self.due(&append, &answer)?,
        };
        let unsure = matches!(end, End::Unknown);
        self.notes.push(Note { append, submitted, answered, end, unsure });
        Ok(())
    }

    /// Compares an answer with that of the log in memory.
    fn due(
        &self,
        append: &Append,
        answer: &Result<Appended, AppendError>,
    ) -> Result<End, Violation> {
        let due = block_on(self.model.append(append.clone()));
        claim!(*answer == due, what(&due), "{answer:?} where {due:?} is due: {append:?}");
        Ok(match due {
            Ok(place) => {
                let count = append.events.len();
                let read = self.model.read_stream(&append.stream, place.first_version, count);
                End::Recorded(block_on(read).unwrap_or_default())
            }
            Err(error) => End::Refused(error),
        })
    }
}

/// The claim that an answer stands for.
fn what(due: &Result<Appended, AppendError>) -> &'static str {
    match due {
        Ok(place) if place.replayed => "a repeated append answers the same place",
        Ok(_) => "what can be appended is, at the next place",
        Err(_) => "what must be refused is",
    }
}

fn count(settings: Settings) -> PartitionCount {
    PartitionCount::new(settings.partitions).expect("a power of two")
}

/// A log in memory that holds the same.
fn model(settings: Settings, snapshot: &Snapshot) -> MemoryLog {
    let model = MemoryLog::new(count(settings));
    for event in snapshot.events() {
        let append = Append {
            stream: event.stream.clone(),
            expected: Expected::Any,
            events: vec![event.event.clone()],
        };
        block_on(model.append(append)).expect("the snapshot is sound");
    }
    model
}
