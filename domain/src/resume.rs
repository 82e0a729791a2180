//! Where to go on watching: the bookmark of a profile in a title.
//!
//! The bookmark is a function of a *set* of plays and marks. It does not depend on the order in
//! which heartbeats arrive: a play is summed up by its latest heartbeat (highest sequence) and by
//! what those say together that were at the end of the title, and plays follow each other by the time
//! they started. So a late heartbeat of an old device can never
//! move a newer position, and a rebuilt read model equals the live one.
//!
//! A mark is what the viewer said of the title. It stands behind the plays that had begun by then,
//! also if they go on, and before those that began later.

use std::collections::BTreeSet;

use crate::ids::SessionId;

/// A title counts as started once so much of it was really played, or [`STARTED_PERCENT`].
pub const STARTED_MS: u64 = 60_000;
/// A title counts as started once this share of it was really played, or [`STARTED_MS`].
pub const STARTED_PERCENT: u64 = 1;
/// A title counts as finished from this share on, unless its credits begin earlier.
pub const FINISHED_PERCENT: u64 = 90;
/// A title counts as finished this close to its end.
pub const FINISHED_BEFORE_END_MS: u64 = 60_000;
/// Titles shorter than this get no row.
pub const SHORTEST_MS: u64 = 300_000;
/// A play moves the bookmark back, or brings a dismissed or finished title back, only after so much
/// real play. Playing the credits of a finished title does not begin it again.
pub const REAL_PLAY_MS: u64 = 30_000;

/// One session, as its latest heartbeat tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Play {
    /// When the session began, in milliseconds since 1970-01-01 UTC.
    pub started_at_ms: i64,
    /// Tells apart sessions that began in the same millisecond.
    pub session_id: SessionId,
    /// The sequence of the latest heartbeat.
    pub sequence: u32,
    /// Where it was.
    pub position_ms: u64,
    /// How much was really played in the session.
    pub played_ms: u64,
    /// How long the title is, if anybody knew.
    pub duration_ms: Option<u64>,
    /// Where the credits begin, if anybody knew.
    pub credits_start_ms: Option<u64>,
    /// When the latest heartbeat was received, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
    /// Whether any heartbeat was at the end of the title, and what those that were say.
    pub reached: Option<Reached>,
}

/// What the heartbeats of a play that were at the end of the title say together, in any order. What
/// was watched to the end stays so, wherever the player goes afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// The most that was really played by then.
    pub played_ms: u64,
    /// The first place from which somebody may have played straight on to the end.
    pub began_ms: u64,
    /// When the last of them was received, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

impl Reached {
    /// What one heartbeat says; `None` if it was not at the end, as far as it can tell by itself.
    #[must_use]
    pub fn of(
        position_ms: u64,
        played_ms: u64,
        duration_ms: Option<u64>,
        credits_start_ms: Option<u64>,
        at_ms: i64,
    ) -> Option<Self> {
        let began_ms = position_ms.saturating_sub(played_ms);
        let reached = Self { played_ms, began_ms, at_ms };
        is_finished(position_ms, duration_ms, credits_start_ms).then_some(reached)
    }

    /// What both say together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            played_ms: self.played_ms.max(other.played_ms),
            began_ms: self.began_ms.min(other.began_ms),
            at_ms: self.at_ms.max(other.at_ms),
        }
    }
}

/// Something that a viewer said of a title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
    /// What.
    pub kind: MarkKind,
}

/// What a viewer can say of a title. Of marks of the same moment the later in this list wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MarkKind {
    /// It is to be on the continue-watching row again.
    Restored,
    /// It is not to be on the continue-watching row.
    Dismissed,
    /// It was watched to the end, here or elsewhere. Counts as one completion, unless it was
    /// finished already.
    Watched,
    /// It counts as never watched, whatever was played.
    Unwatched,
    /// One play, or every play that had begun, is to be forgotten.
    Removed(Option<SessionId>),
}

/// Whether a play was taken out of the history.
#[must_use]
pub fn is_removed(started_at_ms: i64, session_id: SessionId, marks: &[Mark]) -> bool {
    marks.iter().any(|mark| match mark.kind {
        MarkKind::Removed(Some(removed)) => removed == session_id,
        MarkKind::Removed(None) => started_at_ms <= mark.at_ms,
        _ => false,
    })
}

/// What a profile has seen of a title, and where it would go on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bookmark {
    /// Where to go on.
    pub position_ms: u64,
    /// How long the title is, if anybody knew.
    pub duration_ms: Option<u64>,
    /// How much was really played since it was last finished.
    pub played_ms: u64,
    /// Whether enough was played to count as started.
    pub started: bool,
    /// Whether it was watched to the end, and not begun again since.
    pub finished: bool,
    /// How often it was watched to the end, as played or as the viewer said.
    pub watch_count: u32,
    /// When it was last watched to the end, in milliseconds since 1970-01-01 UTC; 0 if never. The
    /// next episode of a series is the one behind its latest episode in this order.
    pub finished_at_ms: i64,
    /// When it was last watched, in milliseconds since 1970-01-01 UTC; 0 if never.
    pub last_played_at_ms: i64,
    /// Whether the viewer took it off the row and has not really played it since.
    pub dismissed: bool,
}

impl Bookmark {
    /// The bookmark that a set of plays and marks leads to: at most one play per session, both in
    /// any order.
    #[must_use]
    pub fn of(mut plays: Vec<Play>, marks: &[Mark]) -> Self {
        plays.retain(|play| !is_removed(play.started_at_ms, play.session_id, marks));
        plays.sort_unstable_by_key(|play| (play.started_at_ms, play.session_id));
        // A repeated mark says nothing new.
        let marks: BTreeSet<Mark> = marks.iter().copied().collect();
        let mut marks = marks.into_iter().peekable();
        let mut bookmark = Self::default();
        for play in &plays {
            while let Some(mark) = marks.next_if(|mark| mark.at_ms < play.started_at_ms) {
                bookmark = bookmark.marked(mark);
            }
            bookmark = bookmark.after_all_of(play);
        }
        marks.fold(bookmark, Self::marked)
    }

    /// Whether the title stands on the continue-watching row.
    #[must_use]
    pub fn on_row(&self) -> bool {
        self.started && !self.finished && !self.dismissed && !self.is_too_short()
    }

    /// Whether the title was watched to the end before and has been begun again.
    #[must_use]
    pub fn is_rewatched(&self) -> bool {
        self.watch_count > 0 && self.started && !self.finished
    }

    fn is_too_short(&self) -> bool {
        self.duration_ms.is_some_and(|ms| ms < SHORTEST_MS)
    }

    fn marked(self, mark: Mark) -> Self {
        match mark.kind {
            MarkKind::Restored => Self { dismissed: false, ..self },
            MarkKind::Dismissed => Self { dismissed: true, ..self },
            MarkKind::Watched if self.finished => self,
            MarkKind::Watched => Self {
                played_ms: 0,
                started: true,
                finished: true,
                watch_count: self.watch_count.saturating_add(1),
                finished_at_ms: mark.at_ms,
                ..self
            },
            MarkKind::Unwatched => Self {
                duration_ms: self.duration_ms,
                last_played_at_ms: self.last_played_at_ms,
                dismissed: self.dismissed,
                ..Self::default()
            },
            // One play was left out from the start. Without all of them, nothing is left but what
            // the viewer said of the row.
            MarkKind::Removed(Some(_)) => self,
            MarkKind::Removed(None) => Self { dismissed: self.dismissed, ..Self::default() },
        }
    }

    /// As the latest heartbeat tells, unless an earlier one was at the end: then the play watched the
    /// title to the end and went on from there.
    fn after_all_of(self, play: &Play) -> Self {
        let latest = self.clone().after(play);
        match self.watched_by(play) {
            Some(reached) if latest.watch_count == self.watch_count => self.rewound(play, reached),
            _ => latest,
        }
    }

    /// The end that a play reached, if that counts: enough was played, and of a title that was
    /// finished before not only its end.
    fn watched_by(&self, play: &Play) -> Option<Reached> {
        let duration_ms = play.duration_ms.or(self.duration_ms);
        let end_only = |began_ms| began_ms > 0 && play.is_finished_at(began_ms, duration_ms);
        play.reached.filter(|reached| {
            let again = reached.played_ms >= REAL_PLAY_MS && !end_only(reached.began_ms);
            is_started(self.played_ms.saturating_add(reached.played_ms), duration_ms)
                && (!self.finished || again)
        })
    }

    /// After a play that watched the title to the end and then left the end. It is begun again once
    /// enough was really played since.
    fn rewound(self, play: &Play, reached: Reached) -> Self {
        let duration_ms = play.duration_ms.or(self.duration_ms);
        // A player that does not count what it plays seems to have played less than before.
        let since_ms = play.played_ms.checked_sub(reached.played_ms).unwrap_or(play.played_ms);
        let again = since_ms >= REAL_PLAY_MS && !play.is_finished_at(play.position_ms, duration_ms);
        let real = play.is_real() || reached.played_ms >= REAL_PLAY_MS;
        Self {
            position_ms: play.position_ms,
            duration_ms,
            played_ms: if again { since_ms } else { 0 },
            started: !again || is_started(since_ms, duration_ms),
            finished: !again,
            watch_count: self.watch_count.saturating_add(1),
            finished_at_ms: reached.at_ms,
            last_played_at_ms: self.last_played_at_ms.max(play.at_ms),
            dismissed: self.dismissed && !real,
        }
    }

    fn after(self, play: &Play) -> Self {
        let dismissed = self.dismissed && !play.is_real();
        let duration_ms = play.duration_ms.or(self.duration_ms);
        let begins_again = self.finished && play.is_real() && !play.is_of_the_end(duration_ms);
        if self.finished && !begins_again {
            let last_played_at_ms = self.last_played_at_ms.max(play.at_ms);
            return Self { last_played_at_ms, dismissed, ..self };
        }
        let before_ms = if begins_again { 0 } else { self.played_ms };
        let played_ms = before_ms.saturating_add(play.played_ms);
        let moves = begins_again || play.position_ms >= self.position_ms || play.is_real();
        let position_ms = if moves { play.position_ms } else { self.position_ms };
        let started = is_started(played_ms, duration_ms);
        // What an earlier play left is not the end because this one knows more of the title.
        let at_end = is_finished(position_ms, duration_ms, play.credits_start_ms);
        let finished = started && moves && at_end;
        Self {
            position_ms,
            duration_ms,
            played_ms: if finished { 0 } else { played_ms },
            started,
            finished,
            watch_count: self.watch_count.saturating_add(u32::from(finished)),
            finished_at_ms: if finished { play.at_ms } else { self.finished_at_ms },
            last_played_at_ms: self.last_played_at_ms.max(play.at_ms),
            dismissed,
        }
    }
}

impl Play {
    fn is_real(&self) -> bool {
        self.played_ms >= REAL_PLAY_MS
    }

    /// Whether no more than the end was played: the credits of a title that was left at their
    /// start. Going back from the position by what was really played tells where it began.
    fn is_of_the_end(&self, duration_ms: Option<u64>) -> bool {
        let began_ms = self.position_ms.saturating_sub(self.played_ms);
        began_ms > 0 && self.is_finished_at(began_ms, duration_ms)
    }

    fn is_finished_at(&self, position_ms: u64, duration_ms: Option<u64>) -> bool {
        is_finished(position_ms, duration_ms, self.credits_start_ms)
    }
}

fn is_started(played_ms: u64, duration_ms: Option<u64>) -> bool {
    let share_ms = duration_ms.map_or(STARTED_MS, |ms| ms.saturating_mul(STARTED_PERCENT) / 100);
    played_ms >= STARTED_MS.min(share_ms).max(1)
}

/// Whether a position is at the credits, at [`FINISHED_PERCENT`], or just before the end.
#[must_use]
pub fn is_finished(
    position_ms: u64,
    duration_ms: Option<u64>,
    credits_start_ms: Option<u64>,
) -> bool {
    let at_credits = credits_start_ms.is_some_and(|credits| position_ms >= credits);
    let at_end = duration_ms.is_some_and(|duration| {
        position_ms >= duration.saturating_mul(FINISHED_PERCENT) / 100
            || position_ms.saturating_add(FINISHED_BEFORE_END_MS) >= duration
    });
    at_credits || at_end
}

#[cfg(test)]
mod tests;
