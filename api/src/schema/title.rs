//! Titles.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::runtime::Timer;
use async_graphql::{ComplexObject, Context, Enum, Error, ID, Object, SimpleObject};
use futures::future::{BoxFuture, FutureExt};
use futures::task::{FutureObj, Spawn, SpawnError};
use playhead_domain::TitleId;
use playhead_domain::title::{Kind, Metadata, Source};
use playhead_projections::StoreError;
use playhead_projections::catalog::{Catalog, TitleFilter, TitleRow};

use super::page::PageInfo;
use super::scalars::Milliseconds;
use crate::caller::Caller;
use crate::global_id::GlobalId;

/// What kind of title it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Kind")]
pub(crate) enum TitleType {
    /// A feature film, also one made for television or video.
    Movie,
    /// A film of less than 40 minutes.
    Short,
    /// A series or mini-series; its episodes are titles of their own.
    Series,
    /// One episode of a series.
    Episode,
    /// A one-off programme.
    Special,
}

/// Something that can be watched, or a series of such things.
#[derive(Debug, Clone)]
pub(crate) struct Title {
    /// Its id.
    pub(crate) id: TitleId,
    /// What is known of it.
    pub(crate) metadata: Arc<Metadata>,
}

impl From<TitleRow> for Title {
    fn from(row: TitleRow) -> Self {
        Self { id: row.title_id, metadata: Arc::new(row.metadata) }
    }
}

/// Something that can be watched, or a series of such things.
#[Object]
impl Title {
    /// A global id.
    pub(crate) async fn id(&self) -> ID {
        GlobalId::Title(self.id).into()
    }

    /// The name that viewers see.
    async fn name(&self) -> &str {
        &self.metadata.name
    }

    /// What kind of title it is.
    #[graphql(name = "type")]
    async fn kind(&self) -> TitleType {
        self.metadata.kind.into()
    }

    /// The year of first release.
    async fn year(&self) -> Option<u16> {
        self.metadata.year
    }

    /// The running time.
    async fn runtime_ms(&self) -> Option<Milliseconds> {
        self.metadata.runtime_ms.map(Milliseconds)
    }

    /// Where the closing credits begin.
    async fn credits_start_ms(&self) -> Option<Milliseconds> {
        self.metadata.credits_start_ms.map(Milliseconds)
    }

    /// Genres, most fitting first.
    async fn genres(&self) -> &[String] {
        &self.metadata.genres
    }

    /// Directors.
    async fn directors(&self) -> &[String] {
        &self.metadata.directors
    }

    /// Actors, in the order of the credits.
    async fn cast(&self) -> &[String] {
        &self.metadata.cast
    }

    /// What it is about.
    async fn synopsis(&self) -> Option<&str> {
        self.metadata.synopsis.as_deref()
    }

    /// A picture for it.
    async fn artwork_url(&self) -> Option<&str> {
        self.metadata.artwork_url.as_deref()
    }

    /// The series, if it is an episode.
    async fn series(&self, context: &Context<'_>) -> Option<Result<Title, Error>> {
        let episode_of = self.metadata.episode_of?;
        load(context, episode_of.series_id).await.transpose()
    }

    /// The season, if it is an episode: counted from 1; 0 for specials.
    async fn season(&self) -> Option<u32> {
        self.metadata.episode_of.map(|episode| episode.season)
    }

    /// The number in the season, if it is an episode: counted from 1.
    async fn episode(&self) -> Option<u32> {
        self.metadata.episode_of.map(|episode| episode.number)
    }

    /// The record of another catalogue that it was imported from.
    async fn source(&self) -> Option<TitleSource> {
        self.metadata.source.clone().map(TitleSource::from)
    }
}

/// A record of another catalogue.
#[derive(Debug, SimpleObject)]
pub(crate) struct TitleSource {
    /// The catalogue, such as `imdb`.
    catalogue: String,
    /// The record's key there.
    key: String,
}

impl From<Source> for TitleSource {
    fn from(source: Source) -> Self {
        Self { catalogue: source.catalogue, key: source.key }
    }
}

/// Finds titles by id, many at once.
pub(crate) struct Titles(Arc<Catalog>);

/// Collects the titles that are asked for while an operation runs, so that those of one level are
/// found with one query. Without a delay: what is asked for at the same moment is enough.
pub(crate) fn titles_loader(catalog: &Arc<Catalog>) -> DataLoader<Titles> {
    DataLoader::new(Titles(Arc::clone(catalog)), OnTokio, OnTokio).delay(Duration::ZERO)
}

/// Runs the loader's tasks. Its wait is one turn of the scheduler: a timer would wait for its next
/// tick, a millisecond.
struct OnTokio;

impl Spawn for OnTokio {
    fn spawn_obj(&self, task: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        tokio::spawn(task);
        Ok(())
    }
}

impl Timer for OnTokio {
    fn delay(&self, _: Duration) -> BoxFuture<'static, ()> {
        tokio::task::yield_now().boxed()
    }
}

impl Loader<TitleId> for Titles {
    type Value = Title;
    type Error = Arc<StoreError>;

    async fn load(&self, ids: &[TitleId]) -> Result<HashMap<TitleId, Title>, Arc<StoreError>> {
        let rows = self.0.titles(ids).await.map_err(Arc::new)?;
        Ok(rows.into_iter().map(|row| (row.title_id, row.into())).collect())
    }
}

/// One title, found together with others; `None` if it is not listed.
pub(crate) async fn load(context: &Context<'_>, id: TitleId) -> Result<Option<Title>, Error> {
    let caller = Caller::of(context)?;
    let loader = context.data::<DataLoader<Titles>>()?;
    let failed = |error: Arc<StoreError>| caller.internal("titles cannot be read", &*error);
    Ok(loader.load_one(id).await.map_err(failed)?)
}

/// A page of titles.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct TitleConnection {
    /// The titles with their cursors.
    pub(crate) edges: Vec<TitleEdge>,
    /// Where the page lies.
    pub(crate) page_info: PageInfo,
    #[graphql(skip)]
    pub(crate) filter: TitleFilter,
}

/// A title in a list.
#[derive(SimpleObject)]
pub(crate) struct TitleEdge {
    /// Where it stands.
    pub(crate) cursor: String,
    /// The title.
    pub(crate) node: Title,
}

#[ComplexObject]
impl TitleConnection {
    /// The titles without their cursors.
    async fn nodes(&self) -> Vec<Title> {
        self.edges.iter().map(|edge| edge.node.clone()).collect()
    }

    /// How many titles the whole list has.
    async fn total_count(&self, context: &Context<'_>) -> Result<i32, Error> {
        let caller = Caller::of(context)?;
        let count = caller.services.catalog.count(&self.filter).await;
        let count = count.map_err(|error| caller.internal("titles cannot be counted", &error))?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }
}

/// A title as its stream has it; `None` unless it is listed.
pub(crate) fn of_state(id: TitleId, state: &playhead_domain::title::State) -> Option<Title> {
    state.listed().map(|metadata| Title { id, metadata: Arc::new(metadata.clone()) })
}
