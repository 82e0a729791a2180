//! The processes of a running server, and how often each does something.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use playhead_api::Services;
use playhead_commands::Position;
use playhead_commands::people::SigningKeys;
use playhead_domain::AccountId;
use playhead_domain::playback::SILENCE_MAX_MS;
use playhead_vault::Vault;
use tokio_util::sync::CancellationToken;

use super::Processes;
use super::erasures::{Erasures, Memories, Notes};
use super::promises::Promised;
use super::search::Plays;
use super::silence::Silence;
use crate::app::caught_up;
use crate::clock::{new_id, now_ms};
use crate::keys::signing;
use crate::lookups::{AccessLookups, Heard};
use crate::read_models::ReadModels;
use crate::territory::Territories;

/// How often somebody is looked for whose day has come.
const FORGET_EVERY: Duration = Duration::from_secs(60);
/// How often searches learn what was played.
const POPULARITY_EVERY: Duration = Duration::from_secs(60);
/// How often what was promised is looked for: a pause between two mails to an address is as long.
const MAKE_UP_EVERY: Duration = Duration::from_secs(60);
/// How often sessions are looked for that fell silent.
const END_SILENT_EVERY: Duration = Duration::from_secs(15);
/// How often files of territories are looked at.
const TERRITORIES_EVERY: Duration = Duration::from_secs(10);
/// How long read models may take to come up to the log before something is put off.
const CATCH_UP_MAX: Duration = Duration::from_secs(5);
/// How long read models may take to fold an erasure before scrubbing is put off.
const FOLD_MAX: Duration = Duration::from_secs(60);

/// Takes over rotated signing keys.
pub(crate) fn follow_keys(
    processes: &mut Processes,
    watch: signing::Watch,
    keys: &Arc<SigningKeys>,
) {
    let keys = Arc::clone(keys);
    let stop = processes.stop_token();
    processes.begin(signing::follow(watch, stop, move |ring| keys.replace(ring)));
}

/// Reads files of territories again that have changed.
pub(crate) fn follow_territories(processes: &mut Processes, territories: Arc<Territories>) {
    processes.begin(territories.follow(TERRITORIES_EVERY, processes.stop_token()));
}

/// Forgets people whose day has come, and which tokens were ended long ago.
pub(crate) fn forget(
    processes: &mut Processes,
    services: &Arc<Services>,
    read_models: &ReadModels,
    vault: &Vault,
    data: &Path,
) {
    let memories =
        ServerMemories { services: Arc::clone(services), read_models: read_models.clone() };
    let (people, vault) = (services.people.clone(), vault.clone());
    let erasures = Arc::new(Erasures { people, vault, memories, notes: Notes::of(data) });
    let (access, stop) = (read_models.access.clone(), processes.stop_token());
    let recalled = Arc::new(AtomicBool::new(false));
    processes.every(FORGET_EVERY, move || {
        let (erasures, access) = (Arc::clone(&erasures), access.clone());
        let (recalled, stop) = (Arc::clone(&recalled), stop.clone());
        async move {
            access.forget_old(now_ms());
            if let Err(error) = forget_round(&erasures, &recalled, &stop).await {
                let error = format!("{error:#}");
                tracing::error!(%error, "forgetting people is put off");
            }
        }
    });
}

/// Once since the start, when the read models know all who were erased, compares the keys with them.
async fn forget_round(
    erasures: &Erasures<ServerMemories>,
    recalled: &AtomicBool,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let services = &erasures.memories.services;
    if !recalled.load(Ordering::Relaxed)
        && caught_up(&*services.log, &services.projections, CATCH_UP_MAX).await
    {
        let restored = erasures.recall().await?;
        if restored > 0 {
            tracing::warn!(restored, "older keys were put back; forgetting who was erased again");
        }
        recalled.store(true, Ordering::Relaxed);
    }
    erasures.rounds(now_ms, new_id, || stop.is_cancelled()).await.map(|_| ())
}

/// Makes up for what was promised and not done.
pub(crate) fn make_up(processes: &mut Processes, services: &Arc<Services>, promised: Promised) {
    let people = services.people.clone();
    processes.every(MAKE_UP_EVERY, move || {
        let (people, promised) = (people.clone(), promised.clone());
        async move {
            if let Err(error) = promised.round(&people, now_ms()).await {
                tracing::error!(%error, "what was promised is put off");
            }
        }
    });
}

/// Ends sessions that fell silent.
pub(crate) fn end_silent(
    processes: &mut Processes,
    services: &Arc<Services>,
    read_models: &ReadModels,
) {
    let silence = Arc::new(Silence {
        people: services.people.clone(),
        running: Arc::new(AccessLookups(read_models.access.clone())),
        last_seen: Arc::new(Heard(read_models.continue_watching.clone())),
    });
    let services = Arc::clone(services);
    // While nobody answered, no player could be heard of.
    let not_before_ms = now_ms().saturating_add(SILENCE_MAX_MS);
    processes.every(END_SILENT_EVERY, move || {
        let (silence, services) = (Arc::clone(&silence), Arc::clone(&services));
        async move {
            if now_ms() < not_before_ms
                || !caught_up(&*services.log, &services.projections, CATCH_UP_MAX).await
            {
                return;
            }
            let ended = silence.round(now_ms(), new_id).await;
            if ended > 0 {
                tracing::info!(ended, "sessions ended that had fallen silent");
            }
        }
    });
}

/// Orders searches by what is played, and keeps suggestions up to date.
pub(crate) fn serve_searches(processes: &mut Processes, read_models: &ReadModels) {
    let (trending, search) = (read_models.trending.clone(), read_models.search.clone());
    processes.begin(super::search::keep_prepared(search.clone(), processes.stop_token()));
    let plays = Arc::new(tokio::sync::Mutex::new(Plays::default()));
    processes.every(POPULARITY_EVERY, move || {
        let (trending, search, plays) = (trending.clone(), search.clone(), Arc::clone(&plays));
        async move {
            if let Err(error) = plays.lock().await.refresh(&trending, &search).await {
                tracing::error!(%error, "searches are ordered by older plays");
            }
        }
    });
}

/// The read models of a running server.
struct ServerMemories {
    services: Arc<Services>,
    read_models: ReadModels,
}

#[async_trait]
impl Memories for ServerMemories {
    async fn due(&self, now_ms: i64, limit: usize) -> anyhow::Result<Vec<AccountId>> {
        let limit = u32::try_from(limit)?;
        let due = self.read_models.access.due_erasures(now_ms, limit).await?;
        Ok(due.into_iter().map(|due| due.account_id).collect())
    }

    async fn erased(
        &self,
        after: Option<AccountId>,
        limit: usize,
    ) -> anyhow::Result<Vec<AccountId>> {
        Ok(self.read_models.access.erased_accounts(after, u32::try_from(limit)?).await?)
    }

    async fn scrub(&self, positions: &[Position]) -> anyhow::Result<()> {
        let folded = async {
            for projection in &self.services.projections {
                for position in positions {
                    projection.passed(position.partition, position.offset).await;
                }
            }
        };
        tokio::time::timeout(FOLD_MAX, folded).await?;
        Ok(self.read_models.scrub().await?)
    }
}
