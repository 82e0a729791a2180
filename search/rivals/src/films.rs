//! The catalogue, as every contestant gets it.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

/// A film.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Film {
    /// Counted from 1 through the catalogue; what queries call it.
    #[serde(default)]
    pub number: u32,
    /// What it is called.
    pub title: String,
    /// When it came out.
    pub year: Option<u16>,
    /// Who plays in it.
    #[serde(default)]
    pub cast: Vec<String>,
    /// Its genres.
    #[serde(default)]
    pub genres: Vec<String>,
    /// What it is about.
    pub extract: Option<String>,
    /// How many people rated it.
    #[serde(default)]
    pub votes: u32,
}

/// Reads the files `movies-*.json` of a directory.
///
/// # Errors
/// There is none, or one is broken.
pub(crate) fn read(directory: &Path, votes: &HashMap<u32, u32>) -> Result<Vec<Film>> {
    let mut films = vec![];
    for file in files(directory)? {
        let named = || file.display().to_string();
        let text = fs::read_to_string(&file).with_context(named)?;
        films.extend(serde_json::from_str::<Vec<Film>>(&text).with_context(named)?);
    }
    for (number, film) in (1..).zip(&mut films) {
        film.number = number;
        film.votes = votes.get(&number).copied().unwrap_or_default();
    }
    Ok(films)
}

fn files(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(directory).with_context(|| directory.display().to_string())?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("movies-") && name.ends_with(".json")
    });
    ensure!(!files.is_empty(), "{}: no files movies-*.json", directory.display());
    files.sort();
    Ok(files)
}
