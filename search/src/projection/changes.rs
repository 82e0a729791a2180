//! How title events change what can be found.

use std::collections::BTreeMap;

use playhead_domain::codec::StoredEvent;
use playhead_domain::title::Event;
use playhead_domain::{CodecError, TitleId};
use playhead_eventlog::RecordedEvent;

use crate::index::{Document, Error, Index};

/// What a batch says about each title that it names, in order. What came before it was added or
/// withdrawn last is left out.
#[derive(Debug, Default)]
pub(super) struct Changes(BTreeMap<TitleId, Vec<Event>>);

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// # Errors
    /// The event cannot be read; the changes are as before.
    pub(super) fn fold(&mut self, event: &RecordedEvent) -> Result<(), CodecError> {
        let event = &event.event;
        let event = Event::from_json(&event.event_type, event.schema_version, &event.payload)?;
        let said = self.0.entry(title_of(&event)).or_default();
        if matches!(event, Event::Withdrawn(_)) {
            said.clear();
        }
        said.push(event);
        Ok(())
    }

    /// Puts and removes what has changed; false if nothing has.
    pub(super) fn write(self, index: &Index) -> Result<bool, Error> {
        let snapshot = index.snapshot();
        let mut changed = false;
        for (title_id, events) in self.0 {
            let before = snapshot.get(title_id)?;
            let was = before.clone();
            let after = events.into_iter().fold(before, after);
            if after == was {
                continue;
            }
            changed = true;
            match after {
                Some(document) => index.put(&document)?,
                None => index.remove(title_id),
            }
        }
        Ok(changed)
    }
}

pub(super) fn title_of(event: &Event) -> TitleId {
    match event {
        Event::Added(it) => it.title_id,
        Event::Edited(it) => it.title_id,
        Event::Published(it) => it.title_id,
        Event::Withdrawn(it) => it.title_id,
        Event::Scheduled(it) => it.title_id,
    }
}

/// A title behind an event; `None` if it left, or never joined. Total: whatever the order, the same
/// titles are there as in the catalogue.
fn after(before: Option<Document>, event: Event) -> Option<Document> {
    let schedule = before.as_ref().and_then(|it| it.availability.clone());
    match event {
        Event::Added(added) => {
            let document =
                Document::of(added.title_id, &added.metadata, schedule.as_ref(), added.at_ms);
            Some(Document { published: !added.draft, ..document })
        }
        Event::Edited(edited) => {
            let (published, at_ms) =
                before.map_or((true, edited.at_ms), |it| (it.published, it.added_at_ms));
            let document =
                Document::of(edited.title_id, &edited.metadata, schedule.as_ref(), at_ms);
            Some(Document { published, ..document })
        }
        Event::Published(_) => before.map(|it| Document { published: true, ..it }),
        Event::Withdrawn(_) => None,
        Event::Scheduled(scheduled) => {
            before.map(|it| Document { availability: Some(scheduled.availability), ..it })
        }
    }
}
