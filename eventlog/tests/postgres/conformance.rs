//! The suite that every engine passes.

use std::sync::Arc;

use async_trait::async_trait;
use playhead_eventlog::conformance::Subject;
use playhead_eventlog::postgres::PostgresLog;
use playhead_eventlog::{EventLog, PartitionCount};

use crate::fixture::open;
use crate::server::Server;

playhead_eventlog::conformance!(postgres, async || Postgres::new(PartitionCount::DEFAULT).await);
playhead_eventlog::conformance!(postgres_with_one_partition, async || {
    Postgres::new(PartitionCount::new(1).unwrap()).await
});

struct Postgres {
    log: Arc<PostgresLog>,
    address: String,
}

impl Postgres {
    async fn new(partitions: PartitionCount) -> Self {
        let address = Server::shared().database().await;
        Self { log: Arc::new(open(&address, partitions).await), address }
    }
}

#[async_trait]
impl Subject for Postgres {
    fn log(&self) -> Arc<dyn EventLog> {
        self.log.clone()
    }

    async fn reopen(&mut self) {
        self.log.close().await;
        self.log = Arc::new(open(&self.address, self.log.partitions()).await);
    }
}
