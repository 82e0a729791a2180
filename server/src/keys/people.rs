//! The keys of all people, in `DATA/keys/subjects.sqlite`, and the master key that protects them.

use std::path::{Path, PathBuf};

use anyhow::Context;
use playhead_eventlog::embedded::{EmbeddedLog, OpenError};
use playhead_eventlog::{Cursor, EventLog};
use playhead_vault::{MasterKey, Vault, VaultError, holds_sealed};

use super::files;
use super::master::{self, Place};
use crate::config::Config;
use crate::failure::{Advise, advised};
use crate::store;

/// How many events are looked at together when something sealed is looked for.
const PAGE_EVENTS: usize = 1_000;

/// The key file of a data directory.
#[must_use]
pub fn file(data: &Path) -> PathBuf {
    data.join("keys").join("subjects.sqlite")
}

/// Opens the key file of a log. While nothing is recorded, a missing one is made, with a master key if
/// need be; later a missing one is an error, because it held keys that nothing can replace.
///
/// # Errors
/// The key file or the master key is missing or cannot be used.
pub async fn open(config: &Config, log: &dyn EventLog) -> anyhow::Result<Vault> {
    if log.head().total() == 0 && !file(&config.data).exists() {
        return make(config).await;
    }
    open_existing(config).await
}

/// Opens the key file.
///
/// # Errors
/// The key file or the master key is missing or cannot be used.
pub async fn open_existing(config: &Config) -> anyhow::Result<Vault> {
    let file = file(&config.data);
    // Said first: without the key file, a master key is no help.
    if !file.exists() {
        return explain(Err(VaultError::Missing { path: file }));
    }
    explain(Vault::open_existing(&file, master::existing(config)?).await)
}

/// Makes the key file if there is none, and the master key if need be.
///
/// # Errors
/// They cannot be made, or those that are there cannot be used.
pub async fn make(config: &Config) -> anyhow::Result<Vault> {
    files::directory(&config.data)?;
    let file = file(&config.data);
    let master = match file.exists() {
        true => master::existing(config)?,
        false => master::existing_or_new(config)?,
    };
    let vault = explain(Vault::open(&file, master).await)?;
    files::sync_directory(&file)?;
    Ok(vault)
}

/// The same for a log that was made without keys.
///
/// # Errors
/// Something in the log is sealed: then a key file was lost, and a new one would begin new keys for
/// people whose data only the lost ones open. Or those of [`make`].
pub async fn make_for_an_old_log(config: &Config) -> anyhow::Result<Vault> {
    if !file(&config.data).exists() {
        refuse_sealed(&config.data).await?;
    }
    make(config).await
}

async fn refuse_sealed(data: &Path) -> anyhow::Result<()> {
    let dir = data.to_owned();
    let opened = tokio::task::spawn_blocking(move || EmbeddedLog::open_read_only(&dir)).await?;
    let log = match opened {
        Err(OpenError::NotFound { .. }) => return Ok(()),
        opened => store::explain(data, opened)?,
    };
    let sealed = sealed_stream(&log).await;
    log.close().await;
    sealed?.map_or(Ok(()), |stream| {
        Err(advised(
            format!("the log in {} holds sealed data, such as in {stream}", data.display()),
            "put the directory keys back from its copy: new keys would not open what is sealed. If \
             there is no copy, what is personal in this log is lost; begin with another data \
             directory",
        ))
    })
}

/// A stream in which something is sealed.
async fn sealed_stream(log: &dyn EventLog) -> anyhow::Result<Option<String>> {
    let mut from = Cursor::start(log.partitions());
    loop {
        let batch = log.read(&from, PAGE_EVENTS).await.context("reading the log failed")?;
        if batch.events.is_empty() {
            return Ok(None);
        }
        let sealed = batch.events.iter().find(|event| holds_sealed(&event.event.payload));
        if let Some(sealed) = sealed {
            return Ok(Some(sealed.stream.as_str().to_owned()));
        }
        from = batch.next;
    }
}

/// Moves all keys under a new master key; answers how many, and where the new master key is. It is read
/// from `target`, and made there if need be. Without a target it takes the place of the one in the data
/// directory. Done again after a crash, it goes on where it was.
///
/// # Errors
/// The key file or a master key cannot be used, or there is no target although the master key is not
/// in the data directory.
pub async fn rewrap(config: &Config, target: Option<&Path>) -> anyhow::Result<(u64, PathBuf)> {
    let place = Place::of(config);
    let (new_file, own) = match (target, place) {
        (Some(target), _) => (target.to_owned(), None),
        (None, Place::Own(file)) => (file.with_extension("next"), Some(file)),
        (None, place) => {
            return Err(advised(
                format!("the master key in {} cannot be replaced there", place.told()),
                "name a file for the new one with --to, and set it as master_key_file afterwards",
            ));
        }
    };
    let old = master::existing(config)?;
    // One that an earlier run has begun with. Otherwise it is made only when nothing stands in the
    // way any more, so that a refused run leaves nothing.
    let begun = master::if_in_file(&new_file)?;
    let vault = open_with_either(&file(&config.data), old, begun).await?;
    let moved = match master::in_file(&new_file) {
        Ok(new) => explain(vault.rewrap(new).await),
        Err(error) => Err(error),
    };
    vault.close().await;
    let moved = moved?;
    match own {
        Some(own) => {
            files::rename(&new_file, &own)?;
            Ok((moved, own))
        }
        None => Ok((moved, new_file)),
    }
}

/// The new master key opens a file that an earlier run has begun to move, or has moved.
async fn open_with_either(
    file: &Path,
    old: MasterKey,
    new: Option<MasterKey>,
) -> anyhow::Result<Vault> {
    let opened = Vault::open_existing(file, old).await;
    let Some(new) = new else { return explain(opened) };
    match opened {
        Err(VaultError::MasterKeyReplaced { .. }) => explain(Vault::open_existing(file, new).await),
        Err(error @ VaultError::WrongMasterKey { .. }) => {
            let with_new = Vault::open_existing(file, new).await;
            explain(with_new.map_err(|_| error))
        }
        other => explain(other),
    }
}

/// Adds to a refusal what an operator can do about it.
///
/// # Errors
/// The given one, with advice.
pub fn explain<T>(done: Result<T, VaultError>) -> anyhow::Result<T> {
    done.or_else(|error| {
        let advice = advice(&error);
        let failed = Err(error).context("using the keys of people failed");
        match advice {
            Some(advice) => failed.advise(|| advice.to_owned()),
            None => failed,
        }
    })
}

fn advice(error: &VaultError) -> Option<&'static str> {
    match error {
        VaultError::Missing { .. } => Some(
            "put the directory keys back from its copy; it is not part of a backup of the log. \
             Only if nobody's data was ever sealed in this log, because it was made by an older \
             playhead: make a new key file with `playhead admin keys make`",
        ),
        VaultError::InUse { .. } => {
            Some("stop the server or the import that uses this data directory")
        }
        VaultError::WrongMasterKey { .. } => Some(
            "give the master key that belongs to this key file, as master_key, master_key_file or \
             keys/master.key; if `playhead admin keys rewrap` was interrupted, run it again",
        ),
        VaultError::MasterKeyReplaced { .. } => Some(
            "run `playhead admin keys rewrap` again, which goes on where it was, or give the new \
             master key",
        ),
        VaultError::OtherFormat { .. } => Some("use the playhead that made it, or a newer one"),
        VaultError::DamagedKey { .. } => Some("put the key file back from its copy"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
