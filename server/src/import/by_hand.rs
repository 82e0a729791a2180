//! What people changed by hand in an imported title, and an import does not change back.
//!
//! Whose a field is follows from the title's events: the last one that changed it is of an import or
//! of a person. So nothing has to be stored beside the log, and history answers for it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use playhead_domain::title::{Event, Metadata, Title};
use playhead_domain::{Decider, StoredEvent, TitleId};
use playhead_eventlog::{EventLog, StreamName};
use serde_json::Value;

use super::ACTOR;

/// How many events of a title are read at once.
const PAGE_EVENTS: usize = 1_000;

/// The fields of a title by name; absent ones are not in it.
type Fields = serde_json::Map<String, Value>;

/// What is known of a title after an import has its say.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Merged {
    pub(super) metadata: Metadata,
    /// Whether the import says otherwise of a field that somebody changed by hand.
    pub(super) kept: bool,
}

/// The fields of a title that somebody changed by hand since an import last did.
///
/// # Errors
/// The log cannot be read.
pub(super) async fn fields(
    log: &dyn EventLog,
    title_id: TitleId,
) -> anyhow::Result<BTreeSet<String>> {
    let stream = StreamName::new(Title::CATEGORY, &title_id.to_string())?;
    let mut hands = Hands::default();
    let mut next = 0;
    loop {
        let page = log.read_stream(&stream, next, PAGE_EVENTS).await?;
        if page.is_empty() {
            return Ok(hands.by_hand());
        }
        for recorded in page {
            let event = recorded.event;
            let read = Event::from_json(&event.event_type, event.schema_version, &event.payload);
            let metadata = match read.with_context(|| stream.to_string())? {
                Event::Added(added) => added.metadata,
                Event::Edited(edited) => edited.metadata,
                Event::Published(_) | Event::Withdrawn(_) | Event::Scheduled(_) => continue,
            };
            hands.see(fields_of(&metadata)?, &*event.actor == ACTOR);
            next = recorded.version + 1;
        }
        next = next.max(1);
    }
}

/// Takes over what an import says of the fields that are its own: not of those that it knows nothing
/// of, nor of those that somebody changed by hand.
///
/// # Errors
/// Never for metadata that can be stored.
pub(super) fn merge(
    current: &Metadata,
    imported: &Metadata,
    unknown: &BTreeSet<&'static str>,
    by_hand: &BTreeSet<String>,
) -> anyhow::Result<Merged> {
    let mut merged = fields_of(current)?;
    let mut imported = fields_of(imported)?;
    let names: BTreeSet<String> = merged.keys().chain(imported.keys()).cloned().collect();
    let mut kept = false;
    for name in names {
        let said = imported.remove(&name);
        if unknown.contains(name.as_str()) || merged.get(&name) == said.as_ref() {
            continue;
        }
        if by_hand.contains(&name) {
            kept = true;
            continue;
        }
        match said {
            Some(value) => merged.insert(name, value),
            None => merged.remove(&name),
        };
    }
    Ok(Merged { metadata: serde_json::from_value(Value::Object(merged))?, kept })
}

fn fields_of(metadata: &Metadata) -> anyhow::Result<Fields> {
    match serde_json::to_value(metadata)? {
        Value::Object(fields) => Ok(fields),
        other => anyhow::bail!("metadata is stored as {other}"),
    }
}

/// Who changed each field last.
#[derive(Default)]
struct Hands {
    fields: Fields,
    by_hand: BTreeMap<String, bool>,
}

impl Hands {
    fn see(&mut self, fields: Fields, is_import: bool) {
        let names: BTreeSet<&String> = self.fields.keys().chain(fields.keys()).collect();
        for name in names {
            if self.fields.get(name) != fields.get(name) {
                self.by_hand.insert(name.clone(), !is_import);
            }
        }
        self.fields = fields;
    }

    fn by_hand(self) -> BTreeSet<String> {
        self.by_hand.into_iter().filter(|(_, by_hand)| *by_hand).map(|(name, _)| name).collect()
    }
}

#[cfg(test)]
mod tests {
    use playhead_domain::title::Kind;

    use super::*;

    fn film(name: &str, year: u16) -> Metadata {
        Metadata { year: Some(year), ..Metadata::new(Kind::Movie, name) }
    }

    fn merged(current: &Metadata, imported: &Metadata, by_hand: &[&str]) -> Merged {
        let by_hand = by_hand.iter().map(|name| (*name).to_owned()).collect();
        merge(current, imported, &BTreeSet::new(), &by_hand).unwrap()
    }

    #[test]
    fn a_field_belongs_to_who_changed_it_last() {
        let mut hands = Hands::default();
        for (metadata, is_import) in [
            (film("A", 1999), true),
            (film("B", 2000), false),
            // The import says 2001, and leaves the name.
            (film("B", 2001), true),
        ] {
            hands.see(fields_of(&metadata).unwrap(), is_import);
        }
        assert_eq!(hands.by_hand(), BTreeSet::from(["name".to_owned()]));
    }

    #[test]
    fn what_was_changed_by_hand_stays_and_the_rest_follows_the_source() {
        let found = merged(&film("By hand", 1999), &film("A", 2000), &["name"]);
        assert_eq!(found, Merged { metadata: film("By hand", 2000), kept: true });
        let found = merged(&film("A", 1999), &Metadata::new(Kind::Movie, "A"), &[]);
        assert_eq!(found.metadata.year, None, "the source says so no more");
        let found = merged(&film("A", 1999), &film("A", 1999), &["name"]);
        assert!(!found.kept, "both say the same");
    }

    #[test]
    fn of_what_an_import_knows_nothing_nothing_changes() {
        let unknown = BTreeSet::from(["year"]);
        let film = film("A", 1999);
        let imported = Metadata::new(Kind::Movie, "B");
        let found = merge(&film, &imported, &unknown, &BTreeSet::new()).unwrap();
        assert_eq!((found.metadata.name.as_str(), found.metadata.year), ("B", Some(1999)));
        assert!(!found.kept);
    }
}
