//! Finds the titles that an operation asks for, many at once.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::runtime::Timer;
use async_graphql::{Context, Error};
use futures::future::{BoxFuture, FutureExt};
use futures::task::{FutureObj, Spawn, SpawnError};
use playhead_domain::TitleId;
use playhead_projections::catalog::Catalog;
use playhead_projections::{Audience, StoreError};

use super::Title;
use crate::access::Role;
use crate::caller::Caller;
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
