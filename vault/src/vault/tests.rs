use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::testing::{CLEAR, GONE, copy, envelope, file, hex, master, open, seal_all, subject};

#[tokio::test]
async fn what_is_sealed_comes_back_byte_for_byte() {
    let directory = tempfile::tempdir().unwrap();
    let vault = open(directory.path(), 1).await;
    let payload = br#"{ "b": 1.50, "a": [ {"$personal":{"z":1e400,"a":"\u00e9"}} ], "$c": "$x" }"#;
    let sealed = vault.seal(subject(1), &envelope(), payload).await.unwrap();
    let text = str::from_utf8(&sealed).unwrap();
    assert!(text.starts_with(r#"{ "b": 1.50, "a": [ {"$sealed":"A"#), "{text}");
    assert!(text.ends_with(r#""} ], "$c": "$x" }"#), "{text}");
    let unsealed = vault.unseal(subject(1), &envelope(), &sealed).await.unwrap();
    assert_eq!(unsealed, payload.as_slice());
    let again = vault.seal(subject(1), &envelope(), payload).await.unwrap();
    assert_ne!(sealed, again);
}

#[tokio::test]
async fn a_payload_without_markers_is_passed_on_unread() {
    let directory = tempfile::tempdir().unwrap();
    let vault = open(directory.path(), 1).await;
    for payload in [b"no JSON at all".as_slice(), br#"{"a":"$5","b":[1,2]}"#, b"\xff", b""] {
        let sealed = vault.seal(subject(1), &envelope(), payload).await.unwrap();
        let unsealed = vault.unseal(subject(1), &envelope(), payload).await.unwrap();
        let by_ring = Keyring::default();
        let by_ring = by_ring.unseal(subject(1), &envelope(), payload).unwrap();
        for passed in [sealed, unsealed, by_ring] {
            assert!(matches!(passed, Cow::Borrowed(same) if same.as_ptr() == payload.as_ptr()));
        }
    }
    assert!(!vault.erase(subject(1)).await.unwrap(), "no key was made");
}

#[tokio::test]
async fn sealed_values_open_for_their_person_only() {
    let directory = tempfile::tempdir().unwrap();
    let vault = open(directory.path(), 1).await;
    let sealed = seal_all(&vault, &[subject(1), subject(2)]).await;
    let swapped = vault.unseal(subject(1), &envelope(), &sealed[1]).await;
    assert!(matches!(swapped, Err(VaultError::OtherKey { pointer }) if pointer == "/email"));
    let unknown = vault.unseal(subject(3), &envelope(), &sealed[0]).await;
    assert!(matches!(unknown, Err(VaultError::NoKey { .. })));
    let elsewhere = Envelope { stream: "identity-0193", ..envelope() };
    let moved = vault.unseal(subject(1), &elsewhere, &sealed[0]).await;
    assert!(matches!(moved, Err(VaultError::Tampered { pointer }) if pointer == "/email"));
}

#[tokio::test]
async fn keys_survive_a_restart_and_are_needed_for_a_log() {
    let directory = tempfile::tempdir().unwrap();
    let missing = Vault::open_existing(&file(directory.path()), master(1)).await;
    assert!(matches!(missing, Err(VaultError::Missing { .. })));
    let vault = open(directory.path(), 1).await;
    let sealed = seal_all(&vault, &[subject(1)]).await.remove(0);
    let index = vault.blind_index("email", "ada@example.org");
    let crashed = copy(directory.path());
    vault.close().await;
    for directory in [directory.path(), crashed.path()] {
        let vault = Vault::open_existing(&file(directory), master(1)).await.unwrap();
        let unsealed = vault.unseal(subject(1), &envelope(), &sealed).await.unwrap();
        assert_eq!(unsealed, CLEAR);
        assert_eq!(vault.blind_index("email", "ada@example.org"), index);
        vault.close().await;
    }
}

#[tokio::test]
async fn a_wrong_master_key_is_refused_and_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    open(directory.path(), 1).await.close().await;
    let before = fs::read(file(directory.path())).unwrap();
    let refused = Vault::open(&file(directory.path()), master(2)).await.unwrap_err();
    assert!(matches!(refused, VaultError::WrongMasterKey { .. }));
    assert!(refused.to_string().ends_with("is locked with another master key"), "{refused}");
    assert_eq!(fs::read(file(directory.path())).unwrap(), before);
    open(directory.path(), 1).await.close().await;
}

#[tokio::test]
async fn other_files_are_refused_as_key_files() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes");
    fs::write(&path, "not a database ".repeat(100)).unwrap();
    let refused = Vault::open(&path, master(1)).await;
    assert!(matches!(refused, Err(VaultError::OtherFormat { .. })), "{refused:?}");
    let vault = open(directory.path(), 1).await;
    {
        let keys = vault.keys().await;
        let mut connection = keys.connection().await.unwrap();
        sqlx::query("CREATE TABLE other (a)").execute(&mut *connection).await.unwrap();
    }
    vault.close().await;
    let refused = Vault::open(&file(directory.path()), master(1)).await;
    assert!(matches!(refused, Err(VaultError::OtherFormat { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_key_file_is_private_and_opened_once() {
    let directory = tempfile::tempdir().unwrap();
    let vault = open(directory.path(), 1).await;
    seal_all(&vault, &[subject(1)]).await;
    let second = Vault::open(&file(directory.path()), master(1)).await;
    assert!(matches!(second, Err(VaultError::InUse { .. })), "{second:?}");
    for entry in fs::read_dir(directory.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", entry.path());
    }
}

#[tokio::test]
async fn an_erased_person_stays_erased() {
    let directory = tempfile::tempdir().unwrap();
    let vault = open(directory.path(), 1).await;
    let sealed = seal_all(&vault, &[subject(1), subject(2)]).await;
    assert!(vault.erase(subject(1)).await.unwrap());
    assert!(!vault.erase(subject(1)).await.unwrap());
    assert!(!vault.erase(subject(9)).await.unwrap());
    vault.close().await;
    let vault = open(directory.path(), 1).await;
    for id in [subject(1), subject(9)] {
        let refused = vault.seal(id, &envelope(), CLEAR).await;
        assert!(matches!(refused, Err(VaultError::Erased { subject }) if subject == id));
        assert_eq!(vault.unseal(id, &envelope(), &sealed[0]).await.unwrap(), GONE);
    }
    assert_eq!(vault.unseal(subject(2), &envelope(), &sealed[1]).await.unwrap(), CLEAR);
}

#[tokio::test]
async fn a_keyring_holds_whom_it_was_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let vault = open(directory.path(), 1).await;
    let subjects: Vec<Uuid> = (0..300).map(subject).collect();
    let sealed = seal_all(&vault, &subjects).await;
    vault.erase(subject(7)).await.unwrap();
    vault.close().await;
    let vault = open(directory.path(), 1).await;
    let asked = subjects.iter().copied().chain([subject(7), subject(999)]);
    let ring = vault.keyring(asked).await.unwrap();
    for (id, sealed) in subjects.iter().zip(&sealed) {
        let expected = if *id == subject(7) { GONE } else { CLEAR };
        assert_eq!(ring.unseal(*id, &envelope(), sealed).unwrap(), expected);
    }
    let refused = ring.unseal(subject(999), &envelope(), &sealed[0]);
    assert!(matches!(refused, Err(VaultError::NoKey { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn racing_seals_for_a_new_person_make_one_key() {
    let directory = tempfile::tempdir().unwrap();
    let vault = open(directory.path(), 1).await;
    let racers: Vec<_> = (0..100)
        .map(|racer| {
            let vault = vault.clone();
            tokio::spawn(async move {
                let sealed = vault.seal(subject(racer % 2), &envelope(), CLEAR).await;
                (subject(racer % 2), sealed.unwrap().into_owned())
            })
        })
        .collect();
    let sealed = futures::future::try_join_all(racers).await.unwrap();
    vault.close().await;
    let vault = open(directory.path(), 1).await;
    for (id, sealed) in sealed {
        assert_eq!(vault.unseal(id, &envelope(), &sealed).await.unwrap(), CLEAR);
    }
    let keys = vault.keys().await;
    let mut connection = keys.connection().await.unwrap();
    let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM data_keys")
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    assert_eq!(count, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_erasure_wins_over_racing_readers_and_seals() {
    let directory = tempfile::tempdir().unwrap();
    let vault = open(directory.path(), 1).await;
    for round in 0..20 {
        let id = subject(round);
        let sealed = seal_all(&vault, &[id]).await.remove(0);
        vault.shared.cache.clear();
        let race = |write: bool| {
            let (vault, sealed) = (vault.clone(), sealed.clone());
            tokio::spawn(async move {
                if write {
                    let sealed = vault.seal(id, &envelope(), CLEAR).await;
                    assert!(matches!(sealed, Ok(_) | Err(VaultError::Erased { .. })));
                } else {
                    let unsealed = vault.unseal(id, &envelope(), &sealed).await.unwrap();
                    assert!(unsealed == CLEAR || unsealed == GONE);
                }
            })
        };
        let racers: Vec<_> = (0..20).map(|racer| race(racer % 2 == 0)).collect();
        assert!(vault.erase(id).await.unwrap());
        let refused = vault.seal(id, &envelope(), CLEAR).await;
        assert!(matches!(refused, Err(VaultError::Erased { .. })));
        futures::future::try_join_all(racers).await.unwrap();
        assert_eq!(vault.unseal(id, &envelope(), &sealed).await.unwrap(), GONE);
    }
}

// Made with Python: HKDF of cryptography 48 (no salt; info is the labels, each with struct.pack('<Q',
// length) before it, behind their number), then hmac.new(key, text, hashlib.sha256).
#[test]
fn a_blind_index_is_what_others_compute() {
    let key = Key::from_bytes(&std::array::from_fn(|place| u8::try_from(place).unwrap()));
    let index = blind_index(&key, "email", "ada@example.org");
    let expected = "c089fa383451b8c0c8a38b901b6c2feea0c4cf0e60ba82ae73cec97d2cd2bbf0";
    assert_eq!(hex(&index), expected);
    assert_ne!(index, blind_index(&key, "name", "ada@example.org"));
    assert_ne!(index, blind_index(&key, "email", "Ada@example.org"));
}

#[tokio::test]
async fn what_is_locked_opens_under_its_label_only_also_later() {
    let directory = tempfile::tempdir().unwrap();
    let vault = open(directory.path(), 1).await;
    let locked = vault.lock("promise", b"canary").unwrap();
    assert!(!locked.windows(6).any(|window| window == b"canary"));
    assert_ne!(vault.lock("promise", b"canary").unwrap(), locked);
    assert!(vault.unlock("other", &locked).is_none());
    let mut changed = locked.clone();
    changed[30] ^= 1;
    for other in [changed.as_slice(), &locked[..20], b""] {
        assert!(vault.unlock("promise", other).is_none());
    }
    vault.close().await;
    let vault = open(directory.path(), 1).await;
    assert_eq!(vault.unlock("promise", &locked).unwrap().as_slice(), b"canary");
}
