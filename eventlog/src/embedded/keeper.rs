//! The keeper: what is done beside appending, so that opening and looking up stay fast.
//!
//! It seals full segments, and merges the indexes of segments into runs: whenever as many layers of
//! one size lie side by side as the merge width says, they become one. So a log of n segments has
//! about width × log(n) / log(width) layers, and every entry is written log(n) / log(width) times.
//!
//! It works in a thread of its own. While one full segment is being sealed, one more may wait; the
//! writer waits before the third. If the disk is full, a segment stays unsealed until the next
//! one is full or the log is opened again.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::catalog::{Catalog, Layer};
use super::index::Index;
use super::options::Tuning;
use super::run::{self, MergeError};
use super::seal::{self, Manner, SealError};

/// Keeps the sealed part of the journal in order.
#[derive(Debug)]
pub(super) struct Keeper {
    index: Arc<Index>,
    tuning: Tuning,
    closing: Arc<AtomicBool>,
}

/// How the writer reaches the keeper.
#[derive(Debug)]
pub(super) enum Maintenance {
    /// It works when it is called.
    Inline(Keeper),
    /// It works beside the writer.
    Beside { calls: SyncSender<()>, thread: JoinHandle<()>, closing: Arc<AtomicBool> },
}

impl Maintenance {
    pub(super) fn begin(index: Arc<Index>, tuning: Tuning) -> io::Result<Self> {
        let closing = Arc::new(AtomicBool::new(false));
        let keeper = Keeper { index, tuning, closing: Arc::clone(&closing) };
        if tuning.inline_maintenance {
            keeper.work();
            return Ok(Self::Inline(keeper));
        }
        let (calls, called) = sync_channel(1);
        let thread = thread::Builder::new()
            .name("eventlog-keeper".to_owned())
            .spawn(move || keeper.run(&called))?;
        Ok(Self::Beside { calls, thread, closing })
    }

    /// There is a segment to seal. Waits if two are waiting already.
    pub(super) fn segment_is_full(&self) {
        match self {
            Self::Inline(keeper) => keeper.work(),
            Self::Beside { calls, .. } => {
                // It has ended only if it has panicked, which was reported as such.
                let _ended = calls.send(());
            }
        }
    }

    /// Waits for the work at hand; what is not begun is done when the log is opened again.
    pub(super) fn end(self) {
        if let Self::Beside { calls, thread, closing } = self {
            closing.store(true, Ordering::Relaxed);
            drop(calls);
            let _ended = thread.join();
        }
    }
}

impl Keeper {
    fn run(&self, called: &Receiver<()>) {
        self.work();
        while called.recv().is_ok() {
            self.work();
        }
    }

    fn work(&self) {
        self.seal_full();
        while self.goes_on() && self.merge_once() {}
    }

    fn goes_on(&self) -> bool {
        !self.closing.load(Ordering::Relaxed) && self.index.stopped().is_none()
    }

    fn seal_full(&self) {
        let manner = Manner { compress: self.tuning.compress, seeded: self.tuning.seeded() };
        while self.goes_on() {
            let next = self.index.live().full.first().cloned();
            let Some((recent, end)) = next else { return };
            match seal::seal(self.index.journal(), &recent, end, manner) {
                Ok((sealed, index)) => self.index.enter_sealed(sealed, index),
                Err(error @ SealError::Sync { .. }) => return self.index.stop(error.to_string()),
                Err(error) => {
                    error.warn();
                    return;
                }
            }
        }
    }

    /// Merges some layers, if that is due; answers whether it was.
    fn merge_once(&self) -> bool {
        let catalog = Arc::clone(&self.index.live().catalog);
        let Some(layers) = self.due(&catalog) else { return false };
        let journal = self.index.journal();
        let (disk, dir) = (journal.disk(), journal.index_dir());
        match run::merge_layers(disk, &dir, &catalog, layers, &|| self.goes_on()) {
            Ok(run) => {
                self.index.enter_layer(Layer::Many(Arc::new(run)));
                for layer in layers {
                    self.remove(layer);
                }
                true
            }
            Err(error @ MergeError::Sync { .. }) => {
                self.index.stop(error.to_string());
                false
            }
            Err(error) => {
                if self.goes_on() {
                    tracing::warn!(
                        %error,
                        "indexes stay unmerged until the next segment is sealed or the log is opened"
                    );
                    if let MergeError::Table(error) = &error {
                        self.index.dismiss_runs(layers, error);
                    }
                }
                false
            }
        }
    }

    /// The layers to merge: neighbours of one size, if they are as many as the merge width.
    fn due<'a>(&self, catalog: &'a Catalog) -> Option<&'a [Layer]> {
        let merge_width = self.tuning.merge_width.max(2);
        let size = |layer: &Layer| catalog.width(layer).max(1).ilog(merge_width);
        let mut groups = catalog.layers.chunk_by(|one, next| size(one) == size(next));
        groups.find(|group| group.len() >= merge_width)
    }

    /// A run that is left behind is found and removed when the log is opened.
    fn remove(&self, layer: &Layer) {
        if let Layer::Many(run) = layer {
            let journal = self.index.journal();
            let path = journal.index_dir().join(run::file_name(run.from, run.to));
            if let Err(error) = journal.disk().remove(&path) {
                tracing::warn!(path = %path.display(), %error, "a merged index could not be removed");
            }
        }
    }
}
