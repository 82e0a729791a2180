//! From what a reader finds to what is recorded: one way for every import.
//!
//! A reader, on a thread of its own, emits entries; they are dealt with many at once and settled in
//! their order, so that one number, how many are settled, says how far the import came.

use std::future::Future;

use anyhow::Context as _;
use futures::stream::{self, StreamExt};
use indicatif::ProgressBar;
use playhead_eventlog::EventLog;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Flaw;
use super::checkpoint::Checkpoint;
use super::errors::Errors;
use crate::progress;

/// How many entries are dealt with at once; one fsync serves all that wait.
const IN_FLIGHT: usize = 512;
/// How many entries are read ahead.
const READ_AHEAD: usize = 1_024;

/// What was found at one place of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content<T> {
    /// Something to be recorded.
    Found(T),
    /// Left out on purpose, and why.
    Skipped(&'static str),
    /// A record that cannot be imported.
    Flaw(Flaw),
    /// From here on, nothing in the file can be read.
    Unreadable(Flaw),
    /// Something the user should know.
    Note(String),
}

/// One record, and what was left out of it.
#[derive(Debug)]
pub(super) struct Entry<T> {
    pub(super) content: Content<T>,
    /// Parts of it that are broken. What is left of it is recorded all the same.
    pub(super) parts: Vec<Flaw>,
}

impl<T> Entry<T> {
    /// How many errors the reader found in it.
    fn flaws(&self) -> u64 {
        let whole = matches!(self.content, Content::Flaw(_) | Content::Unreadable(_));
        u64::try_from(self.parts.len()).unwrap_or(u64::MAX).saturating_add(u64::from(whole))
    }
}

impl<T> From<Content<T>> for Entry<T> {
    fn from(content: Content<T>) -> Self {
        Self { content, parts: vec![] }
    }
}

/// Where a reader hands over what it finds.
pub(super) struct Emitter<T> {
    sender: mpsc::Sender<Entry<T>>,
    /// How many entries an earlier run dealt with.
    past: u64,
}

impl<T> Emitter<T> {
    /// Whether the next entry was dealt with by an earlier run, so that its content does not matter.
    pub(super) fn is_past(&self) -> bool {
        self.past > 0
    }

    /// Hands over the next entry. Answers whether more are wanted.
    pub(super) fn emit(&mut self, entry: impl Into<Entry<T>>) -> bool {
        if self.past > 0 {
            self.past -= 1;
            return true;
        }
        self.sender.blocking_send(entry.into()).is_ok()
    }
}

/// What came of something that was found.
#[derive(Debug)]
pub(super) enum Step<R> {
    /// It was recorded, or was so already.
    Done(R),
    /// It was left out on purpose.
    Skipped(&'static str),
    /// It is broken.
    Flawed(Broken),
}

/// What is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// A record, which is left out.
    Record,
    /// A part of a record, which is left out of it.
    Part,
    /// All the rest of a file.
    Rest,
}

/// What an import goes through, besides what it does.
pub(super) struct Flow<'a> {
    pub(super) log: &'a dyn EventLog,
    pub(super) errors: Errors,
    pub(super) checkpoint: Checkpoint,
    pub(super) bar: &'a ProgressBar,
}

/// How an import ended that nothing outside of its files stopped.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// The error that was one too many.
    pub(super) stopped_by: Option<Flaw>,
    /// How many entries an earlier run had dealt with.
    pub(super) went_on_behind: u64,
}

struct Settled<R> {
    content: Content<Result<R, Flaw>>,
    parts: Vec<Flaw>,
}

impl Flow<'_> {
    /// Reads, lets `work` deal with what is found, and hands to `on` what came of it, in order.
    /// The inner error of `work` is about the record.
    ///
    /// # Errors
    /// What `read` or `work` failed with, or the notes of errors and place cannot be written. The
    /// place is noted all the same.
    pub(super) async fn run<T, R, W>(
        mut self,
        read: impl FnOnce(&mut Emitter<T>) -> anyhow::Result<()> + Send + 'static,
        work: impl Fn(T) -> W,
        on: impl FnMut(Step<R>),
    ) -> anyhow::Result<Ended>
    where
        T: Send + 'static,
        R: Send + 'static,
        W: Future<Output = anyhow::Result<Result<R, Flaw>>> + Send + 'static,
    {
        let past = self.checkpoint.entries();
        let ran = self.pump(read, work, on).await;
        let stopped_by = match ran {
            Ok(None) => {
                self.errors.flush()?;
                self.checkpoint.done()?;
                None
            }
            Ok(stopped_by) => {
                self.note()?;
                stopped_by
            }
            Err(error) => {
                // The first failure says more than one of the note.
                let _noted = self.note();
                return Err(error);
            }
        };
        Ok(Ended { stopped_by, went_on_behind: past })
    }

    async fn pump<T, R, W>(
        &mut self,
        read: impl FnOnce(&mut Emitter<T>) -> anyhow::Result<()> + Send + 'static,
        work: impl Fn(T) -> W,
        mut on: impl FnMut(Step<R>),
    ) -> anyhow::Result<Option<Flaw>>
    where
        T: Send + 'static,
        R: Send + 'static,
        W: Future<Output = anyhow::Result<Result<R, Flaw>>> + Send + 'static,
    {
        let (sender, receiver) = mpsc::channel(READ_AHEAD);
        let mut emitter = Emitter { sender, past: self.checkpoint.entries() };
        let reader = tokio::task::spawn_blocking(move || read(&mut emitter));
        let enough = CancellationToken::new();
        // Nothing is begun behind what the reader finds to be one error too many.
        let entries = stream::unfold(Some((receiver, self.errors.left())), async |state| {
            let (mut receiver, left) = state?;
            let entry = receiver.recv().await?;
            let left = left.map(|left| left.checked_sub(entry.flaws()));
            let more = left.is_none_or(|left| left.is_some());
            Some((entry, more.then(|| (receiver, left.flatten()))))
        });
        let entries = entries.take_until(enough.clone().cancelled_owned());
        let mut settled =
            entries.map(|entry| settle(entry, &work)).buffered(IN_FLIGHT).boxed_local();
        let mut stopped_by = None;
        while let Some(entry) = settled.next().await {
            // What is on its way when something cannot be recorded is recorded, and counts as such,
            // but lies behind the place that was reached.
            let stopped = stopped_by.is_some();
            let flaw = self.take(entry?, &mut on)?;
            if stopped {
                continue;
            }
            if flaw.is_some() {
                stopped_by = flaw;
                enough.cancel();
            } else if self.checkpoint.pass() {
                self.note()?;
            }
        }
        // Lets go of the receiver, so that a reader who has more to say ends, too.
        drop(settled);
        reader.await.context("the reader broke off")??;
        Ok(stopped_by)
    }

    /// Passes on what came of an entry. Answers the error that was one too many.
    fn take<R>(
        &mut self,
        settled: Settled<R>,
        on: &mut impl FnMut(Step<R>),
    ) -> anyhow::Result<Option<Flaw>> {
        let mut flaws: Vec<_> = settled.parts.into_iter().map(|it| (it, Broken::Part)).collect();
        match settled.content {
            Content::Found(Ok(done)) => on(Step::Done(done)),
            Content::Skipped(reason) => on(Step::Skipped(reason)),
            Content::Found(Err(flaw)) | Content::Flaw(flaw) => flaws.push((flaw, Broken::Record)),
            Content::Unreadable(flaw) => flaws.push((flaw, Broken::Rest)),
            Content::Note(note) => progress::say(self.bar, format_args!("note: {note}")),
        }
        let mut too_many = None;
        for (flaw, broken) in flaws {
            on(Step::Flawed(broken));
            if self.errors.tell(&flaw)? && too_many.is_none() {
                too_many = Some(flaw);
            }
        }
        Ok(too_many)
    }

    fn note(&mut self) -> anyhow::Result<()> {
        let errors_bytes = self.errors.flush()?;
        let log_events = self.log.head().total();
        self.checkpoint.note(errors_bytes, log_events)
    }
}

/// Deals with an entry, beside the others.
fn settle<T, R, W>(
    entry: Entry<T>,
    work: impl Fn(T) -> W,
) -> impl Future<Output = anyhow::Result<Settled<R>>>
where
    R: Send + 'static,
    W: Future<Output = anyhow::Result<Result<R, Flaw>>> + Send + 'static,
{
    let Entry { content, parts } = entry;
    // Begins now, whenever it is asked for what came of it.
    let (task, content) = match content {
        Content::Found(found) => (Some(tokio::spawn(work(found))), None),
        Content::Skipped(reason) => (None, Some(Content::Skipped(reason))),
        Content::Flaw(flaw) => (None, Some(Content::Flaw(flaw))),
        Content::Unreadable(flaw) => (None, Some(Content::Unreadable(flaw))),
        Content::Note(note) => (None, Some(Content::Note(note))),
    };
    async move {
        let done = match task {
            Some(task) => Some(Content::Found(task.await??)),
            None => content,
        };
        let content = done.context("an entry without content")?;
        Ok(Settled { content, parts })
    }
}

#[cfg(test)]
mod tests;
