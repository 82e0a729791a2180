//! Builds a read model anew from the start of the log, and makes it the live one if it is the same.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use async_trait::async_trait;
use playhead_eventlog::{Cursor, EventLog};
use playhead_projections::store::{Fold, SqliteStore};
use playhead_projections::{
    Catalog, ContinueWatching, Generation, Generations, ProjectionError, ReadModel, StoreError,
    Trending, access, catalog, catch_up_to, continue_watching, trending,
};
use playhead_search::projection::Search;
use serde::Serialize;
use thiserror::Error;

use crate::compare::{Comparison, TableReport, compare, compare_indexes, describe};

/// A read model that can be rebuilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// Every title, in lists.
    Catalog,
    /// Where each profile is in each title.
    ContinueWatching,
    /// Who may act for each account.
    Access,
    /// What is watched much, and where.
    Trending,
    /// What can be found by searching.
    Search,
}

impl Model {
    /// Every read model.
    pub const ALL: [Self; 5] =
        [Self::Catalog, Self::ContinueWatching, Self::Access, Self::Trending, Self::Search];

    /// The name of the read model, and of its directory.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Catalog => catalog::Changes::NAME,
            Self::ContinueWatching => continue_watching::Changes::NAME,
            Self::Access => access::Changes::NAME,
            Self::Trending => trending::Changes::NAME,
            Self::Search => playhead_search::projection::NAME,
        }
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// There is no read model of this name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no read model {name:?}; there are {}", Model::ALL.map(Model::as_str).join(", "))]
pub struct UnknownModel {
    /// The name as given.
    pub name: String,
}

impl FromStr for Model {
    type Err = UnknownModel;

    fn from_str(name: &str) -> Result<Self, UnknownModel> {
        let found = Self::ALL.into_iter().find(|model| model.as_str() == name);
        found.ok_or_else(|| UnknownModel { name: name.to_owned() })
    }
}

/// What a rebuild is busy with, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Bringing the live generation to the head of the log.
    BringingUp,
    /// Folding the log into the new generation.
    Folding,
    /// Comparing the two, row by row.
    Comparing,
}

/// What a rebuild did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RebuildReport {
    /// How many events were folded into the new generation: all from the start of the log.
    pub events: u64,
    /// How many rows the new generation has.
    pub rows: u64,
    /// Every table, compared with the live generation if that can be.
    pub tables: Vec<TableReport>,
    /// Whether the live generation is of this version and was folded from this log. If not, nothing
    /// could be compared.
    pub compared: bool,
    /// Whether the generations were compared and have the same content.
    pub equal: bool,
    /// Whether the new generation is the live one now. If not, both were kept.
    pub switched: bool,
    /// The file or directory of the new generation.
    pub generation: PathBuf,
    /// SHA-256 over the content of the new generation, in hexadecimal digits.
    pub hash: String,
}

/// Why a read model could not be rebuilt. The live generation is as it was, but maybe further on.
#[derive(Debug, Error)]
pub enum RebuildError {
    /// A store could not be opened, read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log could not be read or folded.
    #[error(transparent)]
    Projection(#[from] ProjectionError),
}

/// Builds the next generation of a read model under a directory of read models, up to the head of
/// the log as it is now, and compares it with the live one, which is first brought to the same
/// place, and made if there is none. Switches to it if both are equal, if the live one cannot be
/// compared because it is of another version or was folded from another log, or if `force`.
///
/// `progress` is told of each phase as it begins, and of the number of events folded in it so far. No
/// projection may be running on the live generation: stop it first, and open the live generation anew afterwards.
///
/// # Errors
/// A store or the log cannot be read or written; the live generation stays the live one.
pub async fn rebuild(
    log: Arc<dyn EventLog>,
    dir: &Path,
    model: Model,
    force: bool,
    progress: impl FnMut(Phase, u64),
) -> Result<RebuildReport, RebuildError> {
    match model {
        Model::Catalog => rebuild_as::<Catalog>(log, dir, force, progress).await,
        Model::Access => {
            rebuild_as::<SqliteStore<access::Changes>>(log, dir, force, progress).await
        }
        Model::Trending => rebuild_as::<Trending>(log, dir, force, progress).await,
        Model::ContinueWatching => rebuild_as::<ContinueWatching>(log, dir, force, progress).await,
        Model::Search => rebuild_as::<Search>(log, dir, force, progress).await,
    }
}

/// Generations whose content can be compared.
#[async_trait]
trait Comparable: Generation {
    /// Compares two that nobody has open; without a live one, counts and hashes the new one.
    async fn compare(live: Option<&Path>, new: &Path) -> Result<Comparison, StoreError>;
}

#[async_trait]
impl<F: Fold> Comparable for SqliteStore<F> {
    async fn compare(live: Option<&Path>, new: &Path) -> Result<Comparison, StoreError> {
        match live {
            Some(live) => compare(live, new).await,
            None => describe(new).await,
        }
    }
}

#[async_trait]
impl Comparable for Search {
    async fn compare(live: Option<&Path>, new: &Path) -> Result<Comparison, StoreError> {
        let new = <Self as Generation>::open(new).await?;
        let live = match live {
            Some(live) => Some(<Self as Generation>::open(live).await?),
            None => None,
        };
        let snapshots = (live.as_ref().map(Self::snapshot), new.snapshot());
        let compared = tokio::task::spawn_blocking(move || {
            let (live, new) = snapshots;
            tokio::runtime::Handle::current().block_on(compare_indexes(live.as_deref(), &new))
        });
        let compared = compared.await;
        new.close().await;
        if let Some(live) = live {
            live.close().await;
        }
        let operation = "comparing search indexes";
        compared.map_err(|ended| StoreError::Index { operation, source: ended.into() })?
    }
}

async fn rebuild_as<G: Comparable>(
    log: Arc<dyn EventLog>,
    dir: &Path,
    force: bool,
    mut progress: impl FnMut(Phase, u64),
) -> Result<RebuildReport, RebuildError> {
    let generations = Generations::of::<G>(dir);
    let (live, next) = (generations.live()?, generations.next()?);
    let until = log.head();
    progress(Phase::BringingUp, 0);
    let bringing_up = |events| progress(Phase::BringingUp, events);
    let compared = bring_up::<G>(&log, &live, &until, bringing_up).await?;
    progress(Phase::Folding, 0);
    let store = G::open_fresh(&next).await?;
    let built: Arc<dyn ReadModel> = Arc::new(store.clone());
    let folding = |events| progress(Phase::Folding, events);
    let events = catch_up_to(log, built, &until, folding).await?;
    store.seal().await?;
    progress(Phase::Comparing, events);
    let Comparison { tables, rows, hash, equal } =
        G::compare(compared.then_some(live.as_path()), &next).await?;
    let equal = compared && equal;
    let switched = equal || force || !compared;
    if switched {
        generations.switch(&next)?;
    } else {
        tracing::error!(model = G::NAME, "the rebuilt read model differs; the live one stays");
    }
    Ok(RebuildReport { events, rows, tables, compared, equal, switched, generation: next, hash })
}

/// Brings the live generation to a place in the log; false if it is of another version, or
/// was folded from another log.
async fn bring_up<G: Generation>(
    log: &Arc<dyn EventLog>,
    live: &Path,
    until: &Cursor,
    progress: impl FnMut(u64),
) -> Result<bool, RebuildError> {
    let store = match G::open(live).await {
        Ok(store) => store,
        Err(error) if error.needs_rebuild() => {
            tracing::info!(%error, "nothing to compare with");
            return Ok(false);
        }
        Err(error) => return Err(error.into()),
    };
    let brought_up = bring_up_store(log, &store, until, progress).await;
    store.close().await;
    brought_up
}

async fn bring_up_store<G: Generation>(
    log: &Arc<dyn EventLog>,
    store: &G,
    until: &Cursor,
    progress: impl FnMut(u64),
) -> Result<bool, RebuildError> {
    if !store.belongs_to(log.as_ref()).await? {
        tracing::info!(model = G::NAME, "the live read model was folded from another log");
        return Ok(false);
    }
    let model: Arc<dyn ReadModel> = Arc::new(store.clone());
    catch_up_to(Arc::clone(log), model, until, progress).await?;
    Ok(true)
}

#[cfg(test)]
mod tests;
