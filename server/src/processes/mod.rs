//! What goes on beside requests: people are forgotten when their day has come, sessions end that
//! fell silent, what was promised is made up for, and files are read again that changed.
//!
//! Each is a task that looks at the clock, asks a port what there is to do, and does it through the
//! same commands as everybody. All can be repeated at any time, so nothing is lost if the process dies
//! in between.

pub mod erasures;
pub mod promises;
pub mod search;
pub mod silence;
pub(crate) mod wiring;

use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Tasks that are stopped together.
#[derive(Debug, Default)]
pub struct Processes {
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

impl Processes {
    /// What tells the tasks to stop.
    #[must_use]
    pub fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Begins a task, which must end soon when it is told to stop.
    pub fn begin(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Does something at once and then every so often. What it has begun, it ends before it stops.
    pub fn every<F: Future<Output = ()> + Send>(
        &mut self,
        period: Duration,
        mut work: impl FnMut() -> F + Send + 'static,
    ) {
        let stop = self.stop.clone();
        self.begin(async move {
            let mut ticks = tokio::time::interval(period);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            while stop.run_until_cancelled(ticks.tick()).await.is_some() {
                work().await;
            }
        });
    }

    /// Stops all, and returns when they have ended.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a process ended unexpectedly");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn what_was_begun_ends_before_the_shutdown_is_answered() {
        let (begun, done) = (Arc::new(Notify::new()), Arc::new(AtomicU32::new(0)));
        let mut processes = Processes::default();
        let (beginning, doing) = (Arc::clone(&begun), Arc::clone(&done));
        processes.every(Duration::from_secs(3_600), move || {
            let (begun, done) = (Arc::clone(&beginning), Arc::clone(&doing));
            async move {
                begun.notify_one();
                tokio::task::yield_now().await;
                done.fetch_add(1, Ordering::Relaxed);
            }
        });
        begun.notified().await;
        processes.shutdown().await;
        assert_eq!(done.load(Ordering::Relaxed), 1);
    }
}
