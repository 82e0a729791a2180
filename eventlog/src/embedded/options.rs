//! How a log is opened, and the sizes that the engine works with.

use super::bug::Seeded;
use crate::stream::PartitionCount;

/// How to open a log.
#[derive(Debug, Clone)]
pub struct Options {
    /// The partition count of the log if it is created now; an existing log keeps its own.
    pub partitions: PartitionCount,
    /// What this process calls itself, such as `playhead serve`: told to those who find the log
    /// locked.
    pub holder: String,
    /// The sizes to work with.
    pub tuning: Tuning,
}

/// Sizes and limits. The defaults suit a server; tests take small ones, so that everything that
/// happens once in a gigabyte happens at every tenth append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tuning {
    /// When a segment has this size, the next one begins. An append that is larger gets a segment
    /// of its own. At most 1 GiB.
    pub segment_bytes: u64,
    /// How much of a segment is taken from the disk at once, ahead of writing.
    pub allocate_bytes: u64,
    /// Groups of appends up to this size, in bytes, are synced by the thread that has written them and
    /// decides about appends; larger ones by a second thread, while the next group is being decided
    /// on.
    pub alone_bytes: usize,
    /// How many streams' lengths are kept in memory, about 64 bytes each. All others are looked up
    /// on the disk.
    pub tips_max: usize,
    /// So many indexes of segments are merged into one.
    pub merge_width: usize,
    /// Whether sealed segments are compressed (zstd, blocks of 64 KiB): a third to a quarter of the
    /// size for JSON, and about half the speed of reading history.
    pub compress: bool,
    /// Whether segments are sealed and indexes merged by the thread that appends, in a fixed order,
    /// instead of beside it. For tests on simulated disks.
    pub inline_maintenance: bool,
    /// A mistake on purpose, for the test of the tests.
    #[cfg(feature = "seeded-bugs")]
    pub bug: Option<super::bug::Bug>,
}

/// Positions within a segment are stored in 32 bits.
const SEGMENT_BYTES_MAX: u64 = 1 << 30;

impl Default for Tuning {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Tuning {
    /// The sizes for a server.
    pub const DEFAULT: Self = Self {
        segment_bytes: 64 << 20,
        allocate_bytes: 16 << 20,
        alone_bytes: 128 << 10,
        tips_max: 500_000,
        merge_width: 8,
        compress: false,
        inline_maintenance: false,
        #[cfg(feature = "seeded-bugs")]
        bug: None,
    };

    /// The same, where a value makes no sense the nearest that does.
    pub(super) fn within_limits(self) -> Self {
        Self {
            segment_bytes: self.segment_bytes.clamp(1, SEGMENT_BYTES_MAX),
            allocate_bytes: self.allocate_bytes.max(1),
            merge_width: self.merge_width.max(2),
            ..self
        }
    }

    pub(super) fn seeded(&self) -> Seeded {
        #[cfg(feature = "seeded-bugs")]
        return Seeded(self.bug);
        #[cfg(not(feature = "seeded-bugs"))]
        Seeded
    }
}
