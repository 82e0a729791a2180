//! Everything that a log answers to readers, read in several ways that must agree.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use playhead_eventlog::{Cursor, EventLog, Partition, RecordedEvent, StreamName};

use crate::subject::{Violation, claim};
use crate::workload::poll::block_on;

const AGREE: &str = "all ways of reading agree";
const DENSE: &str = "offsets and versions are dense";

/// What a log holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snapshot {
    partitions: BTreeMap<Partition, Vec<RecordedEvent>>,
}

impl Snapshot {
    /// Reads everything; `streams` are asked for whether they have events or not.
    pub(crate) fn take(
        log: &dyn EventLog,
        streams: &BTreeSet<StreamName>,
    ) -> Result<Self, Violation> {
        let mut partitions: BTreeMap<Partition, Vec<RecordedEvent>> =
            log.partitions().all().map(|partition| (partition, Vec::new())).collect();
        for event in read_from(log, Cursor::start(log.partitions()), 1_000)? {
            let before = partitions.entry(event.partition).or_default();
            claim!(event.offset == before.len() as u64, DENSE, "{event:?} is out of order");
            before.push(event);
        }
        let snapshot = Self { partitions };
        snapshot.check_streams(log, streams)?;
        snapshot.check_cursors(log)?;
        Ok(snapshot)
    }

    /// All events, partition by partition.
    pub(crate) fn events(&self) -> impl Iterator<Item = &RecordedEvent> {
        self.partitions.values().flatten()
    }

    pub(crate) fn len(&self) -> u64 {
        self.events().count() as u64
    }

    pub(crate) fn at(&self, partition: Partition, offset: u64) -> Option<&RecordedEvent> {
        let offset = usize::try_from(offset).ok()?;
        self.partitions.get(&partition)?.get(offset)
    }

    /// The events of each stream, in order.
    pub(crate) fn by_stream(&self) -> BTreeMap<&StreamName, Vec<&RecordedEvent>> {
        let mut streams: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for event in self.events() {
            streams.entry(&event.stream).or_default().push(event);
        }
        streams
    }

    /// All streams are read at once: they wait for one another's threads otherwise.
    fn check_streams(
        &self,
        log: &dyn EventLog,
        streams: &BTreeSet<StreamName>,
    ) -> Result<(), Violation> {
        let mine = self.by_stream();
        let mut asked = Vec::new();
        for stream in streams.iter().chain(mine.keys().copied()).collect::<BTreeSet<_>>() {
            let due = mine.get(stream).map_or(&[][..], Vec::as_slice);
            let versions = due.iter().map(|event| event.version);
            claim!(versions.eq(0..due.len() as u64), DENSE, "{stream} has gaps: {due:?}");
            let froms = BTreeSet::from([0, due.len() / 2, due.len()]);
            asked.extend(froms.into_iter().map(|from| (stream, from, &due[from..])));
        }
        let reads = asked.iter().map(|(stream, from, due)| read_stream(log, stream, *from, due));
        for ((stream, from, due), read) in asked.iter().zip(block_on(join_all(reads))) {
            let read = read?;
            claim!(
                read.iter().eq(due.iter().copied()),
                AGREE,
                "{stream} from {from} is {read:?}, by partition {due:?}"
            );
        }
        Ok(())
    }

    /// The head, and reading from the middle in small pieces.
    fn check_cursors(&self, log: &dyn EventLog) -> Result<(), Violation> {
        let lengths = self.partitions.iter().map(|(one, events)| (*one, events.len() as u64));
        let (head, due): (_, Cursor) = (log.head(), lengths.clone().collect());
        claim!(head == due, AGREE, "the head is {head:?} where {due:?} is due");
        let middle: Cursor = lengths.map(|(one, len)| (one, len / 2)).collect();
        let mut rest: BTreeMap<Partition, Vec<RecordedEvent>> = BTreeMap::new();
        for event in read_from(log, middle, 7)? {
            rest.entry(event.partition).or_default().push(event);
        }
        for (partition, events) in &self.partitions {
            let read = rest.remove(partition).unwrap_or_default();
            claim!(
                read == events[events.len() / 2..],
                AGREE,
                "partition {partition} from the middle is {read:?} of {events:?}"
            );
        }
        Ok(())
    }

    /// Whether the events of each partition are the first ones of `whole`.
    pub(crate) fn is_prefix_of(&self, whole: &Self) -> bool {
        self.partitions.iter().all(|(partition, events)| {
            whole.partitions.get(partition).is_some_and(|whole| whole.starts_with(events))
        })
    }

    /// Stops with a violation of `check` at the first difference.
    pub(crate) fn must_equal(&self, due: &Self, check: &'static str) -> Result<(), Violation> {
        for (partition, events) in &due.partitions {
            let mine = self.partitions.get(partition).map_or(&[][..], Vec::as_slice);
            for (mine, due) in mine.iter().zip(events) {
                claim!(mine == due, check, "{mine:?} where {due:?} is due");
            }
            let (mine, due) = (mine.len(), events.len());
            claim!(mine == due, check, "partition {partition} has {mine} events, not {due}");
        }
        claim!(self == due, check, "there are other partitions");
        Ok(())
    }
}

fn read_from(
    log: &dyn EventLog,
    mut cursor: Cursor,
    limit: usize,
) -> Result<Vec<RecordedEvent>, Violation> {
    let mut events = Vec::new();
    loop {
        let batch = block_on(log.read(&cursor, limit));
        let batch = batch.map_err(|error| unreadable(&format!("{cursor:?}"), &error))?;
        if batch.events.is_empty() {
            return Ok(events);
        }
        events.extend(batch.events);
        cursor = batch.next;
    }
}

/// Reads until as many events as are due were there, or no more come.
async fn read_stream(
    log: &dyn EventLog,
    stream: &StreamName,
    from: usize,
    due: &[&RecordedEvent],
) -> Result<Vec<RecordedEvent>, Violation> {
    let mut events = Vec::new();
    loop {
        let from = (from + events.len()) as u64;
        let more = log.read_stream(stream, from, 1_000).await;
        let more = more.map_err(|error| unreadable(stream.as_str(), &error))?;
        let done = more.is_empty() || events.len() + more.len() >= due.len();
        events.extend(more);
        if done {
            return Ok(events);
        }
    }
}

fn unreadable(what: &str, error: &playhead_eventlog::ReadError) -> Violation {
    Violation::new("what is recorded can be read", format!("{what}: {error}"))
}
