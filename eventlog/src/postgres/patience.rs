//! How long the engine goes on trying while the server restarts or the network fails.

use std::io;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::error::passes;

/// The longest that one try may take. Longer than [`LOCK_TIMEOUT`], so that the server, which says
/// why, gives up first.
const TRY: Duration = Duration::from_secs(10);

/// How long a statement may wait for the lock of a partition, as PostgreSQL writes it.
pub(super) const LOCK_TIMEOUT: &str = "5s";

/// How long a transaction may be left alone, as PostgreSQL writes it. A process that is suspended
/// in the midst of an append loses its locks after it, so that others can go on.
pub(super) const IDLE_TIMEOUT: &str = "10s";

/// How long failures are borne that pass by themselves: enough for a server to restart.
pub(super) const TOTAL: Duration = Duration::from_secs(30);

/// The first pause between tries, doubled from one to the next up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// What is left of the time for trying again; it runs from the first failure on.
#[derive(Debug)]
pub(super) struct Patience {
    until: Option<Instant>,
    pause: Duration,
}

impl Patience {
    pub(super) fn new() -> Self {
        Self { until: None, pause: PAUSE_MIN }
    }

    /// Returns when it is time to try again.
    ///
    /// # Errors
    /// The failure, if it does not pass by itself or has lasted too long.
    pub(super) async fn bear(&mut self, failure: sqlx::Error) -> Result<(), sqlx::Error> {
        let now = Instant::now();
        let until = *self.until.get_or_insert(now + TOTAL);
        if !passes(&failure) || now >= until {
            return Err(failure);
        }
        tracing::debug!(%failure, "the event log asks PostgreSQL again");
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        Ok(())
    }
}

/// Gives up a try whose answer may never come, for example because the network is cut.
pub(super) async fn in_time<T>(
    tried: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    timeout(TRY, tried).await.unwrap_or_else(|_| {
        let silent = io::Error::new(io::ErrorKind::TimedOut, "PostgreSQL did not answer in time");
        Err(sqlx::Error::Io(silent))
    })
}
