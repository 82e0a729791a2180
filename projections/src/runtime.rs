//! Feeds read models from the log: what a read model is, and what follows it.

use async_trait::async_trait;
use playhead_eventlog::{Batch, Cursor, Partition, StreamName};
use uuid::Uuid;

use crate::error::StoreError;

mod catching_up;
mod projection;
#[cfg(test)]
mod tests;

pub use catching_up::{catch_up, catch_up_to};
pub use projection::{Projection, Status, spawn};

/// The most events that are folded into one commit.
pub const BATCH_MAX: usize = 8_192;

/// A state folded from the log, with its store.
///
/// **Invariant:** the state is a function of the events before the checkpoint. Neither the size of
/// batches nor the interleaving of partitions shows in it.
///
/// **Invariant:** one writer. [`ReadModel::resume`] comes before the first fold and after every
/// failure; batches are folded in order and committed in the order in which they were folded.
#[async_trait]
pub trait ReadModel: Send + Sync + 'static {
    /// The name of the read model, and of its directory.
    fn name(&self) -> &'static str;

    /// Everything before it is in the store. A partition that it does not name stands at its start.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn checkpoint(&self) -> Result<Cursor, StoreError>;

    /// About how many events go into one commit while it is behind. The more, the fewer pages of
    /// random keys are written twice.
    fn commit_max(&self) -> usize {
        65_536
    }

    /// Forgets what was folded and not committed, and answers the checkpoint to go on from.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn resume(&self) -> Result<Cursor, StoreError>;

    /// Folds a batch in memory: decodes it and works out changes. Writes nothing. An event that
    /// cannot be folded is parked, and so are the later events of its stream.
    fn fold(&self, batch: &Batch, attempt: Attempt) -> Box<dyn Folded>;

    /// Folds the batch and commits changes, parked events and the checkpoint `batch.next` in one
    /// transaction.
    ///
    /// # Errors
    /// Nothing was committed, or nobody knows: resume before going on.
    async fn apply(&self, batch: &Batch) -> Result<Applied, StoreError> {
        self.fold(batch, Attempt::First).commit().await
    }

    /// Parked events behind a place in the log, in log order, at most `limit`.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn parked_after(
        &self,
        place: Option<(Partition, u64)>,
        limit: u32,
    ) -> Result<Vec<Parked>, StoreError>;

    /// The first 1,000 parked events in log order, for people to look at.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn parked(&self) -> Result<Vec<Parked>, StoreError> {
        self.parked_after(None, 1_000).await
    }
}

/// A batch that is folded and waits to be written.
#[async_trait]
pub trait Folded: Send {
    /// Writes changes, parked events and the checkpoint in one transaction.
    ///
    /// # Errors
    /// Nothing was committed, or nobody knows: [`ReadModel::resume`] before going on.
    async fn commit(self: Box<Self>) -> Result<Applied, StoreError>;
}

/// Whether events are folded for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// They are new.
    First,
    /// They are parked, lie before the checkpoint and are tried again.
    Again,
}

/// What a commit came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Applied {
    /// How many events the batch had, wanted or not.
    pub events: u64,
    /// How many events are parked in the store now.
    pub parked: u64,
}

/// An event that could not be folded, or that waits behind one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// Its stream.
    pub stream: StreamName,
    /// Its place in the stream.
    pub version: u64,
    /// Its partition.
    pub partition: Partition,
    /// Its place in the partition.
    pub offset: u64,
    /// Its id.
    pub event_id: Uuid,
    /// Its type.
    pub event_type: String,
    /// Why it is parked, for people.
    pub error: String,
}
