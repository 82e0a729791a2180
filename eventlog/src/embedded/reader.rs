//! From positions to events: reads the journal in chunks and checks every record.

use std::io::ErrorKind;
use std::sync::Arc;

use bytes::Bytes;

use super::damage::Guess;
use super::journal::Journal;
use super::record::{self, EventView, Flaw, RECORD_BYTES_MAX, Record};
use crate::event::{NewEvent, RecordedEvent};
use crate::log::ReadError;
use crate::stream::StreamName;

/// Wanted events that lie close together are read as one chunk of at most about this size. The
/// payloads of a chunk share its memory, which is freed with the last of them.
const CHUNK_BYTES: u64 = 1 << 20;

/// Below this distance, reading what nobody wants is cheaper than another read.
const GAP_BYTES: u64 = 32 << 10;

/// How much is read for the last event of a chunk, whose size is not known before. Most are
/// smaller; for the others there is a second read.
const LAST_BYTES: u64 = 4 << 10;

/// One read stops early when it has taken this much memory.
const READ_BYTES_MAX: u64 = 64 << 20;

/// The events at these positions, which are in order and before `end`; fewer, but at least one, if
/// they are large.
pub(super) fn fetch(
    journal: &Journal,
    positions: &[u64],
    end: u64,
) -> Result<Vec<RecordedEvent>, ReadError> {
    let mut reader = Reader {
        journal,
        end,
        names: Names::default(),
        events: Vec::with_capacity(positions.len()),
        bytes: 0,
    };
    let mut rest = positions;
    while let Some(first) = rest.first().copied()
        && reader.bytes < READ_BYTES_MAX
    {
        let taken = match reader.chunk(rest, span(rest))? {
            0 => reader.chunk(rest, count(RECORD_BYTES_MAX))?,
            taken => taken,
        };
        rest = match rest.get(taken..) {
            Some(rest) if taken > 0 => rest,
            _ => return Err(corrupt(first, Flaw::Short.reason())),
        };
    }
    Ok(reader.events)
}

/// How many bytes are to be read at the first of these positions.
fn span(positions: &[u64]) -> u64 {
    let first = positions.first().copied().unwrap_or(0);
    let joined = positions.windows(2).map_while(|pair| match pair {
        [from, to] if to - from <= GAP_BYTES && to - first <= CHUNK_BYTES => Some(to - first),
        _ => None,
    });
    joined.last().unwrap_or(0) + LAST_BYTES
}

struct Reader<'a> {
    journal: &'a Journal,
    end: u64,
    names: Names,
    events: Vec<RecordedEvent>,
    /// How much was read so far.
    bytes: u64,
}

impl Reader<'_> {
    /// Reads one chunk and takes the events that lie in it whole; answers how many those are.
    fn chunk(&mut self, positions: &[u64], span: u64) -> Result<usize, ReadError> {
        let start = positions.first().copied().unwrap_or(self.end);
        // A chunk does not reach into the next segment.
        let end = self.journal.around(start).1.map_or(self.end, |next| next.min(self.end));
        let chunk = self.read(start, span.min(end.saturating_sub(start)))?;
        let mut taken = 0;
        for position in positions {
            let Some(bytes) = usize::try_from(position - start).ok().and_then(|at| chunk.get(at..))
            else {
                break;
            };
            match record::decode(bytes) {
                Ok((Record::Event(view), _)) => {
                    let event = self.names.event(&view, &chunk);
                    self.events.push(event.ok_or_else(|| corrupt(*position, "a bad name"))?);
                }
                Ok((Record::Marker(_), _)) => return Err(corrupt(*position, "no event is here")),
                Err(Flaw::Short) => break,
                Err(flaw) => return Err(damaged(*position, flaw.reason(), bytes)),
            }
            taken += 1;
        }
        Ok(taken)
    }

    fn read(&mut self, position: u64, length: u64) -> Result<Bytes, ReadError> {
        self.bytes += length;
        let failed = |reason: String| ReadError::Io { position, reason };
        let length = usize::try_from(length).map_err(|error| failed(error.to_string()))?;
        let mut chunk = vec![0; length];
        self.journal.read_at(&mut chunk, position).map_err(|error| match error.kind() {
            ErrorKind::InvalidData => corrupt(position, &error.to_string()),
            _ => failed(error.to_string()),
        })?;
        Ok(chunk.into())
    }
}

fn corrupt(position: u64, reason: &str) -> ReadError {
    ReadError::Corrupt { position, reason: reason.to_owned() }
}

/// Says also whose the record seems to be.
fn damaged(position: u64, reason: &str, bytes: &[u8]) -> ReadError {
    let whose = Guess::of(bytes).map(|Guess { partition, stream }| {
        format!(" (partition {partition}, stream {stream}, as far as it can be read)")
    });
    corrupt(position, &format!("{reason}{}", whose.unwrap_or_default()))
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// The names met during one read. Neighbours often have the same, which they share; to look for
/// earlier ones costs more than a copy.
#[derive(Default)]
struct Names {
    stream: Option<StreamName>,
    event_type: Option<Arc<str>>,
    actor: Option<Arc<str>>,
}

impl Names {
    /// An event whose bytes are slices of `chunk`; `None` if it has no valid stream name.
    fn event(&mut self, view: &EventView<'_>, chunk: &Bytes) -> Option<RecordedEvent> {
        Some(RecordedEvent {
            stream: self.stream(view.stream)?,
            version: view.spot.version,
            partition: view.spot.partition,
            offset: view.spot.offset,
            event: NewEvent {
                id: view.id,
                event_type: label(&mut self.event_type, view.event_type),
                schema_version: view.schema_version,
                recorded_at_ms: view.recorded_at_ms,
                actor: label(&mut self.actor, view.actor),
                correlation_id: view.correlation_id,
                causation_id: view.causation_id,
                payload: chunk.slice_ref(view.payload),
                metadata: match view.metadata {
                    [] => Bytes::new(),
                    metadata => chunk.slice_ref(metadata),
                },
            },
        })
    }

    fn stream(&mut self, name: &str) -> Option<StreamName> {
        match &self.stream {
            Some(latest) if latest.as_str() == name => {}
            _ => self.stream = Some(StreamName::parse(name).ok()?),
        }
        self.stream.clone()
    }
}

/// A label that shares the memory of the latest one if it is the same.
fn label(latest: &mut Option<Arc<str>>, label: &str) -> Arc<str> {
    match latest {
        Some(latest) if **latest == *label => Arc::clone(latest),
        _ => Arc::clone(latest.insert(label.into())),
    }
}
