//! Opens the read models of a data directory; rebuilds those of another version.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use playhead_eventlog::EventLog;
use playhead_projections::store::{Fold, SqliteStore};
use playhead_projections::{Catalog, ContinueWatching, Generations, Projection, StoreError, spawn};
use playhead_replay::Model;

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
}

impl ReadModels {
    /// Opens all, and makes those that are missing. What another version of this program folded is
    /// folded anew from the log first, which takes its time.
    ///
    /// # Errors
    /// A store can neither be opened nor made.
    pub async fn open(log: &Arc<dyn EventLog>, data: &Path) -> anyhow::Result<Self> {
        let dir = directory(data);
        Ok(Self {
            catalog: open(log, &dir, Model::Catalog).await?,
            continue_watching: open(log, &dir, Model::ContinueWatching).await?,
        })
    }

    /// Lets all follow the log.
    #[must_use]
    pub fn follow(&self, log: &Arc<dyn EventLog>) -> Vec<Projection> {
        vec![
            spawn(Arc::clone(log), Arc::new(self.catalog.clone())),
            spawn(Arc::clone(log), Arc::new(self.continue_watching.clone())),
        ]
    }

    /// Closes all; later queries fail.
    pub async fn close(self) {
        self.catalog.close().await;
        self.continue_watching.close().await;
    }
}

async fn open<F: Fold>(
    log: &Arc<dyn EventLog>,
    dir: &Path,
    model: Model,
) -> anyhow::Result<SqliteStore<F>> {
    let generations = Generations::new(dir, model.as_str());
    let opened = match open_live(&generations).await {
        Err(StoreError::OtherVersion { found, wanted, .. }) => {
            tracing::info!(%model, found, wanted, "building the read model anew from the log");
            let report =
                playhead_replay::rebuild(Arc::clone(log), dir, model, false, |_, _| ()).await;
            let report = report.with_context(|| format!("rebuilding {model} failed"))?;
            tracing::info!(%model, report.events, report.rows, "the read model is rebuilt");
            open_live(&generations).await
        }
        other => other,
    };
    opened.with_context(|| format!("opening the read model {model} failed")).advise(|| {
        format!(
            "remove the directory {}: the read model is then built anew from the log",
            dir.join(model.as_str()).display()
        )
    })
}

async fn open_live<F: Fold>(generations: &Generations) -> Result<SqliteStore<F>, StoreError> {
    SqliteStore::open(&generations.live()?).await
}
