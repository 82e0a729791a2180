//! What happened to a title, from its stream: when, by whom, and what was changed to what.

use async_graphql::{ComplexObject, Enum, SimpleObject};
use playhead_domain::title::{Event, Title as Rules};
use playhead_domain::{CodecError, Decider, StoredEvent, TitleId};
use playhead_eventlog::{RecordedEvent, StreamName};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::caller::Caller;
use crate::errors::{self, Fault};
use crate::schema::page::{Page, PageInfo, after};
use crate::schema::scalars::DateTime;

/// How many characters of a value are shown; the rest is cut off.
const VALUE_CHARS_MAX: usize = 1_000;
/// How many events are read at once, from a page back to what was said before it.
const BACK_EVENTS: u64 = 64;
/// How many are read so at most. Of what was said even earlier, the page tells only the new value.
const BACK_EVENTS_MAX: u64 = 1_024;

/// What happened to a title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum TitleChangeType {
    /// It joined the catalogue, or was prepared for it.
    Added,
    /// What is known of it changed.
    Edited,
    /// The draft joined the catalogue.
    Published,
    /// Where and when it is offered was said.
    Scheduled,
    /// It left the catalogue.
    Withdrawn,
}

/// Something that happened to a title.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct TitleChange {
    /// When.
    at: DateTime,
    /// Who did it, such as `account:` with an account's id, or `system:import`.
    actor: String,
    /// What.
    #[graphql(name = "type")]
    kind: TitleChangeType,
    /// Which fields changed; all that were filled in when it was added.
    fields: Vec<TitleFieldChange>,
    #[graphql(skip)]
    version: u64,
}

/// A field that changed.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
pub(crate) struct TitleFieldChange {
    /// Its name in the event, such as `runtime_ms`.
    field: String,
    /// What it was, as JSON of at most 1,000 characters; null if it was not there.
    from: Option<String>,
    /// What it is, as JSON of at most 1,000 characters; null if it is no longer there.
    to: Option<String>,
}

/// Something that happened, in its place in the history.
#[derive(Debug, SimpleObject)]
pub(crate) struct TitleChangeEdge {
    /// Where it stands.
    cursor: String,
    /// What it is.
    node: TitleChange,
}

/// A page of a title's history.
#[derive(Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct TitleChangeConnection {
    /// What happened, with its cursors.
    edges: Vec<TitleChangeEdge>,
    /// Where the page lies.
    page_info: PageInfo,
}

#[ComplexObject]
impl TitleChangeConnection {
    /// What happened, without its cursors.
    async fn nodes(&self) -> Vec<TitleChange> {
        self.edges.iter().map(|edge| edge.node.clone()).collect()
    }
}

impl TitleChangeConnection {
    /// Whether nothing happened on this page.
    pub(crate) fn is_empty(&self) -> bool {
        self.edges.is_empty()
    }
}

/// A page of a title's history, in the order in which it happened.
pub(crate) async fn page(
    caller: &Caller,
    title_id: TitleId,
    len: u32,
    cursor: Option<&str>,
) -> Result<TitleChangeConnection, Fault> {
    let mut list = caller.list("titleHistory", &title_id);
    let key = after::<u64>(&mut list, cursor)?;
    let from = key.map_or(0, |version| version.saturating_add(1));
    let stream = StreamName::new(Rules::CATEGORY, &title_id.to_string());
    let stream = stream.map_err(|error| caller.internal("a stream cannot be named", &error))?;
    let mut told = Told::before(caller, &stream, from).await?;
    let limit = usize::try_from(len).unwrap_or(usize::MAX).saturating_add(1);
    let changes = read(caller, &stream, from, limit).await?;
    let changes = changes.iter().map(|recorded| told.tell(recorded)).collect::<Result<_, _>>();
    let changes: Vec<TitleChange> =
        changes.map_err(|error| caller.internal("a title cannot be read", &error))?;
    let page = Page::cut(changes, len, &list, |change| change.version, key.is_some())
        .map_err(|error| caller.internal("a cursor cannot be written", &error))?;
    let edges = page.entries.into_iter();
    let edges = edges.map(|(cursor, node)| TitleChangeEdge { cursor, node }).collect();
    Ok(TitleChangeConnection { edges, page_info: page.info })
}

async fn read(
    caller: &Caller,
    stream: &StreamName,
    from: u64,
    limit: usize,
) -> Result<Vec<RecordedEvent>, Fault> {
    let read = caller.services.log.read_stream(stream, from, limit).await;
    read.map_err(|error| errors::of_read(&error, caller.correlation_id))
}

/// What was said last, with which the next event is compared.
#[derive(Default)]
struct Told {
    metadata: Option<Map<String, Value>>,
    availability: Option<Map<String, Value>>,
}

impl Told {
    /// What was said before an event of a stream.
    async fn before(caller: &Caller, stream: &StreamName, version: u64) -> Result<Self, Fault> {
        let mut told = Self::default();
        let end = version.saturating_sub(BACK_EVENTS_MAX);
        let mut behind = version;
        while behind > end && (told.metadata.is_none() || told.availability.is_none()) {
            let from = behind.saturating_sub(BACK_EVENTS);
            let limit = usize::try_from(behind - from).unwrap_or(usize::MAX);
            for recorded in read(caller, stream, from, limit).await?.iter().rev() {
                let said = said(recorded);
                let said = said.map_err(|error| caller.internal("a title cannot be read", &error));
                let (_, metadata, availability) = said?;
                told.metadata = told.metadata.or(metadata);
                told.availability = told.availability.or(availability);
            }
            behind = from;
        }
        Ok(told)
    }

    /// What an event changed, which counts as said from then on.
    fn tell(&mut self, recorded: &RecordedEvent) -> Result<TitleChange, CodecError> {
        let (kind, metadata, availability) = said(recorded)?;
        let mut fields = vec![];
        for (known, new) in [(&mut self.metadata, metadata), (&mut self.availability, availability)]
        {
            if let Some(new) = new {
                fields.extend(differences(known.as_ref(), &new));
                *known = Some(new);
            }
        }
        Ok(TitleChange {
            at: DateTime(recorded.event.recorded_at_ms),
            actor: recorded.event.actor.to_string(),
            kind,
            fields,
            version: recorded.version,
        })
    }
}

type Said = (TitleChangeType, Option<Map<String, Value>>, Option<Map<String, Value>>);

/// What an event is, and what it says of the title and of its schedule.
fn said(recorded: &RecordedEvent) -> Result<Said, CodecError> {
    let event = &recorded.event;
    let event = Event::from_json(&event.event_type, event.schema_version, &event.payload)?;
    Ok(match &event {
        Event::Added(added) => (TitleChangeType::Added, object(&added.metadata), None),
        Event::Edited(edited) => (TitleChangeType::Edited, object(&edited.metadata), None),
        Event::Published(_) => (TitleChangeType::Published, None, None),
        Event::Scheduled(it) => (TitleChangeType::Scheduled, None, object(&it.availability)),
        Event::Withdrawn(_) => (TitleChangeType::Withdrawn, None, None),
    })
}

fn object(of: &impl Serialize) -> Option<Map<String, Value>> {
    match serde_json::to_value(of) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    }
}

/// Every field that is not as it was, in the order of their names. An empty list is no value.
fn differences(
    before: Option<&Map<String, Value>>,
    after: &Map<String, Value>,
) -> Vec<TitleFieldChange> {
    let value = |object: Option<&Map<String, Value>>, field: &str| {
        let value = object.and_then(|object| object.get(field)).cloned();
        value.filter(|value| value.as_array().is_none_or(|list| !list.is_empty()))
    };
    let names = before.into_iter().flat_map(Map::keys).chain(after.keys());
    let names: std::collections::BTreeSet<&String> = names.collect();
    let changed = names.into_iter().filter_map(|field| {
        let (from, to) = (value(before, field), value(Some(after), field));
        (from != to).then(|| TitleFieldChange {
            field: field.clone(),
            from: from.as_ref().map(shown),
            to: to.as_ref().map(shown),
        })
    });
    changed.collect()
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        None => text,
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn only_what_changed_is_told() {
        let before = map(json!({ "name": "Heat", "year": 1994, "genres": [], "tags": ["la"] }));
        let after = map(json!({ "name": "Heat", "year": 1995, "genres": [], "synopsis": "LA" }));
        let told: Vec<_> = differences(Some(&before), &after)
            .into_iter()
            .map(|it| (it.field, it.from.unwrap_or_default(), it.to.unwrap_or_default()))
            .collect();
        let expected =
            [("synopsis", "", "\"LA\""), ("tags", "[\"la\"]", ""), ("year", "1994", "1995")];
        let expected = expected.map(|(field, from, to)| (field.into(), from.into(), to.into()));
        assert_eq!(told, expected);
    }

    #[test]
    fn a_long_value_is_cut_off() {
        let shown = shown(&json!("ü".repeat(5_000)));
        assert_eq!(shown.chars().count(), VALUE_CHARS_MAX + 1);
        assert!(shown.ends_with('…'));
    }
}
