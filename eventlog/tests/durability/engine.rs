//! The engine of this crate, as a subject of the tests.

use std::path::Path;
use std::sync::Arc;

use playhead_eventlog::embedded::{Bug, EmbeddedLog, Options, Tuning, verify_on};
use playhead_eventlog::{EventLog, PartitionCount};

use crate::disk::SimDisk;
use crate::subject::Subject;
use crate::workload::Settings;

const DIR: &str = "/log";

/// The engine, sound or with one bug.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Engine {
    bug: Option<Bug>,
}

impl Engine {
    pub(crate) const SOUND: Self = Self { bug: None };

    #[cfg(feature = "seeded-bugs")]
    pub(crate) fn with(bug: Bug) -> Self {
        Self { bug: Some(bug) }
    }

    fn tuning(self, settings: &Settings) -> Tuning {
        #[cfg(not(feature = "seeded-bugs"))]
        assert_eq!(self.bug, None, "there are no bugs in this build");
        Tuning {
            segment_bytes: settings.segment_bytes,
            allocate_bytes: settings.allocate_bytes,
            alone_bytes: settings.alone_bytes,
            tips_max: settings.tips_max,
            merge_width: settings.merge_runs,
            compress: settings.compress,
            inline_maintenance: true,
            #[cfg(feature = "seeded-bugs")]
            bug: self.bug,
        }
    }
}

fn text(error: impl std::error::Error) -> String {
    let cause = error.source().map_or(String::new(), |source| format!(": {source}"));
    format!("{error}{cause}")
}

impl Subject for Engine {
    fn open(&self, disk: &SimDisk, settings: &Settings) -> Result<Box<dyn EventLog>, String> {
        let options = Options {
            partitions: PartitionCount::new(settings.partitions).ok_or("a bad partition count")?,
            holder: "durability".to_owned(),
            tuning: self.tuning(settings),
        };
        let log = EmbeddedLog::open_on(Arc::new(disk.clone()), Path::new(DIR), options);
        Ok(Box::new(log.map_err(text)?))
    }

    fn open_read_only(&self, disk: &SimDisk) -> Result<Box<dyn EventLog>, String> {
        let log = EmbeddedLog::open_read_only_on(Arc::new(disk.clone()), Path::new(DIR));
        Ok(Box::new(log.map_err(text)?))
    }

    fn verify(&self, disk: &SimDisk) -> Result<u64, String> {
        let report = verify_on(Arc::new(disk.clone()), Path::new(DIR), |_, _| {}).map_err(text)?;
        match report.torn_tail_bytes {
            0 => Ok(report.events),
            bytes => Err(format!("there is a torn tail of {bytes} bytes")),
        }
    }
}
