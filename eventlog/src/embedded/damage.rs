//! What is not as it was written: where it stands, and whose it was.

use std::fmt;
use std::path::{Path, PathBuf};

use super::fields::Fields;
use super::record::RECORD_BYTES_MAX;
use super::segment::{self, Segment};
use crate::stream::{NAME_BYTES_MAX, Partition, StreamName};

/// Where the name of a stream stands in the record of an event.
const NAME_AT: usize = 96;
/// So many bytes of a record tell whose it is.
pub(super) const HEAD_BYTES: usize = NAME_AT + NAME_BYTES_MAX;

/// A place of the journal that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The journal position, in bytes.
    pub position: u64,
    /// The segment: the file to be restored.
    pub file: PathBuf,
    /// The place in the segment, in bytes from its beginning; as if it was not compressed.
    pub offset: u64,
    /// The partition of the event that stood there; `None` if that is unknown, or it was none.
    pub partition: Option<Partition>,
    /// The stream of the event that stood there, likewise.
    pub stream: Option<String>,
    /// Whether partition or stream are only known from the damaged bytes, and so may be wrong.
    pub guessed: bool,
    /// What is wrong.
    pub reason: String,
}

impl Damage {
    /// Damage at a position of a segment, which belongs to nobody so far.
    pub(super) fn at(file: &Path, position: u64, reason: impl Into<String>) -> Self {
        let name = file.file_name().and_then(|name| name.to_str());
        let first = name.and_then(segment::first_of).unwrap_or(0);
        Self {
            position,
            file: file.to_owned(),
            offset: position.saturating_sub(first),
            partition: None,
            stream: None,
            guessed: false,
            reason: reason.into(),
        }
    }

    /// The same, of the event whose record seems to stand there.
    pub(super) fn guessed_in(self, segment: &Segment) -> Self {
        match Guess::read(segment, self.position) {
            Some(Guess { partition, stream }) => Self {
                partition: Some(partition),
                stream: Some(stream.as_str().to_owned()),
                guessed: true,
                ..self
            },
            None => self,
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { position, offset, reason, .. } = self;
        write!(f, "{} is corrupt at byte {offset} (position {position}", self.file.display())?;
        if let Some(partition) = self.partition {
            write!(f, ", partition {partition}")?;
        }
        if let Some(stream) = &self.stream {
            write!(f, ", stream {stream}")?;
        }
        if self.guessed {
            write!(f, ", as far as it can be read")?;
        }
        write!(f, "): {reason}")
    }
}

/// Whose a record seems to be that cannot be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Guess {
    pub(super) partition: Partition,
    pub(super) stream: StreamName,
}

impl Guess {
    /// What the bytes at a position say, if they can be read and look like an event.
    pub(super) fn read(segment: &Segment, position: u64) -> Option<Self> {
        let left = segment.end().ok()?.checked_sub(position)?;
        let len = usize::try_from(left).unwrap_or(usize::MAX).min(HEAD_BYTES);
        let mut bytes = vec![0; len];
        segment.read_at(&mut bytes, position).ok()?;
        Self::of(&bytes)
    }

    /// What the bytes of a record say, if they look like an event.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields::new(bytes);
        let plausible = fields.length()? <= RECORD_BYTES_MAX;
        let (_crc, _kind, name) = (fields.u32()?, fields.u8()?, fields.u8()?);
        let (_lengths, partition) = (fields.take(2)?, Partition(fields.u16()?));
        let start = bytes.get(NAME_AT..)?.get(..usize::from(name))?;
        let stream = str::from_utf8(start).ok().and_then(|name| StreamName::parse(name).ok())?;
        plausible.then_some(Self { partition, stream })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_tells_the_file_the_place_in_it_and_whose_it_was() {
        let file = Path::new("d/journal/00000000000000001000.seg");
        let damage = Damage::at(file, 1_200, "the checksum is wrong");
        assert_eq!(
            damage.to_string(),
            "d/journal/00000000000000001000.seg is corrupt at byte 200 (position 1200): the \
             checksum is wrong"
        );
        let known = Damage {
            partition: Some(Partition(3)),
            stream: Some("title-x".to_owned()),
            guessed: true,
            ..damage
        };
        assert!(
            known
                .to_string()
                .contains("(position 1200, partition 3, stream title-x, as far as it can be read)"),
            "{known}"
        );
    }

    #[test]
    fn bytes_that_are_no_event_belong_to_nobody() {
        for bytes in [vec![0; 400], vec![0xff; 400], vec![1; 20]] {
            assert_eq!(Guess::of(&bytes), None);
        }
    }
}
