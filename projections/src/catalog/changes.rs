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

/// What a batch of events changes: the newest state of each title that it names.
#[derive(Debug, Default)]
pub struct Changes {
    titles: BTreeMap<TitleId, Change>,
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
    const VERSION: u32 = 2;
    const SCHEMA: &'static [&'static str] =
        &[include_str!("../../../migrations/catalog/0001_titles.sql")];

    fn wants(event_type: &str) -> bool {
        Event::TYPES.iter().any(|wanted| wanted.name == event_type)
    }

    fn fold(&mut self, event: &RecordedEvent) -> Result<(), CodecError> {
        let event = &event.event;
        match Event::from_json(&event.event_type, event.schema_version, &event.payload)? {
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
            // Asked for when something is started; nothing of it is shown.
            Event::Scheduled(_) => {}
        }
        Ok(())
    }

    async fn write(self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        if self.titles.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = self.titles.keys().copied().collect();
        let before = tables::load(connection, &ids).await?;
        let after = self.after(&before);
        tables::store(connection, &before, &after).await
    }
}

impl Changes {
    /// Those of the titles that are listed now.
    fn after(self, before: &Titles) -> Titles {
        let listed = |(title_id, change)| match change {
            Change::Withdrawn => None,
            Change::Listed { metadata, added: Added::At(added_at_ms) } => {
                Some((title_id, Listed { metadata, added_at_ms }))
            }
            Change::Listed { metadata, added: Added::Before(at_ms) } => {
                let added_at_ms = before.get(&title_id).map_or(at_ms, |row| row.added_at_ms);
                Some((title_id, Listed { metadata, added_at_ms }))
            }
        };
        self.titles.into_iter().filter_map(listed).collect()
    }
}
