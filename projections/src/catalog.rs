//! The catalogue: every title that can be found now, in lists by name.

use playhead_domain::title::{Kind, Metadata};
use playhead_domain::{AccountId, TitleId};

use crate::store::SqliteStore;

mod changes;
mod person;
mod queries;
mod series;
mod tables;
#[cfg(test)]
mod tests;
mod walks;

pub use changes::Changes;
pub use person::PersonId;
pub use queries::TURNS_MAX;
pub use series::{EpisodePlace, Season};
pub use walks::{NewestFilter, TimeKey};

/// The read model `catalog`.
pub type Catalog = SqliteStore<Changes>;

/// A title as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TitleRow {
    /// The title.
    pub title_id: TitleId,
    /// All that is known of it.
    pub metadata: Metadata,
    /// What it is sorted by: its name in lower case.
    pub sort_name: String,
    /// Whose video it is; nobody's if it belongs to the catalogue.
    pub owner: Option<AccountId>,
    /// Whether it is a draft, which only those who prepare it see.
    pub draft: bool,
    /// When it was added, also as a draft, in milliseconds since 1970-01-01 UTC.
    pub added_at_ms: i64,
    /// When it joined the catalogue, in milliseconds since 1970-01-01 UTC; when it was added, if it
    /// is a draft.
    pub listed_at_ms: i64,
}

impl TitleRow {
    /// Its place in every list.
    #[must_use]
    pub fn key(&self) -> TitleKey {
        TitleKey { sort_name: self.sort_name.clone(), title_id: self.title_id }
    }
}

/// A place in a list of titles; lists are ordered by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TitleKey {
    /// Compared byte by byte.
    pub sort_name: String,
    /// Tells apart titles of the same name.
    pub title_id: TitleId,
}

/// Which titles a list shows: those that fit every field that is set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TitleFilter {
    /// One of the title's genres, in upper or lower case.
    pub genre: Option<String>,
    /// The year of first release.
    pub year: Option<u16>,
    /// The kind of title.
    pub kind: Option<Kind>,
}
