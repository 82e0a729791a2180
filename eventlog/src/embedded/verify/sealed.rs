//! Checks sealed segments, each for itself.

use std::io;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use foldhash::{HashMap, HashMapExt};

use super::survey::{Survey, Work};
use super::whose::Owners;
use super::{Flaws, as_written, count};
use crate::embedded::catalog::{Sealed, SealedStrand};
use crate::embedded::damage::Damage;
use crate::embedded::error::OpenError;
use crate::embedded::footer::STREAM_BYTES;
use crate::embedded::journal::Journal;
use crate::embedded::options::Tuning;
use crate::embedded::order::Order;
use crate::embedded::recent::{Recent, StreamKey, key_of};
use crate::embedded::record::{
    self, EventView, Flaw, MARKER_BYTES, RECORD_BYTES_MAX, Record, Spot,
};
use crate::embedded::seal::write_index;
use crate::embedded::segment::{BLOCK_BYTES, HEADER, Segment};
use crate::embedded::table::{ArrayMeta, SectionWriter, Table, TableError};
use crate::stream::StreamName;

/// How much is read at once.
const CHUNK_BYTES: usize = 4 << 20;

/// What a worker tells.
enum Told {
    Read(u64),
    Checked(Result<Checked, OpenError>),
}

/// What was found in one segment.
#[derive(Debug, Default)]
struct Checked {
    events: u64,
    batches: u64,
    flaws: Flaws,
    /// Whether its index can be believed.
    indexed: bool,
}

/// Checks all sealed segments, on all processors.
pub(super) fn check_all(survey: &mut Survey, step: &mut dyn FnMut(u64)) -> Result<(), OpenError> {
    let works = std::mem::take(&mut survey.sealed);
    let journal = Arc::clone(&survey.journal);
    let (next, (tell, told)) = (AtomicUsize::new(0), mpsc::channel());
    // What begins a thread, or asks how many can run, takes longer than checking a small segment.
    let threads = match works.len() {
        0 | 1 => 1,
        many => thread::available_parallelism().map_or(1, NonZero::get).min(many),
    };
    let work = |tell: mpsc::Sender<Told>| {
        while let Some(work) = works.get(next.fetch_add(1, Ordering::Relaxed)) {
            // Nobody listens any more if another segment could not be read at all.
            let read = |bytes| tell.send(Told::Read(bytes)).unwrap_or(());
            let checked = Check::run(&journal, &works, work, &read);
            if tell.send(Told::Checked(checked)).is_err() {
                return;
            }
        }
    };
    let outcome = thread::scope(|scope| {
        for _ in 1..threads {
            let (work, tell) = (&work, tell.clone());
            scope.spawn(move || work(tell));
        }
        if threads == 1 {
            work(tell);
        } else {
            let work = &work;
            scope.spawn(move || work(tell));
        }
        for told in told {
            match told {
                Told::Read(bytes) => step(bytes),
                Told::Checked(checked) => {
                    let checked = checked?;
                    // What a forged footer claims may be any number.
                    survey.report.events = survey.report.events.saturating_add(checked.events);
                    survey.report.batches = survey.report.batches.saturating_add(checked.batches);
                    survey.flaws.extend(checked.flaws);
                    survey.indexed &= checked.indexed;
                }
            }
        }
        Ok(())
    });
    survey.sealed = works;
    outcome
}

/// The check of one segment.
struct Check<'a> {
    journal: &'a Arc<Journal>,
    works: &'a [Work],
    work: &'a Work,
    segment: Arc<Segment>,
    read: &'a dyn Fn(u64),
    found: Checked,
}

/// What the index of a segment says of its records.
struct Known {
    order: Order,
    strands: HashMap<StreamKey, SealedStrand>,
}

/// What is wrong at a position.
struct Bad {
    position: u64,
    reason: String,
}

impl<'a> Check<'a> {
    fn run(
        journal: &'a Arc<Journal>,
        works: &'a [Work],
        work: &'a Work,
        read: &'a dyn Fn(u64),
    ) -> Result<Checked, OpenError> {
        // What cannot be opened was told before.
        let segment = match journal.segment(work.first) {
            Ok(segment) => segment,
            Err(OpenError::Io { operation, path, source }) => {
                return Err(OpenError::Io { operation, path, source });
            }
            Err(_) => return Ok(Checked::default()),
        };
        let found = Checked { indexed: work.sealed.is_some(), ..Checked::default() };
        let mut check = Self { journal, works, work, segment, read, found };
        check.segment()?;
        Ok(check.found)
    }

    fn segment(&mut self) -> Result<(), OpenError> {
        let Some(sealed) = self.work.sealed.clone() else {
            let Some(offsets) = self.work.offsets.clone() else { return Ok(()) };
            match Walk::new(self, None, offsets).run() {
                Ok(recent) => self.count(recent.len(), recent.batches),
                Err(bad) => self.flaw_unindexed(bad),
            }
            return Ok(());
        };
        self.count(usize::try_from(sealed.footer.events).unwrap_or(0), sealed.footer.batches);
        let known = match Known::read(&self.segment, &sealed) {
            Ok(known) => Some(known),
            Err(TableError::Io { source, .. }) => {
                return Err(OpenError::io("read", &self.segment.path)(source));
            }
            Err(error) => {
                self.flaw_in_index(&error.to_string());
                None
            }
        };
        let offsets = sealed.spans.iter().map(|span| span.first).collect();
        match (Walk::new(self, known.as_ref(), offsets).run(), known) {
            (Ok(recent), Some(_)) => self.compare(&sealed, &recent)?,
            (Ok(_), None) => {}
            (Err(bad), Some(known)) => self.each_record(&sealed, &known, bad),
            (Err(bad), None) => self.flaw_unindexed(bad),
        }
        Ok(())
    }

    fn count(&mut self, events: usize, batches: u64) {
        (self.found.events, self.found.batches) = (count(events), batches);
    }

    fn flaw_in_index(&mut self, reason: &str) {
        let reason = format!("the index of the segment: {reason}");
        self.found.flaws.push(Damage::at(&self.segment.path, self.work.first, reason));
        self.found.indexed = false;
    }

    fn flaw_unindexed(&mut self, Bad { position, reason }: Bad) {
        let reason = format!(
            "{reason}; where the next record of the segment begins is not known, as its index is \
             damaged, too: what follows in it was not checked"
        );
        let damage = Damage::at(&self.segment.path, position, reason);
        self.found.flaws.push(damage.guessed_in(&self.segment));
    }

    /// Makes the index anew and compares every byte of it, and those between it and the records.
    fn compare(&mut self, sealed: &Sealed, recent: &Recent) -> Result<(), OpenError> {
        let footer = &sealed.footer;
        let file = as_written::AsWritten::open(self.journal, sealed.first);
        let start = footer.ids.entries.offset;
        let mut out = SectionWriter::new(Arc::clone(&file), start);
        let seeded = Tuning::DEFAULT.seeded();
        let blocks = match footer.blocks.len {
            0 => ArrayMeta { offset: 0, len: 0 },
            _ => footer.blocks,
        };
        let written = self.fill(sealed, &mut |bytes, at| file.write_at(bytes, at));
        let made = written
            .and_then(|()| write_index(&mut out, recent, footer.end, blocks, seeded))
            .and_then(|made| out.write(&made.encode()).map(|()| made))
            .and_then(|made| out.flush().map(|()| made))
            .and_then(|made| Ok((made, file.len()?)));
        match made {
            Ok((made, len)) if made == *footer && len == out.position() => {}
            Ok(_) => self.flaw_in_index("it says other things than the records"),
            Err(error) if as_written::differs(&error) => {
                self.flaw_in_index(&format!("it says other things than the records: {error}"));
            }
            Err(error) => return Err(OpenError::io("read", &self.segment.path)(error)),
        }
        Ok(())
    }

    /// What stands between the records and the index: zeros.
    fn fill(
        &self,
        sealed: &Sealed,
        write: &mut dyn FnMut(&[u8], u64) -> io::Result<()>,
    ) -> io::Result<()> {
        let footer = &sealed.footer;
        let blocks = footer.read_blocks(self.segment.file()).map_err(io::Error::other)?;
        let mut at = footer.end - footer.first;
        if footer.blocks.len > 0 {
            at = HEADER;
            for block in &blocks {
                if block.at != at {
                    let reason = "the compressed blocks do not follow one another";
                    return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
                }
                at += u64::from(block.len);
            }
        }
        let end =
            if footer.blocks.len > 0 { footer.blocks.offset } else { footer.ids.entries.offset };
        let gap = end.checked_sub(at).filter(|gap| *gap < count(BLOCK_BYTES));
        let gap = gap.and_then(|gap| usize::try_from(gap).ok());
        let gap = gap.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
        write(&vec![0; gap], at)
    }

    /// Goes on behind a flaw, one record after the other, as the index says where they begin.
    fn each_record(&mut self, sealed: &Sealed, known: &Known, bad: Bad) {
        let segment = Arc::clone(&self.segment);
        let (journal, works) = (self.journal, self.works);
        let owners = Owners::read(journal, works, &segment, sealed);
        let mut next: Vec<u64> = sealed.spans.iter().map(|span| span.first).collect();
        let entries = known.order.entries();
        let ends = entries.iter().skip(1).map(|entry| sealed.first + u64::from(entry.at));
        let ends = ends.chain([sealed.footer.end]);
        let mut told = false;
        for (entry, end) in entries.iter().zip(ends) {
            let offset = next.get_mut(usize::from(entry.partition.0)).map(|next| {
                *next += 1;
                *next - 1
            });
            let position = sealed.first + u64::from(entry.at);
            if end <= bad.position {
                continue;
            }
            let spot = (entry.partition, offset.unwrap_or(u64::MAX));
            let Err(found) = one_record(&segment, position, end, spot) else { continue };
            told |= found.position == bad.position;
            let damage = Damage::at(&segment.path, found.position, found.reason);
            let named = match found.position == position {
                true => owners.name(damage, entry.at, entry.partition),
                false => damage,
            };
            self.found.flaws.push(named);
        }
        if !told {
            self.found.flaws.push(Damage::at(&segment.path, bad.position, bad.reason));
        }
    }
}

/// Checks the record of an event, and the markers behind it up to the next event.
fn one_record(
    segment: &Segment,
    position: u64,
    end: u64,
    spot: (crate::stream::Partition, u64),
) -> Result<(), Bad> {
    let bad = |position, reason: String| Bad { position, reason };
    // What says where the next one begins may be forged: no more room than a record can take.
    let read = |at: u64, most: usize| {
        let left = usize::try_from(end.saturating_sub(at)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; left.min(most)];
        let read = segment.read_at(&mut bytes, at).map(|()| bytes);
        read.map_err(|error| bad(at, format!("it could not be read: {error}")))
    };
    let bytes = read(position, RECORD_BYTES_MAX)?;
    let size = match record::decode(&bytes) {
        Ok((Record::Event(event), size)) => {
            if (event.spot.partition, event.spot.offset) != spot {
                return Err(bad(position, "the index of the segment says otherwise".to_owned()));
            }
            size
        }
        Ok((Record::Marker(_), _)) => return Err(bad(position, "no event is here".to_owned())),
        Err(flaw) => return Err(bad(position, flaw.reason().to_owned())),
    };
    let mut at = position + count(size);
    while at < end {
        match record::decode(&read(at, MARKER_BYTES)?) {
            Ok((Record::Marker(_), size)) => at += count(size),
            // What is longer than a marker is an event.
            Ok((Record::Event(_), _)) | Err(Flaw::Short) => {
                return Err(bad(at, "an event that the index does not know".to_owned()));
            }
            Err(flaw) => return Err(bad(at, flaw.reason().to_owned())),
        }
    }
    Ok(())
}

impl Known {
    fn read(segment: &Segment, sealed: &Sealed) -> Result<Self, TableError> {
        let (file, footer) = (segment.file(), &sealed.footer);
        let order = footer.read_order(file, &sealed.spans)?;
        let table = Table::<STREAM_BYTES>::open(Arc::clone(file), footer.streams, true)?;
        let mut strands = HashMap::new();
        for entry in table.iter() {
            let (key, entry) = entry?;
            strands.extend(SealedStrand::decode(&entry).map(|strand| (key, strand)));
        }
        Ok(Self { order, strands })
    }
}

/// Reads all the records of a segment and makes its index anew. Stops at the first flaw.
struct Walk<'a> {
    journal: &'a Journal,
    segment: &'a Segment,
    known: Option<&'a Known>,
    read: &'a dyn Fn(u64),
    end: u64,
    recent: Recent,
    /// The bytes in memory, and where they begin.
    chunk: Vec<u8>,
    start: u64,
    /// The position behind the last commit marker, and the number of events since.
    batch: u64,
    events: u32,
}

impl<'a> Walk<'a> {
    fn new(check: &'a Check<'_>, known: Option<&'a Known>, offsets: Vec<u64>) -> Self {
        let Check { journal, segment, work, read, .. } = check;
        let events = known.map_or(0, |known| known.order.entries().len());
        Self {
            journal,
            segment,
            known,
            read,
            end: work.end,
            recent: Recent::begin(work.first, offsets, events),
            chunk: Vec::new(),
            start: segment.start(),
            batch: segment.start(),
            events: 0,
        }
    }

    fn run(mut self) -> Result<Recent, Bad> {
        let mut at = self.segment.start();
        while at < self.end {
            let chunk = std::mem::take(&mut self.chunk);
            let skipped = usize::try_from(at - self.start).unwrap_or(usize::MAX);
            let size = match record::decode(chunk.get(skipped..).unwrap_or(&[])) {
                Err(Flaw::Short) if self.start + count(chunk.len()) < self.end => {
                    self.refill(chunk, at)?;
                    continue;
                }
                Err(flaw) => return Err(Bad { position: at, reason: flaw.reason().to_owned() }),
                Ok((record, size)) => self.admit(&record, at, size).map(|()| size),
            };
            self.chunk = chunk;
            at += count(size?);
        }
        if at != self.end || self.batch != self.end {
            let reason = "the records do not end where the segment does".to_owned();
            return Err(Bad { position: self.batch, reason });
        }
        (self.read)(at - self.start);
        Ok(self.recent)
    }

    fn refill(&mut self, mut chunk: Vec<u8>, at: u64) -> Result<(), Bad> {
        let len = CHUNK_BYTES.max(RECORD_BYTES_MAX);
        let left = usize::try_from(self.end - at).unwrap_or(usize::MAX);
        chunk.resize(left.min(len), 0);
        (self.read)(at - self.start);
        let read = self.segment.read_at(&mut chunk, at);
        read.map_err(|error| {
            let reason = format!("it could not be read: {error}");
            Bad { position: at, reason }
        })?;
        (self.chunk, self.start) = (chunk, at);
        Ok(())
    }

    fn admit(&mut self, record: &Record<'_>, at: u64, size: usize) -> Result<(), Bad> {
        match record {
            Record::Event(event) => {
                self.events += 1;
                self.event(event, at).map_err(|reason| Bad { position: at, reason })
            }
            Record::Marker(marker) => {
                let fits = marker.events == self.events && marker.position == at;
                if !fits || marker.synced_through > at {
                    let reason = "the marker does not fit what stands before it".to_owned();
                    return Err(Bad { position: at, reason });
                }
                self.recent.batches += u64::from(self.events > 0);
                (self.batch, self.events) = (at + count(size), 0);
                Ok(())
            }
        }
    }

    fn event(&mut self, event: &EventView<'_>, at: u64) -> Result<(), String> {
        let key = key_of(event.stream);
        let (version, partition, before) = match self.recent.strand(key) {
            Some(strand) => (strand.next_version(), event.spot.partition, None),
            None => {
                let name = StreamName::parse(event.stream).map_err(|error| error.to_string())?;
                let partition = self.journal.partitions().partition_of(name.shard_key());
                let strand = self.known.map(|known| known.strands.get(&key));
                match strand {
                    Some(Some(strand)) => (strand.first_version, partition, strand.before),
                    Some(None) => return Err("the index of the segment misses its stream".into()),
                    None => (event.spot.version, partition, None),
                }
            }
        };
        let offset = self.recent.order().span(partition).next;
        let due = Spot { partition, version, offset };
        if event.spot != due {
            let (found, stream) = (event.spot, event.stream);
            return Err(format!("{found:?} of {stream} stands where {due:?} is due"));
        }
        if self.recent.id(event.id).is_some() {
            return Err(format!("the event id {} is recorded twice", event.id));
        }
        self.recent.push_event(key, event.spot, event.id, at, before);
        Ok(())
    }
}
