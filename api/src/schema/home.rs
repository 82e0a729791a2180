//! The home screen: rows of titles for one profile.
//!
//! All rows are read before the first of them is answered, with a number of queries that does not
//! depend on how long they are: the profile's own from the read models, the others from
//! [`SharedLists`](crate::home::SharedLists). Selecting more fields or rows asks nothing more.

mod habits;
mod row;

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Error, ID, Object};
use futures::future::{try_join, try_join_all, try_join4};
use playhead_domain::{ProfileId, TitleId};
use playhead_projections::continue_watching::Entry;

use self::habits::{Liked, choose};
use self::row::{Content, HomeRow, RowName};
use super::continue_watching::titles;
use super::eyes::Eyes;
use super::title::Title;
use crate::caller::Caller;
use crate::errors::{Code, Fault};
use crate::global_id;
use crate::home::{SHELF_LEN, Shelf};
use crate::schema::account_state;

/// How many of the profile's newest sessions say what it likes.
const SESSIONS_ASKED: u32 = 50;
/// How many genres have a row.
const GENRE_ROWS: usize = 4;
/// How many rows there are at most.
const ROWS_MAX: usize = 3 + GENRE_ROWS;

/// The home screen of a profile.
#[derive(Default)]
pub(crate) struct HomeQuery;

/// The rows of a home screen.
pub(crate) struct Home {
    rows: Vec<HomeRow>,
}

#[Object]
impl HomeQuery {
    /// The home screen of a profile. Needs an access token.
    async fn home(&self, context: &Context<'_>, profile_id: ID) -> Option<Result<Home, Error>> {
        // Boxed like the others below: resolvers that are held by value make the stack of whoever
        // walks through fragments deep.
        Some(Box::pin(load(context, &profile_id)).await.map_err(Error::from))
    }

    /// One row of a home screen, to go on in it; null if there is no such row (any more). Needs an
    /// access token.
    async fn home_row(&self, context: &Context<'_>, id: ID) -> Option<Result<HomeRow, Error>> {
        Box::pin(find(context, &id)).await.map_err(Error::from).transpose()
    }
}

/// The rows of a home screen, the most personal first. What the profile may not see is on none.
#[Object]
impl Home {
    /// Rows that have something on them, the most personal first: at most seven. What several viewers
    /// share may be ten seconds old.
    #[graphql(complexity = "ROWS_MAX * child_complexity + 1")]
    async fn rows(&self) -> Vec<HomeRow> {
        self.rows.clone()
    }
}

/// For whom a home screen is made.
#[derive(Debug, Clone)]
struct Watcher {
    profile_id: ProfileId,
    eyes: Eyes,
    /// The genres that the profile says it likes.
    favourites: Vec<String>,
}

impl Watcher {
    async fn of(caller: &Caller, profile_id: &ID) -> Result<Self, Fault> {
        let unknown = || Fault::new(Code::NotFound, "there is no such profile");
        let account_id = caller.account_id()?;
        let profile_id = global_id::profile_of(account_id, profile_id).ok_or_else(unknown)?;
        Self::known(caller, profile_id).await?.ok_or_else(unknown)
    }

    async fn known(caller: &Caller, profile_id: ProfileId) -> Result<Option<Self>, Fault> {
        let state = account_state(caller, caller.account_id()?).await?;
        let Some(profile) = state.profiles.get(&profile_id) else { return Ok(None) };
        let eyes = Eyes::of_profile(caller, profile).await?;
        let favourites = profile.favourite_genres.clone();
        Ok(Some(Self { profile_id, eyes, favourites }))
    }
}

/// What is the profile's own.
struct Own {
    watching: Vec<Entry>,
    /// What was watched last, the newest first.
    watched: Vec<TitleId>,
    titles: HashMap<TitleId, Title>,
}

impl Own {
    /// With three queries, one of them of two statements.
    async fn load(caller: &Caller, watcher: &Watcher) -> Result<Self, Fault> {
        let audience = watcher.eyes.audience(caller.now_ms);
        let store = &caller.services.continue_watching;
        let watching = store.row(watcher.profile_id, &audience, None, SHELF_LEN + 1);
        let history = store.history(watcher.profile_id, &audience, None, SESSIONS_ASKED);
        let (watching, history) = try_join(watching, history)
            .await
            .map_err(|error| caller.internal("a home screen cannot be read", &error))?;
        let mut watched: Vec<_> = history.iter().map(|session| session.title_id).collect();
        let mut seen = std::collections::HashSet::new();
        watched.retain(|title_id| seen.insert(*title_id));
        let mut ids: Vec<_> = watching.iter().map(|entry| entry.title_id).collect();
        ids.extend(watched.iter().filter(|id| !ids.contains(id)).copied().collect::<Vec<_>>());
        let titles = if ids.is_empty() {
            HashMap::new()
        } else {
            titles(caller, watcher.eyes, &ids).await?
        };
        Ok(Self { watching, watched, titles })
    }

    /// How many of the titles watched last have each genre, in lower case.
    fn genres(&self) -> HashMap<String, usize> {
        let mut genres = HashMap::new();
        for title in self.watched.iter().filter_map(|id| self.titles.get(id)) {
            for genre in &title.metadata.genres {
                *genres.entry(genre.to_lowercase()).or_insert(0) += 1;
            }
        }
        genres
    }
}

async fn load(context: &Context<'_>, profile_id: &ID) -> Result<Home, Fault> {
    let caller = Caller::of(context)?;
    let watcher = Watcher::of(caller, profile_id).await?;
    let region = caller.place().await?.territory;
    let shared = &caller.services.shared;
    let failed = |error| caller.internal("a home screen cannot be read", &error);
    let trending = Shelf::Trending(region);
    let new = Shelf::New(None);
    let (own, trending_titles, new_titles, genres) = try_join4(
        Own::load(caller, &watcher),
        async { shared.shelf(caller, &trending, watcher.eyes).await.map_err(failed) },
        async { shared.shelf(caller, &new, watcher.eyes).await.map_err(failed) },
        async { shared.genres(caller, watcher.eyes).await.map_err(failed) },
    )
    .await?;
    let chosen = choose(&own.genres(), &watcher.favourites, &genres, GENRE_ROWS);
    let of_genres = chosen.into_iter().map(|(genre, liked)| {
        let shelf = Shelf::New(Some(genre.clone()));
        async move {
            let titles = shared.shelf(caller, &shelf, watcher.eyes).await.map_err(failed)?;
            Ok::<_, Fault>((RowName::Genre(genre, liked), shelf, titles))
        }
    });
    let of_genres = try_join_all(of_genres).await?;
    let row = |name, content| HomeRow { watcher: watcher.clone(), name, content };
    let mut rows = vec![row(RowName::ContinueWatching, Content::Watching(Arc::new(own)))];
    rows.push(row(RowName::Trending(region), Content::Shelf(trending, trending_titles)));
    rows.push(row(RowName::New, Content::Shelf(new, new_titles)));
    let of_genres = of_genres.into_iter();
    rows.extend(of_genres.map(|(name, shelf, titles)| row(name, Content::Shelf(shelf, titles))));
    rows.retain(|row| !row.is_empty());
    Ok(Home { rows })
}

/// The row that an id names, with nothing of it but what it needs.
async fn find(context: &Context<'_>, id: &ID) -> Result<Option<HomeRow>, Fault> {
    let caller = Caller::of(context)?;
    caller.account_id()?;
    let Some((profile_id, name)) = RowName::parse(id) else { return Ok(None) };
    let Some(watcher) = Watcher::known(caller, profile_id).await? else { return Ok(None) };
    let failed = |error| caller.internal("a home screen cannot be read", &error);
    let shared = &caller.services.shared;
    let shelf = match &name {
        RowName::ContinueWatching => {
            let own = Own::load(caller, &watcher).await?;
            return Ok(Some(HomeRow { watcher, name, content: Content::Watching(Arc::new(own)) }));
        }
        RowName::New => Shelf::New(None),
        RowName::Trending(_) => Shelf::Trending(caller.place().await?.territory),
        RowName::Genre(genre, _) => {
            // Only of genres that there are: the others would take the room of those.
            let genres = shared.genres(caller, watcher.eyes).await.map_err(failed)?;
            if !genres.iter().any(|(known, _)| known == genre) {
                return Ok(None);
            }
            Shelf::New(Some(genre.clone()))
        }
    };
    let titles = shared.shelf(caller, &shelf, watcher.eyes).await.map_err(failed)?;
    Ok(Some(HomeRow { watcher, name, content: Content::Shelf(shelf, titles) }))
}
