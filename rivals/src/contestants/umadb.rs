//! UmaDB: copy-on-write B+ trees in one file, conditions on tag queries.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use anyhow::{Context as _, Result, anyhow};
use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task;
use umadb_core::db::UmaDb;
use umadb_core::mvcc::{Mvcc, StorageOptions};
use umadb_core::pager::ReadMethod;
use umadb_core::writer_thread_blocking::writer_thread_blocking;
use umadb_core::writer_thread_request::WriterThreadRequest;
use umadb_dcb::{
    DcbAppendCondition, DcbError, DcbEvent, DcbEventStoreSync, DcbQuery, DcbQueryItem,
    DcbSequencedEvent,
};

use crate::event::{self, EVENT_TYPE, PAYLOADS};
use crate::log::{Append, Log, Outcome, Seen};

pub(super) const MANNER: &str = "`umadb-core` with the writer thread of UmaDB's own server, groups \
    of up to 40,000 events instead of 2,048, so that 64 appends of 512 are one group, and reads \
    through a memory map (resident memory counts what it maps). Pages of 4 KiB. The stream is a tag, the \
    condition that no event with this tag stands behind the last known position. Ids are compared \
    only when a condition fails. Writes the changed pages, then one fdatasync, then the header \
    page, then a second fdatasync, then answers.";

/// More than 64 appends of 512 events. The server of UmaDB takes 2,048.
const GROUP_EVENTS: usize = 40_000;
/// As in `umadb-server`.
const QUEUE_APPENDS: usize = 1_024;
/// Reads collect what they answer in memory, so a scan goes in steps.
const SCAN_EVENTS: u32 = 16_384;

pub(super) struct Umadb {
    mvcc: Arc<Mvcc>,
    queue: mpsc::Sender<WriterThreadRequest>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Umadb {
    pub(super) fn open(dir: &Path) -> Result<Self> {
        let options = StorageOptions::default().db_path(dir).read_method(ReadMethod::Mmap);
        let mvcc = Arc::new(Mvcc::new(false, options)?);
        let (queue, requests) = mpsc::channel(QUEUE_APPENDS);
        let (head, _) = watch::channel(None);
        let of_writer = Arc::clone(&mvcc);
        let writer = thread::Builder::new()
            .name("umadb-writer".to_owned())
            .spawn(move || writer_thread_blocking(of_writer, requests, head, GROUP_EVENTS))?;
        Ok(Self { mvcc, queue, writer: Mutex::new(Some(writer)) })
    }
}

#[async_trait]
impl Log for Umadb {
    async fn append(&self, append: Append) -> Result<Outcome> {
        let name = event::stream_name(append.stream);
        let event = |id| {
            DcbEvent::new()
                .event_type(EVENT_TYPE)
                .tags([name.as_str()])
                .data(PAYLOADS.of(id))
                .uuid(id)
        };
        let events = event::ids(append.events).map(event).collect();
        let after = (append.tip > 0).then_some(append.tip);
        let condition = Some(DcbAppendCondition::new(query(&name)).after(after));
        let (response_tx, answered) = oneshot::channel();
        let request = WriterThreadRequest::Append {
            events,
            condition,
            tracking_info: None,
            response_tx,
            cancel: None,
        };
        self.queue.send(request).await.map_err(|_| anyhow!("the writer ended"))?;
        match answered.await.context("the writer ended")? {
            Ok(position) => Ok(Outcome::Done(position)),
            Err(DcbError::IntegrityError(_)) => Ok(Outcome::Conflict),
            Err(error) => Err(error.into()),
        }
    }

    async fn scan(&self) -> Result<Seen> {
        let db = UmaDb::from_arc(Arc::clone(&self.mvcc));
        let scan = task::spawn_blocking(move || {
            let mut seen = Seen::default();
            let mut next = None;
            loop {
                let events = db.read(None, next, false, Some(SCAN_EVENTS))?;
                let mut last = None;
                for event in events {
                    let event = event?;
                    count(&mut seen, &event);
                    last = Some(event.position);
                }
                let Some(last) = last else { return Ok(seen) };
                next = Some(last + 1);
            }
        });
        scan.await?
    }

    async fn read(&self, stream: u64) -> Result<Seen> {
        let db = UmaDb::from_arc(Arc::clone(&self.mvcc));
        let read = task::spawn_blocking(move || {
            let mut seen = Seen::default();
            for event in db.read(Some(query(&event::stream_name(stream))), None, false, None)? {
                count(&mut seen, &event?);
            }
            Ok(seen)
        });
        read.await?
    }

    async fn close(&self) -> Result<()> {
        let writer = self.writer.lock().ok().and_then(|mut slot| slot.take());
        let writer = writer.context("closed twice")?;
        let _ended = self.queue.send(WriterThreadRequest::Shutdown).await;
        let joined = task::spawn_blocking(move || writer.join()).await?;
        joined.map_err(|_| anyhow!("the writer panicked"))
    }
}

fn query(stream: &str) -> DcbQuery {
    DcbQuery::new().item(DcbQueryItem::new().tags([stream]))
}

fn count(seen: &mut Seen, sequenced: &DcbSequencedEvent) {
    let event = &sequenced.event;
    let tags: usize = event.tags.iter().map(String::len).sum();
    let id = event.uuid.map_or(0, |id| id.as_bytes().len());
    seen.event(event.event_type.len() + tags + id + event.data.len());
}
