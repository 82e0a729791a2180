//! Opens the read models of a data directory; rebuilds those of another version or another log.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use playhead_eventlog::EventLog;
use playhead_projections::{
    Access, Catalog, ContinueWatching, Generation, Generations, Projection, StoreError, Trending,
    spawn,
};
use playhead_replay::Model;
use playhead_search::projection::Search;

use crate::clock;
use crate::failure::Advise;

/// Where the read models of a data directory are.
#[must_use]
pub fn directory(data: &Path) -> PathBuf {
    data.join("read")
}

/// Every read model.
#[derive(Debug, Clone)]
pub struct ReadModels {
    /// The titles.
    pub catalog: Catalog,
    /// Continue watching, history and bookmarks.
    pub continue_watching: ContinueWatching,
    /// Who may act for each account.
    pub access: Access,
    /// What is watched much, and where.
    pub trending: Trending,
    /// What can be found by searching.
    pub search: Search,
}

impl ReadModels {
    /// Opens all, and makes those that are missing. What another version of this program folded, or
    /// what was folded from another log, is folded anew from the log first, which takes its time.
    ///
    /// # Errors
    /// A store can neither be opened nor made, or the log cannot be read.
    pub async fn open(log: &Arc<dyn EventLog>, data: &Path) -> anyhow::Result<Self> {
        let dir = directory(data);
        let access = open(log, &dir, Model::Access).await?;
        let opened = Access::over(access, clock::now_ms()).await;
        Ok(Self {
            catalog: open(log, &dir, Model::Catalog).await?,
            continue_watching: open(log, &dir, Model::ContinueWatching).await?,
            access: opened.context("reading who may act for accounts failed")?,
            trending: open(log, &dir, Model::Trending).await?,
            search: open(log, &dir, Model::Search).await?,
        })
    }

    /// Lets all follow the log.
    #[must_use]
    pub fn follow(&self, log: &Arc<dyn EventLog>) -> Vec<Projection> {
        vec![
            spawn(Arc::clone(log), Arc::new(self.catalog.clone())),
            spawn(Arc::clone(log), Arc::new(self.continue_watching.clone())),
            spawn(Arc::clone(log), Arc::new(self.access.clone())),
            spawn(Arc::clone(log), Arc::new(self.trending.clone())),
            spawn(Arc::clone(log), Arc::new(self.search.clone())),
        ]
    }

    /// Closes all; later queries fail.
    pub async fn close(self) {
        self.catalog.close().await;
        self.continue_watching.close().await;
        self.access.store().close().await;
        self.trending.close().await;
        Generation::close(&self.search).await;
    }

    /// Removes what dropped rows left behind on the disk. Of the search index nothing: it holds
    /// nothing about people.
    ///
    /// # Errors
    /// A store is in use or cannot be written; something may be left.
    pub async fn scrub(&self) -> Result<(), StoreError> {
        self.catalog.scrub().await?;
        self.continue_watching.scrub().await?;
        self.access.store().scrub().await?;
        self.trending.scrub().await
    }
}

async fn open<G: Generation>(
    log: &Arc<dyn EventLog>,
    dir: &Path,
    model: Model,
) -> anyhow::Result<G> {
    let generations = Generations::of::<G>(dir);
    let opened: Result<G, StoreError> = match open_live(&generations).await {
        Err(error) if error.needs_rebuild() => {
            tracing::warn!(%model, %error, "building the read model anew from the log");
            rebuild(log, dir, model).await?;
            open_live(&generations).await
        }
        Ok(store) => match G::belongs_to(&store, log.as_ref()).await {
            Ok(true) => Ok(store),
            Ok(false) => {
                tracing::warn!(
                    %model,
                    "the read model was folded from another log, or from one that has since been \
                     restored; building it anew"
                );
                store.close().await;
                rebuild(log, dir, model).await?;
                open_live(&generations).await
            }
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    };
    opened.with_context(|| format!("opening the read model {model} failed")).advise(|| {
        format!(
            "remove the directory {}: the read model is then built anew from the log",
            dir.join(model.as_str()).display()
        )
    })
}

async fn rebuild(log: &Arc<dyn EventLog>, dir: &Path, model: Model) -> anyhow::Result<()> {
    let report = playhead_replay::rebuild(Arc::clone(log), dir, model, false, |_, _| ()).await;
    let report = report.with_context(|| format!("rebuilding {model} failed"))?;
    tracing::info!(%model, report.events, report.rows, "the read model is rebuilt");
    Ok(())
}

async fn open_live<G: Generation>(generations: &Generations) -> Result<G, StoreError> {
    G::open(&generations.live()?).await
}

#[cfg(test)]
mod tests {
    use playhead_domain::TitleId;
    use playhead_domain::codec::StoredEvent;
    use playhead_domain::title::{Event, Kind, Metadata, TitleAdded};
    use playhead_eventlog::memory::MemoryLog;
    use playhead_eventlog::{Append, Expected, NewEvent, PartitionCount, StreamName};
    use playhead_projections::catch_up;
    use uuid::Uuid;

    use super::*;

    async fn log_with(titles: std::ops::Range<u64>) -> Arc<dyn EventLog> {
        let log = Arc::new(MemoryLog::new(PartitionCount::new(4).unwrap()));
        for number in titles {
            let title_id = TitleId(Uuid::from_u64_pair(3, number));
            let metadata = Metadata::new(Kind::Movie, format!("Title {number}"));
            let (owner, draft) = (None, false);
            let added = TitleAdded { title_id, metadata, owner, draft, at_ms: 5 };
            let added = Event::Added(added);
            let event = NewEvent {
                id: Uuid::from_u64_pair(9, number),
                event_type: added.event_type().name.into(),
                schema_version: added.event_type().version,
                recorded_at_ms: 0,
                actor: "system:test".into(),
                correlation_id: Uuid::nil(),
                causation_id: Uuid::nil(),
                payload: added.to_json().unwrap().into(),
                metadata: Vec::new().into(),
            };
            let stream = StreamName::parse(&format!("title-{title_id}")).unwrap();
            let append = Append { stream, expected: Expected::Any, events: vec![event] };
            log.append(append).await.unwrap();
        }
        log
    }

    /// Opens the read models, brings them up to the log and answers where the catalogue is.
    async fn used(log: &Arc<dyn EventLog>, data: &Path) -> PathBuf {
        let models = ReadModels::open(log, data).await.unwrap();
        catch_up(Arc::clone(log), Arc::new(models.catalog.clone()), drop).await.unwrap();
        let path = models.catalog.path().to_owned();
        models.close().await;
        path
    }

    #[tokio::test]
    async fn read_models_of_the_same_log_are_kept() {
        let (log, data) = (log_with(0..20).await, tempfile::tempdir().unwrap());
        let first = used(&log, data.path()).await;
        assert_eq!(used(&log, data.path()).await, first);
        assert_eq!(used(&log_with(0..30).await, data.path()).await, first, "it has only grown");
    }

    #[tokio::test]
    async fn read_models_of_another_or_a_restored_log_are_built_anew() {
        let log = log_with(0..20).await;
        for other in [log_with(100..120).await, log_with(0..12).await, log_with(4..90).await] {
            let (data, fresh) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let before = used(&log, data.path()).await;
            let after = used(&other, data.path()).await;
            assert_ne!(after, before);
            let alone = used(&other, fresh.path()).await;
            assert!(playhead_replay::compare(&after, &alone).await.unwrap().equal);
        }
    }
}
