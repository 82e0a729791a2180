//! The toy at work: everything in memory, and one thread that writes.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use async_trait::async_trait;
use playhead_eventlog::memory::MemoryLog;
use playhead_eventlog::{
    Append, AppendError, Appended, Batch, Cursor, EventLog, PartitionCount, ReadError,
    RecordedEvent, StreamName,
};
use tokio::sync::oneshot;

use super::ToyBug;
use super::journal::{self, Journal};
use crate::disk::SimDisk;
use crate::workload::Settings;
use crate::workload::poll::block_on;

type Answer = Result<Appended, AppendError>;
type Request = (Append, oneshot::Sender<Answer>);

pub(super) struct ToyLog {
    visible: Arc<MemoryLog>,
    queue: Option<Sender<Request>>,
    writer: Option<JoinHandle<()>>,
}

/// A log in memory that holds these appends.
pub(super) fn in_memory(partitions: u16, appends: &[Append]) -> Result<MemoryLog, String> {
    let partitions = PartitionCount::new(partitions).ok_or("a bad partition count")?;
    let log = MemoryLog::new(partitions);
    for append in appends {
        block_on(log.append(append.clone())).map_err(|error| error.to_string())?;
    }
    Ok(log)
}

impl ToyLog {
    pub(super) fn open(
        disk: &SimDisk,
        settings: &Settings,
        bug: Option<ToyBug>,
    ) -> Result<Self, String> {
        let (journal, found) =
            Journal::open(disk, settings.partitions, settings.segment_bytes, bug)?;
        let visible = Arc::new(in_memory(found.partitions, &found.appends)?);
        let staged = in_memory(found.partitions, &found.appends)?;
        let writer = Writer {
            visible: Arc::clone(&visible),
            staged,
            recorded: found.appends,
            journal,
            bug,
            stopped: None,
        };
        let (queue, requests) = mpsc::channel();
        let writer = Some(thread::spawn(move || writer.run(&requests)));
        Ok(Self { visible, queue: Some(queue), writer })
    }
}

impl Drop for ToyLog {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(writer) = self.writer.take() {
            let _ended = writer.join();
        }
    }
}

struct Writer {
    visible: Arc<MemoryLog>,
    staged: MemoryLog,
    /// Everything recorded so far.
    recorded: Vec<Append>,
    journal: Journal,
    bug: Option<ToyBug>,
    stopped: Option<String>,
}

impl Writer {
    fn run(mut self, requests: &Receiver<Request>) {
        while let Ok(first) = requests.recv() {
            self.commit([first].into_iter().chain(requests.try_iter()).collect());
        }
    }

    fn commit(&mut self, requests: Vec<Request>) {
        let mut group = Vec::new();
        let mut recorded = Vec::new();
        let mut answers = Vec::new();
        for (append, answer) in requests {
            let outcome = match &self.stopped {
                Some(reason) => Err(AppendError::Stopped { reason: reason.clone() }),
                None => block_on(self.staged.append(append.clone())),
            };
            if outcome.as_ref().is_ok_and(|place| !place.replayed) {
                journal::encode(&append, &mut group);
                recorded.push(append);
            }
            answers.push((answer, outcome));
        }
        let written = self.write(&group);
        let early = match self.bug {
            Some(ToyBug::AcknowledgeBeforeSync) => true,
            Some(ToyBug::AcknowledgeBeforeSyncAfterRoll) => self.journal.just_rolled(),
            _ => false,
        };
        if early {
            self.answer(&mut answers, &mut recorded);
        }
        let synced =
            written.and_then(|()| if group.is_empty() { Ok(()) } else { self.journal.sync() });
        match synced {
            Ok(()) => self.recorded.extend(recorded.iter().cloned()),
            Err(error) if error.kind() == ErrorKind::StorageFull => {
                self.refuse(&mut answers, &error.to_string());
                recorded.clear();
            }
            Err(_) if self.bug == Some(ToyBug::GoOnAfterFailedSync) => {}
            Err(error) => self.stopped = Some(error.to_string()),
        }
        self.answer(&mut answers, &mut recorded);
    }

    fn write(&mut self, group: &[u8]) -> io::Result<()> {
        if group.is_empty() { Ok(()) } else { self.journal.write(group) }
    }

    /// The group did not fit: nothing of it happened.
    fn refuse(&mut self, answers: &mut [(oneshot::Sender<Answer>, Answer)], reason: &str) {
        if self.bug != Some(ToyBug::HoleBehindFullDisk) {
            let partitions = self.visible.partitions().get();
            if let Ok(staged) = in_memory(partitions, &self.recorded) {
                self.staged = staged;
            }
        }
        for (_, outcome) in answers {
            *outcome = Err(AppendError::DiskFull { reason: reason.to_owned() });
        }
    }

    fn answer(
        &self,
        answers: &mut Vec<(oneshot::Sender<Answer>, Answer)>,
        recorded: &mut Vec<Append>,
    ) {
        if self.stopped.is_none() {
            for append in recorded.drain(..) {
                let _visible = block_on(self.visible.append(append));
            }
        }
        for (answer, outcome) in answers.drain(..) {
            let stopped = self.stopped.clone();
            let outcome = stopped.map_or(outcome, |reason| Err(AppendError::Stopped { reason }));
            let _gone = answer.send(outcome);
        }
    }
}

#[async_trait]
impl EventLog for ToyLog {
    fn partitions(&self) -> PartitionCount {
        self.visible.partitions()
    }

    async fn append(&self, append: Append) -> Answer {
        let (answer, answered) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or(AppendError::Closed)?;
        queue.send((append, answer)).map_err(|_| AppendError::Closed)?;
        answered.await.unwrap_or(Err(AppendError::Closed))
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: u64,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, ReadError> {
        self.visible.read_stream(stream, from, limit).await
    }

    async fn read(&self, from: &Cursor, limit: usize) -> Result<Batch, ReadError> {
        self.visible.read(from, limit).await
    }

    async fn wait(&self, from: &Cursor) {
        self.visible.wait(from).await;
    }

    fn head(&self) -> Cursor {
        self.visible.head()
    }
}
