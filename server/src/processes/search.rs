//! What searches need besides the index: how much titles are played, and what completes typing.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use playhead_domain::TitleId;
use playhead_projections::{StoreError, Trending};
use playhead_search::popularity::Popularity;
use playhead_search::projection::Search;
use tokio_util::sync::CancellationToken;

/// How many titles are read at once.
const PAGE: u32 = 10_000;
/// How many titles are ordered by their plays; of further ones only the votes count.
const TITLES_MAX: usize = 1_000_000;
/// Plays of different partitions are counted in any order, so those of the last minute are read
/// again, in milliseconds.
const AGAIN_MS: i64 = 60_000;
/// How long changes are gathered before suggestions are prepared anew.
const GATHER: Duration = Duration::from_secs(1);
/// Preparing takes at most one part in so many of a core.
const PAUSE_FACTOR: u32 = 10;
/// The longest pause between two preparations.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// The pause after one that failed.
const PAUSE_FAILED: Duration = Duration::from_secs(10);

/// How much titles were ever played, as searches are ordered by it.
#[derive(Debug, Default)]
pub struct Plays {
    plays: HashMap<TitleId, u32>,
    /// When the newest play came to count.
    newest_ms: Option<i64>,
}

impl Plays {
    /// Reads what was played since the last time, and orders searches by it. Does nothing if nothing
    /// was played.
    ///
    /// # Errors
    /// A read model cannot be read; what was read counts the next time.
    pub async fn refresh(
        &mut self,
        trending: &Trending,
        search: &Search,
    ) -> Result<(), StoreError> {
        let mut changed = false;
        let from = self.newest_ms.map(|newest_ms| newest_ms.saturating_sub(AGAIN_MS));
        let mut after = from.map(|from_ms| (from_ms, TitleId(uuid::Uuid::nil())));
        loop {
            let page = trending.totals(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.last_play_at_ms, last.title_id));
            for total in page {
                self.newest_ms = self.newest_ms.max(Some(total.last_play_at_ms));
                let plays = u32::try_from(total.plays).unwrap_or(u32::MAX);
                if self.plays.contains_key(&total.title_id) || self.plays.len() < TITLES_MAX {
                    changed |= self.plays.insert(total.title_id, plays) != Some(plays);
                }
            }
        }
        if changed {
            search.set_popularity(Popularity::new(self.plays.clone())).await?;
        }
        Ok(())
    }
}

/// Prepares suggestions at once, and again whenever the index has changed, until it is stopped.
pub async fn keep_prepared(search: Search, stop: CancellationToken) {
    let mut pause = Duration::ZERO;
    loop {
        let outdated = async {
            tokio::time::sleep(pause).await;
            search.outdated().await;
        };
        if stop.run_until_cancelled(outdated).await.is_none() {
            return;
        }
        let began = Instant::now();
        pause = match search.prepare().await {
            Ok(_) => (began.elapsed() * PAUSE_FACTOR).clamp(GATHER, PAUSE_MAX),
            Err(error) => {
                tracing::error!(%error, "suggestions stay as they were");
                PAUSE_FAILED
            }
        };
    }
}
