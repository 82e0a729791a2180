//! Mistakes on purpose: each is one that somebody's storage engine really had, or nearly had.
//!
//! They exist only in builds with the feature `seeded-bugs`, where a test switches on one after the
//! other and checks that the tests of this engine notice. In every other build [`Seeded::has`] is
//! the constant `false`.

use std::fmt;

/// A mistake that can be switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// Appends are answered although nothing was synced.
    AckBeforeSync,
    /// The first group of each new segment is answered although it was not synced.
    AckBeforeSyncAfterRollover,
    /// The name of a new segment is not made durable.
    NoDirectorySync,
    /// A new segment gets its name before its header is durable.
    NameBeforeHeader,
    /// After a failed sync the writer tries once more, and believes the second answer.
    GoOnAfterFailedSync,
    /// Readers see events before they are durable.
    VisibleBeforeSync,
    /// Checksums of records are not compared.
    NoChecksum,
    /// What a crash left behind the last whole batch stays there.
    TornTailKept,
    /// Events without a commit marker behind them count.
    BatchWithoutMarker,
    /// What recovery has found is served before it is durable.
    RecoveredButNotSynced,
    /// A conflict makes the writer forget what the group did to the stream.
    TipForgottenAfterConflict,
    /// The length of a stream that is no longer cached is looked up in the oldest place.
    StaleTipAfterEviction,
    /// Sealing a segment leaves out the last entry of its index.
    IndexDropsLastEntry,
    /// Ids of sealed segments are not looked up.
    DuplicateOnRetry,
    /// A group that was refused leaves its offsets taken.
    HoleAfterFailedBatch,
    /// The bytes of a group that could not be written whole stay in the file.
    RefusedBatchReappears,
    /// A segment is declared sealed before its index is durable.
    SealBeforeIndex,
    /// A group that was decided against one that was refused while it flew is not refused with it.
    GroupOutlivesFlight,
}

impl Bug {
    /// Every mistake there is.
    pub const ALL: &[Self] = &[
        Self::AckBeforeSync,
        Self::AckBeforeSyncAfterRollover,
        Self::NoDirectorySync,
        Self::NameBeforeHeader,
        Self::GoOnAfterFailedSync,
        Self::VisibleBeforeSync,
        Self::NoChecksum,
        Self::TornTailKept,
        Self::BatchWithoutMarker,
        Self::RecoveredButNotSynced,
        Self::TipForgottenAfterConflict,
        Self::StaleTipAfterEviction,
        Self::IndexDropsLastEntry,
        Self::DuplicateOnRetry,
        Self::HoleAfterFailedBatch,
        Self::RefusedBatchReappears,
        Self::SealBeforeIndex,
        Self::GroupOutlivesFlight,
    ];
}

impl fmt::Display for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// The mistake that a log makes, if any.
#[cfg(feature = "seeded-bugs")]
#[derive(Debug, Clone, Copy)]
pub(super) struct Seeded(pub(super) Option<Bug>);

/// No mistake.
#[cfg(not(feature = "seeded-bugs"))]
#[derive(Debug, Clone, Copy)]
pub(super) struct Seeded;

impl Seeded {
    #[cfg(feature = "seeded-bugs")]
    pub(super) fn has(self, bug: Bug) -> bool {
        self.0 == Some(bug)
    }

    #[cfg(not(feature = "seeded-bugs"))]
    #[expect(clippy::unused_self, reason = "the other build asks self")]
    pub(super) const fn has(self, _: Bug) -> bool {
        false
    }
}
