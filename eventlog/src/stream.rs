//! Stream names, shard keys and the partition that a stream lives in.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// The longest stream name, in bytes.
pub const NAME_BYTES_MAX: usize = 200;

/// The name of a stream: `category-id`, for example `playback-0198c5…`.
///
/// The category is everything before the first dash (KurrentDB splits there, too). The id's part
/// before its first `.` is the *shard key*: all streams of one account share it, so that they live
/// in one partition, in one order.
///
/// **Invariant:** 1 to 200 bytes of printable ASCII without spaces, neither part empty.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StreamName(Arc<str>);

/// The rule that a stream name breaks.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StreamNameError {
    /// The name is empty.
    #[error("a stream name is empty; it has the form category-id")]
    Empty,
    /// The name has no dash, or nothing before or behind it.
    #[error("stream name {name:?} is not of the form category-id")]
    NotCategoryAndId {
        /// The name as given.
        name: String,
    },
    /// A category was given that has a dash in it.
    #[error("category {category:?} has a dash; the first dash ends the category")]
    DashInCategory {
        /// The category as given.
        category: String,
    },
    /// The name is longer than [`NAME_BYTES_MAX`].
    #[error("stream name has {bytes} bytes; at most {NAME_BYTES_MAX} are allowed")]
    TooLong {
        /// The length of the name as given.
        bytes: usize,
    },
    /// The name has a character outside printable ASCII, or a space.
    #[error("stream name {name:?} has a character that is not printable ASCII")]
    NotPrintable {
        /// The name as given.
        name: String,
    },
}

impl StreamName {
    /// Joins a category and an id.
    ///
    /// # Errors
    /// The rule that the name breaks; a dash in the category is one.
    pub fn new(category: &str, id: &str) -> Result<Self, StreamNameError> {
        if category.contains('-') {
            return Err(StreamNameError::DashInCategory { category: category.to_owned() });
        }
        Self::parse(&format!("{category}-{id}"))
    }

    /// Reads a whole name.
    ///
    /// # Errors
    /// The rule that the name breaks.
    pub fn parse(name: &str) -> Result<Self, StreamNameError> {
        if name.is_empty() {
            return Err(StreamNameError::Empty);
        }
        if name.len() > NAME_BYTES_MAX {
            return Err(StreamNameError::TooLong { bytes: name.len() });
        }
        if !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(StreamNameError::NotPrintable { name: name.to_owned() });
        }
        match name.split_once('-') {
            Some((category, id)) if !category.is_empty() && !id.is_empty() => Ok(Self(name.into())),
            _ => Err(StreamNameError::NotCategoryAndId { name: name.to_owned() }),
        }
    }

    /// The whole name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What kind of thing the stream is about: everything before the first dash.
    #[must_use]
    pub fn category(&self) -> &str {
        self.0.split_once('-').map_or("", |(category, _)| category)
    }

    /// Which thing the stream is about: everything behind the first dash.
    #[must_use]
    pub fn id(&self) -> &str {
        self.0.split_once('-').map_or("", |(_, id)| id)
    }

    /// What places the stream: the id up to its first `.`.
    #[must_use]
    pub fn shard_key(&self) -> &str {
        self.id().split_once('.').map_or(self.id(), |(key, _)| key)
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// So that a map keyed by names can be asked with text just read from disk.
impl Borrow<str> for StreamName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for StreamName {
    type Error = StreamNameError;

    fn try_from(name: String) -> Result<Self, StreamNameError> {
        Self::parse(&name)
    }
}

impl From<StreamName> for String {
    fn from(name: StreamName) -> Self {
        name.0.as_ref().to_owned()
    }
}

/// One of a log's partitions, counted from 0.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Partition(pub u16);

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How many partitions a log has: a power of two, fixed when the log is created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionCount(u16);

impl PartitionCount {
    /// Many more partitions than nodes, so that the count never has to change.
    pub const DEFAULT: Self = Self(64);

    /// The count, if it is a power of two from 1 to 32,768.
    #[must_use]
    pub fn new(count: u16) -> Option<Self> {
        count.is_power_of_two().then_some(Self(count))
    }

    /// The count as a number.
    #[must_use]
    pub fn get(self) -> u16 {
        self.0
    }

    /// Every partition, in order.
    pub fn all(self) -> impl Iterator<Item = Partition> {
        (0..self.0).map(Partition)
    }

    /// Where a shard key lives: the first 8 bytes of its SHA-256, big-endian, modulo the count.
    #[must_use]
    pub fn partition_of(self, shard_key: &str) -> Partition {
        let digest = Sha256::digest(shard_key.as_bytes());
        let head = digest.first_chunk::<8>().copied().map_or(0, u64::from_be_bytes);
        Partition(u16::try_from(head % u64::from(self.0)).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_splits_at_its_first_dash_and_dot() {
        let name = StreamName::parse("viewing-acc-1.profile-2").unwrap();
        assert_eq!(
            (name.category(), name.id(), name.shard_key()),
            ("viewing", "acc-1.profile-2", "acc-1")
        );
    }

    #[test]
    fn each_broken_rule_has_its_own_error() {
        let long = format!("title-{}", "x".repeat(195));
        assert_eq!(StreamName::parse(&long), Err(StreamNameError::TooLong { bytes: 201 }));
        assert_eq!(StreamName::parse(""), Err(StreamNameError::Empty));
        for name in ["-", "title", "title-", "-id"] {
            assert!(
                matches!(StreamName::parse(name), Err(StreamNameError::NotCategoryAndId { .. })),
                "{name:?}"
            );
        }
        for name in ["title-a b", "title-\u{e9}", "title-\n"] {
            assert!(
                matches!(StreamName::parse(name), Err(StreamNameError::NotPrintable { .. })),
                "{name:?}"
            );
        }
        assert!(matches!(
            StreamName::new("ti-tle", "a"),
            Err(StreamNameError::DashInCategory { .. })
        ));
    }

    #[test]
    fn all_streams_of_one_shard_key_share_a_partition() {
        let count = PartitionCount::DEFAULT;
        let of = |name| count.partition_of(StreamName::parse(name).unwrap().shard_key());
        assert_eq!(of("playback-acc"), of("viewing-acc.profile"));
    }

    /// Computed with Python: `int.from_bytes(sha256(key).digest()[:8], "big") % count`.
    #[test]
    fn the_partition_hash_never_changes() {
        let count = PartitionCount::DEFAULT;
        for (key, partition) in [("user:0", 46), ("acc", 45)] {
            assert_eq!(count.partition_of(key), Partition(partition), "{key}");
        }
        assert_eq!(PartitionCount::new(1024).unwrap().partition_of("user:0"), Partition(558));
    }
}
