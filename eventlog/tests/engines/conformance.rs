//! One line for each engine.

use std::sync::Arc;

use async_trait::async_trait;
use playhead_eventlog::conformance::Subject;
use playhead_eventlog::embedded::{EmbeddedLog, Tuning};
use playhead_eventlog::memory::MemoryLog;
use playhead_eventlog::{EventLog, PartitionCount};
use tempfile::TempDir;

use crate::fixture::{self, TINY};

playhead_eventlog::conformance!(memory, async || Memory::new(PartitionCount::DEFAULT));
playhead_eventlog::conformance!(memory_with_one_partition, async || Memory::new(one()));
playhead_eventlog::conformance!(embedded, async || Embedded::new(PartitionCount::DEFAULT));
playhead_eventlog::conformance!(embedded_with_one_partition, async || Embedded::new(one()));
playhead_eventlog::conformance!(embedded_in_tiny_segments, async || {
    Embedded::tuned(PartitionCount::DEFAULT, TINY)
});
playhead_eventlog::conformance!(embedded_in_compressed_segments, async || {
    Embedded::tuned(PartitionCount::DEFAULT, Tuning { compress: true, ..TINY })
});

fn one() -> PartitionCount {
    PartitionCount::new(1).unwrap()
}

struct Memory(Arc<MemoryLog>);

impl Memory {
    fn new(partitions: PartitionCount) -> Self {
        Self(Arc::new(MemoryLog::new(partitions)))
    }
}

#[async_trait]
impl Subject for Memory {
    fn log(&self) -> Arc<dyn EventLog> {
        self.0.clone()
    }

    /// Nothing of it would survive, so it never ends.
    async fn reopen(&mut self) {}
}

struct Embedded {
    log: Arc<EmbeddedLog>,
    dir: TempDir,
    tuning: Tuning,
}

impl Embedded {
    fn new(partitions: PartitionCount) -> Self {
        Self::tuned(partitions, Tuning::DEFAULT)
    }

    fn tuned(partitions: PartitionCount, tuning: Tuning) -> Self {
        let dir = TempDir::new().unwrap();
        let log = Arc::new(fixture::open_tuned(dir.path(), partitions, tuning));
        Self { log, dir, tuning }
    }
}

#[async_trait]
impl Subject for Embedded {
    fn log(&self) -> Arc<dyn EventLog> {
        self.log.clone()
    }

    async fn reopen(&mut self) {
        self.log.close().await;
        let partitions = self.log.partitions();
        self.log = Arc::new(fixture::open_tuned(self.dir.path(), partitions, self.tuning));
    }
}
