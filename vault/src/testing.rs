//! What several tests share.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use futures::future::try_join_all;
use sqlx::Row;
use uuid::Uuid;

use crate::{Envelope, MasterKey, Vault};

/// A payload with a personal field.
pub(crate) const CLEAR: &[u8] = br#"{"email":{"$personal":"ada@example.org"},"plan":"basic"}"#;
/// The same of somebody who was erased.
pub(crate) const GONE: &[u8] = br#"{"email":{"$erased":true},"plan":"basic"}"#;

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A person, told from others by a number.
pub(crate) fn subject(number: u32) -> Uuid {
    Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0000 | u128::from(number))
}

/// An event.
pub(crate) fn envelope() -> Envelope<'static> {
    let (stream, event_type) = ("identity-0192", "Registered");
    Envelope { stream, event_type, schema_version: 1, event_id: subject(1) }
}

/// A master key, told from others by a number.
pub(crate) fn master(number: u8) -> MasterKey {
    MasterKey::from_bytes([number; 32])
}

/// Where the key file of a directory is.
pub(crate) fn file(directory: &Path) -> PathBuf {
    directory.join("keys.sqlite")
}

/// The vault of a directory.
pub(crate) async fn open(directory: &Path, master_number: u8) -> Vault {
    Vault::open(&file(directory), master(master_number)).await.unwrap()
}

/// Seals the payload for each of the persons, all at once.
pub(crate) async fn seal_all(vault: &Vault, subjects: &[Uuid]) -> Vec<Vec<u8>> {
    let seal = async |id: &Uuid| vault.seal(*id, &envelope(), CLEAR).await.map(Into::into);
    try_join_all(subjects.iter().map(seal)).await.unwrap()
}

/// The wrapped key of a person as it is in the file.
pub(crate) async fn wrapped(vault: &Vault, subject: Uuid) -> Vec<u8> {
    let keys = vault.keys().await;
    let mut connection = keys.connection().await.unwrap();
    let query = sqlx::query("SELECT wrapped FROM data_keys WHERE subject = $1");
    let row = query.bind(subject.as_bytes().as_slice()).fetch_one(&mut *connection).await.unwrap();
    row.get(0)
}

/// How many places in all files of a directory have 8 bytes in a row of one of the secrets.
pub(crate) fn traces(directory: &Path, secrets: &[Vec<u8>]) -> usize {
    let windows: HashSet<&[u8]> = secrets.iter().flat_map(|secret| secret.windows(8)).collect();
    let files = fs::read_dir(directory).unwrap();
    files
        .map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .map(|bytes| bytes.windows(8).filter(|window| windows.contains(window)).count())
        .sum()
}

/// The files as they are now, in another directory: what a killed process would leave.
pub(crate) fn copy(directory: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    copy
}
