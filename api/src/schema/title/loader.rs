//! Finds the titles that an operation asks for, many at once.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::runtime::Timer;
use async_graphql::{Context, Error};
use futures::future::{BoxFuture, FutureExt};
use futures::task::{FutureObj, Spawn, SpawnError};
use playhead_domain::TitleId;
use playhead_projections::catalog::{Catalog, EpisodePlace, Season};
use playhead_projections::{Audience, StoreError};

use super::Title;
use crate::access::Role;
use crate::caller::Caller;
use crate::errors::Fault;
use crate::schema::eyes::Eyes;

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
        let mut found = HashMap::new();
        for (eyes, ids) in by_eyes(wanted.iter().copied()) {
            let audience = eyes.audience(self.now_ms);
            let rows = self.catalog.titles(&ids, &audience).await.map_err(Arc::new)?;
            let titles = rows.into_iter().map(|row| Title::of(row, eyes));
            found.extend(titles.map(|title| ((title.id, eyes), title)));
        }
        Ok(found)
    }
}

/// The seasons of a series of which somebody may see something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct SeasonsOf(pub(super) TitleId, pub(super) Eyes);

impl Loader<SeasonsOf> for Titles {
    type Value = Vec<Season>;
    type Error = Arc<StoreError>;

    async fn load(
        &self,
        wanted: &[SeasonsOf],
    ) -> Result<HashMap<SeasonsOf, Vec<Season>>, Arc<StoreError>> {
        let mut found = HashMap::new();
        for (eyes, ids) in by_eyes(wanted.iter().map(|it| (it.0, it.1))) {
            let audience = eyes.audience(self.now_ms);
            let seasons = self.catalog.seasons(&ids, &audience).await.map_err(Arc::new)?;
            found.extend(seasons.into_iter().map(|(id, seasons)| (SeasonsOf(id, eyes), seasons)));
        }
        Ok(found)
    }
}

/// The episode behind a place that somebody may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct NextOf(pub(super) EpisodePlace, pub(super) Eyes);

impl Loader<NextOf> for Titles {
    type Value = Title;
    type Error = Arc<StoreError>;

    async fn load(&self, wanted: &[NextOf]) -> Result<HashMap<NextOf, Title>, Arc<StoreError>> {
        let mut found = HashMap::new();
        for (eyes, places) in by_eyes(wanted.iter().map(|it| (it.0, it.1))) {
            let audience = eyes.audience(self.now_ms);
            let rows = self.catalog.next_episodes(&places, &audience).await.map_err(Arc::new)?;
            let titles = rows.into_iter();
            found.extend(titles.map(|(at, row)| (NextOf(at, eyes), Title::of(row, eyes))));
        }
        Ok(found)
    }
}

/// Mostly one group: an operation rarely looks with the eyes of several.
fn by_eyes<T>(wanted: impl Iterator<Item = (T, Eyes)>) -> BTreeMap<Eyes, Vec<T>> {
    let mut by_eyes: BTreeMap<Eyes, Vec<T>> = BTreeMap::new();
    for (it, eyes) in wanted {
        by_eyes.entry(eyes).or_default().push(it);
    }
    by_eyes
}

/// What belongs to a key, found together with others of its kind; `None` if there is nothing.
pub(super) async fn load_one<K>(
    context: &Context<'_>,
    key: K,
) -> Result<Option<<Titles as Loader<K>>::Value>, Fault>
where
    K: Send + Sync + Hash + Eq + Clone + 'static,
    Titles: Loader<K, Error = Arc<StoreError>>,
{
    let caller = Caller::of(context)?;
    let internal = |error: &dyn std::error::Error| caller.internal("titles cannot be read", error);
    let loader = context.data::<DataLoader<Titles>>();
    let loader = loader.map_err(|error| internal(&std::io::Error::other(error.message)))?;
    loader.load_one(key).await.map_err(|error| internal(&*error))
}

/// One title, found together with others; `None` if it is not listed, or not for these eyes.
pub(crate) async fn load(
    context: &Context<'_>,
    id: TitleId,
    eyes: Eyes,
) -> Result<Option<Title>, Error> {
    Ok(load_one(context, (id, eyes)).await?)
}

/// Several titles, found together; those that are not listed, or not for these eyes, are missing.
pub(crate) async fn load_all(
    context: &Context<'_>,
    ids: &[TitleId],
    eyes: Eyes,
) -> Result<HashMap<TitleId, Title>, Fault> {
    let caller = Caller::of(context)?;
    let internal = |error: &dyn std::error::Error| caller.internal("titles cannot be read", error);
    let loader = context.data::<DataLoader<Titles>>();
    let loader = loader.map_err(|error| internal(&std::io::Error::other(error.message)))?;
    let found = loader.load_many(ids.iter().map(|id| (*id, eyes))).await;
    let found = found.map_err(|error| internal(&*error))?;
    Ok(found.into_iter().map(|((id, _), title)| (id, title)).collect())
}

/// One title of which the caller is the owner, whatever it says, also a draft; `None` if there is
/// none, or it is not theirs.
pub(crate) async fn load_own(
    context: &Context<'_>,
    id: TitleId,
    eyes: Eyes,
) -> Result<Option<Title>, Error> {
    let caller = Caller::of(context)?;
    let Ok(identity) = caller.require(Role::Creator) else { return Ok(None) };
    let found = caller.services.catalog.title(id, &Audience::Everyone).await;
    let found = found.map_err(|error| caller.internal("a title cannot be read", &error))?;
    let own = found.filter(|row| row.owner == Some(identity.account_id));
    Ok(own.map(|row| Title { own: true, ..Title::of(row, eyes) }))
}
