//! The files of the toy: `/log/journal/NNNNNN.seg`, each `TOY` and the partition count, then
//! records of length, checksum and content. An append is one record an event, and a marker.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use playhead_eventlog::embedded::disk::{Access, Disk, DiskFile};
use playhead_eventlog::{Append, Expected, NewEvent, StreamName};
use uuid::Uuid;

use super::ToyBug;
use crate::disk::SimDisk;

const DIR: &str = "/log/journal";
const HEADER_BYTES: usize = 5;

/// What the files hold.
pub(super) struct Found {
    pub(super) partitions: u16,
    pub(super) appends: Vec<Append>,
    last: Option<(usize, u64)>,
}

/// The end of the last file.
pub(super) struct Journal {
    disk: SimDisk,
    bug: Option<ToyBug>,
    partitions: u16,
    segment_bytes: u64,
    number: usize,
    file: Arc<dyn DiskFile>,
    end: u64,
    rolled: bool,
}

fn path(number: usize) -> PathBuf {
    Path::new(DIR).join(format!("{number:06}.seg"))
}

fn text(error: io::Error) -> String {
    error.to_string()
}

/// Reads everything; true if the last file has a torn tail.
pub(super) fn read(disk: &SimDisk, bug: Option<ToyBug>) -> Result<(Found, bool), String> {
    let mut found = Found { partitions: 0, appends: Vec::new(), last: None };
    let mut torn = false;
    let mut names = disk.list(Path::new(DIR)).map_err(text)?;
    names.retain(|name| name.ends_with(".seg"));
    if names.is_empty() {
        return Err("there is no log".to_owned());
    }
    for (number, name) in names.iter().enumerate() {
        if torn || *name != format!("{number:06}.seg") {
            return Err(format!("something is missing before {name}"));
        }
        let file = disk.open(&path(number), Access::Read).map_err(text)?;
        let mut bytes = vec![0; usize::try_from(file.len().map_err(text)?).unwrap_or(0)];
        file.read_at(&mut bytes, 0).map_err(text)?;
        let Some((header, mut rest)) = bytes.split_at_checked(HEADER_BYTES) else {
            return Err(format!("{name} has no header"));
        };
        if !header.starts_with(b"TOY") {
            return Err(format!("{name} has no header"));
        }
        found.partitions = u16::from_le_bytes([header[3], header[4]]);
        while let Some((append, size)) = decode(rest, bug) {
            found.appends.push(append);
            rest = &rest[size..];
        }
        torn = !rest.is_empty();
        found.last = Some((number, (bytes.len() - rest.len()) as u64));
    }
    Ok((found, torn))
}

impl Journal {
    /// Opens or begins a journal, cuts off a torn tail and makes the rest durable.
    pub(super) fn open(
        disk: &SimDisk,
        partitions: u16,
        segment_bytes: u64,
        bug: Option<ToyBug>,
    ) -> Result<(Self, Found), String> {
        for dir in ["/log", DIR] {
            disk.create_dir(Path::new(dir)).map_err(text)?;
            disk.sync_dir(Path::new(dir).parent().unwrap_or(Path::new("/"))).map_err(text)?;
        }
        if !disk.list(Path::new(DIR)).map_err(text)?.iter().any(|name| name.ends_with(".seg")) {
            begin(disk, 0, partitions, bug).map_err(text)?;
        }
        let (found, torn) = read(disk, bug)?;
        let (number, end) = found.last.unwrap_or_default();
        let file = disk.open(&path(number), Access::Write).map_err(text)?;
        if torn && bug != Some(ToyBug::TornTailKept) {
            file.set_len(end).map_err(text)?;
        }
        let end = file.len().map_err(text)?;
        if bug != Some(ToyBug::TrustWhatCanBeRead) {
            let mut unsure = vec![0; usize::try_from(end).unwrap_or(0)];
            file.read_at(&mut unsure, 0).map_err(text)?;
            file.write_at(&unsure, 0).map_err(text)?;
            file.sync().map_err(text)?;
        }
        disk.sync_dir(Path::new(DIR)).map_err(text)?;
        let disk = disk.clone();
        let partitions = found.partitions;
        let rolled = false;
        Ok((Self { disk, bug, partitions, segment_bytes, number, file, end, rolled }, found))
    }

    pub(super) fn write(&mut self, group: &[u8]) -> io::Result<()> {
        if self.end >= self.segment_bytes {
            self.file = begin(&self.disk, self.number + 1, self.partitions, self.bug)?;
            self.number += 1;
            self.end = HEADER_BYTES as u64;
            self.rolled = true;
        }
        let written = self.file.write_at(group, self.end);
        match written.is_ok() {
            true => self.end += group.len() as u64,
            // Before anybody is told that it was refused, it must be gone for good.
            false => self.file.set_len(self.end).and_then(|()| self.file.sync())?,
        }
        written
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }

    /// Whether this is the first group of its segment.
    pub(super) fn just_rolled(&mut self) -> bool {
        std::mem::take(&mut self.rolled)
    }
}

fn begin(
    disk: &SimDisk,
    number: usize,
    partitions: u16,
    bug: Option<ToyBug>,
) -> io::Result<Arc<dyn DiskFile>> {
    let early = bug == Some(ToyBug::NameBeforeHeader);
    let name = path(number);
    let temporary = name.with_extension("new");
    let file = disk.create(if early { &name } else { &temporary })?;
    if early {
        disk.sync_dir(Path::new(DIR))?;
    }
    let [low, high] = partitions.to_le_bytes();
    file.write_at(&[b'T', b'O', b'Y', low, high], 0)?;
    file.sync()?;
    if !early {
        disk.rename(&temporary, &name)?;
    }
    if bug != Some(ToyBug::NoDirectorySync) {
        disk.sync_dir(Path::new(DIR))?;
    }
    Ok(file)
}

/// Adds an append to a group.
pub(super) fn encode(append: &Append, group: &mut Vec<u8>) {
    for event in &append.events {
        let mut body = vec![u8::try_from(append.stream.as_str().len()).unwrap_or(0)];
        body.extend(append.stream.as_str().as_bytes());
        for label in [&event.event_type, &event.actor] {
            body.push(u8::try_from(label.len()).unwrap_or(0));
            body.extend(label.as_bytes());
        }
        body.extend(event.schema_version.to_le_bytes());
        body.extend(event.recorded_at_ms.to_le_bytes());
        for id in [event.id, event.correlation_id, event.causation_id] {
            body.extend(id.as_bytes());
        }
        body.extend(u16::try_from(event.payload.len()).unwrap_or(0).to_le_bytes());
        body.extend(&event.payload);
        body.extend(&event.metadata);
        record(&body, group);
    }
    record(&[], group);
}

fn record(body: &[u8], group: &mut Vec<u8>) {
    // Never zero, so that zeros are no record.
    group.extend(u32::try_from(body.len() + 1).unwrap_or(0).to_le_bytes());
    group.extend(crc32c::crc32c(body).to_le_bytes());
    group.extend(body);
}

/// The first whole append, and its size.
fn decode(bytes: &[u8], bug: Option<ToyBug>) -> Option<(Append, usize)> {
    let mut events = Vec::new();
    let mut stream = None;
    let mut at = 0;
    loop {
        let head = bytes.get(at..at + 8)?;
        let size = usize::try_from(u32::from_le_bytes(head[..4].try_into().ok()?)).ok()?;
        let body = bytes.get(at + 8..at + 8 + size.checked_sub(1)?)?;
        let checksum = u32::from_le_bytes(head[4..].try_into().ok()?);
        if bug != Some(ToyBug::NoChecksum) && checksum != crc32c::crc32c(body) {
            return None;
        }
        at += 8 + body.len();
        if !body.is_empty() {
            let (name, event) = event(body)?;
            events.push(event);
            stream = Some(name);
        }
        if body.is_empty() || bug == Some(ToyBug::NoMarker) {
            let next = bytes.get(at..at + 4);
            if bug == Some(ToyBug::NoMarker) && next == Some(&[1, 0, 0, 0]) {
                at += 8;
            }
            return Some((Append { stream: stream?, expected: Expected::Any, events }, at));
        }
    }
}

fn event(body: &[u8]) -> Option<(StreamName, NewEvent)> {
    let mut rest = body;
    let mut take = |count: usize| {
        let (taken, more) = rest.split_at_checked(count)?;
        rest = more;
        Some(taken)
    };
    let mut label = || {
        let size = usize::from(take(1)?[0]);
        String::from_utf8(take(size)?.to_vec()).ok()
    };
    let (name, event_type, actor) = (label()?, label()?, label()?);
    let schema_version = u16::from_le_bytes(take(2)?.try_into().ok()?);
    let recorded_at_ms = i64::from_le_bytes(take(8)?.try_into().ok()?);
    let mut uuid = || Uuid::from_slice(take(16)?).ok();
    let (id, correlation_id, causation_id) = (uuid()?, uuid()?, uuid()?);
    let size = usize::from(u16::from_le_bytes(take(2)?.try_into().ok()?));
    let payload = take(size)?.to_vec().into();
    let metadata = rest.to_vec().into();
    let event = NewEvent {
        id,
        event_type: event_type.into(),
        schema_version,
        recorded_at_ms,
        actor: actor.into(),
        correlation_id,
        causation_id,
        payload,
        metadata,
    };
    Some((StreamName::parse(&name).ok()?, event))
}
