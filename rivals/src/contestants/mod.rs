//! The contestants, each in the fastest durable mode that it documents.

mod playhead;
mod postgres;
mod sqlite;
mod tephra;
mod umadb;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tokio::task;

use crate::log::Log;

pub(crate) use self::postgres::kill as kill_postgres;

/// Who takes part. The first is ours: the others are compared with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Contestant {
    /// The embedded engine of Playhead.
    Playhead,
    /// Tephra, embedded.
    Tephra,
    /// UmaDB, embedded.
    Umadb,
    /// SQLite through rusqlite, with a writer thread that groups appends.
    Sqlite,
    /// PostgreSQL with the schema and functions of message-db.
    Postgres,
}

impl Contestant {
    /// The name for tables, with the version.
    #[must_use]
    pub fn title(self) -> String {
        match self {
            Self::Playhead => "Playhead".to_owned(),
            Self::Tephra => "Tephra 0.4.1".to_owned(),
            Self::Umadb => "UmaDB 0.7.8".to_owned(),
            Self::Sqlite => format!("SQLite {}", rusqlite::version()),
            Self::Postgres => postgres::version().unwrap_or_else(|_| "PostgreSQL".to_owned()),
        }
    }

    /// The name for file names and options.
    #[must_use]
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// How it is used, and what it syncs before it answers an append.
    #[must_use]
    pub fn manner(self) -> &'static str {
        match self {
            Self::Playhead => playhead::MANNER,
            Self::Tephra => tephra::MANNER,
            Self::Umadb => umadb::MANNER,
            Self::Sqlite => sqlite::MANNER,
            Self::Postgres => postgres::MANNER,
        }
    }

    /// Opens the store in this directory, and creates it if there is none.
    ///
    /// # Errors
    /// What the store says, or that its programs are not installed.
    pub async fn open(self, dir: &Path) -> Result<Arc<dyn Log>> {
        let dir = dir.to_owned();
        if self == Self::Postgres {
            return Ok(Arc::new(postgres::Postgres::open(&dir).await?));
        }
        let opened = task::spawn_blocking(move || -> Result<Arc<dyn Log>> {
            std::fs::create_dir_all(&dir)?;
            Ok(match self {
                Self::Playhead => Arc::new(playhead::Playhead::open(&dir)?),
                Self::Tephra => Arc::new(tephra::Tephra::open(&dir)?),
                Self::Umadb => Arc::new(umadb::Umadb::open(&dir)?),
                Self::Sqlite => Arc::new(sqlite::Sqlite::open(&dir)?),
                Self::Postgres => return Err(anyhow!("opened above")),
            })
        });
        opened.await?
    }
}
