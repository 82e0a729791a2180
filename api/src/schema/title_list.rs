//! Pages of lists that are shared.

use std::sync::Arc;

use async_graphql::{Error, Object};

use super::eyes::Eyes;
use super::page::{PageInfo, after};
use super::title::Title;
use crate::caller::Caller;
use crate::errors::Fault;
use crate::home::{Place, Placed, SHELF_LEN, Shelf};
use crate::page_cursor::List;

/// A page of titles.
pub(crate) struct TitleListConnection {
    entries: Vec<Placed>,
    list: List,
    has_next_page: bool,
    has_previous_page: bool,
}

/// A title in a list.
pub(crate) struct TitleListEdge {
    placed: Placed,
    list: List,
}

impl TitleListConnection {
    /// A page of titles that were read one further than the page is long.
    pub(crate) fn cut(mut entries: Vec<Placed>, len: u32, list: List, behind: bool) -> Self {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let has_next_page = entries.len() > len;
        entries.truncate(len);
        Self { entries, list, has_next_page, has_previous_page: behind }
    }

    fn cursor(&self, placed: Option<&Placed>) -> Result<Option<String>, Error> {
        Ok(placed.map(|placed| self.list.encode(&placed.place)).transpose()?)
    }
}

/// A page of titles.
#[Object]
impl TitleListConnection {
    /// The titles with their cursors.
    async fn edges(&self) -> Vec<TitleListEdge> {
        let edge =
            |placed: &Placed| TitleListEdge { placed: placed.clone(), list: self.list.clone() };
        self.entries.iter().map(edge).collect()
    }

    /// The titles without their cursors.
    async fn nodes(&self) -> Vec<Title> {
        self.entries.iter().map(|placed| placed.title.clone()).collect()
    }

    /// Where the page lies.
    async fn page_info(&self) -> Result<PageInfo, Error> {
        Ok(PageInfo {
            has_next_page: self.has_next_page,
            has_previous_page: self.has_previous_page,
            start_cursor: self.cursor(self.entries.first())?,
            end_cursor: self.cursor(self.entries.last())?,
        })
    }
}

/// A title in a list.
#[Object]
impl TitleListEdge {
    /// Where it stands.
    async fn cursor(&self) -> Result<String, Error> {
        Ok(self.list.encode(&self.placed.place)?)
    }

    /// The title.
    async fn node(&self) -> &Title {
        &self.placed.title
    }
}

/// A page of a shelf. First pages are the same for some seconds.
pub(crate) async fn page(
    caller: &Caller,
    shelf: &Shelf,
    eyes: Eyes,
    len: u32,
    cursor: Option<&str>,
) -> Result<TitleListConnection, Fault> {
    let mut list = list(caller, shelf);
    let place = after::<Place>(&mut list, cursor)?;
    let entries = match &place {
        None if len <= SHELF_LEN && !shelf.is_anything() => {
            caller.services.shared.shelf(caller, shelf, eyes).await
        }
        _ => {
            let read = shelf.read(caller, eyes, place.as_ref(), len + 1, list.snapshot_ms());
            read.await.map(Arc::from)
        }
    };
    let entries = entries.map_err(|error| caller.internal("titles cannot be listed", &error))?;
    Ok(TitleListConnection::cut(entries.to_vec(), len, list, place.is_some()))
}

/// The list of a shelf, as cursors know it.
pub(crate) fn list(caller: &Caller, shelf: &Shelf) -> List {
    caller.list(shelf.name(), shelf)
}
