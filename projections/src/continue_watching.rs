//! Where each profile is in each title: the continue-watching row, the viewing history, and when
//! sessions were last heard of.
//!
//! Heartbeats and titles live in different partitions of the log, so nothing here may depend on
//! which of them comes first: a bookmark is folded from heartbeats and marks alone, episodes and the
//! terms of titles from titles alone, and they meet in queries.

use playhead_domain::{SessionId, TitleId};

use crate::store::SqliteStore;

mod changes;
mod queries;
mod row;
mod tables;
#[cfg(test)]
mod tests;

pub use changes::Changes;

/// The read model `continue_watching`.
pub type ContinueWatching = SqliteStore<Changes>;

/// How many plays of a title count for its bookmark: the newest ones.
pub const PLAYS_MAX: usize = 20;
/// How many marks of a title count for its bookmark: the newest ones. All removals count for the
/// history.
pub const MARKS_MAX: usize = 200;

/// Something to go on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What to play.
    pub title_id: TitleId,
    /// Where to begin.
    pub position_ms: u64,
    /// How long the title is, if anybody knew.
    pub duration_ms: Option<u64>,
    /// When the title, or the episode before it, was last watched, in milliseconds since 1970-01-01
    /// UTC. Entries are ordered by it.
    pub last_played_at_ms: i64,
    /// Why it is on the row.
    pub reason: Reason,
}

impl Entry {
    /// Its place on the row.
    #[must_use]
    pub fn key(&self) -> RowKey {
        RowKey { last_played_at_ms: self.last_played_at_ms, title_id: self.title_id }
    }
}

/// Why something is on the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It was begun and not finished.
    InProgress,
    /// It follows the episode that was finished last.
    NextEpisode {
        /// The finished episode.
        after: TitleId,
    },
}

/// A place on the row. The row begins with the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowKey {
    /// As in [`Entry`].
    pub last_played_at_ms: i64,
    /// Tells apart entries of the same moment.
    pub title_id: TitleId,
}

/// A session, as the history shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// The session.
    pub session_id: SessionId,
    /// What was watched.
    pub title_id: TitleId,
    /// On which device; empty if its start is not known (yet).
    pub device: String,
    /// When it began, in milliseconds since 1970-01-01 UTC.
    pub started_at_ms: i64,
    /// When it was last heard of, in milliseconds since 1970-01-01 UTC.
    pub last_played_at_ms: i64,
    /// When it ended, if it did, in milliseconds since 1970-01-01 UTC. A session that fell silent
    /// ended when it was last heard of.
    pub ended_at_ms: Option<i64>,
    /// Where it was last.
    pub position_ms: u64,
    /// How long the title is, if anybody knew.
    pub duration_ms: Option<u64>,
    /// Whether it got to the end of the title.
    pub finished: bool,
}

impl HistoryEntry {
    /// Its place in the history.
    #[must_use]
    pub fn key(&self) -> HistoryKey {
        HistoryKey { started_at_ms: self.started_at_ms, session_id: self.session_id }
    }
}

/// A place in the history. The history begins with the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HistoryKey {
    /// When the session began.
    pub started_at_ms: i64,
    /// Tells apart sessions that began in the same millisecond.
    pub session_id: SessionId,
}
