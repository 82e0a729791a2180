//! What goes on while the disk takes its time.

use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use futures::future::join_all;
use playhead_eventlog::embedded::disk::{Access, Disk, DiskFile, RealDisk};
use playhead_eventlog::embedded::{EmbeddedLog, Options, QUEUE_APPENDS_MAX};
use playhead_eventlog::{AppendError, Cursor, EventLog, Expected, PartitionCount};
use tempfile::TempDir;

use crate::fixture::{TIGHT, all_events, append, ids, record};

/// The real disk, whose next syncs of files wait until they are let go.
#[derive(Debug)]
struct SlowDisk(Arc<Gate>);

#[derive(Debug)]
struct Gate {
    entered: Mutex<Sender<()>>,
    let_go: Mutex<Option<Receiver<()>>>,
}

#[derive(Debug)]
struct SlowFile(Arc<dyn DiskFile>, Arc<Gate>);

impl Disk for SlowDisk {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(SlowFile(RealDisk.create(path)?, Arc::clone(&self.0))))
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(SlowFile(RealDisk.open(path, access)?, Arc::clone(&self.0))))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        RealDisk.list(dir)
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.create_dir(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.sync_dir(dir)
    }
}

impl DiskFile for SlowFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.0.read_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        if let Some(let_go) = self.1.let_go.lock().unwrap().take() {
            self.1.entered.lock().unwrap().send(()).unwrap();
            let _ended = let_go.recv();
        }
        self.0.sync()
    }

    fn allocate(&self, size: u64) -> io::Result<()> {
        self.0.allocate(size)
    }

    fn set_len(&self, size: u64) -> io::Result<()> {
        self.0.set_len(size)
    }

    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn try_lock(&self) -> io::Result<bool> {
        self.0.try_lock()
    }
}

/// A log with three events whose next sync hangs; when it hangs; and how to let it go.
async fn hanging(dir: &Path) -> (Arc<EmbeddedLog>, Receiver<()>, Sender<()>) {
    let (entered, hangs) = channel();
    let gate = Arc::new(Gate { entered: Mutex::new(entered), let_go: Mutex::new(None) });
    let options = Options {
        partitions: PartitionCount::DEFAULT,
        holder: "the engine tests".to_owned(),
        tuning: TIGHT,
    };
    let disk = Arc::new(SlowDisk(Arc::clone(&gate)));
    let log = Arc::new(EmbeddedLog::open_on(disk, dir, options).unwrap());
    record(&*log, "title-x", 0..3).await;
    let (let_go, waits) = channel();
    *gate.let_go.lock().unwrap() = Some(waits);
    (log, hangs, let_go)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_do_not_wait_for_a_sync_and_see_nothing_of_it() {
    let dir = TempDir::new().unwrap();
    let (log, hangs, let_go) = hanging(dir.path()).await;
    let writer = tokio::spawn({
        let log = Arc::clone(&log);
        async move { record(&*log, "title-x", 3..5).await }
    });
    hangs.recv().unwrap();
    assert_eq!(ids(&all_events(&*log).await), [0, 1, 2]);
    let stream = "title-x".to_owned().try_into().unwrap();
    assert_eq!(ids(&log.read_stream(&stream, 1, 9).await.unwrap()), [1, 2]);
    assert_eq!(log.head().total(), 3);
    let start = Cursor::start(log.partitions());
    log.wait(&start).await;
    assert!(!writer.is_finished());
    let_go.send(()).unwrap();
    writer.await.unwrap();
    assert_eq!(ids(&all_events(&*log).await), [0, 1, 2, 3, 4]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_refuses_at_once_and_loses_nothing() {
    let dir = TempDir::new().unwrap();
    let (log, hangs, let_go) = hanging(dir.path()).await;
    let first = tokio::spawn({
        let log = Arc::clone(&log);
        async move { record(&*log, "title-x", 3..4).await }
    });
    hangs.recv().unwrap();
    let numbers = 4..=3 + QUEUE_APPENDS_MAX as u128;
    let waiting = tokio::spawn({
        let log = Arc::clone(&log);
        async move {
            let ask = |id| log.append(append("title-x", Expected::Any, [id]));
            join_all(numbers.map(ask)).await
        }
    });
    // The queue is full when as many wait as fit; what comes then is refused while nothing moves.
    let refused = loop {
        let one_more = append("title-y", Expected::Any, [1_000_000]);
        tokio::select! {
            biased;
            refused = log.append(one_more) => break refused,
            () = tokio::task::yield_now() => {}
        }
        assert!(!waiting.is_finished());
    };
    assert_eq!(refused, Err(AppendError::Overloaded { waiting: QUEUE_APPENDS_MAX }));
    let_go.send(()).unwrap();
    first.await.unwrap();
    let answered = waiting.await.unwrap();
    let taken = answered.iter().filter(|outcome| outcome.is_ok()).count();
    let later: Vec<_> = answered.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    assert!(later.iter().all(|error| matches!(error, AppendError::Overloaded { .. })), "{later:?}");
    let events = all_events(&*log).await;
    let of_x = events.iter().filter(|event| event.stream.as_str() == "title-x").count();
    assert_eq!(of_x, 4 + taken);
}
