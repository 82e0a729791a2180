//! Lists to browse in.

use async_graphql::{Context, Error, ID, Object, SimpleObject};
use playhead_domain::Territory;

use super::eyes::Eyes;
use super::page::{FIRST_DEFAULT, list_cost, page_len};
use super::title_list::{self, TitleListConnection};
use crate::caller::Caller;
use crate::errors::{Code, Fault};
use crate::home::{GENRES_LEN, Shelf};

/// A genre.
#[derive(Debug, SimpleObject)]
pub(crate) struct Genre {
    /// Its name, as most titles spell it.
    name: String,
    /// How many titles it has that the viewer may see.
    total_count: i32,
}

/// Lists to browse in.
#[derive(Default)]
pub(crate) struct BrowseQuery;

#[Object]
impl BrowseQuery {
    /// What is watched much now, most watched first; 1 to 100 at a time. Who watches is said as for
    /// `titles`.
    ///
    /// `region` is a code of ISO 3166-1 alpha-2, such as `AT`; without it, it is where the viewer is.
    /// Where too little is watched, and if nobody knows where the viewer is, it is the world.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn trending(
        &self,
        context: &Context<'_>,
        region: Option<String>,
        #[graphql(default_with = "Some(FIRST_DEFAULT)")] first: Option<i32>,
        after: Option<String>,
        profile_id: Option<ID>,
    ) -> Result<TitleListConnection, Error> {
        let page = async {
            let caller = Caller::of(context)?;
            let eyes = Eyes::of(caller, profile_id.as_ref()).await?;
            let region = match region {
                Some(code) => Some(territory(&code)?),
                None => caller.place().await?.territory,
            };
            let (shelf, len) = (Shelf::Trending(region), page_len(first));
            title_list::page(caller, &shelf, eyes, len, after.as_deref()).await
        };
        // Boxed: resolvers that are held by value make the stack of whoever walks through fragments
        // deep.
        Ok(Box::pin(page).await?)
    }

    /// What joined the catalogue last, newest first, of a genre if one is named; without episodes,
    /// extras and trailers; 1 to 100 at a time. Who watches is said as for `titles`.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn new_titles(
        &self,
        context: &Context<'_>,
        genre: Option<String>,
        #[graphql(default_with = "Some(FIRST_DEFAULT)")] first: Option<i32>,
        after: Option<String>,
        profile_id: Option<ID>,
    ) -> Result<TitleListConnection, Error> {
        let page = async {
            let caller = Caller::of(context)?;
            let eyes = Eyes::of(caller, profile_id.as_ref()).await?;
            let (shelf, len) = (Shelf::New(genre), page_len(first));
            title_list::page(caller, &shelf, eyes, len, after.as_deref()).await
        };
        Ok(Box::pin(page).await?)
    }

    /// The genres of the titles that the viewer may see, in the order of the alphabet; of more than
    /// 500 the largest. Who watches is said as for `titles`.
    #[graphql(complexity = "GENRES_LEN / 10 * child_complexity + 1")]
    async fn genres(
        &self,
        context: &Context<'_>,
        profile_id: Option<ID>,
    ) -> Result<Vec<Genre>, Error> {
        let genres = async {
            let caller = Caller::of(context)?;
            let eyes = Eyes::of(caller, profile_id.as_ref()).await?;
            let genres = caller.services.shared.genres(caller, eyes).await;
            genres.map_err(|error| caller.internal("genres cannot be read", &error))
        };
        let genres = Box::pin(genres).await?;
        let genre = |(name, titles): &(String, u64)| Genre {
            name: name.clone(),
            total_count: i32::try_from(*titles).unwrap_or(i32::MAX),
        };
        Ok(genres.iter().map(genre).collect())
    }
}

fn territory(code: &str) -> Result<Territory, Fault> {
    let territory = code.parse::<Territory>().ok().filter(|it| it.is_assigned());
    territory.ok_or_else(|| {
        Fault::new(Code::BadRequest, "region must be a code of ISO 3166-1 alpha-2, such as AT")
    })
}
