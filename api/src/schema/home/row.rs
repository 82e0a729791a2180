//! One row of a home screen.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Enum, Error, ID, Object, SimpleObject};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use playhead_domain::{ProfileId, Territory, TitleId};
use playhead_projections::continue_watching::{Entry, RowKey};

use super::{Liked, Own, Watcher};
use crate::caller::Caller;
use crate::errors::Fault;
use crate::home::{Place, Placed, SHELF_LEN, Shelf};
use crate::schema::Title;
use crate::schema::continue_watching::{self, ContinueWatchingConnection};
use crate::schema::page::{FIRST_DEFAULT, after, list_cost, page_len};
use crate::schema::title_list::{self, TitleListConnection};

/// What a row shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum HomeRowKind {
    /// What the profile began and has not finished, and the next episodes of its series.
    ContinueWatching,
    /// What is watched much where the viewer is.
    Trending,
    /// What joined the catalogue last.
    New,
    /// The newest titles of a genre.
    Genre,
}

/// A text for people, in English, and what it takes to say it in another language.
#[derive(Debug, SimpleObject)]
pub(crate) struct LocalizableText {
    /// What the text is known by to those who translate it. Stays the same.
    key: &'static str,
    /// What stands in its middle, such as a genre.
    value: Option<String>,
    /// The text in English.
    text: String,
}

/// Which row of a home screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RowName {
    ContinueWatching,
    /// Where the viewer is, which is no part of its id.
    Trending(Option<Territory>),
    New,
    /// The genre, and why it is shown, which is no part of its id.
    Genre(String, Liked),
}

/// The longest id that is looked at: genres have 100 characters at most.
const ID_CHARS_MAX: usize = 1_000;

impl RowName {
    /// Its id: base64url of `HomeRow:PROFILE.row`. Clients must not look inside.
    fn id(&self, profile_id: ProfileId) -> ID {
        let row = match self {
            Self::ContinueWatching => "continue-watching".to_owned(),
            Self::Trending(_) => "trending".to_owned(),
            Self::New => "new".to_owned(),
            Self::Genre(genre, _) => format!("genre.{genre}"),
        };
        ID(URL_SAFE_NO_PAD.encode(format!("HomeRow:{profile_id}.{row}")))
    }

    /// Whose row an id names; `None` if it is none of ours.
    pub(super) fn parse(id: &ID) -> Option<(ProfileId, Self)> {
        if id.len() > ID_CHARS_MAX {
            return None;
        }
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(id.as_str()).ok()?).ok()?;
        let (profile_id, row) = text.strip_prefix("HomeRow:")?.split_once('.')?;
        let name = match row.split_once('.') {
            Some(("genre", genre)) => Self::Genre(genre.to_owned(), Liked::Large),
            None if row == "continue-watching" => Self::ContinueWatching,
            None if row == "new" => Self::New,
            None if row == "trending" => Self::Trending(None),
            _ => return None,
        };
        Some((profile_id.parse().ok()?, name))
    }
}

/// What is on a row.
#[derive(Clone)]
pub(super) enum Content {
    Watching(Arc<Own>),
    Shelf(Shelf, Arc<[Placed]>),
}

/// One row of a home screen.
#[derive(Clone)]
pub(crate) struct HomeRow {
    pub(super) watcher: Watcher,
    pub(super) name: RowName,
    pub(super) content: Content,
}

impl HomeRow {
    pub(super) fn is_empty(&self) -> bool {
        match &self.content {
            Content::Watching(own) => {
                !own.watching.iter().any(|entry| own.titles.contains_key(&entry.title_id))
            }
            Content::Shelf(_, titles) => titles.is_empty(),
        }
    }

    /// Whether the row shows what is trending where the viewer is, and not in the world.
    fn region(&self) -> Option<Territory> {
        match &self.content {
            Content::Shelf(_, titles) => match titles.first().map(|placed| &placed.place) {
                Some(Place::Trending(territory, ..)) => *territory,
                _ => None,
            },
            Content::Watching(_) => None,
        }
    }
}

fn said(key: &'static str, text: impl Into<String>, value: Option<String>) -> LocalizableText {
    LocalizableText { key, text: text.into(), value }
}

/// One row of a home screen.
#[Object]
impl HomeRow {
    /// Names the row of this profile; good for `homeRow`.
    async fn id(&self) -> ID {
        self.name.id(self.watcher.profile_id)
    }

    /// What it shows.
    async fn kind(&self) -> HomeRowKind {
        match self.name {
            RowName::ContinueWatching => HomeRowKind::ContinueWatching,
            RowName::Trending(_) => HomeRowKind::Trending,
            RowName::New => HomeRowKind::New,
            RowName::Genre(..) => HomeRowKind::Genre,
        }
    }

    /// What stands above it.
    async fn title(&self) -> LocalizableText {
        match (&self.name, self.region()) {
            (RowName::ContinueWatching, _) => {
                said("home.continue_watching", "Continue watching", None)
            }
            (RowName::Trending(_), None) => {
                said("home.trending.world", "Trending everywhere", None)
            }
            (RowName::Trending(_), Some(region)) => {
                said("home.trending.region", "Trending in your region", Some(region.to_string()))
            }
            (RowName::New, _) => said("home.new", "New", None),
            (RowName::Genre(genre, _), _) => said("home.genre", genre, Some(genre.clone())),
        }
    }

    /// Why it is there.
    async fn explanation(&self) -> LocalizableText {
        match (&self.name, self.region()) {
            (RowName::ContinueWatching, _) => {
                let text = "What you began, and the next episodes of what you watch";
                said("home.because.continue_watching", text, None)
            }
            (RowName::Trending(_), None) => {
                let text = "What people everywhere have watched lately";
                said("home.because.trending.world", text, None)
            }
            (RowName::Trending(_), Some(region)) => {
                let text = "What people where you are have watched lately";
                said("home.because.trending.region", text, Some(region.to_string()))
            }
            (RowName::New, _) => said("home.because.new", "What has just been added", None),
            (RowName::Genre(genre, liked), _) => {
                let genre = Some(genre.clone());
                match liked {
                    Liked::Watched => {
                        said("home.because.genre.watched", "Because of what you watched", genre)
                    }
                    Liked::Favourite => {
                        said("home.because.genre.favourite", "One of your genres", genre)
                    }
                    Liked::Large => {
                        said("home.because.genre.large", "There is much to choose from", genre)
                    }
                }
            }
        }
    }

    /// The titles on it; 1 to 100 at a time.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn titles(
        &self,
        context: &Context<'_>,
        #[graphql(default_with = "Some(FIRST_DEFAULT)")] first: Option<i32>,
        after: Option<String>,
    ) -> Result<TitleListConnection, Error> {
        let (caller, len, eyes) = (Caller::of(context)?, page_len(first), self.watcher.eyes);
        match &self.content {
            Content::Shelf(shelf, titles) if after.is_none() && len <= SHELF_LEN => {
                let list = title_list::list(caller, shelf);
                Ok(TitleListConnection::cut(titles.to_vec(), len, list, false))
            }
            Content::Shelf(shelf, _) => {
                let page = title_list::page(caller, shelf, eyes, len, after.as_deref());
                Ok(Box::pin(page).await?)
            }
            Content::Watching(own) => {
                let page = watching_titles(caller, &self.watcher, own, len, after.as_deref());
                Ok(Box::pin(page).await?)
            }
        }
    }

    /// What there is to go on with, if that is what the row shows; null otherwise. Its titles are
    /// those of `titles`, with the places at which to go on.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn continue_watching(
        &self,
        context: &Context<'_>,
        #[graphql(default_with = "Some(FIRST_DEFAULT)")] first: Option<i32>,
        after: Option<String>,
    ) -> Option<Result<ContinueWatchingConnection, Error>> {
        let Content::Watching(own) = &self.content else { return None };
        let page = async {
            let (caller, len) = (Caller::of(context)?, page_len(first));
            let (profile_id, eyes) = (self.watcher.profile_id, self.watcher.eyes);
            if after.is_none() && len <= SHELF_LEN {
                let (rows, titles) = (&own.watching, &own.titles);
                return continue_watching::first_page(caller, profile_id, rows, titles, len);
            }
            continue_watching::page(caller, profile_id, eyes, len, after.as_deref()).await
        };
        Some(Box::pin(page).await.map_err(Error::from))
    }
}

/// The titles of the row to continue watching.
async fn watching_titles(
    caller: &Caller,
    watcher: &Watcher,
    own: &Own,
    len: u32,
    cursor: Option<&str>,
) -> Result<TitleListConnection, Fault> {
    let mut list = caller.list("homeRow.continueWatching", &watcher.profile_id);
    let key = match after::<Place>(&mut list, cursor)? {
        Some(Place::Watching(last_played_at_ms, title_id)) => {
            Some(RowKey { last_played_at_ms, title_id })
        }
        _ => None,
    };
    if key.is_none() && len <= SHELF_LEN {
        let placed = placed(&own.watching, &own.titles);
        return Ok(TitleListConnection::cut(placed, len, list, false));
    }
    let audience = watcher.eyes.audience(caller.now_ms);
    let watching = &caller.services.continue_watching;
    let rows = watching.row(watcher.profile_id, &audience, key.as_ref(), len + 1).await;
    let rows = rows.map_err(|error| caller.internal("a row cannot be read", &error))?;
    let ids: Vec<_> = rows.iter().map(|entry| entry.title_id).collect();
    let titles = continue_watching::titles(caller, watcher.eyes, &ids).await?;
    Ok(TitleListConnection::cut(placed(&rows, &titles), len, list, key.is_some()))
}

fn placed(rows: &[Entry], titles: &HashMap<TitleId, Title>) -> Vec<Placed> {
    let placed = |entry: &Entry| {
        let place = Place::Watching(entry.last_played_at_ms, entry.title_id);
        Some(Placed { place, title: titles.get(&entry.title_id)?.clone() })
    };
    rows.iter().filter_map(placed).collect()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_row_is_found_again_by_its_id() {
        let profile_id = ProfileId(Uuid::from_u128(7));
        for name in [
            RowName::ContinueWatching,
            RowName::Trending(None),
            RowName::New,
            RowName::Genre("Sci-Fi. & more".to_owned(), Liked::Large),
        ] {
            assert_eq!(RowName::parse(&name.id(profile_id)), Some((profile_id, name)));
        }
    }

    #[test]
    fn what_is_no_id_of_a_row_is_none() {
        let profile = Uuid::from_u128(7);
        for text in ["", "HomeRow:", "HomeRow:7.trending", "Title:7", "HomeRow:trending"] {
            assert_eq!(RowName::parse(&ID(URL_SAFE_NO_PAD.encode(text))), None, "{text}");
        }
        let other = format!("HomeRow:{profile}.new.x");
        assert_eq!(RowName::parse(&ID(URL_SAFE_NO_PAD.encode(other))), None);
        assert_eq!(RowName::parse(&ID("A".repeat(100_000))), None);
    }
}
