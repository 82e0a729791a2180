//! What every contestant does: the one trait that the workloads know.

use std::ops::Range;

use anyhow::{Result, bail};
use async_trait::async_trait;

/// Events for one stream, to be recorded only if nobody appended to it in the meantime.
#[derive(Debug, Clone, Copy)]
pub struct Append {
    /// Which of the writers asks; a contestant with connections gives each writer its own.
    pub writer: usize,
    /// The stream; contestants name it as [`crate::event::stream_name`] does.
    pub stream: u64,
    /// What the answer to the last append to this stream was; 0 if it has no event.
    pub tip: u64,
    /// How many events.
    pub events: usize,
}

/// The answer to an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The events are durable. The next append to the stream names this tip: the stream's length
    /// where conditions are on versions, a position where they are on queries.
    Done(u64),
    /// The stream was not as expected; nothing was recorded.
    Conflict,
}

/// What a read came across, so that no compiler can leave the decoding out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// How many events.
    pub events: u64,
    /// The bytes of their names, types, ids and payloads.
    pub bytes: u64,
}

impl Seen {
    /// Counts one event in.
    pub fn event(&mut self, bytes: usize) {
        self.events += 1;
        self.bytes += bytes as u64;
    }
}

/// An open event store.
#[async_trait]
pub trait Log: Send + Sync {
    /// Records the events durably, if the stream is as expected.
    ///
    /// # Errors
    /// Anything but a conflict.
    async fn append(&self, append: Append) -> Result<Outcome>;

    /// Begins each of these new streams with one event, in the fastest way there is, and answers
    /// their tips; `None` if there is no faster way than many appends at once.
    ///
    /// # Errors
    /// The streams could not be written.
    async fn fill(&self, _streams: Range<u64>) -> Result<Option<Vec<u64>>> {
        Ok(None)
    }

    /// Reads and decodes every event in order, as one reader.
    ///
    /// # Errors
    /// The log could not be read.
    async fn scan(&self) -> Result<Seen>;

    /// Reads every event of a stream.
    ///
    /// # Errors
    /// The log could not be read.
    async fn read(&self, stream: u64) -> Result<Seen>;

    /// Ends every thread and process of the store in good order.
    ///
    /// # Errors
    /// The store could not be closed.
    async fn close(&self) -> Result<()>;

    /// The process that serves the store, if it is not this one; its children count too.
    fn server(&self) -> Option<u32> {
        None
    }
}

/// No store: what stands in its place while it is opened anew.
#[derive(Debug)]
pub(crate) struct Closed;

#[async_trait]
impl Log for Closed {
    async fn append(&self, _append: Append) -> Result<Outcome> {
        bail!("closed")
    }

    async fn scan(&self) -> Result<Seen> {
        bail!("closed")
    }

    async fn read(&self, _stream: u64) -> Result<Seen> {
        bail!("closed")
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}
