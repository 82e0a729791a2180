//! The contestants, each set up as well as its documentation lets us.

mod milli;
mod playhead;
mod postgres;
mod sqlite;
mod words;

use std::fs;
use std::path::Path;

use anyhow::Result;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::films::Film;

/// How many films an answer has at most: what is measured looks at no more.
pub(crate) const DEPTH: usize = 10;

/// Who takes part. The first is ours: the others are compared with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Contestant {
    /// The search of Playhead.
    Playhead,
    /// The engine of Meilisearch, as it comes, with popularity behind its rules.
    Milli,
    /// The engine of Meilisearch, with the settings that are best here.
    MilliTuned,
    /// SQLite FTS5.
    Sqlite,
    /// PostgreSQL full text search and `pg_trgm`.
    Postgres,
}

/// An open index.
pub(crate) trait Engine {
    /// The numbers of the films that are found, best first; at most [`DEPTH`].
    ///
    /// # Errors
    /// What the engine says.
    fn find(&mut self, text: &str) -> Result<Vec<u32>>;

    /// The process of the server, if there is one.
    fn server(&self) -> Option<u32> {
        None
    }

    /// The processor time of the server so far.
    ///
    /// # Errors
    /// It is gone.
    fn server_cpu_seconds(&self) -> Result<f64> {
        Ok(0.0)
    }
}

/// What a build took besides what this process sees of itself.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Elsewhere {
    /// The processor time of a server.
    pub cpu_seconds: f64,
    /// How long it took to start and stop a server.
    pub not_counted: f64,
    /// What the index takes, in MB, if that is not all that is in the directory.
    pub disk_mb: Option<f64>,
}

impl Contestant {
    /// The name for tables, with the version.
    #[must_use]
    pub(crate) fn title(self) -> String {
        match self {
            Self::Playhead => "Playhead".to_owned(),
            Self::Milli => "Meilisearch engine 1.15.1".to_owned(),
            Self::MilliTuned => "the same, tuned".to_owned(),
            Self::Sqlite => format!("SQLite {} FTS5", rusqlite::version()),
            Self::Postgres => postgres::version().unwrap_or_else(|_| "PostgreSQL".to_owned()),
        }
    }

    /// The name for file names and options.
    #[must_use]
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// How it is set up.
    #[must_use]
    pub(crate) fn manner(self) -> &'static str {
        match self {
            Self::Playhead => playhead::MANNER,
            Self::Milli => milli::MANNER,
            Self::MilliTuned => milli::MANNER_TUNED,
            Self::Sqlite => sqlite::MANNER,
            Self::Postgres => postgres::MANNER,
        }
    }

    /// Builds an index of all films in a directory that does not exist yet; durable when it is back.
    ///
    /// # Errors
    /// What the engine says, or that its programs are not installed.
    pub(crate) fn build(self, dir: &Path, films: &[Film]) -> Result<Elsewhere> {
        fs::create_dir_all(dir)?;
        match self {
            Self::Playhead => playhead::build(dir, films)?,
            Self::Milli => milli::build(dir, films, &milli::AS_IT_COMES)?,
            Self::MilliTuned => milli::build(dir, films, &milli::TUNED)?,
            Self::Sqlite => sqlite::build(dir, films)?,
            Self::Postgres => return postgres::build(dir, films),
        }
        Ok(Elsewhere::default())
    }

    /// Opens the index that was built in a directory.
    ///
    /// # Errors
    /// What the engine says.
    pub(crate) fn open(self, dir: &Path) -> Result<Box<dyn Engine>> {
        Ok(match self {
            Self::Playhead => Box::new(playhead::Playhead::open(dir)?),
            Self::Milli | Self::MilliTuned => Box::new(milli::Milli::open(dir)?),
            Self::Sqlite => Box::new(sqlite::Sqlite::open(dir)?),
            Self::Postgres => Box::new(postgres::Postgres::open(dir)?),
        })
    }
}
