//! One line for each engine.

use std::sync::Arc;

use async_trait::async_trait;
use playhead_eventlog::conformance::Subject;
use playhead_eventlog::embedded::EmbeddedLog;
use playhead_eventlog::memory::MemoryLog;
use playhead_eventlog::{EventLog, PartitionCount};
use tempfile::TempDir;

use crate::fixture;

playhead_eventlog::conformance!(memory, async || Memory::new(PartitionCount::DEFAULT));
playhead_eventlog::conformance!(memory_with_one_partition, async || Memory::new(one()));
playhead_eventlog::conformance!(embedded, async || Embedded::new(PartitionCount::DEFAULT));
playhead_eventlog::conformance!(embedded_with_one_partition, async || Embedded::new(one()));

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
}

impl Embedded {
    fn new(partitions: PartitionCount) -> Self {
        let dir = TempDir::new().unwrap();
        Self { log: Arc::new(fixture::open_with(dir.path(), partitions)), dir }
    }
}

#[async_trait]
impl Subject for Embedded {
    fn log(&self) -> Arc<dyn EventLog> {
        self.log.clone()
    }

    async fn reopen(&mut self) {
        self.log.close().await;
        self.log = Arc::new(fixture::open(self.dir.path()));
    }
}
