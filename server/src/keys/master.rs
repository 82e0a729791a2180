//! The master key: what protects the keys of all people.

use std::path::{Path, PathBuf};

use anyhow::Context;
use playhead_vault::MasterKey;

use super::files;
use crate::config::Config;
use crate::failure::{Advise, advised};

/// Where a master key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the configuration or the environment.
    Setting,
    /// In the file that the configuration names.
    Named(PathBuf),
    /// In the data directory.
    Own(PathBuf),
}

impl Place {
    /// Where the settings say that it is.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        if !config.master_key.is_empty() {
            return Self::Setting;
        }
        let named = &config.master_key_file;
        if named.as_os_str().is_empty() {
            return Self::Own(config.data.join("keys").join("master.key"));
        }
        Self::Named(named.clone())
    }

    /// Its name in messages.
    #[must_use]
    pub fn told(&self) -> String {
        match self {
            Self::Setting => "the setting master_key".to_owned(),
            Self::Named(file) | Self::Own(file) => file.display().to_string(),
        }
    }
}

/// The master key that the settings name.
///
/// # Errors
/// There is none, or what is there is none.
pub fn existing(config: &Config) -> anyhow::Result<MasterKey> {
    let place = Place::of(config);
    let text = match &place {
        Place::Setting => Some(config.master_key.reveal().to_owned()),
        Place::Named(file) | Place::Own(file) => files::read(file)?,
    };
    let text = text.ok_or_else(|| {
        advised(
            format!("the master key is not there: {} is missing", place.told()),
            "put it back from its copy: without it nothing that is personal can be read",
        )
    })?;
    understood(&place, &text)
}

/// Checks that the master key can be read if the settings say where it is; makes none.
///
/// # Errors
/// Those of [`existing`].
pub fn check(config: &Config) -> anyhow::Result<()> {
    match Place::of(config) {
        Place::Own(_) => Ok(()),
        Place::Setting | Place::Named(_) => existing(config).map(|_| ()),
    }
}

/// As [`existing`], but makes one in the data directory if the settings name no other place.
///
/// # Errors
/// Those of [`existing`], or it cannot be made.
pub fn existing_or_new(config: &Config) -> anyhow::Result<MasterKey> {
    let place = Place::of(config);
    let Place::Own(file) = &place else { return existing(config) };
    files::directory(&config.data)?;
    understood(&place, &files::read_or_make(file, files::random_line)?)
}

/// The master key in a file, if there is such a file.
///
/// # Errors
/// It cannot be read, or holds none.
pub fn if_in_file(file: &Path) -> anyhow::Result<Option<MasterKey>> {
    let text = files::read(file)?;
    text.map(|text| understood(&Place::Named(file.to_owned()), &text)).transpose()
}

/// The master key in a file; a new one if there is no such file.
///
/// # Errors
/// It can neither be read nor made.
pub fn in_file(file: &Path) -> anyhow::Result<MasterKey> {
    let text = files::read_or_make(file, files::random_line)?;
    understood(&Place::Named(file.to_owned()), &text)
}

fn understood(place: &Place, text: &str) -> anyhow::Result<MasterKey> {
    MasterKey::from_hex(text)
        .with_context(|| format!("{} holds no master key", place.told()))
        .advise(|| "put it back from its copy; nothing was changed".to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn config(data: &Path) -> Config {
        Config { data: data.to_owned(), ..Config::default() }
    }

    #[test]
    fn a_master_key_is_made_once_and_is_its_owners_only() {
        let dir = tempfile::tempdir().unwrap();
        let config = config(dir.path());
        assert!(existing(&config).is_err());
        existing_or_new(&config).unwrap();
        let file = dir.path().join("keys/master.key");
        let made = fs::read(&file).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        existing_or_new(&config).unwrap();
        existing(&config).unwrap();
        assert_eq!(fs::read(&file).unwrap(), made);
    }

    #[test]
    fn a_master_key_that_is_elsewhere_is_never_made() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("mounted");
        let named = Config { master_key_file: file.clone(), ..config(dir.path()) };
        let error = existing_or_new(&named).unwrap_err();
        assert!(format!("{error:#}").contains("mounted"), "{error:#}");
        assert!(!file.exists());
        fs::write(&file, "ab".repeat(32)).unwrap();
        assert!(existing_or_new(&named).is_ok());
        let set = Config { master_key: (&*"cd".repeat(32)).into(), ..named };
        assert_eq!(Place::of(&set), Place::Setting);
        assert!(existing_or_new(&set).is_ok());
        assert!(!dir.path().join("keys").exists());
    }

    #[test]
    fn a_damaged_master_key_is_named_and_never_shown_or_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("keys/master.key");
        files::directory(dir.path()).unwrap();
        fs::write(&file, "canary").unwrap();
        let error = existing_or_new(&config(dir.path())).unwrap_err();
        let told = format!("{error:#} {error:?}");
        assert!(told.contains("master.key") && !told.contains("canary"), "{told}");
        assert_eq!(fs::read(&file).unwrap(), b"canary");
    }
}
