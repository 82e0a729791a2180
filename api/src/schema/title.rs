//! Titles.

use std::collections::{BTreeMap, HashMap};
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

use super::availability::Availability;
use super::eyes::Eyes;
use super::maturity::Maturity;
use super::page::PageInfo;
use super::scalars::Milliseconds;
use crate::access::Role;
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
    /// A film about what is real.
    Documentary,
    /// A series or mini-series; its episodes are titles of their own.
    Series,
    /// One episode of a series.
    Episode,
    /// A one-off programme.
    Special,
    /// Something that comes with another title, such as an interview.
    Extra,
    /// What another title is announced with.
    Trailer,
}

/// Something that can be watched, or a series of such things.
#[derive(Debug, Clone)]
pub(crate) struct Title {
    /// Its id.
    pub(crate) id: TitleId,
    /// What is known of it.
    pub(crate) metadata: Arc<Metadata>,
    /// With whose eyes it was found, and so what leads on from it.
    pub(crate) eyes: Eyes,
}

impl Title {
    /// A title of the catalogue.
    pub(crate) fn of(row: TitleRow, eyes: Eyes) -> Self {
        Self { id: row.title_id, metadata: Arc::new(row.metadata), eyes }
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
    async fn directors(&self) -> Vec<&str> {
        self.metadata.directors().collect()
    }

    /// Actors, in the order of the credits.
    async fn cast(&self) -> Vec<&str> {
        self.metadata.cast().collect()
    }

    /// For whom it is; without it, it counts as for adults.
    async fn maturity(&self) -> Option<Maturity> {
        self.metadata.maturity.map(Maturity::from)
    }

    /// Where and when it is offered; null if that is everywhere and always. Needs the role
    /// content_admin.
    async fn availability(&self, context: &Context<'_>) -> Option<Result<Availability, Error>> {
        match self.schedule(context).await {
            Ok(found) => found.map(Ok),
            Err(error) => Some(Err(error)),
        }
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
        load(context, episode_of.series_id, self.eyes).await.transpose()
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

impl Title {
    /// From the stream: read models only know it as a condition.
    async fn schedule(&self, context: &Context<'_>) -> Result<Option<Availability>, Error> {
        let caller = Caller::of(context)?;
        caller.require(Role::ContentAdmin)?;
        let state = caller.services.commands.titles.state(&self.id).await;
        let state = state.map_err(|error| caller.internal("a title cannot be read", &error))?;
        let schedule = state.listing().and_then(|listing| listing.availability.as_ref());
        Ok(schedule.map(Availability::from))
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
pub(crate) struct Titles {
    catalog: Arc<Catalog>,
    /// When they are looked at, in milliseconds since 1970-01-01 UTC.
    now_ms: i64,
}

/// Collects the titles that are asked for while an operation runs, so that those of one level are
/// found with one query. Without a delay: what is asked for at the same moment is enough.
pub(crate) fn titles_loader(caller: &Caller) -> DataLoader<Titles> {
    let catalog = Arc::clone(&caller.services.catalog);
    let titles = Titles { catalog, now_ms: caller.now_ms };
    DataLoader::new(titles, OnTokio, OnTokio).delay(Duration::ZERO)
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

impl Loader<(TitleId, Eyes)> for Titles {
    type Value = Title;
    type Error = Arc<StoreError>;

    async fn load(
        &self,
        wanted: &[(TitleId, Eyes)],
    ) -> Result<HashMap<(TitleId, Eyes), Title>, Arc<StoreError>> {
        // Mostly one: an operation rarely looks with the eyes of several.
        let mut by_eyes: BTreeMap<Eyes, Vec<TitleId>> = BTreeMap::new();
        for (title_id, eyes) in wanted {
            by_eyes.entry(*eyes).or_default().push(*title_id);
        }
        let mut found = HashMap::new();
        for (eyes, ids) in by_eyes {
            let audience = eyes.audience(self.now_ms);
            let rows = self.catalog.titles(&ids, &audience).await.map_err(Arc::new)?;
            let titles = rows.into_iter().map(|row| Title::of(row, eyes));
            found.extend(titles.map(|title| ((title.id, eyes), title)));
        }
        Ok(found)
    }
}

/// One title, found together with others; `None` if it is not listed, or not for these eyes.
pub(crate) async fn load(
    context: &Context<'_>,
    id: TitleId,
    eyes: Eyes,
) -> Result<Option<Title>, Error> {
    let caller = Caller::of(context)?;
    let loader = context.data::<DataLoader<Titles>>()?;
    let failed = |error: Arc<StoreError>| caller.internal("titles cannot be read", &*error);
    Ok(loader.load_one((id, eyes)).await.map_err(failed)?)
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
    #[graphql(skip)]
    pub(crate) eyes: Eyes,
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
        let audience = self.eyes.audience(caller.now_ms);
        let count = caller.services.catalog.count(&self.filter, &audience).await;
        let count = count.map_err(|error| caller.internal("titles cannot be counted", &error))?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }
}

/// A title as its stream has it; `None` unless it is listed. For those who may see it whatever it
/// says.
pub(crate) fn of_state(
    id: TitleId,
    state: &playhead_domain::title::State,
    eyes: Eyes,
) -> Option<Title> {
    state.listed().map(|metadata| Title { id, metadata: Arc::new(metadata.clone()), eyes })
}
