//! Work that goes on behind an answer.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// How much goes on at once: one hashing of a password each, and as many more as may wait for one.
const TASKS_MAX: u32 = 64;

/// Work that goes on behind an answer, bounded. Clones share the bound.
#[derive(Debug, Clone)]
pub struct Background {
    permits: Arc<Semaphore>,
}

impl Default for Background {
    fn default() -> Self {
        let permits = usize::try_from(TASKS_MAX).unwrap_or(usize::MAX);
        Self { permits: Arc::new(Semaphore::new(permits)) }
    }
}

impl Background {
    /// Begins some work; false if too much goes on already.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) -> bool {
        let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else { return false };
        tokio::spawn(async move {
            work.await;
            drop(permit);
        });
        true
    }

    /// Returns when nothing goes on any more. To be waited for before the process ends, when no more
    /// requests are answered.
    pub async fn settled(&self) {
        // Never closed, so it cannot fail.
        let _ = self.permits.acquire_many(TASKS_MAX).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_bounded_and_can_be_waited_for() {
        // Closed, it lets everybody go who waits for it or comes later.
        let (background, gate) = (Background::default(), Arc::new(Semaphore::new(0)));
        for _ in 0..TASKS_MAX {
            let gate = Arc::clone(&gate);
            assert!(background.spawn(async move { assert!(gate.acquire().await.is_err()) }));
        }
        assert!(!background.spawn(async {}));
        gate.close();
        background.settled().await;
        assert!(background.spawn(async {}));
    }
}
