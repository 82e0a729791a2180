use std::path::Path;

use super::*;
use crate::Vault;
use crate::testing::{
    CLEAR, GONE, copy, envelope, file, master, open, seal_all, subject, traces, wrapped,
};

const PERSONS: u32 = 600;

struct Filled {
    directory: tempfile::TempDir,
    vault: Vault,
    subjects: Vec<Uuid>,
    sealed: Vec<Vec<u8>>,
    /// The wrapped keys, before anything is rewrapped.
    secrets: Vec<Vec<u8>>,
}

/// A vault under master key 1 with many persons; the first of them is erased.
async fn filled() -> Filled {
    let directory = tempfile::tempdir().unwrap();
    let vault = open(directory.path(), 1).await;
    let subjects: Vec<Uuid> = (0..PERSONS).map(subject).collect();
    let sealed = seal_all(&vault, &subjects).await;
    let mut secrets = vec![];
    for id in &subjects {
        secrets.push(wrapped(&vault, *id).await);
    }
    vault.erase(subjects[0]).await.unwrap();
    Filled { directory, vault, subjects, sealed, secrets }
}

impl Filled {
    async fn assert_readable(&self, vault: &Vault) {
        let ring = vault.keyring(self.subjects.iter().copied()).await.unwrap();
        for (id, sealed) in self.subjects.iter().zip(&self.sealed) {
            let expected = if *id == self.subjects[0] { GONE } else { CLEAR };
            assert_eq!(ring.unseal(*id, &envelope(), sealed).unwrap(), expected);
        }
    }

    /// Nothing of the old master key is left, and only the new one opens the file.
    async fn assert_rewrapped(&self, directory: &Path, vault: &Vault) {
        assert!(!vault.is_rewrapping().await);
        assert_eq!(traces(directory, &self.secrets), 0);
        self.assert_readable(vault).await;
        vault.close().await;
        assert_eq!(traces(directory, &self.secrets), 0);
        let old = Vault::open(&file(directory), master(1)).await;
        assert!(matches!(old, Err(VaultError::WrongMasterKey { .. })), "{old:?}");
        let vault = open(directory, 2).await;
        self.assert_readable(&vault).await;
        vault.close().await;
    }
}

#[tokio::test]
async fn rewrapping_leaves_every_value_readable_under_the_new_key_only() {
    let filled = filled().await;
    let index = filled.vault.blind_index("email", "ada");
    let moved = filled.vault.rewrap(master(2)).await.unwrap();
    assert_eq!(moved, u64::from(PERSONS - 1));
    assert_eq!(filled.vault.rewrap(master(2)).await.unwrap(), 0);
    assert_eq!(filled.vault.blind_index("email", "ada"), index);
    filled.assert_rewrapped(filled.directory.path(), &filled.vault).await;
    let vault = open(filled.directory.path(), 2).await;
    assert_eq!(vault.blind_index("email", "ada"), index);
}

#[tokio::test]
async fn a_crash_before_the_first_step_leaves_the_old_master_key() {
    let filled = filled().await;
    let crashed = copy(filled.directory.path());
    let new = Vault::open(&file(crashed.path()), master(2)).await;
    assert!(matches!(new, Err(VaultError::WrongMasterKey { .. })));
    let vault = open(crashed.path(), 1).await;
    filled.assert_readable(&vault).await;
}

#[tokio::test]
async fn rewrapping_goes_on_after_a_crash_at_any_step() {
    let filled = filled().await;
    let mut after = Some(0);
    filled.vault.keys().await.replace_master(&Master::new(&master(2))).await.unwrap();
    let mut moved = 0;
    let mut crashes = 0;
    while let Some(row) = after {
        let crashed = copy(filled.directory.path());
        let old = Vault::open(&file(crashed.path()), master(1)).await;
        assert!(matches!(old, Err(VaultError::MasterKeyReplaced { .. })), "{old:?}");
        let vault = open(crashed.path(), 2).await;
        assert!(vault.is_rewrapping().await);
        filled.assert_readable(&vault).await;
        let rest = vault.rewrap(master(2)).await.unwrap();
        assert_eq!(moved + rest, u64::from(PERSONS - 1));
        filled.assert_rewrapped(crashed.path(), &vault).await;
        crashes += 1;
        after = match filled.vault.keys().await.rewrap_step(row).await.unwrap() {
            Step::Moved { keys, last } => {
                moved += keys;
                Some(last)
            }
            Step::Done => None,
        };
    }
    assert_eq!(crashes, 4, "three steps of at most 256 keys, and the last");
    filled.assert_rewrapped(filled.directory.path(), &filled.vault).await;
}

#[tokio::test]
async fn the_vault_works_while_it_is_rewrapped() {
    let filled = filled().await;
    let mut keys = filled.vault.keys().await;
    keys.replace_master(&Master::new(&master(2))).await.unwrap();
    keys.rewrap_step(0).await.unwrap();
    drop(keys);
    let (moved, unmoved, new) = (filled.subjects[1], filled.subjects[599], subject(9_999));
    assert!(filled.vault.erase(moved).await.unwrap());
    assert!(filled.vault.erase(unmoved).await.unwrap());
    let sealed = seal_all(&filled.vault, &[new]).await.remove(0);
    // A third master key waits for the second.
    let rest = filled.vault.rewrap(master(3)).await.unwrap();
    assert_eq!(rest, u64::from(PERSONS - 256 - 2) + u64::from(PERSONS - 2));
    filled.vault.close().await;
    assert_eq!(traces(filled.directory.path(), &filled.secrets), 0);
    let vault = open(filled.directory.path(), 3).await;
    for (id, sealed, expected) in [
        (moved, &filled.sealed[1], GONE),
        (unmoved, &filled.sealed[599], GONE),
        (filled.subjects[300], &filled.sealed[300], CLEAR),
        (new, &sealed, CLEAR),
    ] {
        assert_eq!(vault.unseal(id, &envelope(), sealed).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_commit_that_was_not_noticed_loses_no_key() {
    let filled = filled().await;
    let new = Master::new(&master(2));
    {
        let mut keys = filled.vault.keys().await;
        let old = keys.current.clone();
        keys.replace_master(&new).await.unwrap();
        (keys.current, keys.previous) = (old, None);
    }
    let late = subject(9_999);
    let sealed = seal_all(&filled.vault, &[late]).await.remove(0);
    assert_eq!(filled.vault.rewrap(master(2)).await.unwrap(), u64::from(PERSONS));
    assert_eq!(filled.vault.unseal(late, &envelope(), &sealed).await.unwrap(), CLEAR);
    filled.assert_rewrapped(filled.directory.path(), &filled.vault).await;
}
