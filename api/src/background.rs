//! Work that goes on behind an answer.

use std::sync::Arc;

use async_trait::async_trait;
use playhead_commands::Context;
use playhead_commands::people::{People, PortError, Promise};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use crate::errors::Fault;

/// How much goes on at once: one hashing of a password each, and as many more as may wait for one.
const TASKS_MAX: u32 = 64;

/// Port: what was promised survives this process.
#[async_trait]
pub trait Promises: Send + Sync + 'static {
    /// Returns when a promise is written down, under the id of its command. Until it is settled, it
    /// is the caller who keeps it.
    ///
    /// # Errors
    /// It is not written down; do not answer that it will be done.
    async fn write_down(&self, promise: &Promise, context: &Context) -> Result<(), PortError>;

    /// The caller has done what it could: it is kept, or somebody is to try again later.
    async fn settle(&self, command_id: Uuid, kept: bool);
}

/// Writes nothing down: what was promised is lost with the process.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPromises;

#[async_trait]
impl Promises for NoPromises {
    async fn write_down(&self, _: &Promise, _: &Context) -> Result<(), PortError> {
        Ok(())
    }

    async fn settle(&self, _: Uuid, _: bool) {}
}

/// Work that goes on behind an answer, bounded. Clones share the bound.
#[derive(Clone)]
pub struct Background {
    permits: Arc<Semaphore>,
    promises: Arc<dyn Promises>,
}

impl std::fmt::Debug for Background {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Background").field("permits", &self.permits).finish_non_exhaustive()
    }
}

impl Default for Background {
    fn default() -> Self {
        Self::new(Arc::new(NoPromises))
    }
}

impl Background {
    /// Writes down what it promises.
    #[must_use]
    pub fn new(promises: Arc<dyn Promises>) -> Self {
        let permits = usize::try_from(TASKS_MAX).unwrap_or(usize::MAX);
        Self { permits: Arc::new(Semaphore::new(permits)), promises }
    }

    /// Returns when a promise is written down and somebody has begun to keep it. What goes wrong then
    /// is logged, and tried again later if that can help.
    ///
    /// # Errors
    /// Too much goes on already, or it could not be written down.
    pub(crate) async fn promise(
        &self,
        promise: Promise,
        people: &People,
        context: &Context,
    ) -> Result<(), Fault> {
        let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
            return Err(Fault::overloaded());
        };
        let correlation_id = context.correlation_id;
        if let Err(error) = self.promises.write_down(&promise, context).await {
            tracing::error!(%correlation_id, %error, "{} could not be promised", promise.name());
            return Err(Fault::overloaded());
        }
        let (promises, people, context) =
            (Arc::clone(&self.promises), people.clone(), context.clone());
        spawn(permit, async move {
            let what = promise.name();
            let done = Box::pin(people.keep(promise, &context)).await;
            if let Err(error) = &done {
                tracing::error!(%correlation_id, %error, "{what} failed");
            }
            let kept = done.err().is_none_or(|error| !error.retryable());
            promises.settle(context.command_id, kept).await;
        });
        Ok(())
    }

    /// Returns when nothing goes on any more. To be waited for before the process ends, when no more
    /// requests are answered.
    pub async fn settled(&self) {
        // Never closed, so it cannot fail.
        let _ = self.permits.acquire_many(TASKS_MAX).await;
    }
}

fn spawn(permit: OwnedSemaphorePermit, work: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(async move {
        work.await;
        drop(permit);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_bounded_and_can_be_waited_for() {
        // Closed, it lets everybody go who waits for it or comes later.
        let (background, gate) = (Background::default(), Arc::new(Semaphore::new(0)));
        let permit = || Arc::clone(&background.permits).try_acquire_owned();
        for _ in 0..TASKS_MAX {
            let gate = Arc::clone(&gate);
            spawn(permit().unwrap(), async move { assert!(gate.acquire().await.is_err()) });
        }
        assert!(permit().is_err());
        gate.close();
        background.settled().await;
        assert!(permit().is_ok());
    }
}
