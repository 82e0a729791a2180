//! A list of titles that is the same for all who see with the same eyes.

use std::collections::HashMap;

use futures::future::try_join_all;
use playhead_domain::title::Kind;
use playhead_domain::{Territory, TitleId};
use playhead_projections::StoreError;
use playhead_projections::catalog::{NewestFilter, TimeKey, TitleFilter, TitleKey, TitleRow};
use playhead_projections::trending::Ranked;
use serde::{Deserialize, Serialize};

use crate::caller::Caller;
use crate::schema::{Eyes, Title};

/// Which list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Shelf {
    /// What is watched much in a region; in the world, if that is `None` or too little is.
    Trending(Option<Territory>),
    /// What joined the catalogue last, of a genre if one is named; without episodes, extras and
    /// trailers.
    New(Option<String>),
}

/// A title in its place on a shelf.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) place: Place,
    pub(crate) title: Title,
}

/// A place on a shelf, as cursors hold it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Place {
    /// Whose list it is, the score, the title. The walk stays on the list on which it began.
    #[serde(rename = "t")]
    Trending(Option<Territory>, i64, TitleId),
    /// When it joined, and the title.
    #[serde(rename = "n")]
    New(i64, TitleId),
    /// When it was last watched, and the title: on the one row that is no shelf.
    #[serde(rename = "w")]
    Watching(i64, TitleId),
}

impl Shelf {
    /// The name that its cursors are bound to.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Trending(_) => "trending",
            Self::New(_) => "new",
        }
    }

    /// Whether anybody can make up as many of these as they like, so that they must not be kept
    /// before it is known that there is such a thing.
    pub(crate) fn is_anything(&self) -> bool {
        matches!(self, Self::New(Some(_)))
    }

    /// The first titles, at most `limit`.
    ///
    /// # Errors
    /// The read models cannot be read.
    pub(crate) async fn first(
        &self,
        caller: &Caller,
        eyes: Eyes,
        limit: u32,
    ) -> Result<Vec<Placed>, StoreError> {
        self.read(caller, eyes, None, limit, caller.now_ms).await
    }

    /// The titles behind a place, or the first ones; at most `limit`, of a walk that began at a
    /// moment. A place on another shelf counts as none.
    ///
    /// # Errors
    /// The read models cannot be read.
    pub(crate) async fn read(
        &self,
        caller: &Caller,
        eyes: Eyes,
        after: Option<&Place>,
        limit: u32,
        snapshot_ms: i64,
    ) -> Result<Vec<Placed>, StoreError> {
        match self {
            Self::Trending(region) => trending(caller, eyes, *region, after, limit).await,
            Self::New(genre) => {
                let after = match after {
                    Some(Place::New(at_ms, title_id)) => {
                        TimeKey { at_ms: *at_ms, title_id: title_id.to_string() }
                    }
                    _ => TimeKey::from(snapshot_ms),
                };
                newest(caller, eyes, genre.as_deref(), &after, limit).await
            }
        }
    }
}

async fn trending(
    caller: &Caller,
    eyes: Eyes,
    region: Option<Territory>,
    after: Option<&Place>,
    limit: u32,
) -> Result<Vec<Placed>, StoreError> {
    let (services, audience) = (&caller.services, eyes.audience(caller.now_ms));
    let (territory, ranked) = match after {
        Some(Place::Trending(territory, score, title_id)) => {
            let after = Ranked { score: *score, title_id: *title_id };
            let read = services.trending.top(*territory, &audience, Some(&after), limit);
            (*territory, read.await?)
        }
        _ => {
            let chart = services.trending.chart(region, &audience, limit).await?;
            (chart.territory, chart.titles)
        }
    };
    let ids: Vec<_> = ranked.iter().map(|it| it.title_id).collect();
    let rows = services.catalog.titles(&ids, &audience).await?;
    let titles: HashMap<TitleId, Title> =
        rows.into_iter().map(|row| (row.title_id, Title::of(row, eyes))).collect();
    // What the catalogue has just lost, or does not have yet, is left out.
    let placed = |it: &Ranked| {
        let title = titles.get(&it.title_id)?.clone();
        Some(Placed { place: Place::Trending(territory, it.score, it.title_id), title })
    };
    Ok(ranked.iter().filter_map(placed).collect())
}

/// Kinds that stand alone. Of the others there are too many, and each leads from the title that it
/// belongs to.
const SHOWN: [Kind; 5] = [Kind::Movie, Kind::Short, Kind::Documentary, Kind::Series, Kind::Special];

/// One query for each kind that is shown: each walks along an index of its own, so that a million new
/// episodes do not stand in the way.
async fn newest(
    caller: &Caller,
    eyes: Eyes,
    genre: Option<&str>,
    after: &TimeKey,
    limit: u32,
) -> Result<Vec<Placed>, StoreError> {
    let (catalog, audience) = (&caller.services.catalog, eyes.audience(caller.now_ms));
    let of_kind = SHOWN.map(|kind| {
        let filter = NewestFilter { genre: genre.map(str::to_owned), kind: Some(kind) };
        async move { catalog.newest(&filter, &audience, after, limit).await }
    });
    let mut rows: Vec<TitleRow> = try_join_all(of_kind).await?.into_iter().flatten().collect();
    rows.sort_by_key(|row| std::cmp::Reverse((row.listed_at_ms, row.title_id)));
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let placed = rows.into_iter().map(|row| {
        let place = Place::New(row.listed_at_ms, row.title_id);
        Placed { place, title: Title::of(row, eyes) }
    });
    Ok(placed.collect())
}

/// The most rows that one query reads.
const ROWS_MAX: u32 = 1_000;

/// The titles of a list by name behind a key, or the first ones; at most `limit`. Those that joined
/// after the walk began are no part of it: wherever their names put them, the walk goes on as if they
/// were not there. Fewer than `limit` means that there are no more.
///
/// # Errors
/// The catalogue cannot be read.
pub(crate) async fn by_name(
    caller: &Caller,
    filter: &TitleFilter,
    eyes: Eyes,
    mut after: Option<TitleKey>,
    limit: u32,
    snapshot_ms: i64,
) -> Result<Vec<TitleRow>, StoreError> {
    let audience = eyes.audience(caller.now_ms);
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut found: Vec<TitleRow> = Vec::new();
    let mut ask = limit;
    loop {
        let rows = caller.services.catalog.list(filter, &audience, after.as_ref(), ask).await?;
        let is_end = rows.len() < usize::try_from(ask).unwrap_or(usize::MAX);
        after = rows.last().map(TitleRow::key);
        found.extend(rows.into_iter().filter(|row| row.listed_at_ms <= snapshot_ms));
        if is_end || found.len() >= wanted {
            found.truncate(wanted);
            return Ok(found);
        }
        // Much was added just here.
        ask = ask.saturating_mul(2).min(ROWS_MAX);
    }
}
