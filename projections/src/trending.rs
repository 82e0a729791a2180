//! What is watched much, and where: exact counts of plays, and lists ordered by how fresh they are.
//!
//! **What counts as a play.** A session counts once it has really played for a minute
//! ([`PLAYED_MS`], the time from which a title counts as started). A start alone would count every
//! wrong tap, and starting costs nothing; a minute for each play does. Of a profile, one play of a
//! title counts on each day, so that nobody pushes a title by beginning it again and again. It
//! counts where and on the day on which the session began, and for the world.
//!
//! **Why this is the same however the log is read.** All events of an account are in one partition,
//! so the first session of a day that plays for long enough is the same one every time; and plays
//! of different accounts are added up, which no order changes. Counts never shrink.
//!
//! **What is kept of people.** The sessions of the last [`RECENT_DAYS`] days of each profile, to
//! know what was counted already. They go when the account is forgotten. The counts stay: they tell
//! of nobody.

use playhead_domain::{Territory, TitleId};

use crate::store::SqliteStore;

mod changes;
mod queries;
mod score;
mod tables;
#[cfg(test)]
mod tests;

pub use changes::Changes;

/// The read model `trending`.
pub type Trending = SqliteStore<Changes>;

/// A session counts once it has really played for so long.
pub const PLAYED_MS: u64 = playhead_domain::resume::STARTED_MS;
/// Sessions that began so many days before the newest one that counted are forgotten, and count no
/// more. A playback token is good for hours only; what comes later than this comes from an import.
pub const RECENT_DAYS: i64 = 7;
/// A play counts for half as much after so many days.
pub const HALF_LIFE_DAYS: i64 = 7;
/// So many days of each territory and title are kept, the newest one included. What was played before
/// counts for less than a seven-thousandth in the score.
pub const DAYS_KEPT: i64 = 90;
/// A territory in which an audience finds fewer titles has no list of its own; the world's is shown.
pub const TITLES_MIN: u32 = 10;

/// A title in its place on a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ranked {
    /// How much it was played lately. Good for comparing only: it does not depend on when it is
    /// asked, and the same play counts for twice as much seven days later. The list begins with the
    /// greatest.
    pub score: i64,
    /// Tells apart titles of the same score.
    pub title_id: TitleId,
}

/// The list that an audience somewhere is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// Whose list it is: `None` is the world's.
    pub territory: Option<Territory>,
    /// Its first titles.
    pub titles: Vec<Ranked>,
}

/// How often a title was ever played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Total {
    /// The title.
    pub title_id: TitleId,
    /// How often: never less than before.
    pub plays: u64,
    /// When the newest of them came to count, in milliseconds since 1970-01-01 UTC.
    pub last_play_at_ms: i64,
}
