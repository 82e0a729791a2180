//! Compares what a log holds with what it answered.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use playhead_eventlog::{Append, AppendError, Expected, RecordedEvent, StreamName};
use uuid::Uuid;

use super::snapshot::Snapshot;
use crate::subject::{Violation, claim};
use crate::workload::run::{End, Note};

type Streams<'a> = BTreeMap<&'a StreamName, Vec<&'a RecordedEvent>>;

/// Every stream that was ever appended to, and one that never was.
pub(crate) fn streams(notes: &[Note]) -> BTreeSet<StreamName> {
    let never = StreamName::parse("title-never").expect("a valid name");
    notes.iter().map(|note| note.append.stream.clone()).chain([never]).collect()
}

/// Holds a log against the notes, after a crash behind `step` operations of the disk.
pub(crate) fn judge(snapshot: &Snapshot, notes: &[Note], step: usize) -> Result<(), Violation> {
    let streams = snapshot.by_stream();
    for note in notes.iter().filter(|note| note.answered <= step) {
        kept(snapshot, &streams, note)?;
    }
    let mut appends: HashMap<Uuid, Vec<&Note>> = HashMap::new();
    for note in notes.iter().filter(|note| note.submitted <= step) {
        for event in &note.append.events {
            appends.entry(event.id).or_default().push(note);
        }
    }
    let mut seen = BTreeSet::new();
    for event in snapshot.events() {
        let id = event.event.id;
        claim!(seen.insert(id), "no event is recorded twice", "{event:?}");
        asked_for(event, appends.get(&id).map_or(&[][..], Vec::as_slice), step)?;
    }
    let refused = |note: &Note| matches!(note.end, End::Refused(_));
    for note in notes.iter().filter(|note| note.submitted <= step && !refused(note)) {
        whole(&streams, &note.append, &seen)?;
    }
    Ok(())
}

/// What was answered is still so.
fn kept(snapshot: &Snapshot, streams: &Streams<'_>, note: &Note) -> Result<(), Violation> {
    match &note.end {
        End::Recorded(events) => {
            for due in events {
                match snapshot.at(due.partition, due.offset) {
                    Some(found) => {
                        claim!(
                            found == due,
                            "acknowledged events are identical",
                            "{found:?} where {due:?} was acknowledged"
                        );
                    }
                    None => {
                        let detail = format!("{due:?} is missing");
                        return Err(Violation::new("acknowledged events are present", detail));
                    }
                }
            }
        }
        End::Refused(
            AppendError::Conflict { stream, len, .. } | AppendError::BeyondEnd { stream, len, .. },
        ) => {
            let found = streams.get(stream).map_or(0, Vec::len) as u64;
            claim!(
                found >= *len,
                "what a refusal was told about is present",
                "{stream} has {found} events, and {len} were the reason for a refusal"
            );
        }
        End::Refused(_) | End::Unknown => {}
    }
    Ok(())
}

/// Somebody asked for exactly this event and was not refused.
fn asked_for(event: &RecordedEvent, notes: &[&Note], step: usize) -> Result<(), Violation> {
    let asked = notes.iter().any(|note| {
        note.append.stream == event.stream && note.append.events.contains(&event.event)
    });
    claim!(asked, "nothing is invented", "nobody asked for {event:?}");
    let refused = notes.iter().all(|note| match &note.end {
        // Until it is told, what did not fit may be there.
        End::Refused(AppendError::DiskFull { .. }) => note.answered <= step,
        End::Refused(_) => true,
        End::Recorded(_) | End::Unknown => false,
    });
    claim!(!refused, "what was refused stays absent", "{event:?} was refused");
    // Where an append was repeated because nobody knew, it may have had another place before.
    let certain = notes.iter().filter(|_| notes.iter().all(|note| !note.unsure));
    for note in certain {
        if let End::Recorded(events) = &note.end {
            claim!(
                events.contains(event),
                "acknowledged events are identical",
                "{event:?} was, or would have been, acknowledged at another place: {events:?}"
            );
        }
    }
    Ok(())
}

/// Of an append that might have been recorded all is there, or nothing; and its condition held.
fn whole(
    streams: &Streams<'_>,
    append: &Append,
    recorded: &BTreeSet<Uuid>,
) -> Result<(), Violation> {
    let present = append.events.iter().filter(|event| recorded.contains(&event.id)).count();
    let stream = streams.get(&append.stream).map_or(&[][..], Vec::as_slice);
    let first = append.events.first().map(|event| event.id);
    let Some(at) = stream.iter().position(|event| Some(event.event.id) == first) else {
        claim!(present == 0, "a batch is whole or absent", "{present} events of {append:?}");
        return Ok(());
    };
    let same = stream[at..].iter().zip(&append.events).filter(|(a, b)| a.event == **b).count();
    claim!(
        same == append.events.len(),
        "a batch is whole or absent",
        "{same} events in order of {append:?}"
    );
    let neighbours = stream[at..].iter().take(same).map(|event| event.offset);
    let from = stream[at].offset;
    claim!(
        neighbours.eq(from..from + same as u64),
        "a batch is whole or absent",
        "the offsets of {append:?} are not neighbours"
    );
    let held = matches!(append.expected, Expected::Any) || append.expected.holds(at as u64);
    claim!(held, "conditions hold", "{append:?} is recorded at version {at}");
    Ok(())
}
