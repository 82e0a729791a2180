//! Which files the named paths stand for.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::failure::Advise;

/// The files that the paths stand for, in order. Of a directory: every `movies-*.json` and `*.tsv`
/// directly in it, by name.
///
/// # Errors
/// A path does not exist, or there is nothing to import in a directory.
pub(super) fn expand(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        let found = fs::metadata(path)
            .with_context(|| format!("{} cannot be imported", path.display()))
            .advise(|| "check the path; nothing was imported".to_owned())?;
        if found.is_dir() {
            files.extend(in_directory(path)?);
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
        bail!("{} holds neither movies-*.json nor *.tsv", dir.display());
    }
    files.sort();
    Ok(files)
}

fn is_film_file(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    is_table(path) || name.starts_with("movies-") && name.ends_with(".json")
}

/// Whether a file is a table of IMDb, by its name.
pub(super) fn is_table(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("tsv"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_stands_for_its_film_files_in_order() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["movies-b.json", "genres.json", "title.basics.tsv", "movies-a.json"] {
            fs::write(dir.path().join(name), "[]").unwrap();
        }
        let found = expand(&[dir.path().to_owned()]).unwrap();
        let names: Vec<_> = found.iter().map(|path| path.file_name().unwrap()).collect();
        assert_eq!(names, ["movies-a.json", "movies-b.json", "title.basics.tsv"]);
    }

    #[test]
    fn a_path_that_does_not_exist_is_named() {
        let error = expand(&["nowhere.json".into()]).unwrap_err();
        assert!(error.to_string().contains("nowhere.json"), "{error}");
    }
}
