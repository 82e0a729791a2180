//! Lists that many viewers share, kept for some seconds: what is trending, what is new, what a genre
//! has.
//!
//! What such a list shows depends on where somebody is and on how old they are, and on nothing else
//! of them, so a list that was read for one viewer is good for all with the same eyes. Lists that
//! are about one profile are never kept.

mod kept;
mod shelf;

use std::sync::Arc;

use playhead_projections::StoreError;

use self::kept::Kept;
pub(crate) use self::shelf::{Place, Placed, Shelf, by_name};
use crate::caller::Caller;
use crate::schema::Eyes;

/// How long a list is kept, unless a window of some title opens or closes before. A title that is
/// withdrawn or blocked may be on it for so long; playing it is refused at once.
pub(crate) const KEPT_MS: i64 = 10_000;
/// How many titles of a shelf are kept: more than any screen shows at first. Whoever wants more, or
/// goes on behind them, is answered from the read models.
pub(crate) const SHELF_LEN: u32 = 40;
/// How many titles all shelves hold together, however many eyes look at them: about 40 MB.
const TITLES_MAX: u64 = 20_000;
/// For how many different eyes the genres are kept.
const GENRES_MAX: u64 = 512;
/// How many genres are told of: the largest.
pub(crate) const GENRES_LEN: usize = 500;

/// The genres that somebody finds, in the order of the alphabet, each with how many titles it has.
pub(crate) type Genres = Arc<[(String, u64)]>;

/// The shared lists of a server.
#[derive(Debug)]
pub struct SharedLists {
    shelves: Kept<(Shelf, Eyes), Arc<[Placed]>>,
    genres: Kept<Eyes, Genres>,
    /// When windows open or close.
    turns: Kept<(), Arc<[i64]>>,
}

impl Default for SharedLists {
    fn default() -> Self {
        let titles = |placed: &Arc<[Placed]>| u64::try_from(placed.len()).unwrap_or(u64::MAX);
        Self {
            shelves: Kept::new(TITLES_MAX, titles),
            genres: Kept::new(GENRES_MAX, |_| 1),
            turns: Kept::new(2, |_| 1),
        }
    }
}

impl SharedLists {
    /// The first titles of a shelf, one more than [`SHELF_LEN`] if there are more.
    ///
    /// # Errors
    /// The read models cannot be read.
    pub(crate) async fn shelf(
        &self,
        caller: &Caller,
        shelf: &Shelf,
        eyes: Eyes,
    ) -> Result<Arc<[Placed]>, StoreError> {
        let key = (shelf.clone(), eyes);
        let read = async { Ok(shelf.first(caller, eyes, SHELF_LEN + 1).await?.into()) };
        self.shelves.get(key, self.since(caller).await?, read).await
    }

    /// Since when the lists of now are what they are.
    async fn since(&self, caller: &Caller) -> Result<i64, StoreError> {
        let begin = caller.now_ms.div_euclid(KEPT_MS) * KEPT_MS;
        let catalog = &caller.services.catalog;
        let read = async { Ok(catalog.turns(begin, begin.saturating_add(KEPT_MS)).await?.into()) };
        let turns = self.turns.get((), begin, read).await?;
        Ok(turns.iter().rfind(|at_ms| **at_ms <= caller.now_ms).copied().unwrap_or(begin))
    }

    /// The genres that somebody finds.
    ///
    /// # Errors
    /// The read models cannot be read.
    pub(crate) async fn genres(&self, caller: &Caller, eyes: Eyes) -> Result<Genres, StoreError> {
        let read = async {
            let catalog = &caller.services.catalog;
            let mut genres = catalog.genres(&eyes.audience(caller.now_ms)).await?;
            if genres.len() > GENRES_LEN {
                genres.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
                genres.truncate(GENRES_LEN);
                genres.sort_by_key(|(genre, _)| genre.to_lowercase());
            }
            Ok(genres.into())
        };
        self.genres.get(eyes, self.since(caller).await?, read).await
    }
}
