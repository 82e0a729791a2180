//! How title events change the catalogue.

use std::collections::BTreeMap;

use async_trait::async_trait;
use playhead_domain::codec::StoredEvent;
use playhead_domain::title::{Event, Metadata, TitleAdded, TitleEdited, TitlePublished};
use playhead_domain::{AccountId, CodecError, TitleId};
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

/// What becomes of a title.
#[derive(Debug, Default)]
struct Change {
    /// Whether it left; what it was before does not count then.
    withdrawn: bool,
    /// Set if it joined; what it was before does not count then.
    joined: Option<Joined>,
    /// What is known of it now, and when something was said first.
    said: Option<(Box<Metadata>, i64)>,
    /// When it was published first. Counts only if it was a draft.
    published_at_ms: Option<i64>,
}

/// How a title joined.
#[derive(Debug, Clone, Copy)]
struct Joined {
    at_ms: i64,
    owner: Option<AccountId>,
    draft: bool,
}

#[async_trait]
impl Fold for Changes {
    const NAME: &'static str = "catalog";
    const VERSION: u32 = 4;
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
                let TitleAdded { title_id, metadata, owner, draft, at_ms } = added;
                let joined = Some(Joined { at_ms, owner, draft });
                let said = Some((Box::new(metadata), at_ms));
                self.titles.insert(title_id, Change { joined, said, ..Change::default() });
            }
            Event::Edited(TitleEdited { title_id, metadata, at_ms }) => {
                let change = self.titles.entry(title_id).or_default();
                let first_ms = change.said.as_ref().map_or(at_ms, |(_, first_ms)| *first_ms);
                change.said = Some((Box::new(metadata), first_ms));
            }
            Event::Published(TitlePublished { title_id, at_ms }) => {
                self.titles.entry(title_id).or_default().published_at_ms.get_or_insert(at_ms);
            }
            Event::Withdrawn(withdrawn) => {
                let change = Change { withdrawn: true, ..Change::default() };
                self.titles.insert(withdrawn.title_id, change);
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

/// Those of the changed titles that are listed now, or drafts.
fn after(titles: BTreeMap<TitleId, Change>, terms: &TermChanges, before: &Titles) -> Titles {
    // Those of which only the schedule changed.
    let mut after = before.clone();
    for (title_id, change) in titles {
        let row = after.remove(&title_id);
        after.extend(change.after(row).map(|listed| (title_id, listed)));
    }
    for (title_id, listed) in &mut after {
        let scheduled = before.get(title_id).map(|row| row.scheduled);
        listed.scheduled = terms.is_scheduled(*title_id, scheduled);
    }
    after
}

impl Change {
    /// The title as it is now; `None` if it left, or never joined.
    fn after(self, before: Option<Listed>) -> Option<Listed> {
        let Self { withdrawn, joined, said, published_at_ms } = self;
        let fresh = |metadata, Joined { at_ms, owner, draft }| {
            let (added_at_ms, listed_at_ms) = (at_ms, at_ms);
            Listed { metadata, owner, draft, added_at_ms, listed_at_ms, scheduled: false }
        };
        let mut listed = match (said, joined, before.filter(|_| !withdrawn)) {
            (Some((metadata, _)), Some(joined), _) => fresh(metadata, joined),
            (Some((metadata, _)), None, Some(before)) => Listed { metadata, ..before },
            (Some((metadata, at_ms)), None, None) => {
                fresh(metadata, Joined { at_ms, owner: None, draft: false })
            }
            (None, _, before) => before?,
        };
        if let Some(at_ms) = published_at_ms.filter(|_| listed.draft) {
            listed.draft = false;
            listed.listed_at_ms = at_ms;
        }
        Some(listed)
    }
}
