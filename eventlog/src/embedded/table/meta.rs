//! Where the sections of a table are.

use super::array::ArrayMeta;
use crate::embedded::fields::Fields;

/// Where the sections of a table are, and between which keys it lies.
///
/// It has no checksum: whoever stores it has it under one of theirs. This layout is stored for ever:
///
/// | at | bytes | field |
/// | ---: | ---: | --- |
/// | 0 | 16 | entries: offset in the file and number of entries |
/// | 16 | 16 | fences, likewise |
/// | 32 | 16 | filter, likewise |
/// | 48 | 16 | smallest key, big-endian; all ones if there is none |
/// | 64 | 16 | largest key, big-endian; zero if there is none |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::embedded) struct TableMeta {
    /// Keys with their values.
    pub(in crate::embedded) entries: ArrayMeta,
    /// The first key of every block of entries.
    pub(in crate::embedded) fences: ArrayMeta,
    /// The blocks of the filter.
    pub(in crate::embedded) filter: ArrayMeta,
    /// The smallest key; greater than `max` if there is none.
    pub(in crate::embedded) min: u128,
    /// The largest key.
    pub(in crate::embedded) max: u128,
}

impl TableMeta {
    /// The size of its encoding.
    pub(in crate::embedded) const BYTES: usize = 3 * ArrayMeta::BYTES + 32;

    /// Adds its encoding to `out`.
    pub(in crate::embedded) fn encode(&self, out: &mut Vec<u8>) {
        for array in [self.entries, self.fences, self.filter] {
            array.encode(out);
        }
        out.extend(self.min.to_be_bytes());
        out.extend(self.max.to_be_bytes());
    }

    /// `None` if the bytes do not suffice. What they say is checked when the table is opened.
    pub(in crate::embedded) fn decode(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self {
            entries: ArrayMeta::decode(fields)?,
            fences: ArrayMeta::decode(fields)?,
            filter: ArrayMeta::decode(fields)?,
            min: fields.array().map(u128::from_be_bytes)?,
            max: fields.array().map(u128::from_be_bytes)?,
        })
    }
}
