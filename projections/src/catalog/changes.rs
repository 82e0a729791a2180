//! How title events change the catalogue.

use std::collections::BTreeMap;

use async_trait::async_trait;
use playhead_domain::codec::StoredEvent;
use playhead_domain::title::{Event, Metadata};
use playhead_domain::{CodecError, TitleId};
use playhead_eventlog::RecordedEvent;
use sqlx::sqlite::SqliteConnection;

use super::tables::{self, Listed, Titles};
use crate::error::StoreError;
use crate::store::Fold;
use crate::terms::{self, TermChanges};

/// What a batch of events changes: the newest state of each title that it names.
#[derive(Debug, Default)]
pub struct Changes {
    titles: BTreeMap<TitleId, Change>,
    terms: TermChanges,
}

#[derive(Debug)]
enum Change {
    Listed { metadata: Box<Metadata>, added: Added },
    Withdrawn,
}

/// When a title joined.
#[derive(Debug, Clone, Copy)]
enum Added {
    /// Then.
    At(i64),
    /// As its row says; then, if it has none.
    Before(i64),
}

#[async_trait]
impl Fold for Changes {
    const NAME: &'static str = "catalog";
    const VERSION: u32 = 3;
    const SCHEMA: &'static [&'static str] =
        &[include_str!("../../../migrations/catalog/0001_titles.sql"), terms::SCHEMA];

    fn wants(event_type: &str) -> bool {
        Event::TYPES.iter().any(|wanted| wanted.name == event_type)
    }

    fn fold(&mut self, event: &RecordedEvent) -> Result<(), CodecError> {
        let event = &event.event;
        let event = Event::from_json(&event.event_type, event.schema_version, &event.payload)?;
        self.terms.fold(&event);
        match event {
            Event::Added(added) => {
                let metadata = Box::new(added.metadata);
                let change = Change::Listed { metadata, added: Added::At(added.at_ms) };
                self.titles.insert(added.title_id, change);
            }
            Event::Edited(edited) => {
                let added = match self.titles.get(&edited.title_id) {
                    Some(Change::Listed { added, .. }) => *added,
                    Some(Change::Withdrawn) => Added::At(edited.at_ms),
                    None => Added::Before(edited.at_ms),
                };
                let metadata = Box::new(edited.metadata);
                self.titles.insert(edited.title_id, Change::Listed { metadata, added });
            }
            Event::Withdrawn(withdrawn) => {
                self.titles.insert(withdrawn.title_id, Change::Withdrawn);
            }
            // The terms have it.
            Event::Scheduled(_) => {}
        }
        Ok(())
    }

    async fn write(self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let Self { titles, terms } = self;
        let ids: Vec<_> = terms.titles().collect();
        if ids.is_empty() {
            return Ok(());
        }
        let before = tables::load(connection, &ids).await?;
        let after = after(titles, &terms, &before);
        tables::store(connection, &before, &after).await?;
        terms.write(connection).await
    }
}

/// Those of the changed titles that are listed now.
fn after(titles: BTreeMap<TitleId, Change>, terms: &TermChanges, before: &Titles) -> Titles {
    // Those of which only the schedule changed.
    let mut after = before.clone();
    for (title_id, change) in titles {
        let row = before.get(&title_id);
        let Change::Listed { metadata, added } = change else {
            after.remove(&title_id);
            continue;
        };
        let added_at_ms = match added {
            Added::At(at_ms) => at_ms,
            Added::Before(at_ms) => row.map_or(at_ms, |row| row.added_at_ms),
        };
        after.insert(title_id, Listed { metadata, added_at_ms, scheduled: false });
    }
    for (title_id, listed) in &mut after {
        let scheduled = before.get(title_id).map(|row| row.scheduled);
        listed.scheduled = terms.is_scheduled(*title_id, scheduled);
    }
    after
}
