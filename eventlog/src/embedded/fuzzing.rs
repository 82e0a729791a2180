//! Doors for the fuzz targets in `eventlog/fuzz`; only there with `--cfg fuzzing`.

use bytes::Bytes;

use super::footer::Footer;
use super::record::{self, Record};
use crate::event::NewEvent;
use crate::stream::StreamName;

/// Decodes the record at the front of some bytes. Answers its size, and itself encoded again;
/// `None` if there is no record.
#[must_use]
pub fn record(bytes: &[u8]) -> Option<(usize, Vec<u8>)> {
    let (found, size) = record::decode(bytes).ok()?;
    let mut encoded = Vec::new();
    match found {
        Record::Event(view) => {
            let event = NewEvent {
                id: view.id,
                event_type: view.event_type.into(),
                schema_version: view.schema_version,
                actor: view.actor.into(),
                recorded_at_ms: view.recorded_at_ms,
                correlation_id: view.correlation_id,
                causation_id: view.causation_id,
                payload: Bytes::copy_from_slice(view.payload),
                metadata: Bytes::copy_from_slice(view.metadata),
            };
            let stream = StreamName::parse(view.stream).ok()?;
            record::encode_event(&mut encoded, &stream, view.spot, &event);
        }
        Record::Marker(marker) => {
            // Not by `decode` alone: behind damage, markers are looked for at every byte.
            assert_eq!(record::marker_at(bytes, marker.position), Some(marker));
            record::encode_marker(&mut encoded, marker);
        }
    }
    Some((size, encoded))
}

/// Decodes the footer at the end of some bytes, and encodes it again; `None` if there is none.
#[must_use]
pub fn footer(bytes: &[u8]) -> Option<Vec<u8>> {
    Footer::decode(bytes).map(|footer| footer.encode())
}
