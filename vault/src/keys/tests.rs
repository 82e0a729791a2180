use super::*;
use crate::testing::{copy, open, seal_all, subject, traces, wrapped};

#[tokio::test]
async fn no_byte_of_an_erased_key_is_left_in_any_file() {
    let directory = tempfile::tempdir().unwrap();
    let vault = open(directory.path(), 1).await;
    let subjects: Vec<Uuid> = (0..2_000).map(|place| subject(place * 7_919 % 100_003)).collect();
    seal_all(&vault, &subjects).await;
    let erased: Vec<Uuid> = subjects.iter().copied().step_by(31).collect();
    let mut secrets = vec![];
    for id in &erased {
        secrets.push(wrapped(&vault, *id).await);
    }
    assert!(traces(directory.path(), &secrets) >= 65 * secrets.len(), "the search finds keys");
    for (place, id) in erased.iter().enumerate() {
        assert!(vault.erase(*id).await.unwrap());
        if place % 16 == 0 {
            assert_eq!(traces(directory.path(), &secrets[..=place]), 0);
        }
    }
    assert_eq!(traces(directory.path(), &secrets), 0, "while it is open");
    seal_all(&vault, &(200_000..200_300).map(subject).collect::<Vec<_>>()).await;
    vault.close().await;
    assert_eq!(traces(directory.path(), &secrets), 0, "when it is closed");
}

#[tokio::test]
async fn an_erasure_is_ended_after_a_crash_behind_its_commit() {
    let directory = tempfile::tempdir().unwrap();
    let vault = open(directory.path(), 1).await;
    seal_all(&vault, &[subject(1), subject(2)]).await;
    let secrets = [wrapped(&vault, subject(1)).await];
    {
        let keys = vault.keys().await;
        let mut connection = keys.connection().await.unwrap();
        let id = subject(1);
        let erase = sqlx::query(ERASE).bind(id.as_bytes().as_slice());
        erase.execute(&mut *connection).await.unwrap();
    }
    let crashed = copy(directory.path());
    assert!(traces(crashed.path(), &secrets) > 0, "the journal still has it");
    let vault = open(crashed.path(), 1).await;
    assert_eq!(traces(crashed.path(), &secrets), 0);
    assert!(!vault.erase(subject(1)).await.unwrap());
    assert!(vault.erase(subject(2)).await.unwrap());
}

#[tokio::test]
async fn the_file_is_opened_as_durable_and_forgetful() {
    let directory = tempfile::tempdir().unwrap();
    let vault = open(directory.path(), 1).await;
    let keys = vault.keys().await;
    let mut connection = keys.connection().await.unwrap();
    let pragmas = [
        ("PRAGMA journal_mode", "wal"),
        ("PRAGMA synchronous", "2"),
        ("PRAGMA secure_delete", "1"),
        ("PRAGMA locking_mode", "exclusive"),
        ("PRAGMA auto_vacuum", "0"),
    ];
    for (pragma, expected) in pragmas {
        let row = sqlx::query(pragma).fetch_one(&mut *connection).await.unwrap();
        let found = row
            .try_get::<String, _>(0)
            .or_else(|_| row.try_get::<i64, _>(0).map(|number| number.to_string()));
        assert_eq!(found.unwrap(), expected, "{pragma}");
    }
}

#[tokio::test]
async fn a_key_in_another_persons_row_is_damaged() {
    let directory = tempfile::tempdir().unwrap();
    let vault = open(directory.path(), 1).await;
    seal_all(&vault, &[subject(1), subject(2)]).await;
    let keys = vault.keys().await;
    let mut connection = keys.connection().await.unwrap();
    let swap = "UPDATE data_keys SET wrapped = (SELECT wrapped FROM data_keys WHERE id = 1)";
    sqlx::query(swap).execute(&mut *connection).await.unwrap();
    drop(connection);
    let found = keys.find(&[subject(1), subject(2)]).await;
    assert!(matches!(found, Err(VaultError::DamagedKey { .. })));
}
