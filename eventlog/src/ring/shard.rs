//! What a ring places things on.

use std::fmt;
use std::sync::Arc;

use super::{NAME_BYTES_MAX, RingError, WEIGHT_MAX};

/// A node that takes a part of the keys.
///
/// **Invariant:** the name has 1 to 100 bytes of printable ASCII without spaces; the weight is from
/// 1 to 1,000; the capacity, if there is one, is at least 1.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Shard {
    name: Arc<str>,
    weight: u32,
    capacity: Option<u32>,
}

impl Shard {
    /// A shard without a limit of what it takes. Twice the weight gets twice as many points, and so
    /// about twice as much to keep.
    ///
    /// # Errors
    /// The rule that name or weight break.
    pub fn new(name: &str, weight: u32) -> Result<Self, RingError> {
        if name.is_empty() {
            return Err(RingError::NameEmpty);
        }
        if name.len() > NAME_BYTES_MAX {
            return Err(RingError::NameTooLong { bytes: name.len() });
        }
        if !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(RingError::NameNotPrintable { name: name.to_owned() });
        }
        Self { name: name.into(), weight, capacity: None }.with_weight(weight)
    }

    /// The same shard, which takes at most so many partitions; every replica counts.
    ///
    /// # Errors
    /// [`RingError::CapacityZero`].
    pub fn with_capacity(self, capacity: u32) -> Result<Self, RingError> {
        match capacity {
            0 => Err(RingError::CapacityZero { shard: self.name().to_owned() }),
            _ => Ok(Self { capacity: Some(capacity), ..self }),
        }
    }

    /// The same shard with another weight.
    pub(super) fn with_weight(self, weight: u32) -> Result<Self, RingError> {
        match weight {
            1..=WEIGHT_MAX => Ok(Self { weight, ..self }),
            _ => Err(RingError::WeightOutOfRange { shard: self.name().to_owned(), weight }),
        }
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How much falls to it, in proportion to the other weights.
    #[must_use]
    pub fn weight(&self) -> u32 {
        self.weight
    }

    /// The most replicas that it takes; `None` means any number.
    #[must_use]
    pub fn capacity(&self) -> Option<u32> {
        self.capacity
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
