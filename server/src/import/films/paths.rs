//! Which files the named paths stand for.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::failure::{Advise, advised};

/// The files that the paths stand for, in order. Of a directory: every `movies-*.json` and
/// `movies-*.json.gz` directly in it, by name.
///
/// # Errors
/// A path does not exist or is a table, or there is nothing to import in a directory.
pub(super) fn expand(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        let found = fs::metadata(path)
            .with_context(|| format!("{} cannot be imported", path.display()))
            .advise(|| "check the path; nothing was imported".to_owned())?;
        if found.is_dir() {
            files.extend(in_directory(path)?);
        } else if is_table(path) {
            let what = format!("{} is a table, and no JSON", path.display());
            return Err(advised(what, "IMDb's files are imported with `playhead import imdb DIR`"));
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn in_directory(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let context = || format!("reading the directory {} failed", dir.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).with_context(context)? {
        let path = entry.with_context(context)?.path();
        if path.is_file() && is_film_file(&path) {
            files.push(path);
        }
    }
    if files.is_empty() {
        bail!("{} holds no movies-*.json", dir.display());
    }
    files.sort();
    Ok(files)
}

fn is_film_file(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    name.starts_with("movies-") && (name.ends_with(".json") || name.ends_with(".json.gz"))
}

fn is_table(path: &Path) -> bool {
    let name = path.to_string_lossy();
    name.ends_with(".tsv") || name.ends_with(".tsv.gz")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_stands_for_its_film_files_in_order() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["movies-b.json.gz", "genres.json", "title.basics.tsv", "movies-a.json"] {
            fs::write(dir.path().join(name), "[]").unwrap();
        }
        let found = expand(&[dir.path().to_owned()]).unwrap();
        let names: Vec<_> = found.iter().map(|path| path.file_name().unwrap()).collect();
        assert_eq!(names, ["movies-a.json", "movies-b.json.gz"]);
    }

    #[test]
    fn a_table_is_sent_to_the_import_of_tables() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("title.basics.tsv.gz");
        fs::write(&path, "").unwrap();
        let error = crate::failure::describe(&expand(&[path]).unwrap_err());
        assert!(error.contains("playhead import imdb DIR"), "{error}");
    }

    #[test]
    fn a_path_that_does_not_exist_is_named() {
        let error = expand(&["nowhere.json".into()]).unwrap_err();
        assert!(error.to_string().contains("nowhere.json"), "{error}");
    }
}
